"""What a mirror is to have, and what it holds.

The record is the document that the next run, and `--check`, compare files with.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from uv_self_update.errors import MirrorUnusable
from uv_self_update.platforms import triple_of
from uv_self_update.releases.target import NEWEST, newest_first
from uv_self_update.values import field, frozen, replace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from uv_self_update.releases.target import Wanted

_FORMAT = 1


@frozen
class Selection:
    """The releases and files to mirror."""

    wanted: Wanted = NEWEST
    limit: int | None = 1
    """How many of the newest wanted releases; None for all."""

    triples: frozenset[str] = frozenset()
    """The target triples; empty for all."""

    url: str | None = None
    """Where the mirror is served, ending in `/`; None for the one of the last run."""

    keep: int | None = None
    """How many releases remain; None for all."""

    wheels: bool = True
    """Whether the mirror is a package index as well."""


@frozen
class File:
    """One file of a mirror."""

    sha256: str
    size: int
    """Bytes."""


@frozen
class Held:
    """One release of a mirror."""

    version: str
    published: str
    """RFC 3339 in UTC; when it was mirrored, if the source gives no date."""

    source: str
    """The name of the source, without secrets."""

    listed: str | None = None
    """The date in the list of the source, which shows whether its files may have changed."""

    complete: bool = True
    """Whether the source had every file that it listed."""

    asked: tuple[str, ...] = ()
    """The requested platforms; empty for all."""

    own: tuple[str, ...] = ()
    """The installers that were made here, because the source has none."""

    files: Mapping[str, File] = field(default_factory=dict)
    """Archives and installers, by name."""

    wheels: Mapping[str, File] = field(default_factory=dict)
    """The wheels of the index, by name."""

    @property
    def triples(self) -> frozenset[str]:
        """The platforms of its archives."""
        return frozenset(filter(None, map(triple_of, self.files)))


@frozen
class Record:
    """The releases of a mirror, and where it is served."""

    url: str | None = None
    """The URL of the directory, ending in `/`."""

    releases: Mapping[str, Held] = field(default_factory=dict)
    """By version."""

    leaving: Mapping[str, Held] = field(default_factory=dict)
    """Releases that no list names any more, and whose files are to be removed."""

    @property
    def newest_first(self) -> list[Held]:
        """The releases, in the order of PEP 440."""
        return [self.releases[version] for version in newest_first(self.releases)]

    def keeping(self, count: int) -> Record:
        """Return the record with the newest releases only; the others leave."""
        gone = newest_first(self.releases)[count:]
        kept = {name: held for name, held in self.releases.items() if name not in gone}
        return replace(self, releases=kept, leaving={name: self.releases[name] for name in gone})

    def encode(self) -> bytes:
        """Return the document; the same record gives the same bytes."""
        document = {
            "format": _FORMAT,
            "url": self.url,
            "releases": {held.version: _entry(held) for held in self.newest_first},
            "leaving": {version: _entry(held) for version, held in self.leaving.items()},
        }
        return (json.dumps(document, indent=1) + "\n").encode()


def read(path: Path) -> Record:
    """Read the record of a mirror; an empty one for an empty directory.

    Raises:
        MirrorUnusable: It cannot be read, or another version of this package wrote it.
    """
    try:
        document = json.loads(path.read_bytes())
        if document["format"] != _FORMAT:
            raise MirrorUnusable(path.parents[1], f"{path} has another format")
        groups = {
            group: {name: _held(entry) for name, entry in document[group].items()}
            for group in ("releases", "leaving")
        }
        return Record(url=document["url"], **groups)
    except FileNotFoundError:
        return Record()
    except OSError as error:
        raise MirrorUnusable(path.parents[1], str(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MirrorUnusable(path.parents[1], f"{path} is damaged") from error


def _entry(held: Held) -> dict[str, Any]:
    groups = {"files": held.files, "wheels": held.wheels}
    files = {
        group: {name: vars(file) for name, file in sorted(found.items())}
        for group, found in groups.items()
    }
    return {**vars(held), **files}


def _held(entry: dict[str, Any]) -> Held:
    parts = {
        name: {key: File(**value) for key, value in entry[name].items()}
        for name in ("files", "wheels")
    }
    lists = {name: tuple(entry[name]) for name in ("asked", "own")}
    return Held(**{**entry, **parts, **lists})
