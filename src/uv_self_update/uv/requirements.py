"""Whether what a command reads names a release file by its URL."""

from __future__ import annotations

import re
from itertools import chain, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from uv_self_update.url import Url

_LARGEST = 16 << 20  # bytes of a file that is read
_MOST = 2000  # files
_OF_A_PROJECT = ("pyproject.toml", "uv.lock", "uv.toml")
_NEARBY = ("pylock*.toml", "*requirements*.txt", "*constraints*.txt", "*.in", "*.py.lock")
_VARIABLES = ("UV_CONSTRAINT", "UV_OVERRIDE", "UV_BUILD_CONSTRAINT", "UV_EXCLUDE")
"""uv's variables that name files of requirements."""

_INCLUDED = re.compile(
    r"""^\s*(?:-r|--requirements?|-c|--constraints?)[\s=]*(?P<file>[^\s#]+)"""
    r"""|\bpath\s*=\s*["'](?P<path>[^"']+)["']""",
    re.MULTILINE,
)
_MEMBERS = re.compile(r"^\s*members\s*=\s*\[(?P<globs>[^\]]*)\]", re.MULTILINE)
_QUOTED = re.compile(r"""["']([^"']+)["']""")


def names_release(
    repositories: Mapping[Url, str],
    words: Sequence[str],
    directories: Sequence[Path],
    environ: Mapping[str, str],
) -> bool:
    """Return whether a release file of a repository is named by its URL.

    Args:
        repositories: `https://HOST/OWNER/REPO` -> what follows, as a regular expression.
        words: The command, whose words may be URLs, files, or commands themselves.
        directories: The current one, and that of the project.
        environ: The user's environment.
    """
    pattern = re.compile("|".join(_pattern(*pair) for pair in repositories.items()), re.IGNORECASE)
    variables = [environ.get(name, "") for name in _VARIABLES]
    texts = chain(words, _texts([*words, *variables], directories))
    return any(pattern.search(text) for text in texts)


def _pattern(repository: Url, mark: str) -> str:
    parts = repository.parts
    host = re.escape(repository.host.removeprefix("www."))
    port = "(?::443)?" if parts.port in {None, 443} else f":{parts.port}"
    path = re.escape(parts.path.strip("/"))
    return rf"https?://(?:[^\s/@'\"]*@)?(?:www\.)?{host}{port}/{path}{mark}"


def _texts(words: Iterable[str], directories: Sequence[Path]) -> Iterator[str]:
    """Yield the content of each file that may be read, and of those that they include."""
    ahead = [*_files(words, directories)]
    seen: set[Path] = set()
    while ahead and len(seen) < _MOST:
        path = ahead.pop()
        if path in seen:
            continue
        seen.add(path)
        try:
            if not path.is_file() or path.stat().st_size > _LARGEST:
                continue
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        yield text
        if path.name != "uv.lock":
            ahead += _included(path.parent, text)


def _files(words: Iterable[str], directories: Sequence[Path]) -> Iterator[Path]:
    for word in chain.from_iterable(map(str.split, words)):
        bare = word.strip("'\";&|()")
        for name in (bare, bare.partition("=")[2], bare[2:] if bare[:2] in {"-r", "-c"} else ""):
            if name:
                yield from (directory / name for directory in directories)
    for directory in directories:
        for place in (directory, *directory.parents):
            yield from (place / name for name in _OF_A_PROJECT)
        for pattern in _NEARBY:
            yield from directory.glob(pattern)


def _included(directory: Path, text: str) -> Iterator[Path]:
    for match in _INCLUDED.finditer(text):
        if name := match["file"]:
            yield directory / name
        else:
            yield directory / match["path"] / "pyproject.toml"
    for members in _MEMBERS.finditer(text):
        for glob in _QUOTED.findall(members["globs"]):
            # A pattern that pathlib does not take is one that uv refuses.
            try:
                places = islice(directory.glob(glob), _MOST)
                yield from (place / "pyproject.toml" for place in places)
            except (ValueError, NotImplementedError):
                continue
