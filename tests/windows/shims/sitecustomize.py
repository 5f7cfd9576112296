"""What a Python for Windows needs under Wine 8.0, and how a test has it killed.

`UV_TEST_KILL=N` ends this process at its N-th change of a file below `UV_TEST_HOME`;
`UV_TEST_COUNT=FILE` writes down each of them. `UV_TEST_SET_NAME` is the value of the variable NAME,
which Wine does not take from Linux.
"""

from __future__ import annotations

import _winapi
import errno
import msvcrt
import os
import sys
from typing import Any

assert sys.platform == "win32"

# Wine 8.0 has no CopyFile2; Python falls back to reading and writing.
if hasattr(_winapi, "CopyFile2"):
    del _winapi.CopyFile2

_SET = "UV_TEST_SET_"
for _name in [name for name in os.environ if name.startswith(_SET)]:
    os.environ[_name.removeprefix(_SET)] = os.environ.pop(_name)

_locking = msvcrt.locking


def _locked(descriptor: int, mode: int, count: int) -> None:
    """Lock as on Windows, where a lock of another process is EACCES."""
    try:
        _locking(descriptor, mode, count)
    except OSError as error:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES)) from error


msvcrt.locking = _locked

_EVENTS = frozenset(
    {"os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.chmod", "open"}
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_home = os.environ.get("UV_TEST_HOME", "").lower()
_at = int(os.environ.get("UV_TEST_KILL", "0"))
_log = os.environ.get("UV_TEST_COUNT")
_seen = 0


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    global _seen  # noqa: PLW0603 # a hook cannot be removed, and has no other state
    path = arguments[0] if arguments else None
    if event not in _EVENTS or not isinstance(path, (str, bytes, os.PathLike)):
        return
    if not os.path.abspath(os.fsdecode(path)).lower().startswith(_home):  # noqa: PTH100 # no system call
        return
    if event == "open" and not (arguments[2] or 0) & _WRITES:
        return
    _seen += 1
    if _log:
        descriptor = os.open(_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(descriptor, f"{event} {os.fsdecode(path)}\n".encode())
        os.close(descriptor)
    if _seen == _at:
        _winapi.TerminateProcess(_winapi.GetCurrentProcess(), 137)


if _home and (_at or _log):
    sys.addaudithook(_hook)
