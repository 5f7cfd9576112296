"""The process of this package is killed at its every change of a file; uv goes on by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.binaries import newest, newest_but_one
from windows import sources
from windows.parts import REAL

if TYPE_CHECKING:
    from windows.machine import Machine

pytestmark = [
    pytest.mark.wine,
    pytest.mark.skipif(REAL, reason="the kill is in the shims of Wine's Python"),
]

POINTS = 80
"""More than an update changes files, which is about sixty times."""

PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
def test_killed(part: int, machine: Machine, request: pytest.FixtureRequest) -> None:
    """Whatever is killed, the next run ends with a whole uv, and nothing is left.

    Every third point is tried; with `--every`, each.
    """
    step = PARTS if request.config.getoption("--every") else 3 * PARTS
    source = sources.directory(machine, newest())
    outcomes = set()
    for point in range(1 + part * step // PARTS, POINTS, step):
        machine.install(newest_but_one())
        before = machine.rest()
        killed = machine.run("--source", source, UV_TEST_KILL=str(point))
        if killed.code != 137:
            assert killed.code == 0, killed
            assert point > 10
            break
        outcomes.add(machine.version())
        done = machine.run("--source", source)
        said = f"point {point}: {killed} {done}"
        assert done.code == 0, said
        assert machine.version() == machine.receipt_version() == newest(), said
        assert machine.rest() == before, said
        assert "another program" not in done.err, said
    else:
        pytest.fail("an update changes more files than expected")
    assert outcomes
