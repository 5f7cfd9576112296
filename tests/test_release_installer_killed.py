"""The real installer of a release is killed between its steps: the next run makes a whole of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from support import release_installers
from support.calls import Disturbance, calls, disturbed
from support.halting import Halt
from support.killing import NEW, OLD, Victim, kill, telling
from support.processes import SOON
from uv_self_update.errors import PartiallyInstalled
from uv_self_update.uv.receipt import new_receipt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.homes import Done

pytestmark = pytest.mark.system

SHARDS = 7

BETWEEN = {
    "uvx is not ready": ("mv", "*/uvx */tmp.??????????"),
    "uv is not in place": ("mv", "*/tmp.??????????/uv */bin"),
    "uvx is not in place": ("mv", "*/tmp.??????????/uvx */bin"),
    "its directories are there": ("rm", "*/tmp.?????????? */tmp.??????????"),
    "the receipt is missing": ("rm", "*tmp/tmp.??????????"),
}
"""Before which command of it: the program, and its arguments."""

HALF = "uvx is not in place"


def in_place(script: bytes) -> bytes:
    """Return an installer that installs where uv is, whatever its environment says."""
    beginning, rest = script.split(b"\n", 1)
    place = b'export UV_INSTALL_DIR="$HOME/.local/bin" UV_DISABLE_UPDATE=0 UV_UNMANAGED_INSTALL='
    return b"\n".join([beginning, place, b'CARGO_DIST_FORCE_INSTALL_DIR="$UV_INSTALL_DIR"', rest])


class Scene:
    """A home whose update by a release's installer is killed."""

    def __init__(self, root: Path, receipt: str = "own") -> None:
        """Prepare it."""
        self.root = root
        self.victim = Victim(root / "victim", receipt)
        script = in_place(release_installers.script(NEW))
        (self.victim.mirror / NEW / "uv-installer.sh").write_bytes(script)
        self.victim.reset()

    def run(self, *arguments: str, path: str | None = None) -> Done:
        """Update by a release's installer."""
        environ = {} if path is None else {"PATH": path}
        return self.victim.home.run("--installer", "release", *arguments, environ=environ)

    @contextmanager
    def stopped(self, where: str) -> Iterator[tuple[subprocess.Popen[bytes], Halt]]:
        """Update until the installer is there."""
        halt = Halt(self.root / f"halt {len(list(self.root.iterdir()))}", *BETWEEN[where])
        path = halt.first_on(self.victim.home.full_environ()["PATH"])
        with subprocess.Popen(
            [sys.executable, "-m", "uv_self_update", "--installer", "release"],
            env=self.victim.home.full_environ({"PATH": path}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            try:
                halt.wait()
                yield process, halt
            finally:
                kill(process)
                halt.close()

    def kill(self, where: str) -> None:
        """Kill an update, and all that it has started, when the installer is there."""
        with self.stopped(where):
            self.victim.usable()
        self.victim.usable()

    def is_half(self) -> None:
        """Make sure that uv is the new one, and uvx the old one."""
        files, victim = self.victim.files(), self.victim
        assert files[".local/bin/uv"] == victim.new[".local/bin/uv"]
        assert files[".local/bin/uvx"] == victim.old[".local/bin/uvx"]

    def is_new(self) -> None:
        """Make sure that everything is new, and nothing is left."""
        home = self.victim.home
        new = {**self.victim.new, ".config/uv/uv-receipt.json": ""}
        here = {**self.victim.files(), ".config/uv/uv-receipt.json": ""}
        assert here == new
        assert (home.version(), home.receipt_version()) == (NEW, NEW)
        assert json.loads(home.receipt.read_text())["install_prefix"] == str(home.bin)


@pytest.fixture
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Scene:
    """Return a home."""
    return Scene(tmp_path, getattr(request, "param", "own"))


@pytest.mark.parametrize("installer", ["native", pytest.param("release", marks=pytest.mark.slow)])
def test_killed_between_its_moves(scene: Scene, installer: str) -> None:
    """A new uv beside an old uvx is undone, and updated as a whole, by whatever installer."""
    scene.kill(HALF)
    scene.is_half()

    done = scene.run("--installer", installer)

    assert done.code == 0, done.err
    assert "undoing an interrupted update: its installer had not finished" in done.err
    scene.is_new()


@pytest.mark.slow
@pytest.mark.parametrize("scene", ["own", "none", "another"], indirect=True)
def test_killed_before_each_step(scene: Scene) -> None:
    """The same between all of its steps, for a uv that is adopted as well."""
    for where in BETWEEN:
        scene.victim.reset()
        with telling(where):
            scene.kill(where)
            done = scene.run()
            assert done.code == 0, done.err
            scene.is_new()


@pytest.mark.parametrize(
    "scene", ["own", pytest.param("another", marks=pytest.mark.slow)], indirect=True
)
def test_undone_without_its_source(scene: Scene) -> None:
    """Where nothing newer can be fetched any more, everything is as it was, receipts included."""
    scene.kill(HALF)
    shutil.rmtree(scene.victim.mirror)

    done = scene.run()

    assert done.code != 0
    scene.victim.is_old()


@pytest.mark.parametrize("stale", [pytest.param(False, marks=pytest.mark.slow), True])
def test_somebody_has_installed_another_since(scene: Scene, tmp_path: Path, *, stale: bool) -> None:
    """A uv that is whole stays: uv, uvx and a receipt of one version, though it is another."""
    victim = scene.victim
    scene.kill(HALF)
    shutil.rmtree(victim.mirror)
    for name in ("uv", "uvx"):
        version = "uv 0.5.7" if name == "uv" else "uvx 0.5.7"
        made = tmp_path / name
        made.write_text(f"#!/bin/sh\necho {version}\n")
        made.chmod(0o755)
        made.replace(victim.home.bin / name)
    document = new_receipt(
        prefix=victim.home.bin,
        version=OLD if stale else "0.5.7",  # a receipt that does not name it is another's
        executables=("uv", "uvx"),
    )
    victim.home.receipt.write_text(json.dumps(document))

    scene.run()

    assert victim.home.version() == (OLD if stale else "0.5.7")
    assert victim.home.receipt_version() == victim.home.version()
    assert not (victim.home.bin / ".uv-self-update").exists()


@pytest.mark.slow
def test_killed_when_all_is_done(scene: Scene) -> None:
    """What its installer has finished is kept, where nothing newer can be fetched either."""
    victim = scene.victim
    with scene.stopped("the receipt is missing") as (process, halt):
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        halt.let_go()
        # The script goes on when nobody listens any more, and ends with what it holds open.
        process.communicate(timeout=SOON)
    shutil.rmtree(victim.mirror)

    scene.run("--dry-run")
    assert (victim.home.bin / ".uv-self-update").exists()
    scene.run()

    scene.is_new()


def test_installer_that_fails_between_its_moves(scene: Scene) -> None:
    """Where one of its commands fails, all is put back at once, and that is said."""
    halt = Halt(scene.root / "halt", *BETWEEN[HALF], fails=True)

    done = scene.run(path=halt.first_on(scene.victim.home.full_environ()["PATH"]))

    assert done.code != 0
    halt.close()
    assert str(PartiallyInstalled(NEW, scene.victim.home.bin / "uvx")) in done.err
    scene.victim.is_old()


@pytest.mark.slow
def test_installer_goes_on_meanwhile(scene: Scene) -> None:
    """A script that outlives the update it was started by finds nothing more to move."""
    with scene.stopped(HALF) as (process, halt):
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        done = scene.run("--installer", "native")
        assert done.code == 0, done.err
        halt.let_go()
        process.communicate(timeout=SOON)
    scene.is_new()


class Half:
    """A home where an update is half done, again and again, and no source to update from."""

    def __init__(self, scene: Scene) -> None:
        """Keep that home, and undo the update once, so that it is known how that is done."""
        self._victim = scene.victim
        self._record = scene.root / "record"
        self._kept = scene.root / "kept"
        self._below = (scene.victim.home.path, scene.victim.temporary)
        scene.kill(HALF)
        scene.is_half()
        shutil.rmtree(scene.victim.mirror)
        shutil.copytree(scene.victim.home.path, self._kept, symlinks=True)
        with scene.victim.started(disturbed(self._record, self._below)) as process:
            process.communicate(timeout=SOON)
        scene.victim.is_old()
        made = calls(self._record)
        assert {"rename", "unlink"} <= {call.name for call in made}
        self.kills = [Disturbance(number=number) for number in range(len(made))]

    def kill(self, disturbance: Disturbance) -> None:
        """Kill the run that undoes it: uv runs, and the next run has everything as it was."""
        victim = self._victim
        shutil.rmtree(victim.home.path)
        shutil.copytree(self._kept, victim.home.path, symlinks=True)
        with telling(f"{disturbance}"):
            with victim.started(disturbed(self._record, self._below, disturbance)) as process:
                process.communicate(timeout=SOON)
                assert process.returncode == -signal.SIGKILL, "it has not come to that"
            victim.usable()
            victim.home.run("--installer", "release")
            victim.is_old()


@pytest.mark.sampled(2)  # one of each scene
@pytest.mark.slow
@pytest.mark.parametrize("scene", ["own", "another"], indirect=True)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_killed_at_every_change_while_it_undoes(scene: Scene, shard: int) -> None:
    """An undoing that is killed as well is undone by the next run, at whichever of its changes."""
    half = Half(scene)
    for disturbance in half.kills[shard::SHARDS]:
        half.kill(disturbance)


@pytest.mark.sampled(2)  # one of each scene
@pytest.mark.slow
@pytest.mark.parametrize("scene", ["own", "another"], indirect=True)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_killed_at_every_change_of_ours(scene: Scene, shard: int) -> None:
    """What keeps, watches and judges is killed at each of its changes; the next run is as ever."""
    victim, record = scene.victim, scene.root / "record"
    below = (victim.home.path, victim.temporary)
    with victim.started(disturbed(record, below), installer="release") as process:
        victim.succeeds(process)
    scene.is_new()
    numbers = range(len(calls(record)))
    for number in numbers[shard::SHARDS]:
        victim.reset()
        disturbance = Disturbance(number=number)
        with telling(f"{disturbance}"):
            before = disturbed(record, below, disturbance)
            with victim.started(before, installer="release") as process:
                process.communicate()
                assert process.returncode == -signal.SIGKILL, "it has not come to that"
            assert victim.home.version() in {OLD, NEW}
            done = scene.run()
            assert done.code == 0, done.err
            scene.is_new()
