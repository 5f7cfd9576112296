"""Lists that are out to fill memory or to keep the program busy: what `benchmarks` measures."""

from __future__ import annotations

import gzip
import importlib.util
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.web import Page, Web
from uv_self_update.auth.credentials import Credentials
from uv_self_update.config.settings import Network
from uv_self_update.errors import Interrupted, ListingTimeout, TooLarge
from uv_self_update.network.allowance import Allowance
from uv_self_update.network.client import Upstream
from uv_self_update.network.limits import DEFAULTS, Limits
from uv_self_update.network.responses import Document
from uv_self_update.sources.formats import listing as listing_page
from uv_self_update.sources.formats.bucket import read_bucket
from uv_self_update.sources.formats.documents import read_json
from uv_self_update.sources.formats.listing import read_listing

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[1]
URL = "https://h.example/list"


def benchmark() -> ModuleType:
    """Return the module that measures."""
    path = ROOT / "benchmarks" / "hostile_lists.py"
    spec = importlib.util.spec_from_file_location("hostile_lists", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


MEASURING: Any = benchmark()


@pytest.mark.sampled(6)
@pytest.mark.slow
@pytest.mark.parametrize("case", MEASURING.CASES, ids=lambda case: case.name)
def test_peak(case: Any, tmp_path: Path) -> None:  # noqa: ANN401 # of the module above
    """Each list is read, or refused in so many words, within 128 MiB and a minute."""
    found = MEASURING.measure(case, ROOT / "src", tmp_path)

    assert found.peak <= 128 << 20, found
    assert "mistake" not in found.said
    real = "400 releases" in case.name or "the same" in case.name
    assert found.said == "0" if real else found.said.startswith(("6: ", "7: ")), found


def test_allowance() -> None:
    """What many documents come to is bounded, in bytes and in seconds."""
    some = Allowance(timeout=1.0, limits=Limits(lists=1000))
    for _ in range(10):
        some.take(URL, received=100, waited=1.0)
    with pytest.raises(TooLarge, match=f"{URL} exceeds the limit of 1,000 bytes of lists"):
        some.take(URL, received=1, waited=0.0)
    with pytest.raises(ListingTimeout, match="after 10 seconds") as caught:
        Allowance(timeout=1.0).take(URL, received=0, waited=10.1)
    assert "network.timeout" in (caught.value.hint or "")


@pytest.mark.parametrize("way", ["read", "lines", "look"])
def test_many_documents(web: Web, way: str) -> None:
    """All documents of a source count together, by their unpacked size."""
    limits = Limits(lists=1 << 20)
    upstream = Upstream(Network(retries=0), Credentials(), environ={}, limits=limits)
    packed = gzip.compress(b"x\n" * (200 << 10))
    web.pages["/a"] = Page(body=packed, headers={"Content-Encoding": "gzip"})

    def ask() -> None:
        if way == "lines":
            with upstream.lines(f"{web.url}/a") as lines:
                list(lines)
        else:
            getattr(upstream, way)(f"{web.url}/a")

    ask()
    ask()
    with pytest.raises(TooLarge, match="bytes of lists"):
        ask()
    other = upstream.logged_in(Credentials())
    assert other.read(f"{web.url}/a").body
    upstream.close()


def test_small_on_the_wire(upstream: Upstream, web: Web) -> None:
    """A bomb is unpacked no further than its bound, and in small pieces."""
    packed = gzip.compress(b"\0" * (16 << 20))
    assert len(packed) < 20 << 10
    web.pages["/a"] = Page(body=packed, headers={"Content-Encoding": "gzip"})
    seen: list[int] = []

    def sizes(chunks: Any, _: str) -> Any:  # noqa: ANN401 # pieces of any size
        for chunk in chunks:
            seen.append(len(chunk))
            yield len(chunk)

    with upstream.items(f"{web.url}/a", sizes, limit=1 << 20) as found, pytest.raises(TooLarge):
        list(found.items)

    assert max(seen) <= 64 << 10
    assert sum(seen) <= 1 << 20


@pytest.mark.parametrize(
    ("body", "whole"),
    [
        (gzip.compress(b"content"), b"content"),
        (gzip.compress(b"content") + b"\0\0", b"content"),
        (gzip.compress(b"ab" * 100_000), b"ab" * 100_000),
        (b"", b""),
        (gzip.compress(b"content")[:-9], None),
        (gzip.compress(b"content")[:5], None),
        (b"no gzip at all", None),
    ],
    ids=["whole", "more follows", "large", "empty", "cut at its end", "cut at its start", "none"],
)
def test_gzip(upstream: Upstream, web: Web, body: bytes, whole: bytes | None) -> None:
    """What is unpacked is whole; what is cut, or none, is an error."""
    web.pages["/a"] = Page(body=body, headers={"Content-Encoding": "gzip"})

    if whole is not None:
        assert upstream.read(f"{web.url}/a").body == whole
        return
    with pytest.raises(Interrupted):
        upstream.read(f"{web.url}/a")


@pytest.mark.parametrize("way", ["read", "lines", "look"])
def test_slow_without_end(way: str) -> None:
    """A list that comes faster than the floor, and too slowly all the same, has an end."""
    over = threading.Event()

    class Slow(Web):
        def _answer(self, handler: Any) -> None:  # noqa: ANN401 # of the library
            handler.send_response(200)
            handler.send_header("Connection", "close")
            handler.end_headers()
            while not over.wait(0.05):
                handler.wfile.write(b"x\n" * 75)

    limits = Limits(lists_timeouts=2)
    client = Upstream(Network(timeout=0.25, retries=0), Credentials(), environ={}, limits=limits)
    begun = time.monotonic()

    def ask(url: str) -> None:
        if way == "lines":
            with client.lines(url) as lines:
                list(lines)
        else:
            getattr(client, way)(url)

    with Slow() as slow, closing(client):
        with pytest.raises(ListingTimeout):
            ask(f"{slow.url}/a")
        over.set()

    assert 0.45 < time.monotonic() - begun < 20


def document(body: bytes, content_type: str = "") -> Document:
    """Return what a server sent."""
    return Document(url=URL, content_type=content_type, body=body, links={})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"[" + b"{}," * 300_000 + b"{}]", "JSON values"),
        (b"[" + b"0," * 600_000 + b"0]", "JSON values"),
        (b'{"a":"' + b"x" * (5 << 20) + b'"}', "bytes"),
    ],
    ids=["objects", "numbers", "text"],
)
def test_json_as_a_whole(body: bytes, words: str) -> None:
    """What would take too much memory is refused before it is parsed."""
    with pytest.raises(TooLarge, match=words):
        read_json(document(body), "JSON")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<a>" + b"<b/>" * 300_000 + b"</a>", "tags and quotes"),
        (b"<a " + b" ".join(b"a%d='1'" % n for n in range(130_000)) + b"/>", "tags and quotes"),
        ("<a>".encode("utf-16") + "<b/>".encode("utf-16-le") * 300_000, "tags and quotes"),
        (b"<a>" + b"x" * (5 << 20) + b"</a>", "bytes"),
    ],
    ids=["elements", "attributes", "in UTF-16", "text"],
)
def test_xml_as_a_whole(body: bytes, words: str) -> None:
    """The same, in any encoding."""
    with pytest.raises(TooLarge, match=words):
        read_bucket(document(body), prefix="")


def test_page_of_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page has a bound to its links, and none to what is no link."""
    monkeypatch.setattr(listing_page, "MAX_ENTRIES", 1000)
    link = b'<a href="%d">x</a>'
    assert len(read_listing(document(b"".join(link % n for n in range(1000)), "text/html"))) == 1000

    with pytest.raises(TooLarge, match="1,000 entries"):
        read_listing(document(b"".join(link % n for n in range(1001)), "text/html"))
    attributes = b" ".join(b"a%d=1" % n for n in range(100_000))
    page = b"<h1>Index of /</h1><a " + attributes + b" href=b>x</a><a href=c>x</a>"
    assert [entry.name for entry in read_listing(document(page, "text/html"))] == ["c"]


def test_real_list_is_far_from_the_limits() -> None:
    """The releases of uv itself take a seventh of what lists may come to."""
    size = sum(map(len, MEASURING._real()))  # noqa: SLF001 # of the benchmark

    assert 30_000_000 < size < DEFAULTS.lists / 7
