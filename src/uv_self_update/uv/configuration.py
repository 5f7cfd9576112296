"""The network settings of the user's own `uv.toml`, so that a configured uv is enough.

```text
UV_KEYRING_PROVIDER > user file > system file
```

Files and their order are uv's: https://docs.astral.sh/uv/concepts/configuration-files/. The file of
a project is not among them, since a project does not decide where uv comes from. Invalid settings
are ignored with a warning: an unused proxy must not prevent an update.
"""

from __future__ import annotations

import logging
import os.path
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uv_self_update.home import home_directory
from uv_self_update.messages import listed
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_log = logging.getLogger(__name__)

PYPROJECT = "pyproject.toml"
_ETC = Path("/etc")
_KEYRING_VARIABLE = "UV_KEYRING_PROVIDER"
TRUE = frozenset({"1", "on", "t", "true", "y", "yes"})
"""The words that uv reads as true, in lower case."""

_PROXIES = ("http-proxy", "https-proxy")
_ARRAYS = ("no-proxy", "allow-insecure-host")
_KEYRING = "keyring-provider"
_PROVIDERS = ("disabled", "subprocess")


class UnusableFile(ValueError):
    """A file cannot be read, or is not TOML; the message quotes none of its content."""


@frozen
class UvToml:
    """uv's network settings; https://docs.astral.sh/uv/reference/settings/."""

    http_proxy: str | None = field(default=None, repr=False)
    """As written, perhaps with credentials."""

    https_proxy: str | None = field(default=None, repr=False)
    no_proxy: tuple[str, ...] = ()
    keyring_provider: str | None = None
    """`disabled` or `subprocess`."""

    insecure_hosts: tuple[str, ...] = ()
    """`HOST`, `HOST:PORT` or a URL."""

    origins: Mapping[str, str] = field(default_factory=dict)
    """uv's name of each key that is set -> the file, or the variable, that sets it."""


def read(environ: Mapping[str, str], *, windows: bool) -> UvToml:
    """Return uv's settings; invalid ones are ignored with a warning.

    As in uv, the user's strings replace the system's, and arrays are joined.
    """
    layers = [(str(path), _usable(path)) for path in files(environ, windows=windows)]
    if provider := environ.get(_KEYRING_VARIABLE):
        layers.insert(0, (_KEYRING_VARIABLE, {_KEYRING: provider}))
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for origin, table in layers:
        for key, value in _valid(origin, table):
            if key not in values:
                values[key], origins[key] = value, origin
            elif key in _ARRAYS:
                values[key] = [*values[key], *value]
                origins[key] += f" and {origin}"
    return UvToml(
        http_proxy=values.get("http-proxy"),
        https_proxy=values.get("https-proxy"),
        no_proxy=tuple(values.get("no-proxy", ())),
        keyring_provider=values.get(_KEYRING),
        insecure_hosts=tuple(values.get("allow-insecure-host", ())),
        origins=origins,
    )


def files(environ: Mapping[str, str], *, windows: bool) -> Iterator[Path]:
    """Yield the existing files, or the one that UV_CONFIG_FILE names; the first wins."""
    if named := environ.get("UV_CONFIG_FILE"):
        # uv reads it even with UV_NO_CONFIG, which is only about discovery.
        yield Path(named)
        return
    for paths in places(environ, windows=windows):
        # Path.is_file raises for a directory that this user may not search.
        yield from [path for path in paths if os.path.isfile(path)][:1]  # noqa: PTH113 # see above


def places(environ: Mapping[str, str], *, windows: bool) -> Iterator[list[Path]]:
    """Yield the places of the user's file, then of the system's: the first existing counts."""
    if switched_off(environ):
        return
    user, system = _windows_folders(environ) if windows else _xdg_folders(environ)
    for folders in [user] if system_switched_off(environ) else [user, system]:
        yield [folder / "uv" / "uv.toml" for folder in folders]


def switched_off(environ: Mapping[str, str]) -> bool:
    """Return whether uv discovers no configuration files."""
    return environ.get("UV_NO_CONFIG", "").lower() in TRUE


def system_switched_off(environ: Mapping[str, str]) -> bool:
    """Return whether uv reads no system configuration file."""
    return switched_off(environ) or environ.get("UV_NO_SYSTEM_CONFIG", "").lower() in TRUE


def _xdg_folders(environ: Mapping[str, str]) -> tuple[list[Path], list[Path]]:
    """Return where to look for the user's file, and for the system's, on Linux and macOS."""
    home = home_directory(environ)
    user = [home / ".config"] if home is not None else []
    # Any other is to be ignored: https://specifications.freedesktop.org/basedir-spec/latest/
    if (named := Path(environ.get("XDG_CONFIG_HOME", ""))).is_absolute():
        user = [named]
    shared = environ.get("XDG_CONFIG_DIRS") or str(_ETC / "xdg")
    # uv accepts relative ones too, which depend on the current directory.
    return user, [*(Path(folder) for folder in shared.split(":") if folder.startswith("/")), _ETC]


def _windows_folders(environ: Mapping[str, str]) -> tuple[list[Path], list[Path]]:
    """Return where to look for the user's file, and for the system's, on Windows."""
    user = [Path(environ["APPDATA"])] if environ.get("APPDATA") else []
    if not user and environ.get("USERPROFILE"):
        user = [Path(environ["USERPROFILE"], "AppData", "Roaming")]
    return user, [Path(environ["PROGRAMDATA"])] if environ.get("PROGRAMDATA") else []


def load(path: Path) -> Mapping[str, Any]:
    """Return the table of a TOML file, which is parsed once as long as it does not change.

    Raises:
        UnusableFile: It cannot be read, or is not TOML.
    """
    try:
        status = path.stat()
        return _parsed(path, status.st_mtime_ns, status.st_size)
    except OSError as error:
        reason = f"it cannot be read: {error.strerror or type(error).__name__}"
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except (ValueError, RecursionError) as error:
        # Only the position: the parser's message may quote the content.
        place = re.search(r"\(at (?:line \d+, column \d+|end of document)\)", str(error))
        reason = "it is not TOML" + (f" {place[0]}" if place else "")
    raise UnusableFile(reason)


@lru_cache(maxsize=16)
def _parsed(path: Path, _modified: int, _size: int) -> Mapping[str, Any]:
    import tomllib  # noqa: PLC0415 # slow, and most users have no such file

    # PowerShell and Notepad write a byte order mark.
    return tomllib.loads(path.read_bytes().decode("utf-8-sig"))


def load_settings(path: Path) -> Mapping[str, Any]:
    """Return uv's settings in a `uv.toml` or a `pyproject.toml`; raises UnusableFile."""
    table = load(path)
    return table_in(table, "tool", "uv") if path.name == PYPROJECT else table


def table_in(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Return a table in a document; an empty one if it is missing."""
    found: Any = document
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _usable(path: Path) -> Mapping[str, object]:
    """Return the table of a file; an empty one, with a warning, if it is unusable."""
    try:
        return load(path)
    except UnusableFile as unusable:
        _log.warning("ignoring uv's configuration %s: %s", path, unusable)
        return {}


def _valid(origin: str, table: Mapping[str, object]) -> Iterator[tuple[str, str | list[str]]]:
    """Yield the known keys with valid values, and warn about others without their values."""
    for key in (*_PROXIES, *_ARRAYS, _KEYRING):
        match table.get(key):
            case None:
                pass
            case str() as string if key in _PROXIES or (key == _KEYRING and string in _PROVIDERS):
                yield key, string
            case list() as array if key in _ARRAYS and all(isinstance(one, str) for one in array):
                yield key, array
            case _:
                expected = "an array of strings" if key in _ARRAYS else "a string"
                expected = listed(_PROVIDERS) if key == _KEYRING else expected
                _log.warning("%s: ignoring `%s`: expected %s", origin, key, expected)
