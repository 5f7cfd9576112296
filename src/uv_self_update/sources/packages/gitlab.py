"""`gitlab`: the releases of a project, whose files are links, and a generic package of it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote

from uv_self_update.errors import StatusRefused
from uv_self_update.releases.distribution import parse_filename
from uv_self_update.sources.context import url_of
from uv_self_update.sources.gitlab import Gitlab
from uv_self_update.sources.packages.forge import ForgeRepository
from uv_self_update.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.config.releases import ReleasesSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Download
    from uv_self_update.releases.distribution import Distribution

_API = "/api/v4/projects/"


class GitlabRepository(ForgeRepository):
    """The distributions of one project, by its page or its URL in the API."""

    product = "GitLab"
    given = "it needs the scope `read_api`, and its user the role Reporter or more"
    missing = "Set CI_JOB_TOKEN"

    def __init__(self, settings: ReleasesSettings, upstream: Upstream) -> None:
        forge = Gitlab(upstream, url=url_of(settings.source), is_file=parse_filename)
        super().__init__(settings, upstream, forge, path=_project_of(forge.api))

    @contextmanager
    def open(self, file: Distribution) -> Iterator[Download]:
        try:
            with super().open(file) as download:
                yield download
        except StatusRefused as error:
            if Url.parse(file.where).origin != self._forge.api.origin:
                error.hint = (
                    f"The release {file.tag} links to another server, which gets no credentials of "
                    "this `[[releases]]`: put the file into the package registry of the project."
                )
            raise


create = GitlabRepository


def _project_of(api: Url) -> str:
    """Return the path of a project, or `projects/ID`, from its URL in the API."""
    root, _, project = api.parts.path.partition(_API)
    path = unquote(project)
    return f"{root}/{path}" if "/" in path else f"{root}/projects/{path}"
