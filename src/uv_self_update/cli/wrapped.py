"""What `exec` does, without click: the sooner the command starts the better."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.config.releases import parse_releases_option
from uv_self_update.network.progress import SILENT, Progress
from uv_self_update.uv.command import WrappedCommand
from uv_self_update.uv.process import end_like
from uv_self_update.workflow.exec import run
from uv_self_update.workflow.packages_job import PackagesJob

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.cli.invocation import Invocation
    from uv_self_update.config.releases import ReleasesSettings
    from uv_self_update.config.settings import Settings


def run_wrapped(invocation: Invocation, specs: Sequence[str], command: Sequence[str]) -> int:
    """Run a command with packages from private releases, and return the exit code.

    Raises:
        UvSelfUpdateError: It was not started.
    """
    outcome = run(packages_job(invocation, specs), WrappedCommand(words=command))
    for error in outcome.errors:
        invocation.terminal.error(error)
    for warning in outcome.warnings:
        invocation.terminal.warning(str(warning))
    code = outcome.exit_code
    return end_like(-code) if code < 0 else code


def _likely(releases: ReleasesSettings) -> ReleasesSettings:
    from uv_self_update.sources.packages.detection import likely  # noqa: PLC0415 # the rest needs none

    return likely(releases)


def named_releases(settings: Settings, specs: Sequence[str]) -> Sequence[ReleasesSettings]:
    """Return the repositories that options name, else the configured ones."""
    return [_likely(parse_releases_option(spec)) for spec in specs] or settings.releases


def packages_job(
    invocation: Invocation, specs: Sequence[str], *, progress: Progress = SILENT
) -> PackagesJob:
    """Return where packages come from; see `named_releases`.

    Without progress: a command that runs meanwhile shows its own.
    """
    settings = invocation.unlocked_settings()
    return PackagesJob(
        settings=settings,
        releases=named_releases(settings, specs),
        uv=invocation.uv_or_name(),
        directory=Path.cwd(),
        environ=invocation.environ,
        progress=progress,
    )
