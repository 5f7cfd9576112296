"""What a product has to say: how a request to it becomes an answer."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from support.urls import source_settings
from support.web import Page

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from support.catalogue import Catalogue, File
    from support.web import Asked
    from uv_self_update.config.kinds import SourceSettings

Names = tuple[str, ...]
"""The segments of a path, decoded."""

Layout = Literal["versions", "tagged", "download", "astral", "flat", "single"]
"""How the files lie in the folders of a server that knows nothing of releases."""

USER = "reader"
PASSWORD = "s3cret/word@100%"  # noqa: S105 # of nobody, with what has to be quoted in a URL
"""The only login that a simulated server knows; also its token."""


_PATH = re.compile(r"(?:[\w/.~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*", re.ASCII)
"""The path of a URL (RFC 3986 section 3.3)."""


@dataclass(frozen=True, kw_only=True)
class Setup:
    """How an administrator has set a server up."""

    before: Names = ()
    """The path that the product lives under."""

    below: Names = ()
    """The folders between the product's own root and the releases."""

    layout: Layout = "versions"

    page: int = 100
    """The most that one answer lists, where the product answers in pages."""

    address: str | None = None
    """What the server takes for its own address; None for the truth."""

    login: bool = False
    """Whether nothing is shown to whoever does not log in."""

    folder: Path | None = None
    """An empty folder of this machine, for what is no server."""

    labelled: bool = False
    """Whether a `.tar.gz` is labelled as `Content-Encoding: gzip`."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request below the product's root, taken apart."""

    path: Names
    slash: bool
    """Whether the path ends with one."""

    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By their names in lower case."""

    root: str
    """What the product takes for the URL of its root, without a slash at its end."""

    @property
    def inner(self) -> str:
        """The path as a text, with a slash at its start."""
        return "".join(f"/{name}" for name in self.path)


@dataclass(frozen=True, kw_only=True)
class Stored(Page):
    """A page that is a file of a release, for a server to hand out or to redirect to."""

    name: str


class Dialect(ABC):
    """How one product shows a catalogue."""

    kind: ClassVar[str]
    """What a source of uv-self-update is called that understands it."""

    token_in: ClassVar[str | None] = None
    """The variable that a token has to stand in; None where the login stands in the URL."""

    def __init__(self, catalogue: Catalogue, setup: Setup) -> None:
        self.catalogue = catalogue
        self.setup = setup
        self.poisoned: list[str] = []
        """What was asked for that a real server would not have forgotten for a day."""

    @property
    @abstractmethod
    def place(self) -> str:
        """What a person writes after the address of the server: encoded, starting with a slash."""

    @abstractmethod
    def answer(self, call: Call) -> Page:
        """Return what a request is answered with, if whoever asks may see it."""

    def section(self, base: str) -> SourceSettings:
        """Return what a person configures.

        Args:
            base: The URL of what `place` names, with or without a slash at its end.
        """
        return source_settings(kind=self.kind, url=base)

    def admits(self, call: Call) -> bool:
        """Return whether a request carries the login."""
        return call.headers.get("authorization") == basic(USER, PASSWORD)

    def refusal(self, call: Call) -> Page:  # noqa: ARG002 # it is the same for all, mostly
        """Return what a request without the login is answered with."""
        return Page(status=401, headers={"WWW-Authenticate": 'Basic realm="uv"'})


def called(asked: Asked, setup: Setup, root: str) -> Call | None:
    """Take a request apart; None if it is not below the product's root, or no path at all.

    Each segment is decoded by itself, and none may be empty: most of these servers take `a//b`
    for another path than `a/b`. What is not quoted as it should be is refused, as nginx does.
    """
    parts = urlsplit(asked.path)
    if not _PATH.fullmatch(parts.path):
        return None
    segments = parts.path.removeprefix("/").split("/")
    slash = segments[-1] == ""
    names = tuple(unquote(segment) for segment in (segments[:-1] if slash else segments))
    if "" in names or names[: len(setup.before)] != setup.before:
        return None
    return Call(
        path=names[len(setup.before) :],
        slash=slash,
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        headers={name.lower(): value for name, value in asked.headers.items()},
        root=root + encoded(setup.before),
    )


def encoded(names: Names) -> str:
    """Return a path as it stands in a URL, with a slash at its start; empty for no names."""
    return "".join(f"/{quote(name, safe='')}" for name in names)


def basic(user: str, password: str) -> str:
    """Return the value of an `Authorization` header."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def stored(file: File, **headers: str) -> Stored:
    """Return a file of a release."""
    return Stored(
        body=file.content,
        headers={"Content-Type": "application/octet-stream", **headers},
        name=file.name,
    )


def json_page(
    document: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Page:
    """Return a document."""
    return Page(
        body=json.dumps(document).encode(),
        status=status,
        headers={"Content-Type": "application/json", **(headers or {})},
    )


def html(text: str, *, status: int = 200) -> Page:
    """Return a web page."""
    return Page(
        body=text.encode(), status=status, headers={"Content-Type": "text/html; charset=utf-8"}
    )


def redirect(location: str, status: int = 302) -> Page:
    """Return where else to go."""
    return Page(status=status, headers={"Location": location})
