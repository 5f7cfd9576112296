"""The certificate authority of one run, which uv trusts for the hosts of configured repositories.

Its private key signs one certificate for each host, and is then forgotten: nothing can be signed
later, whatever reads this process. The keys of the hosts are in memory. OpenSSL reads them from a
file for an instant, encrypted with a passphrase that is never written.

To be imported only where `cryptography` is installed, which is an extra.
"""

from __future__ import annotations

import datetime as dt
import os
import ssl
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from uv_self_update.temporary import private_directory
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_BEGUN = dt.timedelta(hours=1)
"""Before now: a clock may be set back while the command runs."""

_VALID = dt.timedelta(days=30)
_PASSPHRASE = 32  # random bytes
_EVERY_ADDRESS = ("0.0.0.0/0", "::/0")
_NO_NAME = "uv-self-update.invalid"


class Authority:
    """An authority, and the servers that it vouches for."""

    def __init__(self, hosts: Iterable[str]) -> None:
        """Make keys and certificates.

        Args:
            hosts: Names and addresses, without ports; that of IPv6 without brackets.

        Raises:
            OSError: There is no place for temporary files.
        """
        names = sorted(set(hosts))
        issuer = Issuer.limited_to(names)
        self.certificate = issuer.certificate.public_bytes(Encoding.PEM)
        """In PEM."""

        self.contexts: Mapping[str, ssl.SSLContext] = {
            name: server_of(name, issuer) for name in names
        }
        """How to be each host."""


@frozen
class Issuer:
    """A certificate that others are signed with, and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def limited_to(cls, hosts: Iterable[str]) -> Issuer:
        """Make an authority that cannot vouch for any host but these."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _named("uv-self-update exec, for one run")
        builder = (
            _builder(key.public_key(), subject=name, issuer=name)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(_constraints(hosts), critical=True)
        )
        return cls(certificate=builder.sign(key, hashes.SHA256()), key=key)


def server_of(host: str, issuer: Issuer) -> ssl.SSLContext:
    """Return the server of a host, with a certificate and a key of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    known_as = issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    certificate = (
        _builder(
            key.public_key(),
            subject=_named("uv-self-update exec"),
            issuer=issuer.certificate.subject,
        )
        .add_extension(x509.SubjectAlternativeName([_general_name(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known_as.value),
            critical=False,
        )
        .sign(issuer.key, hashes.SHA256())
    )
    passphrase = os.urandom(_PASSPHRASE).hex()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # uv would take h2, which h11 does not speak.
    context.set_alpn_protocols(["http/1.1"])
    with private_directory() as place:
        file = place / "server.pem"
        file.touch(mode=0o600)
        file.write_bytes(
            certificate.public_bytes(Encoding.PEM)
            + key.private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode())
            )
        )
        context.load_cert_chain(file, password=passphrase)
    return context


def _builder(
    key: ec.EllipticCurvePublicKey, *, subject: x509.Name, issuer: x509.Name
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    begin, end = now - _BEGUN, now + _VALID
    return x509.CertificateBuilder(
        issuer, subject, key, x509.random_serial_number(), begin, end
    ).add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _constraints(hosts: Iterable[str]) -> x509.NameConstraints:
    """Return the limits of the authority (RFC 5280 section 4.2.1.10): these hosts, and no other.

    A kind of name without a limit would be unlimited.
    """
    permitted: list[x509.GeneralName] = []
    for host in hosts:
        try:
            permitted.append(x509.IPAddress(ip_network(host)))
        except ValueError:
            permitted.append(x509.DNSName(host))
    excluded: list[x509.GeneralName] = []
    if not any(isinstance(name, x509.IPAddress) for name in permitted):
        excluded = [x509.IPAddress(ip_network(network)) for network in _EVERY_ADDRESS]
    if not any(isinstance(name, x509.DNSName) for name in permitted):
        permitted.append(x509.DNSName(_NO_NAME))
    return x509.NameConstraints(permitted, excluded or None)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
