"""What every kind of source promises, asked of each in every dialect that it has to understand.

The servers are simulated, all from one catalogue of releases. A new kind is one row in
`support.simulator.rows`; what it cannot have is one line in `EXEMPT`, with the reason.
"""

from __future__ import annotations

import re
import shutil
import time
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pytest

from support.catalogue import Catalogue, Sidecar, catalogue
from support.simulator.dialect import PASSWORD, Setup
from support.simulator.rows import ROWS, Row, User, fetch, published, trouble
from support.simulator.server import LOGIN_PAGE, held, replaced
from support.web import Page
from uv_self_update import platforms
from uv_self_update.config.kinds import KINDS
from uv_self_update.errors import (
    DigestMismatch,
    IndexFailed,
    NoSuchVersion,
    SourceError,
    StatusRefused,
    UnexpectedBody,
    Unreachable,
)
from uv_self_update.releases.target import NEWEST, Wanted, newest_first, parse_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from support.homes import Home

    Serve = Callable[..., AbstractContextManager[User]]

VERSIONS = ("0.10.1", "1.0.0rc1", "0.10.0", "0.9.9")
"""As they were published: the newest is neither the first nor the last, by date or by letter."""

STABLE = "0.10.1"
"""The newest of them that is no pre-release."""

PAGED = ("1.0.0", "0.9.9", "0.10.0", "0.10.1", "0.11.0")
"""The newest comes last, by date (newest first) as well as by letter."""

SHORT = 0.3  # seconds until a silent server is given up
SOON = 8.0  # seconds, of which a busy machine may need most for itself

SEVERAL = ("tools", "mirrors", "uv")
QUOTED = ("a b", "100%", "c%25d&e")
"""As the folders are called; in a URL it is `a%20b/100%25/c%2525d%26e`."""

_NO_SERVER = "there is no server that could answer"
_ONE_VERSION = "it names one version, and nobody knows of others"
_ONE_PIECE = "it answers in one piece"
_FIXED = "a repository is OWNER/REPO, with nothing between it and its releases"
_FILES_ONLY = "it is made of files, and without one that holds a digest nothing knows any"
_NO_FILES = "it names no files, so none that hold a digest"
_LISTS = "it lists what is there"
_NAMES = "its names have letters, digits, `.`, `_` and `-` only"

EXEMPT: Mapping[str, Mapping[str, str]] = {
    "several": {"urls-text": _ONE_VERSION},
    "prerelease": {"urls-text": _ONE_VERSION},
    "digest-sum": {
        "urls-text": _NO_FILES,
        "listing-flat": "where all releases share a folder, no list of sums can be of each",
    },
    "digest-own": {
        "urls-text": _NO_FILES,
        "github-without-digests": _FILES_ONLY,
        "listing*": _FILES_ONLY,
        "gitlab-links": "what a link leads to is known to nobody",
        "gitea-releases": _FILES_ONLY,
        "s3*": "an ETag is no reliable digest",
        "directory*": _FILES_ONLY,
    },
    "refused": {"directory*": _NO_SERVER},
    "silent": {"directory*": _NO_SERVER},
    "login page": {"directory*": _NO_SERVER},
    "label": {"directory*": _NO_SERVER, "index": "a wheel is no .tar.gz, and uv fetches it"},
    "address": {
        "directory*": _NO_SERVER,
        "index": "uv follows the links of a page, and these are relative",
        "gitlab-links": "its links are written by people, and may well lead to another server",
    },
    "login": {
        "directory*": _NO_SERVER,
        "s3*": "it lets people in by signatures, and takes no login",
    },
    "pages": {
        "index": _ONE_PIECE,
        "urls*": _ONE_PIECE,
        "astral": _ONE_PIECE,
        "listing*": _ONE_PIECE,
        "nexus": "its pages to browse come in one piece; see `nexus-search`",
        "nexus-astral": "as for `nexus`",
        "nexus-proxy": _ONE_PIECE,
        "artifactory*": _ONE_PIECE,
        "directory*": _ONE_PIECE,
    },
    "before": {
        "gitlab*": "a path before the groups cannot be told from a group",
        "s3*": "the first folder is the bucket, or the host is",
        "directory*": _NO_SERVER,
    },
    "below": {"github*": _FIXED, "gitea*": _FIXED},
    "quoted": {"gitlab-packages": _NAMES, "gitlab-releases": _NAMES},
    "pending": {
        "index": "a wheel is there before its link",
        "urls-json": "a release names the files that it has",
        "urls-text": _ONE_VERSION,
        "github*": "a release names the files that it has",
        "gitlab*": "a release names the files that it has",
        "gitea*": "a release names the files that it has",
        "listing*": _LISTS,
        "nexus": _LISTS,
        "nexus-astral": _LISTS,
        "nexus-search": _LISTS,
        "artifactory": _LISTS,
        "artifactory-virtual": _LISTS,
        "artifactory-remote": _LISTS,
        "s3*": _LISTS,
        "directory*": _LISTS,
    },
}
"""Case -> rows, as patterns -> why they cannot have the case."""


def rows(*cases: str) -> pytest.MarkDecorator:
    """Run a test for every row that can have all of the cases."""
    patterns = [pattern for case in cases for pattern in EXEMPT[case]]
    found = [row for row in ROWS if not any(fnmatchcase(row.name, each) for each in patterns)]
    return pytest.mark.parametrize("row", found, ids=[row.name for row in found])


FOLDERS = [
    row
    for row in ROWS
    if row.kind in {"listing", "nexus", "artifactory", "s3", "directory"}
    and not row.name.endswith("-proxy")
    and not row.setup
]
"""Those that show folders, and know nothing of releases."""

every = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])


@pytest.fixture
def serve(home: Home, tmp_path: Path) -> Serve:
    """Return what starts a row's server; afterwards no request may have been unfit."""

    @contextmanager
    def start(row: Row, releases: Catalogue, **setup: object) -> Iterator[User]:
        folder = tmp_path / "served"
        with row.simulator(releases, Setup(folder=folder, **setup)) as simulator:  # type: ignore[arg-type] # what a test says
            yield User(row=row, simulator=simulator, home=home)
        assert simulator.dialect.poisoned == []
        assert simulator.unfit == []

    return start


def test_every_kind_has_a_row() -> None:
    """Each kind that can be configured has a row; `auto` becomes one of the others."""
    assert {row.kind for row in ROWS} == set(KINDS) - {"auto"}


def test_exemptions_are_for_something() -> None:
    """No line of the table has outlived the row that it is about, and each gives a reason."""
    for case, reasons in EXEMPT.items():
        for pattern, reason in reasons.items():
            assert any(fnmatchcase(row.name, pattern) for row in ROWS), (case, pattern)
            assert reason


@rows("several")
def test_newest(row: Row, serve: Serve) -> None:
    """The newest is so by PEP 440 (0.10.1 is newer than 0.9.9), whatever came last."""
    releases = catalogue(*VERSIONS)
    with serve(row, releases) as user:
        assert user.obtain() == published(row, releases, STABLE)


@rows("prerelease")
def test_newest_after_its_candidate(row: Row, serve: Serve) -> None:
    """A release is newer than its candidate, though it comes before it by letter, and by date."""
    with serve(row, catalogue("1.0.0", "0.9.9", "1.0.0rc1")) as user:
        assert user.find() == "1.0.0"


@rows("several")
@pytest.mark.parametrize(
    ("target", "version"),
    [("0.10", "0.10.1"), ("0.9", "0.9.9"), ("<0.10.1", "0.10.0"), (">=1.0.0rc1", "1.0.0rc1")],
)
def test_some_of_them(row: Row, serve: Serve, target: str, version: str) -> None:
    """The newest that a prefix or a specifier allows is taken; a pre-release only if named."""
    with serve(row, catalogue(*VERSIONS)) as user:
        assert user.find(parse_target(target)) == version


@every
@pytest.mark.parametrize("version", ["0.10.0", "1.0.0rc1"])
def test_exact(row: Row, serve: Serve, version: str) -> None:
    """An exact version is found, and its own files are what is fetched."""
    releases = catalogue(*VERSIONS)
    with serve(row, releases) as user:
        assert user.obtain(Wanted(exact=version)) == published(row, releases, version)


@rows("several")
@pytest.mark.parametrize(
    ("target", "near"), [("0.10.7", "0.10.1"), ("0.9.10", "0.9.9"), ("0.12", "0.10.1")]
)
def test_unknown(row: Row, serve: Serve, target: str, near: str) -> None:
    """A version that is not there is an error that names it and its neighbours."""
    wanted = parse_target(target)
    with serve(row, catalogue(*VERSIONS)) as user, pytest.raises(NoSuchVersion) as caught:
        user.find(wanted)
    assert str(wanted) in trouble(caught.value)
    assert near in caught.value.nearest
    assert near in trouble(caught.value)


@rows("several")
def test_incomplete(row: Row, serve: Serve) -> None:
    """A release that lacks this machine's archive is passed over for the next."""
    releases = catalogue(*VERSIONS, "0.11.0", incomplete={"0.11.0"})
    with serve(row, releases) as user:
        assert user.obtain() == published(row, releases, STABLE)


@every
def test_exact_and_incomplete(row: Row, serve: Serve) -> None:
    """A version that is wanted and lacks this machine's archive is an error that says so."""
    wanted = Wanted(exact="0.11.0")
    releases = catalogue(*VERSIONS, "0.11.0", incomplete={"0.11.0"})
    with serve(row, releases) as user, pytest.raises(NoSuchVersion) as caught:
        user.find(wanted)
    assert "0.11.0" in trouble(caught.value)
    if row.kind != "index":  # which tells uv nothing of wheels for other machines
        assert platforms.current().archive in trouble(caught.value)


@rows("several")
def test_releases(row: Row, serve: Serve) -> None:
    """The releases are listed, the newest first; to an index, pre-releases do not count."""
    with serve(row, catalogue(*VERSIONS)) as user, user.sources() as opened:
        versions = [release.version for release in opened.all[0].releases(10)]
    due = [version for version in VERSIONS if row.kind != "index" or version != "1.0.0rc1"]
    assert versions == newest_first(due)


@every
@pytest.mark.parametrize("name", ["uv-installer.sh", "uv-installer.ps1"])
def test_installer(row: Row, serve: Serve, name: str) -> None:
    """The installer is found and is the one that was published; an index has none."""
    releases = catalogue(*VERSIONS)
    with serve(row, releases) as user, user.sources() as opened:
        found = opened.find(Wanted(exact=STABLE))
        if row.kind == "index":
            assert found.release.asset(name) is None
        else:
            assert fetch(found, user.home.path, name) == releases[STABLE][name].content


def _refused_as_changed(
    row: Row, serve: Serve, sidecars: tuple[Sidecar, ...], *, exact: bool
) -> None:
    releases = catalogue(*VERSIONS, changed={STABLE}, sidecars=sidecars)
    with serve(row, releases) as user, pytest.raises(DigestMismatch) as caught:
        user.obtain(Wanted(exact=STABLE) if exact else NEWEST)
    due = f"the wheel of uv {STABLE}" if row.kind == "index" else platforms.current().archive
    assert due in str(caught.value)


@every
def test_changed(row: Row, serve: Serve) -> None:
    """An archive that is not the published one is refused, wherever anything tells."""
    _refused_as_changed(row, serve, ("beside", "sum"), exact=True)


@rows("several")
def test_changed_newest(row: Row, serve: Serve) -> None:
    """It is refused as well if it is the newest, and was not asked for by name."""
    _refused_as_changed(row, serve, ("beside", "sum"), exact=False)


@every
def test_changed_and_a_file_beside_it(row: Row, serve: Serve) -> None:
    """It is refused if there is only a `.sha256` beside the archive."""
    _refused_as_changed(row, serve, ("beside",), exact=True)


@rows("digest-sum")
def test_changed_and_a_list_of_sums(row: Row, serve: Serve) -> None:
    """It is refused if there is only a `sha256.sum` for all archives."""
    _refused_as_changed(row, serve, ("sum",), exact=False)


@rows("digest-own")
def test_changed_and_what_the_server_knows(row: Row, serve: Serve) -> None:
    """It is refused if no file holds a digest, and the server's own answers do."""
    _refused_as_changed(row, serve, (), exact=False)


@every
def test_no_digest(row: Row, serve: Serve) -> None:
    """Without any file that holds a digest, the archive is fetched as it is."""
    releases = catalogue("0.10.1", sidecars=())
    with serve(row, releases) as user:
        assert user.obtain() == published(row, releases, "0.10.1")


@rows("refused")
@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_refused(row: Row, serve: Serve, status: int) -> None:
    """A server that refuses everything is an error with the status, and without the password."""
    with serve(row, catalogue(*VERSIONS)) as user:
        user.simulator.fault = replaced(Page(status=status))
        with pytest.raises(SourceError) as caught:
            user.obtain(password=PASSWORD)
    _assert_refused(row, caught.value, status)


@rows("refused")
@pytest.mark.parametrize("status", [401, 403, 500])
def test_refused_file(row: Row, serve: Serve, status: int) -> None:
    """A server that refuses the archive alone is an error with the status."""
    with serve(row, catalogue(*VERSIONS)) as user:
        user.simulator.fault = replaced(Page(status=status), file=row.file)
        with pytest.raises(SourceError) as caught:
            user.obtain()
    _assert_refused(row, caught.value, status)


def _assert_refused(row: Row, error: SourceError, status: int) -> None:
    if row.kind == "index":  # in uv's own words
        assert isinstance(error, IndexFailed)
        assert str(status) in str(error) or (status, "not found" in str(error)) == (404, True)
    else:
        assert isinstance(error, StatusRefused)
        assert error.status == status
        assert str(status) in str(error)
    assert PASSWORD not in trouble(error)
    assert "s3cret" not in trouble(error)


@rows("silent")
@pytest.mark.parametrize("part", ["everything", "the file"])
def test_silent(row: Row, serve: Serve, part: str) -> None:
    """A server that takes a request and does not answer is given up soon."""
    with serve(row, catalogue(*VERSIONS)) as user:
        file = row.file if part == "the file" else ""
        user.simulator.fault = held(user.simulator, file=file)
        begin = time.monotonic()
        with pytest.raises(SourceError) as caught:
            user.obtain(timeout=SHORT)
        assert time.monotonic() - begin < SOON
    assert isinstance(caught.value, IndexFailed if row.kind == "index" else Unreachable)


@rows("login page")
@pytest.mark.parametrize("part", ["everything", "the file"])
def test_login_page(row: Row, serve: Serve, part: str) -> None:
    """A page to log in, with status 200, is an error that calls it one."""
    with serve(row, catalogue(*VERSIONS)) as user:
        file = row.file if part == "the file" else ""
        user.simulator.fault = replaced(LOGIN_PAGE, file=file)
        with pytest.raises(SourceError) as caught:
            user.obtain()
    if row.kind == "index":  # uv takes it for an index without a link, or for a broken wheel
        assert isinstance(caught.value, (IndexFailed, NoSuchVersion))
    else:
        assert isinstance(caught.value, UnexpectedBody)
        assert re.search(r"login form", str(caught.value))


@rows("login")
def test_login(row: Row, serve: Serve) -> None:
    """With the login, whoever is shown nothing without it gets everything."""
    releases = catalogue(*VERSIONS)
    with serve(row, releases, login=True) as user:
        assert user.obtain(Wanted(exact=STABLE)) == published(row, releases, STABLE)


@rows("login")
@pytest.mark.parametrize("password", ["", "wr0ng"])
def test_wrong_login(row: Row, serve: Serve, password: str) -> None:
    """With a wrong login, or half of one, there is a refusal, and it does not repeat it."""
    with (
        serve(row, catalogue(*VERSIONS), login=True) as user,
        pytest.raises(SourceError) as caught,
    ):
        user.obtain(password=password)
    if row.kind != "index":
        assert isinstance(caught.value, StatusRefused)
        assert caught.value.status in {401, 404}
    assert "wr0ng" not in trouble(caught.value)


@rows("pages")
@pytest.mark.parametrize("wanted", [NEWEST, Wanted(exact="1.0.0"), Wanted(exact="0.9.9")], ids=str)
def test_pages(row: Row, serve: Serve, wanted: Wanted) -> None:
    """Every page of a list counts, the last as well."""
    releases = catalogue(*PAGED)
    with serve(row, releases, page=2) as user:
        assert user.obtain(wanted) == published(row, releases, wanted.exact or "1.0.0")
        assert len(user.simulator.asked) > 1


@rows("pages")
def test_unknown_on_any_page(row: Row, serve: Serve) -> None:
    """What is on no page is not there, and the neighbours may be on different pages."""
    with serve(row, catalogue(*PAGED), page=2) as user, pytest.raises(NoSuchVersion) as caught:
        user.find(Wanted(exact="1.0.1"))
    assert {"1.0.0", "0.11.0"} <= {*caught.value.nearest}


@rows("before")
@pytest.mark.parametrize("slash", [False, True], ids=["", "slash"])
def test_path_before(row: Row, serve: Serve, *, slash: bool) -> None:
    """A server may live below a path of several segments, written with a slash or without."""
    releases = catalogue(*VERSIONS)
    with serve(row, releases, before=SEVERAL) as user:
        assert user.obtain(Wanted(exact=STABLE), slash=slash) == published(row, releases, STABLE)


@rows("below")
@pytest.mark.parametrize("slash", [False, True], ids=["", "slash"])
def test_path_below(row: Row, serve: Serve, *, slash: bool) -> None:
    """The releases may lie some folders below the root of the product."""
    releases = catalogue(*VERSIONS)
    with serve(row, releases, below=SEVERAL) as user:
        assert user.obtain(Wanted(exact=STABLE), slash=slash) == published(row, releases, STABLE)


@every
@pytest.mark.parametrize("slash", [False, True], ids=["", "slash"])
def test_slash(row: Row, serve: Serve, *, slash: bool) -> None:
    """The URL of a place may end with a slash or without."""
    releases = catalogue(STABLE)
    with serve(row, releases) as user:
        assert user.obtain(slash=slash) == published(row, releases, STABLE)


@rows("quoted")
@pytest.mark.parametrize("slash", [False, True], ids=["", "slash"])
def test_quoted(row: Row, serve: Serve, *, slash: bool) -> None:
    """Spaces, percent signs and ampersands may stand in every path that a person can name."""
    releases = catalogue(*VERSIONS)
    setup = {
        part: QUOTED
        for part in ("before", "below")
        if not any(fnmatchcase(row.name, pattern) for pattern in EXEMPT[part])
    }
    if row.kind == "gitlab":
        setup = {}  # there it is the links that need it, and always have it
    with serve(row, releases, **setup) as user:
        assert user.obtain(Wanted(exact=STABLE), slash=slash) == published(row, releases, STABLE)


@rows("address")
def test_wrong_address(row: Row, serve: Serve) -> None:
    """What a server takes for its own address does not matter: it is asked at the user's."""
    releases = catalogue(*PAGED)
    with serve(row, releases, address="https://internal.invalid:8443", page=2) as user:
        assert user.obtain(Wanted(exact="1.0.0")) == published(row, releases, "1.0.0")


@rows("label")
def test_label(row: Row, serve: Serve) -> None:
    """An archive that is labelled as `Content-Encoding: gzip` is taken as it was published."""
    releases = catalogue(STABLE)
    with serve(row, releases, labelled=True) as user:
        assert user.obtain() == published(row, releases, STABLE)


@rows("pending")
def test_announced(row: Row, serve: Serve) -> None:
    """A version that is listed before its files are there is passed over; if exact, an error."""
    releases = catalogue(*VERSIONS, "0.11.0", pending={"0.11.0"})
    with serve(row, releases) as user:
        assert user.obtain() == published(row, releases, STABLE)
        with pytest.raises(NoSuchVersion):
            user.find(Wanted(exact="0.11.0"))


@pytest.mark.parametrize("row", FOLDERS, ids=[row.name for row in FOLDERS])
def test_one_release_without_a_folder(row: Row, serve: Serve) -> None:
    """The files of one release may lie in the base folder; its installer tells the version."""
    releases = catalogue(STABLE)
    lone = replace(row, setup={**row.setup, "layout": "single"})
    with serve(lone, releases) as user:
        assert user.find() == STABLE
        assert user.obtain(Wanted(exact=STABLE)) == published(row, releases, STABLE)


@pytest.mark.parametrize("kept", [True, False], ids=["empty", "gone"])
def test_directory(serve: Serve, tmp_path: Path, *, kept: bool) -> None:
    """A folder that is gone, or empty, is an error that names it."""
    row = next(row for row in ROWS if row.name == "directory")
    with serve(row, catalogue(STABLE)) as user:
        shutil.rmtree(tmp_path / "served")
        if kept:
            (tmp_path / "served").mkdir()
        with pytest.raises(NoSuchVersion if kept else SourceError, match="served"):
            user.find()
