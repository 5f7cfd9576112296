#!/usr/bin/env bash
# What one would expect: REQUEST_METHOD in the environment makes a client ignore HTTP_PROXY, which
# CGI sets to the header `Proxy` of a request (https://httpoxy.org). No header can set HTTPS_PROXY
# or ALL_PROXY, so Python's urllib, for one, goes on to obey HTTPS_PROXY.
#
# What happens: uv 0.5.0 does that too. From 0.8.24 at the latest, uv ignores HTTPS_PROXY and
# ALL_PROXY as well, and connects directly, without a word.
#
# Seen with uv 0.5.0, 0.8.24 and 0.13.9 on 29 November 2026.
#
# Why it matters: a job that a web hook starts through CGI, or a shell that has REQUEST_METHOD from
# an API client, loses the company's proxy on an update of uv, and the error names the host's DNS.
set -euo pipefail

directory=$(mktemp -d)
server=
cleanup() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi
    rm -rf "$directory"
}
trap cleanup EXIT
cd "$directory"

cat >proxy.py <<'PYTHON'
"""A proxy that refuses everything, and writes down what it was asked for."""

import http.server


class Handler(http.server.BaseHTTPRequestHandler):
    def do_CONNECT(self):
        with open("asked", "a") as file:
            print(self.command, file=file)
        self.send_response(502)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open("address.part", "w") as file:
    print(f"http://127.0.0.1:{server.server_port}", file=file)
__import__("os").rename("address.part", "address")
server.serve_forever()
PYTHON
python3 proxy.py &
server=$!
for _ in $(seq 100); do
    [ -e address ] && break
    sleep 0.1
done
proxy=$(cat address)

# Ask for a package over https; print whether the proxy was used.
ask() { # VERSION [NAME=VALUE…]
    local version=$1
    shift
    rm -f asked
    echo package | env -i HOME="$directory" PATH="$PATH" UV_HTTP_RETRIES=0 "$@" \
        "$directory/$version/bin/uv" pip compile - --no-cache \
        --index-url https://host.invalid/simple/ >/dev/null 2>&1 || true
    if [ -e asked ]; then echo proxy; else echo direct; fi
}

status=0
expect() { # WHAT EXPECTED GOT
    printf '  %-42s %s\n' "$1" "$3"
    if [ "$2" != "$3" ]; then status=1; fi
}

for version in 0.5.0 0.8.24 0.13.9; do
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
        --no-deps --only-binary uv --target "$directory/$version" "uv==$version"
    "$directory/$version/bin/uv" --version
    with=direct
    if [ "$version" = 0.5.0 ]; then with=proxy; fi
    expect "HTTPS_PROXY" proxy "$(ask "$version" "HTTPS_PROXY=$proxy")"
    expect "HTTPS_PROXY and REQUEST_METHOD" "$with" \
        "$(ask "$version" "HTTPS_PROXY=$proxy" REQUEST_METHOD=GET)"
    expect "ALL_PROXY and REQUEST_METHOD" "$with" \
        "$(ask "$version" "ALL_PROXY=$proxy" REQUEST_METHOD=GET)"
done
rm -f asked
env -i HOME="$directory" PATH="$PATH" HTTPS_PROXY="$proxy" REQUEST_METHOD=GET python3 -c '
import urllib.request
try:
    urllib.request.urlopen("https://host.invalid/", timeout=10)
except OSError:
    pass'
expect "Python: HTTPS_PROXY and REQUEST_METHOD" proxy "$([ -e asked ] && echo proxy || echo direct)"
exit "$status"
