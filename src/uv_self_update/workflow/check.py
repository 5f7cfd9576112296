"""`--check`: whether an update is due, and to which version."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uv_self_update.errors import UvNotRunnable, update_with
from uv_self_update.releases.target import NEWEST, parse_target
from uv_self_update.sources.opened import OpenSources
from uv_self_update.uv.adoption import has_receipt
from uv_self_update.uv.executable import version_of
from uv_self_update.uv.install_source import find_package_manager
from uv_self_update.uv.process import Signals

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from uv_self_update.config.settings import Settings
    from uv_self_update.releases.policy import Objection
    from uv_self_update.uv.package_managers import Owner


UPDATE_DUE = 11
"""The exit code that says so; those of errors are in `errors`."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What there is, what can be had, and whether that makes an update due."""

    uv: Path
    """The uv that is meant."""

    installed: str
    target: str | None
    """What was asked for; None for the newest."""

    newest: str
    """The newest version that was asked for, and that can be had."""

    published: str | None
    """When that was published, in UTC as RFC 3339 writes it, where the source says so."""

    source: str
    """What the source of it is called."""

    outside: Objection | None
    """Why the policy would not let the installed version be taken, as far as its name tells."""

    owner: Owner | None
    """The package manager that this uv belongs to, and without which it is not updated."""

    @property
    def due(self) -> bool:
        """Whether uv would change: without TARGET it only goes upwards."""
        from packaging.version import Version  # noqa: PLC0415 # slow to import

        installed, newest = Version(self.installed), Version(self.newest)
        return newest > installed if self.target is None else newest != installed

    @property
    def exit_code(self) -> int:
        """What the command ends with."""
        return UPDATE_DUE if self.due else 0

    def __str__(self) -> str:
        """Say it in one line."""
        installed = f"uv {self.installed} is installed"
        if self.due:
            return f"uv {self.newest} can be had from {self.source}; {installed}"
        what = "nothing newer can be had" if self.target is None else "that is what was asked for"
        return f"{installed}, and {what}"

    @property
    def remarks(self) -> tuple[str, ...]:
        """What else a person has to know, each in one line."""
        found = []
        if self.outside is not None:
            found.append(f"uv {self.installed} is hidden by the policy: {self.outside}")
        if self.owner is not None and self.due:
            name, command = self.owner.name, self.owner.command
            found.append(f"{self.uv} belongs to {name}. {update_with(command)}")
        return tuple(found)

    def as_json(self) -> str:
        """Return it as one JSON object."""
        import json  # noqa: PLC0415 # a sentence needs none

        rule = None if self.outside is None else self.outside.rule
        facts = {
            "installed": self.installed,
            "newest": self.newest,
            "due": self.due,
            "source": self.source,
            "published": self.published,
            "uv": str(self.uv),
            "rule": None if rule is None else str(rule),
            "rule_origin": None if rule is None else rule.origin,
            "owner": None if self.owner is None else self.owner.name,
        }
        return json.dumps(facts)


def check(
    settings: Settings, *, uv: Path, environ: Mapping[str, str], target: str | None
) -> Verdict:
    """Find out whether an update is due; nothing is changed, and neither is uv told to update.

    Raises:
        InvalidTarget: The TARGET is none.
        UvNotRunnable: The uv does not say which version it is.
        SourceError: What was asked for cannot be had.
    """
    wanted = NEWEST if target is None else parse_target(target)
    with Signals(), closing(OpenSources(settings, uv=uv, environ=environ)) as sources:
        installed = version_of(uv, environ)
        if installed is None:
            raise UvNotRunnable(uv, "it does not say its version, or none that can be compared")
        found = sources.find(wanted)
        outside = sources.policy.objection_to_name(installed)
    return Verdict(
        uv=uv,
        installed=installed,
        target=target,
        newest=found.release.version,
        published=found.release.published,
        source=found.source.name,
        outside=outside,
        owner=None if has_receipt(uv, environ) else find_package_manager(uv),
    )
