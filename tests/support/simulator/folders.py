"""The files of a catalogue in folders, for servers that know nothing of releases."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from support.catalogue import SUM, File

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.catalogue import Catalogue, Published
    from support.simulator.dialect import Layout, Names, Setup

ASTRAL: Names = ("github", "uv", "releases", "download")
"""Where releases.astral.sh keeps the versions."""

_ABOVE: Mapping[Layout, Names] = {"download": ("releases", "download"), "astral": ASTRAL}
_NOISE = ("archive & old", "README 1.2.3.md")
"""What else lies about: a folder and a file that are no releases."""


@dataclass(frozen=True, kw_only=True)
class Folder:
    """What lies in a folder, each in the order of its name, as most servers list it."""

    folders: tuple[str, ...]
    files: tuple[File, ...]


@dataclass(frozen=True, kw_only=True)
class Tree:
    """Every file by its path."""

    files: Mapping[Names, File]

    def folder(self, path: Names) -> Folder | None:
        """Return what lies in a folder; None if there is none."""
        inside = [names for names in self.files if names[: len(path)] == path and names != path]
        if not inside and path:
            return None
        folders = sorted({names[len(path)] for names in inside if len(names) > len(path) + 1})
        files = sorted(names for names in inside if len(names) == len(path) + 1)
        return Folder(
            folders=tuple(folders),
            files=tuple(replace(self.files[names], name=names[-1]) for names in files),
        )


def lay_out(catalogue: Catalogue, setup: Setup) -> Tree:
    """Put every file that has been uploaded into its folder, and something else beside them."""
    above = (*setup.below, *_ABOVE.get(setup.layout, ()))
    files: dict[Names, File] = {}
    for release in catalogue.stored:
        for file in release.files:
            # A list of all sums has the names of the release, and one place for all releases.
            if setup.layout != "flat" or file.name != SUM:
                files[(*above, *_names(release, file, setup.layout))] = file
    if setup.layout != "single":
        note = File(name="note", content=b"nothing", sha256="", date=catalogue.releases[0].date)
        files[(*above, _NOISE[0], "uv.txt")] = files[(*above, _NOISE[1])] = note
    return Tree(files=files)


def _names(release: Published, file: File, layout: Layout) -> Names:
    match layout:
        case "flat":
            start, hyphen, end = file.name.partition("-")
            return (f"{start}-{release.version}{hyphen}{end}",)
        case "single":
            return (file.name,)
        case "tagged":
            return (f"v{release.version}", file.name)
        case _:
            return (release.version, file.name)
