"""What one update does once: read the receipt, parse a URL, build an environment."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse, urlsplit

import pytest

import uv_self_update
from support import binaries, detection_shelves, mirrors
from uv_self_update.uv import receipt
from uv_self_update.uv.environment import bare_environment, environment, user_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.homes import Home
    from support.web import Web

SOURCES = {
    "urls": (mirrors.urls_pages, "urls+{}/files/{{tag}}/{{asset}}"),
    "github": (mirrors.github_pages, "github+{}/astral-sh/uv"),
    "listing": (detection_shelves.shelf, "listing+{}/uv/"),
    "index": (mirrors.index_pages, "index+{}/simple/"),
}

PARSERS = (urlsplit, urlparse)
BUILDERS = (environment, bare_environment, user_environment)
"""For the old uv, for the new one that is tried, and for a uv that is asked as the user asks it."""

Call = tuple[str, str, str]

_traced: Counter[tuple[str, bool]] | None = None
"""The files that this process opens: path and whether it writes. None while nothing is traced."""


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _traced is not None and event == "open" and isinstance(arguments[0], (str, bytes)):
        writes = bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))
        _traced[os.fsdecode(arguments[0]), writes] += 1


sys.addaudithook(_hook)  # which cannot be removed


@pytest.fixture
def opened() -> Iterator[Counter[tuple[str, bool]]]:
    """Return the files that this process opens during a test."""
    global _traced  # noqa: PLW0603 # of the hook
    _traced = Counter()
    yield _traced
    _traced = None


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Counter[Call]:
    """Return the calls of some functions: the module, the function and its first argument."""
    counts: Counter[Call] = Counter()

    def counted(module: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(first: object, *rest: object, **options: object) -> object:
            argument = first if isinstance(first, str) else ""
            counts[module, function.__name__, argument] += 1
            return function(first, *rest, **options)

        return call

    for module in list(modules()):
        for function in (*PARSERS, *BUILDERS):
            if getattr(module, function.__name__, None) is function:
                name = module.__name__.removeprefix("uv_self_update.")
                monkeypatch.setattr(module, function.__name__, counted(name, function))
    return counts


def parses(called: Counter[Call], url: str) -> dict[str, int]:
    """Return the modules that have parsed a URL, and how often."""
    found: Counter[str] = Counter()
    for (module, function, argument), count in called.items():
        if argument == url and function in {parser.__name__ for parser in PARSERS}:
            found[module] += count
    return found


def modules() -> Iterator[Any]:
    """Return every module of the package, some of which are imported when they are needed."""
    for found in pkgutil.walk_packages(uv_self_update.__path__, "uv_self_update."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


@pytest.mark.parametrize("source", SOURCES)
def test_once(
    source: str,
    home: Home,
    web: Web,
    opened: Counter[tuple[str, bool]],
    called: Counter[Call],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An update reads the receipt once, parses a URL once, and builds each environment once.

    The URL of the source is parsed where it is configured; credentials, proxies and requests get
    what was parsed. A message that contains it is searched for secrets, which parses it as well.
    """
    # A receipt that was written this instant is compared by its content instead of its stamp.
    monkeypatch.setattr(receipt, "_COARSE", 0.0)
    pages, spec = SOURCES[source]
    web.pages |= pages([binaries.newest()])
    home.install(binaries.FIRST)
    home.environ["UV_SELF_UPDATE_SOURCE"] = spec.format(web.url)
    opened.clear()

    done = home.run(binaries.newest())

    assert done.code == 0, done.err
    receipts = {(place, writes): n for (place, writes), n in opened.items() if "receipt" in place}
    new = home.receipt.with_name(f".{home.receipt.name}.new")
    assert receipts == {(str(home.receipt), False): 1, (str(new), True): 1}
    configured = spec.format(web.url).partition("+")[2]
    requested = {web.url + path for path in web.paths()} - {configured}
    # A listing is a page of links, which are parsed with the page's own URL.
    page = {"sources.formats.listing": 2} if source == "listing" else {}
    assert parses(called, configured) == {"url": 1, "redaction": 1, **page}
    assert {url for url in requested if "url" in parses(called, url)} == set()
    built = {
        builder.__name__: sum(n for (_, name, _), n in called.items() if name == builder.__name__)
        for builder in BUILDERS
    }
    # `urls` asks uv for credentials when the server has no file of digests.
    asks = int(source in {"index", "urls"})
    assert built == {"environment": 1, "bare_environment": 1, "user_environment": asks}
    assert home.receipt_version() == binaries.newest()
