"""The client certificate for TLS, and its private key.

The module does not import `ssl`, which is slow: whether to prompt for a passphrase is decided
before uv is started.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.files import strerror
from uv_self_update.values import frozen

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from uv_self_update.config.settings import Network
    from uv_self_update.redaction import Secret


_VARIABLE = "SSL_CLIENT_CERT"
_CERTIFICATE = re.compile(rb"^-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----", re.MULTILINE)
_KEY = re.compile(rb"^-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----", re.MULTILINE)
_ENCRYPTED = re.compile(
    rb"^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED", re.MULTILINE
)
"""The two formats of encrypted keys: RFC 7468 section 11, and RFC 1421 section 4.6.1.1."""

_CONVERT = "To convert a .p12 or .pfx file: `openssl pkcs12 -in FILE -out client.pem`."


class UnusableClientCertificate(Exception):
    """A client certificate is unusable."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


@frozen
class ClientCertificate:
    """A client certificate with its key."""

    certificate: Path
    """A PEM file with the certificate, followed by intermediate certificates."""

    key: Path
    """A PEM file with the private key; may be the same file."""

    passphrase: Secret | None = None
    """The passphrase of an encrypted key."""

    variable: str | None = None
    """The variable that names it; None for our own settings."""

    @classmethod
    def of(cls, network: Network, environ: Mapping[str, str]) -> ClientCertificate | None:
        """Return the configured one, ours or that of uv; None without one.

        The variable of uv names one file with the certificate and the key:
        https://docs.astral.sh/uv/concepts/authentication/certificates/
        """
        if network.client_cert is not None:
            return cls(
                certificate=network.client_cert,
                key=network.client_key or network.client_cert,
                passphrase=network.passphrase,
            )
        if named := environ.get(_VARIABLE):
            path = Path(named)
            return cls(
                certificate=path, key=path, passphrase=network.passphrase, variable=_VARIABLE
            )
        return None

    def present(self, context: ssl.SSLContext) -> None:
        """Add the certificate to a context.

        Raises:
            UnusableClientCertificate: A file is unusable, or the key does not match.
        """
        import ssl  # noqa: PLC0415 # see the docstring of the module

        self._check()
        # Never None: OpenSSL would prompt for it on the terminal.
        passphrase = self.passphrase.reveal() if self.passphrase else ""
        try:
            context.load_cert_chain(self.certificate, self.key, passphrase)
        except ssl.SSLError as error:
            raise self._unusable(error) from error
        except ValueError as error:  # longer than the buffer of OpenSSL
            raise self._wrong_passphrase() from error

    def _check(self) -> None:
        certificate, key = _content(self.certificate), _content(self.key)
        if not _CERTIFICATE.search(certificate):
            reason = f"{self.certificate} contains no PEM certificate"
            raise UnusableClientCertificate(reason, _CONVERT)
        if not _KEY.search(key):
            hint = _CONVERT
            if self.key == self.certificate:
                hint = "If the key is in a separate file, set `network.client-key`."
            reason = f"{self.key} contains no PEM private key"
            raise UnusableClientCertificate(reason, hint)
        if _ENCRYPTED.search(key) and self.passphrase is None:
            reason = f"the private key in {self.key} is encrypted, and no passphrase is set"
            raise UnusableClientCertificate(reason, "Set UV_SELF_UPDATE_CLIENT_KEY_PASSPHRASE.")

    def _unusable(self, error: ssl.SSLError) -> UnusableClientCertificate:
        reason = error.reason or ""
        if reason.endswith("_MISMATCH"):
            return UnusableClientCertificate(
                f"the private key in {self.key} does not match the certificate in "
                f"{self.certificate}",
                "The client certificate must be the first in its file, before intermediate "
                "certificates.",
            )
        if _ENCRYPTED.search(_content(self.key)) and not reason.endswith(("_SMALL", "_WEAK")):
            return self._wrong_passphrase()
        words = reason.replace("_", " ").lower() or "unreadable by OpenSSL"
        return UnusableClientCertificate(
            f"the certificate in {self.certificate} cannot be used with the private key in "
            f"{self.key}: {words}",
            "Request a new certificate and key.",
        )

    def _wrong_passphrase(self) -> UnusableClientCertificate:
        return UnusableClientCertificate(
            f"the private key in {self.key} cannot be decrypted with this passphrase",
            "Check UV_SELF_UPDATE_CLIENT_KEY_PASSPHRASE, or the passphrase that you entered.",
        )


def needs_passphrase(network: Network, environ: Mapping[str, str]) -> Path | None:
    """Return the file of the private key if its passphrase is missing, else None."""
    identity = ClientCertificate.of(network, environ)
    if identity is None or identity.passphrase is not None:
        return None
    try:
        encrypted = _ENCRYPTED.search(identity.key.read_bytes())
    except OSError:
        return None  # reported when the key is used
    return identity.key if encrypted else None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        # The setting may contain the key itself instead of its path.
        name = "the path of a client certificate" if "-----BEGIN" in str(path) else path
        reason = f"{name} cannot be read: {strerror(error)}"
        raise UnusableClientCertificate(reason, "Check the path and its permissions.") from error
