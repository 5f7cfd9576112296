"""Which packages the releases of repositories hold."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename

from uv_self_update.sources.opened import OpenSources
from uv_self_update.sources.packages.detection import examined
from uv_self_update.values import frozen
from uv_self_update.workflow.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from uv_self_update.config.releases import ReleasesSettings
    from uv_self_update.gateway.package_index import Served
    from uv_self_update.releases.distribution import Distribution
    from uv_self_update.workflow.packages_job import PackagesJob


@frozen
class PackageRow:
    """One version of one package."""

    project: str
    version: str
    release: str
    """The tag of its release."""

    uploaded: str | None
    platforms: tuple[str, ...]
    """The platform tags of its wheels, `any` among them; `sdist` for a source archive."""

    served: bool
    """Whether `packages` allows it."""

    repository: str
    index: str


def examine(job: PackagesJob, releases: ReleasesSettings) -> ReleasesSettings:
    """Return the settings of a repository, whose kind is detected if the user has named none.

    Raises:
        NoPackages: It holds no package.
        SourceError: It cannot be read.
    """
    sources = OpenSources(job.settings, uv=job.uv, environ=job.environ)
    with closing(sources):
        return examined(releases, sources.context.cautious)


def survey(job: PackagesJob) -> list[PackageRow]:
    """Return every version of every package, the newest of each package first.

    Raises:
        NotConfigured: No releases are configured.
        SourceError: A repository cannot be read.
    """
    with serving(job) as active:
        return [row for served in active.served for row in _rows(served)]


def _rows(served: Served) -> Iterable[PackageRow]:
    by_version: dict[tuple[str, object], list[Distribution]] = {}
    for file in served.repository.distributions():
        by_version.setdefault((file.project, file.version), []).append(file)
    versions = sorted(by_version.values(), key=lambda files: files[0].version, reverse=True)
    for files in sorted(versions, key=lambda files: files[0].project):
        first = files[0]
        yield PackageRow(
            project=first.project,
            version=str(first.version),
            release=first.tag,
            uploaded=first.uploaded,
            platforms=tuple(sorted({name for file in files for name in _platforms(file)})),
            served=served.claim.covers(first.project),
            repository=served.repository.name,
            index=served.index,
        )


def _platforms(file: Distribution) -> Sequence[str]:
    if not file.wheel:
        return ["sdist"]
    return sorted({tag.platform for tag in parse_wheel_filename(file.filename)[3]})
