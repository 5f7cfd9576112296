"""A plugin for pytest that takes from Python what another system does not have.

`PRETENDED` names the system, as `sys.platform` spells it. What is not of this repository is
imported before: what it does on other systems is its own affair. `os.name` stays, since the paths
of `pathlib` follow it.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

_OTHERS = (
    *("asyncio", "ctypes", "http.client", "http.server", "lzma", "multiprocessing", "netrc"),
    *("ssl", "tarfile", "tempfile", "tomllib", "zipfile"),
    *("click.testing", "cryptography.hazmat.primitives.serialization", "h11", "httpcore", "httpx"),
    *("defusedxml.ElementTree", "hypothesis", "packaging.specifiers", "platformdirs", "tomli_w"),
    *("tree_sitter_powershell", "trustme", "truststore", "xdist.plugin"),
)
_MODULES: Mapping[str, Sequence[str]] = {
    "darwin": (),
    "win32": ("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"),
}
_ATTRIBUTES: Mapping[str, Mapping[ModuleType, Sequence[str]]] = {
    "darwin": {
        os: ("memfd_create", "pidfd_open", "setns", "unshare"),
        select: ("epoll",),
        socket: ("AF_NETLINK", "AF_PACKET", "SO_BINDTODEVICE"),
    },
    "win32": {
        os: (
            *("O_NONBLOCK", "WNOHANG", "chown", "fork", "getegid", "geteuid", "getgid", "getpgid"),
            *("getuid", "killpg", "memfd_create", "mkfifo", "openpty", "pidfd_open", "setns"),
            *("setsid", "setuid", "statvfs", "uname", "unshare", "waitid"),
        ),
        select: ("epoll", "poll"),
        signal: ("SIGALRM", "SIGHUP", "SIGKILL", "SIGQUIT", "SIGSTOP", "SIGTSTP", "SIGUSR1"),
        socket: ("AF_NETLINK", "AF_PACKET", "AF_UNIX", "SO_BINDTODEVICE", "SO_REUSEPORT"),
    },
}


def _pretend(platform: str) -> None:
    for name in _OTHERS:
        import_module(name)
    for name in _MODULES[platform]:
        sys.modules[name] = None  # type: ignore[assignment] # so that importing it fails
    for module, names in _ATTRIBUTES[platform].items():
        for name in names:
            if hasattr(module, name):  # older Pythons have less
                delattr(module, name)
    sys.platform = platform


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Pretend, before anything of this repository is imported."""
    _pretend(os.environ["PRETENDED"])
