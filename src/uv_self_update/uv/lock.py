"""Lock files of uv: where they are, and whether a package of ours was taken from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from pathlib import Path

NAME = "uv.lock"


@dataclass(frozen=True, kw_only=True)
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
    import tomllib  # noqa: PLC0415 # slow to import, and only `exec` needs it

    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    allowed = {url.rstrip("/") for url in registries}
    packages = document.get("package")
    for package in packages if isinstance(packages, list) else ():
        registry = _registry(package)
        name = str(package.get("name"))
        if registry is not None and ours(name) and registry.rstrip("/") not in allowed:
            yield Taken(name=name, version=str(package.get("version")), registry=registry)


def _registry(package: Mapping[str, object]) -> str | None:
    """Return the URL of the registry that a package is from; None for paths, git and URLs.

    A registry that is a relative path is a flat index beside the project.
    """
    source = package.get("source")
    registry = source.get("registry") if isinstance(source, dict) else None
    return registry if isinstance(registry, str) and "://" in registry else None
