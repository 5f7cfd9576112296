"""What the gateway needs of an installer; it knows no more of either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from uv_self_update.sources.order import Found


class ReleaseInstaller(Protocol):
    """Guards the files that the release's own installer replaces."""

    def begin(self, found: Found) -> None:
        """Keep what is about to be replaced.

        Raises:
            InstallError: It cannot be kept.
        """


class NativeInstaller(Protocol):
    """Stages a release by itself, and puts it in place."""

    def begin(self, found: Found) -> None:
        """Begin to fetch and stage a release; a second call changes nothing."""

    def finish(self, version: str) -> None:
        """Wait for the staging to end, and put the release in place.

        Raises:
            UvSelfUpdateError: It could not be fetched, or not be put in place.
        """
