"""The recipes of `docs/fleets.md` are valid, and those that can be run here are run."""

from __future__ import annotations

import plistlib
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support import binaries
from support.fences import FENCES
from support.missing import missing

if TYPE_CHECKING:
    from pathlib import Path

    from support.homes import Home

RECIPES = [fence for fence in FENCES if fence.page == "docs/fleets.md"]
UNITS = {
    fence.text.partition("\n")[0].removeprefix("# "): fence.text
    for fence in RECIPES
    if fence.language == "ini"
}
CRON = re.compile(r"^(?:[\d*,/-]+ ){5}(?P<command>.*)$", re.MULTILINE)


def test_every_recipe_is_there() -> None:
    """The page has the units, a line for cron, and a property list that can be parsed."""
    (plist,) = (fence.text for fence in RECIPES if fence.language == "xml")

    assert [*UNITS] == ["uv-mirror.service", "uv-mirror.timer"]
    assert plistlib.loads(plist.encode())["ProgramArguments"][1:] == ["--quiet"]


def test_line_of_cron(home: Home, tmp_path: Path) -> None:
    """The line works in the environment of cron, and prints nothing that cron would send."""
    (line,) = (found["command"] for one in RECIPES if (found := CRON.search(one.text)))
    archive = binaries.archive("0.12.2", real=False)
    source = tmp_path / "source" / "0.12.2"
    source.mkdir(parents=True)
    shutil.copy2(archive, source / archive.name)
    home.configure(f'[[source]]\nkind = "directory"\npath = "{source.parent}"\n')
    line = line.replace("/usr/local/bin/uv-self-update", f"{sys.executable} -m uv_self_update")
    line = line.replace("/srv/uv", str(tmp_path / "mirror"))
    environ = {"HOME": str(home.path), "LOGNAME": "me", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}

    done = subprocess.run(
        ["/bin/sh", "-c", line], env=environ, cwd=home.path, capture_output=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert list((tmp_path / "mirror").rglob(archive.name))


@pytest.mark.system
def test_units_of_systemd(tmp_path: Path) -> None:
    """Systemd finds nothing wrong with the service and the timer."""
    program = shutil.which("systemd-analyze") or missing("systemd-analyze is not installed")
    for name, text in UNITS.items():
        (tmp_path / name).write_text(text)

    done = subprocess.run(
        [program, "verify", "--man=no", *(str(tmp_path / name) for name in UNITS)],
        capture_output=True,
        check=False,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, "")
