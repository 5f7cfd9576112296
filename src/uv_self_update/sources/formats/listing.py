"""A page on which a web server shows what a folder holds.

Names are read from where the links lead, never from what they are called: Apache cuts long names
short. Of a link only its path counts, since a server behind a proxy does not know its own address.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

from uv_self_update.errors import UnexpectedBody
from uv_self_update.sources.formats.documents import describe
from uv_self_update.sources.formats.entry import Entry, is_name, utc_of
from uv_self_update.sources.formats.markup import pieces

if TYPE_CHECKING:
    from uv_self_update.network.responses import Document
    from uv_self_update.sources.formats.markup import Tag


_EXPECTED = "a directory listing"
_NO_LISTING = "a web page that is not a directory listing"
_LOGIN = "a web page to log in"

_HTML = frozenset({"", "text/html", "application/xhtml+xml", "application/xml", "text/xml"})
_HEADINGS = frozenset({"title", "h1", "h2"})
_LONGEST_HEADING = 4096  # characters
_SAYS_SO = re.compile(r"\s*(?:index of\b|directory listing\b|listing:)", re.IGNORECASE)
_SORT = "?sort=name"
"""How the links that sort Caddy's pages begin, whose headings name nothing but the folder."""

_OF_A_PAGE = frozenset({"html", "head", "body", "form", "h1", "a", "p", "div"})
_ENDS_OF_ROWS = frozenset({"tr", "li", "table", "ul", "pre"})

_Path = tuple[str, ...]
"""The names in a path, decoded."""


def read_listing(document: Document, *, also: str | None = None) -> tuple[Entry, ...]:
    """Read what a folder holds, in the order of the page.

    Known are the pages, in HTML or JSON, of nginx, Apache, Caddy, lighttpd, webfs, IIS, Python's
    `http.server`, Nexus and Artifactory, and whatever else links to what is right below the page.

    Args:
        document: The page.
        also: How a second path ends, as it stands in a URL. What is right below it is in the
            folder, too, whatever stands before it: a proxy may have cut off or put in some of it.

    Raises:
        UnexpectedBody: It is something else, perhaps a page to log in.
    """
    # Bytes that are no UTF-8 become surrogates, which no name may have.
    text = document.body.decode("utf-8", errors="surrogateescape").removeprefix("\ufeff")
    if text.lstrip()[:1] in {"[", "{"}:
        return _read_json(document, text)
    if document.content_type not in _HTML:
        raise UnexpectedBody(document.url, _EXPECTED, describe(document.body))
    page = _Page(document.url, also)
    for piece in pieces(text):
        if isinstance(piece, str):
            page.take_text(piece)
        else:
            page.take_tag(piece)
    page.end_heading()
    if page.asks_for_password and not page.says_so:
        raise UnexpectedBody(document.url, _EXPECTED, _LOGIN)
    if not page.entries and not page.says_so:
        kind = _NO_LISTING if page.is_page else describe(document.body)
        raise UnexpectedBody(document.url, _EXPECTED, kind)
    return tuple(page.entries.values())


class _Page:
    """What is known of a page in HTML after each of its pieces."""

    def __init__(self, url: str, also: str | None) -> None:
        self.entries: dict[str, Entry] = {}
        self.says_so = False
        """Whether it calls itself a listing; only then may it be empty."""
        self.asks_for_password = False
        self.is_page = False

        self._url = url
        parts = urlsplit(url)
        self._scheme, self._host = parts.scheme, parts.hostname
        self._shown = " - " + unquote(parts.path)
        self._path = _names(parts.path)
        self._folders = {self._path}
        if not parts.path.endswith("/"):
            self._folders.add(self._path[:-1])  # what relative links are relative to
        self._also = () if also is None else _names(also)
        self._heading: str | None = None
        self._linked: str | None = None
        """The entry of the last link."""
        self._row: str | None = None
        """The entry in whose row we are, after its link."""

    def take_tag(self, tag: Tag) -> None:
        """Take note of a tag."""
        if tag.name in _OF_A_PAGE:
            self.is_page = True
        if tag.name in _HEADINGS:
            self.end_heading()
            self._heading = "" if tag.opens else None
        elif tag.name == "a":
            self._take_link(tag)
        elif not tag.opens:
            if tag.name in _ENDS_OF_ROWS:
                self._row = None
        elif tag.name == "input":
            if tag.attributes.get("type", "").strip().lower() == "password":
                self.asks_for_password = True
        elif tag.name == "time":
            self._take_time(tag.attributes.get("datetime", ""))

    def take_text(self, text: str) -> None:
        """Take note of the text between two tags."""
        if self._heading is not None and len(self._heading) < _LONGEST_HEADING:
            self._heading += text[:_LONGEST_HEADING]
        self._take_time(text)

    def end_heading(self) -> None:
        """Look at what a heading has said; there may be none."""
        heading, self._heading = self._heading, None
        if heading is None:
            return
        # That of IIS ends in the path, and is otherwise the server's name.
        if _SAYS_SO.match(heading) or heading.rstrip().endswith(self._shown):
            self.says_so = True

    def _take_link(self, tag: Tag) -> None:
        if not tag.opens:
            self._row = self._linked
            return
        href = tag.attributes.get("href")
        if href is None:
            return
        self._linked = self._row = None
        if href.startswith(_SORT):
            self.says_so = True
        found = self._child(href.strip(" \t\n\f\r"))
        if found is None:
            return
        known = self.entries.get(found.name, found)
        self.entries[found.name] = replace(known, folder=known.folder or found.folder)
        self._linked = found.name

    def _is_inside(self, folder: _Path) -> bool:
        ends_alike = bool(self._also) and folder[-len(self._also) :] == self._also
        return ends_alike or folder in self._folders

    def _take_time(self, text: str) -> None:
        if self._row is None or self.entries[self._row].modified is not None:
            return
        modified = utc_of(text)
        if modified is not None:
            self.entries[self._row] = replace(self.entries[self._row], modified=modified)

    def _child(self, href: str) -> Entry | None:
        """Return the entry that a link leads to; None if it leads elsewhere."""
        try:
            # A semicolon at the end of a name would be lost.
            parts = urlsplit(urljoin(self._url, href.replace(";", "%3B")))
        except ValueError:
            return None
        if parts.scheme not in {self._scheme, "http", "https"}:
            return None
        path = _names(parts.path)
        if not path or path == self._path or not self._is_inside(path[:-1]):
            return None
        # Right below the root are the front pages of all the world.
        if len(path) == 1 and parts.hostname != self._host:
            return None
        if not is_name(path[-1]):
            return None
        return Entry(name=path[-1], folder=parts.path.endswith("/"))


def _names(path: str) -> _Path:
    # What is no UTF-8 becomes surrogates here as well.
    return tuple(unquote(name, errors="surrogateescape") for name in path.split("/") if name)


def _read_json(document: Document, text: str) -> tuple[Entry, ...]:
    """Read the JSON of nginx or Caddy.

    Raises:
        UnexpectedBody: It is of another kind.
    """
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        items = None
    entries: dict[str, Entry] = {}
    for item in items if isinstance(items, list) else [None]:
        entry = _entry(item)
        if entry is None:
            raise UnexpectedBody(document.url, _EXPECTED, describe(document.body))
        if is_name(entry.name):
            entries.setdefault(entry.name, entry)
    return tuple(entries.values())


def _entry(item: object) -> Entry | None:
    """Read what nginx or Caddy say of a name; None if it is neither."""
    match item:
        case {"name": str(name), "type": "directory" | "file" | "other" as kind, **more}:
            folder = kind == "directory"
            time = more.get("mtime")
        case {"name": str(name), "is_dir": bool(folder), **more}:
            name = name.removesuffix("/")
            time = more.get("mod_time")
        case _:
            return None
    return Entry(name=name, folder=folder, modified=utc_of(time) if isinstance(time, str) else None)
