"""`gitea`: the releases of a Gitea or Forgejo repository, and a generic package of its owner."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from uv_self_update.errors import StatusRefused, UnexpectedBody
from uv_self_update.redaction import redact_url
from uv_self_update.releases.distribution import Distribution, parse_filename
from uv_self_update.releases.release import utc
from uv_self_update.sources.gitea import GiteaServer
from uv_self_update.sources.packages.answers import hidden, release_of, yanked_by
from uv_self_update.sources.packages.interface import PackageRepository, host_of, path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Download

_EXPECTED = "a release of Gitea's API"


class GiteaRepository(PackageRepository):
    """The distributions of one repository."""

    def __init__(
        self, upstream: Upstream, *, url: str, package: str | None, prereleases: bool
    ) -> None:
        """Work out the addresses; nothing is fetched yet.

        Args:
            upstream: The client, with the credentials of this repository.
            url: `https://HOST[/PATH]/OWNER/REPO`, or the owner's packages.
            package: A generic package whose versions count as releases too; None for none.
            prereleases: Whether releases that Gitea marks as pre-releases count.
        """
        super().__init__()
        self._upstream = upstream
        self._server = GiteaServer(upstream, url=url)
        self._package = package
        self._prereleases = prereleases
        self.name = redact_url(url)
        self.host = host_of(url)
        # Gitea's paths are the same in any case, and an index has to have one name.
        self.path = path_of(urlsplit(url).path.removesuffix("/").removesuffix(".git").lower())

    def open(self, file: Distribution) -> AbstractContextManager[Download]:
        return self._upstream.open(file.where, again=True)

    def tail(self, file: Distribution, length: int) -> bytes | None:
        return self._upstream.tail(file.where, length, again=True)

    def listed(self) -> Iterator[Distribution]:
        try:
            if self._server.repository is not None:
                yield from chain.from_iterable(map(self._of_release, self._server.releases()))
            if self._package is not None:
                yield from self._of_package(self._package)
        except StatusRefused as error:
            raise hidden(
                error,
                self._upstream.login_for(self._server.root),
                what="such repository or owner",
                product="Gitea",
                given="it needs the scope `read:repository`, or `read:package` for packages",
                missing="add a token to netrc",
            ) from error

    def tagged(self, tag: str) -> Iterable[Distribution]:
        if self._package is not None:
            return super().tagged(tag)  # a version of the package may have the same name
        return self._of_release(release_of(self._server.release(tag), _EXPECTED))

    def _of_release(self, release: Mapping[str, Any]) -> Iterator[Distribution]:
        tag, assets = release.get("tag_name"), release.get("assets")
        if not isinstance(tag, str) or not isinstance(assets, list):
            raise UnexpectedBody(self.name, _EXPECTED, "other JSON")
        if release.get("draft") or (release.get("prerelease") and not self._prereleases):
            return
        self.tags.add(tag)
        for asset in assets:
            name = asset.get("name") if isinstance(asset, dict) else None
            parsed = parse_filename(name) if isinstance(name, str) else None
            if parsed is None:
                continue
            size, created = asset.get("size"), asset.get("created_at")
            yield Distribution(
                project=parsed[0],
                version=parsed[1],
                filename=str(name),
                tag=tag,
                where=self._server.release_url(tag, str(name)),
                size=size if isinstance(size, int) else None,
                uploaded=utc(created) if isinstance(created, str) else None,
                yanked=yanked_by(release),
            )

    def _of_package(self, package: str) -> Iterator[Distribution]:
        for version, entry in self._server.packages(package):
            self.tags.add(version)
            created = entry.get("created_at")
            for file in self._server.files(package, version):
                if parsed := parse_filename(file.name):
                    yield Distribution(
                        project=parsed[0],
                        version=parsed[1],
                        filename=file.name,
                        tag=version,
                        where=file.url,
                        size=file.size,
                        sha256=file.sha256,
                        uploaded=utc(created) if isinstance(created, str) else None,
                    )
