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

from uv_self_update.values import frozen

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


@frozen
class SystemAuthorities:
    """Where a system keeps its authorities, whatever the variables of OpenSSL say."""

    directory: str
    hashed: int
    """How many certificates OpenSSL can look up in the directory."""

    bundle: Path | None


def find() -> SystemAuthorities:
    """Find the authorities, without reading them.

    Python takes turns with other threads at each entry of a directory, so this is called by the
    main thread: in another one, it would take a hundred turns.
    """
    defaults = ssl.get_default_verify_paths()
    hashed = _hashed(defaults.openssl_capath)
    others = () if hashed else _BUNDLES
    bundles = (Path(name) for name in (defaults.openssl_cafile, *others) if os.path.isfile(name))  # noqa: PTH113 # not permitted: False
    return SystemAuthorities(
        directory=defaults.openssl_capath, hashed=hashed, bundle=next(bundles, None)
    )


def load(context: ssl.SSLContext, found: SystemAuthorities) -> Path | None:
    """Trust the authorities.

    Returns:
        A bundle that OpenSSL cannot load as a whole, for the caller to load; None if it could.
    """
    bundle = found.bundle
    if found.hashed:
        # They are read on demand: a hundred that nothing asks for cost nothing.
        context.load_verify_locations(capath=found.directory)
    if bundle is None:
        return None
    with suppress(OSError):
        # Debian's bundle has the same authorities, unless an administrator has added one to it.
        if not found.hashed or bundle.read_bytes().count(_BEGIN) != found.hashed:
            context.load_verify_locations(cafile=bundle)
        return None
    return bundle


def _hashed(directory: str) -> int:
    """Return how many certificates OpenSSL can look up in a directory."""
    with suppress(OSError), os.scandir(directory) as entries:
        return sum(_HASHED.fullmatch(entry.name) is not None for entry in entries)
    return 0
