"""Several sources: made from the settings, tried in order, closed together."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.urls import source_settings
from support.web import Page
from uv_self_update.auth.credentials import Credentials
from uv_self_update.config.kinds import KINDS, SourceSettings
from uv_self_update.config.settings import Network, Settings
from uv_self_update.errors import (
    IndexFailed,
    NoSourceAnswered,
    NoSuchVersion,
    SourceError,
    Unreachable,
    UvNotRunnable,
    UvSelfUpdateError,
)
from uv_self_update.network.client import Upstream
from uv_self_update.platforms import Platform
from uv_self_update.releases.release import Release
from uv_self_update.releases.target import NEWEST, Wanted
from uv_self_update.sources import context as sources
from uv_self_update.sources.astral import AstralSource
from uv_self_update.sources.context import Context
from uv_self_update.sources.detection.detect import DetectedSource
from uv_self_update.sources.gitea import GiteaSource
from uv_self_update.sources.github import GithubSource
from uv_self_update.sources.gitlab import GitlabSource
from uv_self_update.sources.index.source import IndexSource
from uv_self_update.sources.index.wheels import TreeOrWheels
from uv_self_update.sources.interface import Source
from uv_self_update.sources.opened import OpenSources
from uv_self_update.sources.order import Found, find_in_order
from uv_self_update.sources.proxied import ManifestOrTree
from uv_self_update.sources.tree import TreeSource
from uv_self_update.sources.urls import UrlsSource

if TYPE_CHECKING:
    from support.web import Web

RELEASE = Release(version="0.12.3", tag="0.12.3")
WANTED = Wanted(exact="0.12.3")


class Scripted(Source):
    """A source that answers as it is told."""

    def __init__(self, name: str, answer: Release | UvSelfUpdateError) -> None:
        """Keep the answer."""
        self.name = name
        self._answer = answer
        self.asked: list[Wanted] = []

    def find(self, wanted: Wanted) -> Release:
        """Give the answer."""
        self.asked.append(wanted)
        if isinstance(self._answer, Release):
            return self._answer
        raise self._answer

    def releases(self, limit: int) -> tuple[Release, ...]:
        """Is not asked."""
        raise NotImplementedError


def lacking(name: str, *nearest: str) -> Scripted:
    """Return a source that does not have what is wanted."""
    return Scripted(name, NoSuchVersion(name, str(WANTED), nearest))


def unreachable(name: str) -> Scripted:
    """Return a source that does not answer."""
    return Scripted(name, Unreachable(f"https://{name}/", "timed out"))


@pytest.mark.parametrize("failing", [(), (lacking,), (unreachable,), (unreachable, lacking)])
def test_first_that_has_it(failing: tuple[object, ...]) -> None:
    """The first source that has the release is taken, and those behind it are not asked."""
    before = [lacking("a") if make is lacking else unreachable("b") for make in failing]
    good, unneeded = Scripted("good", RELEASE), Scripted("unneeded", RELEASE)
    found = find_in_order([*before, good, unneeded], WANTED)
    assert found == Found(source=good, release=RELEASE)
    assert [source.asked for source in [*before, good]] == [[WANTED]] * (len(before) + 1)
    assert unneeded.asked == []


@pytest.mark.parametrize("source", [lacking("a"), unreachable("a")])
def test_only_source(source: Scripted) -> None:
    """The failure of the only source is the failure."""
    with pytest.raises(SourceError) as caught:
        find_in_order([source], WANTED)
    assert caught.value is source._answer  # noqa: SLF001 # the test's own


def test_none_answers() -> None:
    """If all fail, each failure is told, and each piece of advice once."""
    with pytest.raises(NoSourceAnswered) as caught:
        find_in_order([unreachable("a"), lacking("b", "0.1.0"), unreachable("c")], WANTED)
    assert str(caught.value).splitlines() == [
        "all sources failed:",
        "  failed to fetch `https://a/`: timed out",
        "  b has no uv 0.12.3",
        "  failed to fetch `https://c/`: timed out",
    ]
    assert [type(failure) for failure in caught.value.failures] == [
        Unreachable,
        NoSuchVersion,
        Unreachable,
    ]
    assert (caught.value.hint or "").splitlines() == [
        Unreachable("", "").hint,
        "The nearest versions are 0.1.0.",
    ]


def test_none_has_it() -> None:
    """If all work and none has it, that is what is said, with the nearest of them all."""
    several = [lacking("a", "0.13.0", "0.9.9"), lacking("b"), lacking("c", "0.10.0", "0.9.9")]
    with pytest.raises(NoSuchVersion) as caught:
        find_in_order(several, WANTED)
    assert str(caught.value) == "each of a and b and c has no uv 0.12.3"
    assert caught.value.nearest == ("0.13.0", "0.10.0", "0.9.9")
    assert caught.value.exit_code == 7


def test_failure_of_another_kind() -> None:
    """What is no failure of a source is not passed over."""
    broken = Scripted("index", UvNotRunnable(Path("uv"), "no"))
    unneeded = Scripted("unneeded", RELEASE)
    with pytest.raises(UvNotRunnable):
        find_in_order([broken, unneeded], WANTED)
    assert unneeded.asked == []


EXAMPLES = {
    "index": (source_settings(), IndexSource),
    "urls": (source_settings(kind="urls", download="https://h/{tag}/{asset}"), UrlsSource),
    "github": (source_settings(kind="github", url="https://h/o/r"), GithubSource),
    "astral": (source_settings(kind="astral", url="https://h/"), AstralSource),
    "listing": (source_settings(kind="listing", url="https://h/"), TreeOrWheels),
    "nexus": (source_settings(kind="nexus", url="https://h/repository/uv"), ManifestOrTree),
    "artifactory": (source_settings(kind="artifactory", url="https://h/uv"), ManifestOrTree),
    "gitlab": (source_settings(kind="gitlab", url="https://h/o/r"), GitlabSource),
    "gitea": (source_settings(kind="gitea", url="https://h/o/r"), GiteaSource),
    "s3": (source_settings(kind="s3", url="https://h/bucket"), TreeSource),
    "directory": (source_settings(kind="directory", path="/mnt/uv"), TreeOrWheels),
    "auto": (source_settings(kind="auto", url="https://h/"), DetectedSource),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_made(kind: str) -> None:
    """Each kind that can be configured has a class, and only an index does without a client."""
    section, expected = EXAMPLES[kind]
    settings = Settings(sources=(section,))
    with closing(OpenSources(settings, uv=Path("uv"), environ={})) as opened:
        assert [type(source) for source in opened.all] == [expected]
        assert ("_upstream" in vars(opened)) is (kind not in {"auto", "index"})


@pytest.mark.parametrize(
    "section",
    [source_settings(kind="urls"), source_settings(kind="github"), source_settings(kind="x")],
)
def test_unchecked_section(section: SourceSettings) -> None:
    """A section that was not checked is a mistake in the program."""
    with pytest.raises(AssertionError):
        sources.build(
            section,
            Context(
                upstream=_client,
                cautious=_client,
                platform=Platform(triple="x86_64-unknown-linux-gnu"),
                uv=Path("uv"),
                environ={},
            ),
        )


def _client(_section: SourceSettings) -> Upstream:
    return Upstream(Network(retries=0), Credentials(), environ={})


def test_open_in_order(web: Web) -> None:
    """The configured sources are tried in their order, by one client, which is closed with them."""
    web.pages["/latest"] = Page(body=b"0.12.3")
    template = f"{web.url}/{{asset}}"
    sections = tuple(
        source_settings(kind="urls", latest=f"{web.url}/{path}", download=template)
        for path in ("missing", "latest", "unneeded")
    )
    opened = OpenSources(Settings(sources=sections), uv=Path("uv"), environ={})
    found = opened.find(NEWEST)
    assert found.source is opened.all[1]
    assert found.release.version == "0.12.3"
    assert web.paths() == ["/missing", "/latest"]
    opened.close()
    opened.close()


def test_close_before_anything_was_opened() -> None:
    """Sources that were never needed are closed without being made."""
    opened = OpenSources(Settings(), uv=Path("uv"), environ={})
    opened.close()
    assert "all" not in vars(opened)


def test_index_is_asked_as_the_command_line_says(tmp_path: Path) -> None:
    """uv, asked for an index, gets the options on certificates as variables."""
    uv = tmp_path / "uv"
    uv.write_text('#!/bin/sh\necho "uv==$UV_INSECURE_HOST.$UV_SYSTEM_CERTS" >&2\nexit 1\n')
    uv.chmod(0o755)
    network = Network(insecure_hosts=("a.test", "b.test:8443"), system_certs=True)
    with (
        closing(OpenSources(Settings(network=network), uv=uv, environ={})) as opened,
        pytest.raises(IndexFailed, match=r"uv==a\.test b\.test:8443\.true"),
    ):
        opened.find(NEWEST)
