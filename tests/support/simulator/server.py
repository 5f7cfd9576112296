"""The server around a dialect: its login, its faults, and where it sends whoever wants a file."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import quote, urlsplit

from support.simulator.dialect import PASSWORD, USER, Stored, basic, called, html, redirect
from support.simulator.headers import objections
from support.web import Asked, Page, Web

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from support.simulator.dialect import Dialect

    Fault = Callable[[Asked, Page], Page]
    """From a request and the truth to what is answered."""

CREDENTIAL_HEADERS = frozenset(
    {
        "authorization",
        "cookie",
        "deploy-token",
        "job-token",
        "private-token",
        "proxy-authorization",
        "x-jfrog-art-api",
    }
)

LOGIN_PAGE = html(
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form action='/login'>"
    "<input name='user'><input type='password' name='password'></form></body></html>"
)

_LIMIT = 60.0  # seconds that a request is held at most, should a test never end
_SIGNATURE = "X-Amz-Signature=0f00"


def credentials_in(asked: Asked) -> set[str]:
    """Return the names of the headers in which a request carries a credential, or seems to."""
    secrets = (
        PASSWORD,
        quote(PASSWORD, safe=""),
        *(basic(user, PASSWORD).removeprefix("Basic ") for user in (USER, "")),
    )
    found = {name.lower() for name in asked.headers} & CREDENTIAL_HEADERS
    carried = [name for name, value in asked.headers.items() if any(s in value for s in secrets)]
    in_path = {"the path"} if any(secret in asked.path for secret in secrets) else set()
    return found | {*carried} | in_path


class Storage(Web):
    """A place for objects behind signed URLs, on an origin of its own.

    As S3 and Azure do, it refuses whoever shows it a credential beside the signature.
    """

    def __init__(self, *, context: ssl.SSLContext | None = None) -> None:
        """Hold nothing yet; with a context, speak TLS."""
        super().__init__(context=context)
        self.ranges = False
        """Whether the end of an object is sent to whoever asks for that part."""

        self._objects: dict[str, Page] = {}

    def signed(self, page: Page) -> str:
        """Keep a page, and return the URL that it can be had at."""
        # With a name: what is behind a link of GitLab is known by the end of its URL.
        name = page.name if isinstance(page, Stored) else ""
        path = f"/bucket/{len(self._objects)}/{name}"
        self._objects[path] = page
        return f"{self.url}{path}?X-Amz-Expires=30&{_SIGNATURE}"

    def page_for(self, asked: Asked) -> Page:
        """Return an object to whoever has nothing but the signature."""
        if credentials_in(asked):
            text = b"<Error><Code>InvalidArgument</Code>Only one auth mechanism allowed</Error>"
            return Page(body=text, status=400, headers={"Content-Type": "application/xml"})
        parts = urlsplit(asked.path)
        if _SIGNATURE not in parts.query.split("&"):
            return Page(status=403)
        page = self._objects.get(parts.path, Page(status=404))
        return page if self.ranges is False else _part(asked, page)


def _part(asked: Asked, page: Page) -> Page:
    """Return the last bytes of an object, if no more was asked for (RFC 9110 section 14.1.2)."""
    ranges = {name.lower(): value for name, value in asked.headers.items()}.get("range", "")
    if not ranges.startswith("bytes=-") or not isinstance(page.body, bytes):
        return page
    size = len(page.body)
    begin = max(0, size - int(ranges.removeprefix("bytes=-")))
    headers = {"Content-Range": f"bytes {begin}-{size - 1}/{size}"}
    return Page(body=page.body[begin:], status=206, headers=headers)


class Simulator(Web):
    """A product that holds a catalogue of releases."""

    def __init__(self, dialect: Dialect, *, context: ssl.SSLContext | None = None) -> None:
        """Take a free port; serve inside `with`, with TLS if there is a context."""
        super().__init__(context=context)
        self.dialect = dialect
        self.fault: Fault = lambda _, truth: truth
        self.storage: Storage | None = None
        """Where files are redirected to; None to hand them out."""

        self.unfit: list[str] = []
        """What was wrong with the headers of requests, see `headers`."""

        self.cookie: str | None = None
        """What every answer sets."""

        self.over = threading.Event()
        """Set when whatever is held may go."""

    @property
    def place(self) -> str:
        """The URL that a person writes, without a login and without a slash at its end."""
        return self.url + self.dialect.place

    def __exit__(self, *details: object) -> None:
        """Let go whatever is held, and stop."""
        self.over.set()
        super().__exit__(*details)

    def page_for(self, asked: Asked) -> Page:
        """Return what a request is answered with."""
        page = self.fault(asked, self._truth(asked))
        if isinstance(page, Stored):
            page = self._handed_out(page)
        if self.cookie is None:
            return page
        headers = {**page.headers, "Set-Cookie": self.cookie}
        return Page(body=page.body, status=page.status, headers=headers)

    def _truth(self, asked: Asked) -> Page:
        if asked.method not in {"GET", "HEAD"}:
            self.dialect.poisoned.append(f"{asked.method} {asked.path}")
            return Page(status=405)
        setup = self.dialect.setup
        call = called(asked, setup, setup.address or self.url)
        if call is None:
            return Page(status=404)
        self.unfit += objections(self.dialect.kind, asked.method, call)
        if setup.login and not self.dialect.admits(call):
            return self.dialect.refusal(call)
        return self.dialect.answer(call)

    def _handed_out(self, page: Stored) -> Page:
        """Return a file, or where it is."""
        if self.dialect.setup.labelled and page.name.endswith(".gz"):
            page = replace(page, headers={**page.headers, "Content-Encoding": "gzip"})
        return page if self.storage is None else redirect(self.storage.signed(page))


class Elsewhere:
    """A server that sends every request to another, below the same path."""

    def __init__(self, simulator: Simulator, status: Literal[301, 302, 303, 307, 308]) -> None:
        """Send to this one, which serves as long as this does."""
        self.to = simulator
        self.front = Simulator(simulator.dialect)
        self._status = status
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(self.to)
        self._stack.enter_context(self.front)
        self.front.fault = lambda asked, _: redirect(self.to.url + asked.path, self._status)
        return self

    def __exit__(self, *details: object) -> None:
        self._stack.close()


def replaced(page: Page, *, file: str = "") -> Fault:
    """Return a fault: this page.

    Args:
        page: What is answered.
        file: How the name of a release's file ends that it stands for; empty for every answer.
    """
    return lambda _, truth: page if _is_meant(truth, file) else truth


def held(simulator: Simulator, *, file: str = "") -> Fault:
    """Return a fault: no answer, as long as the simulator serves.

    Args:
        simulator: Which does not answer.
        file: As for `replaced`.
    """

    def hold(_: Asked, truth: Page) -> Page:
        if _is_meant(truth, file):
            simulator.over.wait(_LIMIT)
        return truth

    return hold


def _is_meant(truth: Page, file: str) -> bool:
    return not file or (isinstance(truth, Stored) and truth.name.endswith(file))
