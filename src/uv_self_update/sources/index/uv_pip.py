"""Run `uv pip` with the settings of the user's uv, and read its output."""

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
"""The variable that makes uv write its log, which `trace` parses."""

_PLAIN = ("--color", "never")
_TEMPORARY = ("TMPDIR", "TMP", "TEMP")
_BLOCK = 4096  # bytes that an empty file or a directory takes
_SHOWN_LINES = 12
_POLL = 0.1  # seconds between two measurements of the directory
_OWN = re.compile(r"^(?:error:| *\u00d7)", re.MULTILINE)
_EXCERPT = re.compile(r"\s*\d* \|")
_PHRASE = re.compile(r"(HTTP status (?:client|server) error \(\d{3}).*(?=\) for url)")


class OutputTooLarge(Exception):
    """uv wrote more than a wheel of uv can contain, and was killed."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The exit code and the output of uv."""

    code: int
    output: str
    errors: str
    """stderr, without credentials and without excerpts of files and responses."""


class UvPip:
    """Runs `uv pip` with the index settings of the user.

    Args:
        uv: The uv to run; 0.5.0 or later.
        environ: The user's environment.
        name: The name of the source in messages.
        url: The URL of the index, if it is in the configuration of this package.
        flat: Whether `url` is a flat index, which is the only index then.
        temporary: The directory for temporary files; None for the default of the system.
    """

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
        self._uv = uv
        self._environ = environ
        self._name = name
        self._url = url
        self._flat = flat
        self._temporary = temporary
        # Old versions of uv have no variable for this option.
        self._options = ("--no-index",) if flat else ()
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._closed = False

    def ask(self, arguments: list[str], stdin: str) -> Answer:
        """Run uv, and wait for its answer.

        Raises:
            IndexFailed: The source is closed, or the user's configuration of uv cannot be read.
            UvNotRunnable: uv cannot be started.
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
        """Run uv, and return its log; it may contain passwords and must not be shown.

        Raises:
            IndexFailed: The source is closed.
            UvNotRunnable: uv cannot be started.
        """
        with (
            self._settings.handed_over(self._temporary) as environ,
            self._started([*arguments, *_PLAIN], {**environ, **_LOGGING}) as process,
        ):
            return process.communicate(stdin)[1]

    def fill(self, arguments: list[str], stdin: str, directory: Path) -> Answer:
        """Run uv so that it writes below one directory only, and limit the size of that directory.

        Call `ask` before, which finds out the settings that this uv supports. uv itself has no
        limit for the size of an unpacked wheel. It unpacks into its cache, so the cache is in the
        directory as well.

        Args:
            arguments: The arguments, with a target below the directory.
            stdin: The input of uv.
            directory: The directory, used by nothing else.

        Raises:
            OutputTooLarge: The directory has more than LARGEST_UNPACKED bytes.
            IndexFailed: The source is closed, or the user's configuration of uv cannot be read.
            UvNotRunnable: uv cannot be started.
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
            for path in (cache, temporary):
                shutil.rmtree(path, ignore_errors=True)
        return _answer(process, output, settings.in_own_words(errors, environ))

    @property
    def offline(self) -> bool:
        """Whether the user's configuration sets `offline`.

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
        """Kill the running uv, if any, and start no other."""
        with self._lock:
            self._closed = True
            for process in self._running:
                process.kill()

    @contextmanager
    def _started(
        self, arguments: list[str], environ: Mapping[str, str]
    ) -> Iterator[subprocess.Popen[str]]:
        """Start uv; it has exited when the context ends, also after an exception."""
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
    """Wait for a process to exit; raise OutputTooLarge once a directory exceeds the limit."""
    data: str | None = stdin
    while True:
        try:
            output = process.communicate(data, timeout=_POLL)
        except subprocess.TimeoutExpired:
            output, data = None, None
        if _size(directory) > LARGEST_UNPACKED:
            raise OutputTooLarge
        if output is not None:
            return output


def _size(directory: Path) -> int:
    """Return the bytes below a directory, at least: files may vanish while they are counted."""
    total = 0
    for path, directories, names in os.walk(directory):
        total += len(directories) * _BLOCK
        for name in names:
            with contextlib.suppress(OSError):
                total += max(os.lstat(os.path.join(path, name)).st_size, _BLOCK)  # noqa: PTH118
    return total


def _answer(process: subprocess.Popen[str], output: str, errors: str) -> Answer:
    said = _without_quotes(redact(errors)).strip()
    return Answer(code=process.returncode, output=output, errors=said)


def _without_quotes(errors: str) -> str:
    """Return uv's own words, without the output of its keyring and the responses of servers.

    Excerpts of configuration files are removed as well, because they may contain credentials.
    """
    own = _OWN.search(errors)
    lines = errors[own.start() if own else 0 :].splitlines()
    return _PHRASE.sub(r"\1", "\n".join(line for line in lines if not _EXCERPT.match(line)))


def end_of(errors: str) -> str:
    """Return the last lines of uv's stderr, which contain the reason."""
    return "\n".join(errors.splitlines()[-_SHOWN_LINES:])
