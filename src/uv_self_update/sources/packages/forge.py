"""The parts that the repositories of forges share: releases with files, and a generic package."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

from uv_self_update.errors import NotFoundOrUnauthorized, StatusRefused, UnexpectedBody
from uv_self_update.releases.distribution import Distribution, parse_filename
from uv_self_update.sources.context import url_of
from uv_self_update.sources.forge import is_unfinished
from uv_self_update.sources.formats.documents import read_json
from uv_self_update.sources.packages.interface import PackageRepository, path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from uv_self_update.config.releases import ReleasesSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Download
    from uv_self_update.releases.release import Asset
    from uv_self_update.sources.forge import Forge

_YANKED = "[yanked]"


class ForgeRepository(PackageRepository):
    """The distributions of one repository of a forge.

    The versions of the generic package that its settings name count as releases, too.

    Args:
        settings: The settings.
        upstream: The client, with the credentials of this repository.
        forge: Its API.
        path: The path of the index. Forges ignore its case, and an index has to have one name.
    """

    product: ClassVar[str]
    """The forge, in messages."""

    given: ClassVar[str]
    """What to do about a token that does not suffice."""

    missing: ClassVar[str]
    """What to do without a token."""

    accept: ClassVar[str] = "*/*"
    """The media type of a file."""

    def __init__(
        self, settings: ReleasesSettings, upstream: Upstream, forge: Forge, *, path: str
    ) -> None:
        super().__init__()
        url = url_of(settings.source)
        self._upstream = upstream
        self._forge = forge
        self._package = settings.source.package
        self._prereleases = settings.prereleases
        self.name = str(url)
        self.host = url.address
        self.path = path_of(path.lower())

    def open(self, file: Distribution) -> AbstractContextManager[Download]:
        accept, name = self.accept, file.filename
        return self._upstream.open(file.where, accept=accept, again=True, name=name)

    def tail(self, file: Distribution, length: int) -> bytes | None:
        return self._upstream.tail(file.where, length, accept=self.accept, again=True)

    def listed(self) -> Iterator[Distribution]:
        try:
            yield from chain.from_iterable(map(self._of_release, self._forge.releases()))
            if self._package is not None:
                for version in self._forge.packages(self._package):
                    files = self._forge.package_files(self._package, version)
                    yield from self._distributions(version.tag, files)
        except StatusRefused as error:
            if not error.gone:
                raise
            raise self._hidden(error) from error

    def tagged(self, tag: str) -> Iterable[Distribution]:
        if self._package is not None:
            return super().tagged(tag)  # a version of the package may have the same name
        document = self._forge.release(tag)
        found = read_json(document, f"a release of {self.product}'s API")
        if not isinstance(found, dict):
            raise self._unexpected(document.url)
        return self._of_release(found)

    def _of_release(self, release: Mapping[str, Any]) -> Iterator[Distribution]:
        tag = release.get("tag_name")
        files = self._forge.release_files(str(tag), release)
        if not isinstance(tag, str) or files is None:
            raise self._unexpected(self.name)
        if is_unfinished(release) or (release.get("prerelease") and not self._prereleases):
            return
        yield from self._distributions(tag, files, yanked=yanked_by(release))

    def _distributions(
        self, tag: str, files: Iterable[Asset], *, yanked: str | None = None
    ) -> Iterator[Distribution]:
        self.tags.add(tag)
        for file in files:
            if parsed := parse_filename(file.name):
                yield Distribution(
                    project=parsed[0],
                    version=parsed[1],
                    filename=file.name,
                    tag=tag,
                    where=file.where,
                    size=file.size,
                    sha256=file.sha256,
                    uploaded=file.modified,
                    yanked=yanked,
                )

    def _unexpected(self, url: str) -> UnexpectedBody:
        return UnexpectedBody(url, f"a release of {self.product}'s API", "other JSON")

    def _hidden(self, error: StatusRefused) -> NotFoundOrUnauthorized:
        """Explain a 404, which a forge also answers if a token is missing."""
        place = self._upstream.login_for(self._forge.api)
        advice = (
            f"The token is from {place}: {self.given}."
            if place
            else f"{self.missing}, or the key `token-env` of this `[[releases]]`."
        )
        hint = f"{self.product} answers 404 for a private repository that the token cannot read."
        return NotFoundOrUnauthorized(
            error, self._forge.what, login=place is not None, hint=f"{hint} {advice}"
        )


def yanked_by(release: Mapping[str, Any]) -> str | None:
    """Return why a release should not be used (PEP 592); None if it may be.

    Forges have no such mark, so a title with `[YANKED]` is one, as changelogs write it
    (https://keepachangelog.com). The reason is the first line of the description.
    """
    if _YANKED not in str(release.get("name") or "").lower():
        return None
    text = str(release.get("body") or release.get("description") or "").strip()
    return text.partition("\n")[0].strip() or _YANKED.strip("[]")
