"""What somebody changes while an update downloads is noticed, and not written over."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.killing import NEW, OLD, Victim
from support.processes import SOON, Stuck
from uv_self_update.uv.receipt import new_receipt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.homes import Home
    from support.web import Web

pytestmark = pytest.mark.system


def edit(home: Home) -> Path:
    """Have a receipt say something else about the same uv."""
    document = new_receipt(prefix=home.bin, version=OLD, executables=("uv", "uvx"))
    home.receipt.parent.mkdir(parents=True, exist_ok=True)
    home.receipt.write_text(json.dumps({**document, "modify_path": True}))
    return home.receipt


def lead_elsewhere(home: Home) -> Path:
    """Have it be about another uv."""
    document = new_receipt(prefix=home.path, version="0.4.0", executables=("uv", "uvx"))
    home.receipt.write_text(json.dumps(document))
    return home.receipt


def spoil(home: Home) -> Path:
    """Have it be no receipt any more."""
    home.receipt.write_text("{")
    return home.receipt


def replace(home: Home) -> Path:
    """Have another uv in its place."""
    made = home.bin / "another"
    made.write_text(f"#!/bin/sh\necho uv {OLD}\n")
    made.chmod(0o755)
    return made.replace(home.uv)


def rest(home: Home) -> dict[str, str]:
    """Return everything but what an update works in."""
    return {name: text for name, text in home.snapshot().items() if ".uv-self-update" not in name}


@pytest.mark.parametrize(
    ("installer", "receipt", "change"),
    [
        ("native", "own", edit),
        pytest.param("native", "own", lead_elsewhere, marks=pytest.mark.slow),
        pytest.param("native", "own", spoil, marks=pytest.mark.slow),
        pytest.param("native", "own", replace, marks=pytest.mark.slow),
        pytest.param("native", "none", edit, marks=pytest.mark.slow),
        pytest.param("native", "another", edit, marks=pytest.mark.slow),
        ("release", "own", edit),
        pytest.param("release", "own", lead_elsewhere, marks=pytest.mark.slow),
        pytest.param("release", "none", edit, marks=pytest.mark.slow),
    ],
)
def test_changed_during_the_download(
    installer: str, receipt: str, change: Callable[[Home], Path], web: Web, tmp_path: Path
) -> None:
    """The update fails and names the file, which stays as it was changed, and so does the rest."""
    victim = Victim(tmp_path, receipt)
    victim.reset()
    web.pages |= mirrors.github_pages([NEW], prefix="/base", real=True)
    archive = f"/base/astral-sh/uv/releases/download/{NEW}/{binaries.archive(NEW).name}"
    page = web.pages[archive]
    assert not callable(page)
    held = web.pages[archive] = Stuck(page)
    environ = {"UV_SELF_UPDATE_SOURCE": f"github+{web.url}/base/astral-sh/uv"}

    with victim.started(environ=environ, installer=installer) as process:
        held.wait()
        changed = change(victim.home)
        expected = rest(victim.home)
        held.release()
        said = process.communicate(timeout=SOON)[0].decode()

    assert process.returncode != 0, said
    unreadable = change is spoil and f"{changed} can't be used: it is not JSON" in said
    assert unreadable or f"another program changed {changed} during the download" in said
    assert rest(victim.home) == expected
    assert not (victim.home.bin / ".uv-self-update").exists()
    assert victim.home.version() == OLD
