"""What can be decided, what each value has to be, and what was decided in the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from uv_self_update.kinds import SourceSettings
from uv_self_update.wording import echo, listed, suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = (
    "INSTALLERS",
    "KEYS",
    "InstallerChoice",
    "Key",
    "Network",
    "Options",
    "Settings",
    "UnfitError",
)

InstallerChoice = Literal["auto", "release", "native"]

INSTALLERS: tuple[InstallerChoice, ...] = ("auto", "release", "native")

_LONGEST_TIMEOUT = 86_400
"""A day, in seconds: past some weeks, the operating systems' own timers overflow."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """How the sources are reached."""

    timeout: float = 30.0
    """Seconds to wait for a connection, and for each piece of an answer."""

    ca_bundle: Path | None = None
    """A PEM file of certificate authorities to trust beside those of the operating system."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that the command line, the environment and the files have decided."""

    sources: tuple[SourceSettings, ...] = (SourceSettings(),)
    installer: InstallerChoice = "auto"
    network: Network = Network()
    origins: Mapping[str, str] = field(default_factory=dict)
    """Dotted key -> where its value came from; a key that is missing has its default."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says about the settings."""

    sources: tuple[str, ...] = ()
    installer: str | None = None
    config: Path | None = None
    """A file to read in place of the user file."""


class UnfitError(ValueError):
    """A value is not what its key needs; the message says why, and shows no secret."""

    def __init__(self, *, got: str, due: str, near: str = "") -> None:
        """Say what the value is, what is due, and what may have been meant."""
        super().__init__(f"it is {got}, but {due} is due{near}")


@dataclass(frozen=True, kw_only=True)
class Key:
    """One setting outside `[[source]]`."""

    attribute: str
    """Where `Settings` keeps it, dotted."""

    variable: str
    """The environment variable that sets it."""

    check: Callable[[object, Path], Any]
    """From TOML's value and the folder that paths are relative to, to ours; raises UnfitError."""

    parse: Callable[[str], object] = str
    """From text to what TOML would have; what it cannot read is left to `check`."""


def _installer(value: object, _folder: Path) -> InstallerChoice:
    for choice in INSTALLERS:
        if value == choice:
            return choice
    near = suggestion(value, INSTALLERS)
    raise UnfitError(got=echo(value), due=listed(INSTALLERS), near=near)


def _timeout(value: object, _folder: Path) -> float:
    due = f"a number of seconds, more than 0 and at most {_LONGEST_TIMEOUT},"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnfitError(got=echo(value), due=due)
    if not 0 < value <= _LONGEST_TIMEOUT:
        raise UnfitError(got="out of range", due=due)
    return float(value)


def _number(text: str) -> object:
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _ca_bundle(value: object, folder: Path) -> Path:
    due = "the path of a PEM file"
    if not isinstance(value, str) or not value:
        raise UnfitError(got=echo(value), due=due)
    try:
        path = folder / Path(value).expanduser()
        if path.is_file():
            return path
    # No home to put in place of `~`; a folder that may not be entered, a name that is too long.
    except (RuntimeError, OSError) as error:
        raise UnfitError(got=f"{echo(value)} ({error})", due=due) from None
    raise UnfitError(got=f"`{path}`, where there is no file", due=due)


KEYS: Mapping[str, Key] = MappingProxyType(
    {
        "install.installer": Key(
            attribute="installer", variable="UV_SELF_UPDATE_INSTALLER", check=_installer
        ),
        "network.timeout": Key(
            attribute="network.timeout",
            variable="UV_SELF_UPDATE_TIMEOUT",
            check=_timeout,
            parse=_number,
        ),
        "network.ca-bundle": Key(
            attribute="network.ca_bundle", variable="UV_SELF_UPDATE_CA_BUNDLE", check=_ca_bundle
        ),
    }
)
"""Every setting outside `[[source]]`: a new one is a field of `Settings` and an entry here."""
