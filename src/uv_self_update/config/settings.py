"""Every setting outside `[[source]]`: its field in a file, and its value in the end."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from uv_self_update.config.field import Field, by_name
from uv_self_update.config.installers import INSTALLERS
from uv_self_update.config.kinds import SourceSettings
from uv_self_update.config.policy_fields import DIGESTS, POLICY_FIELDS
from uv_self_update.config.value_types import Choice, Flag, Number, PemFile
from uv_self_update.releases.digests import DigestRules
from uv_self_update.releases.policy import DEFAULT, Policy
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from uv_self_update.config.installers import InstallerChoice
    from uv_self_update.config.releases import ReleasesSettings
    from uv_self_update.redaction import Secret


@frozen
class Network:
    """How the sources are reached; `FIELDS` describes what files set."""

    timeout: float = 30.0
    connect_timeout: float = 10.0
    retries: int = 3
    ca_bundle: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    passphrase: Secret | None = None
    """The passphrase of the private key."""

    insecure_hosts: tuple[str, ...] = ()
    """Hosts whose certificates are not verified: `HOST`, `HOST:PORT` or `SCHEME://HOST[:PORT]`."""

    system_certs: bool = False
    """Whether uv trusts the operating system's certificates when it queries an index."""


@frozen
class Settings:
    """The settings of one run."""

    sources: tuple[SourceSettings, ...] = (SourceSettings(),)
    releases: tuple[ReleasesSettings, ...] = ()
    """The release pages that hold packages, for `exec`."""

    installer: InstallerChoice = "auto"
    adopt: bool = False
    policy: Policy = DEFAULT
    """The rules of the system configuration file, and those of the user."""

    digests: DigestRules = field(default_factory=DigestRules)
    network: Network = Network()
    token: Secret | None = None
    """The GitHub token of `--token`."""

    origins: Mapping[str, str] = field(default_factory=dict)
    """Dotted key -> the file or variable that sets it, or `command line`; defaults are left out."""

    @property
    def places(self) -> tuple[SourceSettings, ...]:
        """Every place that is configured, for uv and for packages."""
        return (*self.sources, *(table.source for table in self.releases))


@frozen
class Options:
    """The settings on the command line."""

    sources: tuple[str, ...] = field(default=(), repr=False)
    """`--source`; a URL may contain a password."""

    installer: InstallerChoice | None = None
    adopt: bool = False
    config: Path | None = None
    """A file to read instead of the user configuration file."""

    token: Secret | None = None
    """`--token`: a GitHub token."""

    insecure_hosts: tuple[str, ...] = ()
    """`--allow-insecure-host`."""

    system_certs: bool = False
    """`--system-certs` or `--native-tls`."""


_TIMEOUT = Number(
    words="a number of seconds above 0 and at most 86400",
    above=0,
    # Past some weeks, the timers of operating systems overflow.
    most=86_400,
)
_RETRIES = Number(
    words="a whole number from 0 to 10",
    above=-1,
    # Each retry waits longer than the one before, so that ten take minutes.
    most=10,
    whole=True,
)

FIELDS: Mapping[str, Field] = MappingProxyType(
    by_name(
        Field(
            name="install.installer",
            type=Choice(words=INSTALLERS),
            help="native: replace uv so that it works even if the update is killed. release: "
            "run the installer of the release. auto: native, unless only the installer of the "
            "release supports the layout of the installation.",
            example='installer = "auto"',
        ),
        Field(
            name="install.adopt",
            type=Flag(),
            help="Whether to update a uv without a receipt, or with one for another directory.",
            example="adopt = false",
        ),
        *POLICY_FIELDS.values(),
        Field(
            name="network.timeout",
            type=_TIMEOUT,
            help="Seconds to wait for each part of a response.",
            example="timeout = 30",
        ),
        Field(
            name="network.connect-timeout",
            type=_TIMEOUT,
            help="Seconds to wait for a connection.",
            example="connect-timeout = 10",
        ),
        Field(
            name="network.retries",
            type=_RETRIES,
            help="How often to repeat a request after a transient failure.",
            example="retries = 3",
        ),
        Field(
            name="network.ca-bundle",
            type=PemFile(),
            help="Certificate authorities to trust, with those of the system; relative to this "
            "file.",
            example='ca-bundle = "company.pem"',
        ),
        Field(
            name="network.client-cert",
            type=PemFile(),
            help="A client certificate, and perhaps its private key.",
            example='client-cert = "me.pem"',
        ),
        Field(
            name="network.client-key",
            type=PemFile(),
            help="The private key, if it has its own file. Its passphrase is in "
            "UV_SELF_UPDATE_CLIENT_KEY_PASSPHRASE, or you are prompted for it.",
            example='client-key = "me.key"',
        ),
    )
)
"""Dotted key -> field: a new setting is a field of `Settings` and an entry here."""

VARIABLES: Mapping[str, Field] = MappingProxyType(
    {
        f"UV_SELF_UPDATE_{field.attribute.upper()}": field
        for key, field in FIELDS.items()
        if key != DIGESTS  # a table does not fit into a variable
    }
)
"""Environment variable -> the field that it sets."""

SECTIONS = tuple(dict.fromkeys(name.partition(".")[0] for name in FIELDS))
"""The tables of these fields."""
