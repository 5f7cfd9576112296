"""A web server on loopback that misbehaves by plan, byte by byte.

What a path is answered with is a function of the request. `File` answers as a good server does, and
the functions below it make a bad answer of a good one; `in_turn` says which of them comes when.
"""

from __future__ import annotations

import re
import select
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

End = Literal["kept", "closed", "reset", "silent", "dripping"]
"""What becomes of a connection after an answer, or the part of it that is sent."""

_DRIP = 0.1  # seconds between two bytes
_LARGEST_HEAD = 1 << 16  # bytes
_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that came."""

    method: str
    target: str
    """Path and query, as they were sent."""

    number: int
    """How many GETs there were of the same path before."""

    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case -> values."""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer, and how much of it is sent."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    """As they are sent; but for `Connection: close`, where it is, none is added."""

    body: bytes = b""
    first: int = 0
    """Where in the file the body begins, in bytes."""

    version: str = "1.1"
    stop: int | None = None
    """Bytes of the body that are sent; None for all."""

    head_stop: int | None = None
    """Bytes of the head that are sent, and nothing after them; None for all of it."""

    end: End = "kept"

    def head(self) -> bytes:
        """Write the status line and the headers."""
        phrase = HTTPStatus(self.status).phrase
        lines = [f"HTTP/{self.version} {self.status} {phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.end != "kept":
            # Nobody is to send a request over it in the moment in which it ends.
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def relabelled(self, name: str, *values: str) -> Reply:
        """Return it with other values of a header; with none, without it."""
        kept = [header for header in self.headers if header[0].lower() != name.lower()]
        return replace(self, headers=(*kept, *((name, value) for value in values)))


Answer = Callable[[Asked], Reply]


@dataclass(frozen=True, kw_only=True)
class File:
    """A file on a server that does as it should: it sends parts of it, if they are still good."""

    content: bytes
    etag: str | None = '"1"'
    modified: str | None = None
    """`Last-Modified`."""

    ranges: bool = True
    """Whether it can send parts."""

    careless: bool = False
    """Whether it sends parts without a look at `If-Range`."""

    def __call__(self, asked: Asked) -> Reply:
        """Answer a request."""
        given = {"Date": formatdate(usegmt=True), "ETag": self.etag, "Last-Modified": self.modified}
        headers = [(name, value) for name, value in given.items() if value is not None]
        size, first = len(self.content), self._first(asked)
        if first is None:
            headers.append(("Content-Length", str(size)))
            return Reply(headers=tuple(headers), body=self.content)
        if first >= size:
            headers += [("Content-Range", f"bytes */{size}"), ("Content-Length", "0")]
            return Reply(status=416, headers=tuple(headers))
        headers.append(("Content-Range", f"bytes {first}-{size - 1}/{size}"))
        headers.append(("Content-Length", str(size - first)))
        return Reply(status=206, headers=tuple(headers), body=self.content[first:], first=first)

    def _first(self, asked: Asked) -> int | None:
        """Return the first byte of the part that is due; None where the whole is."""
        wanted = re.fullmatch(r"bytes=(\d+)-", asked.headers.get("range", ""))
        condition = asked.headers.get("if-range")
        if wanted is None or not self.ranges:
            return None
        # A weak tag never holds here (RFC 9110 section 13.1.5).
        strong = self.etag if self.etag is not None and self.etag.startswith('"') else None
        holds = condition is None or condition in {strong, self.modified} - {None}
        return int(wanted[1]) if holds or self.careless else None


def in_turn(*answers: Answer) -> Answer:
    """Answer the first request with the first, and so on; all further ones with the last."""
    return lambda asked: answers[min(asked.number, len(answers) - 1)](asked)


def said(status: int, *headers: tuple[str, str], body: bytes = b"") -> Answer:
    """Answer with a status and a short body."""
    length = ("Content-Length", str(len(body)))
    return lambda _: Reply(status=status, headers=(*headers, length), body=body)


def cut(answer: Answer, at: int, end: End = "closed") -> Answer:
    """Send no byte of the file from `at` on, though more is announced."""

    def short(asked: Asked) -> Reply:
        reply = answer(asked)
        return replace(reply, stop=max(0, at - reply.first), end=end)

    return short


def headless(answer: Answer, at: int = 0, end: End = "closed") -> Answer:
    """Send `at` bytes of the head, and nothing else."""
    return lambda asked: replace(answer(asked), head_stop=at, end=end)


def relabelled(answer: Answer, name: str, *values: str) -> Answer:
    """Send other values of a header; with none, leave it out."""
    return lambda asked: answer(asked).relabelled(name, *values)


def unmeasured(answer: Answer, version: str = "1.1") -> Answer:
    """Leave out the length: the body ends with the connection."""

    def endless(asked: Asked) -> Reply:
        return replace(answer(asked).relabelled("Content-Length"), version=version, end="closed")

    return endless


def chunked(answer: Answer, *, last: bytes = b"0\r\n\r\n", size: int = 1 << 20) -> Answer:
    """Send the body in chunks, and after them `last`; then the connection ends."""

    def framed(asked: Asked) -> Reply:
        reply = (
            answer(asked).relabelled("Content-Length").relabelled("Transfer-Encoding", "chunked")
        )
        parts = [reply.body[at : at + size] for at in range(0, len(reply.body), size)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
        return replace(reply, body=body + last, end="closed")

    return framed


class Faults:
    """Serves answers by path, without the query; anything else is 404."""

    def __init__(
        self,
        answers: Mapping[str, Answer] | None = None,
        *,
        host: str = "127.0.0.1",
        shut: bool = False,
    ) -> None:
        """Keep the answers, which may change while the server runs.

        Args:
            answers: Path -> answer.
            host: The address to listen on.
            shut: Whether connections are refused until `listen` is called.
        """
        self.answers: dict[str, Answer] = dict(answers or {})
        self.served: list[tuple[Asked, Reply]] = []
        """Each request and its answer, in order."""

        self._shut = shut
        self._lock = threading.Lock()
        self._over = False
        self._connections: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        # Bound and not listening, a port refuses connections and is nobody else's.
        self._listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self._listener.bind((host, 0))
        name = f"[{host}]" if ":" in host else host
        self.netloc = f"{name}:{self._listener.getsockname()[1]}"
        self.url = f"http://{self.netloc}"
        """The server's address, without a slash at its end."""

    def got(self, path: str) -> list[tuple[Asked, Reply]]:
        """Return the GETs of a path, with their answers."""
        return [(a, r) for a, r in self.served if a.path == path and a.method == "GET"]

    def listen(self) -> None:
        """Let connections in; a second call changes nothing."""
        with self._lock:
            if self._threads or self._over:
                return
            self._listener.listen(16)
            self._start(self._accept)

    def __enter__(self) -> Self:
        if not self._shut:
            self.listen()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and end every connection."""
        with self._lock:
            self._over = True
            threads, connections = list(self._threads), list(self._connections)
        for open_one in (self._listener, *connections):
            with suppress(OSError):
                open_one.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        self._listener.close()

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._over:
                    connection.close()
                    return
                self._connections.add(connection)
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            # Clients may leave whenever they like.
            with suppress(OSError):
                while (asked := self._read(connection)) is not None:
                    reply = self._answer(asked)
                    self._send(connection, asked, reply)
                    if reply.end != "kept":
                        break
        finally:
            with self._lock:
                self._connections.discard(connection)
                connection.close()

    def _read(self, connection: socket.socket) -> Asked | None:
        head = b""
        while not head.endswith(_HEAD_END):
            piece = connection.recv(_LARGEST_HEAD)
            if not piece:
                return None
            head += piece
        line, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        method, target, _ = line.split(" ")
        pairs = (line.partition(":")[::2] for line in lines)
        headers = {name.lower(): value.strip() for name, value in pairs}
        return Asked(method=method, target=target, headers=headers, number=0)

    def _answer(self, asked: Asked) -> Reply:
        with self._lock:
            numbered = replace(asked, number=len(self.got(asked.path)))
            reply = self.answers.get(asked.path, said(404))(numbered)
            self.served.append((numbered, reply))
        return reply

    def _send(self, connection: socket.socket, asked: Asked, reply: Reply) -> None:
        connection.sendall(reply.head()[: reply.head_stop])
        body = b"" if asked.method == "HEAD" or reply.head_stop is not None else reply.body
        stop = len(body) if reply.stop is None else min(reply.stop, len(body))
        connection.sendall(memoryview(body)[:stop])
        if reply.end == "reset":
            # Closed with nothing to linger for, it is aborted (RFC 9293 section 3.6.1).
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif reply.end == "silent":
            _has_left(connection, None)
        elif reply.end == "dripping":
            for at in range(stop, len(body)):
                connection.sendall(body[at : at + 1])
                if _has_left(connection, _DRIP):
                    return


def _has_left(connection: socket.socket, patience: float | None) -> bool:
    """Wait until the client leaves, for `patience` seconds at most; None for any time."""
    return bool(select.select([connection], [], [], patience)[0])
