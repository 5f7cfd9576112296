"""Asks for what the client key is encrypted with, where there is somebody to ask."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from uv_self_update.redaction import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uv_self_update.config.settings import Settings


_STDIN, _STDERR = 0, 2


def with_passphrase(settings: Settings, environ: Mapping[str, str]) -> Settings:
    """Return settings with the passphrase that a person types, if one is needed and not set.

    It is asked for before uv is started: uv would have the terminal by then.

    Raises:
        KeyboardInterrupt: The person does not want to go on.
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
