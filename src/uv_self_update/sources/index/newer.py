"""Whether the user's index has a newer version of a program than this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uv_self_update.errors import SourceError, UvError
from uv_self_update.sources.index.uv_pip import UvPip

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_COMPILE = ["pip", "compile", "-", "--no-deps", "--no-header", "--no-annotate"]


class Programs:
    """The programs in the user's index, which need not be a source of uv."""

    def __init__(self, uv: Path, environ: Mapping[str, str]) -> None:
        self._uv = UvPip(uv, environ, name="the package index")

    def newer(self, name: str, version: str) -> str | None:
        """Return the newest version above one; None if the index has none, fails or is closed."""
        try:
            answer = self._uv.ask(_COMPILE, f"{name}>{version}")
        except (SourceError, UvError):
            return None
        return answer.output.strip().rpartition("==")[2] or None if answer.code == 0 else None

    def close(self) -> None:
        """Stop waiting for the index."""
        self._uv.close()
