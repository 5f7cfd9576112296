"""`uv-self-update --check`: report whether an update is available."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uv_self_update.cli.passphrase import with_passphrase
from uv_self_update.errors import UsageError
from uv_self_update.messages import printable
from uv_self_update.uv.arguments import level

if TYPE_CHECKING:
    from uv_self_update.cli.invocation import Invocation
    from uv_self_update.cli.terminal import Terminal
    from uv_self_update.uv.arguments import Arguments


def check(
    arguments: Arguments, invocation: Invocation, terminal: Terminal, *, as_json: bool
) -> int:
    """Print the verdict, and return the exit code.

    Raises:
        UsageError: `--dry-run` is given as well.
        UvSelfUpdateError: The check failed.
    """
    from uv_self_update.workflow.check import check as find  # noqa: PLC0415 # an update needs none

    if arguments.dry_run:
        message = "`--check` cannot be used with `--dry-run`"
        raise UsageError(message, hint="`--check` never changes anything.")
    settings = with_passphrase(invocation.settings(), invocation.environ)
    with invocation.progress.task("Checking for updates"):
        verdict = find(settings, invocation.installation(), target=arguments.target)
    if not level(arguments.all, "quiet"):
        print(verdict.as_json() if as_json else printable(str(verdict)))  # noqa: T201 # its output
        for remark in () if as_json else verdict.remarks:
            terminal.warning(remark)
    return verdict.exit_code
