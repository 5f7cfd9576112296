"""A real uv, updated from an nginx behind TLS: whom it is let in by, and what it is told of us."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import trustme

from support import binaries, certificates, mirrors
from support.servers import tls
from support.servers.running import HOST

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from support.homes import Done, Home

pytestmark = pytest.mark.system

LOGIN = ("jo", "a/b@c%")
PASSPHRASE = "correct horse"  # noqa: S105 # of keys that nobody uses
SUBJECT = "CN=jo,"
"""How the client certificate's subject begins."""


@dataclass(frozen=True, kw_only=True)
class Mirror:
    """A folder with the newest uv, and an authority that nobody knows but who is told of it."""

    authority: trustme.CA
    folder: Path

    @property
    def bundle(self) -> Path:
        """A file with the authority's certificate, in a folder of its own."""
        return self.folder / "certificates" / "company.pem"

    def serve(
        self,
        name: str = "asked",
        *,
        asks: tls.Asks = "off",
        login: tuple[str, str] | None = None,
        files_at: str | None = None,
    ) -> AbstractContextManager[str]:
        """Serve it; see `tls.nginx`."""
        share, log = self.folder / "share", self.folder / f"{name}.log"
        return tls.nginx(share, self.authority, log, asks=asks, login=login, files_at=files_at)

    def seen(self, name: str = "asked") -> set[tuple[str, str]]:
        """Return what a server was asked that has ended; see `tls.seen`."""
        return tls.seen(self.folder / f"{name}.log")

    def client(self, name: str = "client.pem", *, passphrase: str | None = None) -> Path:
        """Return a file with a client's certificate and its key."""
        certificate = self.authority.issue_cert("jo@example.com", common_name="jo")
        path = self.folder / name
        return certificates.identity_file(certificate, path, passphrase=passphrase)


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    """Return a mirror, not served yet."""
    found = Mirror(authority=trustme.CA(), folder=tmp_path / "mirror")
    found.bundle.parent.mkdir(parents=True)
    found.authority.cert_pem.write_to_path(str(found.bundle))
    version = binaries.newest()
    files = found.folder / "share" / version
    files.mkdir(parents=True)
    archive = binaries.archive(version)
    (files / archive.name).symlink_to(archive)
    (files / "uv-installer.sh").write_bytes(mirrors.installer(version))
    return found


@pytest.fixture
def old(home: Home) -> Home:
    """Return a home with the uv that is to be updated."""
    home.install(binaries.newest_but_one())
    return home


def update(home: Home, url: str, *arguments: str) -> Done:
    """Update uv, and see that it is the newest."""
    before = home.rest()

    done = home.run("--source", f"listing+{url}", *arguments)

    assert done.code == 0, done.err
    assert home.version() == home.receipt_version() == binaries.newest()
    assert home.rest() == before
    return done


def refused(home: Home, url: str, *arguments: str) -> Done:
    """Try to update uv, and see that nothing has changed."""
    before = home.snapshot()

    done = home.run("--source", f"listing+{url}", *arguments)

    assert done.code != 0
    assert home.snapshot() == before
    assert home.version() == binaries.newest_but_one()
    return done


def configure(home: Home, **network: Path) -> None:
    """Write `[network]` into the user's file."""
    lines = [f'{key.replace("_", "-")} = "{value}"' for key, value in network.items()]
    home.configure("\n".join(["[network]", *lines, ""]))


@pytest.mark.parametrize("named", ["ca-bundle", "SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_private_authority(named: str, old: Home, mirror: Mirror) -> None:
    """The company's own authority is trusted wherever it is named."""
    if named == "ca-bundle":
        configure(old, ca_bundle=mirror.bundle)
    else:
        old.environ[named] = str(
            mirror.bundle if named == "SSL_CERT_FILE" else mirror.bundle.parent
        )

    with mirror.serve() as url:
        update(old, url)

    assert mirror.seen() == {("folder", "-"), ("file", "-")}


def test_untrusted(old: Home, mirror: Mirror) -> None:
    """Nothing is read from a server that is not trusted; host, reason and fix are named."""
    with mirror.serve() as url:
        done = refused(old, url)

    assert f"failed to connect securely to {url}" in done.err
    assert "its certificate is issued by an untrusted authority" in done.err
    assert "network.ca-bundle" in done.err
    assert f"--allow-insecure-host {HOST}" in done.err
    assert mirror.seen() == set()


@pytest.mark.parametrize("named", ["--allow-insecure-host", "UV_INSECURE_HOST", "uv.toml"])
def test_insecure_host(named: str, old: Home, mirror: Mirror) -> None:
    """A host is let in unchecked if it is named, with a warning that says by what."""
    arguments = [named, HOST] if named.startswith("--") else []
    if named == "uv.toml":
        (old.receipt.parent / named).write_text(f'allow-insecure-host = ["{HOST}"]\n')
    elif not arguments:
        old.environ[named] = HOST

    with mirror.serve() as url:
        done = update(old, url, *arguments)

    warnings = [line for line in done.err.splitlines() if "is not verified" in line]
    assert len(warnings) == 1, done.err
    assert f"warning: the certificate of {HOST} is not verified" in warnings[0]
    assert named in warnings[0]


def test_another_insecure_host(old: Home, mirror: Mirror) -> None:
    """What is named lets in nobody else."""
    with mirror.serve() as url:
        done = refused(old, url, "--allow-insecure-host", "localhost")

    assert "untrusted authority" in done.err


@pytest.mark.parametrize("files", ["two", "one", "encrypted", "SSL_CLIENT_CERT"])
def test_client_certificate(files: str, old: Home, mirror: Mirror) -> None:
    """A server that demands a client certificate gets it, however it is configured."""
    path = mirror.client(passphrase=PASSPHRASE if files == "encrypted" else None)
    network = {"ca_bundle": mirror.bundle}
    match files:
        case "SSL_CLIENT_CERT":
            old.environ[files] = str(path)
        case "two":
            key = path.with_suffix(".key")
            text = path.read_bytes()
            begin = text.index(b"-----BEGIN CERTIFICATE-----")
            key.write_bytes(text[:begin])
            path.write_bytes(text[begin:])
            network |= {"client_cert": path, "client_key": key}
        case "encrypted":
            network["client_cert"] = path
            old.environ["UV_SELF_UPDATE_CLIENT_KEY_PASSPHRASE"] = PASSPHRASE
        case _:
            network["client_cert"] = path
    configure(old, **network)

    with mirror.serve(asks="on") as url:
        done = update(old, url, "-v")

    assert PASSPHRASE not in done.err
    assert {(kind, subject.startswith(SUBJECT)) for kind, subject in mirror.seen()} == {
        ("folder", True),
        ("file", True),
    }


def test_no_client_certificate(old: Home, mirror: Mirror) -> None:
    """Without one, what the server answers is told, and what may be meant by that."""
    configure(old, ca_bundle=mirror.bundle)

    with mirror.serve(asks="on") as url:
        done = refused(old, url)

    assert "answered 400" in done.err
    assert "network.client-cert" in done.err


def test_strange_client_certificate(old: Home, mirror: Mirror) -> None:
    """The same with one that the server does not accept."""
    path = mirror.folder / "strange.pem"
    certificates.identity_file(trustme.CA().issue_cert("jo@example.com"), path)
    configure(old, ca_bundle=mirror.bundle, client_cert=path)

    with mirror.serve(asks="on") as url:
        done = refused(old, url)

    assert "answered 400" in done.err
    assert "client certificate" in done.err


@pytest.mark.parametrize("passphrase", [None, "guess-4711"])
def test_locked_key(passphrase: str | None, old: Home, mirror: Mirror) -> None:
    """A key that cannot be decrypted is named, with the variable for its passphrase."""
    path = mirror.client(passphrase=PASSPHRASE)
    configure(old, ca_bundle=mirror.bundle, client_cert=path)
    if passphrase is not None:
        old.environ["UV_SELF_UPDATE_CLIENT_KEY_PASSPHRASE"] = passphrase

    with mirror.serve(asks="on") as url:
        done = refused(old, url)

    assert str(path) in done.err
    assert "UV_SELF_UPDATE_CLIENT_KEY_PASSPHRASE" in done.err
    assert "guess-4711" not in done.err


def test_client_certificate_is_kept(old: Home, mirror: Mirror) -> None:
    """A server that is redirected to does not get the certificate, though it asks for one."""
    configure(old, ca_bundle=mirror.bundle, client_cert=mirror.client())

    with (
        mirror.serve("second", asks="optional_no_ca") as elsewhere,
        mirror.serve("first", asks="on", files_at=elsewhere) as url,
    ):
        update(old, url)

    assert {subject[: len(SUBJECT)] for _, subject in mirror.seen("first")} == {SUBJECT}
    assert mirror.seen("second") == {("file", "-")}


def test_client_certificate_is_asked_for(old: Home, mirror: Mirror) -> None:
    """The same server, configured itself, gets it: so the test before can fail."""
    configure(old, ca_bundle=mirror.bundle, client_cert=mirror.client())

    with mirror.serve(asks="optional_no_ca") as url:
        update(old, url)

    assert {subject[: len(SUBJECT)] for _, subject in mirror.seen()} == {SUBJECT}


def test_login(old: Home, mirror: Mirror) -> None:
    """A login goes through TLS, and is not shown."""
    configure(old, ca_bundle=mirror.bundle)
    user, password = (quote(word, safe="") for word in LOGIN)

    with mirror.serve(login=LOGIN) as url:
        host = url.removeprefix("https://")
        done = update(old, f"https://{user}:{password}@{host}", "-v")
        assert password not in done.err
        assert LOGIN[1] not in done.err


def test_no_login(old: Home, mirror: Mirror) -> None:
    """Without it, the server's answer is told."""
    configure(old, ca_bundle=mirror.bundle)
    # uv, which is asked for a login, leaves a lock in the folder of its credential store.
    old.environ["UV_CREDENTIALS_DIR"] = str(mirror.folder)

    with mirror.serve(login=LOGIN) as url:
        assert "answered 401" in refused(old, url).err
