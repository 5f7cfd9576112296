"""`network.ca-bundle` and `network.client-cert` as variables of the uv that reads an index.

uv has two variables, each for one file: SSL_CERT_FILE replaces the authorities that it trusts, and
SSL_CLIENT_CERT contains a certificate and its key
(https://docs.astral.sh/uv/concepts/authentication/certificates/; tested with 0.5.0 to 0.13.9). So
the bundle is merged with the authorities that the user's uv trusts, and a separate key is combined
with its certificate.
"""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.files import strerror
from uv_self_update.network.client_certificate import ClientCertificate, needs_passphrase
from uv_self_update.temporary import private_directory, remove_abandoned

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uv_self_update.config.settings import Network


_log = logging.getLogger(__name__)

_FILE, _DIRECTORIES, _CLIENT = "SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT"


class UvCertificates:
    """The variables for uv, and the files that they name, which exist until `close`.

    Args:
        network: The settings.
        environ: The user's environment.
        temporary: The directory to write the files in; None for the default of the system.
    """

    def __init__(
        self, network: Network, environ: Mapping[str, str], temporary: Path | None = None
    ) -> None:
        self.environ: dict[str, str] = {}
        self._parent = temporary
        self._directory: Path | None = None
        self._stack = ExitStack()
        if network.ca_bundle is not None:
            self.environ[_FILE] = self._write("authorities.pem", _with(network.ca_bundle, environ))
        if network.client_cert is not None and (named := self._client(network)) is not None:
            self.environ[_CLIENT] = named

    def close(self) -> None:
        """Remove the files."""
        self._stack.close()

    def _client(self, network: Network) -> str | None:
        """Return the file of the client certificate; warn and return None if uv cannot use it."""
        encrypted = needs_passphrase(network, {}) if network.passphrase is None else None
        identity = ClientCertificate.of(network, {})
        assert identity is not None, "it is configured"  # noqa: S101 # for the type checker
        if encrypted is not None or network.passphrase is not None:
            _log.warning(
                "the client certificate is not used for the package index: uv cannot decrypt the "
                "private key in %s; run `openssl pkey -in FILE -out NEW` to write a key without a "
                "passphrase for `network.client-key`",
                identity.key,
            )
            return None
        if identity.key == identity.certificate:
            return str(identity.certificate.absolute())
        try:
            key, certificate = identity.key.read_bytes(), identity.certificate.read_bytes()
        except OSError as error:
            reason = strerror(error)
            _log.warning("the client certificate is not used for the package index: %s", reason)
            return None
        return self._write("client.pem", key.rstrip() + b"\n" + certificate)

    def _write(self, name: str, content: bytes) -> str:
        if self._directory is None:
            if self._parent is None:
                remove_abandoned()
            self._directory = self._stack.enter_context(private_directory(self._parent))
        path = self._directory / name
        path.touch(mode=0o600)
        path.write_bytes(content.rstrip() + b"\n")
        return str(path)


def _with(bundle: Path, environ: Mapping[str, str]) -> bytes:
    """Return the authorities of a bundle, those that uv trusts without it, and the system's."""
    from uv_self_update.network import roots  # noqa: PLC0415 # slow, and rarely needed

    if not roots.of_paths([bundle]):
        _log.warning("%s is not used for the package index: no certificates in it", bundle)
    named = [environ.get(_FILE, ""), *environ.get(_DIRECTORIES, "").split(os.pathsep)]
    if any(named):
        return roots.of_paths([bundle, *(Path(name) for name in named if name)])
    # Mozilla's, as in uv itself, and the system's, which may include a company's own.
    return roots.of_paths([bundle, roots.MOZILLA, *roots.SYSTEM]) + roots.of_windows()
