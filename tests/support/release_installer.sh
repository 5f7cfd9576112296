#!/bin/sh
# What a release's own installer does, in the fewest words: fetch the archive with curl or wget,
# check it, unpack it, move the executables into place, write the receipt. The tests fill in
# @VERSION@, @ARCHIVE@ and @SHA256@.
set -eu

version='@VERSION@'
archive='@ARCHIVE@'
sha256='@SHA256@'
base="${UV_INSTALLER_GHE_BASE_URL:-https://github.com}"
url="${UV_DOWNLOAD_URL:-${INSTALLER_DOWNLOAD_URL:-$base/astral-sh/uv/releases/download/$version}}/$archive"
prefix="${CARGO_DIST_FORCE_INSTALL_DIR:-$UV_INSTALL_DIR}"

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

if command -v curl >/dev/null; then
    curl -sSfL "$url" -o "$folder/$archive"
elif command -v wget >/dev/null; then
    wget -q "$url" -O "$folder/$archive"
else
    echo "need curl or wget" >&2
    exit 1
fi

if command -v sha256sum >/dev/null; then
    got="$(sha256sum "$folder/$archive" | cut -d ' ' -f 1)"
    if [ "$got" != "$sha256" ]; then
        echo "checksum mismatch: want $sha256, got $got" >&2
        exit 1
    fi
fi

tar xf "$folder/$archive" --no-same-owner --strip-components 1 -C "$folder"
for name in uv uvx; do
    cp "$folder/$name" "$prefix/.$name.new"
    chmod +x "$prefix/.$name.new"
    mv "$prefix/.$name.new" "$prefix/$name"
done

if [ -n "${UV_UNMANAGED_INSTALL:-}" ] || [ "${UV_DISABLE_UPDATE:-0}" = 1 ]; then
    exit 0
fi
if [ -n "${XDG_CONFIG_HOME:-}" ] && [ -d "$XDG_CONFIG_HOME/uv" ]; then
    receipt="$XDG_CONFIG_HOME/uv/uv-receipt.json"
else
    receipt="$HOME/.config/uv/uv-receipt.json"
fi
cat >"$receipt" <<RECEIPT
{"binaries":["uv","uvx"],"binary_aliases":{},"cdylibs":[],"cstaticlibs":[],"install_layout":"flat",
"install_prefix":"$prefix","modify_path":false,"provider":{"source":"cargo-dist","version":"0.31.0"},
"source":{"app_name":"uv","name":"uv","owner":"astral-sh","release_type":"github"},"version":"$version"}
RECEIPT
