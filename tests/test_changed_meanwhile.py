"""What somebody changes while an update downloads is noticed, and not written over."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from typing import TYPE_CHECKING, cast

import pytest

from support import binaries, mirrors
from support.homes import Home
from support.killing import NEW, OLD, Victim
from support.processes import SOON, Stuck
from uv_self_update.errors import ChangedMeanwhile
from uv_self_update.gateway.scripts import staged
from uv_self_update.installer.release import ReleaseInstaller
from uv_self_update.installer.workspace import claim
from uv_self_update.releases.release import Release
from uv_self_update.sources.order import Found
from uv_self_update.uv.adoption import adopting
from uv_self_update.uv.installation import Installation
from uv_self_update.uv.receipt import new_receipt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.web import Web
    from uv_self_update.sources.interface import Source


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


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Return a home with an old uv, which prints its version only, and its receipt."""
    made = Home(path=tmp_path / "home")
    shutil.copytree(binaries.scripts(OLD), made.bin)
    document = new_receipt(prefix=made.bin, version=OLD, executables=("uv", "uvx"))
    made.receipt.parent.mkdir(parents=True)
    made.receipt.write_text(json.dumps(document))
    return made


@pytest.mark.parametrize(
    ("adopted", "change"),
    [(False, edit), (False, lead_elsewhere), (False, replace), (True, edit), (True, replace)],
)
def test_changed_as_the_download_begins(
    change: Callable[[Home], Path], home: Home, *, adopted: bool
) -> None:
    """A release's own installer gets no archive, and what was changed stays."""
    if adopted:
        home.receipt.unlink()
    installation = Installation(uv=home.uv, environ=home.full_environ())
    found = Found(source=cast("Source", None), release=Release(version=NEW, tag=NEW))
    expected: dict[str, str] = {}

    def begin_download() -> None:
        change(home)
        expected.update(rest(home))

    with (
        closing(claim(home.bin)) as work,
        adopting(installation, wanted=adopted, directory=work.claimed) as adoption,
    ):
        installer = ReleaseInstaller(adoption, work, run_by=staged)
        installer.begin(found, b"#!/bin/sh\n", noted=begin_download)
        with pytest.raises(ChangedMeanwhile):
            installer.refuse_changed()
        assert not installer.conclude(at_work=lambda: False)
    assert rest(home) == expected


def test_receipt_of_another_program_during_an_adoption(home: Home) -> None:
    """A receipt is noticed that is written once a uv is known to have none."""
    home.receipt.unlink()
    installation = Installation(uv=home.uv, environ=home.full_environ())
    with adopting(installation, wanted=True, directory=home.path) as adoption:
        edit(home)
        receipt = adoption.installation.read_receipt()
        assert not all(rewrite.untouched for rewrite in adoption.receipts())
        assert not all(rewrite.untouched for rewrite in adoption.rewrites(receipt, NEW))


@pytest.mark.system
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
        pytest.param("release", "own", replace, marks=pytest.mark.slow),
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
