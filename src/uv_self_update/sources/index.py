"""`index`: the package index, asked through uv itself.

uv is the client that knows its user's index best: their `uv.toml`, `UV_DEFAULT_INDEX`, netrc,
keyring, credential store, proxies and certificate authorities. So there is no second client here,
and no address of an index: with nothing configured, uv's own default applies.
"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from uv_self_update.errors import IndexFailed, NoSuchVersion, UnusableArchive, UvNotRunnable
from uv_self_update.neutral import neutral_environment, neutral_folder
from uv_self_update.policy import NEWEST, Wanted, newest_first
from uv_self_update.release import VERSION, Release
from uv_self_update.secret import redact, redact_url
from uv_self_update.sources.interface import WheelSource

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ("IndexSource", "index_environment")

_OTHER_INDEXES = (
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_INDEX_URL",
    "UV_NO_INDEX",
)
_SHOWN_LINES = 12
_OWN = re.compile(r"^(?:error:| *\u00d7)", re.MULTILINE)
_EXCERPT = re.compile(r"\s*\d* \|")
_PHRASE = re.compile(r"(HTTP status (?:client|server) error \(\d{3}).*(?=\) for url)")


class IndexSource(WheelSource):
    """The package index that uv is configured for, or one that is given by its URL."""

    def __init__(self, *, uv: Path, environ: Mapping[str, str], url: str | None = None) -> None:
        """Prepare; nothing is run yet.

        Args:
            uv: The uv to ask; from 0.5.0 on.
            environ: The user's environment.
            url: The root of a simple repository API (PEP 503); None for uv's own default.
        """
        self._uv = uv
        self._environ = index_environment(environ, url=url)
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._closed = False
        self.name = "the package index" if url is None else f"the index {redact_url(url)}"

    def find(self, wanted: Wanted) -> Release:
        """Return the newest release that is wanted; see Source."""
        version = self._resolve(wanted.requirement)
        if version is None:
            raise NoSuchVersion(self.name, str(wanted), self._nearest(wanted))
        return Release(version=version, tag=version, assets=())

    def releases(self, limit: int) -> tuple[Release, ...]:
        """Return the newest releases; see Source.

        uv tells the newest below a version, and no list; what it has cached is enough for that.
        Pre-releases are not among them.
        """
        found: list[Release] = []
        requirement = NEWEST.requirement
        while len(found) < limit:
            version = self._resolve(requirement, refresh=not found)
            if version is None:
                break
            found.append(Release(version=version, tag=version))
            requirement = f"uv<{version}"
        return tuple(found)

    def unpack(self, release: Release, folder: Path) -> Path:
        """Lay the wheel's files below a folder; see WheelSource."""
        target = folder / "wheel"
        arguments = ["pip", "install", "--target", str(target), "--no-deps", "--only-binary", "uv"]
        # Without `copy` the files may be links into uv's cache, which must not change with them.
        arguments += ["--link-mode", "copy", f"uv=={release.version}"]
        code, _, errors = self._run(arguments)
        if code != 0:
            raise IndexFailed(self.name, "uv pip install", _end_of(errors))
        executables = target / ("Scripts" if sys.platform == "win32" else "bin")
        if not executables.is_dir():
            name = f"the wheel of uv {release.version}"
            raise UnusableArchive(name, self.name, "there is no executable in it")
        return executables

    def close(self) -> None:
        """End the uv that is under way, if any; see Source."""
        with self._lock:
            self._closed = True
            for process in self._running:
                process.kill()

    def _resolve(
        self, requirement: str, *, resolution: str = "highest", refresh: bool = True
    ) -> str | None:
        """Return the version that uv would install, or None if the index has none."""
        arguments = ["pip", "compile", "-", "--no-header", "--no-annotate", "--no-deps"]
        arguments += ["--only-binary", "uv", "--resolution", resolution]
        if refresh:
            # What was cached minutes ago may not know of today's release.
            arguments += ["--refresh-package", "uv"]
        # A person may want pre-releases of other packages, or the index may have nothing else.
        arguments += ["--prerelease", "explicit"]
        code, output, errors = self._run(arguments, requirement)
        if code == 0:
            for line in output.splitlines():
                name, _, version = line.partition("==")
                version = version.split(" ")[0].strip()
                if name.strip() == "uv" and VERSION.fullmatch(version):
                    return version
            raise IndexFailed(self.name, "uv pip compile", f"it named no version of uv: {output}")
        if "No solution found" in errors and "was not found" not in errors:
            return None
        raise IndexFailed(self.name, "uv pip compile", _end_of(errors))

    def _nearest(self, wanted: Wanted) -> tuple[str, ...]:
        """Ask for the neighbours of an exact version, else for the newest of all."""
        if wanted.exact is None:
            found = {self._resolve(NEWEST.requirement)}
        else:
            above = self._resolve(f"uv>{wanted.exact}", resolution="lowest")
            found = {above, self._resolve(f"uv<{wanted.exact}")}
        return tuple(newest_first(version for version in found if version is not None))

    def _run(self, arguments: list[str], stdin: str = "") -> tuple[int, str, str]:
        command = [str(self._executable()), *arguments, "--quiet", "--python", sys.executable]
        with self._lock:
            if self._closed:
                raise IndexFailed(self.name, " ".join(["uv", *arguments[:2]]), "interrupted")
            try:
                process = subprocess.Popen(  # noqa: S603 # the uv that the user runs anyway
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=self._environ,
                    cwd=neutral_folder(self._environ, windows=sys.platform == "win32"),
                    encoding="utf-8",
                    errors="replace",
                )
            except OSError as error:
                raise UvNotRunnable(self._uv, error.strerror or str(error)) from error
            self._running.add(process)
        try:
            output, errors = process.communicate(stdin)
        except BaseException:
            process.kill()
            raise
        finally:
            with self._lock:
                self._running.discard(process)
        return process.returncode, output, _without_quotes(redact(errors)).strip()

    def _executable(self) -> Path:
        """Return uv, also while it has moved itself aside to be replaced, as on Windows."""
        aside = self._uv.with_name(f"{self._uv.name}.previous.exe")
        return aside if not self._uv.exists() and aside.exists() else self._uv


def _without_quotes(errors: str) -> str:
    """Return what uv itself has said: without the words of its keyring and of a server.

    Nor does it quote its configuration, where a login may stand.
    """
    own = _OWN.search(errors)
    lines = errors[own.start() if own else 0 :].splitlines()
    return _PHRASE.sub(r"\1", "\n".join(line for line in lines if not _EXCERPT.match(line)))


def _end_of(errors: str) -> str:
    return "\n".join(errors.splitlines()[-_SHOWN_LINES:])


def index_environment(environ: Mapping[str, str], *, url: str | None) -> dict[str, str]:
    """Return the environment in which uv is asked for its index.

    A `url` comes before every index of the user's uv.toml; it is handed over here rather than as an
    argument, where other users of the machine could read a login in it.
    """
    result = neutral_environment(environ)
    if url is not None:
        for name in _OTHER_INDEXES:
            result.pop(name, None)
        result["UV_INDEX"] = result["UV_DEFAULT_INDEX"] = url
        # Another index of the user's uv.toml is then asked for nothing that this one has.
        result["UV_INDEX_STRATEGY"] = "first-index"
    return result
