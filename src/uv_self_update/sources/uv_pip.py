"""`uv pip`, run by itself: what it is asked, what it says, and how it is ended."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uv_self_update.errors import IndexFailed, UvNotRunnable
from uv_self_update.redaction import redact
from uv_self_update.releases.release import LARGEST_UNPACKED
from uv_self_update.uv.environment import neutral_directory, user_environment
from uv_self_update.uv.executable import present

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


_OTHER_INDEXES = (
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_INDEX_URL",
    "UV_NO_INDEX",
)
_CONTRARY = ("UV_NO_CACHE", "UV_NO_VERIFY_HASHES")
"""What a person may have told uv for other packages, and cannot go along with our options."""

_TEMPORARY = ("TMPDIR", "TMP", "TEMP")
_BLOCK = 4096  # bytes that even an empty file takes, or a folder
_GLANCE = 0.1  # seconds between two looks at what has been written
_OWN = re.compile(r"^(?:error:| *\u00d7)", re.MULTILINE)
_EXCERPT = re.compile(r"\s*\d* \|")
_PHRASE = re.compile(r"(HTTP status (?:client|server) error \(\d{3}).*(?=\) for url)")


class TooMuch(Exception):
    """uv has written more than uv's own wheels can hold, and was ended."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How uv has ended, and what it has said."""

    code: int
    output: str
    errors: str
    """Without logins, and without what uv quotes."""


class UvPip:
    """A uv that is asked for what its user's index has, in its user's own ways."""

    def __init__(self, uv: Path, environ: Mapping[str, str], *, name: str) -> None:
        """Prepare; nothing is run yet.

        Args:
            uv: The uv to ask; from 0.5.0 on.
            environ: What `index_environment` says.
            name: What the index is called in messages.
        """
        self._uv = uv
        self._environ = dict(environ)
        self._name = name
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._closed = False

    def ask(self, arguments: list[str], stdin: str) -> Answer:
        """Run uv, and wait for its answer.

        Raises:
            IndexFailed: It is closed.
            UvNotRunnable: The uv cannot be started.
        """
        with self._started(arguments, self._environ) as process:
            output, errors = process.communicate(stdin)
        return _answer(process, output, errors)

    def fill(self, arguments: list[str], stdin: str, folder: Path) -> Answer:
        """Run uv, and have all that it writes lie below a folder, the temporary included.

        What a wheel unpacks to is bounded so: uv itself bounds it nowhere. The cache is one of our
        own, since uv unpacks there.

        Args:
            arguments: What to run, with a target below the folder.
            stdin: What uv reads.
            folder: One of our own.

        Raises:
            TooMuch: There is more than LARGEST_UNPACKED in the folder.
            IndexFailed: It is closed.
            UvNotRunnable: The uv cannot be started.
            OSError: The folder cannot be written.
        """
        temporary = folder / "tmp"
        temporary.mkdir()
        environ = {name: value for name, value in self._environ.items() if name not in _CONTRARY}
        environ |= dict.fromkeys(_TEMPORARY, str(temporary))
        cache = folder / "cache"
        try:
            with self._started([*arguments, "--cache-dir", str(cache)], environ) as process:
                output, errors = _watched(process, stdin, folder)
        finally:
            for place in (cache, temporary):
                shutil.rmtree(place, ignore_errors=True)
        return _answer(process, output, errors)

    def close(self) -> None:
        """End the uv that is under way, if any, and start no other."""
        with self._lock:
            self._closed = True
            for process in self._running:
                process.kill()

    @contextmanager
    def _started(
        self, arguments: list[str], environ: Mapping[str, str]
    ) -> Iterator[subprocess.Popen[str]]:
        """Start uv; whatever happens meanwhile, it has ended afterwards."""
        command = [str(present(self._uv)), *arguments, "--quiet", "--python", sys.executable]
        with self._lock:
            if self._closed:
                raise IndexFailed(self._name, " ".join(["uv", *arguments[:2]]), "interrupted")
            try:
                process = subprocess.Popen(  # noqa: S603 # the uv that the user runs anyway
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=environ,
                    cwd=neutral_directory(self._environ, windows=sys.platform == "win32"),
                    encoding="utf-8",
                    errors="replace",
                )
            except OSError as error:
                raise UvNotRunnable(self._uv, error.strerror or str(error)) from error
            self._running.add(process)
        try:
            yield process
        except BaseException:
            process.kill()
            process.communicate()
            raise
        finally:
            with self._lock:
                self._running.discard(process)


def _watched(process: subprocess.Popen[str], stdin: str, folder: Path) -> tuple[str, str]:
    """Wait for a process to end; raises TooMuch as soon as there is too much in a folder."""
    asked: str | None = stdin
    while True:
        try:
            said = process.communicate(asked, timeout=_GLANCE)
        except subprocess.TimeoutExpired:
            said, asked = None, None
        if _size(folder) > LARGEST_UNPACKED:
            raise TooMuch
        if said is not None:
            return said


def _size(folder: Path) -> int:
    """Return how many bytes lie below a folder, at least; any of it may go at any moment."""
    total = 0
    for place, folders, names in os.walk(folder):
        total += len(folders) * _BLOCK
        for name in names:
            with contextlib.suppress(OSError):
                total += max(os.lstat(os.path.join(place, name)).st_size, _BLOCK)  # noqa: PTH118
    return total


def _answer(process: subprocess.Popen[str], output: str, errors: str) -> Answer:
    said = _without_quotes(redact(errors)).strip()
    return Answer(code=process.returncode, output=output, errors=said)


def _without_quotes(errors: str) -> str:
    """Return what uv itself has said: without the words of its keyring and of a server.

    Nor does it quote its configuration, where a login may stand.
    """
    own = _OWN.search(errors)
    lines = errors[own.start() if own else 0 :].splitlines()
    return _PHRASE.sub(r"\1", "\n".join(line for line in lines if not _EXCERPT.match(line)))


def index_environment(environ: Mapping[str, str], *, url: str | None) -> dict[str, str]:
    """Return the environment in which uv is asked for its index.

    A `url` comes before every index of the user's uv.toml; it is handed over here rather than as an
    argument, where other users of the machine could read a login in it.
    """
    result = user_environment(environ)
    if url is not None:
        for name in _OTHER_INDEXES:
            result.pop(name, None)
        result["UV_INDEX"] = result["UV_DEFAULT_INDEX"] = url
        # Another index of the user's uv.toml is then asked for nothing that this one has.
        result["UV_INDEX_STRATEGY"] = "first-index"
    return result
