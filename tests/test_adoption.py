"""A uv without a receipt of its own is adopted: updated for real, and given a receipt."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.web import Page
from uv_self_update.errors import ManagedByPackageManager
from uv_self_update.uv.receipt import read

if TYPE_CHECKING:
    from support.homes import Done, Home
    from support.web import Web

START = "0.8.24"
INSTALLERS = ("native", "release")
KEPT = "uv-receipt.json.old"

each_installer = pytest.mark.parametrize("installer", INSTALLERS)


@pytest.fixture
def adopter(home: Home, web: Web, tmp_path: Path) -> Home:
    """Return a home with a uv, a mirror with the newest one, and the wish to adopt."""
    home.install(START)
    web.pages |= mirrors.urls_pages([binaries.newest()])
    home.configure(
        f'[[source]]\nkind = "urls"\nlatest = "{web.url}/latest.json"\n'
        f'download = "{web.url}/files/{{tag}}/{{asset}}"\n'
    )
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    home.environ |= {"UV_SELF_UPDATE_ADOPT": "true", "TMPDIR": str(temporary)}
    return home


def move(home: Home, folder: Path) -> Path:
    """Put a copy of the home's uv elsewhere, and return it."""
    folder.mkdir(parents=True)
    for name in ("uv", "uvx"):
        shutil.copy2(home.bin / name, folder / name)
    return folder / "uv"


def version_of(home: Home, uv: Path) -> str:
    """Ask a uv for its version."""
    return home.run("--version", program=(str(uv),)).out.split()[1]


def nothing_is_left(home: Home) -> bool:
    """Return whether nothing temporary is left."""
    return list(Path(home.environ["TMPDIR"]).iterdir()) == []


def check_alone(home: Home, uv: Path, start: str) -> None:
    """Make sure that plain `uv self update` finds a receipt: it goes on to ask the mirror."""
    done = home.run(start, "--uv", str(uv), environ={"UV_SELF_UPDATE_ADOPT": "false"})
    assert "Self-update is only available" not in done.err


@each_installer
@pytest.mark.parametrize("start", ["0.5.0", START])
def test_without_a_receipt(start: str, installer: str, adopter: Home) -> None:
    """A uv without a receipt is updated, and has one afterwards as its installer leaves it."""
    adopter.install(start)
    adopter.receipt.unlink()
    adopter.receipt.parent.rmdir()

    if installer == "release":
        adopter.receipt.parent.mkdir()
    done = adopter.run("--installer", installer)

    assert done.code == 0, done.err
    assert adopter.version() == binaries.newest()
    assert adopter.receipt_version() == binaries.newest()
    assert read(adopter.receipt).is_about(adopter.uv)
    assert not adopter.receipt.with_name(KEPT).exists()
    assert "warning" not in done.err
    assert nothing_is_left(adopter)
    check_alone(adopter, adopter.uv, binaries.newest())


@each_installer
def test_receipt_of_another(installer: str, adopter: Home, tmp_path: Path) -> None:
    """A receipt about another uv makes room, is kept, and that uv is named."""
    uv = move(adopter, tmp_path / "tools")
    before = adopter.receipt.read_bytes()

    done = adopter.run("--installer", installer, "--uv", str(uv))

    assert done.code == 0, done.err
    assert version_of(adopter, uv) == binaries.newest()
    assert adopter.version() == START
    assert read(adopter.receipt).is_about(uv)
    assert adopter.receipt_version() == binaries.newest()
    assert adopter.receipt.with_name(KEPT).read_bytes() == before
    assert f"warning: {adopter.uv} no longer updates itself: the receipt {adopter.receipt} " in (
        done.err
    )
    assert nothing_is_left(adopter)


@each_installer
def test_receipt_of_a_uv_that_is_gone(installer: str, adopter: Home, tmp_path: Path) -> None:
    """Where the other uv was moved, its receipt is kept, and nobody is missed."""
    uv = move(adopter, tmp_path / "tools")
    shutil.rmtree(adopter.bin)

    done = adopter.run("--installer", installer, "--uv", str(uv))

    assert done.code == 0, done.err
    assert read(adopter.receipt).is_about(uv)
    assert read(adopter.receipt.with_name(KEPT)).prefix == adopter.bin
    assert "warning" not in done.err


@each_installer
def test_broken_receipt(installer: str, adopter: Home) -> None:
    """A receipt that cannot be read is replaced, and kept."""
    adopter.receipt.write_text("{")

    done = adopter.run("--installer", installer)

    assert done.code == 0, done.err
    assert adopter.receipt_version() == binaries.newest()
    assert adopter.receipt.with_name(KEPT).read_text() == "{"


@each_installer
def test_link_to_uv(installer: str, adopter: Home, tmp_path: Path) -> None:
    """What a link leads to is updated, and the link stays."""
    uv = move(adopter, tmp_path / "versioned" / "bin")
    for name in ("uv", "uvx"):
        (adopter.bin / name).unlink()
        (adopter.bin / name).symlink_to(uv.parent / name)
    adopter.receipt.unlink()

    done = adopter.run("--installer", installer)

    assert done.code == 0, done.err
    assert adopter.uv.is_symlink()
    assert version_of(adopter, uv) == binaries.newest()
    assert read(adopter.receipt).is_about(adopter.uv)


@each_installer
def test_right_receipt(installer: str, adopter: Home) -> None:
    """A standalone uv with its own receipt is updated as without the wish, and so is the rest."""
    document = {**json.loads(adopter.receipt.read_text()), "future": [1]}
    adopter.receipt.write_text(json.dumps(document))
    before = adopter.rest()

    done = adopter.run("--installer", installer)

    assert done.code == 0, done.err
    assert adopter.receipt_version() == binaries.newest()
    assert adopter.rest() == before
    assert "future" in adopter.receipt.read_text()


@each_installer
@pytest.mark.parametrize("receipt", ["none", "another"])
def test_failure(receipt: str, installer: str, adopter: Home, web: Web, tmp_path: Path) -> None:
    """When the update fails, receipts are what they were, and none is left."""
    uv = move(adopter, tmp_path / "tools")
    if receipt == "none":
        adopter.receipt.unlink()
    archive = next(path for path in web.pages if path.endswith(".tar.gz"))
    del web.pages[archive]
    before = adopter.snapshot()

    done = adopter.run("--installer", installer, "--uv", str(uv))

    assert done.code != 0
    assert adopter.snapshot() == before
    assert version_of(adopter, uv) == START
    assert nothing_is_left(adopter)


def test_failure_after_the_installer_has_written(adopter: Home, web: Web, tmp_path: Path) -> None:
    """A receipt that a release's installer has written before it failed is taken back."""
    uv = move(adopter, tmp_path / "tools")
    script = next(path for path in web.pages if path.endswith("uv-installer.sh"))
    failing = b'#!/bin/sh\necho "{}" >"$HOME/.config/uv/uv-receipt.json"\nexit 1\n'
    document = mirrors.github_json(binaries.newest(), digests=False)
    web.pages[script] = Page(body=failing)
    web.pages["/latest.json"] = Page(body=json.dumps(document).encode())
    before = adopter.snapshot()

    done = adopter.run("--installer", "release", "--uv", str(uv))

    assert done.code != 0
    assert any(asked.endswith("uv-installer.sh") for asked in web.paths())
    assert adopter.snapshot() == before


def test_dry_run(adopter: Home) -> None:
    """Where nothing is to be changed, uv gets no receipt."""
    adopter.receipt.unlink()
    before = adopter.snapshot()

    done = adopter.run("--dry-run")

    assert done.code == 0, done.err
    assert adopter.snapshot() == before


@each_installer
@pytest.mark.parametrize("about", ["none", "another"])
def test_nothing_is_newer(
    about: str, installer: str, adopter: Home, web: Web, tmp_path: Path
) -> None:
    """A uv that is the newest already is adopted all the same, and updates itself from then on."""
    uv = move(adopter, tmp_path / "tools")
    before = adopter.receipt.read_bytes()
    if about == "none":
        adopter.receipt.unlink()
    web.pages |= mirrors.urls_pages([START])

    done = adopter.run(START, "--installer", installer, "--uv", str(uv))

    assert done.code == 0, done.err
    assert read(adopter.receipt).is_about(uv)
    assert adopter.receipt_version() == START
    assert adopter.receipt.with_name(KEPT).exists() == (about == "another")
    if about == "another":
        assert adopter.receipt.with_name(KEPT).read_bytes() == before
    assert nothing_is_left(adopter)


@each_installer
def test_receipts_elsewhere(installer: str, adopter: Home, tmp_path: Path) -> None:
    """The receipt is left where uv looks for it, in the folder that a variable names."""
    adopter.environ["AXOUPDATER_CONFIG_PATH"] = str(tmp_path / "receipts")
    before = adopter.receipt.read_bytes()

    done = adopter.run("--installer", installer)

    assert done.code == 0, done.err
    assert read(tmp_path / "receipts" / "uv-receipt.json").is_about(adopter.uv)
    assert adopter.receipt.read_bytes() == before
    assert [path.name for path in adopter.receipt.parent.iterdir()] == ["uv-receipt.json"]


def test_current_folder_of_receipts(adopter: Home) -> None:
    """A receipt is not left in whatever folder the person stands in."""
    adopter.environ["AXOUPDATER_CONFIG_WORKING_DIR"] = "1"
    adopter.receipt.unlink()

    done = adopter.run()

    assert done.code == 0, done.err
    assert adopter.version() == binaries.newest()
    assert read(adopter.receipt).is_about(adopter.uv)
    assert not (adopter.path / "uv-receipt.json").exists()


def test_rehearsal_adopts_nothing(adopter: Home, web: Web) -> None:
    """A rehearsal goes well with the wish to adopt too, and leaves no receipt."""
    adopter.receipt.unlink()
    web.pages |= mirrors.urls_pages([binaries.newest(), START], real=True)
    before = adopter.snapshot()

    done = adopter.run("rehearse", "--from", START)

    assert done.code == 0, done.err
    assert adopter.snapshot() == before


def owned_by_venv(home: Home) -> Path:
    """Put a uv into a virtual environment."""
    uv = move(home, home.path / ".venv" / "bin")
    (home.path / ".venv" / "pyvenv.cfg").touch()
    return uv


def test_copy_with_an_owner_is_refused(adopter: Home, web: Web) -> None:
    """A copy that somebody owns is refused before uv is started, with the command."""
    uv = owned_by_venv(adopter)
    before = adopter.snapshot()

    done = adopter.run("--uv", str(uv))

    python = uv.with_name("python")
    assert done.code == ManagedByPackageManager.exit_code
    assert done.err == (
        f"error: {uv} is managed by the virtual environment {uv.parent.parent}\n"
        f"hint: Update it with `{python} -m pip install --upgrade uv`.\n"
    )
    assert web.paths() == []
    assert adopter.snapshot() == before


def test_copy_with_an_owner_is_explained(adopter: Home) -> None:
    """Without the wish to adopt, uv refuses, and the owner is named then."""
    uv = owned_by_venv(adopter)
    adopter.environ["UV_SELF_UPDATE_ADOPT"] = "false"

    done: Done = adopter.run("--uv", str(uv))

    assert done.code == 2
    assert f"hint: It is managed by the virtual environment {uv.parent.parent}. " in done.err
    assert f"To update the uv that the receipt describes, use `--uv {adopter.uv}`." in done.err
    assert "--adopt" not in done.err


@pytest.mark.extra
def test_too_old_a_uv(adopter: Home) -> None:
    """A uv that would ask GitHub is refused, receipt or not."""
    adopter.install(binaries.OLDEST)
    adopter.receipt.unlink()

    done = adopter.run()

    assert done.code == 4
    assert f"is uv {binaries.OLDEST}, but only uv 0.5.0 and later" in done.err
    assert not adopter.receipt.exists()
