"""Run `uv pip` with the settings of the user's uv, and read its output."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from uv_self_update.errors import IndexFailed, SourceError, UvError, UvNotRunnable
from uv_self_update.files import strerror
from uv_self_update.network.progress import SILENT, Progress
from uv_self_update.redaction import redact
from uv_self_update.sources.index.own_cache import OwnCache, users_cache
from uv_self_update.sources.index.watched import watched
from uv_self_update.uv.configuration import UnusableFile
from uv_self_update.uv.environment import neutral_directory
from uv_self_update.uv.executable import current_path
from uv_self_update.uv.settings import UvSettings
from uv_self_update.values import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from uv_self_update.url import Url


REQUESTS = "uv_auth=trace,uv_client=trace"
CANDIDATES = "uv_resolver=debug"
"""What uv logs, for RUST_LOG; `trace` parses it."""

_COMPILE = ["pip", "compile", "-", "--no-deps", "--no-header", "--no-annotate"]
_PLAIN = ("--color", "never")
_TEMPORARY = ("TMPDIR", "TMP", "TEMP")
_SHOWN_LINES = 12
_WRITTEN = "uv (unpacked)"
"""What the progress of a wheel is called: uv unpacks it while it arrives."""

_OWN = re.compile(r"^(?:error:| *\u00d7)", re.MULTILINE)
_EXCERPT = re.compile(r"\s*\d* \|")
_PHRASE = re.compile(r"(HTTP status (?:client|server) error \(\d{3}).*(?=\) for url)")


@frozen
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
        url: The root of a simple repository API (PEP 503), if the index is in the configuration of
            this package; None for uv's own configuration.
        flat: Whether `url` is a directory or page of wheels instead, as for `--find-links`, which
            is the only index then.
        temporary: The directory for temporary files; None for the default of the system.
        progress: Is told how much is written.
    """

    def __init__(  # each is independent of the others
        self,
        uv: Path,
        environ: Mapping[str, str],
        *,
        url: Url | None = None,
        flat: bool = False,
        temporary: Path | None = None,
        progress: Progress = SILENT,
    ) -> None:
        self._progress = progress
        self._uv = uv
        self.environ = environ
        self.name = "the package index" if url is None else f"the index {url}"
        self.url = None if url is None else url.text
        self.flat = flat
        self.temporary = temporary
        # Old versions of uv have no variable for this option.
        self._options = ("--no-index",) if flat else ()
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._closed = False
        self._cache: OwnCache | None = None

    def ask(self, arguments: list[str], stdin: str) -> Answer:
        """Run uv, and wait for its answer.

        Raises:
            IndexFailed: The source is closed, or the user's configuration of uv cannot be read.
            UvNotRunnable: uv cannot be started.
        """
        cache = self._cache
        options = ["--quiet"] if cache is None else ["--quiet", "--offline"]
        while True:
            users = self._settings
            settings = users if cache is None else users.with_cache(cache.path)
            with (
                settings.handed_over(self.temporary) as environ,
                self._started([*arguments, *options], environ) as process,
            ):
                output, errors = process.communicate(stdin)
            answer = _answer(process, output, settings.in_own_words(errors, environ))
            understood = users.for_older(answer.errors)
            if understood is None:
                return answer
            self._settings = understood

    def newer(self, name: str, version: str) -> str | None:
        """Return the newest version of a program above one; None without one, or after a failure.

        The index that has it need not be a source of uv.
        """
        try:
            answer = self.ask(_COMPILE, f"{name}>{version}")
        except (SourceError, UvError):
            return None
        return answer.output.strip().rpartition("==")[2] or None if answer.code == 0 else None

    def logged(
        self,
        arguments: list[str],
        stdin: str,
        *,
        log: str = REQUESTS,
        table: Mapping[str, object] | None = None,
    ) -> tuple[int, str]:
        """Return the exit code of uv and its log, which may contain passwords: never show it.

        Args:
            arguments: The arguments.
            stdin: The input of uv.
            log: What uv logs, as in RUST_LOG.
            table: Settings of uv.toml besides the user's.

        Raises:
            IndexFailed: The source is closed.
            UvNotRunnable: uv cannot be started.
        """
        settings = self._settings
        settings = replace(settings, table={**settings.table, **(table or {})})
        with (
            settings.handed_over(self.temporary) as environ,
            self._started([*arguments, *_PLAIN], {**environ, "RUST_LOG": log}) as process,
        ):
            log_of_uv = process.communicate(stdin)[1]
        return process.returncode, log_of_uv

    def create_cache(self, directory: Path) -> OwnCache:
        """Create a cache for `fill` and `confined` below an empty directory.

        Raises:
            IndexFailed: The user's configuration of uv cannot be read.
            OSError: The directory cannot be written.
        """
        cache = OwnCache(directory, users_cache(self._settings))
        cache.create()
        return cache

    @contextmanager
    def confined(self, cache: OwnCache) -> Iterator[None]:
        """Let `ask` find the pages of the indexes in a cache, and send no request."""
        self._cache = cache
        try:
            yield
        finally:
            self._cache = None

    def fill(
        self,
        arguments: list[str],
        stdin: str,
        cache: OwnCache,
        *,
        heard: Callable[[str], bool] | None = None,
    ) -> Answer:
        """Run uv so that it writes below one directory only, and limit the size of that directory.

        uv itself has no limit for the size of an unpacked wheel. It unpacks into its cache, so the
        cache is in the directory as well.

        Args:
            arguments: The arguments, with a target in the directory of the cache.
            stdin: The input of uv.
            cache: The cache, used by no other uv.
            heard: Called with each line of uv's log as it is written, in another thread; returns
                whether to let uv continue. Without it, uv writes no log.

        Raises:
            OutputTooLarge: The directory has more than LARGEST_UNPACKED bytes.
            IndexFailed: The source is closed, or the user's configuration of uv cannot be read.
            UvNotRunnable: uv cannot be started.
            OSError: The directory cannot be written.
        """
        options = ["--quiet"] if heard is None else ["--verbose", *_PLAIN]
        temporary = str(cache.temporary)
        while True:
            users = self._settings
            settings = users.with_cache(cache.path)
            with settings.handed_over(cache.temporary) as handed:
                environ = {**handed, **dict.fromkeys(_TEMPORARY, temporary)}
                with (
                    self._started(
                        [*arguments, *options], environ, stdout=subprocess.DEVNULL
                    ) as process,
                    self._progress.download(_WRITTEN, None) as written,
                ):
                    errors = watched(process, stdin, cache.directory, heard, written)
            cache.keep()
            answer = _answer(process, "", settings.in_own_words(errors, environ))
            understood = users.for_older(answer.errors)
            if understood is None:
                return answer
            self._settings = understood

    @property
    def offline(self) -> bool:
        """Whether uv sends no request, by the user's configuration or because it is confined.

        Raises:
            IndexFailed: The user's configuration of uv cannot be read.
        """
        return self._cache is not None or self._settings.offline

    @cached_property
    def _settings(self) -> UvSettings:
        windows = sys.platform == "win32"
        try:
            return UvSettings.read(self.environ, windows=windows, url=self.url, flat=self.flat)
        except UnusableFile as unusable:
            raise IndexFailed(self.name, "uv pip", str(unusable)) from None

    def close(self) -> None:
        """Kill the running uv, if any, and start no other."""
        with self._lock:
            self._closed = True
            for process in self._running:
                process.kill()

    @contextmanager
    def _started(
        self, arguments: list[str], environ: Mapping[str, str], *, stdout: int = subprocess.PIPE
    ) -> Iterator[subprocess.Popen[str]]:
        """Start uv; it has exited when the context ends, also after an exception."""
        uv = str(current_path(self._uv))
        command = [uv, *arguments, *self._options, "--python", sys.executable]
        with self._lock:
            if self._closed:
                raise IndexFailed(self.name, " ".join(["uv", *arguments[:2]]), "interrupted")
            try:
                process = subprocess.Popen(  # noqa: S603 # the uv that the user runs anyway
                    command,
                    stdin=subprocess.PIPE,
                    stdout=stdout,
                    stderr=subprocess.PIPE,
                    env=environ,
                    cwd=neutral_directory(self.environ, windows=sys.platform == "win32"),
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
            process.wait()
            raise
        finally:
            with self._lock:
                self._running.discard(process)


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
