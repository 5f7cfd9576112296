"""`uv-self-update rehearse`: update a temporary copy of uv."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uv_self_update.workflow.rehearse import hold

if TYPE_CHECKING:
    from uv_self_update.cli.invocation import Invocation


def rehearse(invocation: Invocation, *, target: str | None, start: str | None) -> None:
    """Run a complete update on a temporary copy of uv."""
    settings = invocation.unlocked_settings()
    with invocation.progress.task("Updating a temporary copy of uv"):
        rehearsal = hold(
            settings,
            invocation.installation(),
            target=target,
            start=start,
            options=("-v",) * invocation.verbose + ("-q",) * invocation.quiet,
            progress=invocation.progress,
        )
    invocation.tell(rehearsal)
