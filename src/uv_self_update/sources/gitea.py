"""`gitea`: releases of a Gitea or Forgejo repository, and its owner's generic packages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from uv_self_update.releases.digests import lone_sum
from uv_self_update.releases.release import Asset, stated_date, stated_digest, stated_size
from uv_self_update.sources.context import url_of
from uv_self_update.sources.forge import (
    Forge,
    ForgeSource,
    PackageVersion,
    asset_list,
)
from uv_self_update.sources.formats.documents import read_entries
from uv_self_update.sources.formats.entry import is_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.releases.release import Release
    from uv_self_update.sources.context import Context
    from uv_self_update.url import Url


_PACKAGES = re.compile(r"(?P<root>.*)/api/(?:v1/)?packages/(?P<owner>[^/]+)(?:/generic(?:/.*)?)?")


class Gitea(Forge):
    """One repository, `https://HOST[/PATH]/OWNER/REPO`, or the packages of `https://HOST/OWNER`.

    URLs of files are built from names, because those in the JSON may have a wrong host.
    """

    what = "such repository or owner"

    def __init__(self, upstream: Upstream, *, url: Url) -> None:
        path = url.parts.path.rstrip("/")
        if match := _PACKAGES.fullmatch(path):
            root, names = match["root"], [match["owner"]]
        else:
            above, _, last = path.rpartition("/")
            root, _, owner = above.rpartition("/")
            names = [owner, last] if owner else [last]
        owner = unquote(names[0])
        server = url.at(root)
        packages = server.below(("api", "packages", owner, "generic"))
        self.repository = unquote(names[1]).removesuffix(".git") if len(names) > 1 else None
        self._repository = (owner, str(self.repository))
        self._listed = server.below(("api", "v1", "packages", owner))
        self._releases = server.below(("api", "v1", "repos", *self._repository, "releases"))
        tags = self._releases.below(("tags",))
        super().__init__(upstream, api=server, tags=tags, packages=packages)

    def releases(self) -> Iterable[dict[str, Any]]:
        if self.repository is None:
            return ()
        query = "page=1&limit=50&draft=false"
        return self._entries(self._releases, query, "Gitea's list of releases")

    def release_files(self, tag: str, release: Mapping[str, Any]) -> Iterable[Asset] | None:
        assets = asset_list(release)
        if assets is None:
            return None
        downloads = self.api.below((*self._repository, "releases", "download", tag))
        return (
            Asset(
                name=name,
                where=downloads.below((name,)).text,
                size=stated_size(asset.get("size")),
                sha256=stated_digest(asset.get("digest")),
                modified=stated_date(asset.get("created_at")),
            )
            for asset in assets
            if isinstance(name := asset.get("name"), str) and is_name(name)
        )

    def packages(self, name: str) -> Iterator[PackageVersion]:
        query = f"page=1&limit=50&type=generic&q={quote(name, safe='')}"
        for entry in self._entries(self._listed, query, "Gitea's list of packages"):
            tag = entry.get("version")
            if entry.get("name") == name and isinstance(tag, str):
                yield PackageVersion(tag=tag, created=stated_date(entry.get("created_at")))

    def package_files(self, name: str, version: PackageVersion) -> list[Asset]:
        url = self._listed.below(("generic", name, version.tag, "files"))
        document = self._upstream.read(url, accept=self.accept)
        expected = "Gitea's files of a package"
        return [
            Asset(
                name=file,
                where=self.package_url(name, version.tag, file),
                size=stated_size(entry.get("size")),
                sha256=lone_sum(entry.get("sha256")),
                modified=version.created,
            )
            for entry in read_entries(iter([document.body]), document.url, expected=expected)
            if isinstance(entry, dict)
            if isinstance(file := entry.get("name"), str) and is_name(file)
        ]


class GiteaSource(ForgeSource):
    """The releases of uv in a repository, or in the packages of its owner."""

    hint = (
        "Gitea also answers 404 if a token is missing: set `token-env` to the name of a variable "
        "with a token that has the scope `read:repository` or `read:package`."
    )
    _forge: Gitea

    def __init__(self, settings: SourceSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._forge = Gitea(self._upstream, url=url_of(settings))

    def parts(self) -> Sequence[Callable[[], Iterator[Release]]]:
        """Return both lists; an owner has packages only."""
        return super().parts() if self._forge.repository is not None else (self._packages,)


create = GiteaSource
