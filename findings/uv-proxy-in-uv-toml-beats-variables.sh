#!/usr/bin/env bash
# What one would expect: HTTP_PROXY and NO_PROXY come before a configuration file, as environment
# variables do for nearly all of uv's settings; and NO_PROXY names hosts that no proxy is used for.
#
# What happens: with `http-proxy` in uv.toml, uv asks that proxy and not the one of HTTP_PROXY, and
# it asks that proxy for hosts that NO_PROXY names as well. `no-proxy` of uv.toml excepts hosts from
# that proxy, and not from the one of HTTP_PROXY.
#
# Seen with uv 0.11.13 and 0.13.9 on 29 November 2026.
#
# Why it matters: a uv.toml rolled out for a company cannot be overridden on one machine by the
# variables that curl, pip and git obey; and a program that reads both has to know the order.
set -euo pipefail

directory=$(mktemp -d)
server=
cleanup() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi
    rm -rf "$directory"
}
trap cleanup EXIT
cd "$directory"

cat >proxies.py <<'PYTHON'
"""Two proxies that answer everything with 404, and write down who was asked."""

import http.server
import threading


def serve(name):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            with open("asked", "a") as file:
                print(name, file=file)
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with open(name, "w") as file:
        print(f"http://127.0.0.1:{server.server_port}", file=file)
    return server


first, second = serve("file"), serve("variable")
threading.Thread(target=first.serve_forever, daemon=True).start()
open("ready", "w").close()
second.serve_forever()
PYTHON
python3 proxies.py &
server=$!
for _ in $(seq 100); do
    [ -e ready ] && break
    sleep 0.1
done
file=$(cat file) variable=$(cat variable)

# Ask for a package through whatever proxy uv chooses; print which one that was.
ask() { # VERSION UV_TOML [NAME=VALUE…]
    local version=$1 text=$2
    shift 2
    printf '%s\n' 'index-url = "http://host.invalid/simple/"' "$text" >uv.toml
    rm -f asked
    echo package | env -i HOME="$directory" PATH="$PATH" UV_HTTP_RETRIES=0 "$@" \
        "$directory/$version/bin/uv" pip compile - --no-cache --config-file uv.toml \
        >/dev/null 2>&1 || true
    if [ -e asked ]; then sort -u asked; else echo none; fi
}

status=0
expect() { # WHAT EXPECTED GOT
    printf '  %-52s %s\n' "$1" "$3"
    if [ "$2" != "$3" ]; then status=1; fi
}

for version in 0.11.13 0.13.9; do
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
        --no-deps --only-binary uv --target "$directory/$version" "uv==$version"
    "$directory/$version/bin/uv" --version
    key="http-proxy = \"$file\""
    expect "HTTP_PROXY alone" variable "$(ask "$version" '' "HTTP_PROXY=$variable")"
    expect "http-proxy and HTTP_PROXY" file "$(ask "$version" "$key" "HTTP_PROXY=$variable")"
    expect "HTTP_PROXY and NO_PROXY" none \
        "$(ask "$version" '' "HTTP_PROXY=$variable" NO_PROXY=host.invalid)"
    expect "http-proxy and NO_PROXY" file "$(ask "$version" "$key" NO_PROXY=host.invalid)"
    expect "http-proxy and no-proxy" none \
        "$(ask "$version" "$key"$'\nno-proxy = ["host.invalid"]')"
    expect "HTTP_PROXY and no-proxy" variable \
        "$(ask "$version" 'no-proxy = ["host.invalid"]' "HTTP_PROXY=$variable")"
done
exit "$status"
