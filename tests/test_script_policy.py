"""What Windows does not let PowerShell run, found out before anything is touched."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from uv_self_update.gateway import script_policy as powershell
from uv_self_update.gateway.script_policy import ScriptPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from support.homes import Home
    from support.web import Web
    from uv_self_update.gateway.script_policy import Script

OFF: Mapping[str, object] = {"EnableScripts": 0}
SIGNED: Mapping[str, object] = {"EnableScripts": 1, "ExecutionPolicy": "AllSigned"}
LOCAL: Mapping[str, object] = {"EnableScripts": 1, "ExecutionPolicy": "RemoteSigned"}


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (ScriptPolicy(), None),
        (ScriptPolicy(machine=LOCAL), None),
        (ScriptPolicy(user=LOCAL), None),
        (ScriptPolicy(machine=OFF), "Restricted, set by Group Policy (HKEY_LOCAL_MACHINE"),
        (ScriptPolicy(machine=SIGNED), "AllSigned, set by Group Policy (HKEY_LOCAL_MACHINE"),
        (ScriptPolicy(user=OFF), "Restricted, set by Group Policy (HKEY_CURRENT_USER"),
        (ScriptPolicy(user=SIGNED), "AllSigned, set by Group Policy (HKEY_CURRENT_USER"),
        (ScriptPolicy(machine=LOCAL, user=OFF), None),
        (ScriptPolicy(machine=SIGNED, user=LOCAL), "HKEY_LOCAL_MACHINE"),
        (ScriptPolicy(machine={"ExecutionPolicy": "AllSigned"}), None),
        (ScriptPolicy(machine={"EnableScripts": 1}, user=OFF), "HKEY_CURRENT_USER"),
        (ScriptPolicy(machine={"EnableScripts": 1, "ExecutionPolicy": "allsigned"}), "allsigned"),
        (ScriptPolicy(machine={"EnableScripts": 0, "ExecutionPolicy": "Bypass"}), "Restricted"),
    ],
)
@pytest.mark.parametrize("script", ["native", "release"])
def test_group_policy(policy: ScriptPolicy, reason: str | None, script: Script) -> None:
    """The machine's policy counts before the user's, as in about_Execution_Policies."""
    error = policy.bars(script)

    if reason is None:
        assert error is None
    else:
        assert error is not None
        assert reason in str(error)
        assert "uv pip install --target" in str(error.hint)


@pytest.mark.parametrize(
    ("mode", "script", "passes"),
    [
        ("FullLanguage", "native", True),
        ("FullLanguage", "release", True),
        ("ConstrainedLanguage", "native", True),
        ("ConstrainedLanguage", "release", False),
        ("", "release", True),
    ],
)
def test_language_mode(mode: str, script: Script, *, passes: bool) -> None:
    """Where the language is constrained, our own script still runs."""
    error = ScriptPolicy(language_mode=mode).bars(script)

    assert (error is None) == passes
    if error is not None:
        assert "set by AppLocker or App Control" in str(error)
        assert "--installer native" in str(error.hint)


def test_group_policy_before_language_mode() -> None:
    """What bars both scripts is named first: the other installer would be no way out."""
    error = ScriptPolicy(user=SIGNED, language_mode="ConstrainedLanguage").bars("release")

    assert "AllSigned" in str(error)


@dataclass
class Key:
    """An open key of a registry."""

    values: Mapping[str, object]

    def __enter__(self) -> Self:
        """Return the key."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""


@dataclass
class Registry(ModuleType):
    """As much of `winreg` as is used, in memory."""

    keys: Mapping[tuple[int, str], Mapping[str, object]] = field(default_factory=dict)
    HKEY_LOCAL_MACHINE = 1
    HKEY_CURRENT_USER = 2

    def OpenKey(self, hive: int, name: str) -> Key:  # noqa: N802 # the library's name
        """Open a key that is there."""
        try:
            return Key(self.keys[hive, name])
        except KeyError:
            raise FileNotFoundError(name) from None

    def QueryValueEx(self, key: Key, name: str) -> tuple[object, int]:  # noqa: N802 # as above
        """Return a value that is there, and its type."""
        try:
            return key.values[name], 0
        except KeyError:
            raise FileNotFoundError(name) from None


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """Pretend to be on Windows; return the environment, whose PowerShell is at `powershell`."""
    monkeypatch.setattr(sys, "platform", "win32")
    return {"SYSTEMROOT": str(tmp_path), "PATH": "/usr/bin:/bin"}


def registry(monkeypatch: pytest.MonkeyPatch, **hives: Mapping[str, object]) -> None:
    """Fill the registry."""
    key = r"SOFTWARE\Policies\Microsoft\Windows\PowerShell"
    numbers = {"machine": Registry.HKEY_LOCAL_MACHINE, "user": Registry.HKEY_CURRENT_USER}
    found = {(numbers[name], key): values for name, values in hives.items()}
    monkeypatch.setitem(sys.modules, "winreg", Registry(found))


def power_shell(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """Put a program where PowerShell lies, and return what it writes its arguments to."""
    monkeypatch.setattr(powershell, "PureWindowsPath", Path)
    program = folder / "System32" / "WindowsPowerShell" / "v1.0" / "powershell.exe"
    program.parent.mkdir(parents=True)
    asked = folder / "asked"
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > '{asked}'\n{script}\n")
    program.chmod(0o755)
    return asked


def test_registry_is_read(windows: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Both hives are read, and for our own script nothing else is done."""
    registry(monkeypatch, machine={**LOCAL, "More": 1}, user=OFF)

    assert powershell.read_policy("native", windows) == ScriptPolicy(machine=LOCAL, user=OFF)


def test_registry_without_a_policy(
    windows: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no such key, or no PowerShell to ask, nothing is barred."""
    registry(monkeypatch)

    assert powershell.read_policy("release", windows) == ScriptPolicy()
    assert powershell.barred("release", windows) is None


@pytest.mark.parametrize(
    ("more", "place"),
    [({}, "AppLocker or App Control"), ({"__PSLOCKDOWNPOLICY": "4"}, "__PSLockdownPolicy")],
)
def test_powershell_is_asked_for_its_mode(
    more: dict[str, str],
    place: str,
    windows: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PowerShell says which mode it is in, in uv's own environment."""
    registry(monkeypatch)
    asked = power_shell(tmp_path, monkeypatch, "printf 'ConstrainedLanguage\\r\\n'")

    error = powershell.barred("release", {**windows, **more})

    assert error is not None
    assert place in str(error)
    assert asked.read_text().splitlines() == [
        *("-NoProfile", "-NonInteractive", "-Command"),
        "$ExecutionContext.SessionState.LanguageMode",
    ]


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_other_systems_have_no_such_policy(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where sh runs the scripts, nothing is looked at."""
    monkeypatch.setattr(sys, "platform", platform)
    registry(monkeypatch, machine=OFF)

    assert powershell.read_policy("release", {}) is None
    assert powershell.barred("release", {}) is None


INJECTED = """
import sys
from uv_self_update.gateway import script_policy as powershell
from uv_self_update.gateway.script_policy import ScriptPolicy
powershell.read_policy = lambda *_: ScriptPolicy({facts})
from uv_self_update.__main__ import main
sys.exit(main())
"""


def update(home: Home, facts: str, *arguments: str) -> tuple[int, str]:
    """Update as on a machine where these are the facts."""
    program = (sys.executable, "-c", INJECTED.format(facts=facts))
    done = home.run(*arguments, program=program)
    return done.code, done.err


def install(home: Home, web: Web) -> None:
    """Install the newest uv but one, and make the newest a mirror's."""
    home.install(binaries.newest_but_one())
    web.pages |= mirrors.github_pages([binaries.newest()], prefix="/base")
    home.environ["UV_SELF_UPDATE_SOURCE"] = f"github+{web.url}/base/astral-sh/uv"


@pytest.mark.extra
@pytest.mark.parametrize("installer", ["auto", "release", "native"])
@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ("machine={'EnableScripts': 0}", "the execution policy is Restricted"),
        (
            "user={'EnableScripts': 1, 'ExecutionPolicy': 'AllSigned'}",
            "the execution policy is AllSigned",
        ),
    ],
)
def test_real_uv_stops_before_anything_is_touched(
    facts: str, reason: str, installer: str, home: Home, web: Web
) -> None:
    """A real uv gives up, all of its home stays as it was, and the reason is said once."""
    install(home, web)
    before = home.snapshot()

    code, err = update(home, facts, "--installer", installer)

    assert code != 0
    assert err.count(reason) == 1, err
    assert "The installation failed" not in err
    assert home.snapshot() == before
    assert home.version() == binaries.newest_but_one()


@pytest.mark.extra
def test_release_is_refused_in_constrained_language(home: Home, web: Web) -> None:
    """A release's own installer, where it was asked for, is not run where it would fail."""
    install(home, web)
    before = home.snapshot()

    code, err = update(home, "language_mode='ConstrainedLanguage'", "--installer", "release")

    assert code != 0
    assert err.count("constrained language mode") == 1, err
    assert "--installer native" in err
    assert home.snapshot() == before


@pytest.mark.extra
@pytest.mark.parametrize("installer", ["auto", "native"])
def test_ours_is_run_in_constrained_language(installer: str, home: Home, web: Web) -> None:
    """Where there is a choice, ours is taken, and uv is updated."""
    install(home, web)

    code, err = update(home, "language_mode='ConstrainedLanguage'", "--installer", installer)

    assert code == 0, err
    assert home.version() == binaries.newest()
    assert not [path for path in web.paths() if path.endswith("uv-installer.sh")]
