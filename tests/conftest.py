"""What many tests need."""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import binaries, notices, systems, waiting
from support.homes import Home
from support.web import Web
from uv_self_update.auth.credentials import Credentials
from uv_self_update.config.settings import Network
from uv_self_update.network.client import Upstream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.stand import Stand

_LEFT_OUT = systems.left_out(sys.platform)

collect_ignore = [name for name in _LEFT_OUT if "::" not in name]
"""The files that pytest does not even import on this system."""

# Every worker needs the bytecode of all tests, in which pytest rewrites the assertions.
sys.dont_write_bytecode = False
sys.pycache_prefix = str(binaries.CACHE / "bytecode")

# With coverage: CPython 3.11 refuses it while another thread does so, whose target is not run then.
sys.settrace = waiting.until_accepted(sys.settrace)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that runs every test of the sampled families."""
    parser.addoption("--every", action="store_true", help="run the sampled families in full")


def pytest_configure(config: pytest.Config) -> None:
    """Restore signals in every worker, and print the notices of all of them.

    A suite that a shell runs in the background ignores Ctrl-C, and so would the commands it starts;
    `nohup` ignores SIGHUP, which a worker survives still, and its commands do not.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)
    if not hasattr(config, "workerinput"):
        config.add_cleanup(notices.listen(partial(_print, config)))


def _print(config: pytest.Config, line: str) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    assert reporter is not None
    reporter.ensure_newline()
    reporter.write_line(line)


def pytest_xdist_auto_num_workers() -> int:
    """Start twice as many workers as there are processors: half of a test is waiting."""
    cores = os.cpu_count() or 1
    return min(2 * cores, cores + 4)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Compile another part of the tests in each worker, before all of them collect all tests."""
    gc.disable()  # no test is garbage: to look for some takes a quarter of the time
    config = session.config
    worker = getattr(config, "workerinput", None)
    if worker is None or config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    files = sorted(Path(__file__).parent.glob("test_*.py"))
    names = [file.stem for file in files if file.name not in collect_ignore]
    first = int(worker["workerid"].removeprefix("gw")) * len(names) // worker["workercount"]
    for name in names[first:] + names[:first]:
        # What fails here, fails again where it is reported.
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(name)


def pytest_collection_finish() -> None:
    """Look for garbage again.

    The tests are not frozen: hypothesis asks the collector who refers to a random generator.
    """
    gc.enable()


def pytest_report_header() -> list[str]:
    """Name what is left out on this system."""
    return systems.report(sys.platform)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a test whose parameter is a version of uv that the first run does not download."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    versions = (parameters.get(name) for name in ("start", "version", "uv", "name", "installed"))
    if any(isinstance(one, str) and one in binaries.FURTHER for one in versions):
        item.add_marker(pytest.mark.extra)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Refuse further versions of uv to a test of the first run, and coverage to its processes."""
    marks = {mark.name for mark in item.iter_markers()}
    binaries.in_first_run = marks.isdisjoint({"extra", "slow", "system"})
    with contextlib.nullcontext() if "measured" in marks else _unmeasured():
        return (yield)


@contextlib.contextmanager
def _unmeasured() -> Iterator[None]:
    """Start processes without coverage, which takes each of them 0.2 seconds."""
    kept = os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
    try:
        yield
    finally:
        if kept is not None:
            os.environ["COVERAGE_PROCESS_CONFIG"] = kept


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of other systems, and those that a sample does not take.

    What waits for a minute begins first: the others do not wait for it.
    """
    items.sort(key=lambda item: item.get_closest_marker("patient") is None)
    # A parameter in brackets may contain slashes as well.
    out = [item for item in items if item.nodeid.partition("[")[0].rpartition("/")[2] in _LEFT_OUT]
    if not config.getoption("--every"):
        out += _unsampled(items)
    if out:
        left_out = set(out)
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=out)


def _unsampled(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return what a sample leaves out: of each `sampled` family, evenly, all but a few."""
    families: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("sampled") and item.get_closest_marker("slow"):
            families.setdefault(item.nodeid.partition("[")[0], []).append(item)
    out = []
    for family in families.values():
        marker = family[0].get_closest_marker("sampled")
        assert marker is not None
        (count,) = marker.args
        # The middle of each part: neither the first nor the last parameter is in every sample.
        taken = {(2 * part + 1) * len(family) // (2 * count) for part in range(count)}
        out += [item for number, item in enumerate(family) if number not in taken]
    return out


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
def stand(home: Home) -> Iterator[Stand]:
    """Return a project that needs a package of a private release."""
    from support.stand import standing  # noqa: PLC0415 # its servers are what few tests need

    with standing(home) as made:
        yield made


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
