"""A receipt that names another version than uv's: uv decides, and nothing is changed by mistake.

The release is on its way as soon as the receipt tells that uv will take it. uv itself looks at the
version that it was built as; older ones, such as 0.5.31, at the receipt.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.web import Page
from uv_self_update.errors import InstallationInterrupted
from uv_self_update.installer.native import NativeInstaller
from uv_self_update.installer.workspace import Workspace
from uv_self_update.releases.digests import DigestRules
from uv_self_update.releases.release import Release
from uv_self_update.sources.interface import Source
from uv_self_update.sources.order import Found
from uv_self_update.uv.adoption import Adoption
from uv_self_update.uv.installation import Installation
from uv_self_update.uv.receipt import new_receipt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.homes import Home
    from support.web import Asked, Web
    from uv_self_update.releases.target import Wanted

OLDER, HERE = binaries.FIRST, binaries.newest()
NEWER = f"{HERE}0"  # which was never released
"""The uv that is updated is real, and the middle one."""

SOURCES = ("github", "index")


def serve(home: Home, web: Web, source: str, version: str) -> str:
    """Serve a release, and return the path of the file that uv comes in."""
    if source == "index":
        web.pages |= mirrors.index_pages([version])
        home.environ["UV_SELF_UPDATE_SOURCE"] = f"index+{web.url}/simple/"
        return f"/wheels/{binaries.wheel(version, real=False).name}"
    web.pages |= mirrors.github_pages([version])
    home.environ["UV_SELF_UPDATE_SOURCE"] = f"github+{web.url}/astral-sh/uv"
    name = binaries.archive(version, real=False).name
    return f"/astral-sh/uv/releases/download/{version}/{name}"


def install(home: Home, *, stated: str) -> None:
    """Install a uv whose receipt names another version."""
    home.install(HERE)
    document = json.loads(home.receipt.read_text()) | {"version": stated}
    home.receipt.write_text(json.dumps(document))


class Nowhere(Source):
    """A source that is not asked."""

    name = "nowhere"

    def find(self, wanted: Wanted) -> Release:
        """Is not asked."""
        raise NotImplementedError

    def releases(self, limit: int) -> tuple[Release, ...]:
        """Is not asked."""
        raise NotImplementedError


class Held:
    """A page that is asked for, and not answered before the test has ended."""

    def __init__(self, web: Web, path: str) -> None:
        """Hold a page of a server."""
        self.asked = threading.Event()
        self.released = threading.Event()
        self._page = web.pages[path]
        web.pages[path] = self

    def __call__(self, asked: Asked) -> Page:
        """Answer when the test has ended."""
        self.asked.set()
        self.released.wait(60)
        return self._page if isinstance(self._page, Page) else self._page(asked)


@pytest.fixture
def held(web: Web) -> Iterator[list[Held]]:
    """Keep pages that are released in the end."""
    assert web.pages == {}
    pages: list[Held] = []
    yield pages
    for page in pages:
        page.released.set()


class Noting(NativeInstaller):
    """An installer that stages nothing."""

    begun: str | None = None

    def begin(self, found: Found) -> None:
        """Note what would be staged."""
        self.begun = found.release.version


@pytest.mark.parametrize(
    ("stated", "version", "expected"),
    [
        (OLDER, HERE, True),
        (HERE, HERE, False),
        (NEWER, HERE, False),
        ("1.9.0", "1.10.0", True),
        ("1.0.0rc1", "1.0.0", True),
        ("1.0.0", "1.0.0rc1", False),
        ("newest", HERE, False),
        (7, HERE, False),
        (None, HERE, False),
    ],
)
@pytest.mark.parametrize("eager", [False, True])
def test_what_is_expected(
    stated: object, version: str, tmp_path: Path, *, expected: bool, eager: bool
) -> None:
    """A release is begun before uv asks for it if the receipt names an older version."""
    installation = Installation(
        uv=tmp_path / "uv", environ={"AXOUPDATER_CONFIG_PATH": str(tmp_path)}
    )
    document = new_receipt(prefix=tmp_path, version=OLDER, executables=("uv",))
    if stated is not None:
        (tmp_path / "uv-receipt.json").write_text(json.dumps({**document, "version": stated}))
    work = Workspace(tmp_path, None, None)
    native = Noting(Adoption(installation), work, digests=DigestRules(), eager=eager)
    release = Release(version=version, tag=version)
    native.expect(Found(source=Nowhere(), release=release))
    assert native.begun == (version if expected and eager else None)


def test_another_version_than_was_begun(tmp_path: Path) -> None:
    """What is installed is the version that uv has asked for, or nothing."""
    adoption = Adoption(Installation(uv=tmp_path / "uv", environ={}))
    work = Workspace(tmp_path, None, None)
    native = NativeInstaller(adoption, work, digests=DigestRules())
    native.begin(Found(source=Nowhere(), release=Release(version=NEWER, tag=NEWER)))
    with pytest.raises(InstallationInterrupted):
        native.finish(HERE)
    native.close()


@pytest.mark.parametrize("source", SOURCES)
def test_uv_is_newer_than_its_receipt(source: str, home: Home, web: Web, held: list[Held]) -> None:
    """What was begun is given up, and uv ends as if nothing had been begun."""
    install(home, stated=OLDER)
    held.append(Held(web, serve(home, web, source, HERE)))
    before = home.snapshot()

    done = home.run()

    assert done.code == 0, done.err
    assert done.err.splitlines()[1:] == [f"success: You're on the latest version of uv (v{HERE})"]
    assert home.snapshot() == before


def test_what_was_begun_is_complete(home: Home, web: Web) -> None:
    """A release that has been staged when uv turns out to be newer is not installed."""
    install(home, stated="0.4.0")
    serve(home, web, "github", OLDER)
    before = home.snapshot()

    done = home.run()

    assert done.code == 0, done.err
    assert home.snapshot() == before


@pytest.mark.parametrize("stated", [NEWER, "99.0.0"])
@pytest.mark.parametrize("source", SOURCES)
def test_uv_is_older_than_its_receipt(source: str, stated: str, home: Home, web: Web) -> None:
    """A release that was not expected is begun when uv asks for it."""
    install(home, stated=stated)
    serve(home, web, source, NEWER)

    done = home.run()

    assert done.code == 0, done.err
    assert f"Upgraded uv from v{HERE} to v{NEWER}!" in done.err
    assert (home.version(), home.receipt_version()) == (NEWER, NEWER)


@pytest.mark.parametrize("stated", [OLDER, HERE, NEWER])
def test_version_that_is_named(stated: str, home: Home, web: Web) -> None:
    """A version that uv has already is not installed, whatever the receipt says."""
    install(home, stated=stated)
    serve(home, web, "github", HERE)
    before = home.snapshot()

    done = home.run(HERE)

    assert done.code == 0, done.err
    assert home.snapshot() == before


@pytest.mark.parametrize("source", SOURCES)
def test_dry_run_begins_nothing(source: str, home: Home, web: Web) -> None:
    """A dry run downloads nothing."""
    install(home, stated=OLDER)
    path = serve(home, web, source, NEWER)
    before = home.snapshot()

    done = home.run("--dry-run")

    assert done.code == 0, done.err
    assert path not in web.paths()
    assert home.snapshot() == before
