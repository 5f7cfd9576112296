#!/bin/sh
# The installer of uv @VERSION@ of a mirror, made by uv-self-update.
set -eu

fail() { printf 'error: %s\n' "$1" >&2; exit 1; }

APP_VERSION="@VERSION@"
url="${UV_DOWNLOAD_URL:-${INSTALLER_DOWNLOAD_URL:-}}"
if [ -z "$url" ]; then
    base="${UV_INSTALLER_GHE_BASE_URL:-${UV_INSTALLER_GITHUB_BASE_URL:-}}"
    if [ -n "$base" ]; then url="${base%/}/@LINKED@/$APP_VERSION"; else url="@URL@"; fi
fi
[ -n "$url" ] || fail "set UV_DOWNLOAD_URL to the directory that has uv's archives"

cpu=$(uname -m)
case "$(uname -s)" in
Darwin)
    case "$cpu" in arm64 | aarch64) triple=aarch64-apple-darwin ;; *) triple=x86_64-apple-darwin ;; esac ;;
Linux)
    libc=gnu
    if ldd --version 2>&1 | grep -qi musl; then libc=musl; fi
    case "$cpu" in
    x86_64 | amd64) triple=x86_64-unknown-linux-$libc ;;
    aarch64 | arm64) triple=aarch64-unknown-linux-$libc ;;
    i386 | i586 | i686) triple=i686-unknown-linux-$libc ;;
    armv7l) triple=armv7-unknown-linux-${libc}eabihf ;;
    ppc64le) triple=powerpc64le-unknown-linux-$libc ;;
    riscv64) triple=riscv64gc-unknown-linux-$libc ;;
    *) triple=$cpu-unknown-linux-$libc ;;
    esac ;;
*) fail "this installer does not know $(uname -s)" ;;
esac

digest=
pick() {
    case "$1" in
    # @ARMS@
    *) digest= ;;
    esac
}
pick "$triple"
if [ -z "$digest" ]; then
    # A static build for musl runs with glibc as well.
    other="${triple%gnu}musl"
    pick "$other"
    [ -n "$digest" ] || fail "this mirror has no uv $APP_VERSION for $triple"
    triple=$other
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
file="uv-$triple.tar.gz"
if command -v curl >/dev/null 2>&1; then
    curl -sSfL "${url%/}/$file" -o "$work/$file" || fail "cannot fetch ${url%/}/$file"
else
    wget -q "${url%/}/$file" -O "$work/$file" || fail "cannot fetch ${url%/}/$file"
fi
if command -v sha256sum >/dev/null 2>&1; then
    found=$(sha256sum <"$work/$file")
else
    found=$(shasum -a 256 <"$work/$file")
fi
[ "${found%% *}" = "$digest" ] || fail "$file has another sha256 than its release"
tar -xzf "$work/$file" -C "$work"

prefix="${UV_INSTALL_DIR:-${CARGO_DIST_FORCE_INSTALL_DIR:-${UV_UNMANAGED_INSTALL:-}}}"
[ -n "$prefix" ] || prefix="${XDG_BIN_HOME:-$HOME/.local/bin}"
mkdir -p "$prefix"
for name in uvx uv; do
    [ -f "$work/uv-$triple/$name" ] || continue
    cp "$work/uv-$triple/$name" "$prefix/.$name.new"
    chmod 755 "$prefix/.$name.new"
    mv -f "$prefix/.$name.new" "$prefix/$name"
done

case "$prefix" in *[\"\\]*) fail "a receipt cannot be written for $prefix" ;; esac
if [ -z "${UV_UNMANAGED_INSTALL:-}" ] && [ -z "${UV_DISABLE_UPDATE:-}" ]; then
    modify=true
    [ "${UV_NO_MODIFY_PATH:-}" != 1 ] || modify=false
    config="${XDG_CONFIG_HOME:-$HOME/.config}/uv"
    mkdir -p "$config"
    cat >"$config/.uv-receipt.json.new" <<END
{"binaries":["uv","uvx"],"binary_aliases":{},"cdylibs":[],"cstaticlibs":[],"install_layout":"flat",
"install_prefix":"$prefix","modify_path":$modify,"provider":{"source":"cargo-dist","version":"0.31.0"},
"source":{"app_name":"uv","name":"uv","owner":"astral-sh","release_type":"github"},"version":"$APP_VERSION"}
END
    mv -f "$config/.uv-receipt.json.new" "$config/uv-receipt.json"
fi
printf 'installed uv %s to %s\n' "$APP_VERSION" "$prefix"
