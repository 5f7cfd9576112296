"""Whether PowerShell may run uv's installer: what those who manage a Windows machine have decided.

uv runs it by `powershell -ExecutionPolicy ByPass`, which beats what a person has set, but not a
Group Policy (Microsoft's about_Execution_Policies, about_Group_Policy_Settings). Under AppLocker or
App Control PowerShell is in constrained language mode (about_Language_Modes): our own script needs
nothing that is missing there, a release's own begins with `New-Object Net.WebClient`.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import PureWindowsPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from uv_self_update.errors import ScriptsBarred

if TYPE_CHECKING:
    from collections.abc import Mapping


Script = Literal["native", "release"]
"""Whose script is to be run: ours, or the release's own."""

KEY = r"SOFTWARE\Policies\Microsoft\Windows\PowerShell"
"""Where Group Policy keeps what it says of Windows PowerShell, for the machine and for the user."""

_BARRING = frozenset({"allsigned", "restricted"})
_LOCKDOWN = "__PSLOCKDOWNPOLICY"  # as Python spells the names of Windows' variables
_PATIENCE = 20  # seconds for PowerShell to start; a virus scanner may read it first
_ASK_FOR_MODE = (
    *("-NoProfile", "-NonInteractive", "-Command"),
    "$ExecutionContext.SessionState.LanguageMode",
)


@dataclass(frozen=True, kw_only=True)
class ScriptPolicy:
    """What was decided for this machine and this user."""

    machine: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    """The values below `KEY` of HKEY_LOCAL_MACHINE."""

    user: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    """Those of HKEY_CURRENT_USER, which count where the machine's say nothing."""

    language_mode: str = ""
    """Empty where nobody has asked, or PowerShell has not answered."""

    locked_by: str = "AppLocker or App Control"
    """What sets the language mode, if it is another."""

    def bars(self, script: Script) -> ScriptsBarred | None:
        """Return why a script cannot run, or None where it can."""
        for hive, values in (("LOCAL_MACHINE", self.machine), ("CURRENT_USER", self.user)):
            policy = _execution_policy(values)
            if policy is None:
                continue
            if policy.lower() not in _BARRING:
                break
            return ScriptsBarred(
                f"the execution policy is {policy}",
                rf"Group Policy (HKEY_{hive}\{KEY})",
                hint="Ask whoever manages this machine to let local scripts run, or take uv from "
                "the package index: `uv pip install --target FOLDER uv`.",
            )
        if script == "release" and self.language_mode == "ConstrainedLanguage":
            return ScriptsBarred(
                "it is in constrained language mode, which the release's own installer is not "
                "made for",
                self.locked_by,
                hint="With `--installer native` uv-self-update installs it by itself.",
            )
        return None


def barred(script: Script, environ: Mapping[str, str]) -> ScriptsBarred | None:
    """Return why uv could not run a script on this machine, or None where it can.

    Args:
        script: Whose it is.
        environ: The environment that uv runs in.
    """
    policy = find_out(script, environ)
    return None if policy is None else policy.bars(script)


def find_out(script: Script, environ: Mapping[str, str]) -> ScriptPolicy | None:
    """Return what Windows has been told; None on other systems, where scripts are run by sh.

    PowerShell itself is asked for the language mode, since it alone knows what AppLocker says.
    That takes a moment, so only where it matters.
    """
    if sys.platform == "win32":
        import winreg  # noqa: PLC0415 # there is none elsewhere

        return ScriptPolicy(
            machine=_values(winreg.HKEY_LOCAL_MACHINE),
            user=_values(winreg.HKEY_CURRENT_USER),
            language_mode=_language_mode(environ) if script == "release" else "",
            locked_by="the variable __PSLockdownPolicy"
            if _LOCKDOWN in environ
            else ScriptPolicy.locked_by,
        )
    else:  # noqa: RET505 # mypy takes what follows for unreachable otherwise
        return None


def _execution_policy(values: Mapping[str, object]) -> str | None:
    """Return what "Turn on Script Execution" comes to, as PowerShell itself reads it."""
    match str(values.get("EnableScripts")):
        case "0":
            return "Restricted"
        case "1" if "ExecutionPolicy" in values:
            return str(values["ExecutionPolicy"])
        case _:
            return None


def _values(hive: int) -> Mapping[str, object]:
    found: dict[str, object] = {}
    if sys.platform == "win32":
        import winreg  # noqa: PLC0415 # there is none elsewhere

        with suppress(OSError), winreg.OpenKey(hive, KEY) as key:
            for name in ("EnableScripts", "ExecutionPolicy"):
                with suppress(OSError):
                    found[name] = winreg.QueryValueEx(key, name)[0]
    return found


def _language_mode(environ: Mapping[str, str]) -> str:
    """Ask PowerShell; nothing where it does not answer, which uv will have to see by itself."""
    # By its whole path: Windows would look into the current folder first.
    system = PureWindowsPath(environ.get("SYSTEMROOT", r"C:\Windows")) / "System32"
    program = system / "WindowsPowerShell" / "v1.0" / "powershell.exe"
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(  # noqa: S603 # Windows' own
            [str(program), *_ASK_FOR_MODE],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
        return done.stdout.decode("ascii", "replace").strip()
    return ""
