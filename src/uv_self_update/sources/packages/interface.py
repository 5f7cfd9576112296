"""What every repository of packages can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from uv_self_update.network.responses import Download
    from uv_self_update.releases.distribution import Distribution


class PackageRepository(ABC):
    """The release pages of one repository."""

    name: str
    """What messages call it."""

    host: str
    """Its host, as the index of it is named."""

    path: str
    """Its path on that host, without a slash at either end."""

    @abstractmethod
    def distributions(self) -> Sequence[Distribution]:
        """Return every distribution; asked of the server once.

        Raises:
            SourceError: They cannot be listed.
        """

    @abstractmethod
    def find(self, tag: str, filename: str) -> Distribution | None:
        """Return one distribution, asking for no more than its release.

        Raises:
            SourceError: The server does not say.
        """

    @abstractmethod
    def open(self, file: Distribution) -> AbstractContextManager[Download]:
        """Begin to fetch a distribution.

        Raises:
            SourceError: It cannot be fetched.
        """

    @abstractmethod
    def tail(self, file: Distribution, length: int) -> bytes | None:
        """Return the last `length` bytes of a distribution; None where the server sends no part.

        Raises:
            SourceError: It cannot be fetched.
        """

    def tags(self) -> Sequence[str]:
        """Return the tags of its releases, as far as they are known already."""
        return ()
