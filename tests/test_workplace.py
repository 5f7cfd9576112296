"""The folder that an update works in, which one at a time has."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from uv_self_update.errors import UpdateUnderWay
from uv_self_update.installer import workplace

if TYPE_CHECKING:
    from pathlib import Path

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
    """Programs put theirs into it, except on Windows."""
    work = workplace.claim(tmp_path)
    environ = work.environ(windows=False)
    assert environ == {"TMPDIR": str(work.path / "tmp")}
    assert (work.path / "tmp").is_dir()
    assert work.environ(windows=True) == {}
    work.close()


def test_second_waits_for_the_first(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever comes second says so, waits, and has the folder when the first has gone."""
    first = workplace.claim(tmp_path)
    claimed: list[workplace.Workplace] = []
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
