"""Each kind of request sends the headers that the product's documents ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.catalogue import catalogue
from support.simulator.dialect import Setup, called
from support.simulator.headers import REQUESTS, request_of
from support.simulator.rows import ROWS, User
from support.simulator.server import credentials_in
from uv_self_update.releases.target import Wanted

if TYPE_CHECKING:
    from pathlib import Path

    from support.homes import Home
    from support.simulator.server import Simulator

KINDS = sorted({request.kind for request in REQUESTS})


def sent(simulator: Simulator) -> set[str]:
    """Return what was sent, as the table calls it."""
    dialect = simulator.dialect
    calls = [called(asked, dialect.setup, simulator.url) for asked in simulator.asked]
    rows = [request_of(dialect.kind, call) for call in calls if call is not None]
    return {row.what for row in rows if row is not None}


@pytest.mark.parametrize("kind", KINDS)
def test_headers(kind: str, home: Home, tmp_path: Path) -> None:
    """Every request of the table is sent by some dialect of its kind, with its headers."""
    seen: set[str] = set()
    for number, row in enumerate(row for row in ROWS if row.kind == kind):
        folder = tmp_path / str(number)
        folder.mkdir()
        setup = Setup(folder=folder)
        with row.simulator(catalogue("0.9.9", "0.10.0"), setup) as simulator:
            user = User(row=row, simulator=simulator, home=home)
            assert user.obtain()
            assert user.find(Wanted(exact="0.10.0"))
        assert simulator.unfit == []
        if not row.setup.get("login"):
            assert not any(map(credentials_in, simulator.asked))
        seen |= sent(simulator)

    assert seen == {request.what for request in REQUESTS if request.kind == kind}
