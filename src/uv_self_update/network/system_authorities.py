"""The certificate authorities of an operating system that keeps them in files, as Linux and BSD do.

truststore reads them for each connection, and lets connections wait for each other's handshake.
Here they are read once for a context: a bundle of 140 authorities takes OpenSSL 20 ms.
"""

from __future__ import annotations

import os
import re
import ssl
from contextlib import suppress
from pathlib import Path

_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]", re.IGNORECASE)
"""A file of `openssl rehash`, which OpenSSL looks up by the name of an issuer."""

_BEGIN = b"-----BEGIN "

_BUNDLES = (
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/ca-bundle.pem",
)
"""The bundles of distributions, for an OpenSSL that was built for another one.

https://github.com/sethmlarson/truststore/blob/main/src/truststore/_openssl.py
"""


def load(context: ssl.SSLContext) -> Path | None:
    """Trust the authorities of the system, whatever the variables of OpenSSL say.

    Returns:
        A bundle that OpenSSL cannot load as a whole, for the caller to load; None if it could.
    """
    defaults = ssl.get_default_verify_paths()
    bundle, directory = Path(defaults.openssl_cafile), defaults.openssl_capath
    hashed = _hashed(directory)
    if hashed:
        # They are read on demand: a hundred that nothing asks for cost nothing.
        context.load_verify_locations(capath=directory)
    if not bundle.is_file():
        found = () if hashed else (Path(name) for name in _BUNDLES if os.path.isfile(name))  # noqa: PTH113 # not permitted: False
        bundle = next(iter(found), bundle)
        if not bundle.is_file():
            return None
    with suppress(OSError):
        # Debian's bundle has the same authorities, unless an administrator has added one to it.
        if not hashed or bundle.read_bytes().count(_BEGIN) != hashed:
            context.load_verify_locations(cafile=bundle)
        return None
    return bundle


def _hashed(directory: str) -> int:
    """Return how many certificates OpenSSL can look up in a directory."""
    with suppress(OSError), os.scandir(directory) as entries:
        return sum(_HASHED.fullmatch(entry.name) is not None for entry in entries)
    return 0
