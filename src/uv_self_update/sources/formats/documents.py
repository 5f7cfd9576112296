"""Response bodies: JSON, ndjson, a bare version; and a description of any other body."""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from uv_self_update.errors import TooLarge, UnexpectedBody
from uv_self_update.network.items import lines_of
from uv_self_update.network.responses import Document
from uv_self_update.releases.digests import hold_back, lone_sum
from uv_self_update.releases.release import (
    INSTALLER_NAMES,
    Asset,
    NotARelease,
    Release,
    listed_release,
    parse_release,
    stated_date,
)
from uv_self_update.sources.formats.json_array import NotAnArray, elements
from uv_self_update.versions import LONGEST_NAME, version_of_tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.network.responses import Download
    from uv_self_update.releases.digests import DigestRules


_MAX_VERSION = 64  # characters
_MAX_JSON_SIZE = 4 << 20  # bytes of a document; a list of every file of uv has 1.5 MB
_MAX_JSON_VALUES = 500_000
"""JSON values in a document, each of some 60 bytes in memory; the same list has 150,000."""

_VERSIONS = "GitHub's JSON, Astral's ndjson or a version"
_PASSWORD = re.compile(rb"type\s*=\s*[\"']?password\b", re.IGNORECASE)


LOGIN_PAGE = "a web page with a login form"
OTHER_JSON = "JSON with other contents"
UNKNOWN = "something else"


def describe(body: bytes) -> str:
    """Describe a body in a few words, for a message."""
    start = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        return "an empty file"
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return LOGIN_PAGE if _PASSWORD.search(body) else "a web page"
    if start.startswith(b"<"):
        return "XML"
    if start.startswith((b"{", b"[")):
        return OTHER_JSON
    if start.startswith(b"#!"):
        return "a script"
    if start.startswith((b"\x1f\x8b", b"pk\x03\x04")):
        return "an archive"
    return UNKNOWN


def start_of(download: Download, limit: int) -> bytes:
    """Return the bytes of a file until there are more than `limit`, or all of them."""
    body = bytearray()
    for chunk in download.chunks:
        body += chunk
        if len(body) > limit:
            break
    return bytes(body)


def _refuse_web_page(download: Download) -> Iterator[bytes]:
    """Yield the chunks of a release's file, unless it is a web page.

    A digest would fail as well, but it may be unknown, and does not name the cause.

    Raises:
        UnexpectedBody: The file is a web page, such as an error or a login page.
    """
    start = next(download.chunks, b"")
    kind = describe(start)
    if kind.startswith("a web page"):
        raise UnexpectedBody(download.url, "a file of uv's release", kind)
    yield start
    yield from download.chunks


def checked(
    download: Download, asset: Asset, *, version: str, rules: DigestRules
) -> Iterator[bytes]:
    """Yield the chunks of a release's file; the last one only if the digest matches.

    Raises:
        UnexpectedBody: The file is a web page.
        DigestMismatch: The file does not match its published or pinned digest.
        NoDigest: A digest is required, and none is known.
        UpstreamError: The connection broke.
    """
    published = asset.sha256 or download.sha256
    expected = rules.expected(version, asset.name, published, source=download.url)
    if expected is not None:
        download.verify()
    chunks = _refuse_web_page(download)
    return hold_back(chunks, expected, name=asset.name, source=download.url)


def read_json(document: Document, expected: str) -> Any:  # noqa: ANN401 # as `json.loads`
    """Parse a body as one JSON value.

    Raises:
        UnexpectedBody: The body is not JSON.
        TooLarge: The value would take too much memory.
    """
    body = document.body
    if len(body) > _MAX_JSON_SIZE:
        raise TooLarge(document.url, _MAX_JSON_SIZE)
    # One of these characters precedes each value but the first; a dictionary takes 240 bytes.
    values = sum(map(body.count, (b",", b":", b"["))) + 4 * body.count(b"{")
    if values > _MAX_JSON_VALUES:
        raise TooLarge(document.url, _MAX_JSON_VALUES, unit="JSON values")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise UnexpectedBody(document.url, expected, describe(body)) from None


def read_entries(chunks: Iterator[bytes], shown: str, *, expected: str) -> Iterator[object]:
    """Yield the elements of a JSON array while it is received; see `json_array`.

    Raises:
        UnexpectedBody: The body is not a JSON array.
        TooLarge: The array has too many elements, or one is too long.
    """
    try:
        yield from elements(chunks, shown)
    except NotAnArray as error:
        raise UnexpectedBody(shown, expected, _not_a_list(error.head)) from None


def _not_a_list(head: bytes) -> str:
    try:
        value = json.loads(head)
    except (ValueError, RecursionError):
        return describe(head)
    kind = {dict: "object", str: "string", type(None): "null"}.get(type(value), "value")
    return f"a JSON {kind}, not a list"


def read_release(document: Document, *, version: str | None = None) -> Release:
    """Parse GitHub's JSON for one release.

    Args:
        document: The response.
        version: The expected version; None for any.

    Raises:
        UnexpectedBody: The response is something else, or about another version.
    """
    expected = "GitHub's JSON for a release"
    try:
        release = parse_release(read_json(document, expected))
    except NotARelease as error:
        raise UnexpectedBody(document.url, expected, str(error)) from None
    if version is not None and release.version != version:
        raise UnexpectedBody(document.url, f"uv {version}", f"uv {release.version}")
    return release


def read_versions(chunks: Iterator[bytes], shown: str) -> Iterator[Release]:
    """Yield the releases in a body of any supported format, while it is received.

    The formats are GitHub's JSON for one release or a list, Astral's ndjson (a JSON object with a
    `version` on each line), and a bare version.

    Raises:
        UnexpectedBody: The body has another format.
        TooLarge: The body would take too much memory.
    """
    start = b""
    while not _stripped(start) and len(start) < _MAX_JSON_SIZE and (chunk := next(chunks, b"")):
        start += chunk
    body = chain([start], chunks)
    if _stripped(start).startswith(b"["):
        for entry in read_entries(body, shown, expected=_VERSIONS):
            release = listed_release(entry)
            if release is not None:
                yield release
        return
    found, size = False, 0
    others: list[bytes] = []
    for line in lines_of(body, shown):
        release = read_ndjson_line(line)
        if release is not None:
            found = True
            yield release
        elif not found:
            others.append(line)
            size += len(line) + 1
            if size > _MAX_JSON_SIZE:
                raise TooLarge(shown, _MAX_JSON_SIZE)
    if not found:
        text = b"\n".join(others)
        yield _read_version(Document(url=shown, content_type="", body=text, links={}))


def _stripped(body: bytes) -> bytes:
    """Return a body without a byte order mark and leading whitespace."""
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()


def _read_version(document: Document) -> Release:
    """Parse GitHub's JSON for one release, or a bare version."""
    text = document.body.decode("utf-8", errors="replace").removeprefix("\ufeff").strip()
    if text.startswith("{"):
        return read_release(document)
    version = version_of_tag(text) if len(text) <= _MAX_VERSION else None
    if version is None:
        raise UnexpectedBody(document.url, _VERSIONS, describe(document.body))
    return Release(version=version, tag=text)


def read_ndjson_line(line: str | bytes) -> Release | None:
    """Parse a line of Astral's `uv.ndjson`; None without a version.

    A line lists the archives only. The installers, which are published next to them, are added.
    """
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    tag = entry.get("version") if isinstance(entry, dict) else None
    version = version_of_tag(tag) if isinstance(tag, str) else None
    if not isinstance(tag, str) or version is None:
        return None
    artifacts = entry.get("artifacts")
    archives = map(_read_artifact, artifacts if isinstance(artifacts, list) else ())
    assets = [asset for asset in archives if asset is not None]
    installers = [Asset(name=name) for name in INSTALLER_NAMES]
    return Release(
        version=version,
        tag=tag,
        assets=(*assets, *installers) if assets else None,
        published=stated_date(entry.get("date")),
    )


def _read_artifact(artifact: object) -> Asset | None:
    if not isinstance(artifact, dict):
        return None
    url = artifact.get("url")
    if not isinstance(url, str) or artifact.get("variant", "default") != "default":
        return None
    # Only the last name of the URL matters. It is not parsed, as that may fail.
    name = unquote(re.split(r"[?#]", url)[0].rpartition("/")[2])
    fits = 0 < len(name.encode(errors="replace")) <= LONGEST_NAME
    return Asset(name=name, sha256=lone_sum(artifact.get("sha256"))) if fits else None
