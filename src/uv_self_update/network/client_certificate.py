"""Who we say we are in TLS: a client certificate, and the key that proves that it is ours.

Nothing here imports `ssl`, which takes longer than all that comes before uv is started: whether a
passphrase has to be asked for is decided by then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

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
"""The two ways to encrypt a key in PEM: RFC 7468 section 11, and RFC 1421 section 4.6.1.1."""

_OTHERS = "`openssl pkcs12 -in FILE -out client.pem` makes PEM of a .p12 or .pfx file."


class UnusableIdentityError(Exception):
    """A client certificate cannot be presented."""

    def __init__(self, reason: str, hint: str) -> None:
        """Say which file, what is wrong with it, and what to do."""
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


@dataclass(frozen=True, kw_only=True)
class ClientCertificate:
    """A client certificate."""

    certificate: Path
    """A PEM file with the certificate, and those of the authorities between."""

    key: Path
    """The PEM file with its private key; it may be the same."""

    passphrase: Secret | None = None
    """What the key is encrypted with."""

    variable: str | None = None
    """The variable that it comes from; None for our own settings."""

    @classmethod
    def of(cls, network: Network, environ: Mapping[str, str]) -> ClientCertificate | None:
        """Return the one that is configured, here or for uv; None if there is none.

        uv's variable names one file with both:
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
        """Let connections of a context present the certificate to whoever asks for one.

        Raises:
            UnusableIdentityError: A file cannot be used, or the two do not belong together.
        """
        import ssl  # noqa: PLC0415 # see above

        self._check()
        # Never without a passphrase: OpenSSL would ask for it on the terminal.
        passphrase = self.passphrase.reveal() if self.passphrase else ""
        try:
            context.load_cert_chain(self.certificate, self.key, passphrase)
        except ssl.SSLError as error:
            raise self._unusable(error) from error
        except ValueError as error:  # what is longer than OpenSSL's buffer
            raise self._wrong_passphrase() from error

    def _check(self) -> None:
        certificate, key = _content(self.certificate), _content(self.key)
        if not _CERTIFICATE.search(certificate):
            reason = f"{self.certificate} holds no certificate in PEM format"
            raise UnusableIdentityError(reason, _OTHERS)
        if not _KEY.search(key):
            hint = _OTHERS
            if self.key == self.certificate:
                hint = "Where the key is a file of its own, name it in `network.client-key`."
            reason = f"{self.key} holds no private key in PEM format"
            raise UnusableIdentityError(reason, hint)
        if _ENCRYPTED.search(key) and self.passphrase is None:
            reason = f"the private key in {self.key} is encrypted, and there is no passphrase"
            raise UnusableIdentityError(reason, "Set UV_SELF_UPDATE_CLIENT_KEY_PASSPHRASE.")

    def _unusable(self, error: ssl.SSLError) -> UnusableIdentityError:
        reason = error.reason or ""
        if reason.endswith("_MISMATCH"):
            return UnusableIdentityError(
                f"the private key in {self.key} does not belong to the certificate in "
                f"{self.certificate}",
                "Are both from the same delivery? The certificate itself has to come first in its "
                "file, before those of the authorities.",
            )
        if _ENCRYPTED.search(_content(self.key)) and not reason.endswith(("_SMALL", "_WEAK")):
            return self._wrong_passphrase()
        words = reason.replace("_", " ").lower() or "OpenSSL cannot read it"
        return UnusableIdentityError(
            f"the certificate in {self.certificate} cannot be used with the private key in "
            f"{self.key}: {words}",
            "Ask whoever gave them to you for new ones.",
        )

    def _wrong_passphrase(self) -> UnusableIdentityError:
        return UnusableIdentityError(
            f"the private key in {self.key} cannot be decrypted with the passphrase",
            "Check UV_SELF_UPDATE_CLIENT_KEY_PASSPHRASE, or what you have typed.",
        )


def needs_passphrase(network: Network, environ: Mapping[str, str]) -> Path | None:
    """Return the file of the private key if a passphrase is missing to use it, else None."""
    identity = ClientCertificate.of(network, environ)
    if identity is None or identity.passphrase is not None:
        return None
    try:
        encrypted = _ENCRYPTED.search(identity.key.read_bytes())
    except OSError:
        return None  # said where the key is needed
    return identity.key if encrypted else None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        # Some put the key itself where its path is due.
        name = "the path of a client certificate" if "-----BEGIN" in str(path) else path
        reason = f"{name} cannot be read: {error.strerror or error}"
        raise UnusableIdentityError(reason, "Check the path, and who may read it.") from error
