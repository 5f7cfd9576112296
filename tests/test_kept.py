"""An interrupted download goes on in the next run, if all of it is certain to be one file."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.web import Page
from uv_self_update.auth.credentials import Credentials
from uv_self_update.config.settings import Network
from uv_self_update.errors import UpstreamError
from uv_self_update.network.client import Upstream
from uv_self_update.network.kept import Kept
from uv_self_update.network.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.homes import Home
    from support.web import Asked, Web

CONTENT = os.urandom(1 << 20) * 4
HALF = len(CONTENT) // 2
ETAG = '"a"'


class Origin:
    """A server that breaks off a file half-way, and knows ranges."""

    def __init__(self) -> None:
        """Serve the first version."""
        self.content = CONTENT
        self.etag: str | None = ETAG
        self.broken = True
        self.ranges = True
        self.asked: list[str | None] = []

    def __call__(self, asked: Asked) -> Page:
        """Answer."""
        given = {name.lower(): value for name, value in asked.headers.items()}
        wanted = given.get("range")
        self.asked.append(wanted)
        headers = {"ETag": self.etag} if self.etag else {}
        if self.broken:
            return Page(body=self.content[:HALF], length=len(self.content), headers=headers)
        same = given.get("if-range") in {None, self.etag}
        if wanted is None or not self.ranges or not same:
            return Page(body=self.content, headers=headers)
        first = int(wanted.removeprefix("bytes=").removesuffix("-"))
        size = len(self.content)
        headers["Content-Range"] = f"bytes {first}-{size - 1}/{size}"
        return Page(body=self.content[first:], status=206, headers=headers)


@pytest.fixture
def origin(web: Web) -> Origin:
    """Serve the file."""
    made = Origin()
    web.pages["/uv.tar.gz"] = made
    return made


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[Upstream]:
    """Return a client that tries once, and keeps what it has received."""
    client = Upstream(
        Network(timeout=10, retries=0),
        Credentials(),
        environ={},
        limits=Limits(first_wait=0),
        kept=Kept(tmp_path / "downloads"),
    )
    yield client
    client.close()


def fetch(upstream: Upstream, web: Web) -> bytes:
    """Return the file."""
    with upstream.open(f"{web.url}/uv.tar.gz?sig=s3cret") as download:
        return b"".join(download.chunks)


def interrupt(upstream: Upstream, web: Web, origin: Origin) -> None:
    """Receive the first half."""
    with pytest.raises(UpstreamError):
        fetch(upstream, web)
    origin.broken = False
    origin.asked.clear()


def files(tmp_path: Path) -> list[Path]:
    """Return what is kept."""
    with suppress(FileNotFoundError):
        return list((tmp_path / "downloads").iterdir())
    return []


def test_next_run_requests_the_rest(
    upstream: Upstream,
    web: Web,
    origin: Origin,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The rest is requested, the bytes are those of the file, and nothing stays."""
    caplog.set_level("INFO", logger="uv_self_update")
    interrupt(upstream, web, origin)
    (file,) = files(tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"s3cret" not in file.read_bytes()
    assert "s3cret" not in file.name

    assert fetch(upstream, web) == CONTENT

    assert origin.asked == [f"bytes={HALF}-"]
    assert files(tmp_path) == []
    assert caplog.messages == [
        "kept 2.0 MiB of 4.0 MiB: the next update continues the download",
        "continuing an interrupted download: 2.0 MiB of 4.0 MiB were kept",
    ]


def test_receiver_that_gives_up(
    upstream: Upstream, web: Web, origin: Origin, tmp_path: Path
) -> None:
    """What a receiver has taken before it gives up is kept as well."""
    origin.broken = False
    with upstream.open(f"{web.url}/uv.tar.gz?sig=s3cret") as download:
        got = 0
        while got < HALF:
            got += len(next(download.chunks))

    assert len(files(tmp_path)) == 1
    assert fetch(upstream, web) == CONTENT
    assert origin.asked == [None, f"bytes={got}-"]


def test_two_interruptions(upstream: Upstream, web: Web, origin: Origin) -> None:
    """A run that is interrupted before its first byte keeps what the one before it has kept."""
    interrupt(upstream, web, origin)
    with upstream.open(f"{web.url}/uv.tar.gz?sig=s3cret") as download:
        next(download.chunks)

    assert fetch(upstream, web) == CONTENT
    assert origin.asked == [f"bytes={HALF}-"] * 2


def test_server_that_is_away(upstream: Upstream, web: Web, origin: Origin, tmp_path: Path) -> None:
    """A server that does not answer meanwhile costs nothing of it."""
    interrupt(upstream, web, origin)
    web.pages["/uv.tar.gz"] = Page(status=503)
    with pytest.raises(UpstreamError):
        fetch(upstream, web)
    web.pages["/uv.tar.gz"] = origin

    assert len(files(tmp_path)) == 1
    assert fetch(upstream, web) == CONTENT
    assert origin.asked == [f"bytes={HALF}-"]


def test_changed_file(upstream: Upstream, web: Web, origin: Origin) -> None:
    """A file that has changed meanwhile is sent as a whole."""
    interrupt(upstream, web, origin)
    origin.content, origin.etag = CONTENT[::-1], '"b"'

    assert fetch(upstream, web) == CONTENT[::-1]
    assert origin.asked == [f"bytes={HALF}-"]


def test_server_that_ignores_if_range(upstream: Upstream, web: Web, origin: Origin) -> None:
    """A part of another version is not taken for the rest: the whole file is requested."""
    interrupt(upstream, web, origin)

    def careless(asked: Asked) -> Page:
        page = Origin.__call__(origin, asked)
        return Page(body=page.body, status=page.status, headers={**page.headers, "ETag": '"b"'})

    web.pages["/uv.tar.gz"] = careless
    origin.content = CONTENT[::-1]

    assert fetch(upstream, web) == CONTENT[::-1]
    assert origin.asked == [f"bytes={HALF}-", None]


def test_server_without_ranges(upstream: Upstream, web: Web, origin: Origin) -> None:
    """A server that sends the whole file again is fine, too."""
    interrupt(upstream, web, origin)
    origin.ranges = False

    assert fetch(upstream, web) == CONTENT
    assert origin.asked == [f"bytes={HALF}-"]


def test_server_without_a_validator(
    upstream: Upstream, web: Web, origin: Origin, tmp_path: Path
) -> None:
    """Nothing is kept where versions of a file cannot be told apart."""
    origin.etag = None
    interrupt(upstream, web, origin)

    assert files(tmp_path) == []
    assert fetch(upstream, web) == CONTENT
    assert origin.asked == [None]


def _damage(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def _change(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[0] ^= 1
    file.write_bytes(content)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100_000])


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _open_to_all(file: Path) -> None:
    file.chmod(0o666)


def _age(file: Path) -> None:
    then = time.time() - 8 * 86400
    os.utime(file, (then, then))


def _link(file: Path) -> None:
    file.rename(file.with_name("other"))
    file.symlink_to("other")


@pytest.mark.parametrize("change", [_damage, _change, _cut, _empty, _open_to_all, _age, _link])
def test_what_is_not_as_it_was_kept(
    change: object, upstream: Upstream, web: Web, origin: Origin, tmp_path: Path
) -> None:
    """A part that is damaged, old, a link, or open to other users is not used."""
    interrupt(upstream, web, origin)
    (file,) = files(tmp_path)
    assert callable(change)
    change(file)

    assert fetch(upstream, web) == CONTENT
    assert origin.asked == [None]
    assert files(tmp_path) == []


@pytest.mark.extra
@pytest.mark.parametrize("kind", ["urls", "listing"])
def test_update_after_an_interrupted_one(kind: str, home: Home, web: Web) -> None:
    """An update goes on where the one before it was interrupted, and says so."""
    home.install(binaries.newest_but_one())
    newest = binaries.newest()
    archive = binaries.archive(newest, real=False)
    web.pages |= mirrors.urls_pages([newest])
    web.pages["/files/"] = mirrors.directory_page(f"{newest}/")
    digest = f"{mirrors.sha256(archive)}\n".encode()
    web.pages[f"/files/{newest}/{archive.name}.sha256"] = Page(body=digest)
    keys = f'url = "{web.url}/files/"\n'
    if kind == "urls":
        keys = f'latest = "{web.url}/latest.json"\n'
        keys += f'download = "{web.url}/files/{{tag}}/{{asset}}"\n'
    home.configure(f'network.retries = 0\n[[source]]\nkind = "{kind}"\n{keys}')
    origin = Origin()
    origin.content = archive.read_bytes()
    origin.broken = False
    end = len(origin.content) - 1000
    path = f"/files/{newest}/{archive.name}"
    web.pages[path] = Page(body=origin.content[:end], length=end + 1000, headers={"ETag": ETAG})

    failed = home.run()
    web.pages[path] = origin
    done = home.run()

    assert failed.code != 0
    assert "info: kept " in failed.err
    assert (done.code, home.version()) == (0, newest), done.err
    assert "info: continuing an interrupted download: " in done.err
    assert origin.asked == [f"bytes={end}-"]
    assert not (home.path / ".cache" / "uv-self-update" / "downloads").exists()
