"""Where uv for Windows writes its script, so that PowerShell finds it."""

from __future__ import annotations

from pathlib import PureWindowsPath
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from uv_self_update.gateway import script_path, scripts

if TYPE_CHECKING:
    from support.homes import Home
    from support.web import Web

OWN = PureWindowsPath(r"C:\Users\me\.local\bin\.uv-self-update\tmp")
SPLIT = [*" '&()$;,{}@`", '"', "\u2019", "\u201d"]


def variables(
    temp: str, *, short: str | None = None, own: object = OWN, free: bool = True
) -> dict[str, str]:
    """Return the variables for a TEMP."""
    return script_path.variables(
        {"TEMP": temp},
        own=own,  # type: ignore[arg-type] # any path
        unrestricted=lambda: free,
        short=lambda path: short or path,
    )


def test_plain() -> None:
    """A plain directory stays, and PowerShell is not asked for anything."""
    environ = {"TMP": r"C:\Users\Jürgen\AppData\Local\Temp", "TEMP": r"C:\a b"}

    found = script_path.variables(environ, own=None, unrestricted=lambda: 1 / 0 > 0)

    assert found == {}
    assert script_path.unusable(environ) is None
    assert script_path.unusable({}) is None


@pytest.mark.parametrize("character", SPLIT)
def test_short_name(character: str) -> None:
    """The 8.3 name of the same directory comes first: it has the same rights."""
    temp = rf"C:\a{character}b\Temp"

    assert variables(temp, short=r"C:\A1B2~1\Temp") == dict.fromkeys(
        ("TMP", "TEMP"), r"C:\A1B2~1\Temp"
    )


@pytest.mark.parametrize("character", SPLIT)
def test_own(character: str) -> None:
    """Without such a name, it is the directory next to uv, unless policies restrict scripts."""
    temp = rf"C:\a{character}b\Temp"

    assert variables(temp) == dict.fromkeys(("TMP", "TEMP"), str(OWN))
    assert variables(temp, free=False) == {}
    assert variables(temp, own=None) == {}
    assert variables(temp, own=PureWindowsPath(r"C:\Users\O'Neill\bin")) == {}


@pytest.mark.parametrize("name", ["TMP", "TEMP", "USERPROFILE"])
def test_message(name: str) -> None:
    """If no directory is left, the message names it, the character and the variable."""
    error = script_path.unusable({name: r"C:\Users\O'Neill"})

    assert error is not None
    assert r"C:\Users\O'Neill" in str(error)
    assert "with `'`" in str(error)
    assert f"set by the variable {name}" in str(error)
    assert "set TEMP" in str(error.hint)


def test_order() -> None:
    """Windows takes the first of the variables that is set (GetTempPath2)."""
    assert script_path.unusable({"TMP": r"C:\Temp", "TEMP": r"C:\a b"}) is None
    assert script_path.unusable({"TMP": r"C:\a b", "TEMP": r"C:\Temp"}) is not None


@pytest.mark.parametrize("installer", ["native", "release"])
@pytest.mark.extra
def test_script_that_is_not_run(
    installer: str, home: Home, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that ends with 0 before it has requested the installation is a failure."""
    home.install(binaries.newest_but_one())
    web.pages |= mirrors.github_pages([binaries.newest()])
    before = home.snapshot()
    for name in ("native", "staged"):
        monkeypatch.setattr(scripts, name, lambda *_, **__: b"#!/bin/sh\nexit 0\n")

    done = home.run("--source", f"github+{web.url}/astral-sh/uv", "--installer", installer)

    assert done.code == 8, done
    assert f"uv {binaries.newest()} was not installed: sh ended without running" in done.err
    assert home.snapshot() == before
