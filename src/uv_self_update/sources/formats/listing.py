"""The directory listing of a web server, in HTML, JSON or XML.

Names come from the targets of links, not from their texts, which Apache truncates. Only the path of
a target counts, because a server behind a proxy does not know its own address.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

from uv_self_update.errors import TooLarge, UnexpectedBody
from uv_self_update.sources.formats.documents import LOGIN_PAGE, describe
from uv_self_update.sources.formats.entry import Entry, is_name, utc_of
from uv_self_update.sources.formats.json_array import MAX_ENTRIES, NotAnArray, elements
from uv_self_update.sources.formats.markup import pieces
from uv_self_update.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.network.responses import Document
    from uv_self_update.sources.formats.markup import Tag


_EXPECTED = "a directory listing"
_NO_LISTING = "a web page that is not a directory listing"

_HTML = frozenset({"", "text/html", "application/xhtml+xml", "application/xml", "text/xml"})
_TEXT = "text/plain"
_IS_HTML = re.compile(r"\s*<(?:!doctype html|html)\b", re.IGNORECASE)
_HEADINGS = frozenset({"title", "h1", "h2"})
_MAX_HEADING = 4096  # characters
_MAX_OBJECT_SIZE = 1 << 20  # bytes of a JSON object, which is parsed as a whole
_TITLE = re.compile(r"\s*(?:index of\b|directory listing\b|listing:)", re.IGNORECASE)
_SORT = "?sort=name"
"""The start of the links that sort Caddy's pages, whose headings name the directory only."""

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}/?")
"""A link that is the name of an entry. To resolve one takes 12 µs, and a page has hundreds."""

_XML_ENTRIES = frozenset({"directory", "file", "other"})
_PAGE_TAGS = frozenset({"html", "head", "body", "form", "h1", "a", "p", "div"})
_ROW_TAGS = frozenset({"tr", "li", "table", "ul", "pre"})

_Path = tuple[str, ...]
"""The names in a path, decoded."""


def read_listing(document: Document, *, also: _Path = ()) -> tuple[Entry, ...]:
    """Parse the entries of a directory, in the order of the page.

    It supports the servers in `docs/servers.md`, IIS, Nexus and Artifactory, and any other page
    with links to the entries directly below it.

    Args:
        document: The response.
        also: The end of a second path, whose children are entries as well. Its start is ignored,
            because a proxy may have changed it.

    Raises:
        UnexpectedBody: The response is something else, such as a login page.
        TooLarge: The listing has too many entries.
    """
    if document.body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in {b"[", b"{"}:
        return _read_json(document)
    # Invalid UTF-8 becomes surrogates, which is_name rejects.
    text = document.body.decode("utf-8", errors="surrogateescape").removeprefix("\ufeff")
    # Apache relabels its pages with `IndexOptions Type=text/plain`.
    labelled_text = document.content_type == _TEXT and _IS_HTML.match(text)
    if document.content_type not in _HTML and not labelled_text:
        raise UnexpectedBody(document.url, _EXPECTED, describe(document.body))
    if (listed := _read_xml(text)) is not None:
        return listed
    page = _Page(document.url, also)
    for piece in pieces(text):
        if isinstance(piece, str):
            page.take_text(piece)
        else:
            page.take_tag(piece)
    page.end_heading()
    if page.has_password_field and not page.is_listing:
        raise UnexpectedBody(document.url, _EXPECTED, LOGIN_PAGE)
    if not page.entries and not page.is_listing:
        kind = _NO_LISTING if page.is_page else describe(document.body)
        raise UnexpectedBody(document.url, _EXPECTED, kind)
    if also or any(entry.is_directory for entry in page.entries.values()):
        # A server that adds the slash to one directory adds it to all.
        return tuple(
            replace(entry, is_directory=False) if entry.is_directory is None else entry
            for entry in page.entries.values()
        )
    return tuple(page.entries.values())


class _Page:
    """The state of the HTML parser."""

    def __init__(self, url: str, also: _Path) -> None:
        self.entries: dict[str, Entry] = {}
        self.is_listing = False
        """Whether the page says that it is a listing; only then may it be empty."""
        self.has_password_field = False
        self.is_page = False

        self._url = url
        parts = urlsplit(url)
        self._scheme, self._host = parts.scheme, parts.hostname
        self._shown = " - " + unquote(parts.path)
        self._path = _names(parts.path)
        self._bases = {self._path}
        self._is_directory = parts.path.endswith("/")
        if not self._is_directory:
            self._bases.add(self._path[:-1])  # the base of relative links
        self._also = also
        self._heading: str | None = None
        self._linked: str | None = None
        """The name of the entry of the last link."""
        self._row: str | None = None
        """The name of the entry of the current row, after its link."""

    def take_tag(self, tag: Tag) -> None:
        """Process a tag."""
        if tag.name in _PAGE_TAGS:
            self.is_page = True
        if tag.name in _HEADINGS:
            self.end_heading()
            self._heading = "" if tag.opens else None
        elif tag.name == "a":
            self._take_link(tag)
        elif not tag.opens:
            if tag.name in _ROW_TAGS:
                self._row = None
        elif tag.name == "input":
            if tag.attributes.get("type", "").strip().lower() == "password":
                self.has_password_field = True
        elif tag.name == "time":
            self._take_time(tag.attributes.get("datetime", ""))

    def take_text(self, text: str) -> None:
        """Process the text between two tags."""
        if self._heading is not None and len(self._heading) < _MAX_HEADING:
            self._heading += text[:_MAX_HEADING]
        self._take_time(text)

    def end_heading(self) -> None:
        """Process the text of the heading that ends here, if any."""
        heading, self._heading = self._heading, None
        if heading is None:
            return
        # IIS: the name of the server, then the path.
        if _TITLE.match(heading) or heading.rstrip().endswith(self._shown):
            self.is_listing = True

    def _take_link(self, tag: Tag) -> None:
        if not tag.opens:
            self._row = self._linked
            return
        href = tag.attributes.get("href")
        if href is None:
            return
        self._linked = self._row = None
        if href.startswith(_SORT):
            self.is_listing = True
        found = self._child(href.strip(" \t\n\f\r"))
        if found is None:
            return
        if len(self.entries) >= MAX_ENTRIES:
            raise TooLarge(self._url, MAX_ENTRIES, unit="entries")
        known = self.entries.setdefault(found.name, found)
        if found.is_directory and not known.is_directory:
            self.entries[found.name] = replace(known, is_directory=True)
        self._linked = found.name

    def _is_base(self, path: _Path) -> bool:
        return path in self._bases or (bool(self._also) and path[-len(self._also) :] == self._also)

    def _take_time(self, text: str) -> None:
        if self._row is None or self.entries[self._row].modified is not None:
            return
        modified = utc_of(text)
        if modified is not None:
            self.entries[self._row] = replace(self.entries[self._row], modified=modified)

    def _child(self, href: str) -> Entry | None:
        """Return the entry that a link leads to; None for any other link."""
        if self._is_directory and _PLAIN.fullmatch(href):
            return Entry(name=href.rstrip("/"), is_directory=href.endswith("/") or None)
        try:
            # urljoin drops a semicolon at the end of a name.
            parts = urlsplit(urljoin(self._url, href.replace(";", "%3B")))
        except ValueError:
            return None
        if parts.scheme not in {self._scheme, "http", "https"}:
            return None
        path = _names(parts.path)
        if not path or path == self._path or not self._is_base(path[:-1]):
            return None
        # On another host, a path with one name may be any site's front page.
        if len(path) == 1 and parts.hostname != self._host:
            return None
        if not is_name(path[-1]):
            return None
        return Entry(name=path[-1], is_directory=parts.path.endswith("/") or None)


def _names(path: str) -> _Path:
    # Invalid UTF-8 becomes surrogates here as well.
    return tuple(unquote(name, errors="surrogateescape") for name in path.split("/") if name)


def _read_json(document: Document) -> tuple[Entry, ...]:
    """Parse the JSON of nginx, Caddy or npm's `serve`.

    Raises:
        UnexpectedBody: The JSON has another format.
    """
    entries: dict[str, Entry] = {}
    try:
        for item in _items(document):
            entry = _entry(item)
            if entry is None:
                raise UnexpectedBody(document.url, _EXPECTED, describe(document.body))
            if is_name(entry.name):
                entries.setdefault(entry.name, entry)
    except NotAnArray:
        raise UnexpectedBody(document.url, _EXPECTED, describe(document.body)) from None
    return tuple(entries.values())


def _items(document: Document) -> Iterator[object]:
    """Yield the items of a JSON listing: an array, or the `files` of an object.

    Raises:
        NotAnArray: The JSON is neither.
        TooLarge: The listing has too many entries.
    """
    if document.body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] != b"{":
        # As with HTML, invalid UTF-8 becomes surrogates.
        yield from elements(iter([document.body]), document.url, errors="surrogateescape")
        return
    if len(document.body) > _MAX_OBJECT_SIZE:
        raise TooLarge(document.url, _MAX_OBJECT_SIZE)
    try:
        items = json.loads(document.body).get("files")
    except (ValueError, RecursionError):
        raise NotAnArray(document.body[:80]) from None
    if not isinstance(items, list):
        raise NotAnArray(document.body[:80])
    yield from items


def _entry(item: object) -> Entry | None:
    """Parse an item of nginx, Caddy or npm's `serve`; None for another format."""
    time: object = None
    size: object = None
    match item:
        case {"base": str(name), "type": "directory" | "folder" | "file" as kind}:
            name, is_directory = name.removesuffix("/"), kind != "file"
        case {"name": str(name), "type": "directory" | "file" | "other" as kind, **more}:
            is_directory = kind == "directory"
            time, size = more.get("mtime"), more.get("size")
        case {"name": str(name), "is_dir": bool(is_directory), **more}:
            name = name.removesuffix("/")
            time, size = more.get("mod_time"), more.get("size")
        case _:
            return None
    return Entry(
        name=name,
        is_directory=is_directory,
        modified=utc_of(time) if isinstance(time, str) else None,
        size=size if isinstance(size, int) and not is_directory and size >= 0 else None,
    )


def _read_xml(text: str) -> tuple[Entry, ...] | None:
    """Parse the XML of nginx (`autoindex_format xml`); None if the root is another element."""
    entries: dict[str, Entry] = {}
    tag: Tag | None = None
    inside = False
    for piece in pieces(text):
        if isinstance(piece, str):
            if inside and tag is not None and is_name(piece):
                modified = utc_of(tag.attributes.get("mtime", ""))
                found = Entry(name=piece, is_directory=tag.name == "directory", modified=modified)
                entries.setdefault(piece, found)
        elif not inside:
            if piece.name != "list":
                return None
            inside = True
        else:
            tag = piece if piece.opens and piece.name in _XML_ENTRIES else None
    return tuple(entries.values()) if inside else None
