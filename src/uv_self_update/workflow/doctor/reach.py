"""Checks of the sources: each is asked what an update would ask it, with the user's credentials."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from uv_self_update import __version__
from uv_self_update.errors import NoArchive, UnexpectedBody, UvSelfUpdateError
from uv_self_update.network.proxies import Proxies
from uv_self_update.releases.target import NEWEST
from uv_self_update.sources.interface import ArchiveSource, WheelSource
from uv_self_update.uv.configuration import read as read_uv_toml
from uv_self_update.workflow.doctor.finding import Finding, problem, warning
from uv_self_update.workflow.survey import without_dates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from uv_self_update.releases.release import Asset, Release
    from uv_self_update.sources.index.uv_pip import UvPip
    from uv_self_update.sources.interface import Source
    from uv_self_update.sources.opened import OpenSources
    from uv_self_update.url import Url

_MAGIC = (b"\x1f\x8b", b"PK\x03\x04")
"""The first bytes of a gzip stream (RFC 1952) and of a zip archive."""

_NAME = "uv-self-update"


def source(number: int, opened: OpenSources, *, installed: str | None) -> Iterator[Finding]:
    """Report what a source would give to an update, or why it gives nothing."""
    topic = f"source.{number}"
    try:
        answering = opened.all[number].itself()
        release = answering.find(NEWEST.under(opened.policy))
        facts = [*_facts(answering, release, opened)]
        yield Finding(topic=topic, text=f"{answering.name}: {', '.join(facts)}")
        yield from _surprises(answering, release, opened)
    except UvSelfUpdateError as error:
        yield problem(topic, error)
        return
    if installed == release.version:
        yield Finding(topic=topic, text=f"uv {installed} is installed; nothing to update")
    elif installed is not None:
        text = f"an update would install uv {release.version} (installed: {installed})"
        yield Finding(topic=topic, text=text)


def _facts(answering: Source, release: Release, opened: OpenSources) -> Iterator[str]:
    """Yield what is known about the newest allowed release; raises SourceError."""
    dated = f", published {release.published[:10]}" if release.published else ""
    yield f"newest uv {release.version}{dated}"
    if isinstance(answering, WheelSource):
        yield f"wheels with {answering.digest_algorithm(release) or 'no digest'}"
    elif isinstance(answering, ArchiveSource):
        name = opened.platform.archive
        asset = release.asset(name)
        if asset is None:
            raise NoArchive(answering.name, f"uv {release.version}", name, [release.version], ())
        digest = _begun(answering, release, asset)
        yield name
        yield "sha256" if digest else "no digest"


def _begun(answering: ArchiveSource, release: Release, asset: Asset) -> str | None:
    """Read the first bytes of an archive, and return its digest if one is published.

    Raises:
        SourceError: The file cannot be read, or is no archive.
    """
    with answering.open(release, asset) as download:
        first = next(iter(download.chunks), b"")
        if not first.startswith(_MAGIC):
            page = first.lstrip()[:1] == b"<"
            got = "a web page" if page else f"{first[:8]!r}"
            raise UnexpectedBody(download.url, "an archive", got)
        return asset.sha256 or download.sha256


def _surprises(answering: Source, release: Release, opened: OpenSources) -> Iterator[Finding]:
    """Yield what the policy hides; raises SourceError."""
    # Of its own accord, uv takes no yanked wheel.
    if not (opened.policy.narrows or isinstance(answering, ArchiveSource)):
        return
    newest = answering.find(NEWEST)
    if newest.version == release.version:
        return
    objection = answering.objection(newest, opened.policy)
    if objection is not None:
        text = f"uv {newest.version} of {answering.name} is hidden: {objection}"
        if objection.undated:
            text = without_dates(answering.name, objection)
        yield warning("policy", text)


def route(url: Url, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Report the proxy through which a source is reached."""
    topic = "proxy"
    try:
        proxies = Proxies.collect(environ, read_uv_toml(environ, windows=os.name == "nt"))
        proxy = proxies.for_url(url)
    except UvSelfUpdateError as error:
        yield problem(topic, error)
        return
    way = "directly" if proxy is None else f"through {proxy.shown}"
    yield Finding(topic=topic, text=f"{url} is reached {way}")


def newer_program(programs: UvPip) -> Iterator[Finding]:
    """Report a newer version of this program on the user's index, if that has one."""
    if found := programs.newer(_NAME, __version__):
        text = f"{_NAME} {found} is available (installed: {__version__})"
        yield warning(_NAME, text, f"Run `uv tool upgrade {_NAME}`.")
