"""The certificate authorities that are trusted.

```text
the operating system + network.ca-bundle + SSL_CERT_FILE + SSL_CERT_DIR
                     + CURL_CA_BUNDLE + REQUESTS_CA_BUNDLE
```

All of them are trusted together, so that every server that uv, curl or pip can reach is reachable.
An unusable `network.ca-bundle` is an error. An unusable variable is a warning, as in uv: it may
have been set for other programs.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import os
import ssl
import sys
import threading
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from uv_self_update.errors import TlsError
from uv_self_update.files import strerror
from uv_self_update.messages import shown
from uv_self_update.network import system_authorities
from uv_self_update.network.authorities import blocks_in, state_their_purpose
from uv_self_update.network.client_certificate import ClientCertificate, UnusableClientCertificate
from uv_self_update.values import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from uv_self_update.config.settings import Network
    from uv_self_update.network.authorities import Block
    from uv_self_update.network.system_authorities import SystemAuthorities
    from uv_self_update.url import Origin, Url


_log = logging.getLogger(__name__)

_OPENSSL_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_VARIABLES = (*_OPENSSL_VARIABLES, "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
_LISTS = {"SSL_CERT_DIR"}
_INSECURE_VARIABLE = "UV_INSECURE_HOST"
_NOT_OPENSSL = {"darwin", "win32"}
"""Where the operating system verifies certificates."""


class Trust:
    """The TLS contexts of a run."""

    def __init__(
        self, network: Network, *, environ: Mapping[str, str], insecure: Sequence[str] = ()
    ) -> None:
        """Prepare; files are read when they are needed.

        Args:
            network: The settings.
            environ: The user's environment.
            insecure: The hosts in the configuration of uv, in addition to `Network.insecure_hosts`.
        """
        self._network = network
        self._environ = environ
        self._insecure = insecure
        self._identity = ClientCertificate.of(network, environ)
        self._system = None if sys.platform in _NOT_OPENSSL else system_authorities.find()
        self._lock = threading.Lock()
        self._contexts: dict[tuple[bool, bool], ssl.SSLContext] = {}
        self._warned: set[_Exemption] = set()

    def context_for(self, url: Url, *, identified: bool) -> ssl.SSLContext:
        """Return the context for connections to the origin of a URL.

        Contexts with the same properties are shared, and so are their connections.

        Args:
            url: The URL.
            identified: Whether to present a configured client certificate.

        Raises:
            TlsError: A configured file is unusable.
        """
        identity = self._identity if identified else None
        with self._lock:
            exemption = next((one for one in self._exemptions if one.covers(url.origin)), None)
            if exemption is not None and exemption not in self._warned:
                self._warned.add(exemption)
                _log.warning(
                    "the certificate of %s is not verified, because of %s: an attacker could send "
                    "another uv",
                    exemption.host,
                    exemption.origin,
                )
            properties = exemption is None, identity is not None
            if properties not in self._contexts:
                context = self._verifying(url) if exemption is None else _not_verifying()
                if identity is not None:
                    _identify(context, identity, url)
                self._contexts[properties] = context
            return self._contexts[properties]

    def _verifying(self, url: Url) -> ssl.SSLContext:
        context = _new_context(self._system)
        # As in curl and uv, a trusted intermediate authority is enough.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        # Unlike the default context of Python 3.13, they do not require all of RFC 5280: the
        # authorities of many companies are older.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if bundle := self._network.ca_bundle:
            reason = _load(context, bundle)
            if reason is not None:
                raise TlsError(
                    str(url),
                    f"`network.ca-bundle` ({bundle}) cannot be used: {reason}",
                    hint="Expected a PEM file with `-----BEGIN CERTIFICATE-----`. To convert a "
                    "binary one: `openssl x509 -inform der -in FILE -out ca.pem`.",
                )
        for variable, path in self._named():
            reason = _load(context, path)
            if reason is not None:
                _log.warning("%s is not used: %s: %s", variable, path, reason)
        return context

    def _named(self) -> Iterator[tuple[str, Path]]:
        """Yield the paths in the environment, each with its variable."""
        for variable in _VARIABLES:
            value = self._environ.get(variable, "")
            for name in value.split(os.pathsep) if variable in _LISTS else [value]:
                if name:
                    yield variable, Path(name)

    @cached_property
    def _exemptions(self) -> tuple[_Exemption, ...]:
        named = self._environ.get(_INSECURE_VARIABLE, "").split()
        origins = dict.fromkeys(self._insecure, "`allow-insecure-host` in uv.toml")
        for entry in self._network.insecure_hosts:
            origins[entry] = _INSECURE_VARIABLE if entry in named else "--allow-insecure-host"
        parsed = [_exemption(entry, origin) for entry, origin in origins.items()]
        return tuple(exemption for exemption in parsed if exemption is not None)


@frozen
class _Exemption:
    """A host whose certificate is not checked."""

    host: str
    """In lower case; that of IPv6 without brackets."""

    scheme: str = ""
    """Empty for any."""

    port: int | None = None
    """None for any."""

    origin: str
    """The option, the variable or the file that says so."""

    def covers(self, origin: Origin) -> bool:
        scheme, host, port = origin
        return host == self.host and self.scheme in {"", scheme} and self.port in {None, port}


def _exemption(entry: str, origin: str) -> _Exemption | None:
    """Parse an entry; return None, with a warning, if it is invalid."""
    reason = "expected `HOST`, `HOST:PORT` or `https://HOST`, with an IPv6 address in brackets"
    try:
        parts = urlsplit(entry if "://" in entry else f"//{entry}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if "*" in entry:
        reason = "wildcards are not supported; list each host"
    elif host and not parts.path.strip("/") and "@" not in parts.netloc:
        return _Exemption(host=host, scheme=parts.scheme, port=port, origin=origin)
    _log.warning("`%s` in %s is not used: %s", shown(entry), origin, reason)
    return None


def _new_context(system: SystemAuthorities | None) -> ssl.SSLContext:
    if system is None:
        import truststore  # noqa: PLC0415 # slow to import, and for these systems only

        return _naming_expired(truststore.SSLContext)(ssl.PROTOCOL_TLS_CLIENT)
    context = _naming_expired(ssl.SSLContext)(ssl.PROTOCOL_TLS_CLIENT)
    bundle = system_authorities.load(context, system)
    reason = None if bundle is None else _load(context, bundle)
    if reason is not None:
        _log.warning("the system's %s is not used: %s", bundle, reason)
    return context


def _naming_expired(base: type[ssl.SSLContext]) -> type[ssl.SSLContext]:
    """Return a class of contexts that add the configured authorities that have expired to an error.

    OpenSSL does not report which certificate has expired.
    """

    class Context(base):  # type: ignore[misc, valid-type]
        named: tuple[Path, ...] = ()

        def wrap_socket(self, *args: Any, **named: Any) -> ssl.SSLSocket:  # noqa: ANN401 # see ssl
            try:
                connection: ssl.SSLSocket = super().wrap_socket(*args, **named)
            except ssl.SSLCertVerificationError as error:
                error.expired = tuple(_expired(self.named))  # type: ignore[attr-defined]
                raise
            return connection

    return Context


def _remember(context: ssl.SSLContext, path: Path) -> None:
    context.named = (*getattr(context, "named", ()), path)  # type: ignore[attr-defined]


def _not_verifying() -> ssl.SSLContext:
    # Not that of truststore: some systems still verify with it.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _identify(context: ssl.SSLContext, identity: ClientCertificate, url: Url) -> None:
    try:
        identity.present(context)
    except UnusableClientCertificate as error:
        if identity.variable is None:
            raise TlsError(str(url), error.reason, hint=error.hint) from error
        _log.warning("%s is not used: %s. %s", identity.variable, error.reason, error.hint)


def _load(context: ssl.SSLContext, path: Path) -> str | None:
    """Trust the authorities in a file, or in all files of a directory.

    The files are loaded one by one, and need no hashes as names: OpenSSL looks a hash up on demand,
    which does not work where the operating system verifies certificates.

    Returns:
        The reason if none was loaded; None on success.
    """
    try:
        if path.is_dir():
            # Linux has each file twice, by name and by hash.
            files = {file.resolve() for file in path.iterdir() if file.is_file()}
            loaded = [_load_file(context, file) for file in files]
            return None if any(loaded) else "no file in this directory contains PEM certificates"
        return None if _load_file(context, path) else "it contains no PEM certificates"
    except OSError as error:
        return strerror(error)


def _load_file(context: ssl.SSLContext, path: Path) -> bool:
    """Trust the authorities in a PEM file, and warn of each unusable block.

    Returns:
        Whether any was loaded.

    Raises:
        OSError: The file cannot be read.
    """
    content = path.read_bytes()
    # OpenSSL reads a whole file in a third of the time that it takes to read it block by block.
    if sys.platform in _NOT_OPENSSL or state_their_purpose(content):
        with contextlib.suppress(ssl.SSLError):
            context.load_verify_locations(cafile=path)
            _remember(context, path)
            return True
    blocks = [_load_block(context, block) for block in blocks_in(content)]
    usable = [block for block in blocks if not block.reason]
    for block in blocks if usable else ():
        if block.reason:
            _log.warning("%s of %s is not used: %s", block.label, path, block.reason)
    _remember(context, path)
    return bool(usable)


def _load_block(context: ssl.SSLContext, block: Block) -> Block:
    """Trust the authority in a block; return the block, with a reason if it is unusable."""
    if block.reason:
        return block
    try:
        # Of two certificates with one name and key, OpenSSL uses the first as the issuer of others,
        # and needs the other one if a server presents it.
        for der in filter(None, (block.as_authority, block.der)):
            context.load_verify_locations(cadata=der)
    except ssl.SSLError:
        return replace(block, reason="not a certificate")
    return block


def _expired(named: Iterable[Path]) -> Iterator[str]:
    """Yield the expired authorities in files, for a message."""
    now = dt.datetime.now(dt.UTC)
    for path in named:
        with contextlib.suppress(OSError):
            for block in blocks_in(path.read_bytes()):
                until = block.until
                if until is not None and until < now:
                    yield f"{block.label} of {path}, on {until.date()}"
