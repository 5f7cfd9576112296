"""Linux network namespaces: a machine that reaches what it is given, and nothing else.

```text
    machine                        outside
    10.0.0.1  ──── one cable ────  10.0.0.2      no route leads anywhere else, for neither
    127.0.0.1                      127.0.0.1     each its own
```

A socket, and a process with all that it starts, belong to the namespace that they were made in.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from support.missing import missing
from support.web import Web

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

MACHINE = "10.0.0.1"
"""The machine's address, on the cable."""

OUTSIDE = "10.0.0.2"
"""The only address but its own that the machine reaches."""

_CLONE_NEWNET = 0x40000000  # from <linux/sched.h>; Python has it from 3.12 on
_PREFIX = 30  # bits: there are no other addresses on the cable
_KNOWING = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'


class Namespace:
    """A network namespace, with loopback; it ends with whatever was made in it."""

    def __init__(self) -> None:
        """Make it, and come back."""
        with _coming_back():
            _called("unshare", _CLONE_NEWNET)
            self._file = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            _ip("link", "set", "lo", "up")

    @property
    def path(self) -> str:
        """What other processes, while it is open here, find it as."""
        return f"/proc/{os.getpid()}/fd/{self._file}"

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Make sockets, processes and threads in it; this thread comes back in the end."""
        with _coming_back():
            _called("setns", self._file, _CLONE_NEWNET)
            yield

    def close(self) -> None:
        """Let go of it."""
        os.close(self._file)


@dataclass(frozen=True, kw_only=True)
class Networks:
    """The two, connected."""

    machine: Namespace
    outside: Namespace


@contextmanager
def networks() -> Iterator[Networks]:
    """Make two namespaces with a cable between them."""
    reason = _refusal()
    if reason is not None:
        missing(f"no networks can be made here: {reason}")
    with _networks() as made:
        yield made


@contextmanager
def _networks() -> Iterator[Networks]:
    with ExitStack() as stack:
        machine = stack.enter_context(closing(Namespace()))
        outside = stack.enter_context(closing(Namespace()))
        with machine.inside():
            _ip(
                *("link", "add", "cable", "type", "veth"),
                *("peer", "name", "cable", "netns", outside.path),
            )
            _plug(MACHINE)
        with outside.inside():
            _plug(OUTSIDE)
        yield Networks(machine=machine, outside=outside)


def knowing(hosts: Path) -> list[str]:
    """Return the start of a command that finds a file of its own as `/etc/hosts`."""
    return ["unshare", "--mount", "--", "sh", "-c", _KNOWING, "sh", str(hosts)]


class WebAt(Web):
    """A web server at any address, rather than at 127.0.0.1."""

    def __init__(self, host: str, port: int = 0, *, context: ssl.SSLContext | None = None) -> None:
        """Listen in the namespace that this is called in; port 0 is any."""
        super().__init__()
        self._server.server_close()
        listener = socket.create_server((host, port))
        self.netloc = "{}:{}".format(*listener.getsockname())
        if context is not None:
            self.scheme = "https"
            listener = context.wrap_socket(listener, server_side=True)
        self._server.socket = listener


def _plug(address: str) -> None:
    _ip("address", "add", f"{address}/{_PREFIX}", "dev", "cable")
    _ip("link", "set", "cable", "up")


@contextmanager
def _coming_back() -> Iterator[None]:
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        yield
    finally:
        _called("setns", home, _CLONE_NEWNET)
        os.close(home)


def _called(name: str, *arguments: int) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _ip(*arguments: str) -> None:
    subprocess.run([_program(), *arguments], check=True, capture_output=True)


def _program() -> str:
    return shutil.which("ip", path=f"{os.defpath}:/usr/sbin:/sbin") or "ip"


@cache
def _refusal() -> str | None:
    try:
        with _networks():
            pass
    except subprocess.CalledProcessError as error:
        return str(error.stderr.decode().strip())
    except OSError as error:
        return f"{error} (they take root, and Debian's iproute2)"
    return None
