"""An update to run, and its result."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from uv_self_update.network.progress import SILENT, Progress
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from uv_self_update.config.settings import Settings
    from uv_self_update.errors import UvSelfUpdateError
    from uv_self_update.uv.arguments import Arguments
    from uv_self_update.uv.installation import Installation


@frozen
class Job:
    """One update to run."""

    installation: Installation
    """The uv to update."""

    arguments: Arguments
    settings: Settings

    user: Installation | None = None
    """The uv that an index is asked through, in the environment that the sources work in; None for
    the one that is updated.
    """

    output: IO[bytes] | None = None
    """Where uv writes; None for our own terminal."""

    progress: Progress = SILENT
    """Is told of each download."""


@frozen
class Outcome:
    """The result of an update."""

    exit_code: int
    """Of uv."""

    received: int | None = None
    """The signal that this process received meanwhile."""

    failures: tuple[UvSelfUpdateError, ...] = ()
    """The errors behind the gateway, in order."""

    told: tuple[UvSelfUpdateError, ...] = ()
    """The failures that uv has printed itself, as an installer's output."""

    asked: bool = False
    """Whether uv has sent a request to the gateway."""

    updated: bool = False
    """Whether uv was replaced."""

    replaced: str | None = None
    """The version that was put in place, even if uv failed then."""

    ours: bool = True
    """Whether our own installer was used; a release's may go on after uv has ended."""

    transferred: int = 0
    """Bytes of uv that were downloaded."""
