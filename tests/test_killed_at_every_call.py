"""Each change that an update makes to the file system is killed in turn, and made to fail in turn.

Of what is written to one file the first, one in the middle and the last count, for there is much.
"""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors, namespaces
from support.calls import DATA, REMOVING, RENAMING, Call, Disturbance, calls, disturbed
from support.homes import base_environment
from support.killing import NEW, OLD, RECEIPTS, Victim, telling
from support.web import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from support.web import Web

pytestmark = pytest.mark.system

SHARDS = 16
FEW = 3
ERRORS = ("ENOSPC", "EIO", "EACCES")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One call, and what happens to it."""

    call: Call
    disturbance: Disturbance


class Scene:
    """A home, and what an update of it changes."""

    def __init__(self, root: Path, receipt: str, source: str | None = None) -> None:
        """Update it once, and look."""
        self.victim = Victim(root / "victim", receipt, source)
        self._every = receipt == "own" and source is None
        self._varies = source is not None
        self._record = root / "record"
        self._below = (self.victim.home.path, self.victim.temporary)
        self.victim.reset()
        with self.victim.started(disturbed(self._record, self._below)) as process:
            self.victim.succeeds(process)
        self.victim.is_new()
        self._chosen = list(chosen(calls(self._record)))
        names = {call.name for _, call in self._chosen}
        assert {"write", "rename"} <= names, f"what it does is not seen: {names}"

    def kills(self) -> list[Case]:
        """Return a kill at each call."""
        return [
            Case(call=call, disturbance=Disturbance(number=number)) for number, call in self._chosen
        ]

    def failures(self) -> list[Case]:
        """Return each call with each error, by turns once and from then on.

        Of an adoption, and from a server, each call with one of them by turns.
        """
        return [
            Case(
                call=call,
                disturbance=Disturbance(number=number, error=error, lasting=(nth + turn) % 2 == 1),
            )
            for (nth, (number, call)), (turn, error) in product(
                enumerate(self._chosen), enumerate(ERRORS)
            )
            if self._every or nth % len(ERRORS) == turn
        ]

    def kill(self, case: Case) -> None:
        """Kill an update at a call: uv runs, and the next update ends as if nothing had been."""
        self.victim.reset()
        with telling(f"{case}"):
            with self.started(case) as process:
                process.communicate()
                if self._was_shorter(case):
                    self.victim.is_new()
                    return
                assert process.returncode == -signal.SIGKILL, "it has not come to that"
            self.victim.usable()
            self.victim.finished_by_next()

    def fail(self, case: Case) -> None:
        """Have a call fail: the update succeeds all the same, or everything is as before."""
        self.victim.reset()
        disturbance = case.disturbance
        with telling(f"{case}"):
            with self.started(case) as process:
                said = process.communicate()[0].decode(errors="replace")
            code = process.returncode
            if self._was_shorter(case):
                self.victim.is_new()
                return
            # The order of what threads do side by side differs from run to run.
            name = calls(self._record)[disturbance.number].name
            with telling(f"code {code}: {said}"):
                reason = os.strerror(getattr(errno, disturbance.error))
                assert code == 0 or (code > 0 and reason in said), "it gives no reason"
                assert "Traceback" not in said
                ended_as = self.victim.is_old if code else self.victim.is_new
                if name in RENAMING and disturbance.lasting:
                    self.victim.usable()  # what cannot be renamed cannot be put back
                elif name in REMOVING:
                    ended_as(spared=".uv-self-update")  # what cannot be removed is left
                else:
                    ended_as()
                    return  # nothing is left that the next update could be hindered by
                self.victim.finished_by_next()

    def _was_shorter(self, case: Case) -> bool:
        """Return whether a run has ended before the call: files in the cache of uv vary."""
        return self._varies and len(calls(self._record)) <= case.disturbance.number

    def started(self, case: Case) -> AbstractContextManager[subprocess.Popen[bytes]]:
        """Start an update that is disturbed."""
        return self.victim.started(disturbed(self._record, self._below, case.disturbance))


SERVERS: Mapping[str, Callable[[Web], str]] = {
    "listing": lambda web: f"listing+{web.url}/listing/",
    "index": lambda web: f"index+{web.url}/simple/",
}
"""The sources of an update of a uv with its own receipt, in place of a folder."""

each_receipt = pytest.mark.parametrize("scene", RECEIPTS, indirect=True)
each_scene = pytest.mark.parametrize("scene", [*RECEIPTS, *SERVERS], indirect=True)


@pytest.fixture
def scene(request: pytest.FixtureRequest, web: Web, tmp_path: Path) -> Scene:
    """Return a home, and what an update of it changes."""
    if request.param not in SERVERS:
        return Scene(tmp_path, request.param)
    archive = binaries.archive(NEW)
    web.pages |= mirrors.index_pages([NEW], real=True)
    web.pages |= mirrors.file_pages(NEW, f"/listing/{NEW}", real=True)
    web.pages["/listing/"] = Page(body=f'<a href="{NEW}/">{NEW}/</a>'.encode())
    web.pages[f"/listing/{NEW}/"] = Page(body=f'<a href="{archive.name}">x</a>'.encode())
    digest = f"{mirrors.sha256(archive)}\n".encode()
    web.pages[f"/listing/{NEW}/{archive.name}.sha256"] = Page(body=digest)
    return Scene(tmp_path, "own", SERVERS[request.param](web))


def chosen(made: list[Call]) -> list[tuple[int, Call]]:
    """Return the calls that are disturbed, each with its number."""
    data: dict[tuple[str, ...], list[int]] = {}
    for number, call in enumerate(made):
        if call.name in DATA:
            data.setdefault(call.paths, []).append(number)
    some = {numbers[at] for numbers in data.values() for at in (0, len(numbers) // 2, -1)}
    return [
        (number, call)
        for number, call in enumerate(made)
        if call.name not in DATA or number in some
    ]


def half_done(scene: Scene) -> None:
    """Kill an update between the two executables."""
    case = next(
        case
        for case in scene.kills()
        if case.call.name in RENAMING and case.call.paths[-1] == str(scene.victim.home.uv)
    )
    scene.victim.reset()
    with scene.started(case) as process:
        process.communicate()
    assert scene.victim.files()[".local/bin/uvx"] == scene.victim.new[".local/bin/uvx"]
    assert scene.victim.files()[".local/bin/uv"] == scene.victim.old[".local/bin/uv"]


@each_receipt
def test_dry_run_finishes_nothing(scene: Scene) -> None:
    """What is begun stays so until a run that may change something."""
    half_done(scene)
    before = scene.victim.files()

    done = scene.victim.home.run("--dry-run")

    assert "Traceback" not in done.err
    after = scene.victim.files()
    # It names the process that has the claim, which a dry run has as well.
    for files in (before, after):
        del files[".local/bin/.uv-self-update/holder"]
    assert after == before
    scene.victim.finished_by_next()


@each_receipt
def test_hidden_version_is_not_finished(scene: Scene) -> None:
    """What the policy hides by now is undone, receipts included."""
    half_done(scene)

    done = scene.victim.home.run(environ={"UV_SELF_UPDATE_VERSIONS": f"<{NEW}"})

    assert f"warning: undoing an interrupted update: uv {NEW} is hidden by" in done.err
    scene.victim.is_old()


@pytest.mark.parametrize("scene", ["own"], indirect=True)
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("UV_SELF_UPDATE_APPROVED", "{list}"),
        ("UV_SELF_UPDATE_MIN_AGE", "300 days"),
        ("UV_SELF_UPDATE_REQUIRE_DIGEST", "true"),
    ],
)
def test_what_has_to_be_asked_anew_is_not_finished(
    variable: str, value: str, scene: Scene, tmp_path: Path
) -> None:
    """Where a name does not tell what the rules say by now, nothing is taken for allowed."""
    (tmp_path / "list.txt").write_text(f"{OLD}\n")
    half_done(scene)

    done = scene.victim.home.run(environ={variable: value.format(list=tmp_path / "list.txt")})

    reason = f"the policy must be checked again before uv {NEW} is installed"
    assert f"undoing an interrupted update: {reason}" in done.err
    scene.victim.is_old()


@pytest.mark.parametrize("scene", ["own"], indirect=True)
def test_receipt_that_became_anothers(scene: Scene) -> None:
    """A receipt that somebody has written since stays as it is, and the update is undone."""
    half_done(scene)
    receipt = scene.victim.home.receipt
    document = json.loads(receipt.read_text()) | {"install_prefix": str(scene.victim.root)}
    receipt.write_text(json.dumps(document))

    done = scene.victim.home.run()

    assert "undoing an interrupted update: uv's receipt has changed since" in done.err
    assert json.loads(receipt.read_text()) == document
    assert scene.victim.home.version() == OLD


def sample(cases: list[Case], *, seed: int) -> list[Case]:
    """Return a few cases; the seed is printed."""
    print(f"seed {seed}")  # noqa: T201 # to do it again
    return random.Random(seed).sample(cases, FEW)  # noqa: S311 # no secret


@each_scene
def test_killed_at_some_calls(scene: Scene) -> None:
    """Uv runs, old or new; the next update ends as if nothing had happened."""
    for case in sample(scene.kills(), seed=0):
        scene.kill(case)


@pytest.mark.sampled(5)  # one of each scene
@pytest.mark.slow
@each_scene
@pytest.mark.parametrize("shard", range(SHARDS))
def test_killed_at_every_call(shard: int, scene: Scene) -> None:
    """The same at all of them."""
    for case in scene.kills()[shard::SHARDS]:
        scene.kill(case)


@each_scene
def test_some_calls_fail(scene: Scene) -> None:
    """The update succeeds all the same, or it says why not and everything is as before."""
    for case in sample(scene.failures(), seed=0):
        scene.fail(case)


@pytest.mark.sampled(5)  # one of each scene
@pytest.mark.slow
@each_scene
@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_call_fails(shard: int, scene: Scene) -> None:
    """The same with all of them, and each error."""
    for case in scene.failures()[shard::SHARDS]:
        scene.fail(case)


MIB = 1 << 20
DISK = 400 * MIB


def fill(root: Path, spares: list[int]) -> None:
    """Update on a disk that is full but for so many bytes, for each of them; see below."""
    victim = Victim(root / "victim")
    filler = root / "filler"
    for spare in spares:
        victim.reset()
        free = os.statvfs(root)
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - spare)
        with telling(f"{spare} bytes were free"):
            with victim.started() as process:
                said = process.communicate()[0].decode(errors="replace")
            with telling(said):
                assert process.returncode == 0 or "No space left on device" in said, "no reason"
                (victim.is_old if process.returncode else victim.is_new)()
                filler.unlink()
                victim.finished_by_next()


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "spares",
    [
        pytest.param([0, 40 * MIB], id="some"),
        *(
            pytest.param([at * 4096 for at in range(start, 8, 2)], marks=pytest.mark.slow)
            for start in (0, 1)
        ),
        *(
            pytest.param([at * MIB for at in range(start, 120, 16)], marks=pytest.mark.slow)
            for start in range(1, 16, 4)
        ),
    ],
)
def test_disk_is_full(spares: list[int], tmp_path: Path) -> None:
    """On a full disk the update fails, says so, and leaves everything as it was."""
    done = subprocess.run(
        [
            *namespaces.mounted(tmp_path, options=f"size={DISK}"),
            *(sys.executable, __file__, str(tmp_path), *map(str, spares)),
        ],
        env={**base_environment(), "PATH": os.environ["PATH"], "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


TESTS = Path(__file__).parent

if __name__ == "__main__":
    fill(Path(sys.argv[1]), [int(spare) for spare in sys.argv[2:]])
