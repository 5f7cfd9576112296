"""Every kind of `[[releases]]` in every dialect that it has to understand: a new one is one row."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from support.catalogue import Catalogue, File, Published
from support.simulator import gitlab, listing, objects, plain
from support.simulator.dialect import PASSWORD, Setup
from support.simulator.gitea import GiteaPackages, GiteaReleases
from support.simulator.packages import wheel
from support.simulator.server import Simulator
from support.urls import text_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from support.simulator.dialect import Dialect

DATE = datetime(2026, 9, 1, 12, tzinfo=UTC)
OLD = dict([wheel("internal-package", "1.0.0"), wheel("internal-dep", "1.0.0")])
NEW = dict([wheel("internal-package", "1.1.0", requires=["internal-dep", "iniconfig"])])
FILES = {**OLD, **NEW}


@dataclass(frozen=True, kw_only=True)
class PackageKind:
    """One kind of repository in one dialect."""

    name: str
    dialect: type[Dialect]
    index: str
    """The path of its index."""

    setup: Mapping[str, object] = field(default_factory=dict)
    keys: Sequence[str] = ()
    """More keys of its `[[releases]]`."""

    slow: bool = False

    @property
    def detectable(self) -> bool:
        """Whether its URL says enough: a generic package has to be named."""
        return PACKAGE[0] not in self.keys

    @property
    def kind(self) -> str:
        """The name of its kind."""
        return self.dialect.kind

    def simulator(
        self, catalogue: Catalogue, folder: Path, *, context: ssl.SSLContext | None = None
    ) -> Simulator:
        """Return a server that is yet to be started; with a context, it speaks TLS."""
        setup = replace(Setup(folder=folder), **self.setup)  # type: ignore[arg-type] # the fields of a table
        return Simulator(self.dialect(catalogue, setup), context=context)

    def table(self, simulator: Simulator, *keys: str) -> str:
        """Return what a user configures."""
        section = simulator.dialect.section(simulator.place)
        place = f'path = "{section.path}"' if section.path else f'url = "{text_of(section.url)}"'
        return "\n".join(["[[releases]]", f'kind = "{self.kind}"', place, *self.keys, *keys])

    def index_of(self, simulator: Simulator) -> str:
        """Return the stable URL of its index."""
        host = simulator.url.removeprefix("http://").replace(":", ".")
        if self.kind == "directory":
            host = "directory"
        return f"http://{host}.uv-self-update.invalid/{self.index}simple/"

    def spec(self, simulator: Simulator) -> str:
        """Return the same for the command line."""
        section = simulator.dialect.section(simulator.place)
        return f"{self.kind}+{section.path or text_of(section.url)}"


TOKEN = ('token-env = "FORGE_TOKEN"',)
PACKAGE = ('package = "uv"',)

ROWS = (
    PackageKind(
        name="gitlab-releases",
        dialect=gitlab.GitlabReleases,
        index="platform/uv/",
        setup={"login": True},
        keys=TOKEN,
    ),
    PackageKind(
        name="gitlab-links",
        dialect=gitlab.GitlabLinks,
        index="platform/uv/",
        slow=True,
    ),
    PackageKind(
        name="gitlab-package",
        dialect=gitlab.GitlabPackages,
        index="platform/uv/",
        setup={"login": True},
        keys=(*TOKEN, *PACKAGE),
        slow=True,
    ),
    PackageKind(
        name="gitea-releases",
        dialect=GiteaReleases,
        index="platform/uv/",
        setup={"login": True},
        keys=TOKEN,
    ),
    PackageKind(
        name="gitea-package",
        dialect=GiteaPackages,
        index="platform/uv/",
        setup={"login": True},
        keys=(*TOKEN, *PACKAGE),
        slow=True,
    ),
    PackageKind(
        name="listing-versions",
        dialect=listing.NginxHtml,
        index="wheels/",
        setup={"below": ("wheels",)},
    ),
    PackageKind(name="listing-json", dialect=listing.NginxJson, index="", slow=True),
    PackageKind(
        name="listing-flat",
        dialect=listing.ApacheTable,
        index="our%20wheels/",
        setup={"layout": "single", "below": ("our wheels",)},
        slow=True,
    ),
    PackageKind(name="listing-python", dialect=listing.PythonServer, index="", slow=True),
    PackageKind(
        name="s3-path",
        dialect=objects.S3Path,
        index="mirror/deep/",
        setup={"below": ("deep",), "page": 2},
    ),
    PackageKind(name="s3-host", dialect=objects.S3Host, index="", slow=True),
    PackageKind(name="s3-azure-signed", dialect=objects.AzureSigned, index="mirror/", slow=True),
    PackageKind(name="directory-versions", dialect=plain.Directory, index="wheels/"),
    PackageKind(
        name="directory-flat",
        dialect=plain.Directory,
        index="ours/",
        setup={"layout": "single"},
        keys=('name = "ours"',),
        slow=True,
    ),
)


def published(version: str, files: Mapping[str, bytes]) -> Published:
    """Return a release of files."""
    return Published(
        version=version,
        date=DATE,
        files=tuple(
            File(
                name=name,
                content=content,
                sha256=hashlib.sha256(content).hexdigest(),
                date=DATE,
            )
            for name, content in files.items()
        ),
    )


def holding() -> Catalogue:
    """Return two releases of internal packages."""
    return Catalogue(releases=(published("1.0.0", OLD), published("1.1.0", NEW)))


ENVIRON = {"FORGE_TOKEN": PASSWORD}
