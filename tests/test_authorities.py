"""Files of certificate authorities as companies hand them out: damaged, old, odd."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from functools import partial
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from support import certificates
from support.servers.greeter import GREETING, Greeter, talk
from support.servers.running import HOST
from uv_self_update.config.settings import Network
from uv_self_update.network import tls
from uv_self_update.network.authorities import blocks_in
from uv_self_update.network.tls import Trust
from uv_self_update.network.tls_errors import explained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from uv_self_update.network.system_authorities import SystemAuthorities


AUTHORITY = (x509.BasicConstraints(ca=True, path_length=None), True)
LAX = (x509.BasicConstraints(ca=True, path_length=None), False)
SERVER = (x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), False)

GOOD = certificates.odd_authority(AUTHORITY)
OTHER = certificates.pem(certificates.odd_authority(AUTHORITY)[0])
TRUSTED = certificates.pem(GOOD[0])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Greeter]:
    """Serve with a certificate of the good authority."""
    context = certificates.odd_server(GOOD, tmp_path / "server.pem", SERVER)
    with Greeter(context).running() as running:
        yield running


LINES = TRUSTED.count(b"\n")

BUNDLES = {
    "damaged": (OTHER.replace(b"MI", b"M!", 1) + TRUSTED, 1, 1, "invalid base64"),
    "damaged last": (TRUSTED + OTHER.replace(b"MI", b"M!", 1), 2, LINES + 1, "invalid base64"),
    "no certificate": (
        b"# mine\n" + TRUSTED + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        *(2, LINES + 2, "not a certificate"),
    ),
    "cut off": (OTHER[:150] + b"\n" + TRUSTED, 1, 1, "`-----END CERTIFICATE-----` is missing"),
    "cut off last": (TRUSTED + OTHER[:150], 2, LINES + 1, "`-----END CERTIFICATE-----` is missing"),
    "empty": (
        b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n" + TRUSTED,
        *(1, 1, "not a certificate"),
    ),
    "no line break": (OTHER.rstrip() + TRUSTED, 0, 0, ""),
    "byte order mark": (b"\xef\xbb\xbf" + TRUSTED, 0, 0, ""),
    "UTF-16": (TRUSTED.decode().encode("utf-16"), 0, 0, ""),
    "Windows": (TRUSTED.replace(b"\n", b"\r\n"), 0, 0, ""),
    "comments": (b"Subject: \xff\n" + OTHER + b"\n\n# ours\n" + TRUSTED, 0, 0, ""),
    "indented": (TRUSTED.replace(b"\n", b"\n  "), 0, 0, ""),
}


@pytest.mark.parametrize("named", ["network.ca-bundle", "SSL_CERT_FILE", "SSL_CERT_DIR"])
@pytest.mark.parametrize("name", BUNDLES)
def test_what_can_be_read_is_used(
    name: str, named: str, server: Greeter, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The rest of a damaged file is trusted, and each damaged block is named once."""
    content, number, line, reason = BUNDLES[name]
    path = tmp_path / "bundle" / "company.pem"
    path.parent.mkdir()
    path.write_bytes(content)
    network = Network(ca_bundle=path) if named == "network.ca-bundle" else Network()
    value = str(path.parent if named == "SSL_CERT_DIR" else path)
    environ = {} if named == "network.ca-bundle" else {named: value}

    assert talk(Trust(network, environ=environ), server) == GREETING
    said = f"block {number} (line {line}) of {path} is not used: {reason}"
    assert caplog.messages == ([said] if reason else [])


def test_damaged_system_bundle(
    server: Greeter,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The system's own file may be damaged as well."""
    path, named = tmp_path / "system.pem", tmp_path / "named.pem"
    path.write_bytes(OTHER.replace(b"MI", b"M!", 1) + TRUSTED)
    named.write_bytes(OTHER)
    defaults = ssl.get_default_verify_paths()._replace(
        openssl_cafile=str(path), openssl_capath=str(tmp_path / "nowhere")
    )
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: defaults)

    trust = Trust(Network(), environ={"SSL_CERT_FILE": str(named)})
    assert talk(trust, server) == GREETING
    assert "block 1 (line 1)" in caplog.text


ODD = {
    "no extensions": (),
    "only a key identifier": (
        (x509.SubjectKeyIdentifier.from_public_key(GOOD[1].public_key()), False),
    ),
    "basic constraints that are not critical": (LAX,),
    "no key usage": (AUTHORITY,),
}


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", ODD)
def test_odd_authorities(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, strict: bool
) -> None:
    """An authority that uv trusts is trusted, however strict Python's default is.

    The certificate of the server has no identifier of its authority's key.
    """
    if strict:
        monkeypatch.setattr(tls, "_new_context", partial(strictly, tls._new_context))  # noqa: SLF001 # below what it adds
    authority = certificates.odd_authority(*ODD[name])
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(OTHER + certificates.pem(authority[0]) + TRUSTED)
    context = certificates.odd_server(authority, tmp_path / "server.pem", SERVER)

    with Greeter(context).running() as server:
        assert talk(Trust(Network(ca_bundle=bundle), environ={}), server) == GREETING
        with pytest.raises(ssl.SSLCertVerificationError):
            talk(Trust(Network(), environ={}), server)


def strictly(
    make: Callable[[SystemAuthorities | None], ssl.SSLContext], system: SystemAuthorities | None
) -> ssl.SSLContext:
    """Make a context as Python 3.13 does by default."""
    context = make(system)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


SERVERS = {
    "as openssl makes it": (AUTHORITY, SERVER),
    "a server's only": (SERVER,),
}


@pytest.mark.parametrize("name", SERVERS)
def test_self_signed_server(name: str, tmp_path: Path) -> None:
    """A server's own certificate can be trusted, whether it calls itself an authority or not."""
    certificate, key = certificates.odd_authority(*SERVERS[name])
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(certificates.pem(certificate))

    context = certificates.server_of(certificate, key, tmp_path / "server.pem")
    with Greeter(context).running() as server:
        assert talk(Trust(Network(ca_bundle=bundle), environ={}), server) == GREETING


def test_name_in_the_subject_only(tmp_path: Path) -> None:
    """A server whose host stands in its common name alone is accepted, as by curl."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(TRUSTED)
    context = certificates.odd_server(GOOD, tmp_path / "server.pem", host="localhost")

    with Greeter(context).running() as server:
        trust = Trust(Network(ca_bundle=bundle), environ={})
        assert talk(trust, server, host="localhost") == GREETING


@pytest.mark.parametrize("name", ["a server's own", "not an authority"])
def test_no_authority_is_made(name: str, tmp_path: Path) -> None:
    """A certificate that says what it is for does not become an authority."""
    no = x509.BasicConstraints(ca=False, path_length=None)
    issuer = certificates.odd_authority(SERVER if name == "a server's own" else (no, True))
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(certificates.pem(issuer[0]))
    context = certificates.odd_server(issuer, tmp_path / "server.pem", SERVER)

    with Greeter(context).running() as server, pytest.raises(ssl.SSLCertVerificationError):
        talk(Trust(Network(ca_bundle=bundle), environ={}), server)


def test_expired_authority(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An authority that has expired is called that, with its place and its date."""
    authority = certificates.odd_authority(AUTHORITY, days=(-30, -3))
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(TRUSTED + certificates.pem(authority[0]))
    context = certificates.odd_server(authority, tmp_path / "server.pem", SERVER)

    with (
        Greeter(context).running() as server,
        pytest.raises(ssl.SSLCertVerificationError) as caught,
    ):
        talk(Trust(Network(ca_bundle=bundle), environ={}), server)

    found = explained(caught.value, "https://h/", identified=False)
    day = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=3)
    assert "or that of its authority, has expired" in str(found)
    assert f"block 2 (line {LINES + 1}) of {bundle}, on {day}" in str(found and found.hint)
    assert not caplog.messages


@pytest.mark.parametrize("year", [1990, 2049, 2050, 2100])
def test_end_of_validity(year: int) -> None:
    """The end is read in both of the ways that it is written."""
    now = dt.datetime.now(dt.UTC)
    days = (dt.datetime(year, 6, 1, tzinfo=dt.UTC) - now).days
    certificate = certificates.odd_authority(AUTHORITY, days=(-20_000, days))[0]

    (block,) = blocks_in(certificates.pem(certificate))

    assert block.until == certificate.not_valid_after_utc


@given(st.binary(max_size=200), st.integers(0, 700))
def test_any_bytes(junk: bytes, place: int) -> None:
    """Whatever a file holds, it is read without an error."""
    for content in (junk, TRUSTED[:place] + junk + TRUSTED[place:]):
        for block in blocks_in(content):
            assert bool(block.reason) != bool(block.der)
            assert block.as_authority != b""
            assert block.until is None or block.der
