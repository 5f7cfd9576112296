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
from functools import cached_property
from typing import TYPE_CHECKING

from uv_self_update.errors import IndexFailed, UvNotRunnable
from uv_self_update.files import strerror
from uv_self_update.redaction import redact
from uv_self_update.releases.release import LARGEST_UNPACKED
from uv_self_update.uv.configuration import UnusableFile
from uv_self_update.uv.environment import neutral_directory
from uv_self_update.uv.executable import current_path
from uv_self_update.uv.settings import UvSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


_LOGGING = {"RUST_LOG": "uv_auth=trace,uv_client=trace"}
"""What makes uv write its log, which `uv_trace` reads."""

_PLAIN = ("--color", "never")
_TEMPORARY = ("TMPDIR", "TMP", "TEMP")
_BLOCK = 4096  # bytes that even an empty file takes, or a directory
_SHOWN_LINES = 12
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

    def __init__(
        self,
        uv: Path,
        environ: Mapping[str, str],
        *,
        name: str,
        url: str | None = None,
        flat: bool = False,
        temporary: Path | None = None,
    ) -> None:
        """Prepare; nothing is read or run yet.

        Args:
            uv: The uv to ask; from 0.5.0 on.
            environ: The user's environment.
            name: What the index is called in messages.
            url: The index, if it is not one that the user has configured uv with.
            flat: Whether `url` is a flat index, and no other is asked.
            temporary: The directory for temporary files; None for the default of the system.
        """
        self._uv = uv
        self._environ = environ
        self._name = name
        self._url = url
        self._flat = flat
        self._temporary = temporary
        # No variable tells old versions of uv so.
        self._options = ("--no-index",) if flat else ()
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._closed = False

    def ask(self, arguments: list[str], stdin: str) -> Answer:
        """Run uv, and wait for its answer.

        Raises:
            IndexFailed: It is closed, or the user's configuration of uv cannot be read.
            UvNotRunnable: The uv cannot be started.
        """
        while True:
            settings = self._settings
            with (
                settings.handed_over(self._temporary) as environ,
                self._started([*arguments, "--quiet"], environ) as process,
            ):
                output, errors = process.communicate(stdin)
            answer = _answer(process, output, settings.in_own_words(errors, environ))
            understood = settings.for_older(answer.errors)
            if understood is None:
                return answer
            self._settings = understood

    def logged(self, arguments: list[str], stdin: str) -> str:
        """Run uv, and return its own log; it may hold passwords, and is not to be shown.

        Raises:
            IndexFailed: It is closed.
            UvNotRunnable: The uv cannot be started.
        """
        with (
            self._settings.handed_over(self._temporary) as environ,
            self._started([*arguments, *_PLAIN], {**environ, **_LOGGING}) as process,
        ):
            return process.communicate(stdin)[1]

    def fill(self, arguments: list[str], stdin: str, directory: Path) -> Answer:
        """Run uv, and have all that it writes lie below a directory, the temporary included.

        To be called after `ask`, which finds out what this uv understands.

        What a wheel unpacks to is bounded so: uv itself bounds it nowhere. The cache is one of our
        own, since uv unpacks there.

        Args:
            arguments: What to run, with a target below the directory.
            stdin: What uv reads.
            directory: One of our own.

        Raises:
            TooMuch: There is more than LARGEST_UNPACKED in the directory.
            IndexFailed: It is closed, or the user's configuration of uv cannot be read.
            UvNotRunnable: The uv cannot be started.
            OSError: The directory cannot be written.
        """
        temporary = directory / "tmp"
        temporary.mkdir()
        cache = directory / "cache"
        try:
            settings = self._settings.with_cache(cache)
            with settings.handed_over(temporary) as handed:
                environ = {**handed, **dict.fromkeys(_TEMPORARY, str(temporary))}
                with self._started([*arguments, "--quiet"], environ) as process:
                    output, errors = _watched(process, stdin, directory)
        finally:
            for place in (cache, temporary):
                shutil.rmtree(place, ignore_errors=True)
        return _answer(process, output, settings.in_own_words(errors, environ))

    @property
    def offline(self) -> bool:
        """Whether uv has to do without the network.

        Raises:
            IndexFailed: The user's configuration of uv cannot be read.
        """
        return self._settings.offline

    @cached_property
    def _settings(self) -> UvSettings:
        windows = sys.platform == "win32"
        try:
            return UvSettings.read(self._environ, windows=windows, url=self._url, flat=self._flat)
        except UnusableFile as unusable:
            raise IndexFailed(self._name, "uv pip", str(unusable)) from None

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
        uv = str(current_path(self._uv))
        command = [uv, *arguments, *self._options, "--python", sys.executable]
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
                raise UvNotRunnable(self._uv, strerror(error)) from error
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


def _watched(process: subprocess.Popen[str], stdin: str, directory: Path) -> tuple[str, str]:
    """Wait for a process to end; raises TooMuch as soon as there is too much in a directory."""
    asked: str | None = stdin
    while True:
        try:
            said = process.communicate(asked, timeout=_GLANCE)
        except subprocess.TimeoutExpired:
            said, asked = None, None
        if _size(directory) > LARGEST_UNPACKED:
            raise TooMuch
        if said is not None:
            return said


def _size(directory: Path) -> int:
    """Return how many bytes lie below a directory, at least; any of it may go at any moment."""
    total = 0
    for place, directories, names in os.walk(directory):
        total += len(directories) * _BLOCK
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


def end_of(errors: str) -> str:
    """Return the last lines of what uv has said, where its reason is."""
    return "\n".join(errors.splitlines()[-_SHOWN_LINES:])
