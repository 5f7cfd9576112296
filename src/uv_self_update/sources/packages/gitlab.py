"""`gitlab`: the releases of a project, whose files are links, and a generic package of it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from uv_self_update.errors import StatusRefused
from uv_self_update.releases.distribution import parse_filename
from uv_self_update.releases.release import stated_date
from uv_self_update.sources.forge import PackageFile
from uv_self_update.sources.gitlab import GitlabProject
from uv_self_update.sources.packages.forge import ForgeRepository
from uv_self_update.url import origin_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Document, Download
    from uv_self_update.releases.distribution import Distribution

_API = "/api/v4/projects/"


class GitlabRepository(ForgeRepository):
    """The distributions of one project, by its page or its URL in the API."""

    product = "GitLab"
    what = "such project"
    given = "it needs the scope `read_api`, and its user the role Reporter or more"
    missing = "Set CI_JOB_TOKEN"

    def __init__(self, upstream: Upstream, *, url: str, package: str | None) -> None:
        self._project = GitlabProject(upstream, url=url)
        api = self._project.api
        super().__init__(upstream, url=url, api=api, path=_project_of(api), package=package)

    def releases(self) -> Iterator[dict[str, Any]]:
        return self._project.releases()

    def release(self, tag: str) -> Document:
        return self._project.release(tag)

    def files(self, tag: str, release: Mapping[str, Any]) -> Iterable[PackageFile] | None:
        links = self._project.links(tag, release)
        if links is None:
            return None
        created = stated_date(release.get("released_at"))
        return (
            PackageFile(
                # The name of the link need not be that of the file.
                name=link.name if parse_filename(link.name) else link.label,
                url=link.url,
                created=created,
            )
            for link in links
        )

    def versions(self, package: str) -> Iterator[tuple[str, Iterable[PackageFile]]]:
        for version, number, _ in self._project.packages(package):
            yield version, self._project.files(package, version, number)

    @contextmanager
    def open(self, file: Distribution) -> Iterator[Download]:
        try:
            with super().open(file) as download:
                yield download
        except StatusRefused as error:
            if origin_of(file.where) != origin_of(self._api):
                error.hint = (
                    f"The release {file.tag} links to another server, which gets no credentials of "
                    "this `[[releases]]`: put the file into the package registry of the project."
                )
            raise


def _project_of(api: str) -> str:
    """Return the path of a project, or `projects/ID`, from its URL in the API."""
    root, _, project = urlsplit(api).path.partition(_API)
    path = unquote(project)
    return f"{root}/{path}" if "/" in path else f"{root}/projects/{path}"
