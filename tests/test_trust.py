"""Whom we trust, and who we say we are."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest
import trustme

from support import certificates
from support.missing import missing
from support.servers.greeter import GREETING, Greeter, server_context, talk, written
from support.servers.running import HOST
from uv_self_update.config.settings import Network
from uv_self_update.errors import TlsError
from uv_self_update.network import system_authorities
from uv_self_update.network.client_certificate import needs_passphrase
from uv_self_update.network.tls import Trust
from uv_self_update.redaction import Secret
from uv_self_update.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSPHRASE = "correct horse"  # noqa: S105 # of keys that nobody uses
_TIMEOUT = 30  # seconds; nothing is meant to take that long


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


@pytest.fixture
def server(authority: trustme.CA) -> Iterator[Greeter]:
    """Serve with a certificate of the authority, and look at those of clients."""
    context = server_context(authority.issue_cert(HOST))
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    with Greeter(context).running() as running:
        yield running


@pytest.fixture
def client(authority: trustme.CA) -> trustme.LeafCert:
    """Return a client's certificate."""
    return authority.issue_cert("jo@example.com", common_name="jo")


# --- whom we trust


@pytest.mark.parametrize(
    "named",
    [
        "network.ca-bundle",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "CURL_CA_BUNDLE",
        "REQUESTS_CA_BUNDLE",
        "REQUESTS_CA_BUNDLE/",
    ],
)
def test_trusted(named: str, server: Greeter, bundle: Path) -> None:
    """An authority is trusted wherever a person may have named it."""
    network, environ = Network(), {}
    if named == "network.ca-bundle":
        network = Network(ca_bundle=bundle)
    elif named in {"SSL_CERT_DIR", "REQUESTS_CA_BUNDLE/"}:
        environ[named.rstrip("/")] = str(bundle.parent)
    else:
        environ[named] = str(bundle)

    assert talk(Trust(network, environ=environ), server) == GREETING


def test_not_trusted(server: Greeter) -> None:
    """What the person has not named is not trusted."""
    with pytest.raises(ssl.SSLCertVerificationError):
        talk(Trust(Network(), environ={}), server)


def test_folders(
    server: Greeter,
    bundle: Path,
    stranger: trustme.CA,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Several folders are searched, whatever is in them, and whatever its name."""
    first, second = tmp_path / "first", tmp_path / "second"
    (first / "folder").mkdir(parents=True)
    second.mkdir()
    written(stranger, first / "stranger.pem")
    (first / "README").write_text("nothing")
    (first / "binary.cer").write_bytes(b"\x30\x82\x00")
    (first / "gone.pem").symlink_to(tmp_path / "gone")
    bundle.rename(second / "ü company")
    value = os.pathsep.join([str(first), "", str(second)])

    assert talk(Trust(Network(), environ={"SSL_CERT_DIR": value}), server) == GREETING
    assert not caplog.messages


def test_authority_between(authority: trustme.CA, tmp_path: Path) -> None:
    """Who trusts an authority in between need not have the one above it."""
    between = authority.create_child_ca()
    bundle = written(between, tmp_path / "between.pem")

    with Greeter(server_context(between.issue_cert(HOST))).running() as server:
        assert talk(Trust(Network(ca_bundle=bundle), environ={}), server) == GREETING


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", None])
@pytest.mark.parametrize("kind", ["file", "folder", "elsewhere"])
def test_system_stays(
    variable: str | None,
    kind: str,
    server: Greeter,
    bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A variable adds to what the system trusts, though OpenSSL would replace that by it.

    The system may also keep its bundle elsewhere than Python's OpenSSL was built for.
    """
    other = tmp_path / "other"
    other.mkdir()
    named = written(trustme.CA(), other / "stranger.pem")
    system = tmp_path / "system"
    system.mkdir()
    bundle.rename(system / f"{hash_of(bundle)}.0")
    nowhere = str(tmp_path / "nowhere")
    defaults = ssl.get_default_verify_paths()._replace(
        openssl_cafile=str(next(system.iterdir())) if kind == "file" else nowhere,
        openssl_capath=str(system) if kind == "folder" else nowhere,
    )
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: defaults)
    if kind == "elsewhere":
        monkeypatch.setattr(system_authorities, "_BUNDLES", (nowhere, str(next(system.iterdir()))))
    value = str(named if variable == "SSL_CERT_FILE" else other)
    environ = {} if variable is None else {variable: value}

    assert talk(Trust(Network(), environ=environ), server) == GREETING


@pytest.mark.parametrize("added", [False, True])
def test_bundle_beside_a_directory(
    server: Greeter,
    bundle: Path,
    stranger: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    added: bool,
) -> None:
    """A system's bundle is read only if it has more authorities than the hashed directory."""
    system = tmp_path / "system"
    system.mkdir()
    other = written(stranger, tmp_path / "stranger.pem")
    (system / f"{hash_of(other)}.0").write_bytes(other.read_bytes())
    bundle.write_bytes(bundle.read_bytes() + other.read_bytes() * added)
    defaults = ssl.get_default_verify_paths()._replace(
        openssl_cafile=str(bundle), openssl_capath=str(system)
    )
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: defaults)
    trust = Trust(Network(), environ={})

    if added:
        assert talk(trust, server) == GREETING
    else:
        with pytest.raises(ssl.SSLCertVerificationError):
            talk(trust, server)


def test_one_context_for_many(
    server: Greeter, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The authorities are read once, however many connections are made."""
    read: list[ssl.SSLContext] = []
    monkeypatch.setattr(system_authorities, "load", lambda context, _: read.append(context))
    trust = Trust(Network(ca_bundle=bundle), environ={})

    assert [talk(trust, server) for _ in range(3)] == [GREETING] * 3
    assert read == [trust.context_for(Url.parse(f"https://{HOST}/"), identified=True)]


def hash_of(bundle: Path) -> str:
    """Return the name that OpenSSL looks for an authority's certificate by."""
    openssl = shutil.which("openssl") or missing("openssl is not installed")
    command = [openssl, "x509", "-noout", "-hash", "-in", str(bundle)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize(
    "variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"]
)
@pytest.mark.parametrize("content", [None, b"", b"nothing", "empty folder"])
def test_broken_variable(
    variable: str,
    content: bytes | str | None,
    server: Greeter,
    bundle: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A variable that names nothing of use is warned of, and the rest is trusted all the same."""
    path = tmp_path / "broken"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "empty folder":
        path.mkdir()
    trust = Trust(Network(ca_bundle=bundle), environ={variable: str(path)})

    assert talk(trust, server) == GREETING
    (message,) = caplog.messages
    assert message.startswith(f"{variable} is not used: {path}: ")


@pytest.mark.parametrize("content", [None, b"", b"\x30\x82\x00"])
def test_broken_bundle(content: bytes | None, tmp_path: Path) -> None:
    """What our own configuration names has to work; until it is needed, nobody looks."""
    path = tmp_path / "broken"
    if content is not None:
        path.write_bytes(content)
    trust = Trust(Network(ca_bundle=path), environ={})

    with pytest.raises(TlsError, match=rf"`network.ca-bundle` \({path}\) cannot be used") as caught:
        trust.context_for(Url.parse("https://jo:secret@h/"), identified=False)
    assert "secret" not in str(caught.value)
    assert "openssl x509" in str(caught.value.hint)


def test_shared(client: trustme.LeafCert, tmp_path: Path) -> None:
    """Equal demands get the same context, in whatever thread, and no others do."""
    both = certificates.identity_file(client, tmp_path / "client.pem")
    trust = Trust(Network(client_cert=both, insecure_hosts=("x",)), environ={})
    barrier = threading.Barrier(8)
    found: list[ssl.SSLContext] = []

    def take(number: int) -> None:
        barrier.wait(_TIMEOUT)
        found.append(trust.context_for(Url.parse(f"https://h{number}/"), identified=True))

    threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    others = [trust.context_for(Url.parse("https://h/"), identified=False)]
    others += [trust.context_for(Url.parse("https://x/"), identified=one) for one in (True, False)]
    assert len(found) == 8
    assert len({id(context) for context in found}) == 1
    assert len({id(context) for context in (*others, found[0])}) == 4


def test_shared_without_identity() -> None:
    """Without a client certificate it makes no difference whether it may be presented."""
    trust = Trust(Network(), environ={})

    url = Url.parse("https://h/")
    first, second = (trust.context_for(url, identified=one) for one in (True, False))

    assert first is second


# --- who we say we are


@pytest.mark.parametrize("files", ["two", "one", "encrypted", "traditional", "SSL_CLIENT_CERT"])
def test_client_certificate(
    files: str, server: Greeter, bundle: Path, client: trustme.LeafCert, tmp_path: Path
) -> None:
    """A client certificate is presented where it may be, and nowhere else."""
    network, environ = Network(ca_bundle=bundle), {}
    path, key = tmp_path / "client.pem", tmp_path / "client.key"
    if files == "SSL_CLIENT_CERT":
        environ[files] = str(certificates.identity_file(client, path))
    elif files == "one":
        network = Network(ca_bundle=bundle, client_cert=certificates.identity_file(client, path))
    else:
        certificates.certificate_file(client, path)
        certificates.key_file(client, key)
        if files != "two":
            text = key.read_bytes()
            pkcs8 = files == "encrypted"
            key.write_bytes(certificates.encrypted(text, PASSPHRASE, pkcs8=pkcs8))
        network = Network(
            ca_bundle=bundle, client_cert=path, client_key=key, passphrase=Secret(PASSPHRASE)
        )
    trust = Trust(network, environ=environ)

    talk(trust, server, identified=True)
    talk(trust, server, identified=False)

    assert server.subjects == ["jo", None]


def unusable_identities(
    client: trustme.LeafCert, other: trustme.LeafCert, folder: Path
) -> dict[str, tuple[Network, str, str]]:
    """Return what cannot be used by what is wrong, with a part of the reason and of the hint."""
    path = certificates.certificate_file(client, folder / "client.pem")
    key = certificates.key_file(client, folder / "client.key")
    locked = certificates.key_file(client, folder / "locked.key", passphrase=PASSPHRASE)
    strange = certificates.key_file(other, folder / "strange.key")
    text = folder / "text"
    text.write_text("nothing")
    damaged = folder / "damaged.key"
    damaged.write_bytes(key.read_bytes().replace(b"M", b"N"))
    gone = folder / "gone"
    reason = "cannot be decrypted with this passphrase"
    variable = "UV_SELF_UPDATE_CLIENT_KEY_PASSPHRASE"
    return {
        "no certificate": (
            Network(client_cert=text, client_key=key),
            f"{text} contains no PEM certificate",
            "openssl pkcs12",
        ),
        "no key": (
            Network(client_cert=path, client_key=text),
            f"{text} contains no PEM private key",
            "openssl pkcs12",
        ),
        "no key beside": (
            Network(client_cert=path),
            f"{path} contains no PEM private key",
            "network.client-key",
        ),
        "gone": (Network(client_cert=gone), f"{gone} cannot be read: No such file", "path"),
        "key gone": (Network(client_cert=path, client_key=gone), f"{gone} cannot be read", "path"),
        "strange key": (
            Network(client_cert=path, client_key=strange),
            f"the private key in {strange} does not match the certificate in {path}",
            "first in its file",
        ),
        "damaged key": (
            Network(client_cert=path, client_key=damaged),
            f"cannot be used with the private key in {damaged}",
            "new certificate and key",
        ),
        "no passphrase": (
            Network(client_cert=path, client_key=locked),
            f"the private key in {locked} is encrypted",
            variable,
        ),
        "wrong passphrase": (
            Network(client_cert=path, client_key=locked, passphrase=Secret("guess-4711")),
            f"{locked} {reason}",
            variable,
        ),
        "long passphrase": (
            Network(client_cert=path, client_key=locked, passphrase=Secret("long" * 1000)),
            f"{locked} {reason}",
            variable,
        ),
    }


@pytest.mark.parametrize(
    "wrong",
    [
        "no certificate",
        "no key",
        "no key beside",
        "gone",
        "key gone",
        "strange key",
        "damaged key",
        "no passphrase",
        "wrong passphrase",
        "long passphrase",
    ],
)
def test_unusable_identity(
    wrong: str, client: trustme.LeafCert, stranger: trustme.CA, tmp_path: Path
) -> None:
    """An identity that cannot be used is an error with the file and the fix, and no secret."""
    other = stranger.issue_cert("x@example.com")
    network, reason, hint = unusable_identities(client, other, tmp_path)[wrong]

    with pytest.raises(TlsError) as caught:
        Trust(network, environ={}).context_for(Url.parse("https://h/"), identified=True)

    assert str(caught.value).startswith("failed to connect securely to https://h/: ")
    assert reason in str(caught.value)
    assert hint in str(caught.value.hint)
    if network.passphrase is not None:
        assert network.passphrase.reveal() not in f"{caught.value!r} {caught.value.__cause__!r}"
    # Who is not to be identified does not need it.
    Trust(network, environ={}).context_for(Url.parse("https://h/"), identified=False)


@pytest.mark.parametrize("wrong", ["gone", "encrypted"])
def test_unusable_variable(
    wrong: str,
    server: Greeter,
    bundle: Path,
    client: trustme.LeafCert,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What uv's variable names is warned of, as uv does, and then left out."""
    path = tmp_path / "client.pem"
    if wrong == "encrypted":
        certificates.identity_file(client, path, passphrase=PASSPHRASE)
    trust = Trust(Network(ca_bundle=bundle), environ={"SSL_CLIENT_CERT": str(path)})

    assert talk(trust, server) == GREETING
    assert server.subjects == [None]
    (message,) = caplog.messages
    assert message.startswith("SSL_CLIENT_CERT is not used: ")
    assert str(path) in message


@pytest.mark.parametrize("pkcs8", [True, False])
@pytest.mark.parametrize("named", ["client-cert", "client-key", "SSL_CLIENT_CERT"])
def test_needs_passphrase(
    named: str, client: trustme.LeafCert, tmp_path: Path, *, pkcs8: bool
) -> None:
    """A passphrase is asked for if the key is encrypted, and only then, and only if it is used."""
    key, path = tmp_path / "client.key", tmp_path / "client.pem"
    certificates.certificate_file(client, path)
    plain = client.private_key_pem.bytes()
    key.write_bytes(certificates.encrypted(plain, PASSPHRASE, pkcs8=pkcs8))
    networks = {
        "client-cert": Network(client_cert=key),
        "client-key": Network(client_cert=path, client_key=key),
        "SSL_CLIENT_CERT": Network(),
    }
    network = networks[named]
    environ = {named: str(key)} if named == "SSL_CLIENT_CERT" else {}

    assert needs_passphrase(network, environ) == key
    # Our own setting counts before uv's variable.
    assert needs_passphrase(Network(client_cert=path), environ) is None
    given = Network(client_cert=path, client_key=key, passphrase=Secret(PASSPHRASE))
    assert needs_passphrase(given, environ) is None
    key.write_bytes(plain)
    assert needs_passphrase(network, environ) is None
    key.unlink()
    assert needs_passphrase(network, environ) is None


def test_needs_no_passphrase() -> None:
    """Without a client certificate there is nothing to ask for."""
    assert needs_passphrase(Network(), {"SSL_CLIENT_CERT": ""}) is None


# --- whose certificates are not checked


@pytest.mark.parametrize(
    ("entry", "covered", "checked"),
    [
        (
            "Files.Example.com",
            [
                "https://files.example.com/",
                "https://FILES.example.com:8443/x",
                "https://u:p@files.example.com",
            ],
            [
                "https://a.files.example.com/",
                "https://example.com/",
                "https://files.example.com.evil.test/",
            ],
        ),
        ("h:8443", ["https://h:8443/"], ["https://h/", "https://h:443/", "https://8443/"]),
        ("h:443", ["https://h/", "https://h:443/"], ["https://h:8443/"]),
        ("https://h", ["https://h/", "https://h:8443/"], ["https://i/"]),
        ("HTTPS://H:8443/", ["https://h:8443/"], ["https://h/"]),
        ("http://h", [], ["https://h/"]),
        ("[::1]", ["https://[::1]/", "https://[::1]:8443/"], ["https://[::2]/"]),
        ("[::1]:8443", ["https://[::1]:8443/"], ["https://[::1]/"]),
    ],
)
def test_insecure_host(
    entry: str, covered: list[str], checked: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A certificate is left unchecked for exactly the host that was named, with a warning."""
    for url in covered:
        trust = Trust(Network(insecure_hosts=(entry,)), environ={})
        context = trust.context_for(Url.parse(url), identified=True)
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)
        (message,) = caplog.messages
        assert "is not verified, because of --allow-insecure-host" in message
        caplog.clear()
    trust = Trust(Network(insecure_hosts=(entry,)), environ={})
    for url in checked:
        context = trust.context_for(Url.parse(url), identified=True)
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert not caplog.messages


@pytest.mark.parametrize(
    "entry",
    ["*", "*.example.com", "https://*", "::1", "h:port", "", "https://", "h/path", "jo:secret@h"],
)
def test_unusable_entry(entry: str, caplog: pytest.LogCaptureFixture) -> None:
    """An entry that names no host exempts nobody, and that is said once."""
    trust = Trust(Network(insecure_hosts=(entry,)), environ={})

    for url in ("https://h/", "https://[::1]/", "https://a.example.com/"):
        assert trust.context_for(Url.parse(url), identified=False).verify_mode == ssl.CERT_REQUIRED

    (message,) = caplog.messages
    assert "in --allow-insecure-host is not used: " in message
    assert "secret" not in message


def test_insecure_server(
    server: Greeter, client: trustme.LeafCert, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A server is let in unchecked, and told who we are; another one is checked, as always."""
    both = certificates.identity_file(client, tmp_path / "client.pem")
    trust = Trust(Network(client_cert=both, insecure_hosts=("localhost",)), environ={})

    assert talk(trust, server, host="localhost") == GREETING
    assert talk(trust, server, host="localhost") == GREETING
    assert server.subjects == ["jo", "jo"]
    with pytest.raises(ssl.SSLCertVerificationError):
        talk(trust, server, host=HOST)

    (message,) = caplog.messages
    assert "certificate of localhost is not verified" in message


def test_insecure_origins(caplog: pytest.LogCaptureFixture) -> None:
    """The warning says who has exempted the host."""
    trust = Trust(
        Network(insecure_hosts=("option", "variable")),
        environ={"UV_INSECURE_HOST": "variable other"},
        insecure=("file",),
    )

    for host in ("option", "variable", "file"):
        trust.context_for(Url.parse(f"https://{host}/"), identified=False)

    assert [
        message.split(": ")[0].rpartition(" because of ")[2] for message in caplog.messages
    ] == [
        "--allow-insecure-host",
        "UV_INSECURE_HOST",
        "`allow-insecure-host` in uv.toml",
    ]
