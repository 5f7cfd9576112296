"""`uv-self-update doctor`: why uv can or cannot be updated here."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from uv_self_update.config import load
from uv_self_update.errors import UsageError, UvSelfUpdateError
from uv_self_update.workflow.doctor.examine import Patient, examine
from uv_self_update.workflow.doctor.finding import exit_code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.cli.invocation import Invocation
    from uv_self_update.config.settings import Settings
    from uv_self_update.uv.installation import Installation
    from uv_self_update.workflow.doctor.finding import Finding, State

_MARKS: dict[State, tuple[str, str]] = {
    "ok": ("✓", "green"),
    "warning": ("!", "yellow"),
    "problem": ("✗", "red"),
}
"""State -> its mark and color."""


def doctor(invocation: Invocation, *, as_json: bool, fix: bool, yes: bool) -> int:
    """Find out why uv can or cannot be updated here."""
    findings = examine(_patient(invocation))
    if as_json:
        click.echo(_json(findings))
    else:
        _print(findings, invocation)
    if fix and _fixed(findings, invocation, yes=yes):
        findings = examine(_patient(invocation))
        _print(findings, invocation)
    return exit_code(findings)


def _patient(invocation: Invocation) -> Patient:
    settings: Settings | UvSelfUpdateError
    installation: Installation | UvSelfUpdateError
    try:
        settings = invocation.unlocked_settings()
    except UvSelfUpdateError as error:
        settings = error
    try:
        installation = invocation.installation()
    except UvSelfUpdateError as error:
        installation = error
    known = (invocation.known_user_file, load.site_file())
    return Patient(
        environ=invocation.environ,
        settings=settings,
        installation=installation,
        files=tuple(path for path in known if path is not None),
    )


def _print(findings: Sequence[Finding], invocation: Invocation) -> None:
    """Print a line for each finding; with `-q`, only what is not as it should be."""
    for finding in findings:
        if invocation.quiet and finding.state == "ok":
            continue
        mark, color = _MARKS[finding.state]
        first, *rest = finding.text.splitlines()
        click.echo(f"{click.style(mark, fg=color, bold=True)} {first}")
        remedy = (finding.remedy or "").splitlines()
        for line in (*rest, *remedy):
            click.echo(f"  {line}")
    verdict = "An update would work." if exit_code(findings) == 0 else "An update would fail."
    if not invocation.quiet:
        click.echo(f"\n{verdict}")


def _json(findings: Sequence[Finding]) -> str:
    """Return the report as one JSON object."""
    facts = {
        "works": exit_code(findings) == 0,
        "exit_code": exit_code(findings),
        "findings": [
            {
                "topic": finding.topic,
                "state": finding.state,
                "text": finding.text,
                "remedy": finding.remedy,
                "fixable": finding.repair is not None,
            }
            for finding in findings
        ],
    }
    return json.dumps(facts, indent=2)


def _fixed(findings: Sequence[Finding], invocation: Invocation, *, yes: bool) -> bool:
    """Apply the remedies that the user agrees to, and return whether any was applied."""
    repairs = [finding.repair for finding in findings if finding.repair is not None]
    if not repairs:
        invocation.tell("\nNothing can be fixed automatically.")
        return False
    if not (yes or sys.stdin.isatty()):
        message = "`--fix` asks before each change, and stdin is not a terminal"
        raise UsageError(message, hint="Use `--yes` to agree to all of them.")
    agreed = [one for one in repairs if yes or click.confirm(one.question, default=True, err=True)]
    for repair in agreed:
        repair.run()
    return bool(agreed)
