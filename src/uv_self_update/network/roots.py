"""Certificate authorities as PEM, for a program that reads them from one file."""

from __future__ import annotations

import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import certifi

from uv_self_update.network.authorities import blocks_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SYSTEM_READABLE = sys.platform != "darwin"
"""Whether the authorities of the operating system can be listed."""


MOZILLA = Path(certifi.where())
"""The authorities of Mozilla's program, which uv has built in."""

_DEFAULTS = ssl.get_default_verify_paths()

SYSTEM = (Path(_DEFAULTS.openssl_cafile), Path(_DEFAULTS.openssl_capath))
"""The authorities of an operating system that keeps them in files."""


def of_mozilla() -> bytes:
    """Return the authorities of Mozilla's program."""
    return MOZILLA.read_bytes()


def of_paths(paths: Iterable[Path]) -> bytes:
    """Return the authorities in files, and in the files of directories.

    What cannot be read, or is no certificate, is left out, as uv does.
    """
    found = {der: None for path in paths for der in _certificates_at(path)}
    return "".join(map(ssl.DER_cert_to_PEM_cert, found)).encode()


def of_system() -> bytes:
    """Return the authorities of the operating system, where `SYSTEM_READABLE`."""
    return of_windows() or of_paths(SYSTEM)


def of_windows() -> bytes:
    """Return the authorities of Windows; nothing on another system."""
    listed: list[bytes] = []
    if sys.platform == "win32":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_default_certs()
        listed = context.get_ca_certs(binary_form=True)
    return "".join(map(ssl.DER_cert_to_PEM_cert, listed)).encode()


def _certificates_at(path: Path) -> Iterator[bytes]:
    try:
        # Linux has each file twice, by name and by hash.
        files = {file.resolve() for file in path.iterdir()} if path.is_dir() else {path}
        contents = [file.read_bytes() for file in sorted(files) if file.is_file()]
    except OSError:
        return
    for content in contents:
        yield from (block.der for block in blocks_in(content) if not block.reason)
