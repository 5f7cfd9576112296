"""The `uv self update` process: which uv, in which environment, and how it ends."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from uv_self_update.background import Background
from uv_self_update.errors import UvNotFound, UvNotRunnable
from uv_self_update.release import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType

__all__ = (
    "Ended",
    "Signals",
    "aside",
    "ask_version",
    "bare_environment",
    "end_like",
    "environment",
    "find_uv",
    "present",
    "version_of",
    "which",
)

_REMOVED_PREFIX = "UV_INSTALLER_"
_REMOVED = frozenset(
    {
        "CARGO_DIST_FORCE_INSTALL_DIR",
        "INSTALLER_DOWNLOAD_URL",
        # It speaks no TLS, and some of its versions end where these name something broken.
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "SSL_CLIENT_CERT",
        "UV_ASTRAL_MIRROR_URL",
        "UV_CONFIG_FILE",
        "UV_DISABLE_UPDATE",
        "UV_DOWNLOAD_URL",
        "UV_GITHUB_TOKEN",
        "UV_INSTALL_DIR",
        "UV_OFFLINE",
        "UV_UNMANAGED_INSTALL",
    }
)
_ENDINGS = ".COM;.EXE;.BAT;.CMD"
"""What Windows adds to a name, where PATHEXT says nothing."""

_NEEDED = frozenset(
    {
        "APPDATA",
        "COMSPEC",
        "HOME",
        "LANG",
        "LD_LIBRARY_PATH",
        "LOCALAPPDATA",
        "NIX_LD",
        "NIX_LD_LIBRARY_PATH",
        "PATH",
        "PATHEXT",
        "PROGRAMDATA",
        "SYSTEMDRIVE",
        "SYSTEMROOT",
        "TEMP",
        "TMP",
        "TMPDIR",
        "USERPROFILE",
        "WINDIR",
    }
)
_LOOPBACK = "127.0.0.1"
_ALERT = 0.2  # seconds after which a signal is seen at the latest
_GRACE = 5.0  # seconds for uv to end after a signal
_ANSWER = 60  # seconds for `uv --version`; a virus scanner may read the file first


class Ended(BaseException):
    """This process was asked to end by a signal, and uv does not run yet."""

    def __init__(self, number: int) -> None:
        """Keep the signal's number."""
        super().__init__(number)
        self.number = number


def find_uv(named: str | None, environ: Mapping[str, str], *, windows: bool) -> Path:
    """Return the uv to update: the one that is named, or else the first on PATH.

    One that has moved `aside` counts as well: it gets its name back before it is updated.

    Args:
        named: A path or a name; None for the first on PATH.
        environ: The user's environment.
        windows: Whether programs are called, and lie, as on Windows.

    Raises:
        UvNotFound: There is none.
    """
    for uv in _places(named or "uv", environ, windows=windows):
        if _can_run(present(uv) if windows else uv):
            return uv.absolute()
    raise UvNotFound(named)


def which(name: str, environ: Mapping[str, str], *, windows: bool) -> Path | None:
    """Return the first program of a name on PATH, for what else is looked for as uv is."""
    return next(filter(_can_run, _places(name, environ, windows=windows)), None)


def _places(name: str, environ: Mapping[str, str], *, windows: bool) -> Iterator[Path]:
    """Yield where a program may be.

    The folder that the person stands in counts only where a path is named: a project must not have
    its own program run. `shutil.which` would look there first on Windows, whatever it is told.
    """
    names = [name]
    if windows:
        endings = [end for end in (environ.get("PATHEXT") or _ENDINGS).lower().split(";") if end]
        if not name.lower().endswith(tuple(endings)):
            names = [name + end for end in endings]
    folders = [Path()]
    if name == Path(name).name:
        on_path = map(Path, environ.get("PATH", os.defpath).split(os.pathsep))
        folders = [folder for folder in on_path if folder.is_absolute()]
    return (folder / name for folder in folders for name in names)


def _can_run(path: Path) -> bool:
    # The former first: the latter is an error in a folder that may not be looked into.
    return os.access(path, os.X_OK) and path.is_file()


def aside(uv: Path) -> Path:
    """Return what uv calls itself on Windows while it is replaced, as what runs cannot be."""
    return uv.with_name(f"{uv.name}.previous.exe")


def present(uv: Path) -> Path:
    """Return where uv is at this moment: in its place, or aside."""
    moved = aside(uv)
    return moved if not os.path.lexists(uv) and _can_run(moved) else uv


def environment(environ: Mapping[str, str], base: str) -> dict[str, str]:
    """Return the environment in which uv talks to the gateway and to nothing else.

    Args:
        environ: The user's environment.
        base: The gateway's base URL.
    """
    result = {
        name: value
        for name, value in environ.items()
        if name.upper() not in _REMOVED and not name.upper().startswith(_REMOVED_PREFIX)
    }
    result["UV_INSTALLER_GHE_BASE_URL"] = base
    # A proxy in uv.toml would be asked for loopback too, whatever NO_PROXY says.
    result["UV_NO_CONFIG"] = "1"
    result["UV_NO_MODIFY_PATH"] = "1"
    # wget reads the lower case only, and some programs prefer the upper: both, each extended.
    for name in ("NO_PROXY", "no_proxy"):
        exceptions = environ.get(name) or environ.get(name.swapcase()) or ""
        result[name] = ",".join(filter(None, (exceptions, _LOOPBACK)))
    return result


class Signals:
    """What this process does when it is asked to end: it lets uv end first.

    A terminal sends Ctrl-C to both, but `kill` and a supervisor name only this one, so every such
    signal is handed on. Before there is a uv, it is raised as `Ended`.
    """

    def __init__(self) -> None:
        """Prepare; nothing is changed yet."""
        self.received: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._holding = False
        self._before: dict[int, Any] = {}
        self._lives: int | None = None

    def __enter__(self) -> Self:
        """Handle SIGINT, SIGTERM and SIGHUP."""
        names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
        for number in (getattr(signal, name) for name in names if hasattr(signal, name)):
            # What is ignored stays so: `nohup` ignores SIGHUP on purpose.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *exception: object) -> None:
        """Put the former handlers back; a uv that still runs has nobody to talk to, so it ends."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._lives is not None:
            os.close(self._lives)

    def run(
        self,
        uv: Path,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        *,
        kept: Sequence[int] = (),
    ) -> None:
        """Start `uv self update` with the given arguments, on our own terminal.

        Args:
            uv: The uv to start.
            arguments: What follows `self update`.
            environ: Its environment.
            kept: Open files that it inherits.

        Raises:
            UvNotRunnable: The system refuses to run it.
        """
        self._holding = True
        theirs = None
        if os.name == "posix":
            # Whatever uv starts has the other end open for as long as it lives.
            self._lives, theirs = os.pipe()
            kept = (*kept, theirs)
        try:
            self._process = subprocess.Popen(  # noqa: S603 # the user's own uv
                [uv, "self", "update", *arguments], env=environ, pass_fds=kept
            )
        except OSError as error:
            reason, moved = error.strerror or str(error), present(uv)
            if moved != uv:
                reason = f"since an update was interrupted it is called {moved.name}; rename it"
            raise UvNotRunnable(uv, reason) from error
        finally:
            if theirs is not None:
                os.close(theirs)
        if self.received is not None:
            self._hand_on(self.received)

    def all_ended(self) -> bool:
        """Return whether what uv has started has ended as well, for which some time is given.

        On Windows nobody can tell.
        """
        if self._lives is None:
            return False
        return bool(select.select([self._lives], [], [], _GRACE)[0])

    def wait(self) -> int:
        """Wait for uv to end and return its exit code; 128 + N if signal N has ended it."""
        if self._process is None:
            raise AssertionError
        # The system may hand a signal to any thread, but what handles it runs in this one, which a
        # wait without end would keep from it.
        process = Background(self._process.wait)
        while not process.wait(_ALERT):
            pass
        code = process.result()
        return 128 - code if code < 0 else code

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self.received = self.received or number
        if not self._holding:
            raise Ended(number)
        self._hand_on(number)

    def _hand_on(self, number: int) -> None:
        if self._process is None:
            return
        # uv may be gone already, and on Windows only some signals can be sent.
        with contextlib.suppress(OSError, ValueError):
            self._process.send_signal(number)
        timer = threading.Timer(_GRACE, self._process.kill)
        timer.daemon = True
        timer.start()


def end_like(number: int) -> int:
    """End this process by a signal, so that a shell sees what has happened.

    Returns:
        128 + the signal's number, where the system does not end processes by signals.
    """
    if os.name == "posix":
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    return 128 + number


def ask_version(uv: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
    """Run `uv --version`.

    Raises:
        OSError: It cannot be started.
        TimeoutExpired: It does not answer.
    """
    return subprocess.run(  # noqa: S603 # the user's own uv, or the one that will be
        [uv, "--version"],
        env={**environ, "UV_NO_CONFIG": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_ANSWER,
        check=False,
    )


def bare_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a program needs to start, and no more: none of a person's logins.

    For a uv that nobody has run yet.
    """
    return {
        name: value
        for name, value in environ.items()
        if name.upper() in _NEEDED or name.startswith("LC_")
    }


def version_of(uv: Path, environ: Mapping[str, str]) -> str | None:
    """Return the version that a uv says it has, or None if it does not run, or says none.

    What is returned can be compared: somebody's own build may call itself anything.
    """
    try:
        done = ask_version(present(uv), environ)
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = done.stdout.decode(errors="replace").split()
    said = done.returncode == 0 and len(words) > 1 and VERSION.match(words[1])
    return _normal(words[1]) if said else None


def _normal(version: str) -> str | None:
    """Return a version as PEP 440 writes it; None for one that is none there, and has no order."""
    if VERSION.fullmatch(version):
        return version
    from packaging.version import Version  # noqa: PLC0415 # slow, and nearly all are normal

    try:
        return str(Version(version))
    except ValueError:
        return None
