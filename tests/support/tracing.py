"""Who talks to whom: a command under strace, and what that has written, understood."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from support.missing import missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_STARTS = ("clone", "clone3", "fork", "vfork")
_TALKS = ("bind", "connect", "sendmmsg", "sendmsg", "sendto")

_LINE = re.compile(r"(?P<task>\d+) +(?P<text>.*)")
_UNFINISHED = " <unfinished ...>"
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>")
_RESULT = re.compile(r".*\) += (?P<value>-?\d+)\b")
_ARGUMENTS = re.compile(r'execve\("(?:[^"\\]|\\.)*", \[(?P<list>(?:"(?:[^"\\]|\\.)*"|[^]"])*)\]')
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ADDRESS = re.compile(
    r"\{sa_family=(?P<family>AF_\w+)"
    r'(?:, sin_port=htons\((?P<port>\d+)\), sin_addr=inet_addr\("(?P<host>[\d.]+)"\)'
    r"|, sin6_port=htons\((?P<port6>\d+)\), sin6_flowinfo=\w+\(\w+\), "
    r'inet_pton\(AF_INET6, "(?P<host6>[^"]+)"'
    r'|, sun_path=(?P<path>@?"[^"]*"))?'
)


@dataclass(frozen=True, kw_only=True)
class Program:
    """What a process has become, by being started or by `execve`."""

    arguments: tuple[str, ...]
    """Its own name first, as strace writes them."""

    starter: Program | None = None

    def is_part_of(self, *words: str) -> bool:
        """Return whether it, or what has started it, has these words as its first arguments."""
        own = self.arguments[1 : 1 + len(words)] == words
        return own or (self.starter is not None and self.starter.is_part_of(*words))


@dataclass(frozen=True, kw_only=True)
class Contact:
    """One system call that names an address, whether it succeeded or not."""

    program: Program
    call: str
    """Such as `connect`, or `bind`, whose address is its own."""

    address: str
    """`HOST:PORT`, `[HOST]:PORT`, `unix:PATH`, or else the kernel's name of the family."""


def traced(written: Path) -> list[str]:
    """Return the start of a command whose processes all tell, in a file, whom they talk to."""
    reason = _refusal()
    if reason is not None:
        missing(f"nothing can be traced here: {reason}")
    return [*_command(), "-o", str(written)]


def contacts(written: Path) -> list[Contact]:
    """Return every address that was named, and by which program, in the order of the answers.

    What is sent on a connection names none, and is left out.
    """
    calls = list(_calls(written))
    starters = {
        int(result["value"]): task
        for task, text in calls
        if text.startswith(_STARTS) and (result := _RESULT.match(text))
    }
    programs: dict[int, Program] = {}

    def program(task: int) -> Program:
        # A thread, or a process until its `execve`, is what its starter was at that moment.
        if task not in programs:
            starter = starters.get(task)
            programs[task] = Program(arguments=()) if starter is None else program(starter)
        return programs[task]

    found = []
    for task, text in calls:
        result = _RESULT.match(text)
        if text.startswith(_STARTS) and result:
            program(int(result["value"]))
        elif (start := _ARGUMENTS.match(text)) and result and result["value"] == "0":
            words = tuple(_STRING.findall(start["list"]))
            programs[task] = Program(arguments=words, starter=program(task))
        elif (call := text.partition("(")[0]) in _TALKS:
            found += [
                Contact(program=program(task), call=call, address=_name(address))
                for address in _ADDRESS.finditer(text)
            ]
    return found


def _calls(written: Path) -> Iterator[tuple[int, str]]:
    """Yield each system call with the task (a process or a thread) that made it, in one piece."""
    unfinished: dict[int, str] = {}
    for line in written.read_text(errors="replace").splitlines():
        parts = _LINE.fullmatch(line)
        if parts is None:
            continue
        task, text = int(parts["task"]), parts["text"]
        if resumed := _RESUMED.match(text):
            text = unfinished.pop(task, "") + text[resumed.end() :]
        if text.endswith(_UNFINISHED):
            unfinished[task] = text.removesuffix(_UNFINISHED)
        else:
            yield task, text
    # Whoever was killed meanwhile has named the address all the same.
    yield from unfinished.items()


def _name(address: re.Match[str]) -> str:
    if address["host"]:
        return f"{address['host']}:{address['port']}"
    if address["host6"]:
        return f"[{address['host6']}]:{address['port6']}"
    if address["path"]:
        return "unix:" + address["path"].replace('"', "")
    return address["family"]


def _command() -> list[str]:
    # Not every machine has each of the calls, which the question mark allows for.
    calls = ",".join(f"?{name}" for name in ("execve", *_STARTS, *_TALKS))
    return ["strace", "--follow-forks", "--seccomp-bpf", "-s", "256", "-e", f"trace={calls}"]


@cache
def _refusal() -> str | None:
    if shutil.which("strace") is None:
        return "strace is not installed"
    done = subprocess.run(
        [*_command(), "-o", "/dev/null", "true"], capture_output=True, check=False, text=True
    )
    return None if done.returncode == 0 else done.stderr.strip() or f"code {done.returncode}"
