"""`uv-self-update generate-shell-completion`: Tab in bash, fish, PowerShell and zsh.

A function of the shell runs this program with the words so far, and gets what can follow. click has
such functions for all but PowerShell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from uv_self_update.cli.commands import root
from uv_self_update.cli.options import COMPLETION_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from click.shell_completion import CompletionItem

    from uv_self_update.cli.invocation import Invocation

_PROGRAM = "uv-self-update"

_POWERSHELL = """\
Register-ArgumentCompleter -Native -CommandName %(prog_name)s -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $env:COMP_WORDS = $commandAst.ToString()
    $env:COMP_CWORD = $wordToComplete
    $env:%(complete_var)s = 'powershell_complete'
    try {
        %(prog_name)s | ForEach-Object {
            $value, $help = $_ -split "`t", 2
            [System.Management.Automation.CompletionResult]::new(
                $value, $value, 'ParameterValue', $help)
        }
    } finally {
        Remove-Item 'Env:COMP_WORDS', 'Env:COMP_CWORD', 'Env:%(complete_var)s'
    }
}
"""


class _PowerShellComplete(FishComplete):
    """Completion in PowerShell, whose native completers get the line as a syntax tree.

    https://learn.microsoft.com/powershell/module/microsoft.powershell.core/register-argumentcompleter
    """

    name = "powershell"
    source_template = _POWERSHELL

    def format_completion(self, item: CompletionItem) -> str:
        value = f"{item.value}\t{item.help or item.value}"
        return value if item.type == "plain" else ""


class _BashComplete(BashComplete):
    """Completion in bash, without running bash to find out its version."""

    def source(self) -> str:
        return ShellComplete.source(self)


_SHELLS: Mapping[str, type[ShellComplete]] = {
    kind.name: kind for kind in (_BashComplete, FishComplete, _PowerShellComplete, ZshComplete)
}


def generate(_: Invocation, *, shell: str) -> None:
    """Print a script that completes the command line: bash, fish, powershell or zsh."""
    click.echo(_SHELLS[shell](root, {}, _PROGRAM, COMPLETION_VARIABLE).source(), nl=False)


def complete(instruction: str) -> int:
    """Print what can follow the words in COMP_WORDS, and return the exit code.

    Args:
        instruction: What the script of a shell asks for, such as `bash_complete`.
    """
    kind = _SHELLS.get(instruction.removesuffix("_complete"))
    if kind is None:
        return 2
    click.echo(kind(root, {}, _PROGRAM, COMPLETION_VARIABLE).complete())
    return 0
