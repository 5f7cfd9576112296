"""The credentials that each server gets, and the header that each kind of source sends them in.

For each origin that the user configured, the first place that has credentials applies:

1. the URL itself, or the source's own keys: `token-env`, or `username` with `password-env`. The
   headers of `header-env` are sent in addition, for a gateway in front of the mirror;
2. the variables of GitHub and GitLab, each for its own server only; for a bucket at
   `UV_S3_ENDPOINT_URL`, AWS's access key, which signs requests;
3. netrc;
4. after the server refused a request: uv's credential store, `keyring`, `gh`, netrc's `default`.

No other origin gets credentials, even if netrc has some: a redirect, or a URL in a response, must
not decide who gets them.
"""

from __future__ import annotations

import logging
from base64 import b64encode
from functools import cached_property, partial
from itertools import chain
from typing import TYPE_CHECKING, TypeGuard

from uv_self_update.auth import netrc as netrc_file
from uv_self_update.auth.credentials import Credential, Credentials, Login, login_of, usable_secret
from uv_self_update.auth.programs import Question
from uv_self_update.auth.variables import (
    JOB_USER,
    github_tokens,
    is_githubs_own,
    is_private,
    job_login,
    server_of,
)
from uv_self_update.redaction import Secret
from uv_self_update.sources.addresses import api_of
from uv_self_update.sources.context import url_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from uv_self_update.auth.netrc import LoginFile
    from uv_self_update.auth.programs import LoginPrograms
    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.url import Origin, Url


_log = logging.getLogger(__name__)

_WEB = {"http", "https"}
_DEPLOY_USER = "gitlab+deploy-token"  # the prefix of a deploy token's username

_TOKEN_HEADERS = {
    "gitea": ("Authorization", "token "),
    "gitlab": ("PRIVATE-TOKEN", ""),
}
"""Kind -> the header of a token and its prefix; `Authorization: Bearer` for all others.

https://docs.gitea.com/development/api-usage, https://docs.gitlab.com/api/rest/authentication/
"""


def credentials_of(
    section: SourceSettings,
    environ: Mapping[str, str],
    *,
    given: Secret | None,
    guessed: bool = False,
    programs: LoginPrograms | None = None,
) -> Credentials:
    """Return the credentials for the requests of a source.

    Args:
        section: The source.
        environ: The user's environment.
        given: The GitHub token of this run, from `--token`.
        guessed: Whether the kind is a guess. Then GitHub tokens go to GitHub's own hosts only, as
            any server could pretend to be a GitHub.
        programs: The programs to ask after a server refused a request; None to ask none.
    """
    return _Collector(section, environ, given=given, guessed=guessed, programs=programs).collect()


class _Collector:
    """Collects the credentials of one source."""

    def __init__(
        self,
        section: SourceSettings,
        environ: Mapping[str, str],
        *,
        given: Secret | None,
        guessed: bool,
        programs: LoginPrograms | None,
    ) -> None:
        self._section = section
        self._environ = environ
        self._given = given
        self._guessed = guessed
        self._programs = programs

    def collect(self) -> Credentials:
        known, searches = {}, {}
        for origin, urls in self._addresses.items():
            credential = self._known(origin, urls)
            if credential is None:
                searches[origin] = partial(self._searched, origin, urls)
            else:
                known[origin] = credential
        return Credentials(known, searches)

    @cached_property
    def _addresses(self) -> dict[Origin, list[Url]]:
        """The origins that the user configured, each with its URLs."""
        section = self._section
        found: dict[Origin, list[Url]] = {}
        for url in section.urls:
            if url.scheme in _WEB:
                found.setdefault(url.origin, []).append(url)
        if section.kind == "github" and section.url is not None:
            # github.com has its API on another host, and the credentials apply to both.
            found.setdefault(api_of(section.url).origin, [section.url])
        return found

    def _known(self, origin: Origin, urls: Sequence[Url]) -> Credential | None:
        """Return the credentials of the first request to an origin."""
        own = self._own(urls)
        headers = {} if own is None else self._sent(origin, own[0])
        places = [own[1]] if own is not None and headers else []
        for header, secret, place in self._own_headers:
            headers = {
                key: value for key, value in headers.items() if key.lower() != header.lower()
            }
            headers[header] = secret
            places.append(place)
        if headers:
            return Credential(headers=headers, place=" and ".join(places))
        return self._signing(urls[0]) or self._first(
            origin, chain(self._of_the_product(urls[0]), self._of_netrc(origin, urls))
        )

    def _signing(self, url: Url) -> Credential | None:
        """Return what signs the requests to the store that the user has named to uv."""
        if self._section.kind != "s3" or self._guessed or not is_private(url):
            return None
        from uv_self_update.auth.aws import IDENTITY, AccessKey  # noqa: PLC0415 # for buckets only

        key = AccessKey.of(self._environ, url)
        return None if key is None else Credential(headers={}, place=IDENTITY, sign=key.signed)

    def _searched(self, origin: Origin, urls: Sequence[Url]) -> Credential | None:
        """Return the credentials for an origin that refused a request without any."""
        return self._first(origin, chain(self._of_programs(urls), self._of_netrc_default(urls[0])))

    def _first(
        self, origin: Origin, candidates: Iterable[tuple[Login | Secret, str]]
    ) -> Credential | None:
        for secret, place in candidates:
            if headers := self._sent(origin, secret):
                return Credential(headers=headers, place=place)
        return None

    def _own(self, urls: Sequence[Url]) -> tuple[Login | Secret, str] | None:
        """Return the credentials in the URL, or those that the keys of the source name."""
        section = self._section
        login = next(filter(None, map(login_of, urls)), None)
        if login is not None:
            return login, "the URL"
        token = section.token_env and self._value("token-env", section.token_env)
        if token:
            return Secret(token), f"`token-env` {section.token_env}"
        if section.username is None or section.password_env is None:
            return None
        password = self._value("password-env", section.password_env)
        login = Login(user=section.username, password=Secret(password))
        return (login, f"`password-env` {section.password_env}") if password else None

    @cached_property
    def _own_headers(self) -> list[tuple[str, Secret, str]]:
        """The headers of `header-env`: name, value, and the place of the value."""
        found = []
        for header, variable in self._section.header_env:
            secret = usable_secret(self._value("header-env", variable))
            if secret is not None:
                found.append((header, secret, f"`header-env` {variable}"))
        return found

    def _value(self, key: str, variable: str) -> str:
        """Return the value of a variable that the source names; warn if it is unset or unusable."""
        value = self._environ.get(variable, "").rstrip("\r\n")
        if not value:
            _log.warning("%s: `%s` names %s, which is not set", self._name, key, variable)
        elif key != "password-env" and usable_secret(value) is None:
            _log.warning("%s: the value of %s is not valid in a header", self._name, variable)
        return value

    @property
    def _name(self) -> str:
        return f"the source {self._section.location}"

    def _of_the_product(self, url: Url) -> Iterator[tuple[Login | Secret, str]]:
        """Yield the credentials in the variables of GitHub or GitLab."""
        if self._is_github(url):
            yield from github_tokens(url, self._environ, given=self._given)
        elif self._section.kind == "gitlab" and not self._guessed:
            yield from job_login(url, self._environ)

    def _is_github(self, url: Url) -> bool:
        """Return whether the user named a GitHub, or the host is one of GitHub's own."""
        return self._section.kind == "github" and (not self._guessed or is_githubs_own(url))

    def _of_netrc(self, origin: Origin, urls: Sequence[Url]) -> Iterator[tuple[Login, str]]:
        """Yield netrc's entry for a host; also over plain HTTP, as curl, pip and uv do."""
        for host in dict.fromkeys([origin[1], *(url.host for url in urls)]):
            if self._netrc is not None and self._is_wanted(login := self._netrc.logins.get(host)):
                yield login, f"netrc {self._netrc.path}"

    def _of_netrc_default(self, url: Url) -> Iterator[tuple[Login, str]]:
        """Yield netrc's `default` entry; over HTTPS or loopback only."""
        if self._netrc is not None and is_private(url) and self._is_wanted(self._netrc.default):
            yield self._netrc.default, f"netrc {self._netrc.path}"

    def _of_programs(self, urls: Sequence[Url]) -> Iterator[tuple[Login | Secret, str]]:
        if self._programs is None:
            return
        github = self._is_github(urls[0]) and is_private(urls[0])
        question = Question(
            urls=tuple(filter(None, map(_bare, urls))),
            username=self._section.username,
            github=server_of(urls[0]) if github else None,
        )
        found = self._programs.find(question)
        if found is not None:
            yield found.what, found.place

    def _is_wanted(self, login: Login | None) -> TypeGuard[Login]:
        return login is not None and self._section.username in {None, login.user}

    @cached_property
    def _netrc(self) -> LoginFile | None:
        return netrc_file.read(self._environ)

    def _sent(self, origin: Origin, login: Login | Secret) -> dict[str, Secret]:
        """Return the headers for credentials with this kind of source; empty if unusable."""
        section = self._section
        header, prefix = _TOKEN_HEADERS.get(section.kind, ("Authorization", "Bearer "))
        if isinstance(login, Secret):
            if section.kind == "github" and origin != api_of(url_of(section)).origin:
                # The web pages of github.com do not accept tokens.
                return {}
            secret = usable_secret(login.reveal())
        elif section.kind != "gitlab":
            return _basic(login)
        else:
            # GitLab's API accepts HTTP Basic for packages only. A token may also be the username,
            # without a password.
            secret = usable_secret(login.password.reveal() or login.user)
            if login.user == JOB_USER:
                header = "JOB-TOKEN"
            elif login.user.startswith(_DEPLOY_USER):
                header = "DEPLOY-TOKEN"
        return {} if secret is None else {header: Secret(f"{prefix}{secret.reveal()}")}


def _basic(login: Login) -> dict[str, Secret]:
    """Return the header of HTTP Basic authentication (RFC 7617), in UTF-8."""
    try:
        text = f"{login.user}:{login.password.reveal()}".encode()
    except UnicodeEncodeError:
        # The variable contains invalid UTF-8; the error's message would show the bytes.
        return {}
    return {"Authorization": Secret(f"Basic {b64encode(text).decode()}")}


def _bare(url: Url) -> str:
    """Return a URL, or the part of a template before its placeholders, without secrets."""
    if not url.host or "{" in url.netloc:
        return ""
    return url.at(url.parts.path.partition("{")[0]).wire
