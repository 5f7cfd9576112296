"""The options and the environment of one call, and what follows from them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.cli.terminal import Terminal
from uv_self_update.config import load as config
from uv_self_update.errors import NoHomeDirectory, UvNotFound
from uv_self_update.network.progress import SILENT, Progress
from uv_self_update.uv.executable import find_uv
from uv_self_update.uv.installation import Installation
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uv_self_update.config.settings import Options, Settings


@frozen
class Invocation:
    """One call of the command."""

    options: Options
    environ: Mapping[str, str] = field(repr=False)
    quiet: int = 0
    """The number of `-q`."""

    verbose: int = 0
    """The number of `-v`."""

    progress: Progress = SILENT
    """Is told what is being done."""

    terminal: Terminal = field(default_factory=lambda: Terminal((), os.environ))
    """Prints messages."""

    named_uv: str | None = None
    """The uv given by its path or name; None for the first on PATH."""

    def tell(self, text: object) -> None:
        """Print what was done, on stdout, unless `-q` was given."""
        if not self.quiet:
            print(text)  # noqa: T201 # the output of a command

    @property
    def known_user_file(self) -> Path | None:
        """The user configuration file, or the one given instead; None without a home directory."""
        return self.options.config or config.user_file(self.environ)

    @property
    def user_file(self) -> Path:
        """The same for commands that require it; raises NoHomeDirectory."""
        file = self.known_user_file
        if file is None:
            raise NoHomeDirectory
        return file

    def settings(self) -> Settings:
        """Resolve the settings; raises ConfigurationError or InvalidSource."""
        return config.resolve(
            options=self.options,
            environ=self.environ,
            user_file=self.known_user_file,
            site_file=config.site_file(),
        )

    def uv_or_name(self) -> Path:
        """Return the uv whose credential store may be asked; without one, its name."""
        try:
            return self.uv()
        except UvNotFound:
            return Path("uv")

    def uv(self) -> Path:
        """Find the uv to update; raises UvNotFound."""
        return find_uv(self.named_uv, self.environ, windows=os.name == "nt")

    def installation(self) -> Installation:
        """Find the uv to update; raises UvNotFound."""
        return Installation(uv=self.uv(), environ=self.environ)
