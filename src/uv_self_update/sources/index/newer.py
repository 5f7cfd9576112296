"""Whether the user's index has a newer version of a program than this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uv_self_update.errors import SourceError, UvError

if TYPE_CHECKING:
    from uv_self_update.sources.index.uv_pip import UvPip

_COMPILE = ["pip", "compile", "-", "--no-deps", "--no-header", "--no-annotate"]


def newer(name: str, version: str, pip: UvPip) -> str | None:
    """Return the newest version of a package above one; None if the index has none, or fails."""
    try:
        answer = pip.ask(_COMPILE, f"{name}>{version}")
    except (SourceError, UvError):
        return None
    return answer.output.strip().rpartition("==")[2] or None if answer.code == 0 else None
