"""`--check`: whether an update is available, and to which version."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from uv_self_update.errors import InstallError, SourceError, UvNotRunnable, update_with
from uv_self_update.releases.release import Asset
from uv_self_update.releases.target import NEWEST, parse_target
from uv_self_update.sources.addresses import preconnect
from uv_self_update.sources.formats.documents import checked
from uv_self_update.sources.interface import ArchiveSource
from uv_self_update.sources.opened import OpenSources
from uv_self_update.uv.executable import version_of
from uv_self_update.uv.install_source import find_package_manager
from uv_self_update.uv.process import Signals
from uv_self_update.values import frozen
from uv_self_update.versions import without_local
from uv_self_update.workflow.explanation import foreseen

if TYPE_CHECKING:
    from pathlib import Path

    from uv_self_update.config.settings import Settings
    from uv_self_update.errors import UvSelfUpdateError
    from uv_self_update.releases.digests import DigestRules
    from uv_self_update.releases.policy import Objection
    from uv_self_update.sources.order import Found
    from uv_self_update.uv.installation import Installation
    from uv_self_update.uv.package_managers import Owner


UPDATE_DUE = 11
"""The exit code for an available update; those of errors are in `errors`."""


@frozen
class Verdict:
    """The installed version, the available one, and whether uv would be updated."""

    uv: Path
    """The uv that would be updated."""

    installed: str
    target: str | None
    """The requested version; None for the newest."""

    newest: str
    """The newest available version that was requested."""

    published: str | None
    """When that was published, in UTC as RFC 3339 writes it; None if the source does not say."""

    source: str
    """The name of its source."""

    outside: Objection | None
    """Why the policy hides the installed version, as far as its number tells."""

    owner: Owner | None
    """The package manager that has installed this uv, and updates it."""

    refusal: UvSelfUpdateError | None = None
    """Why an update would be refused; None if no reason is known."""

    @property
    def due(self) -> bool:
        """Whether uv would change: without a requested version, it only goes upwards."""
        from packaging.version import Version  # noqa: PLC0415 # slow to import

        installed, newest = Version(without_local(self.installed)), Version(self.newest)
        return newest > installed if self.target is None else newest != installed

    @property
    def exit_code(self) -> int:
        """The exit code of the command."""
        return UPDATE_DUE if self.due else 0

    def __str__(self) -> str:
        if self.due:
            return f"uv {self.newest} is available from {self.source} (installed: {self.installed})"
        reason = "; no newer version is available" if self.target is None else ", as requested"
        return f"uv {self.installed} is installed{reason}"

    @property
    def remarks(self) -> tuple[str, ...]:
        """Warnings for the user, each in one line."""
        found = []
        if self.outside is not None:
            found.append(f"uv {self.installed} is hidden by the policy: {self.outside}")
        if self.owner is not None and self.due:
            name, command = self.owner.name, self.owner.command
            found.append(f"{self.uv} belongs to {name}. {update_with(command)}")
        elif self.refusal is not None and self.due:
            advice = " ".join((self.refusal.hint or "").splitlines())
            found.append(f"an update would be refused: {self.refusal}. {advice}".rstrip())
        return tuple(found)

    def as_json(self) -> str:
        """Return one JSON object."""
        import json  # noqa: PLC0415 # a sentence needs none

        rule = None if self.outside is None else self.outside.rule
        facts = {
            "installed": self.installed,
            "newest": self.newest,
            "due": self.due,
            "updatable": self.refusal is None,
            "reason": None if self.refusal is None else str(self.refusal),
            "hint": None if self.refusal is None else self.refusal.hint,
            "source": self.source,
            "published": self.published,
            "uv": str(self.uv),
            "rule": None if rule is None else str(rule),
            "rule_origin": None if rule is None else rule.origin,
            "owner": None if self.owner is None else self.owner.name,
        }
        return json.dumps(facts)


def check(settings: Settings, installation: Installation, *, target: str | None) -> Verdict:
    """Find out whether an update is available; nothing is changed, and uv updates nothing.

    Raises:
        InvalidTarget: The requested version is invalid.
        UvNotRunnable: uv does not report its version.
        SourceError: The requested version is not available.
    """
    wanted = NEWEST if target is None else parse_target(target)
    uv, environ = installation.uv, installation.environ
    with (
        Signals(),
        closing(preconnect(settings, environ, exact=wanted.exact is not None)) as access,
        closing(OpenSources(settings, uv=uv, environ=environ, access=access)) as sources,
    ):
        installed = version_of(uv, environ)
        if installed is None:
            raise UvNotRunnable(uv, "it reports no version, or none that can be compared")
        found = sources.find(wanted)
        outside = sources.policy.objection_to_name(installed)
        refusal = foreseen(installation, version=installed, adopt=settings.adopt)
        if refusal is None and found.release.version != installed:
            refusal = _without_digest(found, sources.platform.archive, settings.digests)
    return Verdict(
        uv=uv,
        installed=installed,
        target=target,
        newest=found.release.version,
        published=found.release.published,
        source=found.source.name,
        outside=outside,
        owner=None if installation.standalone else find_package_manager(uv),
        refusal=refusal,
    )


def _without_digest(
    found: Found, archive: str, rules: DigestRules
) -> InstallError | SourceError | None:
    """Return an error if the policy refuses a release for its digest, as far as its source tells.

    The archive is requested and not read. An index tells only with the wheel, except for pins.
    """
    source, release = found.source, found.release
    if not (rules.required or rules.places(release.version)):
        return None
    try:
        if isinstance(source, ArchiveSource):
            asset = release.asset(archive) or Asset(name=archive)
            with source.open(release, asset) as download:
                checked(download, asset, version=release.version, rules=rules)
        else:
            wheel = f"the wheel of uv {release.version}"
            rules.wheels(release.version, name=wheel, source=source.name)
    except (InstallError, SourceError) as error:
        return error
    return None
