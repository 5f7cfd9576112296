"""The package index in pip's configuration, which uv does not use."""

from __future__ import annotations

import configparser
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")
_KEYS = ("index-url", "extra-index-url")
_SECTIONS = ("install", "download", "global")
"""The sections that apply to a download; a command's own section comes before `global`."""


@frozen
class PipIndex:
    """The place of pip's index; not its URL, which may contain a password."""

    place: str
    """The variable, or the file."""

    key: str = ""
    """The key in a file, such as `global.index-url`."""

    def __str__(self) -> str:
        return f"`{self.key}` in {self.place}" if self.key else self.place

    @property
    def command(self) -> str:
        """The command that passes the index to uv, without showing its URL."""
        variable = "UV_INDEX" if "extra" in f"{self.key}{self.place.lower()}" else _DEFAULT
        value = f"$(python -m pip config get {self.key})" if self.key else f"${self.place}"
        return f'export {variable}="{value}"'


_DEFAULT = "UV_DEFAULT_INDEX"


def pip_index(
    environ: Mapping[str, str], *, platform: str = sys.platform, etc: Path = Path("/etc")
) -> PipIndex | None:
    """Return the place of pip's index, or None; unreadable files are skipped.

    https://pip.pypa.io/en/stable/topics/configuration/

    Args:
        environ: The user's environment.
        platform: The value of `sys.platform`.
        etc: The directory of the system configuration, except on Windows.
    """
    named = [PipIndex(place=name) for name in _VARIABLES[:1] if environ.get(name)]
    for path in () if named else _files(environ, platform, etc):
        named += _in_file(path)
    named += [PipIndex(place=name) for name in _VARIABLES[1:] if environ.get(name)]
    named.sort(key=lambda index: index.command.startswith("export UV_INDEX="))
    return next(iter(named), None)


def _files(environ: Mapping[str, str], platform: str, etc: Path) -> Iterator[Path]:
    """Yield the files that pip reads, in order of precedence."""
    named = environ.get("PIP_CONFIG_FILE")
    if named:
        yield Path(named)
        if named == os.devnull:
            return
    name = "pip.ini" if platform == "win32" else "pip.conf"
    if environment := environ.get("VIRTUAL_ENV"):
        yield Path(environment, name)
    # PIP_CONFIG_FILE replaces the user's file.
    if not (named and Path(named).exists()):
        yield from (directory / name for directory in _user_directories(environ, platform))
    if platform == "win32":
        if shared := environ.get("PROGRAMDATA"):
            yield Path(shared, "pip", name)
        return
    if platform == "darwin":
        yield Path("/Library/Application Support/pip", name)
    shared = environ.get("XDG_CONFIG_DIRS") or str(etc / "xdg")
    yield from (Path(base, "pip", name) for base in shared.split(":") if base)
    yield etc / name


def _user_directories(environ: Mapping[str, str], platform: str) -> Iterator[Path]:
    home = environ.get("USERPROFILE" if platform == "win32" else "HOME")
    if platform == "win32":
        places = [environ.get("APPDATA"), home]
        yield from (Path(place, "pip") for place in places if place)
    elif home:
        if platform == "darwin":
            yield Path(home, "Library", "Application Support", "pip")
        yield Path(environ.get("XDG_CONFIG_HOME") or Path(home, ".config"), "pip")
        yield Path(home, ".pip")


def _in_file(path: Path) -> Iterator[PipIndex]:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return
    for section in _SECTIONS:
        for key in _KEYS:
            # pip also reads `index_url`.
            if parser.has_option(section, key) or parser.has_option(section, key.replace("-", "_")):
                yield PipIndex(place=str(path), key=f"{section}.{key}")
