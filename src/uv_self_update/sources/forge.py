"""The parts that forges share: a project has uv as releases, as a generic package, or both."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from uv_self_update.errors import NotFoundOrUnauthorized, StatusRefused
from uv_self_update.sources.catalog import DENIED, CatalogSource
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from uv_self_update.network.client import Upstream
    from uv_self_update.platforms import Platform
    from uv_self_update.releases.release import Release


ACCEPT = "application/json"
DEFAULT_PACKAGE = "uv"


@frozen
class PackageFile:
    """A file of a generic package."""

    name: str
    url: str
    size: int | None = None
    sha256: str | None = None
    created: str | None = None
    """RFC 3339, in UTC, if the server gives it for a file."""


class ForgeSource(CatalogSource):
    """One project of a forge.

    Args:
        upstream: The HTTP client.
        platform: The platform that uv runs on.
        api: The URL of the API, whose origin gets the credentials.
        package: The name of the generic package that contains uv.
    """

    what: str
    """The noun for a missing project, after `there is no`."""

    hint: str
    """The hint for a missing project."""

    def __init__(self, upstream: Upstream, platform: Platform, *, api: str, package: str) -> None:
        super().__init__(platform)
        self._upstream = upstream
        self._api = api
        self._package = package

    @abstractmethod
    def parts(self) -> Sequence[Callable[[], Iterator[Release]]]:
        """Return the lists of releases that a project may have, the preferred one first."""

    def listed(self) -> Iterator[Release]:
        """Return the releases of every list.

        A list may be disabled for a project or forbidden to these credentials. That is an error
        only if it applies to all of them.
        """
        parts = self.parts()
        refused: list[StatusRefused] = []
        for part in parts:
            try:
                yield from part()
            except StatusRefused as error:
                if not error.gone and error.status not in DENIED:
                    raise
                refused.append(error)
        if len(refused) < len(parts):
            return
        denied = [error for error in refused if not error.gone]
        if denied:
            raise denied[0]
        login = self._upstream.login_for(self._api) is not None
        raise NotFoundOrUnauthorized(refused[0], self.what, login=login, hint=self.hint)
