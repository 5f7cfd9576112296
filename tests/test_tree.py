"""Releases in folders: where they are found, whatever it is that lists the folders."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from uv_self_update.errors import (
    NoSuchVersion,
    SourceError,
    StatusRefused,
    UnexpectedBody,
    WheelsOnly,
)
from uv_self_update.network.responses import Download
from uv_self_update.platforms import Platform
from uv_self_update.releases.target import NEWEST, Wanted
from uv_self_update.sources.formats.entry import Entry
from uv_self_update.sources.tree import Tree, TreeSource
from uv_self_update.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from uv_self_update.sources.tree import Names

PLATFORM = Platform(triple="x86_64-unknown-linux-gnu")
ARCHIVE = PLATFORM.archive
FLAT = "uv-0.12.3-x86_64-unknown-linux-gnu.tar.gz"
INSTALLER = b'#!/bin/sh\nAPP_VERSION="0.12.3"\n'


class Memory(Tree):
    """Files in memory, by their paths; a path with a slash at its end is an empty folder."""

    def __init__(self, *paths: str, name: str = "https://h.example/base/", **files: bytes) -> None:
        """Keep the paths, and what is in some files."""
        self._base = Url.parse(name)
        self.name = name
        self._paths = [tuple(path.split("/")) for path in paths]
        self._files = files
        self.listed: list[str] = []
        self.opened: list[str] = []

    def entries(self, path: Names) -> Sequence[Entry]:
        """List a folder."""
        self.listed.append("/".join(path))
        inside = [names for names in self._paths if names[: len(path)] == path]
        if not inside:
            raise StatusRefused("/".join(path), 404, "")
        found = {
            names[len(path)]: len(names) > len(path) + 1
            for names in inside
            if len(names) > len(path) and names[len(path)]
        }
        return [Entry(name=name, is_directory=folder) for name, folder in found.items()]

    @contextmanager
    def open(self, path: Names) -> Iterator[Download]:
        """Send a file."""
        self.opened.append("/".join(path))
        body = self._files.get("installer", b"")
        yield Download(url="/".join(path), size=len(body), chunks=iter([body]))


@pytest.mark.parametrize(
    ("paths", "version", "place"),
    [
        ([f"0.12.3/{ARCHIVE}", f"0.9.9/{ARCHIVE}"], "0.12.3", f"0.12.3/{ARCHIVE}"),
        ([f"v0.12.3/{ARCHIVE}"], "0.12.3", f"v0.12.3/{ARCHIVE}"),
        ([f"uv-0.12.3/{ARCHIVE}"], "0.12.3", f"uv-0.12.3/{ARCHIVE}"),
        (
            [f"releases/download/0.12.3/{ARCHIVE}", "releases/notes.txt", "a/b"],
            "0.12.3",
            f"releases/download/0.12.3/{ARCHIVE}",
        ),
        (
            [f"github/uv/releases/download/0.12.3/{ARCHIVE}", "github/versions/x"],
            "0.12.3",
            f"github/uv/releases/download/0.12.3/{ARCHIVE}",
        ),
        ([f"UV/Releases/0.12.3/{ARCHIVE}"], "0.12.3", f"UV/Releases/0.12.3/{ARCHIVE}"),
        ([f"ruff/9.9.9/{ARCHIVE}", f"uv/0.12.3/{ARCHIVE}"], "0.12.3", f"uv/0.12.3/{ARCHIVE}"),
        ([FLAT, FLAT.replace("0.12.3", "0.9.9")], "0.12.3", FLAT),
        ([f"uv/{FLAT}"], "0.12.3", f"uv/{FLAT}"),
        ([f"0.13.0/{ARCHIVE.replace('linux', 'other')}", FLAT], "0.12.3", FLAT),
        ([f"latest/{ARCHIVE}", "latest/uv-installer.sh"], "0.12.3", f"latest/{ARCHIVE}"),
        ([ARCHIVE, "uv-installer.ps1"], "0.12.3", ARCHIVE),
        (
            [f"0.12.3/{ARCHIVE}", "uv-installer.sh", f"latest/{ARCHIVE}"],
            "0.12.3",
            f"0.12.3/{ARCHIVE}",
        ),
    ],
)
def test_layouts(paths: list[str], version: str, place: str) -> None:
    """Releases are found in every layout that people use, and their files where they lie."""
    tree = Memory(*paths, installer=INSTALLER)
    source = TreeSource(tree, PLATFORM)

    release = source.find(NEWEST)
    asset = release.asset(ARCHIVE)

    assert release.version == version
    assert asset is not None
    with source.open(release, asset):
        assert tree.opened[-1] == place


def test_base_is_the_folder_of_a_version() -> None:
    """A URL that ends in a version is that release's, whatever its installer says."""
    tree = Memory(ARCHIVE, name="https://h.example/uv/v0.9.9/?sig=***")

    assert TreeSource(tree, PLATFORM).find(NEWEST).version == "0.9.9"


def test_sums_of_the_only_release() -> None:
    """What lies beside the files of the only release belongs to it."""
    tree = Memory(ARCHIVE, "sha256.sum", name="/mnt/uv/0.9.9")

    assert TreeSource(tree, PLATFORM).find(NEWEST).asset("sha256.sum") is not None


def test_version_that_nothing_says(caplog: pytest.LogCaptureFixture) -> None:
    """Files of a release of which nothing says the version are no release, and that is noted."""
    source = TreeSource(Memory(ARCHIVE), PLATFORM)

    with caplog.at_level(logging.WARNING), pytest.raises(NoSuchVersion):
        source.find(NEWEST)

    assert "contains a release of unknown version; skipping it" in caplog.text


def test_folders_are_looked_into_as_they_are_needed() -> None:
    """Of many versions the folder of the one that is wanted is listed, and no other."""
    tree = Memory(*(f"0.12.{patch}/{ARCHIVE}" for patch in range(50)))

    TreeSource(tree, PLATFORM).find(Wanted(exact="0.12.7"))

    assert tree.listed == ["", "0.12.7"]


def test_folder_that_has_gone() -> None:
    """A folder that is listed and cannot be found is empty."""

    class Fading(Memory):
        def entries(self, path: Names) -> Sequence[Entry]:
            if path == ("0.12.3",):
                raise StatusRefused(path[0], 404, "")
            return super().entries(path)

    tree = Fading(f"0.12.3/{ARCHIVE}", f"0.12.2/{ARCHIVE}")

    assert TreeSource(tree, PLATFORM).find(NEWEST).version == "0.12.2"


def test_base_that_is_not_there() -> None:
    """A base that is not there is the server's own answer."""
    with pytest.raises(StatusRefused):
        TreeSource(Memory(), PLATFORM).find(NEWEST)


def test_endless_folders() -> None:
    """A server that shows the same folder in every folder is left after a while."""

    class Endless(Memory):
        def entries(self, path: Names) -> Sequence[Entry]:
            self.listed.append("/".join(path))
            return [Entry(name="uv", is_directory=True), Entry(name="releases", is_directory=True)]

    tree = Endless()

    with pytest.raises(NoSuchVersion):
        TreeSource(tree, PLATFORM).find(NEWEST)

    assert len(tree.listed) == 24


@pytest.mark.parametrize(
    ("base", "names", "folder", "expected"),
    [
        ("https://h/a", ("b",), False, "https://h/a/b"),
        ("https://h/a/", ("b",), True, "https://h/a/b/"),
        ("https://h", (), True, "https://h/"),
        ("https://h/a%20b/?sig=1", ("c d", "100%", "é/ü?#"), False, None),
        ("https://u:p@h/a/", ("b", "c"), False, "https://u:p@h/a/b/c"),
    ],
)
def test_below(base: str, names: Names, expected: str | None, *, folder: bool) -> None:
    """Names are quoted, and the query of the base stays behind them."""
    due = expected or "https://h/a%20b/c%20d/100%25/%C3%A9%2F%C3%BC%3F%23?sig=1"
    assert Url.parse(base).below(names, directory=folder) == Url.parse(due)


EARLY, LATE = "2026-09-01T10:53:20Z", "2026-09-02T10:53:20Z"


class Dated(Memory):
    """The same, with the dates of some files and directories, and links without slashes."""

    def __init__(self, *paths: str, dates: Mapping[str, str], told: bool = True) -> None:
        """Keep the dates, and whether a directory is told from a file."""
        super().__init__(*paths)
        self._dates = dates
        self._told = told

    def entries(self, path: Names) -> Sequence[Entry]:
        """List a directory."""
        return [
            replace(
                entry,
                is_directory=entry.is_directory if self._told else None,
                modified=self._dates.get("/".join((*path, entry.name))),
            )
            for entry in super().entries(path)
        ]


@pytest.mark.parametrize(
    ("path", "dates", "expected"),
    [
        # A bucket has no directories with dates.
        (f"0.12.3/{ARCHIVE}", {f"0.12.3/{ARCHIVE}": EARLY}, EARLY),
        (f"0.12.3/{ARCHIVE}", {"0.12.3": EARLY}, EARLY),
        # An archive that was replaced in its place.
        (f"0.12.3/{ARCHIVE}", {"0.12.3": EARLY, f"0.12.3/{ARCHIVE}": LATE}, LATE),
        # A copy that has kept the dates of its files.
        (f"0.12.3/{ARCHIVE}", {"0.12.3": LATE, f"0.12.3/{ARCHIVE}": EARLY}, LATE),
        (FLAT, {FLAT: EARLY}, EARLY),
        (f"releases/download/v0.12.3/{ARCHIVE}", {"releases/download/v0.12.3": EARLY}, EARLY),
        (f"0.12.3/{ARCHIVE}", {}, None),
    ],
)
def test_date_of_a_release(path: str, dates: Mapping[str, str], expected: str | None) -> None:
    """A release is as young as its directory or its archive, whichever is younger."""
    others = {f"0.12.3/{ARCHIVE}.sha256": "2026-11-01T00:00:00Z"}
    tree = Dated(path, *(others if path.startswith("0.12.3/") else {}), dates={**others, **dates})

    assert TreeSource(tree, PLATFORM).find(NEWEST).published == expected


def test_date_without_this_platform() -> None:
    """A release for other platforms has a date as well: the latest of its files."""
    other = "0.12.3/uv-aarch64-apple-darwin.tar.gz"
    tree = Dated(other, f"{other}.sha256", dates={other: EARLY, f"{other}.sha256": LATE})

    (release,) = TreeSource(tree, PLATFORM).releases(1)

    assert release.published == LATE


@pytest.mark.parametrize("path", [f"0.12.3/{ARCHIVE}", f"uv/releases/download/v0.12.3/{ARCHIVE}"])
def test_directories_without_slashes(path: str) -> None:
    """What may be a directory, and has the name of one that is looked for, is looked into."""
    tree = Dated(path, "notes", dates={}, told=False)

    assert TreeSource(tree, PLATFORM).find(NEWEST).version == "0.12.3"
    assert "notes" not in tree.listed


@pytest.mark.parametrize(
    "error",
    [UnexpectedBody("latest", "a directory listing", "something else"), StatusRefused("x", 403)],
)
def test_file_that_may_be_a_directory(error: SourceError) -> None:
    """A file that has the name of a directory, on a page without slashes, is passed over."""

    class Mixed(Dated):
        def entries(self, path: Names) -> Sequence[Entry]:
            if path[-1:] in {("latest",), ("0.13.0",)}:
                raise error
            return super().entries(path)

    tree = Mixed("latest", "0.13.0", f"0.12.3/{ARCHIVE}", dates={}, told=False)

    assert TreeSource(tree, PLATFORM).find(NEWEST).version == "0.12.3"


@pytest.mark.parametrize("above", ["", "uv/", "downloads/uv/"])
def test_wheels(above: str) -> None:
    """Wheels are named as such, with where they are."""
    tree = Memory(f"{above}uv-0.13.9-py3-none-win_amd64.whl", name="https://h.example/base/")

    with pytest.raises(WheelsOnly) as caught:
        TreeSource(tree, PLATFORM).find(NEWEST)

    assert caught.value.url == Url.parse(f"https://h.example/base/{above}")


@pytest.mark.parametrize(
    "other", [f"0.12.3/{ARCHIVE}", FLAT, "uv_build-0.13.9-py3-none-any.whl", "ruff-0.1.0-py3.whl"]
)
def test_wheels_beside_releases(other: str) -> None:
    """Archives come first; wheels of other packages are none of uv's."""
    wheels = [] if other.endswith(".whl") else ["uv-0.13.9-py3-none-win_amd64.whl"]
    source = TreeSource(Memory(other, *wheels), PLATFORM)

    if other.endswith(".whl"):
        with pytest.raises(NoSuchVersion):
            source.find(NEWEST)
    else:
        assert source.find(NEWEST).version == "0.12.3"


@pytest.mark.parametrize(
    ("installed", "listed"),
    [
        ("0.12.3", [""]),
        ("0.13.0", [""]),
        ("0.12.2", ["", "0.12.3"]),
        (None, ["", "0.12.3"]),
    ],
)
def test_installed(installed: str | None, listed: list[str]) -> None:
    """Only a directory of a version that would be installed is listed."""
    tree = Memory(f"0.12.3/{ARCHIVE}", f"0.12.2/{ARCHIVE}")
    wanted = replace(NEWEST, installed=installed)
    assert TreeSource(tree, PLATFORM).find(wanted).version == "0.12.3"
    assert tree.listed == listed
