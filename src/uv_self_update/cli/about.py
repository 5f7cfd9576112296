"""Lines that only ask for help or the version: they are answered without the rest of the program.

The settings, the errors and the search for uv take as long to import as click does.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from uv_self_update.cli.options import COMMANDS, COMPLETION_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

_HELP = ("-h", "--help")
_VERSION = ("-V", "--version")


def answered(arguments: Sequence[str]) -> int | None:
    """Answer a line that asks about this program, and return the exit code; None for any other."""
    words = [*arguments[1:], "--help"] if arguments[:1] == ["help"] else [*arguments]
    if os.environ.get(COMPLETION_VARIABLE) or not _asks(*words):
        return None
    from uv_self_update.cli.commands import run  # noqa: PLC0415 # click is slow to import
    from uv_self_update.cli.encoding import lose_nothing  # noqa: PLC0415 # `main` does it as well

    lose_nothing()
    try:
        return run([word for word in words if word != "update"], None)
    except Exception as error:  # noqa: BLE001 # as in `main`
        from uv_self_update.cli.main import reported  # noqa: PLC0415 # slow
        from uv_self_update.cli.terminal import Terminal  # noqa: PLC0415 # slow

        return reported(error, arguments, Terminal(arguments, os.environ))


def _asks(*words: str) -> bool:
    *names, last = words or ("",)
    if not names:
        return last in (*_HELP, *_VERSION)
    # `config` is the one command that has commands.
    within = names[0] == "config" and names[1:] and not names[1].startswith("-")
    return names[0] in COMMANDS and last in _HELP and len(names) == (2 if within else 1)
