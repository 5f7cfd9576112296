"""What a killed update leaves on Windows is put right; a shell script stands for `uv.exe`."""

from __future__ import annotations

import logging
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import mirrors
from uv_self_update.cli.invocation import Invocation
from uv_self_update.config.kinds import parse_source
from uv_self_update.config.settings import Options, Settings
from uv_self_update.errors import UvNotRunnable
from uv_self_update.installer import workspace as workplace
from uv_self_update.platforms import Platform
from uv_self_update.uv.arguments import Arguments
from uv_self_update.uv.executable import find_uv, renamed, restore_name, warn_if_shadowed
from uv_self_update.uv.installation import Installation
from uv_self_update.workflow import update
from uv_self_update.workflow.check import check
from uv_self_update.workflow.update_job import Job

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.web import Web

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there a script is no `uv.exe`")

RUNS, BROKEN = "#!/bin/sh\necho uv 0.12.3\n", "#!/bin/sh\nexit 1\n"
UV, PREVIOUS = "uv.exe", "uv.exe.previous.exe"


def put(folder: Path, files: dict[str, str]) -> None:
    """Lay programs into a folder."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def found(folder: Path) -> dict[str, str]:
    """Return the programs in a folder."""
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def job(uv: Path) -> Job:
    """Return an update of a uv, to which nothing more than its answer is needed."""
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(uv.parent)}
    return Job(
        installation=Installation(uv=uv, environ=environ),
        arguments=Arguments(target=None),
        settings=Settings(),
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({PREVIOUS: RUNS}, {UV: RUNS}),
        ({UV: RUNS, PREVIOUS: "old"}, {UV: RUNS}),
        ({UV: BROKEN, PREVIOUS: "old"}, {UV: BROKEN, PREVIOUS: "old"}),
        ({UV: RUNS}, {UV: RUNS}),
        ({}, {}),
    ],
)
def test_restored(before: dict[str, str], after: dict[str, str], tmp_path: Path) -> None:
    """A uv that lost its name gets it back, and what a running uv has outlived is removed."""
    put(tmp_path, before)

    restore_name(Installation(uv=tmp_path / UV, environ={}))

    assert found(tmp_path) == after


def test_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A uv that is back is spoken of."""
    put(tmp_path, {PREVIOUS: RUNS})

    with caplog.at_level(logging.WARNING):
        restore_name(Installation(uv=tmp_path / UV, environ={}))

    expected = f"restored {tmp_path / UV}, which an interrupted update had renamed"
    assert caplog.messages == [expected]


def test_update_restores_first(tmp_path: Path) -> None:
    """An update runs the uv that it has given its name back; that alone is no other uv."""
    put(tmp_path, {PREVIOUS: '#!/bin/sh\necho "$0 $*" > "$0.txt"\n'})
    uv = tmp_path / UV

    outcome = update.run(job(uv))

    assert (outcome.exit_code, outcome.updated) == (0, False)
    assert (tmp_path / f"{UV}.txt").read_text() == f"{uv} self update\n"
    assert not renamed(uv).exists()


def test_not_while_another_update_is_at_it(tmp_path: Path) -> None:
    """What another update has moved aside stays there as long as that has the folder."""
    put(tmp_path, {PREVIOUS: RUNS})
    first = workplace.claim(tmp_path)
    told, restored = threading.Event(), threading.Event()

    class Listener:
        def filter(self, _record: object) -> bool:
            told.set()
            return True

    def second() -> None:
        with update._workspace(job(tmp_path / UV)):  # noqa: SLF001 # what an update begins with
            restored.set()

    workplace._log.addFilter(Listener())  # noqa: SLF001 # the event to wait for
    thread = threading.Thread(target=second)
    thread.start()
    waited = told.wait(20)
    during = set(found(tmp_path))
    first.close()
    thread.join(20)
    assert (waited, restored.is_set()) == (True, True)
    assert (during, set(found(tmp_path))) == ({PREVIOUS}, {UV})


def test_looking_changes_nothing(tmp_path: Path, web: Web) -> None:
    """`--check` asks the uv that there is under the name that it has meanwhile."""
    put(tmp_path, {PREVIOUS: RUNS})
    web.pages |= mirrors.github_pages(["0.8.24"])
    source = parse_source(f"github+{web.url}/astral-sh/uv")

    verdict = check(
        Settings(sources=(source,)),
        Installation(uv=tmp_path / UV, environ={"HOME": str(tmp_path)}),
        target=None,
    )

    assert (verdict.installed, verdict.newest, verdict.uv) == ("0.12.3", "0.8.24", tmp_path / UV)
    assert found(tmp_path) == {PREVIOUS: RUNS}


def test_what_cannot_be_restored_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system does not let go of it, it is said what uv is called and what to do."""
    put(tmp_path, {PREVIOUS: RUNS})

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Access is denied")

    monkeypatch.setattr("pathlib.Path.rename", refuse)
    with pytest.raises(UvNotRunnable) as caught:
        update.run(job(tmp_path / UV))

    assert found(tmp_path) == {PREVIOUS: RUNS}
    assert str(caught.value) == (
        f"failed to run {tmp_path / UV}: an interrupted update renamed it to {PREVIOUS}; "
        "rename it back"
    )


@pytest.mark.parametrize("named", [None, "uv", "uv.exe", "{}/uv", "{}/uv.exe"])
def test_found_on_windows(named: str | None, tmp_path: Path) -> None:
    """There, the first uv that is found may have moved aside."""
    first, second = tmp_path / "a", tmp_path / "b"
    put(first, {PREVIOUS: RUNS})
    put(second, {UV: RUNS})
    name = None if named is None else named.format(first)

    uv = find_uv(name, {"PATH": f"relative{os.pathsep}{first}{os.pathsep}{second}"}, windows=True)

    assert uv == first / UV
    assert set(found(first)) == {PREVIOUS}


@pytest.mark.parametrize(("name", "expected"), [("nt", True), (os.name, False)])
def test_every_command_looks_as_on_its_system(
    name: str, monkeypatch: pytest.MonkeyPatch, *, expected: bool
) -> None:
    """A uv is looked for as on Windows where that is, and nowhere else."""
    asked: list[bool] = []

    def look(_named: str | None, _environ: Mapping[str, str], *, windows: bool) -> Path:
        asked.append(windows)
        raise NotImplementedError

    monkeypatch.setattr("uv_self_update.cli.invocation.find_uv", look)
    monkeypatch.setattr("uv_self_update.uv.executable.find_uv", look)
    invocation = Invocation(options=Options(), environ={})
    # Paths are those of Windows then, so it is undone at once.
    with monkeypatch.context() as patch:
        patch.setattr(os, "name", name)
        with pytest.raises(NotImplementedError):
            invocation.uv()
    triple = f"x86_64-{'pc-windows-msvc' if expected else 'unknown-linux-gnu'}"
    installation = Installation(uv=Path("uv"), environ={}, platform=Platform(triple=triple))
    with pytest.raises(NotImplementedError):
        warn_if_shadowed(installation)
    assert asked == [expected] * 2
