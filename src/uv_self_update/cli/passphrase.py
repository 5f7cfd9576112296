"""The prompt for the passphrase of the client key."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from uv_self_update.redaction import Secret
from uv_self_update.values import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uv_self_update.config.settings import Settings


_STDIN, _STDERR = 0, 2


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
