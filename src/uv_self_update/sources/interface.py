"""What every source of uv releases can do."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from uv_self_update.network.responses import Download
    from uv_self_update.releases.policy import Objection, Policy
    from uv_self_update.releases.release import Asset, Release
    from uv_self_update.releases.target import Wanted


class Source(ABC):
    """A place that holds uv releases."""

    name: str
    """What it is called in messages, without secrets."""

    @abstractmethod
    def find(self, wanted: Wanted) -> Release:
        """Return the newest release that is wanted and that there is for this platform.

        What the policy hides is not wanted.

        Raises:
            HiddenByPolicy: The source has nothing but what the policy hides.
            NoSuchVersion: The source works, but has none.
            SourceError: The source cannot be used.
        """

    @abstractmethod
    def releases(self, limit: int) -> tuple[Release, ...]:
        """Return the newest releases, at most `limit`, newest first, pre-releases among them.

        Each comes with its files, where the source can list them.

        Raises:
            SourceError: The source cannot be used.
        """

    def objection(self, release: Release, policy: Policy) -> Objection | None:
        """Return why the policy hides a release of this source; None if it may be taken.

        Raises:
            SourceError: The source cannot be used.
        """
        return policy.objection_to(release, now=time.time())

    def itself(self) -> Source:
        """Return the source that answers in the end.

        Raises:
            SourceError: It cannot be told which that is.
        """
        return self

    def close(self) -> None:  # noqa: B027 # most sources have nothing under way
        """End whatever is still under way; to be called from any thread."""


class ArchiveSource(Source):
    """A source that holds the files of uv's releases as they were published."""

    @abstractmethod
    def open(self, release: Release, asset: Asset) -> AbstractContextManager[Download]:
        """Begin to fetch one file.

        Raises:
            SourceError: The source cannot be used, or does not have the file.
        """


class WheelSource(Source):
    """A source that holds uv as wheels, which hold its executables and no installer."""

    @abstractmethod
    def unpack(self, release: Release, folder: Path) -> Path:
        """Lay what the wheel for this machine holds below a new folder.

        Returns:
            The folder below `folder` that holds the executables.

        Raises:
            SourceError: The source cannot be used, or the folder cannot be written.
            UnusableArchive: The wheel holds no executables.
        """
