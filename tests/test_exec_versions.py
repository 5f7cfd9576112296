"""Which version and which file uv takes of a private release, as it would of any index."""

from __future__ import annotations

import json
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from support.simulator.packages import ReleaseOf, wheel
from support.stand import FILES, INTERNAL, done, locked

if TYPE_CHECKING:
    from support.stand import Stand


def publish(stand: Stand, *files: tuple[str, bytes], **more: str) -> ReleaseOf:
    """Publish a release of files, the newest."""
    made = ReleaseOf(tag=f"r{len(stand.packages.releases)}", files=dict(files))
    for name, value in more.items():
        setattr(made, name, value)
    stand.packages.releases.insert(0, made)
    return made


def version(stand: Stand, *options: str) -> str:
    """Lock, and return the version of ours that was taken."""
    done(stand.run("uv", "lock", *options))
    return locked(stand)["internal-package"].split()[0]


def files_of(stand: Stand, name: str) -> list[str]:
    """Return the files of a package that the lock holds."""
    packages = tomllib.loads(stand.lock.read_text())["package"]
    (package,) = (one for one in packages if one["name"] == name)
    files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else [])]
    assert all(file["hash"].startswith("sha256:") and file["size"] for file in files)
    return sorted(file["url"].rpartition("/")[2] for file in files)


def test_requires_python(stand: Stand) -> None:
    """A version for another Python is not installed, which its metadata alone says."""
    publish(stand, wheel("internal-package", "2.0", python=">=4"))

    done(stand.run("uv", "sync"))

    listed = json.loads(done(stand.plain("uv", "pip", "list", "--format", "json")).out)
    assert {"name": "internal-package", "version": "1.1.0"} in listed


def test_exclude_newer(stand: Stand) -> None:
    """`--exclude-newer` compares the date of the asset."""
    publish(stand, wheel("internal-dep", "2.0"), updated="2026-10-01T00:00:00Z")
    stand.write("internal-dep")

    done(stand.run("uv", "lock", "--exclude-newer", "2026-09-15T00:00:00Z"))
    assert locked(stand)["internal-dep"].startswith("1.0.0 ")
    done(stand.run("uv", "lock", "--upgrade", "--exclude-newer", "2026-10-15T00:00:00Z"))
    assert locked(stand)["internal-dep"].startswith("2.0 ")


def test_markers_and_platforms(stand: Stand) -> None:
    """The lock holds the files of every platform, and a sync takes this one's only."""
    tags = ("cp38-abi3-win_amd64", "cp38-abi3-manylinux_2_17_x86_64", "cp38-abi3-macosx_11_0_arm64")
    files = [wheel("internal-fast", "1.0", tag=tag) for tag in tags]
    files += [("internal_fast-1.0.tar.gz", b"sdist"), wheel("internal-win", "1.0")]
    files += [wheel("internal-fast", "1.0", tag="py3-none-any")]
    publish(stand, *files)
    stand.write("internal-fast", "internal-win; sys_platform == 'win32'")

    done(stand.run("uv", "sync"))

    assert files_of(stand, "internal-fast") == sorted(name for name, _ in files if "fast" in name)
    assert files_of(stand, "internal-win") == ["internal_win-1.0-py3-none-any.whl"]
    listed = json.loads(done(stand.plain("uv", "pip", "list", "--format", "json")).out)
    assert [one["name"] for one in listed] == ["internal-fast"]
    if sys.platform == "linux":
        assert len(stand.packages.storage.asked) <= 4  # its metadata, and one wheel


def test_local_version(stand: Stand) -> None:
    """A `+local` version is newer than the public one, and its name is quoted in the URL."""
    publish(stand, wheel("internal-package", "1.1.0+corp.2"))

    assert version(stand) == "1.1.0+corp.2"
    done(stand.run("uv", "sync", "--locked"))
    assert files_of(stand, "internal-package") == [
        "internal_package-1.1.0%2Bcorp.2-py3-none-any.whl"
    ]


def test_yanked(stand: Stand) -> None:
    """A release with `[YANKED]` in its title is ignored unless pinned, and its reason shown."""
    publish(
        stand,
        wheel("internal-package", "2.0"),
        title="2.0 [Yanked]",
        body="Deletes the database.\nSorry.",
    )

    assert version(stand) == "1.1.0"
    stand.write("internal-package==2.0")
    answer = done(stand.run("uv", "sync"))
    assert "Deletes the database." in answer.err
    assert "Sorry." not in answer.err


def test_prerelease_versions(stand: Stand) -> None:
    """A pre-release by its version is uv's affair: it is served, and taken where allowed."""
    publish(stand, wheel("internal-package", "2.0a1"))

    assert version(stand) == "1.1.0"
    assert version(stand, "--upgrade", "--prerelease", "allow") == "2.0a1"


@pytest.mark.parametrize("digests", [True, False])
def test_one_file_in_two_releases(stand: Stand, *, digests: bool) -> None:
    """The same file in two releases is one file, also where digests have to be computed."""
    publish(stand, INTERNAL)
    for release in stand.packages.releases:
        release.digests = digests

    assert version(stand) == "1.1.0"
    assert files_of(stand, "internal-package") == [INTERNAL[0]]


def test_name_that_is_a_path(stand: Stand) -> None:
    """A name that no distribution can have is passed over."""
    odd = {"../internal_package-9.0.tar.gz": b"", "internal package-9.0.zip": b"", "-9.0.zip": b""}
    publish(stand, *odd.items())

    assert version(stand) == "1.1.0"
    assert {*FILES} == {*stand.packages.releases[1].files}
