"""The options and the environment of one call, and what follows from them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.cli.terminal import Terminal
from uv_self_update.config import load as config
from uv_self_update.errors import NoHomeDirectory, UvNotFound
from uv_self_update.network.progress import SILENT, Progress
from uv_self_update.redaction import Secret
from uv_self_update.uv.executable import find_uv
from uv_self_update.uv.installation import Installation
from uv_self_update.values import field, frozen, replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uv_self_update.config.settings import Options, Settings

_STDIN, _STDERR = 0, 2


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

    def unlocked_settings(self) -> Settings:
        """Resolve the settings for requests, which may take the passphrase of the client key."""
        return with_passphrase(self.settings(), self.environ)

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


def with_passphrase(settings: Settings, environ: Mapping[str, str]) -> Settings:
    """Prompt for the passphrase of the client key if it is encrypted and no passphrase is set.

    The prompt comes before uv is started, which would own the terminal. Without a terminal, there
    is no prompt.

    Raises:
        KeyboardInterrupt: The user interrupted the prompt.
    """
    if settings.network.passphrase is not None or not (os.isatty(_STDIN) and os.isatty(_STDERR)):
        return settings
    from uv_self_update.network.client_certificate import needs_passphrase  # noqa: PLC0415 # for a terminal only

    key = needs_passphrase(settings.network, environ)
    if key is None:
        return settings
    import click  # noqa: PLC0415 # slow, and few keys are encrypted

    try:
        typed = click.prompt(f"Passphrase of {key}", hide_input=True, err=True)
    except click.Abort:
        raise KeyboardInterrupt from None
    return replace(settings, network=replace(settings.network, passphrase=Secret(typed)))
