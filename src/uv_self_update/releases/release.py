"""What a release of uv is, and GitHub's JSON for it, in and out."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from uv_self_update.versions import is_prerelease, version_of_tag

INSTALLER_NAMES = ("uv-installer.sh", "uv-installer.ps1")
"""The assets that uv runs to replace itself: on Unix, on Windows."""

LARGEST_UNPACKED = 1 << 30
"""Bytes of what an archive or a wheel holds at most; uv itself has about 60 MiB."""


_SHA256 = re.compile(r"sha256:([0-9a-f]{64})")


class NotARelease(ValueError):
    """A document does not describe a release; the message says what it lacks."""


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One file of a release."""

    name: str
    sha256: str | None = None
    """64 lower-case hexadecimal digits, where the source publishes them."""

    where: str = ""
    """How its source finds it again; it means nothing to anybody else."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """One published version of uv."""

    version: str
    tag: str
    """What the source calls the version; GitHub repositories may put a `v` before it."""

    assets: tuple[Asset, ...] | None = None
    """The files of the release; None where the source cannot list them, or has not yet."""

    published: str | None = None
    """When, in UTC as RFC 3339 writes it, where the source says so."""

    where: str = ""
    """How its source finds it again; it means nothing to anybody else."""

    @property
    def prerelease(self) -> bool:
        """Whether PEP 440 calls the version a pre-release."""
        return is_prerelease(self.version)

    def asset(self, name: str) -> Asset | None:
        """Return the asset of that name; None if the source is known not to have it."""
        if self.assets is None:
            return Asset(name=name)
        return next((asset for asset in self.assets if asset.name == name), None)


def utc(time: str | float) -> str | None:
    """Return a time as RFC 3339 writes it in UTC: `2026-01-29T20:24:46Z`.

    Args:
        time: As ISO 8601 writes it, with any offset; or seconds since 1970.
    """
    from datetime import UTC, datetime  # noqa: PLC0415 # slow to import, and seldom needed

    try:
        if isinstance(time, str):
            moment = datetime.fromisoformat(time.strip())
            # Without an offset, it is the server's own time of day, wherever that is.
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        else:
            moment = datetime.fromtimestamp(time, UTC)
        # Not by strftime, whose years before 1000 are short.
        written = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return None
    return f"{written}Z"


def parse_release(document: object) -> Release:
    """Read one release in GitHub's JSON.

    Only what the gateway needs is asked for: mirrors leave out or null much of the rest.

    Raises:
        NotARelease: There is no usable `tag_name`.
    """
    if not isinstance(document, dict):
        raise NotARelease(f"a JSON {_kind(document)} where an object was due")  # noqa: TRY003, EM102 # the caller adds the URL
    tag = document.get("tag_name")
    version = version_of_tag(tag) if isinstance(tag, str) else None
    if not isinstance(tag, str) or version is None:
        raise NotARelease("JSON without a version in `tag_name`")  # noqa: TRY003, EM101 # as above
    published = document.get("published_at")
    return Release(
        version=version,
        tag=tag.strip(),
        assets=_parse_assets(document.get("assets")),
        published=utc(published) if isinstance(published, str) else None,
    )


def parse_releases(document: object) -> tuple[Release, ...]:
    """Read a list of releases in GitHub's JSON, passing over drafts and other things' tags.

    Raises:
        NotARelease: It is not a list.
    """
    if not isinstance(document, list):
        raise NotARelease(f"a JSON {_kind(document)} where a list was due")  # noqa: TRY003, EM102 # the caller adds the URL
    releases = []
    for entry in document:
        try:
            release = parse_release(entry)
        except NotARelease:
            continue
        if not entry.get("draft"):
            releases.append(release)
    return tuple(releases)


def github_document(
    release: Release, *, base: str, repository: str, assets: tuple[str, ...]
) -> str:
    """Write a release as GitHub's JSON: complete, nothing null, every URL below `base`.

    uv refuses a release with any of these fields missing or null (axoupdater, `release/github.rs`).

    Args:
        release: The release.
        base: The gateway's base URL, ending in `/`.
        repository: `OWNER/NAME`, as uv's receipt has it.
        assets: The names of the files to offer.
    """
    downloads = f"{base}{repository}/releases/download/{release.version}/"
    document = {
        "tag_name": release.version,
        "name": release.version,
        "url": f"{base}api/v3/repos/{repository}/releases/tags/{release.version}",
        "html_url": f"{base}{repository}/releases/tag/{release.version}",
        "draft": False,
        "prerelease": release.prerelease,
        "assets": [
            {"name": name, "url": downloads + name, "browser_download_url": downloads + name}
            for name in assets
        ],
    }
    return json.dumps(document)


def _parse_assets(value: object) -> tuple[Asset, ...] | None:
    if not isinstance(value, list):
        return None
    assets = []
    for entry in value:
        name = entry.get("name") if isinstance(entry, dict) else None
        if isinstance(name, str) and name:
            number = entry.get("id")
            where = str(number) if isinstance(number, int) else ""
            sha256 = _parse_digest(entry.get("digest"))
            assets.append(Asset(name=name, sha256=sha256, where=where))
    # A mirror that strips the list down to nothing says nothing about its files.
    return tuple(assets) or None


def _parse_digest(value: object) -> str | None:
    match = _SHA256.fullmatch(value.lower()) if isinstance(value, str) else None
    return match[1] if match else None


def _kind(document: object) -> str:
    return {dict: "object", list: "list", str: "string", type(None): "null"}.get(
        type(document), "value"
    )
