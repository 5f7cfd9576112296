"""Our certificates, handed to the real uvs that ask an index over TLS."""

from __future__ import annotations

import logging
import ssl
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from support import binaries, mirrors
from support.certificates import certificate_file, identity_file, key_file
from support.urls import source_settings
from support.web import Web
from uv_self_update.config.settings import Network, Settings
from uv_self_update.errors import IndexFailed
from uv_self_update.redaction import Secret
from uv_self_update.releases.target import NEWEST
from uv_self_update.sources.index.certificates import UvCertificates
from uv_self_update.sources.opened import OpenSources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.homes import Home

HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Return a company's authority."""
    return trustme.CA()


@pytest.fixture(params=["off", "client"])
def index(request: pytest.FixtureRequest, authority: trustme.CA) -> Iterator[tuple[str, bool]]:
    """Serve an index over TLS; yield its URL and whether it demands a client certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    demanding = request.param == "client"
    if demanding:
        context.verify_mode = ssl.CERT_REQUIRED
        authority.configure_trust(context)
    with Web(mirrors.index_pages(["0.5.31"]), context=context) as web:
        yield f"{web.url}/simple/", demanding


def found(version: str, home: Home, url: str, network: Network, **environ: str) -> str:
    """Return the version that this uv finds, asked with these settings."""
    settings = Settings(sources=(source_settings(kind="index", url=url),), network=network)
    uv = binaries.executables(binaries.version(version)) / "uv"
    environ = home.full_environ({"UV_HTTP_RETRIES": "0", **environ})
    with closing(OpenSources(settings, uv=uv, environ=environ)) as opened:
        return opened.find(NEWEST).release.version


@pytest.mark.parametrize(
    "version",
    [
        "0.5.0",
        pytest.param("0.8.24", marks=pytest.mark.slow),
        pytest.param("0.11.13", marks=pytest.mark.slow),
        "newest",
    ],
)
def test_handed_over(
    version: str, index: tuple[str, bool], authority: trustme.CA, home: Home, tmp_path: Path
) -> None:
    """The bundle and the client certificate, whose key is a file of its own, work with every uv."""
    url, demanding = index
    bundle = tmp_path / "company.pem"
    authority.cert_pem.write_to_path(str(bundle))
    network = Network(ca_bundle=bundle)
    if demanding:
        mine = authority.issue_cert("me@example.com")
        network = replace(
            network,
            client_cert=certificate_file(mine, tmp_path / "me.pem"),
            client_key=key_file(mine, tmp_path / "me.key"),
        )
    assert found(version, home, url, network) == "0.5.31"


def test_needed(index: tuple[str, bool], authority: trustme.CA, home: Home, tmp_path: Path) -> None:
    """Without them, the same index cannot be asked, and the hint names the setting."""
    url, demanding = index
    if demanding:
        bundle = tmp_path / "company.pem"
        authority.cert_pem.write_to_path(str(bundle))
        with pytest.raises(IndexFailed):
            found("newest", home, url, Network(ca_bundle=bundle))
        return
    with pytest.raises(IndexFailed) as caught:
        found("newest", home, url, Network())
    assert "network.ca-bundle" in str(caught.value.hint)


def merged(network: Network, environ: dict[str, str], folder: Path) -> tuple[bytes, Path]:
    """Return the bundle that uv gets, and where it was."""
    with closing(UvCertificates(network, environ, folder)) as certificates:
        path = Path(certificates.environ["SSL_CERT_FILE"])
        assert path.parent.stat().st_mode & 0o77 == 0
        return path.read_bytes(), path


def test_merged(tmp_path: Path) -> None:
    """The user's own authorities stay; else those that uv has, and the system's, are added."""
    mine, theirs, folder = (trustme.CA().cert_pem.bytes().strip() for _ in range(3))
    bundle, file = tmp_path / "bundle.pem", tmp_path / "theirs.pem"
    bundle.write_bytes(b"\xef\xbb\xbf" + mine + mine)  # a byte order mark, no newline between
    file.write_bytes(theirs)
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs" / "a.pem").write_bytes(folder)
    network = Network(ca_bundle=bundle)
    environ = {"SSL_CERT_FILE": str(file), "SSL_CERT_DIR": str(tmp_path / "certs")}
    content, path = merged(network, environ, tmp_path)
    assert content == b"\n".join([mine, theirs, folder, b""])
    assert not path.exists()
    content, _ = merged(network, {}, tmp_path)
    assert content.startswith(mine + b"\n-----BEGIN CERTIFICATE-----")
    assert content.count(b"-----BEGIN") > 100


@pytest.mark.parametrize("passphrase", [None, Secret("s3cret")])
def test_encrypted_key(
    passphrase: Secret | None,
    authority: trustme.CA,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Uv cannot use an encrypted key: that is said, with what works."""
    mine = authority.issue_cert("me@example.com")
    file = identity_file(mine, tmp_path / "me.pem", passphrase="s3cret")  # noqa: S106 # of a key that lives as long as the test
    network = Network(client_cert=file, passphrase=passphrase)
    with caplog.at_level(logging.WARNING), closing(UvCertificates(network, {})) as certificates:
        assert certificates.environ == {}
    assert "openssl pkey -in FILE -out NEW" in caplog.text
    assert str(file) in caplog.text
    assert "s3cret" not in caplog.text


def test_one_file(authority: trustme.CA, tmp_path: Path) -> None:
    """A file with both is named as it is."""
    file = identity_file(authority.issue_cert("me@example.com"), tmp_path / "me.pem")
    with closing(UvCertificates(Network(client_cert=file), {})) as certificates:
        assert certificates.environ == {"SSL_CLIENT_CERT": str(file)}
