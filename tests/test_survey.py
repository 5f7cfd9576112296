"""What the sources hold, looked at for a person."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from support import binaries
from support.catalogue import INSTALLERS, Catalogue, catalogue
from support.simulator import github, listing, plain
from support.simulator.dialect import Setup
from support.simulator.index import Index
from support.simulator.rows import SERVERS
from support.simulator.server import Simulator, replaced
from support.urls import source_settings
from support.web import Page
from test_policy_rules import USER, rules
from uv_self_update import platforms
from uv_self_update.config.settings import Network, Settings
from uv_self_update.errors import (
    NoSourceAnswered,
    NoSuchVersion,
    SourceError,
    StatusRefused,
    Unreachable,
)
from uv_self_update.releases.release import Release
from uv_self_update.releases.target import NEWEST
from uv_self_update.sources.interface import Source
from uv_self_update.sources.opened import OpenSources
from uv_self_update.workflow.survey import Inspection, Row, inspect, overview

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.homes import Home
    from support.simulator.dialect import Dialect
    from uv_self_update.releases.target import Wanted

PLATFORM = platforms.current()
VERSIONS = ("0.10.1", "1.0.0rc1", "0.10.0", "0.9.9", "0.9.8")


def inspected(simulator: Simulator, home: Home, *, uv: str = "uv") -> Inspection:
    """Look at the newest release of a server."""
    settings = Settings(
        sources=(simulator.dialect.section(simulator.place),), network=Network(timeout=5, retries=0)
    )
    environ = home.full_environ({"UV_HTTP_RETRIES": "0"})
    with closing(OpenSources(settings, uv=home.path / uv, environ=environ)) as opened:
        source = opened.all[0]
        return inspect(source, source.find(NEWEST), PLATFORM)


def without(releases: Catalogue, *names: str) -> Catalogue:
    """Take files out of every release."""
    return Catalogue(
        releases=tuple(
            replace(release, files=tuple(file for file in release.files if file.name not in names))
            for release in releases.releases
        )
    )


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.__name__)
def test_inspect(server: type[Dialect], home: Home) -> None:
    """Everything that a release can have is found, and none of its files is read to the end."""
    with Simulator(server(catalogue(*VERSIONS), Setup())) as simulator:
        assert inspected(simulator, home) == Inspection(
            versions=("1.0.0rc1", "0.10.1", "0.10.0"),
            more=True,
            archive=True,
            wheel=False,
            installer=True,
            digest="sha256",
        )


def test_inspect_less(home: Home) -> None:
    """What is missing is said to be missing."""
    releases = without(catalogue("0.10.1", sidecars=()), *INSTALLERS)
    with Simulator(listing.NginxHtml(releases, Setup())) as simulator:
        found = inspected(simulator, home)
    assert found == Inspection(
        versions=("0.10.1",), more=False, archive=True, wheel=False, installer=False, digest=None
    )


def test_inspect_list_that_promises_too_much(home: Home) -> None:
    """A file that is listed and cannot be had is not there."""
    with Simulator(github.Github(catalogue("0.10.1"), Setup())) as simulator:
        simulator.fault = replaced(Page(status=404), file=PLATFORM.archive)
        found = inspected(simulator, home)
    assert (found.archive, found.digest, found.installer) == (False, None, True)


def test_inspect_others_are_hidden(home: Home) -> None:
    """That older versions cannot be listed is no reason to refuse the newest."""
    with Simulator(listing.NginxHtml(catalogue("0.9.9", "0.10.1"), Setup())) as simulator:
        simulator.fault = lambda asked, truth: (
            Page(status=403) if asked.path.startswith("/0.9.9/") else truth
        )
        found = inspected(simulator, home)
    assert (found.versions, found.more, found.archive) == (("0.10.1",), False, True)


@pytest.mark.parametrize("status", [401, 403, 500])
def test_inspect_refused(home: Home, status: int) -> None:
    """A file that is refused is an error."""
    with Simulator(github.Github(catalogue("0.10.1"), Setup())) as simulator:
        simulator.fault = replaced(Page(status=status), file=PLATFORM.archive)
        with pytest.raises(StatusRefused) as caught:
            inspected(simulator, home)
    assert caught.value.status == status


def test_inspect_wheel(home: Home) -> None:
    """An index has wheels, which uv checks, and no installer."""
    uv = str(binaries.executables("0.8.24") / "uv")
    with Simulator(Index(catalogue(*VERSIONS), Setup())) as simulator:
        found = inspected(simulator, home, uv=uv)
    assert found == Inspection(
        versions=("0.10.1", "0.10.0", "0.9.9"),
        more=True,
        archive=True,
        wheel=True,
        installer=False,
        digest="sha256",
        dated=False,
    )


class Scripted(Source):
    """A source that has what it is told."""

    def __init__(self, name: str, *found: Release, error: SourceError | None = None) -> None:
        """Keep the releases, or the failure."""
        self.name = name
        self._found = found
        self._error = error

    def find(self, wanted: Wanted) -> Release:
        """Is not asked."""
        raise NotImplementedError

    def releases(self, limit: int) -> tuple[Release, ...]:
        """Return what there is."""
        if self._error is not None:
            raise self._error
        return self._found[:limit]


def release(version: str) -> Release:
    """Return a release."""
    return Release(version=version, tag=version, published="2026-01-29T20:24:46Z")


def rows(*sources: Source, installed: str | None = None, limit: int = 10) -> list[tuple[str, str]]:
    """Return version and source of each row."""
    found = overview(sources, platform=PLATFORM, installed=installed, limit=limit)
    return [(row.version, row.source) for row in found]


def down(name: str) -> Scripted:
    """Return a source that does not answer."""
    return Scripted(name, error=Unreachable(f"https://{name}/", "timed out"))


def test_overview_order() -> None:
    """The newest version comes first, by PEP 440; for one version the sources keep their order."""
    a = Scripted("a", release("0.9.9"), release("0.10.0"))
    b = Scripted("b", release("1.0.0rc1"), release("0.10.0"), release("1.0.0"))
    assert rows(a, b) == [
        ("1.0.0", "b"),
        ("1.0.0rc1", "b"),
        ("0.10.0", "a"),
        ("0.10.0", "b"),
        ("0.9.9", "a"),
    ]
    assert rows(a, b, limit=1) == [("1.0.0rc1", "b"), ("0.9.9", "a")]


def test_overview_without_dates(caplog: pytest.LogCaptureFixture) -> None:
    """A rule about the age that a source has no dates for is named once, with its file."""
    undated = [Release(version=version, tag=version) for version in ("0.9.9", "0.10.0")]
    sources = [Scripted("a", *undated), Scripted("b", release("0.9.9"))]
    policy = rules(min_age="3 days")
    overview(sources, platform=PLATFORM, installed=None, limit=9, policy=policy)
    assert [record.getMessage() for record in caplog.records] == [
        f"policy.min-age in {USER} hides releases of a: it gives no dates for them"
    ]


def test_overview_row() -> None:
    """A row says all that is known."""
    (row,) = overview(
        [Scripted("a", release("1.0.0rc1"))], platform=PLATFORM, installed="1.0.0rc1", limit=1
    )
    assert row == Row(
        version="1.0.0rc1",
        source="a",
        published="2026-01-29T20:24:46Z",
        complete=True,  # what is no archive source names only what fits
        allowed=False,
        rule="pre-release",
        installed=True,
    )


@pytest.fixture
def lists(home: Home) -> Iterator[OpenSources]:
    """Yield sources of two kinds, one of which lists no files."""
    releases = catalogue("0.10.0", "0.10.1", incomplete={"0.10.1"})
    with (
        Simulator(github.Github(releases, Setup())) as first,
        Simulator(plain.UrlsText(catalogue("0.9.9"), Setup())) as second,
    ):
        sections = tuple(one.dialect.section(one.place) for one in (first, second))
        settings = Settings(sources=sections, network=Network(timeout=5, retries=0))
        with closing(OpenSources(settings, uv=home.path, environ={})) as opened:
            yield opened


def test_overview_complete(lists: OpenSources) -> None:
    """Whether a release is complete is told by its files, where these are listed."""
    found = overview(lists.all, platform=PLATFORM, installed=None, limit=10)
    assert [(row.version, row.complete, row.allowed) for row in found] == [
        ("0.10.1", False, True),
        ("0.10.0", True, True),
        ("0.9.9", None, True),
    ]


def test_overview_one_fails(caplog: pytest.LogCaptureFixture) -> None:
    """One source that fails is a warning, and the others are listed."""
    with caplog.at_level(logging.WARNING):
        assert rows(down("a"), Scripted("b", release("0.9.9"))) == [("0.9.9", "b")]
    assert caplog.messages == ["failed to fetch `https://a/`: timed out"]


def test_overview_one_is_empty(caplog: pytest.LogCaptureFixture) -> None:
    """So is one that has nothing."""
    with caplog.at_level(logging.WARNING):
        assert rows(Scripted("a"), Scripted("b", release("0.9.9"))) == [("0.9.9", "b")]
    assert caplog.messages == ["a has no release of uv"]


def test_overview_only_one_and_it_fails() -> None:
    """The failure of the only source is the failure."""
    with pytest.raises(Unreachable):
        rows(down("a"))
    with pytest.raises(NoSuchVersion, match="a has no release of uv"):
        rows(Scripted("a"))


def test_overview_all_fail(caplog: pytest.LogCaptureFixture) -> None:
    """If all fail, there is one report with a line for each, and no warning beside it."""
    with pytest.raises(NoSourceAnswered) as caught:
        rows(down("a"), Scripted("b"))
    assert str(caught.value).splitlines() == [
        "all sources failed:",
        "  failed to fetch `https://a/`: timed out",
        "  b has no release of uv",
    ]
    assert caplog.messages == []


def test_overview_examines(home: Home) -> None:
    """A URL whose kind nobody said is examined."""
    with Simulator(listing.NginxHtml(catalogue(*VERSIONS), Setup())) as simulator:
        section = source_settings(kind="auto", url=f"{simulator.url}/")
        settings = Settings(sources=(section,), network=Network(timeout=5, retries=0))
        with closing(OpenSources(settings, uv=home.path, environ={})) as opened:
            assert rows(*opened.all, limit=2) == [
                ("1.0.0rc1", f"{simulator.url}/"),
                ("0.10.1", f"{simulator.url}/"),
            ]
