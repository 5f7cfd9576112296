"""`python -m uv_self_update`, and what `uv-self-update` runs."""

from __future__ import annotations

import gc
import sys

_SELDOM = 100_000
"""New objects before Python looks for garbage; all the imports of an update make fewer."""


def main() -> int:
    """Run the command line in a process of its own, and return the exit code.

    A sixth of the time that this package adds to uv's would be spent looking for garbage among
    modules and classes that live until the end: while they are made, and once more at exit.
    """
    gc.set_threshold(_SELDOM)
    from uv_self_update.cli.about import answered  # noqa: PLC0415 # not before the line above

    try:
        if (code := answered(sys.argv[1:])) is None:
            from uv_self_update.cli import main as cli  # noqa: PLC0415 # no help needs it

            code = cli.main()
        return code
    finally:
        gc.freeze()


if __name__ == "__main__":
    raise SystemExit(main())
