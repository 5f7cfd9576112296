"""`uv-self-update fetch`: packages from private releases, laid beside a project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from uv_self_update.cli.help import Command
from uv_self_update.cli.options import OF_UV
from uv_self_update.cli.terminal import Terminal
from uv_self_update.cli.wrapped import packages_job
from uv_self_update.workflow.check import UPDATE_DUE
from uv_self_update.workflow.fetch import DEFAULT, Project, check, fetch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.cli.invocation import Invocation
    from uv_self_update.workflow.fetch import Fetched


@click.command(
    name="fetch",
    cls=Command,
    options=OF_UV,
    examples=(
        "uv-self-update fetch",
        "uv-self-update fetch --check",
        "uv-self-update fetch --upgrade --directory wheels",
    ),
)
@click.option(
    "--releases",
    "specs",
    metavar="SPEC",
    multiple=True,
    help="As for `exec`: a repository whose releases hold packages.",
)
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"Where to put the packages. The default is `{DEFAULT}` beside pyproject.toml.",
)
@click.option("--upgrade", is_flag=True, help="Take newer versions than those in uv.lock.")
@click.option(
    "--check",
    "only_check",
    is_flag=True,
    help="Fetch nothing: say what is missing or changed. "
    f"The exit code is {UPDATE_DUE} if anything is.",
)
@click.pass_obj
def fetch_(
    invocation: Invocation,
    *,
    specs: Sequence[str],
    directory: Path | None,
    upgrade: bool,
    only_check: bool,
) -> None:
    """Fetch the packages that a project needs from private releases.

    They are put beside the project, with a page that uv reads as an index, so that uv installs them
    without this program: in a Docker build, without a network, or by a bot.
    """
    project = Project.find(Path.cwd(), directory)
    if only_check:
        claims = [releases.claim for releases in invocation.settings().releases]
        lines = check(project, claims)
        for line in lines:
            invocation.tell(line)
        click.get_current_context().exit(UPDATE_DUE if lines else 0)
    job = packages_job(invocation, specs, progress=invocation.progress)
    with invocation.progress.task("Resolving the project"):
        fetched = fetch(job, project, upgrade=upgrade)
    invocation.tell(_described(fetched))
    terminal = Terminal(["-q"] * invocation.quiet, invocation.environ)
    for error in fetched.errors:
        terminal.error(error)
    click.get_current_context().exit(fetched.errors[-1].exit_code if fetched.errors else 0)


def _described(fetched: Fetched) -> str:
    lines = [f"+ {name}" for name in fetched.added] + [f"- {name}" for name in fetched.removed]
    lines.append(f"{fetched.page} lists {fetched.files} files ({len(fetched.added)} fetched).")
    if fetched.configuration is not None:
        lines += [
            "Add to pyproject.toml, before other indexes:",
            "",
            fetched.configuration.rstrip(),
        ]
    return "\n".join(lines)
