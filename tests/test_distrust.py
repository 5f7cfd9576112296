"""Why TLS has failed, in plain words."""

from __future__ import annotations

import datetime as dt
import ssl
import warnings
from typing import TYPE_CHECKING

import pytest
import trustme

from support import certificates
from support.servers.greeter import Greeter, server_context, talk, written
from support.servers.running import HOST
from uv_self_update.auth.credentials import Credentials
from uv_self_update.config.settings import Network
from uv_self_update.errors import TlsError, Unreachable
from uv_self_update.network.client import Upstream
from uv_self_update.network.tls import Trust
from uv_self_update.network.tls_errors import explained

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Return an authority that nobody knows."""
    return trustme.CA()


@pytest.fixture(scope="module")
def stranger() -> trustme.CA:
    """Return another one."""
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> Path:
    """Return a file with the authority's certificate."""
    return written(authority, tmp_path / "authority.pem")


def failure(
    trust: Trust, server: Greeter, *, host: str = HOST, identified: bool = True
) -> TlsError:
    """Connect to a server, fail, and return what is said about it."""
    with pytest.raises(ssl.SSLError) as caught:
        talk(trust, server, host=host, identified=identified)
    url = f"https://{host}:{server.port}/"
    found = explained(caught.value, url, identified=identified)
    assert found is not None
    assert str(found).startswith(f"failed to connect securely to {url}: ")
    assert found.hint
    assert "_ssl.c" not in str(found)
    return found


def test_unknown_authority(authority: trustme.CA) -> None:
    """An unknown authority is named as that, with what to do, insecurity last."""
    with Greeter(server_context(authority.issue_cert(HOST))).running() as server:
        found = failure(Trust(Network(), environ={}), server)

    assert "is issued by an untrusted authority" in str(found)
    hint = str(found.hint)
    assert hint.index("network.ca-bundle") < hint.index("SSL_CERT_FILE")
    assert hint.index("SSL_CERT_FILE") < hint.index(f"--allow-insecure-host {HOST}")


def test_unknown_authority_in_the_chain(authority: trustme.CA) -> None:
    """The same if the server sends the authority's own certificate as well."""
    certificate = authority.issue_cert(HOST)
    certificate.cert_chain_pems.append(authority.cert_pem)

    with Greeter(server_context(certificate)).running() as server:
        found = failure(Trust(Network(), environ={}), server)

    assert "is issued by an untrusted authority" in str(found)


def test_self_signed(tmp_path: Path) -> None:
    """A certificate that nobody else vouches for is named as that; it can be trusted itself."""
    own = trustme.CA()
    path = tmp_path / "own.pem"
    path.write_bytes(own.private_key_pem.bytes() + own.cert_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)

    with Greeter(context).running() as server:
        found = failure(Trust(Network(), environ={}), server)

    assert "self-signed" in str(found)
    assert "network.ca-bundle" in str(found.hint)


@pytest.mark.parametrize(
    ("days", "reason"), [((-3, -2), "has expired"), ((2, 3), "is not valid yet")]
)
def test_out_of_time(
    days: tuple[int, int], reason: str, authority: trustme.CA, bundle: Path
) -> None:
    """A certificate that is not valid now is named as that, and so is the clock."""
    now = dt.datetime.now(dt.UTC)
    begin, end = (now + dt.timedelta(days=day) for day in days)
    certificate = authority.issue_cert(HOST, not_before=begin, not_after=end)

    with Greeter(server_context(certificate)).running() as server:
        found = failure(Trust(Network(ca_bundle=bundle), environ={}), server)

    assert f"its certificate {reason}" in str(found)
    assert "clock" in str(found.hint)


@pytest.mark.parametrize("host", [HOST, "localhost"])
def test_other_name(host: str, authority: trustme.CA, bundle: Path) -> None:
    """A certificate for somebody else is named as that, for addresses and for names."""
    certificate = authority.issue_cert("mirror.test", "127.0.0.2")

    with Greeter(server_context(certificate)).running() as server:
        found = failure(Trust(Network(ca_bundle=bundle), environ={}), server, host=host)

    assert f"its certificate is for another host than {host}" in str(found)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("identified", [True, False])
def test_certificate_required(
    version: ssl.TLSVersion, authority: trustme.CA, bundle: Path, *, identified: bool
) -> None:
    """A server that wants a client certificate says so, in TLS 1.3 not before it is read from."""
    context = server_context(authority.issue_cert(HOST))
    context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)

    with Greeter(context).running() as server:
        trust = Trust(Network(ca_bundle=bundle), environ={})
        found = failure(trust, server, identified=identified)

    assert "requires a client certificate" in str(found)
    due = "Set `network.client-cert`" if identified else "the target of a redirect"
    assert due in str(found.hint)


@pytest.mark.parametrize("wrong", ["authority", "time"])
def test_certificate_rejected(
    wrong: str, authority: trustme.CA, stranger: trustme.CA, bundle: Path, tmp_path: Path
) -> None:
    """A client certificate that a server does not accept is named, with what it says against it."""
    context = server_context(authority.issue_cert(HOST))
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    if wrong == "authority":
        client = stranger.issue_cert("jo@example.com")
    else:
        past = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
        client = authority.issue_cert("jo@example.com", not_after=past)
    both = certificates.identity_file(client, tmp_path / "client.pem")

    with Greeter(context).running() as server:
        found = failure(Trust(Network(ca_bundle=bundle, client_cert=both), environ={}), server)

    due = {
        "authority": "does not trust the authority of the client certificate",
        "time": "the client certificate has expired, according to the server",
    }
    assert due[wrong] in str(found)


def alert(code: int) -> bytes:
    """Return a fatal alert as a server sends it; RFC 5246 section 7.2."""
    return bytes([21, 3, 3, 0, 2, 2, code])


def server_hello(version: int) -> bytes:
    """Return the first message of a server that knows nothing of RFC 5746; RFC 5246 section 7.4."""
    body = bytes([3, version]) + bytes(32) + b"\0" + b"\xc0\x2f" + b"\0"
    message = b"\x02" + len(body).to_bytes(3) + body
    return b"\x16\x03\x03" + len(message).to_bytes(2) + message


@pytest.mark.parametrize(
    ("raw", "reason", "hint"),
    [
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "the server does not use TLS on this port",
            "start with `http://`",
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "the server does not use TLS on this port", "Check the port"),
        (alert(40), "no common TLS version or cipher", "network.client-cert"),
        (alert(42), "does not accept the client certificate", "network.client-cert"),
        (alert(43), "does not accept the client certificate", "network.client-cert"),
        (alert(44), "has been revoked", "new certificate"),
        (alert(46), "does not accept the client certificate", "network.client-cert"),
        (alert(49), "does not accept the client certificate", "network.client-cert"),
        (alert(70), "too old for the security policy", "TLS 1.2"),
        (alert(71), "too old for the security policy", "TLS 1.2"),
        (alert(80), "TLS error: tlsv1 alert internal error", "port"),
        (alert(112), f"does not know the name {HOST}", "address"),
        (server_hello(1), "too old for the security policy", "TLS 1.2"),
        (server_hello(3), "(unsafe legacy renegotiation disabled)", "TLS 1.2"),
    ],
    ids=lambda value: value.hex()[:24] if isinstance(value, bytes) else "",
)
def test_handshake(raw: bytes, reason: str, hint: str) -> None:
    """What ends a handshake is told in plain words."""
    with Greeter(None, raw=raw).running() as server:
        found = failure(Trust(Network(), environ={}), server)

    assert reason in str(found)
    assert hint in str(found.hint)


def test_old_server(authority: trustme.CA, bundle: Path) -> None:
    """A server that speaks nothing newer than TLS 1.1 is named as that."""
    context = server_context(authority.issue_cert(HOST))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")

    with Greeter(context).running() as server:
        found = failure(Trust(Network(ca_bundle=bundle), environ={}), server)

    assert "too old for the security policy of this machine" in str(found)


def test_closed() -> None:
    """A connection that is merely closed, in the midst of TLS, is no matter of trust."""
    with Greeter(None).running() as server, pytest.raises(ssl.SSLError) as caught:
        talk(Trust(Network(), environ={}), server)

    assert explained(caught.value, "https://h/", identified=True) is None


@pytest.mark.parametrize(
    "error", [ValueError(), ConnectionResetError(104, "reset"), TimeoutError()]
)
def test_other_errors(error: Exception) -> None:
    """What has nothing to do with TLS is none of its failures."""
    assert explained(error, "https://h/", identified=True) is None


def test_garbled() -> None:
    """What was damaged on the way is worth another try."""
    error = ssl.SSLError(1, "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] bad (_ssl.c:1)")

    assert explained(error, "https://h/", identified=True) is None


def test_causes_are_looked_through() -> None:
    """The failure is found below what others have made of it; a circle has an end."""
    inner = ssl.SSLCertVerificationError("failed")
    inner.verify_code = 10
    first, second = OSError("first"), ValueError("second")
    second.__cause__, first.__context__ = first, inner
    inner.__context__ = second

    found = explained(second, "https://jo:secret@[::1]:8443/x?token=secret", identified=True)

    assert "has expired" in str(found)
    assert found is not None
    assert "--allow-insecure-host [::1]" in str(found.hint)
    assert "secret" not in f"{found} {found.hint}"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (0x800B0109, "untrusted authority"),
        (0x800B0101, "has expired or is not valid yet"),
        (0x800B010F, "another host than h"),
        (0x80092010, "revoked"),
        (-67843, "untrusted authority"),
        (-67818, "has expired"),
        (-67602, "another host than h"),
        (-1, "its certificate is not accepted: “h” {ungültig}"),
    ],
)
def test_other_systems(code: int, reason: str) -> None:
    """The numbers of Windows and macOS are known, since their words are in any language."""
    error = ssl.SSLCertVerificationError("“h” {ungültig}")
    error.verify_message, error.verify_code = "“h” {ungültig}", code

    assert reason in str(explained(error, "https://h/", identified=True))


def test_nothing_known() -> None:
    """An error without any facts is still one of a certificate."""
    error = ssl.SSLCertVerificationError("Peer sent no certificates to verify")

    found = explained(error, "https://h/", identified=True)

    assert "its certificate is not accepted: peer sent no certificates to verify" in str(found)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_upstream(version: ssl.TLSVersion, authority: trustme.CA, bundle: Path) -> None:
    """What fails below the client is explained above it, also if it does so while it reads."""
    context = server_context(authority.issue_cert(HOST))
    context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    upstream = Upstream(Network(ca_bundle=bundle), Credentials(), environ={"NO_PROXY": "*"})

    with (
        Greeter(context).running() as server,
        pytest.raises(TlsError, match="requires a client certificate"),
    ):
        upstream.read(f"https://{HOST}:{server.port}/")


def test_upstream_closed() -> None:
    """A server that closes the connection in the midst of TLS is not called untrusted."""
    upstream = Upstream(Network(retries=0), Credentials(), environ={"NO_PROXY": "*"})

    with Greeter(None).running() as server, pytest.raises(Unreachable):
        upstream.read(f"https://{HOST}:{server.port}/")
