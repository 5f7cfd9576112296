"""Certificates and keys, as files and as what servers are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

if TYPE_CHECKING:
    from pathlib import Path

    import trustme

__all__ = ("certificate_file", "encrypted", "identity_file", "key_file")


def certificate_file(certificate: trustme.LeafCert, path: Path) -> Path:
    """Write a certificate and those between."""
    path.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    return path


def key_file(certificate: trustme.LeafCert, path: Path, *, passphrase: str | None = None) -> Path:
    """Write a certificate's private key, which a passphrase encrypts."""
    key = certificate.private_key_pem.bytes()
    path.write_bytes(key if passphrase is None else encrypted(key, passphrase))
    return path


def identity_file(
    certificate: trustme.LeafCert, path: Path, *, passphrase: str | None = None
) -> Path:
    """Write a certificate and its private key into one file."""
    key = key_file(certificate, path, passphrase=passphrase).read_bytes()
    path.write_bytes(key + certificate_file(certificate, path).read_bytes())
    return path


def encrypted(key: bytes, passphrase: str, *, pkcs8: bool = True) -> bytes:
    """Encrypt a private key, in one of the two ways that PEM knows."""
    return load_pem_private_key(key, None).private_bytes(
        Encoding.PEM,
        PrivateFormat.PKCS8 if pkcs8 else PrivateFormat.TraditionalOpenSSL,
        BestAvailableEncryption(passphrase.encode()),
    )
