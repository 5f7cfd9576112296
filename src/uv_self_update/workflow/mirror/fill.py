"""Fill a mirror with releases of a source.

1. The list of the first source that answers is read: one request for most kinds.
2. The releases that are wanted, allowed by the policy, and not complete in the mirror are fetched,
   newest first. Each file is verified before it gets its name. A file that was verified before a
   run was killed is not fetched again.
3. The lists are written: GitHub's JSON, Astral's manifest, the package index, the pages.
4. Old releases are removed, which no list names any more, and so are verified files of a killed run
   that this one did not want.

Nothing is written if nothing is new.
"""

from __future__ import annotations

import logging
from contextlib import closing
from itertools import zip_longest
from typing import TYPE_CHECKING

from uv_self_update.errors import NoSuchVersion
from uv_self_update.releases.target import nearest, ranked
from uv_self_update.sources.interface import ArchiveSource
from uv_self_update.sources.order import first_answer
from uv_self_update.values import frozen, replace
from uv_self_update.workflow.mirror.gather import Gathering, Turn
from uv_self_update.workflow.mirror.layout import (
    DOWNLOADS,
    LINKED,
    PAGE,
    WHEELS,
    beside,
    documents,
    paths_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.releases.policy import Policy
    from uv_self_update.releases.release import Release
    from uv_self_update.sources.interface import Source
    from uv_self_update.sources.opened import OpenSources
    from uv_self_update.workflow.mirror.record import Held, Record, Selection
    from uv_self_update.workflow.mirror.store import Store
    from uv_self_update.workflow.mirror.together import Together

_log = logging.getLogger(__name__)

_EVERY = 10_000
"""More releases than a source has."""


@frozen
class Filled:
    """What a run has changed."""

    source: str
    added: Sequence[str] = ()
    """Versions, newest first; also those that got further files."""

    removed: Sequence[str] = ()
    held: Sequence[str] = ()
    """All versions of the mirror, newest first."""

    size: int = 0
    """The bytes that were fetched."""


def fill(opened: OpenSources, store: Store, selection: Selection, progress: Together) -> Filled:
    """Fill a mirror, and return what has changed; `progress` is told of the sources' downloads.

    Raises:
        MirrorError: The directory cannot be used, or another run is at work.
        SourceError: No source answers, or a file cannot be fetched.
        InstallError: A file is not what its digest says, or no archive of uv.
    """
    with store.locked():
        known = store.record()
        _remove(store, known)
        if selection.url is not None:
            known = replace(known, url=selection.url)
        with progress.task("Reading the list of releases"):
            policy = opened.policy
            source, releases = first_answer(
                opened.all, lambda source: _selected(source, selection, policy)
            )
        gathering = Gathering(
            store,
            source,
            opened=opened,
            selection=selection,
            url=known.url,
            progress=progress,
        )
        with closing(gathering):
            known, added = _gathered(gathering, known, releases)
        store.forget_waiting(release.version for release in releases)
        kept = known if selection.keep is None else known.keeping(selection.keep)
        for held in kept.releases.values():
            for path, content in beside(held).items():
                store.write(path, content)
        for path, content in documents(kept).items():
            store.write(path, content)
        store.remember(kept)
        _remove(store, kept)
        return Filled(
            source=source.name,
            added=[version for version in added if version in kept.releases],
            removed=[*kept.leaving],
            held=[held.version for held in kept.newest_first],
            size=gathering.fetched,
        )


def _gathered(
    gathering: Gathering, known: Record, releases: Sequence[Release]
) -> tuple[Record, list[str]]:
    """Put what is missing of some releases in its place; return the versions that changed."""
    store, added = gathering.store, []
    wanted = [
        (release, before)
        for release in releases
        if (before := known.releases.get(release.version)) is None
        or not _settled(gathering, before, release)
    ]
    turns = []
    for number, (release, before) in enumerate(wanted, 1):
        several = f"{number}/{len(wanted)} " if len(wanted) > 1 else ""
        title = f"{several}uv {release.version}"
        turns.append(Turn(release=release, before=before, title=title))
    for turn, after in zip_longest(turns, turns[1:]):
        before, held = turn.before, gathering.release(turn, after)
        if held is None:
            continue
        _place(store, held)
        if before is None or before.files != held.files or before.wheels != held.wheels:
            added.append(held.version)
            _log.info("Mirrored uv %s (%d files)", held.version, len(held.files) + len(held.wheels))
        known = replace(known, releases={**known.releases, held.version: held})
        store.remember(known)
        store.release_done(held.version)
    return known, added


def _selected(source: Source, selection: Selection, policy: Policy) -> list[Release]:
    """Return the releases of a source that are wanted and allowed, reading no more than needed."""
    wanted, limit = selection.wanted.under(policy), selection.limit or _EVERY
    count = limit
    while True:
        listing = source.listing if isinstance(source, ArchiveSource) else source.releases
        releases = listing(count)
        by_version = {release.version: release for release in releases}
        found = [
            by_version[version]
            for version in ranked(by_version, wanted)
            if source.objection(by_version[version], policy) is None
        ][:limit]
        if len(found) == limit or len(releases) < count:
            break
        count = min(count * 4, _EVERY)
    if not found:
        raise NoSuchVersion(source.name, str(wanted), nearest(by_version, wanted))
    return found


def _settled(gathering: Gathering, held: Held, release: Release) -> bool:
    """Return whether the mirror has all that a source has of a release, as far as a list tells."""
    asked, wanted = frozenset(held.asked), gathering.triples
    if asked and not (wanted and wanted <= asked):
        return False
    if held.listed != release.published or not held.complete:
        return False
    if gathering.wheels and not held.wheels:
        return False
    if gathering.lacks(release, held):
        return False
    return all(gathering.store.has(path, file) for path, file in paths_of(held).items())


def _place(store: Store, held: Held) -> None:
    """Put the files of a release in their places: digests first, archives last, then the page."""
    small = beside(held)
    pages = {path for path in small if path.endswith(PAGE)}
    for path in small.keys() - pages:
        store.write(path, small[path])
    # `uv-installer.sh` sorts behind the archives, and has to be there before them.
    for name in sorted(held.files, key=lambda name: (not name.startswith("uv-installer"), name)):
        for place in (DOWNLOADS, LINKED):
            path = f"{place}/{held.version}/{name}"
            waiting = store.waiting(held.version, name)
            if waiting.exists():
                store.put(waiting, path)
    for name in held.wheels:
        waiting = store.waiting(held.version, name)
        if waiting.exists():
            store.put(waiting, f"{WHEELS}/{name}")
    for path in pages:
        store.write(path, small[path])


def _remove(store: Store, known: Record) -> None:
    """Remove the releases that no list names any more."""
    if known.leaving:
        for version, held in known.leaving.items():
            store.remove(version, [f"{WHEELS}/{name}" for name in held.wheels])
        store.remember(replace(known, leaving={}))
