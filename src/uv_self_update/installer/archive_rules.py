"""What no archive of uv's contains: other members than files, and more bytes than uv has."""

from __future__ import annotations

import re

METADATA = 256 << 10
"""The limit for the metadata of all members, in bytes; uv's have some hundred each."""

_SHOWN = 80  # characters of a member's path


class Refused(Exception):
    """An archive is not one of uv's; the message gives the reason."""

    @classmethod
    def member(cls, path: str, what: str) -> Refused:
        """Refuse an archive because of one member."""
        shown = path if len(path) <= _SHOWN else f"{path[:_SHOWN]}…"
        return cls(f"`{shown}` in it {what}")

    @classmethod
    def metadata(cls) -> Refused:
        """Refuse an archive because of the size of its metadata."""
        return cls("its metadata exceeds the size limit")


class Room:
    """The unpacked bytes that an archive may still have."""

    def __init__(self, size: int) -> None:
        self._size = self._left = size

    def take(self, size: int) -> None:
        """Count bytes before they are unpacked.

        Raises:
            Refused: There are too many.
        """
        self._left -= size
        if self._left < 0:
            raise Refused(f"it contains more than {self._size:,} bytes")  # noqa: TRY003, EM102 # one place raises it


def refuse_path(path: str) -> None:
    """Refuse a path that leads out of the archive on any system.

    Raises:
        Refused: It does.
    """
    parts = re.split(r"[/\\]", path)
    if parts[0] == "" or ":" in path or ".." in parts:
        raise Refused.member(path, "leads out of it")
