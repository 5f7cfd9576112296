"""The installers, as the gateway sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from uv_self_update.sources.order import Found


class ReleaseInstaller(Protocol):
    """Runs the release's own installer into a directory, and installs its files from there."""

    token: str | None
    """The token that the script sends to `finish`; None if there is no script."""

    def begin(self, found: Found, script: bytes, *, noted: Callable[[], None]) -> bytes:
        """Save what the installer could replace, and return the script; raises InstallError.

        `noted` is called as soon as changes of those files are noticed.
        """

    def finish(self) -> None:
        """Install the files that the release's installer wrote; raises InstallError."""

    def refuse_changed(self) -> None:
        """Raise ChangedMeanwhile if uv or its receipt has changed since `begin`."""


class NativeInstaller(Protocol):
    """Stages and installs a release without its installer."""

    def expect(self, found: Found) -> bool:
        """Start with a release that uv will request, as far as is known; return whether it will."""

    def begin(self, found: Found) -> None:
        """Start to fetch and stage a release; a second call does nothing."""

    def finish(self, version: str) -> None:
        """Wait for the staging, and install the release; raises UvSelfUpdateError."""
