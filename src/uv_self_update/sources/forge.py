"""The parts that forges share: a project has uv as releases, as a generic package, or both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from uv_self_update.errors import NotFoundOrUnauthorized, StatusRefused
from uv_self_update.releases.release import Asset, Release, stated_date
from uv_self_update.sources.catalog import DENIED, CatalogSource
from uv_self_update.sources.context import url_of
from uv_self_update.sources.formats.paging import entries
from uv_self_update.values import frozen, replace
from uv_self_update.versions import version_of_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Document, Download
    from uv_self_update.sources.context import Context
    from uv_self_update.url import Url


@frozen
class PackageVersion:
    """A version of a generic package."""

    tag: str
    number: str = ""
    """Its ID, if the API lists files by that."""

    created: str | None = None
    """RFC 3339, in UTC, if the server gives it for a version."""


class Forge(ABC):
    """The API of one project. Its methods raise SourceError if the server does not answer.

    The reference of a file is its URL.

    Args:
        upstream: The HTTP client.
        api: A URL of the API, whose origin gets the credentials.
        tags: The URL of its releases, which the tag of one follows.
        packages: The URL of its generic packages, if it has any.
    """

    what: ClassVar[str]
    """The noun for a missing project, after `there is no`."""

    accept: ClassVar[str] = "application/json"
    """The media type of what the API says."""

    def __init__(
        self, upstream: Upstream, *, api: Url, tags: Url, packages: Url | None = None
    ) -> None:
        self._upstream = upstream
        self.api = api
        self._tags = tags
        self._packages = packages

    @abstractmethod
    def releases(self) -> Iterable[dict[str, Any]]:
        """Return the releases as the API describes them."""

    def release(self, tag: str) -> Document:
        """Return the description of one release."""
        return self._upstream.read(self._tags.below((tag,)), accept=self.accept)

    @abstractmethod
    def release_files(self, tag: str, release: Mapping[str, Any]) -> Iterable[Asset] | None:
        """Return the files of a release; None if it does not describe them."""

    def packages(self, name: str) -> Iterable[PackageVersion]:  # noqa: ARG002 # GitHub has none
        """Return the versions of a generic package."""
        return ()

    def package_files(self, name: str, version: PackageVersion) -> Iterable[Asset]:  # noqa: ARG002 # as above
        """Return the files of one version of a generic package."""
        return ()

    def package_url(self, name: str, tag: str, file: str) -> str:
        """Return the URL of a file of a generic package."""
        assert self._packages is not None, "this forge has packages"  # noqa: S101 # for the type checker
        return self._packages.below((name, tag, file)).text

    def _entries(self, url: Url, query: str, expected: str) -> Iterator[dict[str, Any]]:
        return entries(self._upstream, url, query, accept=self.accept, expected=expected)


class ForgeSource(CatalogSource):
    """The releases of uv in one project of a forge."""

    _forge: Forge

    hint: ClassVar[str]
    """The hint for a missing project."""

    def __init__(self, settings: SourceSettings, context: Context) -> None:
        super().__init__(context.platform)
        self._upstream = context.upstream(settings)
        self._package = settings.package or "uv"
        self.name = str(url_of(settings))

    def listed(self) -> Iterator[Release]:
        """Return the releases of every list: packages first, as they have digests.

        A list may be disabled for a project or forbidden to these credentials. That is an error
        only if it applies to all of them.
        """
        parts = self.parts()
        refused: list[StatusRefused] = []
        for part in parts:
            try:
                yield from part()
            except StatusRefused as error:
                if not error.gone and error.status not in DENIED:
                    raise
                refused.append(error)
        if len(refused) < len(parts):
            return
        denied = [error for error in refused if not error.gone]
        if denied:
            raise denied[0]
        login = self._upstream.login_for(self._forge.api) is not None
        raise NotFoundOrUnauthorized(refused[0], self._forge.what, login=login, hint=self.hint)

    def parts(self) -> Sequence[Callable[[], Iterator[Release]]]:
        """Return the lists of releases that a project may have, the preferred one first."""
        return self._packages, self._releases

    def with_files(self, release: Release) -> Release:
        if release.assets is not None:
            return release
        version = PackageVersion(tag=release.tag, number=release.where, created=release.published)
        files = self._forge.package_files(self._package, version)
        return replace(release, assets=tuple(files))

    def fetch(self, release: Release, asset: Asset) -> AbstractContextManager[Download]:
        url = asset.where or self._forge.package_url(self._package, release.tag, asset.name)
        return self._upstream.open(url, name=asset.name)

    def _packages(self) -> Iterator[Release]:
        for found in self._forge.packages(self._package):
            if version := version_of_tag(found.tag):
                yield Release(
                    version=version, tag=found.tag, published=found.created, where=found.number
                )

    def _releases(self) -> Iterator[Release]:
        for entry in self._forge.releases():
            tag = entry.get("tag_name")
            version = version_of_tag(tag) if isinstance(tag, str) else None
            files = self._forge.release_files(str(tag), entry)
            if version is not None and files is not None and not is_unfinished(entry):
                published = stated_date(entry.get("published_at") or entry.get("released_at"))
                yield Release(
                    version=version, tag=str(tag), assets=tuple(files), published=published
                )


def is_unfinished(release: Mapping[str, Any]) -> bool:
    """Return whether a release is a draft, or GitLab's for a date to come."""
    return bool(release.get("draft") or release.get("upcoming_release"))


def asset_list(release: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the assets of a release in GitHub's layout; None if it has no such list."""
    assets = release.get("assets")
    fits = isinstance(assets, list) and all(isinstance(asset, dict) for asset in assets)
    return assets if fits else None
