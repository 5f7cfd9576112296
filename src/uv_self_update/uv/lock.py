"""Lock files of uv: where they are, and whether a package of ours was taken from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uv_self_update.uv.configuration import UnusableFile, load
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

NAME = "uv.lock"


@frozen
class Taken:
    """A package that a lock file takes from a registry."""

    name: str
    version: str
    registry: str


def files(directory: Path, scripts: Iterable[Path] = ()) -> Iterator[Path]:
    """Yield the lock file of the project that a directory belongs to, and those of scripts."""
    for place in (directory, *directory.parents):
        if (place / NAME).is_file():
            yield place / NAME
            break
    for script in scripts:
        path = script.with_name(f"{script.name}.lock")
        if path.is_file():
            yield path


def strangers(
    path: Path, *, ours: Callable[[str], bool], registries: Collection[str]
) -> Iterator[Taken]:
    """Yield the packages of ours that a lock file takes from any other registry.

    Args:
        path: The lock file; one that cannot be read holds none.
        ours: Says whether a normalized name is claimed.
        registries: The URLs of the indexes that may serve them.
    """
    allowed = {url.rstrip("/") for url in registries}
    for package in _packages(path):
        registry = _registry(package)
        name = str(package.get("name"))
        if registry is not None and ours(name) and registry.rstrip("/") not in allowed:
            yield Taken(name=name, version=str(package.get("version")), registry=registry)


def pins(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the version of every package that a lock file takes from a registry."""
    for package in _packages(path):
        source, version = package.get("source"), package.get("version")
        if isinstance(source, dict) and "registry" in source and isinstance(version, str):
            yield str(package.get("name")), version


def registries(path: Path) -> set[str]:
    """Return the URLs of the registries that a lock file takes packages from."""
    return {url for url in map(_registry, _packages(path)) if url is not None}


def flat_files(path: Path, registry: str) -> dict[str, str | None]:
    """Return the files that a lock file takes from a flat index: name -> sha256, if it has one.

    Args:
        path: The lock file; one that cannot be read has none.
        registry: The index, as a path relative to the lock file's directory.
    """
    found: dict[str, str | None] = {}
    for package in _packages(path):
        source = package.get("source")
        if not isinstance(source, dict) or source.get("registry") != registry:
            continue
        wheels = package.get("wheels")
        for file in [*(wheels if isinstance(wheels, list) else ()), package.get("sdist")]:
            if isinstance(file, dict):
                name = str(file.get("path") or file.get("url")).rpartition("/")[2]
                found[name] = str(file.get("hash") or "").partition("sha256:")[2] or None
    return found


def _packages(path: Path) -> Sequence[Mapping[str, object]]:
    """Return the packages of a lock file; none if it cannot be read."""
    try:
        packages = load(path).get("package")
    except UnusableFile:
        return ()
    listed = packages if isinstance(packages, list) else []
    return [package for package in listed if isinstance(package, dict)]


def _registry(package: Mapping[str, object]) -> str | None:
    """Return the URL of the registry that a package is from; None for paths, git and URLs.

    A registry that is a relative path is a flat index beside the project.
    """
    source = package.get("source")
    registry = source.get("registry") if isinstance(source, dict) else None
    return registry if isinstance(registry, str) and "://" in registry else None
