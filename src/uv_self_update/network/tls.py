"""Whom we trust in TLS.

```text
the operating system + network.ca-bundle + SSL_CERT_FILE + SSL_CERT_DIR
                     + CURL_CA_BUNDLE + REQUESTS_CA_BUNDLE
```

All of them together: whatever uv, curl or pip can reach on a machine can be reached from here. What
`network.ca-bundle` names has to work. A variable is warned of where it does not, as uv does: it may
have been set for others, long ago.
"""

from __future__ import annotations

import logging
import os
import ssl
import sys
import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from uv_self_update.auth.credentials import origin_of
from uv_self_update.errors import TlsError
from uv_self_update.messages import shown
from uv_self_update.network.client_certificate import ClientCertificate, UnusableIdentityError
from uv_self_update.redaction import redact_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from uv_self_update.config.settings import Network


_log = logging.getLogger(__name__)

_OPENSSL_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_VARIABLES = (*_OPENSSL_VARIABLES, "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
_LISTS = {"SSL_CERT_DIR"}
_INSECURE_VARIABLE = "UV_INSECURE_HOST"
_NOT_OPENSSL = {"darwin", "win32"}
"""Where the operating system itself is asked whether it trusts a certificate."""


class Trust:
    """The TLS contexts of a run."""

    def __init__(
        self, network: Network, *, environ: Mapping[str, str], insecure: Sequence[str] = ()
    ) -> None:
        """Read nothing yet.

        Args:
            network: The settings.
            environ: The user's environment.
            insecure: The hosts that uv's configuration exempts, as `Network.insecure_hosts`.
        """
        self._network = network
        self._environ = environ
        self._insecure = insecure
        self._identity = ClientCertificate.of(network, environ)
        self._lock = threading.Lock()
        self._contexts: dict[tuple[bool, bool], ssl.SSLContext] = {}
        self._warned: set[_Exemption] = set()

    def context_for(self, url: str, *, identified: bool) -> ssl.SSLContext:
        """Return the context for connections to the origin of a URL.

        The same one comes for the same demands, so that connections can be shared.

        Args:
            url: Where to.
            identified: Whether the client certificate, if there is one, may be presented there.

        Raises:
            TlsError: What is configured cannot be used.
        """
        identity = self._identity if identified else None
        with self._lock:
            exemption = next((one for one in self._exemptions if one.covers(url)), None)
            if exemption is not None and exemption not in self._warned:
                self._warned.add(exemption)
                _log.warning(
                    "the certificate of %s is not checked, because of %s: whoever is on the line "
                    "can send another uv",
                    exemption.host,
                    exemption.origin,
                )
            demands = exemption is None, identity is not None
            if demands not in self._contexts:
                context = self._checking(url) if exemption is None else _unchecking()
                if identity is not None:
                    _identify(context, identity, url)
                self._contexts[demands] = context
            return self._contexts[demands]

    def _checking(self, url: str) -> ssl.SSLContext:
        # Slow to import, and not needed where everything is plain http or a folder.
        import truststore  # noqa: PLC0415

        context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # curl and uv are content with an authority between that is trusted: so is this.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        if bundle := self._network.ca_bundle:
            reason = _load(context, bundle)
            if reason is not None:
                raise TlsError(
                    redact_url(url),
                    f"{bundle}, which `network.ca-bundle` names, cannot be used: {reason}",
                    hint="It has to be a file with `-----BEGIN CERTIFICATE-----` in it: "
                    "`openssl x509 -inform der -in FILE -out ca.pem` makes one of a binary one.",
                )
        for variable, path in self._named():
            reason = _load(context, path)
            if reason is not None:
                _log.warning("%s is not used: %s: %s", variable, path, reason)
        if any(self._environ.get(variable) for variable in _OPENSSL_VARIABLES):
            _load_system(context)
        return context

    def _named(self) -> Iterator[tuple[str, Path]]:
        """Yield what the environment names, with the variables that do."""
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


@dataclass(frozen=True, kw_only=True)
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

    def covers(self, url: str) -> bool:
        scheme, host, port = origin_of(url)
        return host == self.host and self.scheme in {"", scheme} and self.port in {None, port}


def _exemption(entry: str, origin: str) -> _Exemption | None:
    """Return what an entry means; None, with a warning, if it cannot be used."""
    reason = "write `HOST`, `HOST:PORT` or `https://HOST`; an IPv6 address goes in brackets"
    try:
        parts = urlsplit(entry if "://" in entry else f"//{entry}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if "*" in entry:
        reason = "each host has to be named whose certificate is not to be checked"
    elif host and not parts.path.strip("/") and "@" not in parts.netloc:
        return _Exemption(host=host, scheme=parts.scheme, port=port, origin=origin)
    _log.warning("`%s` in %s is not used: %s", shown(entry), origin, reason)
    return None


def _unchecking() -> ssl.SSLContext:
    # Not truststore's: some systems have objections even if nothing is to be checked.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _identify(context: ssl.SSLContext, identity: ClientCertificate, url: str) -> None:
    try:
        identity.present(context)
    except UnusableIdentityError as error:
        if identity.variable is None:
            raise TlsError(redact_url(url), error.reason, hint=error.hint) from error
        _log.warning("%s is not used: %s. %s", identity.variable, error.reason, error.hint)


def _load(context: ssl.SSLContext, path: Path) -> str | None:
    """Trust the authorities in a file, or in the files of a folder.

    The folder's files need no hashes for names, and are loaded one by one, since OpenSSL would look
    for one when it needs it: where it is not OpenSSL that checks, none would ever be found.

    Returns:
        Why there are none; None if there are.
    """
    try:
        if path.is_dir():
            # Those of Linux are there twice, under a name and under a hash.
            files = {file.resolve() for file in path.iterdir() if file.is_file()}
            loaded = [_load(context, file) is None for file in files]
            return None if any(loaded) else "no file in this folder holds certificates (PEM)"
        context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        return "it holds no certificates in PEM format"
    except OSError as error:
        return error.strerror or str(error)
    return None


def _load_system(context: ssl.SSLContext) -> None:
    """Trust what OpenSSL trusts by default, which it forgets if its variables are set."""
    if sys.platform in _NOT_OPENSSL:
        return
    defaults = ssl.get_default_verify_paths()
    if Path(defaults.openssl_cafile).is_file():
        context.load_verify_locations(cafile=defaults.openssl_cafile)
    if Path(defaults.openssl_capath).is_dir():
        context.load_verify_locations(capath=defaults.openssl_capath)
