"""Commands in Linux namespaces of their own: disks and networks that are not what they should be.

Mode bits do not stop root, whom tests may run as; a read-only mount does, and so do they once root
has given up the capability to pass them by.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

from support.missing import missing

if TYPE_CHECKING:
    from pathlib import Path

_READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'

_MOUNTED = 'mount -t tmpfs -o "$2" none "$1" && shift 2 && exec "$@"'

# The folder's content is copied into a file system that is as large as it is, and somewhat more.
# What is left when the command has ended is written down, since the file system ends with it.
_FULL = """
set -eu
folder="$1" spare="$2" report="$3"
shift 3
used="$(du --block-size=4096 --summarize "$folder" | cut -f 1)"
copy="$(mktemp -d)"
cp -a "$folder/." "$copy"
mount -t tmpfs -o "mode=755,size=$((used * 4096 + spare))" none "$folder"
cp -a "$copy/." "$folder"
rm -r "$copy"
code=0
"$@" || code=$?
cd "$folder"
{ ls -A; sha256sum -- *; } >"$report"
exit "$code"
"""

# The one port that there is to choose from is taken.
_PORTLESS = """
import os, pathlib, socket, sys
taken = socket.create_server(("127.0.0.1", 40000))
taken.set_inheritable(True)
pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("40000 40000")
os.execv(sys.argv[1], sys.argv[1:])
"""


_UNKNOWN = 54321
"""A user ID that no system gives to anybody by itself."""


def read_only(folder: Path) -> list[str]:
    """Return the start of a command that cannot write below a folder."""
    return [*unshare("--mount"), "sh", "-c", _READ_ONLY, "sh", str(folder)]


def obeying_modes() -> list[str]:
    """Return the start of a command that the modes of files stop, even if it is root's."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        missing("there is no setpriv")
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--"]


def mounted(folder: Path, *, options: str) -> list[str]:
    """Return the start of a command that finds an empty file system of its own in a folder.

    Args:
        folder: Where to mount it.
        options: Of the mount, such as `noexec`.
    """
    return [*unshare("--mount"), "sh", "-c", _MOUNTED, "sh", str(folder), options]


def full(folder: Path, *, spare: int, report: Path) -> list[str]:
    """Return the start of a command that finds `spare` bytes free in a folder.

    Args:
        folder: What is in it is there for the command too.
        spare: Bytes.
        report: Where to write what is there in the end: all names, then the files' digests.
    """
    return [*unshare("--mount"), "sh", "-c", _FULL, "sh", str(folder), str(spare), str(report)]


def portless() -> list[str]:
    """Return the start of a command that can bind no port on loopback but one that is named."""
    return [*unshare("--net"), sys.executable, "-c", _PORTLESS]


def unreachable() -> list[str]:
    """Return the start of a command that can bind ports on loopback, but reach none of them."""
    return unshare("--net")


def unknown_user() -> list[str]:
    """Return the start of a command whose user the user database does not know.

    To the files it is the same user as before.
    """
    unshare("--user")
    return ["unshare", "--user", f"--map-user={_UNKNOWN}", f"--map-group={_UNKNOWN}", "--"]


def unshare(kind: str) -> list[str]:
    """Return the start of a command in a namespace of its own, such as `--mount`."""
    reason = _refusal(kind)
    if reason is not None:
        missing(f"no namespaces here: {reason}")
    return _command(kind)


def _command(kind: str) -> list[str]:
    user = [] if os.geteuid() == 0 or kind == "--user" else ["--map-root-user"]
    return ["unshare", *user, kind, "--"]


@cache
def _refusal(kind: str) -> str | None:
    if shutil.which("unshare") is None:
        return "there is no unshare"
    probe = {
        "--mount": ["mount", "-t", "tmpfs", "none", "/mnt"],
        "--user": ["true"],
        "--net": ["sh", "-c", "echo 40000 40000 >/proc/sys/net/ipv4/ip_local_port_range"],
    }[kind]
    done = subprocess.run(
        [*_command(kind), *probe], capture_output=True, check=False, encoding="utf-8"
    )
    return None if done.returncode == 0 else done.stderr.strip() or f"code {done.returncode}"
