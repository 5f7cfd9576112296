"""`uv-self-update fetch`: packages from private releases, laid beside a project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.cli.wrapped import named_releases, packages_job
from uv_self_update.uv.process import SignalReceived, Signals
from uv_self_update.workflow.check import UPDATE_DUE
from uv_self_update.workflow.fetch import Project, check, fetch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.cli.invocation import Invocation
    from uv_self_update.workflow.fetch import Fetched


def fetch_(
    invocation: Invocation,
    *,
    specs: Sequence[str],
    directory: Path | None,
    upgrade: bool,
    only_check: bool,
) -> int:
    """Fetch the packages that a project needs from private releases."""
    project = Project.find(Path.cwd(), directory)
    if only_check:
        claims = [one.claim for one in named_releases(invocation.settings(), specs)]
        lines = check(project, claims)
        for line in lines:
            invocation.tell(line)
        return UPDATE_DUE if lines else 0
    job = packages_job(invocation, specs, progress=invocation.progress)
    try:
        with Signals(), invocation.progress.task("Resolving the project"):
            fetched = fetch(job, project, upgrade=upgrade)
    except SignalReceived as error:
        error.add_note("complete packages were kept, and the next run fetches the others")
        raise
    invocation.tell(_described(fetched))
    for failure in fetched.errors:
        invocation.terminal.error(failure)
    return fetched.errors[-1].exit_code if fetched.errors else 0


def _described(fetched: Fetched) -> str:
    lines = [f"+ {name}" for name in fetched.added] + [f"- {name}" for name in fetched.removed]
    files = "1 file" if fetched.files == 1 else f"{fetched.files} files"
    lines.append(f"{fetched.page} lists {files} ({len(fetched.added)} fetched).")
    if fetched.configuration is not None:
        lines += [
            "Add to pyproject.toml, before other indexes:",
            "",
            fetched.configuration.rstrip(),
        ]
    return "\n".join(lines)
