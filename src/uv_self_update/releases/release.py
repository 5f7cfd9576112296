"""Releases of uv, and their representation in GitHub's JSON."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from uv_self_update.values import frozen
from uv_self_update.versions import LONGEST_NAME, is_prerelease, version_of_tag

if TYPE_CHECKING:
    from collections.abc import Iterable

INSTALLER_NAMES = ("uv-installer.sh", "uv-installer.ps1")
"""The installer scripts that uv runs on Unix and on Windows."""

LARGEST_UNPACKED = 1 << 30
"""The limit for the content of an archive or a wheel, in bytes; uv has about 60 MiB."""

_LARGEST_NUMBER = 1 << 63

_SHA256 = re.compile(r"sha256:([0-9a-f]{64})")


class NotARelease(ValueError):
    """A document does not describe a release; the message says what is missing."""


@frozen
class Asset:
    """One file of a release."""

    name: str
    sha256: str | None = None
    """64 lower-case hexadecimal digits, if the source publishes them."""

    where: str = ""
    """A reference that only its source understands."""

    size: int | None = None
    """Bytes, if the source lists them."""

    modified: str | None = None
    """The modification time, RFC 3339 in UTC, if a listing has it."""


@frozen
class Release:
    """One published version of uv."""

    version: str
    tag: str
    """The version's name at the source; GitHub repositories may prefix it with `v`."""

    assets: tuple[Asset, ...] | None = None
    """The files of the release; None if the source cannot list them, or has not yet."""

    published: str | None = None
    """The publication time, RFC 3339 in UTC, if the source has it."""

    where: str = ""
    """A reference that only its source understands."""

    @property
    def prerelease(self) -> bool:
        """Whether PEP 440 calls the version a pre-release."""
        return is_prerelease(self.version)

    def asset(self, name: str) -> Asset | None:
        """Return the asset with a name; None if the source does not have it."""
        if self.assets is None:
            return Asset(name=name)
        return next((asset for asset in self.assets if asset.name == name), None)


def utc(time: str | float) -> str | None:
    """Return a time in RFC 3339, in UTC: `2026-01-29T20:24:46Z`; None for an invalid one.

    Args:
        time: ISO 8601 with any offset, or seconds since 1970.
    """
    from datetime import UTC, datetime  # noqa: PLC0415 # slow to import, and seldom needed

    try:
        if isinstance(time, str):
            moment = datetime.fromisoformat(time.strip())
            # Without an offset it is the server's local time, whose zone is unknown.
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        else:
            moment = datetime.fromtimestamp(time, UTC)
        # strftime writes years before 1000 with fewer than four digits.
        written = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return None
    return f"{written}Z"


def stated_date(value: object) -> str | None:
    """Return a date of a JSON document as `utc` does; None for anything but a date in ISO 8601."""
    return utc(value) if isinstance(value, str) else None


def stated_size(value: object) -> int | None:
    """Return a number of bytes; mirrors without the files list 0."""
    return value if type(value) is int and 0 < value < _LARGEST_NUMBER else None


def stated_digest(value: object) -> str | None:
    """Return the SHA-256 of a `digest` in GitHub's JSON; None for any other value."""
    match = _SHA256.fullmatch(value.lower()) if isinstance(value, str) else None
    return match[1] if match else None


def parse_release(document: object) -> Release:
    """Parse one release in GitHub's JSON.

    Only the fields that the gateway needs are required: mirrors omit or null many others.

    Raises:
        NotARelease: There is no usable `tag_name`.
    """
    if not isinstance(document, dict):
        raise NotARelease(f"a JSON {_json_type(document)} instead of an object")  # noqa: TRY003, EM102 # the caller adds the URL
    tag = document.get("tag_name")
    version = version_of_tag(tag) if isinstance(tag, str) else None
    if not isinstance(tag, str) or version is None:
        raise NotARelease("JSON without a version in `tag_name`")  # noqa: TRY003, EM101 # as above
    return Release(
        version=version,
        tag=tag.strip(),
        assets=_parse_assets(document.get("assets")),
        published=stated_date(document.get("published_at")),
    )


def listed_release(entry: object) -> Release | None:
    """Parse an entry of a list of releases in GitHub's JSON; None for a draft or no release."""
    try:
        release = parse_release(entry)
    except NotARelease:
        return None
    return None if isinstance(entry, dict) and entry.get("draft") else release


def github_document(
    release: Release, *, base: str, repository: str, assets: Iterable[Asset]
) -> dict[str, object]:
    """Return a release as GitHub's JSON has it: complete, without null, every URL below `base`.

    uv refuses a release with any of these fields missing or null (axoupdater, `release/github.rs`).

    Args:
        release: The release.
        base: The base URL of the server, ending in `/`.
        repository: `OWNER/NAME`, as in uv's receipt.
        assets: The files to list.
    """
    return {
        "tag_name": release.version,
        "name": release.version,
        "url": f"{base}api/v3/repos/{repository}/releases/tags/{release.version}",
        "html_url": f"{base}{repository}/releases/tag/{release.version}",
        "draft": False,
        "prerelease": release.prerelease,
        **({} if release.published is None else {"published_at": release.published}),
        "assets": [
            _github_asset(asset, f"{base}{repository}/releases/download/{release.version}/")
            for asset in assets
        ],
    }


def _github_asset(asset: Asset, downloads: str) -> dict[str, object]:
    url = downloads + asset.name
    entry: dict[str, object] = {"name": asset.name, "url": url, "browser_download_url": url}
    if asset.size is not None:
        entry["size"] = asset.size
    if asset.sha256 is not None:
        entry["digest"] = f"sha256:{asset.sha256}"
    return entry


def _parse_assets(value: object) -> tuple[Asset, ...] | None:
    if not isinstance(value, list):
        return None
    assets = []
    for entry in value:
        name = entry.get("name") if isinstance(entry, dict) else None
        if isinstance(name, str) and 0 < len(name.encode(errors="replace")) <= LONGEST_NAME:
            number = entry.get("id")
            fits = isinstance(number, int) and 0 <= number < _LARGEST_NUMBER
            where = str(number) if fits else ""
            sha256 = stated_digest(entry.get("digest"))
            assets.append(
                Asset(name=name, sha256=sha256, where=where, size=stated_size(entry.get("size")))
            )
    # A mirror that empties the list may have the files all the same.
    return tuple(assets) or None


def _json_type(document: object) -> str:
    names = {list: "array", str: "string", type(None): "null", bool: "boolean"}
    return names.get(type(document), "number")
