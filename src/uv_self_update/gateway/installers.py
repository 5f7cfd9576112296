"""What the gateway needs of an installer; it knows no more of either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from uv_self_update.sources.order import Found


class ReleaseInstaller(Protocol):
    """Runs the release's own installer into a directory, and puts in place what it leaves there."""

    token: str | None
    """What the script shows to have its work put in place; None where there is no script."""

    def begin(self, found: Found, script: bytes) -> bytes:
        """Keep what the installer could replace, and return the script that runs it.

        Raises:
            InstallError: It cannot be kept, or the installer cannot be written.
        """

    def finish(self) -> None:
        """Put in place what the installer has laid ready.

        Raises:
            InstallError: It is not uv, or cannot be put in place.
        """

    def refuse_changed(self) -> None:
        """Make sure that the receipt was not changed since `begin`.

        Raises:
            ChangedMeanwhile: It was.
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
