"""Updates that are killed, ours and those by a release's real installer, leave nothing wrong."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from support.kill_series import NEW, OLD, Found, Series, table

if TYPE_CHECKING:
    from pathlib import Path

    from support.web import Web

KILLS = 12
"""Of each way; the table in docs/reliability.md has ten times as many."""


@pytest.mark.slow
@pytest.mark.parametrize("way", ["native", "release"])
def test_nothing_is_wrong_after_the_next_update(way: str, web: Web, tmp_path: Path) -> None:
    """Uv runs when it is killed; then uv, uvx and the receipt are of one version, and no more."""
    series = Series(tmp_path, way, web)
    assert series.run(kills=KILLS, seed=2) == Counter()


@pytest.mark.slow
def test_bare_uv_is_left_half_done(web: Web, tmp_path: Path) -> None:
    """What is counted can be seen: without us, an update that is killed leaves it for good."""
    series = Series(tmp_path, "bare", web)
    assert series.run(kills=KILLS, seed=2)["leftovers"] > 0


def test_table() -> None:
    """The figures of each way stand in its column."""
    lines = table({"native": Counter(), "bare": Counter(uvx=2)}, 7).splitlines()
    assert lines[0] == "| | `--installer native` | `uv self update`, without us |"
    assert lines[2] == "| killed | 7 | 7 |"
    assert "| uvx is of another version | 0 | 2 |" in lines


GOOD = Found(uv=NEW, uvx=NEW, receipt=NEW, paths=frozenset({"uv"}))


@pytest.mark.parametrize(
    ("after", "faults"),
    [
        (GOOD, []),
        (Found(uv=None, uvx=NEW, receipt=NEW, paths=GOOD.paths), ["broken", "receipt", "uvx"]),
        (Found(uv=NEW, uvx=OLD, receipt=None, paths=GOOD.paths), ["receipt", "uvx"]),
        (Found(uv=NEW, uvx=NEW, receipt=NEW, paths=GOOD.paths | {"tmp"}), ["leftovers"]),
        (Found(uv=OLD, uvx=OLD, receipt=OLD, paths=GOOD.paths), ["old"]),
    ],
)
def test_faults(after: Found, faults: list[str]) -> None:
    """Each of them is counted."""
    assert list(GOOD.faults(killed=GOOD, after=after)) == faults
