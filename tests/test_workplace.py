"""The folder that an update works in, which one at a time has."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import binaries
from support.exfat import exfat
from support.homes import Home
from support.killing import NEW, OLD
from uv_self_update.errors import LockTimeout
from uv_self_update.installer import holder
from uv_self_update.installer import workspace as workplace

if TYPE_CHECKING:
    from collections.abc import Iterator

HOLD = """\
import sys
from pathlib import Path
from uv_self_update.installer.workspace import claim
claim(Path(sys.argv[1]))
print("claimed", flush=True)
sys.stdin.read()
"""


def us(folder: Path) -> str:
    """Return what another is told about this process, which has made a directory."""
    return " of ".join(filter(None, (f"process {os.getpid()}", holder.owner(folder))))


def test_nothing_is_left(tmp_path: Path) -> None:
    """A workplace is a folder of its owner's, and goes with whatever is in it."""
    work = workplace.claim(tmp_path)
    assert work.path == tmp_path / ".uv-self-update"
    assert work.path.stat().st_mode & 0o7777 == 0o700
    assert [work.empty] == [True]
    (work.path / "new" / "bin").mkdir(parents=True)
    (work.path / "file").touch()
    assert not work.empty
    for _ in range(2):
        work.close()
    assert list(tmp_path.iterdir()) == []


def test_temporary_files(tmp_path: Path) -> None:
    """Programs put theirs into it, but not on Windows, where PowerShell's rights depend on it."""
    work = workplace.claim(tmp_path)
    environ = work.environ(windows=False)
    assert environ == {"TMPDIR": str(work.path / "tmp")}
    assert (work.path / "tmp").is_dir()
    assert work.environ(windows=True) == {}
    work.close()


def test_second_waits_for_the_first(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever comes second says so, waits, and has the folder when the first has gone."""
    first = workplace.claim(tmp_path)
    claimed: list[workplace.Workspace] = []
    told = threading.Event()

    class Listener:
        def filter(self, _record: object) -> bool:
            told.set()
            return True

    workplace._log.addFilter(Listener())  # noqa: SLF001 # the event to wait for
    second = threading.Thread(target=lambda: claimed.append(workplace.claim(tmp_path)))
    second.start()
    assert told.wait(20)
    assert claimed == []
    first.close()
    second.join(20)
    assert [work.path for work in claimed] == [first.path]
    assert first.path.is_dir()
    claimed[0].close()
    assert caplog.messages == [
        f"waiting for the lock on `{tmp_path}`, held by another `uv-self-update` ({us(tmp_path)})"
    ]
    assert list(tmp_path.iterdir()) == []


def test_first_that_does_not_end(tmp_path: Path) -> None:
    """Nobody is waited for without end."""
    first = workplace.claim(tmp_path)
    said = (
        f"timed out waiting for the lock on `{tmp_path}`, held by another `uv-self-update` "
        f"({us(tmp_path)})"
    )
    with pytest.raises(LockTimeout, match=re.escape(said)):
        workplace.claim(tmp_path, patience=0)
    first.close()


def test_first_that_was_killed(tmp_path: Path) -> None:
    """What was killed has no claim any more, and what it has left is there to be looked at."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"claimed\n"
        (tmp_path / ".uv-self-update" / "left").touch()
        with pytest.raises(LockTimeout):
            workplace.claim(tmp_path, patience=0)
        process.kill()
    work = workplace.claim(tmp_path, patience=0)
    assert not work.empty
    work.close()
    assert list(tmp_path.iterdir()) == []


def test_first_that_goes_at_this_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that was there a moment ago is made anew."""
    first = workplace.claim(tmp_path)
    trust = workplace._is_trusted  # noqa: SLF001 # the moment that counts comes just before it

    def late(path: Path) -> bool:
        first.close()
        return trust(path)

    monkeypatch.setattr(workplace, "_is_trusted", late)
    second = workplace.claim(tmp_path)
    assert second.path.is_dir()
    second.close()


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    """Without the folder there is nothing to wait for."""
    with pytest.raises(FileNotFoundError):
        workplace.claim(tmp_path / "none")


SOMEBODY = 65_533


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away"
)
@pytest.mark.parametrize(
    ("owner", "of_bin", "taken"),
    [(SOMEBODY, 0, False), (SOMEBODY, SOMEBODY, True), (0, SOMEBODY, True)],
)
def test_what_another_user_has_planted(
    tmp_path: Path, owner: int, of_bin: int, *, taken: bool
) -> None:
    """What others have put there is not finished, unless they could replace uv anyway."""
    planted = tmp_path / ".uv-self-update"
    planted.mkdir()
    (planted / "journal.json").touch()
    os.chown(planted, owner, -1)
    os.chown(tmp_path, of_bin, -1)
    if taken:
        workplace.claim(tmp_path).close()
        return
    with pytest.raises(PermissionError, match=r"\.uv-self-update in it belongs to another user"):
        workplace.claim(tmp_path)
    assert [file.name for file in planted.iterdir()] == ["journal.json"]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another"
)
def test_what_root_has_left() -> None:
    """Whoever cannot use what an update as root has left is told so, and how it is called."""
    # Not below the folder of the tests, which only root may enter.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, ".uv-self-update").mkdir(mode=0o700)
        os.chown(folder, SOMEBODY, -1)
        os.seteuid(SOMEBODY)
        try:
            with pytest.raises(PermissionError, match=r"\.uv-self-update in it belongs to another"):
                workplace.claim(Path(folder))
        finally:
            os.seteuid(0)
        assert list(Path(folder, ".uv-self-update").iterdir()) == []


AS_ANOTHER = """\
import fcntl, logging, os, pwd, sys
from pathlib import Path
from uv_self_update.errors import UvSelfUpdateError
from uv_self_update.installer.workspace import claim
logging.basicConfig(format="%(message)s", stream=sys.stdout, level=logging.WARNING)
_, folder, user, group, patience = sys.argv
os.setgroups([])
os.setgid(int(group))
os.setuid(int(user))
try:
    work = claim(Path(folder), patience=float(patience))
except (OSError, UvSelfUpdateError) as error:
    print(error, flush=True)
else:
    print("claimed", flush=True)
    sys.stdin.read()
    work.close()
    print("left", flush=True)
"""
GROUP = 65_532


@contextmanager
def as_another(
    folder: Path, *, user: int = SOMEBODY, group: int = GROUP, patience: float = 20
) -> Iterator[subprocess.Popen[str]]:
    """Have another user claim a workplace: the process says what comes of it."""
    arguments = [str(folder), str(user), str(group), str(patience)]
    with subprocess.Popen(
        [sys.executable, "-c", AS_ANOTHER, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    """Return the next line that a process prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def leave(process: subprocess.Popen[str]) -> None:
    """Have a process give up its claim, and wait for that."""
    assert process.stdin is not None
    process.stdin.close()
    assert line(process) == "left"


@pytest.fixture
def shared() -> Iterator[Path]:
    """Return a directory in which a group may replace programs; not below what is root's only."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can become another")
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, 0, GROUP)
        Path(folder).chmod(0o2775)
        yield Path(folder)


def said_of(process: subprocess.Popen[str], user: int, folder: Path) -> str:
    """Return what is said of a user who is at work."""
    who = f"process {process.pid} of user number {user}"
    return f"waiting for the lock on `{folder}`, held by another `uv-self-update` ({who})"


@pytest.mark.parametrize(
    ("first", "owner"),
    [
        pytest.param(SOMEBODY, 0, id="two of a group"),
        pytest.param(SOMEBODY, SOMEBODY, id="the owner first"),
        pytest.param(SOMEBODY, SOMEBODY - 2, id="the owner second"),
    ],
)
def test_another_user_is_at_work(shared: Path, first: int, owner: int) -> None:
    """Who may replace the same uv waits, is told for whom, and is next."""
    os.chown(shared, owner, -1)
    with as_another(shared, user=first) as one:
        assert line(one) == "claimed"
        with as_another(shared, user=SOMEBODY - 2) as two:
            assert line(two) == said_of(one, first, shared)
            leave(one)
            assert line(two) == "claimed"
            leave(two)
    assert list(shared.iterdir()) == []


@pytest.mark.parametrize("mode", [0o755, 0o2775])
def test_root_is_at_work(shared: Path, mode: int) -> None:
    """The owner of uv's directory waits for root, whether or not a group may write there."""
    os.chown(shared, SOMEBODY, -1)
    shared.chmod(mode)
    work = workplace.claim(shared)
    with as_another(shared, group=SOMEBODY) as two:
        who = f"process {os.getpid()} of {holder.owner(work.path)}"
        expected = f"waiting for the lock on `{shared}`, held by another `uv-self-update` ({who})"
        assert line(two) == expected
        work.close()
        assert line(two) == "claimed"


def test_another_user_does_not_end(shared: Path) -> None:
    """What is waited for in vain is named."""
    with as_another(shared) as one:
        assert line(one) == "claimed"
        with as_another(shared, user=SOMEBODY - 2, patience=0) as two:
            said = line(two)
            assert f"`{shared}`, held by another `uv-self-update` (process {one.pid}" in said
            assert f"of user number {SOMEBODY})" in said


def test_another_user_was_killed(shared: Path) -> None:
    """What nobody is at work in any more is not waited for: its owner has to finish it."""
    with as_another(shared) as one:
        assert line(one) == "claimed"
        one.kill()
        one.wait()
    with as_another(shared, user=SOMEBODY - 2) as two:
        expected = f"user number {SOMEBODY} must run uv-self-update again, or remove {shared}"
        assert expected in line(two)
    with as_another(shared) as again:
        assert line(again) == "claimed"
        leave(again)
    assert list(shared.iterdir()) == []


def test_who_may_not_replace_uv_does_not_wait(shared: Path) -> None:
    """Without the right to write there, waiting would not help."""
    with as_another(shared) as one:
        assert line(one) == "claimed"
        with as_another(shared, user=SOMEBODY - 2, group=SOMEBODY - 2) as two:
            assert line(two).startswith("[Errno 13] Permission denied")


def test_nobody_waits_where_files_are_only_their_owners(shared: Path) -> None:
    """In a directory such as /tmp, any user could keep another waiting."""
    shared.chmod(0o1777)
    with as_another(shared) as one:
        assert line(one) == "claimed"
        assert (shared / ".uv-self-update").stat().st_mode & 0o7777 == 0o711
        with as_another(shared, user=SOMEBODY - 2) as two:
            assert "belongs to another user" in line(two)


def test_another_user_cannot_hold_the_claim(shared: Path) -> None:
    """What others may open is not what is claimed: who locks it keeps nobody from an update."""
    with as_another(shared) as one:
        assert line(one) == "claimed"
        one.kill()
        one.wait()
    with (shared / ".uv-self-update" / "holder").open() as file:
        assert holder.locked(file.fileno(), shared=True)
        with as_another(shared, patience=0) as again:
            assert line(again) == "claimed"
            leave(again)
    assert list(shared.iterdir()) == []


def test_what_others_cannot_replace_is_not_shown(tmp_path: Path) -> None:
    """Where nobody else may replace uv, nobody else may look."""
    tmp_path.chmod(0o755)
    work = workplace.claim(tmp_path)
    assert work.path.stat().st_mode & 0o7777 == 0o700
    assert (work.path / "holder").stat().st_mode & 0o7777 == 0o600
    work.close()


@pytest.mark.parametrize("name", [".fuse_hidden0000000300000001", ".nfs000000000000000300000001"])
def test_open_file_stays_in_its_directory(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where FUSE or NFS keeps what was removed until it is closed, nothing stays in the end.

    Measured with exfat-fuse 1.3.0: `rmdir` fails with ENOTEMPTY until then.
    """
    real = Path.unlink
    work = workplace.claim(tmp_path)
    hidden: list[Path] = []

    def hide(path: Path, *, missing_ok: bool = False) -> None:
        if path.name == "lock":
            hidden.append(path.rename(path.with_name(name)))
        else:
            real(path, missing_ok=missing_ok)

    looks = iter(range(3))

    def late(seconds: float) -> None:
        assert seconds < 1
        if next(looks, None) is None:
            real(hidden[0])

    monkeypatch.setattr(Path, "unlink", hide)
    monkeypatch.setattr(time, "sleep", late)
    work.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_nothing_is_left_on_exfat(tmp_path: Path) -> None:
    """A real uv is updated on exFAT, which has neither links nor modes, and nothing stays."""
    archive = binaries.archive(NEW)
    mirror = tmp_path / "mirror" / NEW
    mirror.mkdir(parents=True)
    (mirror / archive.name).symlink_to(archive)
    with exfat(tmp_path) as mounted:
        home = Home(path=mounted, environ={"UV_SELF_UPDATE_SOURCE": f"directory+{mirror.parent}"})
        home.install(OLD)
        done = home.run("--installer", "native")
        assert (done.code, home.version(), home.receipt_version()) == (0, NEW, NEW), done.err
        assert sorted(path.name for path in home.bin.iterdir()) == ["uv", "uvx"]


@pytest.mark.parametrize("link", ["folder", "lock"])
def test_links_are_not_followed(tmp_path: Path, link: str) -> None:
    """Nothing is written where a link leads that lies in the workplace's place."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = tmp_path / "bin"
    folder.mkdir()
    if link == "folder":
        (folder / ".uv-self-update").symlink_to(elsewhere)
    else:
        (folder / ".uv-self-update").mkdir()
        (folder / ".uv-self-update" / "lock").symlink_to(elsewhere / "file")
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        workplace.claim(folder, patience=0)
    assert list(elsewhere.iterdir()) == []


def test_clear_during_an_update(tmp_path: Path) -> None:
    """Executables go while uv, which uses its temporary directory and its receipt, still runs."""
    with closing(workplace.claim(tmp_path)) as work:
        for name in ("new", "old", "tmp", "receipt"):
            (work.path / name).mkdir()
            (work.path / name / "file").touch()
        before = {"lock", "holder"}
        work.clear(only={"new", "old"})
        assert {entry.name for entry in work.path.iterdir()} == {*before, "tmp", "receipt"}
        assert (work.path / "tmp" / "file").exists()
    assert not (tmp_path / workplace.NAME).exists()
