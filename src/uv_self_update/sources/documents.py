"""What a server sent: JSON, ndjson, a bare version, or a web page where none was due."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from uv_self_update.digests import hold_back
from uv_self_update.errors import UnexpectedBody
from uv_self_update.release import (
    NotARelease,
    Release,
    parse_release,
    parse_releases,
    version_of_tag,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.release import Asset
    from uv_self_update.upstream import Document, Download

__all__ = (
    "checked",
    "describe",
    "read_release",
    "read_releases",
    "read_version_list",
)

_BARE_VERSION = 64  # bytes; longer is something else


def describe(body: bytes) -> str:
    """Say in a few words what a body seems to be, for a message."""
    start = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        return "empty"
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "a web page"
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
    if kind == "a web page":
        raise UnexpectedBody(download.url, "a file of uv's release", kind)
    yield start
    yield from download.chunks


def checked(download: Download, asset: Asset) -> Iterator[bytes]:
    """Pass on the chunks of a release's file, the last only if the digest holds.

    Raises:
        UnexpectedBody: It is a web page.
        DigestMismatch: It is not the file that was published.
        UpstreamError: It broke off.
    """
    chunks = _refuse_web_page(download)
    return hold_back(chunks, asset.sha256, name=asset.name, source=download.url)


def _as_json(document: Document, expected: str) -> object:
    """Parse a body as one JSON value.

    Raises:
        UnexpectedBody: It is not JSON.
    """
    try:
        return json.loads(document.body)
    except (ValueError, RecursionError):
        raise UnexpectedBody(document.url, expected, describe(document.body)) from None


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
        release = parse_release(_as_json(document, expected))
    except NotARelease as error:
        raise UnexpectedBody(document.url, expected, str(error)) from None
    if version is not None and release.version != version:
        raise UnexpectedBody(document.url, f"about uv {version}", f"about uv {release.version}")
    return release


def read_releases(document: Document) -> tuple[Release, ...]:
    """Read GitHub's JSON for a list of releases.

    Raises:
        UnexpectedBody: It is something else.
    """
    expected = "GitHub's JSON for a list of releases"
    try:
        return parse_releases(_as_json(document, expected))
    except NotARelease as error:
        raise UnexpectedBody(document.url, expected, str(error)) from None


def read_version_list(document: Document) -> tuple[Release, ...]:
    """Read whatever names one version of uv or several.

    GitHub's JSON for a release or for a list of them, Astral's ndjson (a JSON object with a
    `version` on each line), or a bare version.

    Raises:
        UnexpectedBody: It is none of these.
    """
    expected = "GitHub's JSON, Astral's ndjson or a version"
    text = document.body.decode("utf-8", errors="replace").removeprefix("\ufeff").strip()
    if text.startswith("["):
        return read_releases(document)
    if text.startswith("{"):
        releases = _read_ndjson(text)
        return releases or (read_release(document),)
    version = version_of_tag(text) if len(text) <= _BARE_VERSION else None
    if version is None:
        raise UnexpectedBody(document.url, expected, describe(document.body))
    return (Release(version=version, tag=text),)


def _read_ndjson(text: str) -> tuple[Release, ...]:
    """Read the lines that name a version; none if the text is not Astral's ndjson."""
    releases = []
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        tag = entry.get("version") if isinstance(entry, dict) else None
        version = version_of_tag(tag) if isinstance(tag, str) else None
        if isinstance(tag, str) and version is not None:
            releases.append(Release(version=version, tag=tag))
    return tuple(releases)
