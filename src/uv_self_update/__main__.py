"""`python -m uv_self_update`, and what `uv-self-update` runs."""

from __future__ import annotations

import atexit
import gc
import os
import sys

_SELDOM = 100_000
"""New objects before Python looks for garbage; all the imports of an update make fewer."""


def main() -> int:
    """Run the command line in a process of its own, and end that with the exit code, or return it.

    A sixth of the time that this package adds to uv's would be spent looking for garbage among
    modules and classes that live until the end: while they are made, and once more at exit.
    """
    gc.set_threshold(_SELDOM)
    from uv_self_update.cli.about import answered  # noqa: PLC0415 # not before the line above

    try:
        if (code := answered(sys.argv[1:])) is None:
            from uv_self_update.cli import main as cli  # noqa: PLC0415 # no help needs it

            code = cli.main()
        _end(code)
    finally:
        gc.freeze()
    return code


def _end(code: int) -> None:
    """End the process as the children of `multiprocessing` end, if nothing is lost by that.

    Python would take all modules and classes apart first, which takes it 7 ms of CPU; the kernel
    takes back the memory anyway. The functions of `atexit` are called, and the streams are flushed.
    Python ends as usual if a thread is to be waited for, if something watches it (a debugger, a
    profiler, `-i`, `-X dev`), or if a stream cannot be flushed, which it reports.
    """
    import threading  # noqa: PLC0415 # imported by now

    watched = sys.gettrace() or sys.getprofile() or sys.flags.interactive or sys.flags.dev_mode
    if watched or any(not thread.daemon for thread in threading.enumerate()[1:]):
        return
    atexit._run_exitfuncs()  # noqa: SLF001 # as multiprocessing does
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        return
    os._exit(code)


if __name__ == "__main__":
    raise SystemExit(main())
