"""The programs that know logins: uv with its store, `keyring`, and GitHub's `gh`.

They are asked once a server has refused, since each takes its time, and since a login that nobody
has asked for may be refused where none would be needed. Nothing that they do is fatal: a program
that is missing, fails, or says nothing has no login.
"""

from __future__ import annotations

import binascii
import json
import logging
import subprocess
import sys
import threading
from base64 import b64decode
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from uv_self_update.auth.credentials import Login, usable_secret
from uv_self_update.redaction import Secret
from uv_self_update.uv.environment import neutral_directory, user_environment
from uv_self_update.uv.executable import present, which

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_log = logging.getLogger(__name__)

_PATIENCE = 30.0
"""Seconds for one answer; a keyring may wait for its user to unlock it."""

_TOKEN_USER = "__token__"  # noqa: S105 # what uv calls the user of a token
_HELPER = (
    *("auth", "helper", "--protocol", "bazel", "get"),
    *("--preview-features", "auth-helper"),
)
_PREVIEWS = ("UV_PREVIEW", "UV_PREVIEW_FEATURES")
_GITHUB_VARIABLES = frozenset(
    {"GH_ENTERPRISE_TOKEN", "GH_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GITHUB_TOKEN"}
)


@dataclass(frozen=True, kw_only=True)
class Question:
    """Whose login is wanted, and for what."""

    urls: tuple[str, ...]
    """What the person has configured at one origin, with no login and no query."""

    username: str | None = None
    """The user whose login it has to be."""

    github: str | None = None
    """`HOST` or `HOST:PORT`, where the person has said that a GitHub is there."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a program knows."""

    what: Login | Secret
    """A user and a password, or a token alone."""

    place: str
    """What has it, as it may be shown."""


class LoginPrograms:
    """The programs of one user, each asked the same question once in a run."""

    def __init__(self, *, uv: Path | None, environ: Mapping[str, str]) -> None:
        """Prepare; nothing is run yet.

        Args:
            uv: The uv whose store is asked, if any.
            environ: The user's environment; its PATH says where the others are.
        """
        self._uv = uv
        self._environ = environ
        self._asking = threading.Lock()
        self._answers: dict[Question, Found | None] = {}
        self._state = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._closed = False

    def find(self, question: Question) -> Found | None:
        """Return what the first program knows that knows anything."""
        with self._asking:
            if question not in self._answers:
                self._answers[question] = self._find(question)
            return self._answers[question]

    def close(self) -> None:
        """End the program that is under way, if any; to be called from any thread."""
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
        """Look in uv's store, where a login is for all below its URL.

        `uv auth token` (since uv 0.8.15) tells a password to whoever knows the user; its helper for
        Bazel (since 0.10) tells both. https://docs.astral.sh/uv/concepts/authentication/cli/
        """
        if self._uv is None:
            return None
        uv = str(present(self._uv))
        if not self._has_store(uv):
            return None
        for url in question.urls:
            # A login for `…/uv/` is not one for `…/uv`.
            folder = url if url.endswith("/") else f"{url}/"
            answer = None
            if question.username is None:
                answer = self._run([uv, *_HELPER], text=json.dumps({"uri": folder}))
            if answer is not None:
                found = _basic_of(answer)
            else:
                user = [] if question.username is None else ["--username", question.username]
                password = self._run([uv, "auth", "token", folder, *user])
                found = _login(question.username or _TOKEN_USER, password)
            if found is not None:
                return found
        return None

    def _has_store(self, uv: str) -> bool:
        """Return whether there is a store: uv makes its folder whenever it looks into one.

        A uv that tries out the system's own keyring (a preview) has no file.
        """
        if any(self._environ.get(name) for name in _PREVIEWS):
            return True
        folder = self._run([uv, "auth", "dir"])
        return folder is not None and Path(folder, "credentials.toml").exists()

    def _in_keyring(self, question: Question) -> Login | Secret | None:
        """Ask `keyring` as uv does: for the URL, then for the host.

        https://docs.astral.sh/uv/reference/settings/#keyring-provider
        """
        if self._keyring_provider != "subprocess":
            return None
        keyring = self._program("keyring")
        if keyring is None:
            return None
        hosts = [urlsplit(url).netloc for url in question.urls]
        # On Windows, what goes to a pipe has the encoding of the console otherwise.
        environ = {**self._environ, "PYTHONIOENCODING": "utf-8"}
        for service in dict.fromkeys([*question.urls, *hosts]):
            if question.username is not None:
                command = [keyring, "get", service, question.username]
                found = _login(question.username, self._run(command, environ))
            else:
                answer = self._run([keyring, "get", service, "--mode", "creds"], environ)
                user, _, password = (answer or "").partition("\n")
                found = _login(user, password)
            if found is not None:
                return found
        return None

    @cached_property
    def _keyring_provider(self) -> str | None:
        from uv_self_update.uv.configuration import read  # noqa: PLC0415 # few get here

        return read(self._environ, windows=sys.platform == "win32").keyring_provider

    def _in_gh(self, question: Question) -> Secret | None:
        """Ask `gh`, which may have its token in the system's keyring.

        https://cli.github.com/manual/gh_auth_token
        """
        gh = self._program("gh") if question.github is not None else None
        if gh is None or question.github is None:
            return None
        # It would hand out what is in these for any host; where they may go is decided elsewhere.
        environ = {
            name: value for name, value in self._environ.items() if name not in _GITHUB_VARIABLES
        }
        return usable_secret(
            self._run([gh, "auth", "token", "--hostname", question.github], environ)
        )

    def _program(self, name: str) -> str | None:
        """Return a program that is on PATH; one in the folder that the person stands in is none."""
        found = which(name, self._environ, windows=sys.platform == "win32")
        return None if found is None else str(found)

    def _run(
        self,
        command: Sequence[str],
        environ: Mapping[str, str] | None = None,
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
                process = self._process = subprocess.Popen(  # noqa: S603 # the person's own
                    command,
                    stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=user_environment(environ or self._environ),
                    cwd=neutral_directory(self._environ, windows=sys.platform == "win32"),
                    encoding="utf-8",
                    errors="replace",
                )
        except OSError as error:
            _log.debug("%s cannot be run: %s", name, error.strerror)
            return None
        with process:
            try:
                output, _ = process.communicate(text, timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                _log.warning(
                    "no login from `%s`: it has not answered for %g seconds", name, _PATIENCE
                )
                return None
            except BaseException:
                process.kill()
                raise
        if process.returncode != 0:
            # Not in its words: they may repeat what it knows.
            _log.debug("no login from `%s`, which ends with %d", name, process.returncode)
            return None
        return output.removesuffix("\n")


def _login(user: str, password: str | None) -> Login | Secret | None:
    if not password:
        return None
    if user == _TOKEN_USER:
        return usable_secret(password)
    return Login(user=user, password=Secret(password))


def _basic_of(answer: str) -> Login | Secret | None:
    """Return the login in what uv's helper answers: headers, of which one is RFC 7617's."""
    try:
        scheme, _, encoded = json.loads(answer)["headers"]["Authorization"][0].partition(" ")
        user, _, password = b64decode(encoded, validate=True).decode().partition(":")
    except (ValueError, LookupError, TypeError, AttributeError, binascii.Error):
        return None
    return _login(user, password) if scheme.lower() == "basic" else None
