"""What many tests need."""

from __future__ import annotations

import logging
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from support import systems
from support.homes import Home
from support.web import Web
from uv_self_update.auth.credentials import Credentials
from uv_self_update.config.settings import Network
from uv_self_update.network.client import Upstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LEFT_OUT = systems.left_out(sys.platform)

collect_ignore = [name for name in _LEFT_OUT if "::" not in name]
"""The files that pytest does not even import on this system."""


def pytest_configure() -> None:
    """Let Ctrl-C mean what it means to a person, in every worker.

    A suite that a shell runs in the background ignores it, and so would the commands it starts.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> list[str]:
    """Name what is left out on this system."""
    return systems.report(sys.platform)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out single tests."""
    # What stands in brackets may hold slashes as well.
    out = [item for item in items if item.nodeid.partition("[")[0].rpartition("/")[2] in _LEFT_OUT]
    if out:
        items[:] = [item for item in items if item not in out]
        config.hook.pytest_deselected(items=out)


@pytest.fixture(autouse=True)
def _logger() -> Iterator[None]:
    """Leave the package's logger as it was: a command that runs in this process sets it up."""
    logger = logging.getLogger("uv_self_update")
    before = logger.level, logger.handlers
    yield
    logger.setLevel(before[0])
    logger.handlers = before[1]


@pytest.fixture
def home(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Return an empty home; uv's cache lies elsewhere."""
    path = tmp_path / "home"
    path.mkdir()
    cache = tmp_path_factory.mktemp("uv-cache")
    return Home(path=path, environ={"UV_CACHE_DIR": str(cache)})


@pytest.fixture
def web() -> Iterator[Web]:
    """Serve pages, which a test adds."""
    with Web() as server:
        yield server


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """Return a client without logins, which tries once."""
    client = Upstream(Network(timeout=10, retries=0), Credentials(), environ={})
    yield client
    client.close()
