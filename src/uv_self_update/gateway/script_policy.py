"""Whether PowerShell may run uv's installer, by the policies of a Windows machine.

uv runs it by `powershell -ExecutionPolicy ByPass`, which overrides the user's setting, but not a
Group Policy (Microsoft's about_Execution_Policies, about_Group_Policy_Settings). Under AppLocker or
App Control PowerShell is in constrained language mode (about_Language_Modes): our own script
works there, but a release's own begins with `New-Object Net.WebClient`.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import PureWindowsPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from uv_self_update.errors import ScriptsDisabled
from uv_self_update.gateway import script_path
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


Script = Literal["native", "release"]
"""The installer: ours, or the release's own."""

KEY = r"SOFTWARE\Policies\Microsoft\Windows\PowerShell"
"""The registry key of the Group Policy for Windows PowerShell, of the machine and of the user."""

_BARRING = frozenset({"allsigned", "restricted"})
_LOCKDOWN = "__PSLOCKDOWNPOLICY"  # as Python spells the names of Windows' variables
_TIMEOUT = 20  # seconds for PowerShell to start; a virus scanner may read it first
_ASK_FOR_MODE = (
    *("-NoProfile", "-NonInteractive", "-Command"),
    "$ExecutionContext.SessionState.LanguageMode",
)


@frozen
class ScriptPolicy:
    """The policies of this machine and this user."""

    machine: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    """The values below `KEY` of HKEY_LOCAL_MACHINE."""

    user: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    """Those of HKEY_CURRENT_USER, which apply if the machine's are not set."""

    language_mode: str = ""
    """Empty if it was not queried, or PowerShell did not answer."""

    locked_by: str = "AppLocker or App Control"
    """What restricts the language mode."""

    def bars(self, script: Script) -> ScriptsDisabled | None:
        """Return why a script cannot run; None if it can."""
        for hive, values in (("LOCAL_MACHINE", self.machine), ("CURRENT_USER", self.user)):
            policy = _execution_policy(values)
            if policy is None:
                continue
            if policy.lower() not in _BARRING:
                break
            return ScriptsDisabled(
                f"the execution policy is {policy}",
                rf"Group Policy (HKEY_{hive}\{KEY})",
                hint="Ask the administrator to allow local scripts, or install uv from the package "
                "index: `uv pip install --target DIR uv`.",
            )
        if script == "release" and self.language_mode == "ConstrainedLanguage":
            return ScriptsDisabled(
                "it is in constrained language mode, which the release's own installer does not "
                "support",
                self.locked_by,
                hint="With `--installer native`, uv-self-update installs the release itself.",
            )
        return None


def barred(script: Script, environ: Mapping[str, str]) -> ScriptsDisabled | None:
    """Return why uv cannot run a script on this machine; None if it can."""
    policy = read_policy(script, environ)
    if policy is None:
        return None
    return policy.bars(script) or script_path.unusable(environ)


def variables(environ: Mapping[str, str], *, own: Path | None) -> dict[str, str]:
    """Return the variables with which uv writes its script where PowerShell finds it."""
    # Without an answer, the language may be restricted.
    return script_path.variables(
        environ, own=own, unrestricted=lambda: _language_mode(environ) == "FullLanguage"
    )


def read_policy(script: Script, environ: Mapping[str, str]) -> ScriptPolicy | None:
    """Return the policies of Windows; None on other systems, where sh runs the scripts.

    Only PowerShell itself knows the language mode that AppLocker sets. Querying it is slow, so it
    is done for the release's own installer only.
    """
    if sys.platform == "win32":
        import winreg  # noqa: PLC0415 # exists on Windows only

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
    """Return the policy that "Turn on Script Execution" sets, as PowerShell reads it."""
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
        import winreg  # noqa: PLC0415 # exists on Windows only

        with suppress(OSError), winreg.OpenKey(hive, KEY) as key:
            for name in ("EnableScripts", "ExecutionPolicy"):
                with suppress(OSError):
                    found[name] = winreg.QueryValueEx(key, name)[0]
    return found


def _language_mode(environ: Mapping[str, str]) -> str:
    """Return the language mode of PowerShell; empty if it does not answer."""
    # By its full path: Windows searches the current directory first.
    system = PureWindowsPath(environ.get("SYSTEMROOT", r"C:\Windows")) / "System32"
    program = system / "WindowsPowerShell" / "v1.0" / "powershell.exe"
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(  # noqa: S603 # Windows' own
            [str(program), *_ASK_FOR_MODE],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
        return done.stdout.decode("ascii", "replace").strip()
    return ""
