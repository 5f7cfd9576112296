"""The new executables take the place of the old ones, or everything stays as it was."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from uv_self_update.errors import NotReplaced, NotRestored, StagedUvBroken
from uv_self_update.installer import journal
from uv_self_update.installer.replace import keep, noted, recover, replace
from uv_self_update.installer.stage import Staged
from uv_self_update.installer.workspace import claim
from uv_self_update.platforms import Platform
from uv_self_update.uv import receipt as receipts
from uv_self_update.uv.receipt import Rewrite

if TYPE_CHECKING:
    from collections.abc import Callable

UNIX = Platform(triple="x86_64-unknown-linux-gnu")
WINDOWS = Platform(triple="x86_64-pc-windows-msvc")


class Machine:
    """An installed uv, and a new one that lies ready."""

    def __init__(self, root: Path, platform: Platform = UNIX) -> None:
        self.platform = platform
        self.root = root
        self.bin = root / "bin"
        self.receipt = root / "config" / "uv-receipt.json"
        self.work = self.bin / ".uv-self-update"
        self.staged = self.work / "new"
        self.checked: list[tuple[Path, str]] = []
        for folder in (self.staged, self.receipt.parent):
            folder.mkdir(parents=True)
        for name in platform.executables:
            (self.bin / name).write_text(f"old {name}")
            (self.bin / name).chmod(0o755)
            (self.staged / name).write_text(f"new {name}")
        document = receipts.new_receipt(
            prefix=self.bin, version="0.5.0", executables=platform.executables
        )
        self.receipt.write_text(json.dumps({**document, "future": [1]}))

    def replace(
        self,
        check: Callable[[Path, str], None] | None = None,
        rewrites: tuple[Rewrite, ...] | None = None,
    ) -> None:
        """Put the new one in place."""
        replace(
            Staged(folder=self.staged, version="0.12.3", size=1),
            self.bin,
            self.platform,
            rewrites=self.rewrites() if rewrites is None else rewrites,
            work=self.work,
            check=check or self.check,
        )

    def rewrites(self) -> tuple[Rewrite, ...]:
        """Return what becomes of the receipt."""
        return (receipts.read(self.receipt).rewrite("0.12.3"),)

    def check(self, uv: Path, version: str) -> None:
        """Note what was to be tried; the file is the new one by then."""
        assert uv.read_text() == f"new {self.platform.uv}"
        self.checked.append((uv, version))

    def recover(
        self,
        check: Callable[[Path, str], None] | None = None,
        doubt: str | None = None,
        *,
        complete: bool = True,
    ) -> str | None:
        """Do what the next update does."""
        return recover(
            self.work,
            check or self.check,
            doubt=lambda _: doubt,
            complete=lambda _: complete,
            windows=self.platform.windows,
        )

    def stage_again(self) -> None:
        """Lay the new one ready once more."""
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
            if Path(target).name == "journal.json":
                return real(path, target)
            self.names.append(Path(target).name)
            if len(self.names) == failing:
                raise OSError(28, "No space left on device")
            return real(path, target)

        monkeypatch.setattr(Path, "replace", watched)


def undone(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the second rename fail, after which everything has to be as it was."""
    before = machine.installed()
    with monkeypatch.context() as patch:
        Replacing(patch, failing=2)
        with pytest.raises(NotReplaced):
            machine.replace()
    assert machine.installed() == before


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
    assert machine.checked == [(machine.bin / platform.uv, "0.12.3")] * platform.windows
    assert machine.recover() is None, "there is nothing left to do"


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
        f"failed to write the new version to {place}: No space left on device"
    )
    assert machine.installed() == before


def _receipt_is_a_folder(machine: Machine) -> None:
    machine.receipt.unlink()
    machine.receipt.mkdir()


def _uv_is_a_folder(machine: Machine) -> None:
    (machine.bin / "uv").unlink()
    (machine.bin / "uv").mkdir()
    (machine.bin / "uv" / "file").touch()


def _uvx_is_a_folder(machine: Machine) -> None:
    (machine.bin / "uvx").unlink()
    (machine.bin / "uvx").mkdir()


def _nothing_to_keep_it_in(machine: Machine) -> None:
    (machine.work / "old").touch()


@pytest.mark.usefixtures("_hard_links")
@pytest.mark.parametrize(
    "happens", [_receipt_is_a_folder, _uv_is_a_folder, _uvx_is_a_folder, _nothing_to_keep_it_in]
)
def test_rollback(machine: Machine, happens: Callable[[Machine], None]) -> None:
    """Whatever has happened to the installation meanwhile, it is left as it was found."""
    rewrites = machine.rewrites()
    happens(machine)
    before = machine.installed()
    with pytest.raises(NotReplaced):
        machine.replace(rewrites=rewrites)
    assert machine.installed() == before


@pytest.mark.parametrize("failing", [KeyboardInterrupt, MemoryError])
def test_interrupted(
    machine: Machine, failing: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what is no error of the file system undoes everything, and goes on as what it is."""
    before = machine.installed()

    def interrupt(*_: object, **__: object) -> None:
        raise failing

    monkeypatch.setattr("uv_self_update.installer.restore.write_atomically", interrupt)
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
    undone(machine, monkeypatch)
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
def test_link(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link survives: what it leads to is replaced, and is as it was if the rest fails."""
    versions = machine.root / "versions"
    versions.mkdir()
    real = versions / "uvx-real"
    real.write_text("old uvx")
    real.chmod(0o750)
    (machine.bin / "uvx").unlink()
    (machine.bin / "uvx").symlink_to(real)
    before = machine.installed()
    undone(machine, monkeypatch)
    assert (real.read_text(), real.stat().st_mode & 0o7777) == ("old uvx", 0o750)
    machine.stage_again()
    machine.replace()
    assert machine.installed()["uvx"] == before["uvx"]
    assert (real.read_text(), real.stat().st_mode & 0o7777) == ("new uvx", 0o750)
    assert list(versions.iterdir()) == [real]


@pytest.mark.usefixtures("_hard_links")
def test_link_that_leads_nowhere(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that leads nowhere is replaced by a file, and is back if the rest fails."""
    (machine.bin / "uvx").unlink()
    (machine.bin / "uvx").symlink_to(machine.root / "missing")
    undone(machine, monkeypatch)
    machine.stage_again()
    machine.replace()
    assert machine.installed()["uvx"] == ("new uvx", 0o755)


def test_uv_that_does_not_run_in_its_place(tmp_path: Path) -> None:
    """A new uv is tried in its place; if it does not run there, everything is as it was."""
    machine = Machine(tmp_path, WINDOWS)
    before = machine.installed()

    def refuse(uv: Path, version: str) -> None:
        assert uv.read_text() == "new uv.exe"
        raise StagedUvBroken(version, "the mirror", "it is not allowed here")

    with pytest.raises(StagedUvBroken):
        machine.replace(refuse)
    assert machine.installed() == before
    assert machine.recover() is None


@pytest.mark.parametrize("platform", [UNIX, WINDOWS])
def test_uv_that_has_run_already(tmp_path: Path, platform: Platform) -> None:
    """A file that has run is not tried again, except on Windows, where its path counts as well."""
    machine = Machine(tmp_path, platform)
    machine.replace()
    assert machine.installed()[platform.uv] == (f"new {platform.uv}", 0o755)
    assert machine.checked == [(machine.bin / platform.uv, "0.12.3")] * platform.windows


def test_copy_of_a_uv_that_has_run(machine: Machine) -> None:
    """A copy is another file, perhaps on another file system: it is tried, and undone if broken."""
    real = machine.root / "other" / "uv"
    real.parent.mkdir()
    (machine.bin / "uv").replace(real)
    (machine.bin / "uv").symlink_to(real)
    before = machine.installed()

    def refuse(uv: Path, version: str) -> None:
        assert uv == real
        assert uv.read_text() == "new uv"
        raise StagedUvBroken(version, "the mirror", "it is not allowed here")

    with pytest.raises(StagedUvBroken):
        machine.replace(refuse)
    assert machine.installed() == before
    machine.stage_again()
    machine.replace()
    assert machine.checked == [(real, "0.12.3")]


def test_interrupted_update_is_tried_again(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the next run finishes has run in another one: it is tried in its place."""
    interrupted(machine, monkeypatch)
    assert machine.checked == []
    assert machine.recover() == "0.12.3"
    assert machine.checked == [(machine.bin / "uv", "0.12.3")]


@pytest.mark.parametrize("elsewhere", [False, True])
def test_flushed_before_the_first_rename(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, *, elsewhere: bool
) -> None:
    """After a power failure each name is a whole file: each is flushed before it is renamed.

    What was staged is flushed already; a copy of it is not.
    """
    if elsewhere:
        real = machine.root / "other" / "uv"
        real.parent.mkdir()
        (machine.bin / "uv").replace(real)
        (machine.bin / "uv").symlink_to(real)
    done: list[str] = []
    watch = Replacing(monkeypatch)
    monkeypatch.setattr(
        "uv_self_update.installer.replace.flush",
        lambda file: done.append(f"{file.name} after {watch.names}"),
    )
    machine.replace()
    flushed = [text.removesuffix(" after []") for text in done]
    assert flushed == [".uv-self-update.uv.new"] * elsewhere


class Killed(BaseException):
    """Nothing that comes after this is done."""


def kill_at(machine: Machine, call: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Replace, and have the process end before one of its changes; return whether it came to it."""
    calls = 0

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def change(*arguments: object, **options: object) -> object:
            nonlocal calls
            calls += 1
            if calls >= call:
                raise Killed
            return real(*arguments, **options)

        return change

    with monkeypatch.context() as patch:
        for name in ("replace", "unlink", "mkdir", "chmod"):
            patch.setattr(Path, name, counted(getattr(Path, name)))
        patch.setattr(os, "link", counted(os.link))
        try:
            machine.replace()
        except Killed:
            return True
    return False


@pytest.mark.parametrize("broken_in_place", [False, True])
def test_killed_before_each_change(
    tmp_path: Path,
    *,
    broken_in_place: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whenever it ends, the next one finishes it or undoes it, as a whole, and leaves nothing."""
    outcomes = set()
    for call in range(1, 100):
        machine = Machine(tmp_path / str(call))
        before = machine.installed()
        killed = kill_at(machine, call, monkeypatch)
        if broken_in_place:

            def refuse(_uv: Path, version: str) -> None:
                raise StagedUvBroken(version, "the mirror", "it is not allowed here")

            machine.recover(refuse)
        else:
            machine.recover()
        after = machine.installed()
        new = {name: after[name][0] for name in ("uv", "uvx")} == {"uv": "new uv", "uvx": "new uvx"}
        version = json.loads(after["uv-receipt.json"][0])["version"]
        assert version == ("0.12.3" if new else "0.5.0")
        assert new or after == before
        assert after.keys() == before.keys()
        assert journal.read(machine.work) is None
        outcomes.add(new)
        if not killed:
            break
    else:
        pytest.fail("it never came to its end")
    assert call > 10
    assert outcomes == {False, True}


def test_old_one_that_cannot_be_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is kept, whoever ends, and the next update puts it back."""
    machine = Machine(tmp_path, WINDOWS)
    before = machine.installed()
    shutil.rmtree(machine.work)
    work = claim(machine.bin)
    machine.staged.mkdir()
    machine.stage_again()
    real = Path.replace

    def broken(_uv: Path, version: str) -> None:
        raise StagedUvBroken(version, "the mirror", "it does not run")

    def refuse(path: Path, target: Path) -> Path:
        if "old" in path.parts:
            raise OSError(5, "Input/output error")
        return real(path, target)

    monkeypatch.setattr(machine, "check", broken)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refuse)
        with pytest.raises(NotRestored, match=r"failed to restore .*: Input/output error"):
            machine.replace()
        with pytest.raises(NotRestored):
            machine.recover()
        work.close()
    assert machine.installed() != before

    with closing(claim(machine.bin)):
        assert machine.recover() is None
    assert machine.installed() == before
    assert not machine.work.exists()


def interrupted(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the process end when uvx is in place and uv is not."""
    real = Path.replace

    def killed(path: Path, target: Path) -> Path:
        if Path(target).name == machine.platform.uv:
            raise Killed
        return real(path, target)

    def nothing(*_: object, **__: object) -> None:
        pass

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        patch.setattr("uv_self_update.installer.replace.undo", nothing)
        with pytest.raises(Killed):
            machine.replace()
    plan = journal.read(machine.work)
    assert plan is not None
    assert plan.state == "replacing"


@pytest.mark.parametrize("state", ["replacing", "restoring"])
def test_uv_that_somebody_has_installed_since(
    machine: Machine,
    state: journal.State,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It stays, and what was begun is forgotten."""
    interrupted(machine, monkeypatch)
    plan = journal.read(machine.work)
    assert plan is not None
    plan.at(state).write(machine.work)
    (machine.bin / "uv").write_text("by hand")
    before = machine.installed()

    assert machine.recover() is None

    assert machine.installed() == before
    assert journal.read(machine.work) is None
    replaced = f"another program has replaced {machine.bin / 'uv'} since"
    said = f"discarding an interrupted update to uv 0.12.3: {replaced}"
    assert caplog.messages == [said]


def test_version_that_is_hidden_by_now(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What must not be installed any more is not finished, but undone."""
    before = machine.installed()
    interrupted(machine, monkeypatch)

    assert machine.recover(doubt="it is not approved") is None

    assert machine.installed() == before
    assert journal.read(machine.work) is None
    assert caplog.messages == ["undoing an interrupted update: it is not approved"]


def test_interrupted_update_is_finished(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """An update that was killed while it replaced is finished, unless the policy forbids it now."""
    interrupted(machine, monkeypatch)

    assert machine.recover() == "0.12.3"
    assert machine.installed()["uv"][0] == "new uv"
    assert json.loads(machine.receipt.read_text())["version"] == "0.12.3"
    assert journal.read(machine.work) is None


@pytest.mark.parametrize("complete", [True, False])
def test_installer_of_a_release_was_killed(machine: Machine, *, complete: bool) -> None:
    """What a release's own installer has completed stays; all else is undone, and its rest goes."""
    work, platform = machine.work, machine.platform
    rewrites = machine.rewrites()
    keep(noted(machine.bin, platform, version="0.12.3", rewrites=rewrites, work=work), work)
    for name in platform.executables:
        (machine.bin / name).write_text(f"new {name}")
    left = machine.bin / "tmp.abcdefghij"
    left.mkdir()
    (left / "uvx").touch()

    assert machine.recover(complete=complete) is None

    age = "new" if complete else "old"
    found = machine.installed()
    assert [found[name][0] for name in platform.executables] == [
        f"{age} {name}" for name in platform.executables
    ]
    assert not left.exists()


def test_killed_while_it_is_undone(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """An update that was killed again while it was undone is undone by the next one."""
    before = machine.installed()
    interrupted(machine, monkeypatch)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("uv_self_update.installer.restore.restore", killed)
        with pytest.raises(KeyboardInterrupt):
            machine.recover(doubt="it is not approved")

    assert machine.recover() is None
    assert machine.installed() == before
    assert journal.read(machine.work) is None


@pytest.mark.usefixtures("_hard_links")
def test_name_is_never_missing(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """While an executable is replaced, its name leads to the old one or to the new one."""
    real = Path.replace
    found = []

    def replaced(path: Path, target: Path) -> Path:
        if target.parent == machine.bin:
            found.append(target.exists())
        return real(path, target)

    monkeypatch.setattr(Path, "replace", replaced)
    machine.replace()

    assert found == [True] * len(machine.platform.executables)


def test_what_is_kept_of_another_receipt(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is rewritten is as it was if the last of it fails, and what was not there is not."""
    kept = machine.receipt.with_name("uv-receipt.json.old")
    own = Rewrite(path=kept, before=None, after=machine.receipt.read_bytes())
    rewrites = (own, *machine.rewrites())
    before = machine.installed()
    with monkeypatch.context() as patch:
        Replacing(patch, failing=4)
        with pytest.raises(NotReplaced):
            machine.replace(rewrites=rewrites)
    assert machine.installed() == before

    machine.stage_again()
    machine.replace(rewrites=rewrites)
    assert machine.installed()["uv-receipt.json.old"][0] == before["uv-receipt.json"][0]


@pytest.mark.parametrize("failing", [None, 3])
def test_receipt_in_a_new_folder(
    failing: int | None, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of a receipt is made, and is not there if the receipt cannot be."""
    place = machine.root / "new" / "uv" / "uv-receipt.json"
    rewrites = (Rewrite(path=place, before=None, after=b"{}"),)
    Replacing(monkeypatch, failing=failing)
    if failing is None:
        machine.replace(rewrites=rewrites)
        assert place.read_bytes() == b"{}"
        return
    with pytest.raises(NotReplaced, match="json: No space left on device"):
        machine.replace(rewrites=rewrites)
    assert not (machine.root / "new").exists()


def test_new_one_that_cannot_be_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one that was not there before nothing is kept, and nothing is said to be."""
    machine = Machine(tmp_path, WINDOWS)
    place = machine.bin / "uvx.exe"
    place.unlink()
    real = Path.unlink

    def broken(_uv: Path, version: str) -> None:
        raise StagedUvBroken(version, "the mirror", "it does not run")

    def refuse(path: Path, *, missing_ok: bool = False) -> None:
        if path == place and path.exists():
            raise OSError(5, "Input/output error")
        real(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(NotRestored) as caught:
        machine.replace(broken)
    assert str(caught.value) == (f"failed to remove the new file {place}: Input/output error")
    assert caught.value.hint == "The next run of uv-self-update tries again."


def test_recover_without_a_journal(machine: Machine) -> None:
    """What cannot be understood is no journal, and nothing is done."""
    before = machine.installed()
    for text in ("", "[]", '{"state": "ready"}', '{"state": "replacing", "steps": 1}'):
        (machine.work / "journal.json").write_text(text)
        assert machine.recover() is None
        assert machine.installed() == before


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away"
)
def test_owner_is_kept(machine: Machine) -> None:
    """Who has owned uv and its receipt before owns the new ones."""
    for file in (machine.bin / "uv", machine.receipt):
        os.chown(file, 1234, 5678)
    machine.replace()
    for file in (machine.bin / "uv", machine.receipt):
        assert (file.stat().st_uid, file.stat().st_gid) == (1234, 5678)
    assert (machine.bin / "uvx").stat().st_uid == 0


def test_running_program_of_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that runs there cannot be replaced, so that it is renamed and left for later."""
    machine = Machine(tmp_path, WINDOWS)
    real = Path.replace

    def locked(path: Path, target: Path) -> Path:
        if Path(target).name == "uvx.exe" and Path(target).exists():
            raise PermissionError(13, "Access is denied")
        return real(path, target)

    monkeypatch.setattr(Path, "replace", locked)
    machine.replace()
    assert machine.installed()["uvx.exe"] == ("new uvx.exe", 0o755)
    assert (machine.work / "old" / "uvx.exe.running").read_text() == "old uvx.exe"


def test_program_of_windows_that_runs_and_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old one that cannot be removed yet is no obstacle to the updates that come after."""
    machine = Machine(tmp_path, WINDOWS)
    runs = machine.bin / "uvx.exe"
    replacing, removing = Path.replace, Path.unlink

    def replace_unless_running(path: Path, target: Path) -> Path:
        if target == runs and target.exists():
            raise PermissionError(13, "Access is denied")
        return replacing(path, target)

    def remove_unless_running(path: Path, *, missing_ok: bool = False) -> None:
        if "old" in path.parts and path.exists():
            raise PermissionError(13, "Access is denied")
        removing(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", remove_unless_running)
    for content in ("first", "second", "third"):
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", replace_unless_running)
            for name in machine.platform.executables:
                (machine.staged / name).write_text(content)
            machine.replace(lambda _uv, _version: None)
        assert machine.installed()["uvx.exe"] == (content, 0o755)
    assert len(list((machine.work / "old").glob("uvx.exe*"))) > 3


def test_old_one_goes_back_over_a_program_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new one that cannot be replaced on Windows either is renamed, and the old one is back."""
    machine = Machine(tmp_path, WINDOWS)
    before = machine.installed()
    real = Path.replace

    def locked(path: Path, target: Path) -> Path:
        if Path(target).name == "uvx.exe" and Path(target).exists():
            raise PermissionError(13, "Access is denied")
        return real(path, target)

    def broken(_uv: Path, version: str) -> None:
        raise StagedUvBroken(version, "the mirror", "it does not run")

    monkeypatch.setattr(Path, "replace", locked)
    with pytest.raises(StagedUvBroken):
        machine.replace(broken)
    assert machine.installed() == before


def test_running_executable(machine: Machine) -> None:
    """Whoever has the old uv open goes on to see the whole of it."""
    with (machine.bin / "uv").open() as running:
        machine.replace()
        assert running.read() == "old uv"
    assert (machine.bin / "uv").read_text() == "new uv"
