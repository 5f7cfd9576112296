"""What forges have in common: a project keeps uv as releases, as a generic package, or both."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from uv_self_update.errors import NotFoundOrUnauthorized, StatusRefused
from uv_self_update.sources.catalog import CatalogSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from uv_self_update.network.client import Upstream
    from uv_self_update.platforms import Platform
    from uv_self_update.releases.release import Release


ACCEPT = "application/json"
_DENIED = {401, 403}


class ForgeSource(CatalogSource):
    """One project of a forge."""

    what: str
    """What is missing where the forge knows of none, after `there is no`."""

    hint: str
    """What to try then."""

    def __init__(self, upstream: Upstream, platform: Platform, *, api: str, package: str) -> None:
        """Prepare; nothing is asked yet.

        Args:
            upstream: The client.
            platform: Where uv runs.
            api: The URL that a login is for.
            package: The name of the generic package that holds uv.
        """
        super().__init__(platform)
        self._upstream = upstream
        self._api = api
        self._package = package

    @abstractmethod
    def parts(self) -> Sequence[Callable[[], Iterator[Release]]]:
        """Return the lists that there may be, the one to be preferred first."""

    def listed(self) -> Iterator[Release]:
        """Return what every list has; see CatalogSource.

        Each may be switched off for a project, or not be open to this login: that is an error only
        if it is true of all.
        """
        parts = self.parts()
        refused: list[StatusRefused] = []
        for part in parts:
            try:
                yield from part()
            except StatusRefused as error:
                if not error.gone and error.status not in _DENIED:
                    raise
                refused.append(error)
        if len(refused) < len(parts):
            return
        denied = [error for error in refused if not error.gone]
        if denied:
            raise denied[0]
        login = self._upstream.login_for(self._api) is not None
        raise NotFoundOrUnauthorized(refused[0], self.what, login=login, hint=self.hint)
