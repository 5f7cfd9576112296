"""How the right release of a list is found, and what it is checked against."""

from __future__ import annotations

import hashlib
import logging
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from uv_self_update.errors import (
    DigestMismatch,
    NoArchive,
    NoSuchVersion,
    StatusRefused,
    TooLarge,
    UnexpectedBody,
)
from uv_self_update.network.responses import Download
from uv_self_update.platforms import Platform
from uv_self_update.releases.digests import DigestRules
from uv_self_update.releases.release import Asset, Release
from uv_self_update.releases.target import NEWEST, Wanted, parse_target
from uv_self_update.sources import catalog
from uv_self_update.sources.catalog import CatalogSource
from uv_self_update.sources.formats.documents import checked

if TYPE_CHECKING:
    from collections.abc import Iterator

PLATFORM = Platform(triple="x86_64-unknown-linux-gnu")
ARCHIVE = PLATFORM.archive
CONTENT = b"the archive"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
OTHER = "0" * 64


class Listed(CatalogSource):
    """A source with the releases that it is given, and the files beside the archive."""

    name = "the mirror"

    def __init__(self, releases: list[Release], files: dict[str, bytes] | None = None) -> None:
        super().__init__(PLATFORM)
        self._releases = releases
        self._files = {ARCHIVE: CONTENT, **(files or {})}
        self.asked = 0
        self.failing = False
        self.detailed_versions: list[str] = []
        self.known: str | None = None

    def listed(self) -> list[Release]:
        """Return the releases."""
        self.asked += 1
        if self.failing:
            raise StatusRefused(self.name, 503, "")
        return self._releases

    def with_files(self, release: Release) -> Release:
        """Take note of it."""
        self.detailed_versions.append(release.version)
        return release

    def checksum(self, release: Release, asset: Asset) -> str | None:
        """Return what the server knows."""
        del release, asset
        return self.known

    @contextmanager
    def fetch(self, release: Release, asset: Asset) -> Iterator[Download]:
        """Send a file."""
        del release
        if asset.name not in self._files:
            raise StatusRefused(asset.name, 404, "")
        body = self._files[asset.name]
        yield Download(url=asset.name, size=len(body), chunks=iter([body]))


def whole(version: str, *more: str) -> Release:
    """Return a release that has this platform's archive."""
    return Release(
        version=version, tag=version, assets=tuple(Asset(name=name) for name in (ARCHIVE, *more))
    )


def partial(version: str) -> Release:
    """Return a release that lacks it."""
    return Release(version=version, tag=version, assets=(Asset(name="uv-installer.sh"),))


@pytest.mark.parametrize("failing", [False, True])
def test_list_that_was_begun(*, failing: bool) -> None:
    """It is the list of the next `find`; after a failure, the one after that requests another."""
    source = Listed([whole("1.0.0")])
    source.failing = failing
    source.list_ahead()

    if failing:
        with pytest.raises(StatusRefused):
            source.find(NEWEST)
        source.failing = False

    assert [source.find(NEWEST).version for _ in range(2)] == ["1.0.0"] * 2
    assert source.asked == 1 + failing


def test_order_is_that_of_versions() -> None:
    """The order of the list says nothing, and it is asked for once."""
    source = Listed([whole("0.9.9"), whole("0.10.0"), whole("1.0.0rc1"), whole("0.9.10")])

    assert source.find(NEWEST).version == "0.10.0"
    assert source.find(parse_target("0.9")).version == "0.9.10"
    assert source.find(Wanted(exact="1.0.0rc1")).version == "1.0.0rc1"
    assert [release.version for release in source.releases(2)] == ["1.0.0rc1", "0.10.0"]
    assert source.asked == 1


def test_release_without_the_archive_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    """The newest that there is for this machine is taken, and what was passed over is noted."""
    source = Listed([partial("0.13.1"), partial("0.13.0"), whole("0.12.9")])

    with caplog.at_level(logging.WARNING):
        assert source.find(NEWEST).version == "0.12.9"

    assert caplog.messages == [
        f"Skipping uv 0.13.1, 0.13.0: the mirror has no {ARCHIVE}; using uv 0.12.9"
    ]


def test_releases_of_something_else(caplog: pytest.LogCaptureFixture) -> None:
    """What has no file of uv's is no release of uv, and nobody's business."""
    other = Release(version="2.1.0", tag="v2.1.0", assets=(Asset(name="tool.zip"),))

    with caplog.at_level(logging.WARNING):
        assert Listed([other, whole("0.12.9")]).find(NEWEST).version == "0.12.9"

    assert caplog.messages == []
    with pytest.raises(NoSuchVersion) as caught:
        Listed([other]).find(NEWEST)
    assert not isinstance(caught.value, NoArchive)
    assert caught.value.nearest == ()


def test_nothing_is_noted_when_nothing_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    """An older release that lacks something is nobody's business."""
    source = Listed([whole("0.13.1"), partial("0.13.0")])

    with caplog.at_level(logging.WARNING):
        assert source.find(NEWEST).version == "0.13.1"

    assert caplog.messages == []


@pytest.mark.parametrize("target", [None, "0.13.1", "0.13"])
def test_no_release_has_the_archive(target: str | None) -> None:
    """What is there, but not for this machine, is called that, with the file and the versions."""
    source = Listed([partial("0.13.1")])

    with pytest.raises(NoArchive, match=f"{ARCHIVE} is missing from 0.13.1") as caught:
        source.find(NEWEST if target is None else parse_target(target))

    assert caught.value.exit_code == 7


def test_search_for_an_archive_ends() -> None:
    """Not every release is looked at: each may cost a request."""
    source = Listed([partial(f"0.12.{patch}") for patch in range(100)] + [whole("0.11.0")])

    with pytest.raises(NoArchive) as caught:
        source.find(NEWEST)

    assert len(source.detailed_versions) == 25
    assert caught.value.nearest == ("0.12.74", "0.12.73", "0.12.72")


def test_unlisted_files_are_taken_to_be_there() -> None:
    """A source that cannot list files is believed until it is asked for one."""
    source = Listed([Release(version="0.12.3", tag="0.12.3")])

    assert source.find(NEWEST).version == "0.12.3"


def test_one_version_twice() -> None:
    """Of two releases with one version, that with the archive is taken."""
    for releases in ([partial("0.12.3"), whole("0.12.3")], [whole("0.12.3"), partial("0.12.3")]):
        assert Listed(releases).find(NEWEST).asset(ARCHIVE) is not None


def test_empty() -> None:
    """A list with nothing in it is a mirror without releases."""
    with pytest.raises(NoSuchVersion) as caught:
        Listed([]).find(NEWEST)
    assert caught.value.nearest == ()


@pytest.mark.parametrize(("releases", "files"), [(6, 0), (3, 7), (1, 16)])
def test_list_without_end(releases: int, files: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list with too many releases, or too many files in all, is refused; one fewer is read."""
    monkeypatch.setattr(catalog, "_MAX_RELEASES", 5)
    monkeypatch.setattr(catalog, "MAX_ENTRIES", 15)
    some = tuple(Asset(name=f"uv-{number}") for number in range(files))
    found = [Release(version=f"1.{n}.0", tag="", assets=some) for n in range(releases)]

    with pytest.raises(TooLarge, match="limit of 15 files" if files else "limit of 5 releases"):
        _ = Listed(found).by_version
    fewer = [*found[:-1], Release(version="2.0.0", tag="", assets=some[:1])] if files else found[1:]
    assert Listed(fewer).by_version


SUMS = {
    "listed": ({}, DIGEST, None),
    "own file": ({f"{ARCHIVE}.sha256": f"{DIGEST} *{ARCHIVE}\n".encode()}, None, None),
    "own file, another name": ({f"{ARCHIVE}.sha256": f"{DIGEST}  x\n".encode()}, None, None),
    "own file, digest alone": ({f"{ARCHIVE}.sha256": DIGEST.upper().encode()}, None, None),
    "common file": (
        {"sha256.sum": f"{OTHER} *else\n{DIGEST} *{ARCHIVE}\n".encode()},
        None,
        None,
    ),
    "the server's": ({}, None, DIGEST),
    "the installer's": (
        {"uv-installer.sh": f'"{ARCHIVE}")\n_checksum_value="{DIGEST}"\n;;'.encode()},
        None,
        None,
    ),
    "the server's, beside an empty list": ({"sha256.sum": f"{OTHER} *else".encode()}, None, DIGEST),
}


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("case", SUMS)
def test_digest(case: str, *, right: bool) -> None:
    """A file is checked against the digest that stands nearest to it."""
    files, listed, known = SUMS[case]

    def wrong(text: str) -> str:
        return text if right else text.replace(DIGEST, "f" * 64).replace(DIGEST.upper(), "F" * 64)

    files = {name: wrong(body.decode()).encode() for name, body in files.items()}
    release = whole("0.12.3", *files)
    source = Listed([release], files)
    source.known = None if known is None else wrong(known)
    asset = Asset(name=ARCHIVE, sha256=None if listed is None else wrong(listed))

    with source.open(release, asset) as download:
        if right:
            assert (
                b"".join(checked(download, asset, version="1.0.0", rules=DigestRules())) == CONTENT
            )
        else:
            with pytest.raises(DigestMismatch):
                b"".join(checked(download, asset, version="1.0.0", rules=DigestRules()))


PLACES = ("the list", f"{ARCHIVE}.sha256", "sha256.sum", "the server", "uv-installer.sh")
"""The places of a digest, in order."""


@pytest.mark.parametrize("first", PLACES)
def test_order_of_digests(first: str) -> None:
    """If each place has another digest, the first one counts."""
    digests = {place: f"{number:064x}" for number, place in enumerate(PLACES)}
    known = {place: digests[place] for place in PLACES[PLACES.index(first) :]}
    script = '"{0}")\n_checksum_value="{1}"\n;;'
    files = {
        name: (script if name == PLACES[-1] else "{1}  {0}\n").format(ARCHIVE, digest).encode()
        for name, digest in known.items()
        if "." in name
    }
    release = whole("0.12.3", *files)
    source = Listed([release], files)
    source.known = known.get("the server")

    with source.open(release, Asset(name=ARCHIVE, sha256=known.get("the list"))) as download:
        assert download.sha256 == digests[first]


def test_list_of_other_archives() -> None:
    """A list of digests without this platform's archive is an error, not a reason to check none."""
    release = whole("0.12.3", "sha256.sum")
    source = Listed([release], {"sha256.sum": f"{OTHER} *else".encode()})

    with (
        pytest.raises(UnexpectedBody, match="a list without it"),
        source.open(release, Asset(name=ARCHIVE)),
    ):
        pass


def test_list_with_an_unreadable_line() -> None:
    """A line that is no digest may be a damaged one, so that the list is an error."""
    release = whole("0.12.3", "sha256.sum")
    source = Listed([release], {"sha256.sum": f"{DIGEST} *{ARCHIVE}\nabc else\n".encode()})

    with (
        pytest.raises(UnexpectedBody, match="a list of sha256 sums"),
        source.open(release, Asset(name=ARCHIVE)),
    ):
        pass


def test_sums_that_are_listed_and_not_there() -> None:
    """A list that was copied names more than was copied with it: that is no failure."""
    release = whole("0.12.3", f"{ARCHIVE}.sha256", "sha256.sum")
    source = Listed([release])

    with source.open(release, Asset(name=ARCHIVE)) as download:
        assert download.sha256 is None


@pytest.mark.parametrize("body", [b"<html>", b"", f"{DIGEST}  a\n{OTHER}  b\n".encode()])
def test_sums_that_are_none(body: bytes) -> None:
    """A digest that cannot be understood is not passed over."""
    release = whole("0.12.3", f"{ARCHIVE}.sha256")
    source = Listed([release], {f"{ARCHIVE}.sha256": body})

    with pytest.raises(UnexpectedBody), source.open(release, Asset(name=ARCHIVE)):
        pass


def test_digest_of_the_download() -> None:
    """A digest in a header counts where no other is known."""
    download = Download(url="u", size=None, chunks=iter([CONTENT]), sha256=OTHER)
    with pytest.raises(DigestMismatch):
        b"".join(checked(download, Asset(name=ARCHIVE), version="1.0.0", rules=DigestRules()))
    fresh = replace(download, chunks=iter([CONTENT]))
    assert (
        b"".join(
            checked(fresh, Asset(name=ARCHIVE, sha256=DIGEST), version="1.0.0", rules=DigestRules())
        )
        == CONTENT
    )
