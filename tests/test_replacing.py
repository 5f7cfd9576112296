"""The new executables take the place of the old ones, or everything stays as it was."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from uv_self_update import receipt as receipts
from uv_self_update.errors import NotReplaced
from uv_self_update.installer.replacing import replace
from uv_self_update.installer.staging import Staged
from uv_self_update.platforms import Platform

if TYPE_CHECKING:
    from collections.abc import Callable

UNIX = Platform(triple="x86_64-unknown-linux-gnu")
WINDOWS = Platform(triple="x86_64-pc-windows-msvc")


class Machine:
    """An installed uv, and a new one that lies ready."""

    def __init__(self, root: Path, platform: Platform = UNIX) -> None:
        """Lay both."""
        self.platform = platform
        self.root = root
        self.bin = root / "bin"
        self.receipt = root / "config" / "uv-receipt.json"
        self.staged = self.bin / ".staged" / "bin"
        self.aside = self.bin / ".staged" / "replaced"
        for folder in (self.staged, self.aside, self.receipt.parent):
            folder.mkdir(parents=True)
        for name in platform.executables:
            (self.bin / name).write_text(f"old {name}")
            (self.bin / name).chmod(0o755)
            (self.staged / name).write_text(f"new {name}")
        document = receipts.new_receipt(
            prefix=self.bin, version="0.5.0", executables=platform.executables
        )
        self.receipt.write_text(json.dumps({**document, "future": [1]}))

    def replace(self) -> None:
        """Put the new one in place."""
        replace(
            Staged(folder=self.staged, version="0.12.3", size=1),
            receipts.read(self.receipt),
            self.platform,
            aside=self.aside,
        )

    def stage_again(self) -> None:
        """Lay the new one ready once more."""
        shutil.rmtree(self.aside)
        self.aside.mkdir()
        for name in self.platform.executables:
            (self.staged / name).write_text(f"new {name}")

    def installed(self) -> dict[str, tuple[str, int]]:
        """Return what is installed: name -> content and mode, or where a link leads."""
        return {
            path.name: (
                str(path.readlink()) if path.is_symlink() else path.read_text(),
                path.lstat().st_mode & 0o7777,
            )
            for path in [*self.bin.iterdir(), *self.receipt.parent.glob("*")]
            if not path.is_dir() or path.is_symlink()
        }


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine with an installed uv."""
    return Machine(tmp_path)


@pytest.fixture(params=["hard links", "no hard links"])
def _hard_links(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run on a file system with hard links, and on one without."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    if request.param == "no hard links":
        monkeypatch.setattr(os, "link", refuse)


class Replacing:
    """Watches the renames, and can have one of them fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, failing: int | None = None) -> None:
        """Watch from now on."""
        self.names: list[str] = []
        real = Path.replace

        def watched(path: Path, target: Path) -> Path:
            self.names.append(Path(target).name)
            if len(self.names) == failing:
                raise OSError(28, "No space left on device")
            return real(path, target)

        monkeypatch.setattr(Path, "replace", watched)


@pytest.mark.usefixtures("_hard_links")
@pytest.mark.parametrize("platform", [UNIX, WINDOWS])
def test_replace(tmp_path: Path, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each executable is renamed into place, uv last, and then the receipt is rewritten."""
    machine = Machine(tmp_path, platform)
    watch = Replacing(monkeypatch)
    machine.replace()
    assert watch.names == [*platform.executables, "uv-receipt.json"]
    installed = machine.installed()
    text, _ = installed.pop("uv-receipt.json")
    assert installed == {name: (f"new {name}", 0o755) for name in platform.executables}
    document = json.loads(text)
    assert (document["version"], document["future"]) == ("0.12.3", [1])


@pytest.mark.usefixtures("_hard_links")
@pytest.mark.parametrize("failing", [1, 2, 3])
def test_rename_that_fails(machine: Machine, failing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever rename fails, everything is as it was, and the error names the place."""
    before = machine.installed()
    Replacing(monkeypatch, failing=failing)
    place = machine.receipt if failing == 3 else machine.bin
    with pytest.raises(NotReplaced) as caught:
        machine.replace()
    assert str(caught.value) == (
        f"the new version cannot be put into {place}: No space left on device"
    )
    assert machine.installed() == before


def _receipt_folder_vanishes(machine: Machine) -> None:
    machine.receipt.unlink()
    machine.receipt.parent.rmdir()


def _uv_is_a_folder(machine: Machine) -> None:
    (machine.bin / "uv").unlink()
    (machine.bin / "uv").mkdir()
    (machine.bin / "uv" / "file").touch()


def _uvx_is_a_folder(machine: Machine) -> None:
    (machine.bin / "uvx").unlink()
    (machine.bin / "uvx").mkdir()


def _nothing_to_keep_it_in(machine: Machine) -> None:
    machine.aside.rmdir()


@pytest.mark.usefixtures("_hard_links")
@pytest.mark.parametrize(
    "happens", [_receipt_folder_vanishes, _uv_is_a_folder, _uvx_is_a_folder, _nothing_to_keep_it_in]
)
def test_rollback(machine: Machine, happens: Callable[[Machine], None]) -> None:
    """Whatever has happened to the installation meanwhile, it is left as it was found."""
    receipt = receipts.read(machine.receipt)
    happens(machine)
    before = machine.installed()
    staged = Staged(folder=machine.staged, version="0.12.3", size=1)
    with pytest.raises(NotReplaced):
        replace(staged, receipt, UNIX, aside=machine.aside)
    assert machine.installed() == before


@pytest.mark.parametrize("failing", [KeyboardInterrupt, MemoryError])
def test_interrupted(
    machine: Machine, failing: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what is no error of the file system undoes everything, and goes on as what it is."""
    before = machine.installed()

    def interrupt(*_: object) -> None:
        raise failing

    monkeypatch.setattr("uv_self_update.installer.replacing.write_atomically", interrupt)
    with pytest.raises(failing):
        machine.replace()
    assert machine.installed() == before


@pytest.mark.usefixtures("_hard_links")
@pytest.mark.parametrize("mode", [0o700, 0o755, 0o775, 0o4755, 0o555])
def test_mode_is_kept(machine: Machine, mode: int) -> None:
    """A new executable gets the mode of the old one."""
    (machine.bin / "uv").chmod(mode)
    machine.replace()
    assert machine.installed()["uv"] == ("new uv", mode)


@pytest.mark.usefixtures("_hard_links")
def test_executable_that_is_new(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not there before comes in, and goes again if the rest fails."""
    (machine.bin / "uvx").unlink()
    (machine.staged / "uvx").chmod(0o600)
    before = machine.installed()
    with monkeypatch.context() as patch:
        Replacing(patch, failing=2)
        with pytest.raises(NotReplaced):
            machine.replace()
    assert machine.installed() == before
    machine.stage_again()
    machine.replace()
    assert machine.installed()["uvx"] == ("new uvx", 0o755)


def test_executable_that_the_release_lacks(machine: Machine) -> None:
    """What the new release does not bring stays as it is."""
    (machine.staged / "uvx").unlink()
    machine.replace()
    assert machine.installed()["uvx"] == ("old uvx", 0o755)
    assert machine.installed()["uv"] == ("new uv", 0o755)


@pytest.mark.usefixtures("_hard_links")
@pytest.mark.parametrize("target", ["real", "missing"])
def test_link(machine: Machine, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link is replaced by a file, what it leads to stays, and it is back if the rest fails."""
    real = machine.root / "real"
    real.write_text("elsewhere")
    real.chmod(0o755)
    (machine.bin / "uvx").unlink()
    (machine.bin / "uvx").symlink_to(machine.root / target)
    before = machine.installed()
    with monkeypatch.context() as patch:
        Replacing(patch, failing=2)
        with pytest.raises(NotReplaced):
            machine.replace()
    assert machine.installed() == before
    machine.stage_again()
    machine.replace()
    assert machine.installed()["uvx"] == ("new uvx", 0o755)
    assert real.read_text() == "elsewhere"


def test_running_executable(machine: Machine) -> None:
    """Whoever has the old uv open goes on to see the whole of it."""
    with (machine.bin / "uv").open() as running:
        machine.replace()
        assert running.read() == "old uv"
    assert (machine.bin / "uv").read_text() == "new uv"
