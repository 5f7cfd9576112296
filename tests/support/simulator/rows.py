"""Every kind of source in every dialect that it has to understand: a new one is one row."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from support import binaries
from support.catalogue import script
from support.simulator import github, gitlab, listing, objects, plain, repositories
from support.simulator.dialect import PASSWORD, USER
from support.simulator.gitea import GiteaPackages, GiteaReleases
from support.simulator.index import Index
from support.simulator.server import Simulator
from uv_self_update import platforms
from uv_self_update.config.settings import Network, Settings
from uv_self_update.releases.digests import DigestRules
from uv_self_update.releases.target import NEWEST
from uv_self_update.sources.formats.documents import checked
from uv_self_update.sources.interface import ArchiveSource, WheelSource
from uv_self_update.sources.opened import OpenSources

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.catalogue import Catalogue
    from support.homes import Home
    from support.simulator.dialect import Dialect, Setup
    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.releases.target import Wanted
    from uv_self_update.sources.order import Found

_PATIENCE = 10.0  # seconds, where nothing is to be waited for


@dataclass(frozen=True, kw_only=True)
class Row:
    """One kind of source in one dialect."""

    name: str
    dialect: type[Dialect]
    setup: dict[str, object] = field(default_factory=dict)
    """What of its setup is always so."""

    @property
    def kind(self) -> str:
        """What the source is called."""
        return self.dialect.kind

    @property
    def file(self) -> str:
        """How the name of what is downloaded ends."""
        return ".whl" if self.kind == "index" else platforms.current().archive

    def simulator(self, catalogue: Catalogue, setup: Setup) -> Simulator:
        """Return a server that is yet to be started."""
        return Simulator(self.dialect(catalogue, replace(setup, **self.setup)))  # type: ignore[arg-type] # the fields of a table


ROWS = (
    Row(name="index", dialect=Index),
    Row(name="urls-json", dialect=plain.UrlsJson),
    Row(name="urls-ndjson", dialect=plain.UrlsNdjson),
    Row(name="urls-text", dialect=plain.UrlsText),
    Row(name="github", dialect=github.Github),
    Row(name="github-without-digests", dialect=github.GithubWithoutDigests),
    Row(name="github-private", dialect=github.GithubPrivate, setup={"login": True}),
    Row(name="astral", dialect=plain.Astral),
    Row(name="listing-nginx", dialect=listing.NginxHtml),
    Row(name="listing-nginx-json", dialect=listing.NginxJson),
    Row(name="listing-apache", dialect=listing.ApachePlain),
    Row(name="listing-apache-fancy", dialect=listing.ApacheFancy),
    Row(name="listing-apache-table", dialect=listing.ApacheTable),
    Row(name="listing-caddy", dialect=listing.CaddyHtml),
    Row(name="listing-caddy-json", dialect=listing.CaddyJson),
    Row(name="listing-python", dialect=listing.PythonServer),
    Row(name="listing-iis", dialect=listing.Iis),
    Row(name="listing-tagged", dialect=listing.NginxHtml, setup={"layout": "tagged"}),
    Row(name="listing-download", dialect=listing.ApacheTable, setup={"layout": "download"}),
    Row(name="listing-flat", dialect=listing.NginxHtml, setup={"layout": "flat"}),
    Row(name="nexus", dialect=repositories.Nexus),
    Row(name="nexus-astral", dialect=repositories.Nexus, setup={"layout": "astral"}),
    Row(name="nexus-search", dialect=repositories.NexusSearch),
    Row(name="nexus-proxy", dialect=repositories.NexusProxy),
    Row(name="artifactory", dialect=repositories.Artifactory),
    Row(name="artifactory-virtual", dialect=repositories.ArtifactoryVirtual),
    Row(name="artifactory-remote", dialect=repositories.ArtifactoryRemote),
    Row(name="artifactory-proxy", dialect=repositories.ArtifactoryProxy),
    Row(name="gitlab-packages", dialect=gitlab.GitlabPackages),
    Row(name="gitlab-releases", dialect=gitlab.GitlabReleases),
    Row(name="gitlab-links", dialect=gitlab.GitlabLinks),
    Row(name="gitea-packages", dialect=GiteaPackages),
    Row(name="gitea-releases", dialect=GiteaReleases),
    Row(name="s3-path", dialect=objects.S3Path),
    Row(name="s3-host", dialect=objects.S3Host),
    Row(name="s3-azure", dialect=objects.Azure),
    Row(name="s3-azure-signed", dialect=objects.AzureSigned),
    Row(name="directory", dialect=plain.Directory),
    Row(name="directory-download", dialect=plain.Directory, setup={"layout": "download"}),
)

SERVERS = (
    GiteaReleases,
    github.Github,
    gitlab.GitlabPackages,
    gitlab.GitlabReleases,
    listing.NginxHtml,
    objects.S3Path,
    plain.Astral,
    plain.UrlsJson,
    repositories.Artifactory,
    repositories.Nexus,
)
"""What has archives, in one dialect or two of each kind."""


@dataclass(frozen=True, kw_only=True)
class User:
    """Somebody who has configured one simulated server, and nothing else."""

    row: Row
    simulator: Simulator
    home: Home

    @property
    def dialect(self) -> Dialect:
        """What the server speaks."""
        return self.simulator.dialect

    def section(self, *, slash: bool = False, password: str | None = None) -> SourceSettings:
        """Return the source as it is configured.

        Args:
            slash: Whether the URL ends with one.
            password: What stands in the URL beside the user; None for no login.
        """
        place = self.simulator.place + ("/" if slash else "")
        if password is not None:
            place = place.replace("://", f"://{USER}:{quote(password, safe='')}@", 1)
        return self.dialect.section(place)

    @contextmanager
    def sources(
        self, *, slash: bool = False, password: str | None = None, timeout: float = _PATIENCE
    ) -> Iterator[OpenSources]:
        """Open the source; with a login where the server always wants one."""
        environ = {"UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": str(max(1, round(timeout)))}
        variable = self.dialect.token_in
        if self.dialect.setup.login and password is None:
            password = PASSWORD
        if variable is not None:
            environ[variable] = password or ""
            password = None
        uv = "uv"
        if self.row.kind == "index":
            uv = str(binaries.executables(binaries.newest()) / "uv")
        settings = Settings(
            sources=(self.section(slash=slash, password=password),),
            network=Network(timeout=timeout, retries=0),
        )
        environ = self.home.full_environ(environ)
        with closing(OpenSources(settings, uv=self.home.path / uv, environ=environ)) as opened:
            yield opened

    def find(self, wanted: Wanted = NEWEST, *, slash: bool = False) -> str:
        """Return the version that is found."""
        with self.sources(slash=slash) as opened:
            return opened.find(wanted).release.version

    def obtain(
        self,
        wanted: Wanted = NEWEST,
        *,
        slash: bool = False,
        password: str | None = None,
        timeout: float = _PATIENCE,
    ) -> bytes:
        """Return what is installed in the end: the bytes of the archive, or of the program."""
        with self.sources(slash=slash, password=password, timeout=timeout) as opened:
            return fetch(opened.find(wanted), self.home.path)


def fetch(found: Found, folder: Path, name: str | None = None) -> bytes:
    """Return a file of a release, by default this machine's archive; or the program of a wheel."""
    source, release = found.source, found.release
    if isinstance(source, WheelSource):
        return (source.unpack(release, folder) / "uv").read_bytes()
    assert isinstance(source, ArchiveSource)
    asset = release.asset(name or platforms.current().archive)
    assert asset is not None
    with source.open(release, asset) as download:
        return b"".join(checked(download, asset, version=release.version, rules=DigestRules()))


def published(row: Row, catalogue: Catalogue, version: str) -> bytes:
    """Return what `fetch` is due to return."""
    if row.kind == "index":
        return script(version)
    return catalogue[version][platforms.current().archive].content


def trouble(error: BaseException) -> str:
    """Return all that a person is told."""
    return f"{error}\n{getattr(error, 'hint', '')}"
