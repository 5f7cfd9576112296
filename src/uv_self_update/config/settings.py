"""What can be decided, what each value has to be, and what was decided in the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from uv_self_update.config.key import Key, UnfitError, boolean, flag
from uv_self_update.config.kinds import SourceSettings
from uv_self_update.config.policy_keys import POLICY_KEYS
from uv_self_update.messages import echo, listed, suggestion
from uv_self_update.releases.digests import DigestRules
from uv_self_update.releases.policy import DEFAULT, Policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uv_self_update.config.releases import ReleasesSettings
    from uv_self_update.redaction import Secret


InstallerChoice = Literal["auto", "release", "native"]

INSTALLERS: tuple[InstallerChoice, ...] = ("auto", "release", "native")

_LONGEST_TIMEOUT = 86_400
"""A day, in seconds: past some weeks, the operating systems' own timers overflow."""

_MOST_RETRIES = 10
"""Each waits longer than the one before, so that ten take minutes already."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """How the sources are reached."""

    timeout: float = 30.0
    """Seconds to wait for each piece of an answer."""

    connect_timeout: float = 10.0
    """Seconds to wait for a connection."""

    retries: int = 3
    """How often a request that failed on the way is sent again, before it is given up."""

    ca_bundle: Path | None = None
    """A PEM file of certificate authorities to trust beside those of the operating system."""

    client_cert: Path | None = None
    """A PEM file with the certificate that says who is asking, and perhaps its key."""

    client_key: Path | None = None
    """A PEM file with that certificate's private key, where it stands in a file of its own."""

    passphrase: Secret | None = None
    """What that key is encrypted with."""

    insecure_hosts: tuple[str, ...] = ()
    """Hosts whose certificates are not checked: `HOST`, `HOST:PORT` or `SCHEME://HOST[:PORT]`."""

    system_certs: bool = False
    """Whether uv is told to trust the operating system's certificates, when it asks an index."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that the command line, the environment and the files have decided."""

    sources: tuple[SourceSettings, ...] = (SourceSettings(),)
    releases: tuple[ReleasesSettings, ...] = ()
    """The release pages that hold packages, for `exec`."""

    installer: InstallerChoice = "auto"
    adopt: bool = False
    """Whether a uv is updated too that has no receipt, or one about another folder."""

    policy: Policy = DEFAULT
    """The rules of the machine's file, and those of the person after them."""

    digests: DigestRules = field(default_factory=DigestRules)
    network: Network = Network()
    token: Secret | None = None
    """A GitHub token that was given for this run, as in `--token`."""

    origins: Mapping[str, str] = field(default_factory=dict)
    """Dotted key -> where its value came from; a key that is missing has its default."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says about the settings."""

    sources: tuple[str, ...] = field(default=(), repr=False)
    """URLs among them, which may hold a password."""

    installer: InstallerChoice | None = None
    adopt: bool = False
    """Whether `--adopt` was given."""

    config: Path | None = None
    """A file to read in place of the user file."""

    token: Secret | None = None
    """What `--token` says: a GitHub token."""

    insecure_hosts: tuple[str, ...] = ()
    """What `--allow-insecure-host` says."""

    system_certs: bool = False
    """Whether `--system-certs`, or `--native-tls`, was given."""


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


def _retries(value: object, _folder: Path) -> int:
    due = f"a whole number from 0 to {_MOST_RETRIES}"
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnfitError(got=echo(value), due=due)
    if not 0 <= value <= _MOST_RETRIES:
        raise UnfitError(got="out of range", due=due)
    return value


def _number(text: str) -> object:
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _pem_file(value: object, folder: Path) -> Path:
    due = "the path of a PEM file"
    if not isinstance(value, str) or not value:
        raise UnfitError(got=echo(value), due=due)
    if "-----BEGIN" in value:
        raise UnfitError(got="what such a file holds", due=due)
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
        "install.adopt": Key(
            attribute="adopt", variable="UV_SELF_UPDATE_ADOPT", check=flag, parse=boolean
        ),
        **POLICY_KEYS,
        "network.timeout": Key(
            attribute="network.timeout",
            variable="UV_SELF_UPDATE_TIMEOUT",
            check=_timeout,
            parse=_number,
        ),
        "network.connect-timeout": Key(
            attribute="network.connect_timeout",
            variable="UV_SELF_UPDATE_CONNECT_TIMEOUT",
            check=_timeout,
            parse=_number,
        ),
        "network.retries": Key(
            attribute="network.retries",
            variable="UV_SELF_UPDATE_RETRIES",
            check=_retries,
            parse=_number,
        ),
        "network.ca-bundle": Key(
            attribute="network.ca_bundle", variable="UV_SELF_UPDATE_CA_BUNDLE", check=_pem_file
        ),
        "network.client-cert": Key(
            attribute="network.client_cert", variable="UV_SELF_UPDATE_CLIENT_CERT", check=_pem_file
        ),
        "network.client-key": Key(
            attribute="network.client_key", variable="UV_SELF_UPDATE_CLIENT_KEY", check=_pem_file
        ),
    }
)
"""Every setting outside `[[source]]`: a new one is a field of `Settings` and an entry here."""

PATH_KEYS = frozenset(key for key, known in KEYS.items() if known.check is _pem_file)
"""Those of the keys that hold the path of a file."""
