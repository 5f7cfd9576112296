"""Certificates and keys, as files and as what servers are."""

from __future__ import annotations

import datetime as dt
import ssl
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import trustme


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


def odd_authority(
    *extensions: tuple[x509.ExtensionType, bool], days: tuple[int, int] = (-10, 1000)
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Return the certificate and the key of an authority with exactly these extensions.

    Args:
        extensions: Each with whether it is critical.
        days: When it begins and ends to be valid, from now.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"authority {x509.random_serial_number()}")
    return _signed(name, name, key, key, extensions, days), key


def odd_server(
    issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey],
    path: Path,
    *extensions: tuple[x509.ExtensionType, bool],
    host: str | None = None,
) -> ssl.SSLContext:
    """Return a server whose certificate has exactly these extensions, and a name or none."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _signed(
        _name(host or "server"), issuer[0].subject, key, issuer[1], extensions, (-1, 30)
    )
    return server_of(certificate, key, path)


def server_of(
    certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, path: Path
) -> ssl.SSLContext:
    """Return a server that presents a certificate."""
    path.write_bytes(
        pem(certificate) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate as a file has it."""
    return certificate.public_bytes(Encoding.PEM)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _signed(  # what a certificate is made of
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    extensions: Iterable[tuple[x509.ExtensionType, bool]],
    days: tuple[int, int],
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    begin, end = (now + dt.timedelta(days=day) for day in days)
    builder = x509.CertificateBuilder(
        issuer, subject, key.public_key(), x509.random_serial_number(), begin, end
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, hashes.SHA256())
