"""The programs that provide credentials: uv with its store, `keyring`, and GitHub's `gh`.

They run after a server has refused a request, because each takes time, and because a server may
reject credentials where it requires none. A program that is missing, fails or prints nothing has no
credentials: that is no error.
"""

from __future__ import annotations

import binascii
import json
import logging
import subprocess
import sys
import threading
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from uv_self_update.auth.credentials import Login, usable_secret
from uv_self_update.files import strerror
from uv_self_update.redaction import Secret
from uv_self_update.uv.environment import neutral_directory, user_environment
from uv_self_update.uv.executable import current_path, which
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_log = logging.getLogger(__name__)

_TOKEN_USER = "__token__"  # noqa: S105 # the user of a token in uv
_HELPER = (
    *("auth", "helper", "--protocol", "bazel", "get"),
    *("--preview-features", "auth-helper"),
)
_GITHUB_VARIABLES = frozenset(
    {"GH_ENTERPRISE_TOKEN", "GH_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GITHUB_TOKEN"}
)


@frozen
class Question:
    """A request for credentials."""

    urls: tuple[str, ...]
    """The configured URLs of one origin, without credentials and query."""

    username: str | None = None
    """The required user; None for any."""

    github: str | None = None
    """`HOST` or `HOST:PORT`, if the user has configured it as a GitHub."""


@frozen
class Found:
    """The credentials of a program."""

    what: Login | Secret
    """A user and a password, or a token."""

    place: str
    """The name of the program, for messages."""


class LoginPrograms:
    """The programs of one user, each run once for the same question."""

    def __init__(
        self,
        *,
        uv: Path | None,
        environ: Mapping[str, str],
        directory: Path | None = None,
        timeout: float = 30.0,
    ) -> None:
        """Prepare, without running anything.

        Args:
            uv: The uv with the credential store; None to skip it.
            environ: The user's environment, with the PATH of the other programs.
            directory: The directory for temporary files; None for that of the system.
            timeout: Seconds for each program; a keyring may wait for its user to unlock it.
        """
        self._timeout = timeout
        self._uv = uv
        self._environ = environ
        self._directory = directory
        self._asking = threading.Lock()
        self._answers: dict[Question, Found | None] = {}
        self._state = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._closed = False

    def find(self, question: Question) -> Found | None:
        """Return the credentials of the first program that has any."""
        with self._asking:
            if question not in self._answers:
                self._answers[question] = self._find(question)
            return self._answers[question]

    def close(self) -> None:
        """Kill the running program, if any; may be called from any thread."""
        with self._state:
            self._closed = True
            if self._process is not None:
                self._process.kill()

    def _find(self, question: Question) -> Found | None:
        for place, look in (
            ("uv's credential store", self._in_uv),
            ("keyring", self._in_keyring),
            ("gh", self._in_gh),
        ):
            what = look(question)
            if what is not None:
                return Found(what=what, place=place)
        return None

    def _in_uv(self, question: Question) -> Login | Secret | None:
        """Search the store of uv, whose credentials are for a URL and all URLs below it.

        `uv auth token` (since uv 0.8.15) prints the password of a known user; the helper for Bazel
        (since 0.10) prints both. https://docs.astral.sh/uv/concepts/authentication/cli/
        """
        if self._uv is None:
            return None
        from uv_self_update.uv.configuration import UnusableFile  # noqa: PLC0415 # as below
        from uv_self_update.uv.settings import UvSettings  # noqa: PLC0415 # rarely needed

        try:
            settings = UvSettings.read(self._environ, windows=sys.platform == "win32")
        except UnusableFile as unusable:
            _log.debug("uv's credential store is not used: %s", unusable)
            return None
        uv = str(current_path(self._uv))
        with settings.handed_over(self._directory) as environ:
            # The preview feature that stores credentials in the system's keyring has no file.
            if settings.features or self._has_store(uv, environ):
                return self._in_store(uv, environ, question)
        return None

    def _has_store(self, uv: str, environ: Mapping[str, str]) -> bool:
        """Return whether the store exists; otherwise, a search would create its directory."""
        directory = self._run([uv, "auth", "dir"], environ)
        return directory is not None and Path(directory, "credentials.toml").exists()

    def _in_store(
        self, uv: str, environ: Mapping[str, str], question: Question
    ) -> Login | Secret | None:
        for url in question.urls:
            # Credentials for `…/uv/` are not for `…/uv`.
            directory = url if url.endswith("/") else f"{url}/"
            answer = None
            if question.username is None:
                text = json.dumps({"uri": directory})
                answer = self._run([uv, *_HELPER], environ, text=text)
            if answer is not None:
                found = _basic_of(answer)
            else:
                user = [] if question.username is None else ["--username", question.username]
                password = self._run([uv, "auth", "token", directory, *user], environ)
                found = _credentials(question.username or _TOKEN_USER, password)
            if found is not None:
                return found
        return None

    def _in_keyring(self, question: Question) -> Login | Secret | None:
        """Run `keyring` as uv does: for the URL, then for the host.

        https://docs.astral.sh/uv/reference/settings/#keyring-provider
        """
        from uv_self_update.uv.configuration import read  # noqa: PLC0415 # rarely needed

        windows = sys.platform == "win32"
        if read(self._environ, windows=windows).keyring_provider != "subprocess":
            return None
        keyring = self._program("keyring")
        if keyring is None:
            return None
        hosts = [urlsplit(url).netloc for url in question.urls]
        # Otherwise, the output has the encoding of the console on Windows.
        environ = {**user_environment(self._environ), "PYTHONIOENCODING": "utf-8"}
        for service in dict.fromkeys([*question.urls, *hosts]):
            if question.username is not None:
                command = [keyring, "get", service, question.username]
                found = _credentials(question.username, self._run(command, environ))
            else:
                answer = self._run([keyring, "get", service, "--mode", "creds"], environ)
                user, _, password = (answer or "").partition("\n")
                found = _credentials(user, password)
            if found is not None:
                return found
        return None

    def _in_gh(self, question: Question) -> Secret | None:
        """Run `gh`, which may have its token in the system's keyring.

        https://cli.github.com/manual/gh_auth_token
        """
        gh = self._program("gh") if question.github is not None else None
        if gh is None or question.github is None:
            return None
        # `gh` would return these for any host; `auth.variables` decides about their hosts.
        environ = {
            name: value
            for name, value in user_environment(self._environ).items()
            if name not in _GITHUB_VARIABLES
        }
        return usable_secret(
            self._run([gh, "auth", "token", "--hostname", question.github], environ)
        )

    def _program(self, name: str) -> str | None:
        """Return the path of a program on PATH; the current directory is skipped."""
        found = which(name, self._environ, windows=sys.platform == "win32")
        return None if found is None else str(found)

    def _run(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        text: str | None = None,
    ) -> str | None:
        """Return what a program prints, without the end of its last line; None if it fails.

        No secret is among the arguments, which other users of the machine may see.
        """
        name = Path(command[0]).stem
        try:
            with self._state:
                if self._closed:
                    return None
                process = self._process = subprocess.Popen(  # noqa: S603 # of the user
                    command,
                    stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=environ,
                    cwd=neutral_directory(self._environ, windows=sys.platform == "win32"),
                    encoding="utf-8",
                    errors="replace",
                )
        except OSError as error:
            _log.debug("failed to run %s: %s", name, strerror(error))
            return None
        with process:
            try:
                output, _ = process.communicate(text, timeout=self._timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                _log.warning(
                    "no credentials from `%s`: no answer within %g seconds", name, self._timeout
                )
                return None
            except BaseException:
                process.kill()
                raise
        if process.returncode != 0:
            # Without its output, which may contain secrets.
            _log.debug("no credentials from `%s`: exit code %d", name, process.returncode)
            return None
        return output.removesuffix("\n")


def _credentials(user: str, password: str | None) -> Login | Secret | None:
    if not password:
        return None
    if user == _TOKEN_USER:
        return usable_secret(password)
    return Login(user=user, password=Secret(password))


def _basic_of(answer: str) -> Login | Secret | None:
    """Return the credentials in the output of uv's helper: JSON with a header of RFC 7617."""
    try:
        scheme, _, encoded = json.loads(answer)["headers"]["Authorization"][0].partition(" ")
        user, _, password = b64decode(encoded, validate=True).decode().partition(":")
    except (ValueError, LookupError, TypeError, AttributeError, binascii.Error):
        return None
    return _credentials(user, password) if scheme.lower() == "basic" else None
