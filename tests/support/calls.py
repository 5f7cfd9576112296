"""A command whose changes to the file system are counted, and one of them disturbed.

`disturbed` returns the start of such a command; what runs is this file, as a program: a tracer
that follows one process with its threads, and not the processes that this one starts. Unlike
strace, which counts for each thread, it counts the calls of all threads together, and only those
that change something below given folders: so each of them can be the one that is disturbed.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, kw_only=True)
class Call:
    """A system call that changes something."""

    name: str
    paths: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Disturbance:
    """What happens to one call: it is never made, and fails, or its process group is killed."""

    number: int
    """The first call is number 0."""

    error: str = ""
    """Such as `EIO`; empty for a kill."""

    lasting: bool = False
    """Whether later calls of the same name fail as well."""


@dataclass(frozen=True, kw_only=True)
class _Shape:
    """Where a system call has its paths."""

    number: int
    """On x86-64."""

    files: tuple[int, ...] = ()
    """Which arguments are open files."""

    paths: tuple[tuple[int | None, int], ...] = ()
    """Which are paths, each with the folder that it is relative to, if that is not the current."""

    flags: int | None = None
    """Which has the flags of `open`: without some of them nothing is changed."""


_SHAPES = {
    "write": _Shape(number=1, files=(0,)),
    "pwrite64": _Shape(number=18, files=(0,)),
    "writev": _Shape(number=20, files=(0,)),
    "sendfile": _Shape(number=40, files=(0,)),
    "copy_file_range": _Shape(number=326, files=(2,)),
    "open": _Shape(number=2, paths=((None, 0),), flags=1),
    "openat": _Shape(number=257, paths=((0, 1),), flags=2),
    "creat": _Shape(number=85, paths=((None, 0),)),
    "fsync": _Shape(number=74, files=(0,)),
    "fdatasync": _Shape(number=75, files=(0,)),
    "fallocate": _Shape(number=285, files=(0,)),
    "truncate": _Shape(number=76, paths=((None, 0),)),
    "ftruncate": _Shape(number=77, files=(0,)),
    "rename": _Shape(number=82, paths=((None, 0), (None, 1))),
    "renameat": _Shape(number=264, paths=((0, 1), (2, 3))),
    "renameat2": _Shape(number=316, paths=((0, 1), (2, 3))),
    "link": _Shape(number=86, paths=((None, 0), (None, 1))),
    "linkat": _Shape(number=265, paths=((0, 1), (2, 3))),
    "symlink": _Shape(number=88, paths=((None, 1),)),
    "symlinkat": _Shape(number=266, paths=((1, 2),)),
    "mkdir": _Shape(number=83, paths=((None, 0),)),
    "mkdirat": _Shape(number=258, paths=((0, 1),)),
    "rmdir": _Shape(number=84, paths=((None, 0),)),
    "unlink": _Shape(number=87, paths=((None, 0),)),
    "unlinkat": _Shape(number=263, paths=((0, 1),)),
    "chmod": _Shape(number=90, paths=((None, 0),)),
    "fchmod": _Shape(number=91, files=(0,)),
    "fchmodat": _Shape(number=268, paths=((0, 1),)),
    "chown": _Shape(number=92, paths=((None, 0),)),
    "fchown": _Shape(number=93, files=(0,)),
    "lchown": _Shape(number=94, paths=((None, 0),)),
    "fchownat": _Shape(number=260, paths=((0, 1),)),
    "utimensat": _Shape(number=280, paths=((0, 1),)),
}
_NAMES = {shape.number: name for name, shape in _SHAPES.items()}

DATA = ("write", "pwrite64", "writev", "sendfile", "copy_file_range")
"""Calls of which there are many for one file."""

REMOVING = ("rmdir", "unlink", "unlinkat")
RENAMING = ("rename", "renameat", "renameat2")


def disturbed(
    record: Path, below: Iterable[Path], disturbance: Disturbance | None = None
) -> list[str]:
    """Return the start of a command whose calls are written down, and one of them disturbed.

    Args:
        record: Where to write them.
        below: The folders that matter.
        disturbance: None to leave it alone.
    """
    reason = _refusal()
    if reason is not None:
        from support.missing import missing  # noqa: PLC0415 # this file is a program as well

        missing(f"nothing can be traced here: {reason}")
    job = {
        "record": str(record),
        "below": [str(folder) for folder in below],
        "disturbance": None if disturbance is None else vars(disturbance),
    }
    return [sys.executable, "-I", __file__, json.dumps(job)]


def calls(record: Path) -> list[Call]:
    """Return the calls that were written down, in their order."""
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    return [Call(name=name, paths=tuple(paths)) for name, *paths in lines]


@cache
def _refusal() -> str | None:
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return "it takes Linux on x86-64"
    job = json.dumps({"record": os.devnull, "below": [], "disturbance": None})
    done = subprocess.run(
        [sys.executable, "-I", __file__, job, "true"], capture_output=True, check=False, text=True
    )
    return None if done.returncode == 0 else done.stderr.strip() or f"code {done.returncode}"


# From here on: the program.

_TRACEME, _CONT_TO_CALL, _POKEUSER = 0, 24, 6
_SETOPTIONS, _GETEVENTMSG, _GETREGS = 0x4200, 0x4201, 12
_TRACE_CLONE, _TRACE_EXEC, _MARK_CALLS = 0x08, 0x10, 0x01
_KILL_WITH_TRACER = 0x100000
_STOP_OF_CALL = signal.SIGTRAP | 0x80
_ALL_TASKS = 0x40000000
_AT_CWD = -100

# Where the registers of x86-64 lie, in words of 8 bytes.
_RAX, _ORIG_RAX = 10, 15
_ARGUMENTS = (14, 13, 12, 7, 9, 8)  # rdi, rsi, rdx, r10, r8, r9
_WORDS = 27

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
_LIBC.ptrace.restype = ctypes.c_long


class _Tracer:
    """Follows the threads of one process."""

    def __init__(self, record: Path, below: list[str], disturbance: Disturbance | None) -> None:
        self._record = record.open("w", buffering=1)
        self._below = tuple(os.path.realpath(folder) for folder in below)
        self._disturbance = disturbance
        self._seen = 0
        self._failing = ""
        """The name of the calls that fail from now on."""
        self._inside: dict[int, int | None] = {}
        """Tasks within a call, each with the error that it is to end with."""

    def run(self, command: list[str]) -> int:
        """Run a command and return its exit code, or 128 + the signal that has ended it."""
        leader = os.fork()
        if leader == 0:
            _ptrace(_TRACEME, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
            os.execvp(command[0], command)  # noqa: S606 # this is how a tracee begins
        os.waitpid(leader, 0)
        options = _TRACE_CLONE | _TRACE_EXEC | _MARK_CALLS | _KILL_WITH_TRACER
        _ptrace(_SETOPTIONS, leader, data=options)
        _ptrace(_CONT_TO_CALL, leader)
        while True:
            task, status = os.waitpid(-1, _ALL_TASKS)
            if not os.WIFSTOPPED(status):
                self._inside.pop(task, None)
                if task == leader:
                    code = os.waitstatus_to_exitcode(status)
                    return 128 - code if code < 0 else code
                continue
            _ptrace(_CONT_TO_CALL, task, data=self._stopped(task, status), lenient=True)

    def _stopped(self, task: int, status: int) -> int:
        """Do what is to be done at a stop, and return the signal that the task is to get."""
        number = os.WSTOPSIG(status)
        if number == _STOP_OF_CALL:
            if task in self._inside:
                error = self._inside.pop(task)
                if error is not None:
                    _ptrace(_POKEUSER, task, address=_RAX * 8, data=-error, lenient=True)
            else:
                self._inside[task] = self._enter(task)
            return 0
        # What begins, a new thread or a program, stops once by a signal that nobody has sent.
        ours = status >> 16 != 0 or number in {signal.SIGTRAP, signal.SIGSTOP}
        return 0 if ours else number

    def _enter(self, task: int) -> int | None:
        """Look at a call that is about to be made, and return the error that it is to end with."""
        words = (ctypes.c_ulonglong * _WORDS)()
        _ptrace(_GETREGS, task, data=ctypes.addressof(words), lenient=True)
        name = _NAMES.get(words[_ORIG_RAX])
        if name is None:
            return None
        paths = _paths(task, _SHAPES[name], [words[place] for place in _ARGUMENTS])
        if not any(path.startswith(self._below) for path in paths):
            return None
        self._record.write(json.dumps([name, *paths]) + "\n")
        number, self._seen = self._seen, self._seen + 1
        wish = self._disturbance
        if wish is None or (wish.number != number and self._failing != name):
            return None
        if not wish.error:
            os.killpg(0, signal.SIGKILL)
        if wish.lasting:
            self._failing = name
        _ptrace(_POKEUSER, task, address=_ORIG_RAX * 8, data=-1)
        return int(getattr(errno, wish.error))


def _paths(task: int, shape: _Shape, arguments: list[int]) -> list[str]:
    """Return the paths that a call is about; none if it changes nothing."""
    changing = os.O_CREAT | os.O_TRUNC
    if shape.flags is not None and not arguments[shape.flags] & changing:
        return []
    found = [_link(task, f"fd/{ctypes.c_int(arguments[file]).value}") for file in shape.files]
    for folder, path in shape.paths:
        start = _AT_CWD if folder is None else ctypes.c_int(arguments[folder]).value
        beginning = _link(task, "cwd" if start == _AT_CWD else f"fd/{start}")
        found.append(os.path.normpath(Path(beginning, _text(task, arguments[path]))))
    return found


def _link(task: int, name: str) -> str:
    try:
        return str(Path(f"/proc/{task}/{name}").readlink())
    except OSError:
        return ""


def _text(task: int, address: int) -> str:
    """Read a path out of the memory of a task."""
    page = 4096
    found = b""
    try:
        with Path(f"/proc/{task}/mem").open("rb", buffering=0) as memory:
            memory.seek(address)
            while b"\0" not in found and (more := memory.read(page - address % page)):
                address += len(more)
                found += more
    except OSError:
        return ""
    return os.fsdecode(found.partition(b"\0")[0])


def _ptrace(
    request: int, task: int, *, address: int = 0, data: int = 0, lenient: bool = False
) -> None:
    """Do one request; a lenient one may come too late, when the task has been killed."""
    if _LIBC.ptrace(request, task, address, data) == -1:
        number = ctypes.get_errno()
        if not (lenient and number == errno.ESRCH):
            raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    _job = json.loads(sys.argv[1])
    _wish = _job["disturbance"]
    _tracer = _Tracer(
        Path(_job["record"]), _job["below"], None if _wish is None else Disturbance(**_wish)
    )
    raise SystemExit(_tracer.run(sys.argv[2:]))
