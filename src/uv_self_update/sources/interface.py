"""The interface of a source of uv releases."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from uv_self_update.network.responses import Download
    from uv_self_update.platforms import Platform
    from uv_self_update.releases.policy import Objection, Policy
    from uv_self_update.releases.release import Asset, Release
    from uv_self_update.releases.target import Wanted


class Source(ABC):
    """A place that holds uv releases.

    Its methods raise SourceError if it cannot be used, or lacks what is requested.
    """

    name: str
    """The name in messages, without secrets."""

    @abstractmethod
    def find(self, wanted: Wanted) -> Release:
        """Return the newest wanted release for this platform that the policy allows.

        Raises:
            HiddenByPolicy: The policy hides every wanted release.
            NoSuchVersion: The source works, but has no wanted release.
            SourceError: The source cannot be used.
        """

    @abstractmethod
    def releases(self, limit: int) -> tuple[Release, ...]:
        """Return the newest releases, at most `limit`, newest first, including pre-releases.

        Each release has its files if the source can list them.

        Raises:
            NoSuchVersion: The source has no release, and knows the reason.
            SourceError: The source cannot be used.
        """

    def prepare(self, wanted: Wanted, installed: str) -> None:  # noqa: B027 # most need uv to ask
        """Begin to fetch what `find` and a download are going to return, in the background.

        Args:
            wanted: The requested version, with the policy.
            installed: The version that is updated, which may turn out to be another one.
        """

    def list_ahead(self) -> None:  # noqa: B027 # uv lists an index, and a detected kind is not known
        """Begin to request what `find` reads first to find the newest release."""

    def objection(self, release: Release, policy: Policy) -> Objection | None:
        """Return why the policy hides a release of this source; None if it is allowed."""
        return policy.objection_to(release, now=time.time())

    def itself(self) -> Source:
        """Return the source that a composite source delegates to."""
        return self

    def close(self) -> None:  # noqa: B027 # most sources have nothing to close
        """Stop running requests; safe to call from any thread."""


class Composite(Source):
    """A source that delegates to another one, which is determined by its first use."""

    @cached_property
    @abstractmethod
    def chosen(self) -> Source:
        """The source to use."""

    def itself(self) -> Source:
        return self.chosen

    def find(self, wanted: Wanted) -> Release:
        return self.itself().find(wanted)

    def releases(self, limit: int) -> tuple[Release, ...]:
        return self.itself().releases(limit)

    def objection(self, release: Release, policy: Policy) -> Objection | None:
        return self.itself().objection(release, policy)

    def close(self) -> None:
        if "chosen" in self.__dict__:
            self.chosen.close()


class ArchiveSource(Source):
    """A source of uv's release files: archives and installers."""

    def listing(self, limit: int) -> tuple[Release, ...]:
        """Return the newest releases as the list has them; `with_files` adds what it omits.

        Raises:
            NoSuchVersion: The source has no release, and knows the reason.
            SourceError: The source cannot be used.
        """
        return self.releases(limit)

    def with_files(self, release: Release) -> Release:
        """Return a release of `listing` with its files, for a source whose list omits them."""
        return release

    @abstractmethod
    def open(self, release: Release, asset: Asset) -> AbstractContextManager[Download]:
        """Open one file for download."""


class WheelSource(Source):
    """A source of uv's wheels, which contain the executables and no installer."""

    @abstractmethod
    def unpack(self, release: Release, directory: Path) -> Path:
        """Unpack the wheel for this machine into a new directory.

        Returns:
            The directory below `directory` that contains the executables.

        Raises:
            SourceError: The source cannot be used, or the directory cannot be written.
            UnusableArchive: The wheel contains no executables.
        """

    @abstractmethod
    def unpack_for(self, release: Release, platform: Platform, directory: Path) -> Path:
        """Unpack the wheel for another platform into a new directory; see `unpack`.

        Raises:
            NoArchive: The source has no wheel for the platform.
            SourceError: The source cannot be used, or the directory cannot be written.
            UnusableArchive: The wheel contains no executables.
        """

    @abstractmethod
    def digest_algorithm(self, release: Release) -> str | None:
        """Return the algorithm of the digests of a release's wheels; None without digests."""

    @abstractmethod
    def dated(self, release: Release) -> bool:
        """Return whether the source gives the publication date of a release."""
