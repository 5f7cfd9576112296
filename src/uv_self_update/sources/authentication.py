"""Whose login each server is shown, and in which header each kind of source takes it.

For each origin that the person has configured, the first place counts that has one:

1. the URL itself, or the source's own keys: `token-env`, or `username` with `password-env`; what
   `header-env` names is sent beside them, as a gateway before the mirror may need it;
2. the variables that users of GitHub and GitLab have, each for its own server alone;
3. netrc;
4. once the server has refused: uv's credential store, `keyring`, `gh`, and netrc's `default`.

No other origin gets any, not even one that netrc knows: a server that redirects, or names another,
must not decide to whom the person logs in.
"""

from __future__ import annotations

import logging
from base64 import b64encode
from functools import cached_property, partial
from itertools import chain
from typing import TYPE_CHECKING, TypeGuard
from urllib.parse import urlsplit, urlunsplit

from uv_self_update.auth import netrc as netrc_file
from uv_self_update.auth.credentials import (
    Credential,
    Credentials,
    Login,
    login_of,
    origin_of,
    usable_secret,
    without_userinfo,
)
from uv_self_update.auth.programs import Question
from uv_self_update.auth.variables import (
    JOB_USER,
    github_tokens,
    is_githubs_own,
    is_private,
    job_login,
    server_of,
)
from uv_self_update.redaction import Secret, redact_url
from uv_self_update.sources.github import api_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from uv_self_update.auth.credentials import Origin
    from uv_self_update.auth.netrc import LoginFile
    from uv_self_update.auth.programs import LoginPrograms
    from uv_self_update.config.kinds import SourceSettings


_log = logging.getLogger(__name__)

_WEB = {"http", "https"}
_DEPLOY_USER = "gitlab+deploy-token"  # how the users of deploy tokens begin

_TOKEN_HEADERS = {
    "gitea": ("Authorization", "token "),
    "gitlab": ("PRIVATE-TOKEN", ""),
}
"""Kind -> the header that a token is sent in, and what stands before it: `Bearer` elsewhere.

https://docs.gitea.com/development/api-usage, https://docs.gitlab.com/api/rest/authentication/
"""

_RESERVED = frozenset(
    {
        *("accept", "accept-encoding", "connection", "content-length", "expect", "host"),
        *("if-range", "keep-alive", "proxy-authorization", "proxy-connection", "range", "te"),
        *("trailer", "transfer-encoding", "upgrade"),
    }
)
"""Headers that say how a request is to be read, or that the client sets itself."""


def credentials_of(
    section: SourceSettings,
    environ: Mapping[str, str],
    *,
    given: Secret | None,
    guessed: bool = False,
    programs: LoginPrograms | None = None,
) -> Credentials:
    """Return the credentials that a source's requests may carry.

    Args:
        section: The source.
        environ: The user's environment.
        given: A GitHub token that was given for this run, as in `--token`.
        guessed: Whether nobody has said that it is of this kind. Then a token that was not given
            for this very server goes to GitHub alone: any server could pretend to be one.
        programs: What is asked once a server has refused; None to ask nobody.
    """
    return _Logins(section, environ, given=given, guessed=guessed, programs=programs).collect()


class _Logins:
    """The logins of one source."""

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
    def _addresses(self) -> dict[Origin, list[str]]:
        """The origins that the person has configured, each with the URLs that have led to it."""
        section = self._section
        found: dict[Origin, list[str]] = {}
        for url in section.urls:
            if origin_of(url)[0] in _WEB:
                found.setdefault(origin_of(url), []).append(url)
        if section.kind == "github" and section.url is not None:
            # github.com has its API on a host of its own, and a login that is given is for both.
            found.setdefault(origin_of(api_of(section.url)), [section.url])
        return found

    def _known(self, origin: Origin, urls: Sequence[str]) -> Credential | None:
        """Return what an origin gets with the first request."""
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
        return self._first(
            origin, chain(self._of_the_product(urls[0]), self._of_netrc(origin, urls))
        )

    def _searched(self, origin: Origin, urls: Sequence[str]) -> Credential | None:
        """Return what an origin gets that has refused a request without a credential."""
        return self._first(origin, chain(self._of_programs(urls), self._of_netrc_default(urls[0])))

    def _first(
        self, origin: Origin, candidates: Iterable[tuple[Login | Secret, str]]
    ) -> Credential | None:
        for what, place in candidates:
            if headers := self._sent(origin, what):
                return Credential(headers=headers, place=place)
        return None

    def _own(self, urls: Sequence[str]) -> tuple[Login | Secret, str] | None:
        """Return what stands in the URL, or what the keys of the source name."""
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
        """What `header-env` names: each header, its value, and where that comes from."""
        found = []
        for header, variable in self._section.header_env:
            if header.lower() in _RESERVED:
                _log.warning("%s: a source cannot set the header `%s`", self._name, header)
                continue
            secret = usable_secret(self._value("header-env", variable))
            if secret is not None:
                found.append((header, secret, f"`header-env` {variable}"))
        return found

    def _value(self, key: str, variable: str) -> str:
        """Return what a variable holds that the source names; empty, with a warning, if nothing."""
        value = self._environ.get(variable, "").rstrip("\r\n")
        if not value:
            _log.warning("%s: `%s` names %s, which is not set", self._name, key, variable)
        elif key != "password-env" and usable_secret(value) is None:
            _log.warning("%s: what %s holds cannot be sent in a header", self._name, variable)
        return value

    @property
    def _name(self) -> str:
        return f"the source {redact_url(self._section.url or self._section.download or '')}"

    def _of_the_product(self, url: str) -> Iterator[tuple[Login | Secret, str]]:
        """Yield what the variables hold that users of the product have."""
        if self._is_github(url):
            yield from github_tokens(url, self._environ, given=self._given)
        elif self._section.kind == "gitlab" and not self._guessed:
            yield from job_login(url, self._environ)

    def _is_github(self, url: str) -> bool:
        """Return whether a GitHub is at a URL, and not just a server that may pretend to be one."""
        return self._section.kind == "github" and (not self._guessed or is_githubs_own(url))

    def _of_netrc(self, origin: Origin, urls: Sequence[str]) -> Iterator[tuple[Login, str]]:
        """Yield what netrc has for a host: over any line, as curl, pip and uv send it."""
        for host in dict.fromkeys([origin[1], *(origin_of(url)[1] for url in urls)]):
            if self._netrc is not None and self._is_wanted(login := self._netrc.logins.get(host)):
                yield login, f"netrc {self._netrc.path}"

    def _of_netrc_default(self, url: str) -> Iterator[tuple[Login, str]]:
        """Yield what netrc has for any host: over a line that nobody can listen to."""
        if self._netrc is not None and is_private(url) and self._is_wanted(self._netrc.default):
            yield self._netrc.default, f"netrc {self._netrc.path}"

    def _of_programs(self, urls: Sequence[str]) -> Iterator[tuple[Login | Secret, str]]:
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

    def _sent(self, origin: Origin, what: Login | Secret) -> dict[str, Secret]:
        """Return the headers that this kind of source takes a login in; none if they cannot be."""
        section = self._section
        header, before = _TOKEN_HEADERS.get(section.kind, ("Authorization", "Bearer "))
        if isinstance(what, Secret):
            if section.kind == "github" and origin != origin_of(api_of(section.url or "")):
                # The pages of github.com have no use for it.
                return {}
            secret = usable_secret(what.reveal())
        elif section.kind != "gitlab":
            return _basic(what)
        else:
            # Its API takes HTTP Basic for packages only. A token may also stand in the place of
            # the user, alone.
            secret = usable_secret(what.password.reveal() or what.user)
            if what.user == JOB_USER:
                header = "JOB-TOKEN"
            elif what.user.startswith(_DEPLOY_USER):
                header = "DEPLOY-TOKEN"
        return {} if secret is None else {header: Secret(f"{before}{secret.reveal()}")}


def _basic(login: Login) -> dict[str, Secret]:
    """Return the header of RFC 7617, in UTF-8."""
    try:
        text = f"{login.user}:{login.password.reveal()}".encode()
    except UnicodeEncodeError:
        # Bytes of a variable that are no text; which ones, the error would say.
        return {}
    return {"Authorization": Secret(f"Basic {b64encode(text).decode()}")}


def _bare(url: str) -> str:
    """Return a URL, or the start of a template of one, without what may be a secret in it."""
    parts = urlsplit(without_userinfo(url.partition("{")[0]))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")) if parts.hostname else ""
