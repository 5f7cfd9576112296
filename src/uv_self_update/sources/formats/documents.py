"""What a server sent: JSON, ndjson, a bare version, or a web page where none was due."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from uv_self_update.errors import UnexpectedBody
from uv_self_update.releases.digests import hold_back, parse_sums
from uv_self_update.releases.release import (
    INSTALLER_NAMES,
    Asset,
    NotARelease,
    Release,
    parse_release,
    parse_releases,
    utc,
)
from uv_self_update.versions import version_of_tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.network.responses import Document, Download
    from uv_self_update.releases.digests import DigestRules


_BARE_VERSION = 64  # bytes; longer is something else
_PASSWORD = re.compile(rb"type\s*=\s*[\"']?password\b", re.IGNORECASE)


def describe(body: bytes) -> str:
    """Say in a few words what a body seems to be, for a message."""
    start = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        return "empty"
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
    chunks = _refuse_web_page(download)
    return hold_back(chunks, expected, name=asset.name, source=download.url)


def read_json(document: Document, expected: str) -> object:
    """Parse a body as one JSON value.

    Raises:
        UnexpectedBody: It is not JSON.
    """
    try:
        return json.loads(document.body)
    except (ValueError, RecursionError):
        raise UnexpectedBody(document.url, expected, describe(document.body)) from None


def read_json_list(document: Document, expected: str) -> list[dict[str, Any]]:
    """Read a list of JSON objects, passing over whatever else is in it.

    Raises:
        UnexpectedBody: It is not a list.
    """
    value = read_json(document, expected)
    if not isinstance(value, list):
        raise UnexpectedBody(document.url, expected, describe(document.body))
    return [entry for entry in value if isinstance(entry, dict)]


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
        raise UnexpectedBody(document.url, f"about uv {version}", f"about uv {release.version}")
    return release


def read_releases(document: Document) -> tuple[Release, ...]:
    """Read GitHub's JSON for a list of releases.

    Raises:
        UnexpectedBody: It is something else.
    """
    expected = "GitHub's JSON for a list of releases"
    try:
        return parse_releases(read_json(document, expected))
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
    releases = map(read_ndjson_line, text.splitlines())
    return tuple(release for release in releases if release is not None)


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
    return Asset(name=name, sha256=sums.get("")) if name else None
