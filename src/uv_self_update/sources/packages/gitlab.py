"""`gitlab`: the releases of a project, whose files are links, and a generic package of it."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from uv_self_update.auth.credentials import origin_of
from uv_self_update.errors import StatusRefused, UnexpectedBody
from uv_self_update.redaction import redact_url
from uv_self_update.releases.distribution import Distribution, parse_filename
from uv_self_update.releases.release import utc
from uv_self_update.sources.gitlab import GitlabProject
from uv_self_update.sources.packages.answers import hidden, release_of, yanked_by
from uv_self_update.sources.packages.interface import PackageRepository, host_of, path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Download

_EXPECTED = "a release of GitLab's API"
_API = "/api/v4/projects/"


class GitlabRepository(PackageRepository):
    """The distributions of one project."""

    def __init__(self, upstream: Upstream, *, url: str, package: str | None) -> None:
        """Work out the addresses; nothing is fetched yet.

        Args:
            upstream: The client, with the credentials of this project.
            url: The project's page, or its URL in the API.
            package: A generic package whose versions count as releases too; None for none.
        """
        super().__init__()
        self._upstream = upstream
        self._project = GitlabProject(upstream, url=url)
        self._package = package
        self.name = redact_url(url)
        self.host = host_of(url)
        # GitLab's paths are the same in any case, and an index has to have one name.
        self.path = path_of(_project_of(self._project.api).lower())

    @contextmanager
    def open(self, file: Distribution) -> Iterator[Download]:
        try:
            with self._upstream.open(file.where, again=True) as download:
                yield download
        except StatusRefused as error:
            if origin_of(file.where) != origin_of(self._project.api):
                error.hint = (
                    f"The release {file.tag} links to another server, which gets no credentials of "
                    "this `[[releases]]`: put the file into the package registry of the project."
                )
            raise

    def tail(self, file: Distribution, length: int) -> bytes | None:
        return self._upstream.tail(file.where, length, again=True)

    def listed(self) -> Iterator[Distribution]:
        try:
            yield from chain.from_iterable(map(self._of_release, self._project.releases()))
            if self._package is not None:
                yield from self._of_package(self._package)
        except StatusRefused as error:
            raise hidden(
                error,
                self._upstream.login_for(self._project.api),
                what="such project",
                product="GitLab",
                given="it needs the scope `read_api`, and its user the role Reporter or more",
                missing="set CI_JOB_TOKEN",
            ) from error

    def tagged(self, tag: str) -> Iterable[Distribution]:
        if self._package is not None:
            return super().tagged(tag)  # a version of the package may have the same name
        return self._of_release(release_of(self._project.release(tag), _EXPECTED))

    def _of_release(self, release: Mapping[str, Any]) -> Iterator[Distribution]:
        tag = release.get("tag_name")
        links = self._project.links(str(tag), release)
        if not isinstance(tag, str) or links is None:
            raise UnexpectedBody(self.name, _EXPECTED, "other JSON")
        if release.get("upcoming_release"):
            return
        self.tags.add(tag)
        published = release.get("released_at")
        for link in links:
            for name in (link.name, link.label):
                if parsed := parse_filename(name):
                    yield Distribution(
                        project=parsed[0],
                        version=parsed[1],
                        filename=name,
                        tag=tag,
                        where=link.url,
                        uploaded=utc(published) if isinstance(published, str) else None,
                        yanked=yanked_by(release),
                    )
                    break

    def _of_package(self, package: str) -> Iterator[Distribution]:
        for version, number, _ in self._project.packages(package):
            self.tags.add(version)
            for file in self._project.files(package, version, number):
                if parsed := parse_filename(file.name):
                    yield Distribution(
                        project=parsed[0],
                        version=parsed[1],
                        filename=file.name,
                        tag=version,
                        where=file.url,
                        size=file.size,
                        sha256=file.sha256,
                        uploaded=file.created,
                    )


def _project_of(api: str) -> str:
    """Return the path of a project, or `projects/ID`, from its URL in the API."""
    root, _, project = urlsplit(api).path.partition(_API)
    path = unquote(project)
    return f"{root}/{path}" if "/" in path else f"{root}/projects/{path}"
