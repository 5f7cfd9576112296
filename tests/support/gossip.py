"""A server that repeats whatever it is told, wherever HTTP has room for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from support.web import Threaded

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from support.secrets_planted import Planted


class Gossip(Threaded):
    """Answers every request in one manner, and never with what was asked for."""

    def __init__(
        self,
        planted: Planted,
        manner: str,
        *,
        host: str = "127.0.0.1",
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Listen, and make the secrets that are the server's own; with a context, speak TLS."""
        self.told: list[str] = []
        """Every request, on one line."""

        self.manner = manner
        self.queries = [planted.query() for _ in range(3)]
        self.logins = [planted.login() for _ in range(2)]
        self._repeat = MANNERS[manner]
        # Who begins with TLS, or SOCKS, may wait for an answer.
        super().__init__(self._answer, host=host, context=context, patience=1)

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        headers = " | ".join(f"{name}: {value}" for name, value in handler.headers.items())
        told = f"{handler.requestline} | {headers}"
        self.told.append(told)
        handler.close_connection = True
        handler.wfile.write(self._repeat(self, urlsplit(handler.path).path, told))


def _response(status: int, phrase: str, body: str, *headers: str) -> bytes:
    content = body.encode()
    lines = [f"HTTP/1.1 {status} {phrase}", f"Content-Length: {len(content)}", "Connection: close"]
    return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1", "replace") + content


def _refusal(status: int) -> Callable[[Gossip, str, str], bytes]:
    def answer(_gossip: Gossip, _path: str, told: str) -> bytes:
        quoted = told.replace('"', "'")
        return _response(
            status,
            told,
            f"<Error><Code>{quoted}</Code><Message>{told}</Message></Error>",
            f'WWW-Authenticate: Basic realm="{quoted}"',
            f'Proxy-Authenticate: {quoted.replace(" ", "")} realm="{quoted}"',
            f"Content-Type: {told}",
            f"Server: {told}",
            f"X-Error: {told}",
            f"Retry-After: {told}",
        )

    return answer


def _redirect(location: Callable[[Gossip, str], str]) -> Callable[[Gossip, str, str], bytes]:
    def answer(gossip: Gossip, path: str, told: str) -> bytes:
        if "redirected" in path:
            return _refusal(403)(gossip, path, told)
        return _response(302, told, told, f"Location: {location(gossip, path)}")

    return answer


def _page(content_type: str, body: Callable[[Gossip, str], str]) -> Callable[..., bytes]:
    def answer(gossip: Gossip, path: str, told: str) -> bytes:
        if path.endswith((".tar.gz", ".zip", ".sh")):
            return _refusal(403)(gossip, path, told)
        link = f'Link: <{gossip.url}{path}?{gossip.queries[0]}>; rel="next"'
        return _response(200, told, body(gossip, told), f"Content-Type: {content_type}", link)

    return answer


def _links(gossip: Gossip, told: str) -> str:
    names = ("0.11.1/", "0.11.2/", "uv-x86_64-unknown-linux-gnu.tar.gz", "uv-installer.sh")
    login, netloc = gossip.logins[0], gossip.netloc
    links = [f"<a href='{name}?{gossip.queries[1]}'>{name}</a>" for name in names]
    links.append(f"<a href='{gossip.scheme}://{login}@{netloc}/0.11.3/?{told}'>0.11.3/</a>")
    return f"<html><title>Index of /{told}</title><pre>" + "\n".join(links)


def _github(gossip: Gossip, told: str) -> str:
    names = ("uv-x86_64-unknown-linux-gnu.tar.gz", "uv-installer.sh")
    place = f"{gossip.scheme}://{gossip.logins[1]}@{gossip.netloc}"
    assets = [
        {
            "name": name,
            "url": f"{place}/assets/{name}?{gossip.queries[1]}",
            "browser_download_url": f"{place}/{name}?{gossip.queries[2]}",
            "digest": told,
        }
        for name in names
    ]
    release = {"tag_name": "0.11.1", "body": told, "assets": assets}
    return json.dumps([release, {"tag_name": told, "assets": told}])


def _login_page(_gossip: Gossip, told: str) -> str:
    return f"<!doctype html><title>{told}</title><form><input type=password value='{told}'></form>"


MANNERS: dict[str, Callable[[Gossip, str, str], bytes]] = {
    **{str(status): _refusal(status) for status in (400, 401, 403, 404, 407, 429, 500, 503)},
    "no answer": lambda _gossip, _path, _told: b"",
    "no HTTP": lambda _gossip, _path, told: told.encode() + b"\r\n\r\n",
    "bad status": lambda _gossip, _path, told: f"HTTP/1.1 {told}\r\n\r\n".encode(),
    "bad header": lambda _gossip, _path, told: (
        f"HTTP/1.1 200 OK\r\n{told.replace(':', ' ')}\r\n\r\n".encode()
    ),
    "bad chunk": lambda _gossip, _path, told: (
        f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{told}\r\n".encode()
    ),
    "bad length": lambda _gossip, _path, told: (
        f"HTTP/1.1 200 OK\r\nContent-Length: {told}\r\n\r\n".encode()
    ),
    "strange coding": lambda _gossip, _path, told: _response(
        200, told, told, f"Content-Encoding: {told}"
    ),
    "too short": lambda _gossip, _path, told: (
        f"HTTP/1.1 200 {told}\r\nContent-Length: 100000\r\n\r\n{told}".encode()
    ),
    "login page": _page("text/html", _login_page),
    "echo": _page("text/plain", lambda _gossip, told: told),
    "listing": _page("text/html", _links),
    "releases": _page("application/json", _github),
    "loop": _redirect(lambda gossip, path: f"{path}?{gossip.queries[0]}"),
    "signed": _redirect(lambda gossip, path: f"/redirected{path}?{gossip.queries[0]}"),
    "with a login": _redirect(
        lambda gossip, path: (
            f"{gossip.scheme}://{gossip.logins[0]}@{gossip.netloc}/redirected{path}"
        )
    ),
    "elsewhere": _redirect(
        lambda gossip, path: f"http://{gossip.logins[0]}@127.0.0.1:9{path}?{gossip.queries[1]}"
    ),
    "other scheme": _redirect(
        lambda gossip, path: f"ftp://{gossip.logins[0]}@ftp.test{path}?{gossip.queries[1]}"
    ),
    "no URL": _redirect(lambda gossip, path: f"http://{gossip.logins[0]}@[{path}"),
    "no port": _redirect(lambda gossip, path: f"http://{gossip.logins[0]}@h:{path[1:]}"),
}
"""What a server can do with what it was told; its answer, byte by byte."""
