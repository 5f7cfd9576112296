"""The certificate authority of one run of `exec`."""

from __future__ import annotations

import datetime as dt
import os
import ssl
import tempfile
import weakref
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from uv_self_update.gateway.authority import Authority, Issuer, server_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def shaken(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> None:
    """Let a client and a server shake hands in memory; raises if the client does not trust it."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    served = server.wrap_bio(to_server, to_client, server_side=True)
    asking = client.wrap_bio(to_client, to_server, server_hostname=name)
    for _ in range(3):
        for end in (asking, served):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue


@pytest.mark.parametrize("host", ["github.com", "127.0.0.1", "::1"])
def test_servers_are_trusted(host: str) -> None:
    """Each host is trusted by its own name, by the strictest rules, and by no other name."""
    made = Authority([host, "ghe.example"])
    client = ssl.create_default_context(cadata=made.certificate.decode())
    client.verify_flags |= ssl.VERIFY_X509_STRICT

    shaken(made.contexts[host], client, host)
    shaken(made.contexts["ghe.example"], client, "ghe.example")
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken(made.contexts["ghe.example"], client, host)


@pytest.mark.parametrize("hosts", [["github.com"], ["127.0.0.1"], ["github.com", "127.0.0.1"]])
@pytest.mark.parametrize("other", ["pkg.example", "10.0.0.1", "notgithub.com"])
def test_authority_is_limited(hosts: list[str], other: str) -> None:
    """Even with its key, no other host could be impersonated."""
    issuer = Issuer.limited_to(hosts)
    pem = issuer.certificate.public_bytes(Encoding.PEM).decode()
    client = ssl.create_default_context(cadata=pem)
    limits = issuer.certificate.extensions.get_extension_for_class(x509.NameConstraints)

    assert limits.critical
    shaken(server_of(hosts[0], issuer), client, hosts[0])
    with pytest.raises(ssl.SSLCertVerificationError, match="subtree violation"):
        shaken(server_of(other, issuer), client, other)


def test_key_is_never_readable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What OpenSSL reads is encrypted, private, and gone; the authority's key is in no file."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen: list[tuple[int, bytes]] = []
    passphrases: set[str] = set()
    load = ssl.SSLContext.load_cert_chain

    def watched(self: ssl.SSLContext, file: Path, *, password: str) -> None:
        seen.append((file.stat().st_mode & 0o777, file.read_bytes()))
        passphrases.add(password)
        load(self, file, password=password)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", watched)
    Authority(["github.com", "ghe.example"])

    private = 0o666 if os.name == "nt" else 0o600  # a mode says nothing there
    assert [mode for mode, _ in seen] == [private, private]
    assert len(passphrases) == 2
    for _, content in seen:
        assert content.count(b"PRIVATE KEY-----") == 2
        with pytest.raises(TypeError, match="encrypted"):
            load_pem_private_key(content, None)
    assert [*tmp_path.iterdir()] == []


def test_key_of_the_authority_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the hosts have their certificates, nothing holds the key that has signed them."""
    issuers: list[weakref.ref[Issuer]] = []
    limited_to = Issuer.limited_to

    def watched(hosts: Iterable[str]) -> Issuer:
        issuer = limited_to(hosts)
        issuers.append(weakref.ref(issuer))
        return issuer

    monkeypatch.setattr(Issuer, "limited_to", watched)
    made = Authority(["github.com", "ghe.example"])

    assert [issuer() for issuer in issuers] == [None]
    assert made.contexts.keys() == {"github.com", "ghe.example"}


def test_every_run_has_its_own() -> None:
    """Two authorities have nothing in common, and neither is valid for long."""
    one, other = (Authority(["github.com"]).certificate for _ in range(2))
    first, second = map(x509.load_pem_x509_certificate, (one, other))

    assert first.public_key() != second.public_key()
    assert first.serial_number != second.serial_number
    assert first.not_valid_after_utc < dt.datetime.now(dt.UTC) + dt.timedelta(days=31)
