"""What every command is told: options, environment, and what follows from them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.config import load as config
from uv_self_update.errors import UvNotFound
from uv_self_update.uv.executable import find_uv

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uv_self_update.config.settings import Options, Settings


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """One call of the command."""

    options: Options
    environ: Mapping[str, str] = field(repr=False)
    named_uv: str | None = None
    """The uv that was asked for by a path or a name; None for the first on PATH."""

    @property
    def user_file(self) -> Path:
        """The file that is shown and changed: the user's, or the one named in its place."""
        return self.options.config or config.user_file(self.environ)

    def settings(self) -> Settings:
        """Decide every setting; raises ConfigurationError or InvalidSource."""
        return config.resolve(
            options=self.options,
            environ=self.environ,
            user_file=self.user_file,
            site_file=config.site_file(),
        )

    def uv_or_name(self) -> Path:
        """Return the uv whose credential store may be asked; without one, its name."""
        try:
            return self.uv()
        except UvNotFound:
            return Path("uv")

    def uv(self) -> Path:
        """Find the uv that this is about; raises UvNotFound."""
        return find_uv(self.named_uv, self.environ, windows=os.name == "nt")
