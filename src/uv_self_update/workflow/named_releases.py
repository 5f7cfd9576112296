"""The repositories whose release files a command names by their URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uv_self_update.releases.release_urls import OF_KIND, page_of
from uv_self_update.uv.requirements import names_release

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.config.releases import ReleasesSettings
    from uv_self_update.uv.command import WrappedCommand
    from uv_self_update.workflow.packages_job import PackagesJob


def named_releases(job: PackagesJob, command: WrappedCommand) -> Sequence[ReleasesSettings]:
    """Return the repositories over https that have such URLs; none if no file reads like one."""
    releases = {
        one.source.url: one
        for one in job.releases
        if one.source.kind in OF_KIND and (one.source.url or "").startswith("https://")
    }
    directories = list(dict.fromkeys([job.directory, command.directory(job.directory)]))
    urls = {page_of(url): OF_KIND[one.source.kind].mark for url, one in releases.items() if url}
    named = urls and names_release(urls, command.words, directories, job.environ)
    return [*releases.values()] if named else []
