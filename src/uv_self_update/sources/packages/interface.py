"""What every repository of packages can do, and which module makes that of each kind.

A new kind is one module in this directory with a function `create(settings, upstream)`.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from uv_self_update.errors import StatusRefused, UvSelfUpdateError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager

    from uv_self_update.config.releases import ReleasesSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Download
    from uv_self_update.releases.distribution import Distribution


_SHARED = dict.fromkeys(("listing", "s3", "directory"), "tree")


def path_of(path: str) -> str:
    """Return a decoded or encoded path as a repository has it."""
    names = (quote(unquote(name), safe="") for name in path.split("/") if name)
    return "/".join(names)


class PackageRepository(ABC):
    """The releases of one repository. Its methods may be called by several threads.

    They raise SourceError if the server cannot be used, or lacks what is requested.
    """

    name: str
    """Its name in messages."""

    host: str
    """Its host; its index is named after it."""

    path: str
    """Its path on that host, as in a URL, without a slash at either end; may be empty."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: tuple[Distribution, ...] | UvSelfUpdateError | None = None
        self.tags: set[str] = set()
        """The tags of its releases, as far as they are known."""

        self._by_tag: dict[str, tuple[Distribution, ...]] = {}
        self._by_tag_lock = threading.Lock()

    def distributions(self) -> Sequence[Distribution]:
        """Return every distribution. The server is asked once, also if that fails."""
        with self._lock:
            if self._all is None:
                try:
                    self._all = tuple(self.listed())
                except UvSelfUpdateError as error:
                    self._all = error
            if isinstance(self._all, UvSelfUpdateError):
                raise self._all
            return self._all

    def known(self) -> Sequence[Distribution] | None:
        """Return every distribution if they have been listed already."""
        return self._all if isinstance(self._all, tuple) else None

    def of_tag(self, tag: str) -> Sequence[Distribution]:
        """Return the distributions of one release, asking for no more than that where possible."""
        if self.known() is not None:
            return self._listed_of(tag)
        with self._by_tag_lock:
            files = self._by_tag.get(tag)
            if files is None:
                files = self._by_tag[tag] = tuple(self._asked_of(tag))
            return files

    def _asked_of(self, tag: str) -> Iterable[Distribution]:
        try:
            return tuple(self.tagged(tag))
        except StatusRefused as error:
            if not error.gone:
                raise
            # A tag that is missing and a repository that is hidden look the same: the list tells.
            return self._listed_of(tag)

    def _listed_of(self, tag: str) -> list[Distribution]:
        return [file for file in self.distributions() if file.tag == tag]

    def tagged(self, tag: str) -> Iterable[Distribution]:
        """Ask the server for one release; the list of all serves where it has no such request.

        Raises:
            StatusRefused: The release does not exist, among other reasons.
            SourceError: The server does not say.
        """
        return self._listed_of(tag)

    @abstractmethod
    def listed(self) -> Iterable[Distribution]:
        """Ask the server for every distribution."""

    @abstractmethod
    def open(self, file: Distribution) -> AbstractContextManager[Download]:
        """Begin to fetch a distribution."""

    def tail(self, file: Distribution, length: int) -> bytes | None:  # noqa: ARG002 # of the servers that can
        """Return the last `length` bytes of a distribution; None where the server sends no part."""
        return None


def build(settings: ReleasesSettings, upstream: Upstream) -> PackageRepository:
    """Make the repository of a `[[releases]]` whose settings have been validated."""
    kind = settings.source.kind
    # Imported by its name: a run needs one kind or two, and imports cost start-up time.
    module = import_module(f"uv_self_update.sources.packages.{_SHARED.get(kind, kind)}")
    repository: PackageRepository = module.create(settings, upstream)
    return repository
