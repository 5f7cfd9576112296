"""Where uv is kept, as a person names it: each kind in its usual shapes, with the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support import detection_servers as front
from support.simulator import github, gitlab, listing, objects, plain, repositories
from support.simulator.gitea import GiteaPackages, GiteaReleases
from support.simulator.index import Index

if TYPE_CHECKING:
    from support.simulator.dialect import Dialect

VERSIONS = ("0.10.1", "1.0.0rc1", "0.10.0", "0.9.9")
"""As they were published, a day apart."""

NEWEST = "0.10.1"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A server, the URL that a person has of it, and what that is."""

    name: str
    server: type[Dialect]
    setup: dict[str, object] = field(default_factory=dict)
    url: str = "{place}/"
    """The path of the URL; `{place}` is where the product has the releases."""

    kind: str
    found: str | None = None
    """The path of the URL that is configured, if it is another one."""

    because: str = ""
    """How the reason begins."""

    newest: str = NEWEST
    environ: dict[str, str] = field(default_factory=dict)


_LISTS = "it is a directory listing"
_REPOSITORY = "the path contains `/repository/`"
_ARTIFACTORY = "the path contains `/artifactory/`"
_GUESSED = "it responds as one"

ROWS = (
    # Package indexes.
    Row(name="index", server=Index, kind="index", because="the path ends in `simple`"),
    Row(name="index, no slash", server=Index, url="{place}", kind="index", found="{place}/"),
    Row(
        name="index, the page of uv",
        server=Index,
        url="{place}/uv/",
        kind="index",
        found="{place}/",
    ),
    Row(
        name="index, above `simple`",
        server=Index,
        setup={"before": ("pypi",)},
        url="/pypi/",
        kind="index",
        found="/pypi/simple/",
        because="it lists wheels",
    ),
    Row(
        name="index of Nexus", server=Index, setup={"before": ("repository", "pypi")}, kind="index"
    ),
    Row(
        name="index of Artifactory",
        server=Index,
        setup={"before": ("artifactory", "api", "pypi", "all")},
        url="/artifactory/api/pypi/all",
        kind="index",
        found="/artifactory/api/pypi/all/simple/",
    ),
    Row(name="devpi", server=front.Devpi, url="/company/uv/+simple/", kind="index"),
    Row(
        name="devpi, the page of the index",
        server=front.Devpi,
        kind="index",
        found="/company/uv/+simple/",
        because="the server is devpi",
    ),
    # GitHub.
    Row(name="github", server=github.Github, url="{place}", kind="github", because=_GUESSED),
    Row(
        name="github, Enterprise Server",
        server=front.GithubEnterprise,
        url="{place}",
        kind="github",
        because="the server is GitHub",
    ),
    Row(
        name="github, the page of the releases",
        server=front.GithubEnterprise,
        url="{place}/releases",
        kind="github",
        found="{place}",
    ),
    Row(
        name="github, the page of a release",
        server=front.GithubEnterprise,
        url="{place}/releases/tag/0.10.1",
        kind="github",
        found="{place}",
    ),
    # Where there is no list, the latest is what was published last.
    Row(
        name="github, files",
        server=front.GithubFiles,
        url="{place}",
        kind="github",
        newest="0.9.9",
    ),
    Row(
        name="github, files below a path",
        server=front.GithubFiles,
        setup={"before": ("mirrors", "github")},
        url="{place}",
        kind="github",
        newest="0.9.9",
    ),
    # Astral's own layout.
    Row(name="astral", server=plain.Astral, kind="astral", because="it has Astral's uv.ndjson"),
    Row(
        name="astral, below a path",
        server=plain.Astral,
        setup={"below": ("m", "uv")},
        kind="astral",
    ),
    Row(
        name="astral, the file itself",
        server=plain.Astral,
        setup={"below": ("m",)},
        url="{place}/github/versions/main/v1/uv.ndjson",
        kind="astral",
        found="{place}/",
    ),
    # Web servers.
    Row(
        name="nginx",
        server=listing.NginxHtml,
        setup={"below": ("uv",)},
        kind="listing",
        because=_LISTS,
    ),
    Row(name="nginx, JSON", server=listing.NginxJson, kind="listing", because=_LISTS),
    Row(
        name="nginx, no slash",
        server=listing.NginxHtml,
        setup={"below": ("uv",)},
        url="{place}",
        kind="listing",
    ),
    Row(
        name="nginx, with a `v`",
        server=listing.NginxHtml,
        setup={"layout": "tagged"},
        kind="listing",
    ),
    Row(name="nginx, flat", server=listing.NginxHtml, setup={"layout": "flat"}, kind="listing"),
    Row(
        name="nginx, releases/download",
        server=listing.NginxHtml,
        setup={"layout": "download"},
        kind="listing",
    ),
    Row(
        name="nginx, inside releases/download",
        server=listing.NginxHtml,
        setup={"layout": "download"},
        url="/releases/download/",
        kind="listing",
    ),
    Row(name="nginx, one version", server=listing.NginxHtml, url="/0.10.1/", kind="listing"),
    Row(
        name="nginx, the page",
        server=listing.NginxHtml,
        url="/index.html",
        kind="listing",
        found="/",
    ),
    Row(name="Apache", server=listing.ApachePlain, kind="listing", because=_LISTS),
    Row(name="Apache, fancy", server=listing.ApacheFancy, kind="listing", because=_LISTS),
    Row(name="Apache, table", server=listing.ApacheTable, kind="listing", because=_LISTS),
    Row(name="Caddy", server=listing.CaddyHtml, kind="listing", because=_LISTS),
    Row(name="Caddy, JSON", server=listing.CaddyJson, kind="listing", because=_LISTS),
    Row(name="Python", server=listing.PythonServer, kind="listing", because=_LISTS),
    Row(name="IIS", server=listing.Iis, kind="listing", because=_LISTS),
    # Nexus.
    Row(name="Nexus", server=repositories.Nexus, kind="nexus", because=_REPOSITORY),
    Row(
        name="Nexus, a folder",
        server=repositories.Nexus,
        setup={"below": ("tools", "uv")},
        kind="nexus",
    ),
    Row(name="Nexus, no right to browse", server=repositories.NexusSearch, kind="nexus"),
    Row(name="Nexus, proxy", server=repositories.NexusProxy, kind="nexus"),
    Row(
        name="Nexus, below a path",
        server=repositories.Nexus,
        setup={"before": ("nexus",)},
        kind="nexus",
    ),
    Row(
        name="Nexus, the page to browse",
        server=repositories.Nexus,
        url="/service/rest/repository/browse/uv/",
        kind="nexus",
        found="{place}/",
    ),
    Row(
        name="Nexus, the page of its UI",
        server=repositories.Nexus,
        url="/#browse/browse:uv:0.10.1%2Fuv-installer.sh",
        kind="nexus",
        found="{place}/",
    ),
    # Artifactory.
    Row(
        name="Artifactory",
        server=repositories.Artifactory,
        kind="artifactory",
        because=_ARTIFACTORY,
    ),
    Row(name="Artifactory, virtual", server=repositories.ArtifactoryVirtual, kind="artifactory"),
    Row(name="Artifactory, remote", server=repositories.ArtifactoryRemote, kind="artifactory"),
    Row(
        name="Artifactory, no slash",
        server=repositories.ArtifactoryRemote,
        url="{place}",
        kind="artifactory",
    ),
    Row(name="Artifactory, proxy", server=repositories.ArtifactoryProxy, kind="artifactory"),
    Row(
        name="Artifactory, the page of its UI",
        server=repositories.ArtifactoryRemote,
        setup={"below": ("tools",)},
        url="/ui/repos/tree/General/uv-remote/tools",
        kind="artifactory",
        found="{place}",
    ),
    Row(
        name="Artifactory, its API",
        server=repositories.Artifactory,
        url="/artifactory/api/storage/uv-local/",
        kind="artifactory",
        found="{place}/",
    ),
    Row(
        name="Artifactory behind a proxy",
        server=front.ArtifactoryAtRoot,
        kind="artifactory",
        because="the server is Artifactory",
    ),
    Row(
        name="Artifactory behind a proxy, remote",
        server=front.RemoteAtRoot,
        kind="artifactory",
        because="the server is Artifactory",
    ),
    # GitLab.
    Row(
        name="GitLab, packages",
        server=gitlab.GitlabPackages,
        url="{place}",
        kind="gitlab",
        because=_GUESSED,
    ),
    Row(name="GitLab, releases", server=gitlab.GitlabReleases, url="{place}", kind="gitlab"),
    Row(
        name="GitLab, groups in groups",
        server=front.Gitlab,
        setup={"below": ("tools", "mirrors")},
        kind="gitlab",
        because="the server is GitLab",
    ),
    Row(
        name="GitLab, the page of its packages",
        server=front.Gitlab,
        url="{place}/-/packages",
        kind="gitlab",
        found="{place}",
    ),
    Row(
        name="GitLab, its API",
        server=gitlab.GitlabReleases,
        url="/api/v4/projects/278964/releases",
        kind="gitlab",
        because="the path is one of GitLab's API",
    ),
    # Gitea and Forgejo.
    Row(
        name="Gitea, releases", server=GiteaReleases, url="{place}", kind="gitea", because=_GUESSED
    ),
    Row(
        name="Gitea, packages of a repository's owner",
        server=front.Gitea,
        kind="gitea",
        because="it is a page of Gitea",
    ),
    Row(name="Gitea, an owner", server=GiteaPackages, url="/platform", kind="gitea"),
    Row(
        name="Gitea, the page of a package",
        server=GiteaPackages,
        url="/platform/-/packages/generic/uv/0.10.1",
        kind="gitea",
        found="/platform",
    ),
    Row(
        name="Gitea, its API",
        server=GiteaPackages,
        url="/api/packages/platform/generic/uv",
        kind="gitea",
        because="the path is one of Gitea's API",
    ),
    Row(
        name="Forgejo",
        server=front.Forgejo,
        url="{place}",
        kind="gitea",
        because="it is a page of Gitea",
    ),
    Row(
        name="Forgejo, the page of the releases",
        server=front.Forgejo,
        url="{place}/releases",
        kind="gitea",
        found="{place}",
    ),
    # Object stores.
    Row(name="S3, by path", server=objects.S3Path, kind="s3"),
    Row(name="S3, by host", server=objects.S3Host, kind="s3"),
    Row(name="S3, a prefix", server=objects.S3Path, setup={"below": ("tools", "uv")}, kind="s3"),
    Row(name="Azure", server=objects.Azure, kind="s3"),
    Row(name="Azure, signed", server=objects.AzureSigned, url="{section}", kind="s3"),
)


@dataclass(frozen=True, kw_only=True)
class Hosted:
    """A server on a host that is known by its name."""

    name: str
    server: type[Dialect]
    before: tuple[str, ...] = ()
    url: str
    kind: str
    found: str | None = None
    """The URL that is configured, if it is another one."""


HOSTED = (
    Hosted(
        name="GitHub",
        server=front.GithubDotCom,
        url="http://github.com/acme/tools",
        kind="github",
    ),
    Hosted(
        name="GitHub, the page of the releases",
        server=front.GithubDotCom,
        url="http://github.com/acme/tools/releases/latest",
        kind="github",
        found="http://github.com/acme/tools",
    ),
    Hosted(
        name="Enterprise Server",
        server=github.Github,
        url="http://github.example.com/acme/tools",
        kind="github",
    ),
    Hosted(
        name="GitLab",
        server=gitlab.GitlabReleases,
        url="http://gitlab.example.com/platform/uv",
        kind="gitlab",
    ),
    Hosted(
        name="Codeberg",
        server=GiteaReleases,
        url="http://codeberg.org/platform/uv",
        kind="gitea",
    ),
    Hosted(
        name="S3",
        server=objects.S3Host,
        url="http://mirror.s3.eu-central-1.amazonaws.com/",
        kind="s3",
    ),
    Hosted(
        name="S3, by path",
        server=objects.S3Path,
        url="http://s3.eu-central-1.amazonaws.com/mirror/",
        kind="s3",
    ),
    Hosted(
        name="Google",
        server=objects.S3Path,
        url="http://storage.googleapis.com/mirror/",
        kind="s3",
    ),
    Hosted(
        name="Azure",
        server=objects.Azure,
        url="http://acme.blob.core.windows.net/mirror",
        kind="s3",
    ),
    Hosted(
        name="JFrog",
        server=repositories.ArtifactoryRemote,
        url="http://acme.jfrog.io/artifactory/uv-remote/",
        kind="artifactory",
    ),
    Hosted(
        name="JFrog, an index",
        server=Index,
        before=("artifactory", "api", "pypi", "all"),
        url="http://acme.jfrog.io/artifactory/api/pypi/all/simple/",
        kind="index",
    ),
)
