"""A page on which a web server shows a folder: the names that are read from it, and other pages.

What the pages in `samples/` come from is said there.
"""

from __future__ import annotations

import html
import json
import string
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from uv_self_update.errors import UnexpectedBody
from uv_self_update.network.responses import Document
from uv_self_update.sources.formats.entry import Entry, is_name, utc_of
from uv_self_update.sources.formats.listing import read_listing

SAMPLES = Path(__file__).parent / "samples"
MIRROR = "https://h.example/mirror/"
MODIFIED = "2026-01-29T20:24:46Z"

FOLDERS = {"0.9.28", "v0.10.0", "we ird&name"}
FILES = {
    "%41",
    "100%",
    "<x>",
    "a+b",
    "a&copy1",
    "a;b?c#d",
    "co:lon",
    'it\'s "q"',
    "uv-x86_64-unknown-linux-gnu.tar.gz",
    "uv-x86_64-unknown-linux-gnu-with-a-name-that-is-cut.tar.gz.1",
    "ünï",
}

CAPTURED = [
    "apache-fancy.html",
    "apache-plain.html",
    "apache-table.html",
    "caddy.html",
    "caddy.json",
    "http-server.html",
    "lighttpd.html",
    "nginx-fancyindex.html",
    "nginx.html",
    "nginx.json",
    "webfs.html",
]
WITH_TIMES = {"caddy.html", "caddy.json", "nginx.json"}

BROKEN = [
    "<",
    "<!--",
    "<!",
    "</",
    "<?",
    "<![",
    "<a ",
    "<a href='x",
    '<a href="x ',
    "<a href=x>",
    "<a =",
    "<a " + "/" * 50,
    "</a ",
    "<title>",
    "<script>",
    "<script></",
    "<h1>x",
    "<!--a--!",
    "&",
    "&#1",
    "[",
    '{"',
    "../" * 20,
]


def page(
    body: str | bytes,
    *,
    url: str = MIRROR,
    content_type: str = "text/html",
    also: tuple[str, ...] = (),
) -> tuple[Entry, ...]:
    """Read a page."""
    raw = body if isinstance(body, bytes) else body.encode()
    return read_listing(Document(url=url, content_type=content_type, body=raw, links={}), also=also)


def sample(server: str, folder: str, url: str) -> tuple[Entry, ...]:
    """Read a page of a real server."""
    name, _, kind = server.partition(".")
    media_type = {"html": "text/html", "json": "application/json"}[kind]
    body = (SAMPLES / f"{name}-{folder}.{kind}").read_bytes()
    return page(body, url=url, content_type=media_type)


def links(*hrefs: str) -> str:
    """Return a page with links, each href in quotes as it is, that call themselves something."""
    return "".join(f'<a href="{href}">else</a>\n' for href in hrefs)


def names(body: str | bytes, *, url: str = MIRROR, also: tuple[str, ...] = ()) -> list[str]:
    """Return the names on a page, with a slash behind those of folders."""
    raw = body.encode() if isinstance(body, str) else body
    found = page(b"<h1>Index of /</h1>" + raw, url=url, also=also)
    return [entry.name + "/" * bool(entry.is_directory) for entry in found]


def refused(body: str | bytes, *, content_type: str = "text/html") -> str:
    """Return how a page that is no listing is described."""
    with pytest.raises(UnexpectedBody) as caught:
        page(body, content_type=content_type)
    before, _, kind = str(caught.value).partition(", got ")
    assert before == f"unexpected response from {MIRROR}: expected a directory listing"
    return kind


@pytest.mark.parametrize("server", CAPTURED)
def test_real_pages(server: str) -> None:
    """Every server's page is read to the names that are in the folder, however odd."""
    entries = sample(server, "mirror", MIRROR)

    assert {entry.name for entry in entries if entry.is_directory} == FOLDERS
    # webfs writes a link to `co:lon`, which any browser takes for one to another protocol.
    missing = {"co:lon"} if server == "webfs.html" else set()
    assert {entry.name for entry in entries if not entry.is_directory} == FILES - missing
    assert len(entries) == len(FOLDERS | FILES) - len(missing)
    assert {entry.modified for entry in entries} == {MODIFIED if server in WITH_TIMES else None}


@pytest.mark.parametrize("server", CAPTURED)
def test_real_empty_pages(server: str) -> None:
    """An empty folder is a listing without names, not a web page of another kind."""
    assert sample(server, "empty", "https://h.example/empty/") == ()


@pytest.mark.parametrize("server", CAPTURED)
@pytest.mark.parametrize("path", ["/mirror/we%20ird%26name/", "/mirror/we%20ird&name/"])
def test_real_pages_of_odd_folders(server: str, path: str) -> None:
    """The page's own path may be escaped in another way than we did, and has a parent."""
    entries = sample(server, "inner", "https://h.example" + path)

    assert {(entry.name, entry.is_directory) for entry in entries} == {
        ("inner", True),
        ("sha256.sum", False),
    }


@pytest.mark.parametrize("server", ["written-iis.html", "written-artifactory.html"])
def test_documented_pages(server: str) -> None:
    """IIS links by absolute paths, and Artifactory like nginx."""
    entries = sample(server, "mirror", MIRROR)

    assert {entry.name for entry in entries if entry.is_directory} == FOLDERS
    assert {entry.name for entry in entries if not entry.is_directory} == FILES
    assert {entry.modified for entry in entries} == {None}


def test_documented_page_of_nexus() -> None:
    """In Nexus folders lie below the page, and files elsewhere, on a host that may be wrong."""
    body = (SAMPLES / "written-nexus-mirror.html").read_bytes()
    url = "https://nexus.example.com/service/rest/repository/browse/uv/mirror/"

    entries = page(body, url=url, also=("repository", "uv", "mirror"))

    assert {(entry.name, entry.modified) for entry in entries if entry.is_directory} == {
        (name, None) for name in FOLDERS
    }
    assert {(entry.name, entry.modified) for entry in entries if not entry.is_directory} == {
        (name, MODIFIED) for name in FILES
    }
    assert {entry.name for entry in page(body, url=url)} == FOLDERS


@pytest.mark.parametrize(
    "href",
    [
        "a.zip",
        "./a.zip",
        "a%2ezip",
        " a.zip \n",
        "a.zip?C=N;O=D",
        "a.zip#x",
        "b/../a.zip",
        "../mirror/a.zip",
        "/mirror/a.zip",
        "/m%69rror/a.zip",
        "/mirror//a.zip",
        "//h.example/mirror/a.zip",
        "//localhost:8081/mirror/a.zip",
        "http://10.0.0.1:8080/mirror/a.zip",
        "HTTPS://user:pw@other.example/mirror/a.zip",
        "a&#46;zip",
        "a&#x2E;zip",
        "a&period;zip",
    ],
)
def test_children(href: str) -> None:
    """What is right below the page's path is in the folder, however it is linked to."""
    assert names(links(href)) == ["a.zip"]
    assert names(f"<A HREF='{href}'>") == ["a.zip"]


@pytest.mark.parametrize(
    "href",
    [
        "",
        "?C=N;O=D",
        "#top",
        ".",
        "./",
        "..",
        "../",
        "/",
        "/mirror/",
        "/mirror",
        "https://h.example/mirror/?sort=size",
        "../other",
        "/other/a.zip",
        "a/b",
        "a/b/",
        "/a.zip",
        "https://caddyserver.com",
        "https://caddyserver.com/docs",
        "javascript:a()",
        "mailto:a@h.example",
        "ftp://h.example/mirror/a.zip",
        "http://[/mirror/a.zip",
        "//[x]/mirror/a.zip",
        "%2e%2e/",
        "%2e",
        "%2E%2E%2Fetc",
        "a%2fb",
        "a%5Cb",
        r"..\a",
        "a%00",
        "a%0Ab",
        "a%7f",
        "a%C2%85",
        "%FF",
        "%ED%A0%80",
        "a" * 256,
        f"{'a' * 256}/",
    ],
)
def test_no_children(href: str) -> None:
    """What leads elsewhere, or cannot be a name in the folder, is left out."""
    assert names(links(href, "uv.zip")) == ["uv.zip"]


@pytest.mark.parametrize(
    ("url", "href", "expected"),
    [
        ("https://h/", "0.9.28/", ["0.9.28/"]),
        ("https://h", "/0.9.28/", ["0.9.28/"]),
        ("https://h/", "http://h:81/0.9.28/", ["0.9.28/"]),
        # Below the root of another host is anything at all.
        ("https://h/", "https://webfs.example/webfs.html", []),
        ("https://***@h/mirror/?key=***", "0.9.28/", ["0.9.28/"]),
        ("https://h/m/index.html", "0.9.28/", ["0.9.28/"]),
        ("https://h/m/index.html", "?C=N", []),
        ("https://h/m/index.html", "index.html", []),
        # A server that does not insist on the slash.
        ("https://h/m/uv", "/m/uv/0.9.28/", ["0.9.28/"]),
        ("https://h/m/uv", "/m/uv/", []),
        ("https://h/m/uv", "/m/", []),
        ("https://h/m/uv?path=/", "uv/", []),
        ("https://h/a b/%C3%BC/", "/a%20b/%c3%bc/x", ["x"]),
        ("https://h/a%2Fb/", "/a/b/x", []),
        ("https://h/a%2Fb/", "/a%2fb/x", ["x"]),
        ("file:///srv/uv/index.html", "0.9.28/", ["0.9.28/"]),
    ],
)
def test_own_path(url: str, href: str, expected: list[str]) -> None:
    """A link is looked at from where the page came from in the end."""
    assert names(links(href), url=url) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<A HREF=0.9.28/>", ["0.9.28/"]),
        ("<a class=x href = '0.9.28/' title='>'>x", ["0.9.28/"]),
        ("<a\nhref\n=\n0.9.28/ >", ["0.9.28/"]),
        ("<a href=a href=b>", ["a"]),
        ("<a/href=a>", ["a"]),
        ("<a href>", []),
        ("<a href=>", []),
        ("<a name=x><a href=a>", ["a"]),
        ("<abbr href=a><area href=b><link href=c>", []),
        ("</a href=a>", []),
        ("< a href=a>", []),
        ("<<a href=a>", ["a"]),
        ("1 < 2 <a href=a> > </b <a href=b>", ["a"]),
        ("<!-- <a href=a> --><a href=b>", ["b"]),
        ("<!--><a href=a>", ["a"]),
        ("<!---><a href=a>", ["a"]),
        ("<!--\n<a href=a>\n--><a href=b>", ["b"]),
        ("</ <a href=a>><a href=b>", ["b"]),
        ("<!--a --!> <a href=b>", ["b"]),
        ("<!--a -- > <a href=b>", []),
        ("<!doctype a><?a b?><![CDATA[x]]></ ><a href=a>", ["a"]),
        ("<script>'<a href=a>'</script ><a href=b>", ["b"]),
        ("<SCRIPT></scripts><a href=a></SCRIPT><a href=b>", ["b"]),
        ("<textarea><a href=a></textarea><style><a href=b></style><a href=c>", ["c"]),
        ("<title><a href=a></title><a href=b>", ["b"]),
        ("<script><a href=a>", []),
        ("<a href=a>x</a><a href='b", ["a"]),
        ("<a href=a>x</a><a href=b", ["a"]),
        (
            '<a href="a&b"><a href="b&amp;c"><a href="c&copy1"><a href="d&#38;e">',
            ["a&b", "b&c", "c&copy1", "d&e"],
        ),
        (f'<a href="a&#{"9" * 5000};">', ["a&"]),
        ('<a href="&#0;a"><a href="&#xD800;b">', ["\ufffda", "\ufffdb"]),
        ("<a href=b><a href=a><a href=b>", ["b", "a"]),
        ("<a href=b><img></a><a href=b/>b</a>", ["b/"]),
        ("<a href=b;><a href=c;/>", ["b;", "c;/"]),
        ("<a href=a\0b>", []),
    ],
)
def test_markup(body: str, expected: list[str]) -> None:
    """Markup is taken as browsers take it, however sloppy or broken."""
    assert names(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"<a href='\xff'><a href=a>\xfe", ["a"]),
        (b"<a href='\xfcn\xef'><a href=a>", ["a"]),
        ("<a href='ünï'>".encode(), ["ünï"]),
    ],
)
def test_bytes(body: bytes, expected: list[str]) -> None:
    """Bytes that are no UTF-8 do no harm but to the names that they are in."""
    assert names(body) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("<a href=a>a</a></td><td>Thu Jan 29 20:24:46 UTC 2026</td>", MODIFIED),
        ("<a href=a>a</a> <time datetime='2026-01-29T21:24:46+01:00'>", MODIFIED),
        ("<a href=a>a</a> <time datetime='2026-01-29T20:24:46.123456789Z'>", MODIFIED),
        ("<a href=a>a</a> <time datetime='2026-01-29T20:24:46'>", None),
        ("<a href=a>a</a><td>Thu Jan 29 21:24:46 CET 2026</td>", None),
        ("<a href=a>a</a><td>29-Jan-2026 20:24</td>", None),
        ("<a href=a>Thu Jan 29 20:24:46 UTC 2026</a>", None),
        ("<a href=a>a</a></tr><td>Thu Jan 29 20:24:46 UTC 2026</td>", None),
        ("<a href=a>a</a><a href=//x>b</a><td>Thu Jan 29 20:24:46 UTC 2026</td>", None),
        ("<a href=a>a</a><a href=//x>Thu Jan 29 20:24:46 UTC 2026</a>", None),
        ("Thu Jan 29 20:24:46 UTC 2026 <a href=a>a</a>", None),
        (
            "<a href=a>a</a><i>Thu Jan 29 20:24:46 UTC 2026</i><i>Fri Jan 30 20:24:46 UTC 2026",
            MODIFIED,
        ),
    ],
)
def test_times(row: str, expected: str | None) -> None:
    """A time is read where it stands behind a name, and says that it is in UTC."""
    (entry,) = page(f"<table><tr><td>{row}")

    assert entry == Entry(name="a", is_directory=None, modified=expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Thu, 29 Jan 2026 20:24:46 GMT", MODIFIED),
        (" Thu Jan 29 20:24:46 GMT 2026 ", MODIFIED),
        ("2026-01-29T20:24:46.000Z", MODIFIED),
        ("2026-01-29 15:24:46-0500", MODIFIED),
        ("29-01-2026", None),
        ("2026-01-29", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("2026-13-29T20:24:46Z", None),
        ("Thu, 31 Feb 2026 20:24:46 GMT", None),
        ("GMT" * 1000, None),
        ("", None),
    ],
)
def test_utc(text: str, expected: str | None) -> None:
    """A time counts only with its zone."""
    assert utc_of(text) == expected


@pytest.mark.parametrize(
    "heading",
    [
        "<title>Index of /mirror</title>",
        "<H1>index of x",
        "<h2>Directory listing for /",
        "<title>x</title><h1>Directory Listing</h1>",
        "<h1>listing: <a href='/'>/",
        "<h1><b>Index of</b> /mirror",
        "<title>files.example.com - /mirror/we ird/</title>",
        '<a href="?sort=name&order=asc">Name</a>',
    ],
)
def test_empty(heading: str) -> None:
    """A page that calls itself a listing may have no names on it."""
    assert page(heading, url="https://h.example/mirror/we%20ird/") == ()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<!doctype html><p>Welcome!", "a web page that is not a directory listing"),
        (
            "<p>This repository is not directly browseable",
            "a web page that is not a directory listing",
        ),
        ("<html><title>The index of /", "a web page that is not a directory listing"),
        ("<h1>Welcome!</h1>Index of", "a web page that is not a directory listing"),
        ("<html><p>Index of /</p>", "a web page that is not a directory listing"),
        ("<html><!-- <h1>Index of /</h1> -->", "a web page that is not a directory listing"),
        ("<html><a href=/ui/>Browse</a>", "a web page that is not a directory listing"),
        ("", "an empty file"),
        ("not found", "something else"),
        ("<?xml version='1.0'?><ListBucketResult/>", "XML"),
        ("#!/bin/sh", "a script"),
        (b"\x1f\x8b\x08", "an archive"),
        ("<form><input name=user><input type=password>", "a web page with a login form"),
        ("<FORM><INPUT TYPE=' Password '><a href=help>Help</a>", "a web page with a login form"),
        (
            "<title>Sign in</title><a href=a>a</a><input type='password'/>",
            "a web page with a login form",
        ),
    ],
)
def test_no_listing(body: str | bytes, kind: str) -> None:
    """A page that is no listing is said to be what it is."""
    assert refused(body) == kind


def test_login_beside_a_listing() -> None:
    """A listing may have a form to log in beside it."""
    assert names("<a href=a>a</a><input type=password>") == ["a"]


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("application/octet-stream", "an archive"),
        ("text/plain", "an archive"),
        ("", "an archive"),
    ],
)
def test_other_media_types(content_type: str, kind: str) -> None:
    """A file is not searched for links."""
    body = b"\x1f\x8b" + (b"" if not content_type else b"<a href=a>")
    assert refused(body, content_type=content_type) == kind


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"errors": [{"status": 404, "message": "File not found."}]},
        [1],
        [[]],
        [None],
        [{}],
        [{"name": "a"}],
        [{"tag_name": "0.9.28", "name": "0.9.28"}],
        [{"name": "a", "type": "dir"}],
        [{"name": "a", "type": ["file"]}],
        [{"name": 5, "type": "file"}],
        [{"name": "a", "is_dir": "true"}],
        [{"name": "a", "type": "file"}, {"name": "b"}],
    ],
)
def test_other_json(document: object) -> None:
    """JSON that is of neither nginx nor Caddy is refused, not read in part."""
    assert (
        refused(json.dumps(document), content_type="application/json") == "JSON with other contents"
    )


@pytest.mark.parametrize(
    "body", ["[", "{", '[{"name": "a"', "[" * 100_000, f"[{'9' * 5000}]", b'[{"\xff"']
)
def test_broken_json(body: str | bytes) -> None:
    """What begins as JSON, and breaks off or goes too deep, is refused."""
    assert refused(body, content_type="application/json") == "JSON with other contents"


def test_json_names() -> None:
    """Names in JSON are not escaped; what cannot be a name, or comes twice, is dropped."""
    listed = [
        {"name": "a%20b", "type": "file", "mtime": "Thu, 29 Jan 2026 20:24:46 GMT"},
        {"name": "a%20b", "type": "file"},
        *(
            {"name": name, "type": "file"}
            for name in ["..", ".", "", "a/b", "a\\b", "a\0", "\ud800"]
        ),
        {"name": "b", "type": "other", "mtime": 5},
        {"name": "c/", "is_dir": True, "mod_time": "2026-01-29T20:24:46.5Z"},
        {"name": "d", "is_dir": False, "mod_time": "yesterday"},
    ]
    assert page("\ufeff\n" + json.dumps(listed), content_type="application/json") == (
        Entry(name="a%20b", is_directory=False, modified=MODIFIED),
        Entry(name="b", is_directory=False),
        Entry(name="c", is_directory=True, modified=MODIFIED),
        Entry(name="d", is_directory=False),
    )


def test_json_of_bytes() -> None:
    """Names stand in the JSON of nginx as they are, though they may be no UTF-8."""
    body = b'[{"name":"\xfc","type":"file"},{"name":"a","type":"file"}]'
    assert [entry.name for entry in page(body, content_type="application/json")] == ["a"]


@pytest.mark.parametrize("start", ["", "<a ", "<a href=x>x</a>", "<h1>", "<a href="])
def test_broken_pages_take_no_time(start: str) -> None:
    """However a page is broken, reading it takes a time in proportion to its length.

    In proportion to its square, each of these would take minutes.
    """
    begun = time.perf_counter()
    for part in BROKEN:
        try:
            page(start + part * (100_000 // len(part)))
        except UnexpectedBody:
            continue
    assert time.perf_counter() - begun < 30


_APACHE_KEEPS = string.ascii_letters + string.digits + "!$&'()*+,:;=@~-._"

NAMES = st.text(min_size=1, max_size=70).filter(is_name)
LISTINGS = st.dictionaries(NAMES, st.booleans(), max_size=8)
SOUP = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *BROKEN,
                "<a href=",
                "</a>",
                ">",
                "-->",
                '"',
                "'",
                "=",
                " ",
                "\n",
                ";",
                "%2",
                "%2e",
                "%FF",
                "\0",
                "..",
                "//",
                "/mirror/",
                "http://",
                "http://[",
                "file:",
                "?",
                "&amp;",
                "&#55296;",
                "<title>",
                "</title>",
                "Index of",
                "<input type=password>",
                "<time datetime=",
                "2026-01-29T20:24:46Z",
                "9999-12-31T23:59:59-14:00",
                "Thu Jan 29 20:24:46 UTC 2026",
                '[{"name":"a","type":"file"}]',
                "\ufeff",
            ]
        ),
        st.text(max_size=5),
    ),
    max_size=30,
).map("".join)


@given(
    body=st.one_of(st.binary(max_size=300), SOUP.map(lambda text: text.encode())),
    url=st.sampled_from([MIRROR, "https://h", "https://h/a", "file:///x/", "***"]),
    content_type=st.sampled_from(["", "text/html", "application/json", "image/png"]),
    also=st.sampled_from([(), ("mirror",)]),
)
def test_anything(body: bytes, url: str, content_type: str, also: tuple[str, ...]) -> None:
    """Whatever is sent, what is read are names, or it is refused in one way."""
    document = Document(url=url, content_type=content_type, body=body, links={})
    try:
        entries = read_listing(document, also=also)
    except UnexpectedBody:
        return
    found = [entry.name for entry in entries]
    assert all(is_name(name) for name in found)
    assert len(set(found)) == len(found)
    for name in found:
        quote(name)  # it can be asked for


@given(
    document=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["name", "type", "is_dir", "mtime", "mod_time"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_any_json(document: object) -> None:
    """Whatever JSON is sent, what is read are names, or it is refused in one way."""
    try:
        entries = page(json.dumps(document), content_type="application/json")
    except UnexpectedBody:
        return
    assert all(is_name(entry.name) for entry in entries)


def nginx(listing: dict[str, bool]) -> str:
    """Return a page as nginx writes it."""
    rows = "".join(
        f'<a href="{quote(name, safe="")}{"/" * folder}">{html.escape(name[:47])}..&gt;</a>  -\n'
        for name, folder in listing.items()
    )
    return f'<html><h1>Index of /mirror/</h1><hr><pre><a href="../">../</a>\n{rows}</pre></html>'


def apache(listing: dict[str, bool]) -> str:
    """Return a page as Apache writes it, with a table, and a second link at each icon."""
    rows = ""
    for name, folder in listing.items():
        path = "".join(
            sign if sign in _APACHE_KEEPS else quote(sign, safe="").lower() for sign in name
        )
        # Else what is before the colon would be a protocol.
        start = "./" if ":" in name else ""
        href = html.escape(f"{start}{path}{'/' * folder}", quote=False)
        cell = f'<td><a href="{href}">{html.escape(name[:20])}..&gt;</a>'
        rows += f"<tr>{cell}{cell}</tr>\n"
    return (
        '<h1>Index of /mirror</h1><table><tr><th><a href="?C=N;O=D">Name</a>'
        f'<tr><td><a href="/">Parent Directory</a></td>{rows}</table>'
    )


@given(listing=LISTINGS)
@example(listing={"a;": False, "b;": True, ":": False, "%": True, "?": False, "#": True})
@example(listing={" ": False, "http:": True, "...": True})
def test_there_and_back(listing: dict[str, bool]) -> None:
    """What nginx and Apache write of any names is read back as the same names."""
    for render in (nginx, apache):
        entries = page(render(listing))
        told = any(listing.values())  # one slash at least: then the others are files
        expected = listing if told else dict.fromkeys(listing)
        assert {entry.name: entry.is_directory for entry in entries} == expected
        assert [entry.name for entry in entries] == list(listing)


@given(length=st.integers(0, (SAMPLES / "nginx-mirror.html").stat().st_size))
def test_page_that_breaks_off(length: int) -> None:
    """Of a page that breaks off, no part of a name is read."""
    body = (SAMPLES / "nginx-mirror.html").read_bytes()[:length]
    try:
        entries = page(body)
    except UnexpectedBody:
        return
    assert {entry.name for entry in entries} <= FOLDERS | FILES


@pytest.mark.parametrize("context", ["", "/nexus", "/a/b"])
def test_files_that_are_linked_elsewhere(context: str) -> None:
    """Files of a second place count by the end of its path, whatever a proxy has cut off."""
    href = f"https://inside.example{context}/repository/uv/0.9.9/uv.zip"
    other = f"https://inside.example{context}/repository/uv/0.9.8/uv.tar"
    document = Document(
        url="https://h.example/x/service/rest/repository/browse/uv/0.9.9/",
        content_type="text/html",
        body=f'<title>Index of /</title><a href="{href}">a</a><a href="{other}">b</a>'.encode(),
        links={},
    )

    assert read_listing(document, also=("repository", "uv", "0.9.9")) == (
        Entry(name="uv.zip", is_directory=False),
    )


@pytest.mark.parametrize(
    ("body", "folder"),
    [
        # As h2o, mini-httpd and updog write them.
        ("<TITLE>Index of /</TITLE><LI><A HREF='..'>Parent</A><LI><A HREF='0.13.9'>", None),
        ("<title>Index of ./</title><pre><a href='.'>.   </a><a href='0.13.9'>0.13.9  </a>", None),
        ("<h2>Directory: /srv</h2><a href='/m/uv/0.13.9'>0.13.9/</a>", None),
        # One slash on the page says that this server writes them.
        ("<a href='0.13.9'>a</a><a href='0.9.30/'>b</a>", False),
        ("<a href='./0.13.9/'>a</a>", True),
        # npm's `serve` writes every slash as a reference.
        ('<a href="&#47;m&#47;uv&#47;0.13.9&#47;" class="folder .9">0.13.9&#47;</a>', True),
    ],
)
def test_link_to_a_directory(body: str, folder: bool | None) -> None:  # noqa: FBT001 # a table
    """A link without a slash may be to a directory, unless another link has a slash."""
    found = {entry.name: entry.is_directory for entry in page(body, url="https://h.example/m/uv/")}

    assert found["0.13.9"] is folder


def test_json_of_npm_serve() -> None:
    """The parent directory, and what stands beside the list, is passed over."""
    body = {
        "files": [
            {"type": "directory", "base": "..", "relative": "/m/", "title": "/m/", "ext": ""},
            {"base": "0.13.9/", "relative": "/m/uv/0.13.9/", "type": "folder", "ext": ".9"},
            {"base": "uv.tar.gz", "type": "file", "size": "18 MB", "ext": "gz"},
        ],
        "directory": "m/uv/",
        "paths": [{"name": "m/", "url": ""}],
    }
    assert page(json.dumps(body), content_type="application/json") == (
        Entry(name="0.13.9", is_directory=True),
        Entry(name="uv.tar.gz", is_directory=False),
    )


XML = """\
<?xml version="1.0"?>
<list>
<directory mtime="2026-01-29T20:24:46Z">0.13.9</directory>
<directory mtime="2026-01-29T20:24:46Z">a b%20&amp;c</directory>
<file mtime="2026-01-29T20:24:46Z" size="700">uv.tar.gz</file>
<other mtime="2026-01-29T20:24:46Z">socket</other>
<file mtime="yesterday">../up</file>
</list>
"""


def test_xml_of_nginx() -> None:
    """Names, kinds and dates of `autoindex_format xml` are read; a name that leaves is not."""
    assert page(XML, content_type="text/xml") == (
        Entry(name="0.13.9", is_directory=True, modified=MODIFIED),
        Entry(name="a b%20&c", is_directory=True, modified=MODIFIED),
        Entry(name="uv.tar.gz", is_directory=False, modified=MODIFIED),
        Entry(name="socket", is_directory=False, modified=MODIFIED),
    )


def test_empty_xml_of_nginx() -> None:
    """An empty directory is one."""
    assert page('<?xml version="1.0"?>\n<list>\n</list>\n', content_type="text/xml") == ()


def test_page_that_is_labelled_text() -> None:
    """Apache sends its page as `text/plain` with `IndexOptions Type=text/plain`."""
    body = "<!DOCTYPE HTML><html><title>Index of /</title><a href='0.13.9/'>0.13.9/</a>"
    assert [entry.name for entry in page(body, content_type="text/plain")] == ["0.13.9"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-29 20:24:46 +0000 UTC", MODIFIED),
        ("2026-01-29 20:24:46.123456789 +0000 UTC", MODIFIED),
        ("2026-01-29 21:24:46 +0100 CET", MODIFIED),
        ("2026-01-29 17:24:46 -0300 -03", MODIFIED),
        ("2026-01-29 21:24:46 CET", None),
        ("2026-01-29 20:24:46", None),
        ("2026-01-29 20:24", None),
        ("29-Jan-2026 20:24", None),
        ("Thu Jan 29 20:24:46 2026", None),
    ],
)
def test_times_of_go(text: str, expected: str | None) -> None:
    """As Go and rclone write times; a time without a zone is not read, whoever writes it."""
    assert utc_of(text) == expected
