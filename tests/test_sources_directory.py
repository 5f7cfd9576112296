"""The source that is a folder: what the contract of all sources does not cover."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.urls import source_settings
from uv_self_update import platforms
from uv_self_update.config.settings import Settings
from uv_self_update.errors import Unreadable
from uv_self_update.releases.target import NEWEST
from uv_self_update.sources.opened import OpenSources

if TYPE_CHECKING:
    from uv_self_update.releases.release import Release

ARCHIVE = platforms.current().archive


def find(path: str) -> Release:
    """Return the newest release of a folder."""
    settings = Settings(sources=(source_settings(kind="directory", path=path),))
    with closing(OpenSources(settings, uv=Path("uv"), environ={})) as opened:
        return opened.find(NEWEST).release


def fill(folder: Path, *versions: str) -> None:
    """Put this machine's archive of some versions into a folder."""
    for version in versions:
        (folder / version).mkdir(parents=True)
        (folder / version / ARCHIVE).write_bytes(b"content")


@pytest.mark.parametrize("name", ["mirror", "a b", "100%25", "ünï", "x#y?z", "\udcff"])
@pytest.mark.parametrize("kind", ["path", "url", "home"])
def test_ways_to_write_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    """A folder is written as a path, as a URL, or below the home, whatever its name."""
    fill(tmp_path / name, "0.9.9", "0.10.0")
    monkeypatch.setenv("HOME", str(tmp_path))
    ways = {"path": tmp_path / name, "url": (tmp_path / name).as_uri(), "home": f"~/{name}"}

    assert find(str(ways[kind])).version == "0.10.0"


def test_links(tmp_path: Path) -> None:
    """A link to a folder is a folder, and one that leads nowhere is not there."""
    fill(tmp_path / "store", "one")
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "0.10.0").symlink_to(tmp_path / "store" / "one")
    (mirror / "0.11.0").symlink_to(tmp_path / "gone")

    assert find(str(mirror)).version == "0.10.0"


@pytest.mark.parametrize(
    ("name", "reason"), [("missing", "No such file or directory"), ("file", "Not a directory")]
)
def test_no_folder(tmp_path: Path, name: str, reason: str) -> None:
    """What is no folder is named, with what to look at: a share may not be mounted."""
    (tmp_path / "file").touch()

    with pytest.raises(Unreadable, match=reason) as caught:
        find(str(tmp_path / name))

    assert "mounted" in (caught.value.hint or "")
