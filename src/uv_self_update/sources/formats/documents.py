"""What a server sent: JSON, ndjson, a bare version, or a web page where none was due."""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from uv_self_update.errors import TooLarge, UnexpectedBody
from uv_self_update.network.items import lines_of
from uv_self_update.network.responses import Document
from uv_self_update.releases.digests import hold_back, parse_sums
from uv_self_update.releases.release import (
    INSTALLER_NAMES,
    Asset,
    NotARelease,
    Release,
    listed_release,
    parse_release,
    utc,
)
from uv_self_update.sources.formats.json_array import NotAnArray, elements
from uv_self_update.versions import LONGEST_NAME, version_of_tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.network.responses import Download
    from uv_self_update.releases.digests import DigestRules


_BARE_VERSION = 64  # bytes; longer is something else
_LARGEST_JSON = 4 << 20  # bytes of what is parsed as a whole; each file of uv in one list: 1.5 MB
_MOST_VALUES = 500_000
"""JSON values of what is parsed as a whole, of some 60 bytes each; the same list has 150,000."""

_VERSIONS = "GitHub's JSON, Astral's ndjson or a version"
_PASSWORD = re.compile(rb"type\s*=\s*[\"']?password\b", re.IGNORECASE)


def describe(body: bytes) -> str:
    """Say in a few words what a body seems to be, for a message."""
    start = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        return "an empty file"
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "a web page to log in" if _PASSWORD.search(body) else "a web page"
    if start.startswith(b"<"):
        return "XML"
    if start.startswith((b"{", b"[")):
        return "JSON of another kind"
    if start.startswith(b"#!"):
        return "a script"
    if start.startswith((b"\x1f\x8b", b"pk\x03\x04")):
        return "an archive"
    return "something else"


def _refuse_web_page(download: Download) -> Iterator[bytes]:
    """Pass on the chunks of a release's file, which is never a web page.

    A digest would tell as well, but it may not be known, and it does not say what is wrong.

    Raises:
        UnexpectedBody: It is a web page: of an error, or to log in.
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
    """Pass on the chunks of a release's file, the last only if the digest holds.

    Raises:
        UnexpectedBody: It is a web page.
        DigestMismatch: It is not the file that was published, or that is pinned.
        NoDigest: It has no digest, and has to have one.
        UpstreamError: It broke off.
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
        UnexpectedBody: It is not JSON.
        TooLarge: It would take too much memory.
    """
    body = document.body
    if len(body) > _LARGEST_JSON:
        raise TooLarge(document.url, _LARGEST_JSON)
    # Each value but the first has one of these signs before it; a dictionary takes 240 bytes.
    values = sum(map(body.count, (b",", b":", b"["))) + 4 * body.count(b"{")
    if values > _MOST_VALUES:
        raise TooLarge(document.url, _MOST_VALUES, unit="JSON values")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise UnexpectedBody(document.url, expected, describe(body)) from None


def read_entries(chunks: Iterator[bytes], shown: str, *, expected: str) -> Iterator[object]:
    """Yield the elements of a JSON array while it comes; see `json_array`.

    Raises:
        UnexpectedBody: It is something else.
        TooLarge: It is.
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


def read_json_list(document: Document, expected: str) -> list[dict[str, Any]]:
    """Read a list of JSON objects, passing over whatever else is in it.

    Raises:
        UnexpectedBody: It is not a list.
        TooLarge: It is.
    """
    found = read_entries(iter([document.body]), document.url, expected=expected)
    return [entry for entry in found if isinstance(entry, dict)]


def read_release(document: Document, *, version: str | None = None) -> Release:
    """Read GitHub's JSON for one release.

    Args:
        document: The body.
        version: The version that it has to be; None for any.

    Raises:
        UnexpectedBody: It is something else.
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
    """Yield the releases of whatever names one version of uv or several, while it comes.

    GitHub's JSON for a release or for a list of them, Astral's ndjson (a JSON object with a
    `version` on each line), or a bare version.

    Raises:
        UnexpectedBody: It is none of these.
        TooLarge: It is.
    """
    start = b""
    while not _begun(start) and len(start) < _LARGEST_JSON and (chunk := next(chunks, b"")):
        start += chunk
    body = chain([start], chunks)
    if _begun(start).startswith(b"["):
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
            if size > _LARGEST_JSON:
                raise TooLarge(shown, _LARGEST_JSON)
    if not found:
        text = b"\n".join(others)
        yield _read_version(Document(url=shown, content_type="", body=text, links={}))


def _begun(body: bytes) -> bytes:
    """Return a body without what is before its first sign."""
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()


def _read_version(document: Document) -> Release:
    """Read GitHub's JSON for one release, or a bare version."""
    text = document.body.decode("utf-8", errors="replace").removeprefix("\ufeff").strip()
    if text.startswith("{"):
        return read_release(document)
    version = version_of_tag(text) if len(text) <= _BARE_VERSION else None
    if version is None:
        raise UnexpectedBody(document.url, _VERSIONS, describe(document.body))
    return Release(version=version, tag=text)


def read_version_list(document: Document) -> tuple[Release, ...]:
    """Read whatever names versions of uv from a whole body; see read_versions.

    Raises:
        UnexpectedBody: It names none.
        TooLarge: It is.
    """
    return tuple(read_versions(iter([document.body]), document.url))


def read_ndjson_line(line: str | bytes) -> Release | None:
    """Read a line of Astral's `uv.ndjson`; None if it names no version.

    The lines list the archives. The installers, which are published beside them, are added, since
    nobody could tell otherwise that they are there.
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
    archives = (
        [_read_artifact(artifact) for artifact in artifacts or ()]
        if (isinstance(artifacts, list))
        else []
    )
    assets = [asset for asset in archives if asset is not None]
    installers = [Asset(name=name) for name in INSTALLER_NAMES]
    date = entry.get("date")
    return Release(
        version=version,
        tag=tag,
        assets=(*assets, *installers) if assets else None,
        published=utc(date) if isinstance(date, str) else None,
    )


def _read_artifact(artifact: object) -> Asset | None:
    if not isinstance(artifact, dict):
        return None
    url, digest = artifact.get("url"), artifact.get("sha256")
    if not isinstance(url, str) or artifact.get("variant", "default") != "default":
        return None
    # No more of the URL than its last name is of use, so it is not taken apart, which may fail.
    name = unquote(re.split(r"[?#]", url)[0].rpartition("/")[2])
    sums = parse_sums(digest) if isinstance(digest, str) else {}
    fits = 0 < len(name.encode(errors="replace")) <= LONGEST_NAME
    return Asset(name=name, sha256=sums.get("")) if fits else None
