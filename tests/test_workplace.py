"""The folder that an update works in, which one at a time has."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from uv_self_update.errors import UpdateUnderWay
from uv_self_update.installer import workspace as workplace

HOLD = """\
import sys
from pathlib import Path
from uv_self_update.installer.workplace import claim
claim(Path(sys.argv[1]))
print("claimed", flush=True)
sys.stdin.read()
"""


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
        f"another uv-self-update is at work in {tmp_path}; waiting for it to end"
    ]
    assert list(tmp_path.iterdir()) == []


def test_first_that_does_not_end(tmp_path: Path) -> None:
    """Nobody is waited for without end."""
    first = workplace.claim(tmp_path)
    with pytest.raises(UpdateUnderWay, match=str(tmp_path)):
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
        with pytest.raises(UpdateUnderWay):
            workplace.claim(tmp_path, patience=0)
        process.kill()
    work = workplace.claim(tmp_path, patience=0)
    assert not work.empty
    work.close()
    assert list(tmp_path.iterdir()) == []


def test_first_that_goes_at_this_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that was there a moment ago is made anew."""
    first = workplace.claim(tmp_path)
    refuse = workplace._refuse_others  # noqa: SLF001 # the moment that counts comes just before it

    def late(path: Path) -> None:
        first.close()
        refuse(path)

    monkeypatch.setattr(workplace, "_refuse_others", late)
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
