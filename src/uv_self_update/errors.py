"""Everything that can go wrong, in one tree.

Each leaf builds its own message from the facts: what happened, and where. `hint` says what to try.
`exit_code` is the exit code of the command; once uv has run, uv's own exit code is passed on.
Exit code 11, `check.UPDATE_DUE`, is not a failure.

```text
UvSelfUpdateError
├── UsageError                2   invalid command line
├── ConfigurationError        3   invalid configuration file or environment variable
├── UvError                   4   no uv that can be updated
├── GatewayError              5   no server on loopback
├── SourceError               6   a source failed
│   ├── UpstreamError             a request to a source failed
│   │   └── StatusRefused             401, 403, 404, 5xx and so on
│   ├── IndexFailed               uv failed to use its package index
│   └── NoSuchVersion         7   the source works, but lacks the version
├── InstallError              8   the new version was not installed; the old one stays
│   └── NoDigest                  no digest, but the configuration requires one
├── RehearsalError            9   the rehearsal could not run, or failed
├── InternalError             10  a bug in this package
├── PackageError              12  a package of a private release cannot be served
├── MirrorError               13  a mirror was not filled
└── CommandNotRunnable        127 the command after `--` cannot be started
```
"""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from uv_self_update.messages import printable, shown
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from uv_self_update.url import Url


_log = logging.getLogger(__name__)


class UvSelfUpdateError(Exception):
    """The root: a message, and optionally a hint."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        # Parts of both may come from a server: no control characters for the terminal.
        super().__init__(message)
        self.message = printable(message)
        self.hint = None if hint is None else printable(hint)

    def __str__(self) -> str:
        return self.message

    def as_json(self) -> str:
        """Return one JSON object for `--json`: `error`, `code` (the exit code) and `hint`."""
        import json  # noqa: PLC0415 # only for `--json`

        return json.dumps({"error": self.message, "code": self.exit_code, "hint": self.hint})


class InternalError(UvSelfUpdateError):
    """A bug in this package.

    The message has the type of the error, its place, and the reason of an OSError. The text of any
    other error may contain credentials.
    """

    exit_code = 10

    def __init__(self, error: Exception) -> None:
        frames = traceback.extract_tb(error.__traceback__)[-1:]
        place = "".join(f" in {Path(at.filename).name}, line {at.lineno}" for at in frames)
        reason = isinstance(error, OSError) and error.strerror
        super().__init__(
            f"unexpected error: {type(error).__name__}{place}" + (f": {reason}" if reason else ""),
            hint="This is a bug in uv-self-update; please report it. Run the update or rehearsal "
            "with `-v` for details.",
        )


def as_failure(error: Exception) -> UvSelfUpdateError:
    """Return an error of the tree as it is, and any other as a bug, whose trace is logged."""
    if isinstance(error, UvSelfUpdateError):
        return error
    _log.debug("%s", "".join(_trace(error)))
    return InternalError(error)


def _trace(error: BaseException | None) -> Iterator[str]:
    """Yield the tracebacks of an error and of its causes: lines of code, without values."""
    while error is not None:
        yield f"{type(error).__name__}\n"
        yield from traceback.format_tb(error.__traceback__)
        error = error.__cause__ or error.__context__


class RehearsalError(UvSelfUpdateError):
    """The rehearsal could not run, or failed."""

    exit_code = 9


# Before anything is requested: the command line, the configuration, uv itself, loopback.


class UsageError(UvSelfUpdateError):
    """Invalid command line."""

    exit_code = 2


class InvalidTarget(UsageError):
    """The version is not an exact version, a prefix of one, or a specifier."""

    def __init__(self, target: str, *, hint: str | None = None) -> None:
        forms = "Expected an exact version (`0.12.3`), a prefix (`0.12`), or a specifier (`<0.13`)."
        super().__init__(
            f"`{shown(target)}` is not a version of uv", hint=f"{hint} {forms}" if hint else forms
        )


class InvalidSource(UsageError):
    """A source is not `index`, a URL, a path, or `KIND+URL`."""

    def __init__(self, spec: str, reason: str) -> None:
        super().__init__(
            f"invalid source `{spec}`: {reason}",
            hint="Expected a URL, the path of a directory, `index`, or a kind and a URL: "
            "`nexus+URL`.",
        )


class ConfigurationError(UvSelfUpdateError):
    """Invalid configuration file or environment variable."""

    exit_code = 3


@frozen
class Problem:
    """One problem of a configuration."""

    origin: str
    """The file, variable or option that sets the value."""

    key: str
    """The dotted key, as in `network.timeout`; empty for the whole file."""

    reason: str
    barred: bool = False
    """Whether the file exists but cannot be read."""

    def __str__(self) -> str:
        key = f"{self.key}: " if self.key else ""
        return f"{self.origin}: {key}{self.reason}"


@frozen
class SharedFile:
    """The system configuration file."""

    path: str
    owner: str
    """The user or group that may change it, for display."""

    writable: bool
    """Whether the current user may change it."""

    @property
    def hint(self) -> str:
        """Who can change the file, and how to test a change."""
        if self.writable:
            return f"`uv-self-update config edit --system` opens {self.path}."
        return (
            f"{self.path} is the system configuration file, which applies to all users: "
            f"{self.owner} can change it. `uv-self-update config check FILE` validates a corrected "
            "copy."
        )


class InvalidConfiguration(ConfigurationError):
    """All problems of the configuration, one per line.

    `shared` is the system configuration file, which the user may not be able to fix.
    """

    def __init__(self, problems: Sequence[Problem], *, shared: SharedFile | None = None) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        files = {one.origin for one in self.problems if one.origin.endswith(".toml")}
        hints = []
        if shared is not None and shared.path in files:
            hints.append(shared.hint)
            files.remove(shared.path)
        if any(one.barred and one.origin in files for one in self.problems):
            hints.append("Check its permissions, and whether HOME is your own home directory.")
        elif files:
            hints.append("`uv-self-update config edit` opens the user file.")
        super().__init__(f"invalid configuration:\n{lines}", hint=" ".join(hints) or None)


class ConfigurationNotKept(ConfigurationError):
    """A change to a file cannot be written, or would lose text that the user wrote."""

    def __init__(self, path: Path, reason: str, hint: str | None = None) -> None:
        super().__init__(f"{path} was not changed: {reason}", hint=hint)


class NoHomeDirectory(ConfigurationError):
    """No home directory, and so no user configuration file."""

    def __init__(self) -> None:
        super().__init__(
            "no home directory for the user configuration file: HOME is not an absolute path, and "
            "the user database has no entry",
            hint="Set HOME, or name a file with `--config FILE` or UV_SELF_UPDATE_CONFIG.",
        )


class InvalidRequirement(ConfigurationError):
    """`required-version` in uv's own configuration cannot be parsed."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(
            f"invalid configuration of uv: {problem}",
            hint="Fix the file, or give a version: `uv-self-update TARGET`.",
        )


class NothingRequired(ConfigurationError):
    """`required-version` is not set in uv's own configuration.

    `paths` are the files and directories searched; empty if uv's configuration is disabled.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        reason = f"searched {', '.join(paths)}"
        if not paths:
            reason = "`--no-config` or UV_NO_CONFIG disables it"
        super().__init__(
            f"uv's configuration has no `required-version`: {reason}",
            hint="Set `required-version` in uv.toml, or in `[tool.uv]` of pyproject.toml; or give "
            "a version: `uv-self-update TARGET`.",
        )


class UvError(UvSelfUpdateError):
    """No uv that can be updated."""

    exit_code = 4


class UvNotFound(UvError):
    """No uv at the path or by the name given; None stands for the first on PATH."""

    def __init__(self, named: str | None) -> None:
        super().__init__(
            f"no uv executable found at {named}" if named else "no uv found on PATH",
            hint="Check `--uv` or `UV_SELF_UPDATE_UV`."
            if named
            else "Add uv to PATH, or name it with `--uv PATH` or `UV_SELF_UPDATE_UV`.",
        )


class UvNotRunnable(UvError):
    """A uv was found, but failed to run."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"failed to run {path}: {reason}",
            hint="Use another uv with `--uv PATH` or `UV_SELF_UPDATE_UV`.",
        )


class UvTooOld(UvError):
    """A uv before 0.5.0, which always requests its updates from GitHub."""

    def __init__(self, path: Path, version: str) -> None:
        super().__init__(
            f"{path} is uv {version}, but only uv 0.5.0 and later can be updated from another "
            "source",
            hint="Replace it once by a newer uv: `uv pip install --target DIR uv` writes one to "
            "DIR/bin.",
        )


class StartedThroughUvx(UvError):
    """On Windows, `uvx.exe` waits for this process, and a running executable cannot be replaced."""

    def __init__(self) -> None:
        super().__init__(
            "uv can't be updated through `uvx`: Windows does not replace a running executable",
            hint="Run `uv tool install uv-self-update` once, and then `uv-self-update`.",
        )


class GatewayError(UvSelfUpdateError):
    """No server on loopback; with `bound`, the port was bound but refuses connections."""

    exit_code = 5

    def __init__(self, reason: str, *, bound: bool = False) -> None:
        super().__init__(
            f"failed to {'connect to' if bound else 'listen on'} 127.0.0.1: {reason}",
            hint="uv is updated through a server on loopback; a security product or a sandbox "
            "may block it.",
        )


# While a source is used.


class SourceError(UvSelfUpdateError):
    """A source failed."""

    exit_code = 6


class Unreadable(SourceError):
    """A directory of this machine, or of a share, cannot be read."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"failed to read the directory {path}: {reason}",
            hint="Check the path, its permissions, and whether the share is mounted.",
        )


class UnexpectedBody(SourceError):
    """A response with status 200 and an unexpected body; `url` is redacted."""

    def __init__(self, url: str, expected: str, got: str) -> None:
        super().__init__(
            f"unexpected response from {url}: expected {expected}, got {got}",
            hint="The server may have sent a login page or an error page with status 200: open the "
            "URL in a browser."
            if got.startswith("a web page")
            else "Check the URL.",
        )


class WheelsOnly(SourceError):
    """A directory contains wheels of uv instead of the archives of its releases."""

    def __init__(self, url: Url) -> None:
        super().__init__(
            f"{url} contains wheels of uv, not the archives of its releases",
            hint='For wheels, use a source of kind `index` with `format = "flat"`; '
            f"`uv-self-update init {url}` configures it.",
        )
        self.url = url


class NoInstaller(SourceError):
    """A release has no installer, and the configuration rules out ours."""

    def __init__(self, source: str, version: str, name: str) -> None:
        super().__init__(
            f"{source} has no {name} for uv {version}, which "
            '`install.installer = "release"` requires',
            hint="With `auto` or `native`, uv-self-update installs the release without it.",
        )


class NoLatest(SourceError):
    """A `urls` source without `latest` resolves exact versions only."""

    def __init__(self, source: str, wanted: str) -> None:
        super().__init__(
            f"{source} can't resolve {wanted}: it has no list of versions",
            hint="Give an exact version, or add `latest` to the source.",
        )


class IndexFailed(SourceError):
    """A command of uv failed on its package index; the message ends with its output."""

    def __init__(self, source: str, command: str, output: str, *, hint: str | None = None) -> None:
        super().__init__(
            f"`{command}` failed for {source}:\n{output}",
            hint=hint
            or "Run `uv pip install --dry-run --target DIR uv` to reproduce; once it succeeds, so "
            "will this.",
        )


class IndexRefused(IndexFailed):
    """An index answered 401, 403 or 404."""

    def __init__(
        self,
        url: str,
        status: int,
        *,
        user: str | None,
        place: str | None,
        named_by: str,
        hint: str,
    ) -> None:
        """Build the message.

        Args:
            url: The page, without credentials.
            status: 401, 403 or 404.
            user: The user name sent, if it may be shown.
            place: Where the credentials come from; None if none were sent.
            named_by: The variable or the file that names the index; empty if unknown.
            hint: The next step.
        """
        super().__init__("", "uv pip compile", "", hint=hint)
        self.url, self.status = url, status
        verb = "does not show uv to" if status in GONE else "refuses"
        whom = "requests without credentials" if place is None else "the credentials"
        whom = f"user `{user}`" if user and place else whom
        origin = f", credentials from {place}" if place else ""
        named = f", index from {named_by}" if named_by and named_by not in origin else ""
        reason = f"{status} {phrase_of(status)}{origin}{named}"
        self.message = printable(f"{url} {verb} {whom} ({reason})")


class NoSuchVersion(SourceError):
    """The source works, but lacks the version; `nearest` are the nearest versions it has."""

    exit_code = 7

    def __init__(self, source: str, wanted: str, nearest: Sequence[str]) -> None:
        self.nearest = tuple(nearest)
        super().__init__(
            f"{source} has no {wanted}",
            hint=f"The nearest versions are {', '.join(nearest)}."
            if nearest
            else "The source has no version of uv at all: check the URL.",
        )


class NoArchive(NoSuchVersion):
    """The source has the version, but no archive of it for this platform."""

    def __init__(
        self, source: str, wanted: str, archive: str, lacking: Sequence[str], others: Sequence[str]
    ) -> None:
        """Build the message.

        Args:
            source: The name of the source.
            wanted: The version or release requested.
            archive: The name of the missing file.
            lacking: The versions without it.
            others: The nearest versions that were not examined.
        """
        super().__init__(source, wanted, others)
        self.message = printable(
            f"{source} has no {wanted} for this machine: {archive} is missing from "
            + ", ".join(lacking)
        )
        if not others:
            self.hint = "Ask the maintainer of the mirror for that file, or add another source."


class HiddenByCutoff(NoSuchVersion):
    """uv's own `exclude-newer` excludes every requested version."""

    def __init__(  # the facts of two sentences
        self,
        source: str,
        wanted: str,
        cutoff: str,
        reason: str,
        *,
        file: str,
        index_file: str | None = None,
    ) -> None:
        """Build the message.

        Args:
            source: The name of the source.
            wanted: The version or release requested.
            cutoff: The setting, its value, and where it is set.
            reason: Why it excludes uv.
            file: The file of uv for an exception for the package.
            index_file: The file with the `[[index]]`; None if a variable names the index.
        """
        super().__init__(source, wanted, ())
        self.message = printable(f"{source} has no {wanted} that {cutoff} allows: {reason}")
        of_index = (
            f", or `exclude-newer = false` to the `[[index]]` in {index_file} (uv 0.11.5 and later)"
            if index_file
            else ""
        )
        self.hint = printable(
            f"Add `exclude-newer-package = {{ uv = false }}` to {file} (uv 0.9.25 and later)"
            f"{of_index}. With an older uv, remove the setting."
        )


class NotListed(NoSuchVersion):
    """An index answered, but lists no uv for this machine."""

    def __init__(self, source: str, wanted: str, *, url: str, named_by: str, others: bool) -> None:
        """Build the message.

        Args:
            source: The name of the source.
            wanted: The version or release requested.
            url: The page of the index, without credentials.
            named_by: The variable or the file that names the index.
            others: Whether uv has other indexes, which it did not query.
        """
        super().__init__(source, wanted, ())
        self.message = printable(
            f"{source} has no {wanted}: {url} (index from {named_by}) lists no wheel of uv for "
            "this machine, or only yanked ones" + ("; uv queried no other index" if others else "")
        )
        self.hint = (
            "By default, uv uses only the first index that has a page for a package. Put the "
            'index that has uv first, or set `index-strategy = "unsafe-best-match"` in uv.toml '
            "(UV_INDEX_STRATEGY) if you trust all your indexes equally."
            if others
            else "Open the URL in a browser: it must list wheels of uv. A login page means that "
            "uv needs credentials."
        )


class HiddenByPolicy(NoSuchVersion):
    """A rule of the policy excludes a version.

    Args:
        source: The name of the source; empty if none was queried.
        version: The version.
        because: The rule, and where it is set.
        only: The rule to change if no other requested version is allowed either.
    """

    def __init__(self, source: str, version: str, because: str, *, only: str = "") -> None:
        super().__init__(source, f"uv {version}", ())
        place = f" from {source}" if source else ""
        self.version = version
        self.because = printable(because)
        self.message = printable(f"uv {version}{place} is hidden by the policy: {because}")
        self.hint = printable(
            "No other requested version is allowed either; `uv-self-update releases` shows the "
            f"rule that hides each. Relax {only}, or ask its maintainer."
            if only
            else "`uv-self-update releases` shows the allowed versions; without a version, "
            "`uv-self-update` installs the newest of them."
        )


class InvalidApprovedList(SourceError):
    """The list of approved versions cannot be read.

    `place` is its path or URL, redacted; `origin` the file or variable that names it.
    """

    def __init__(self, place: str, origin: str, reason: str) -> None:
        super().__init__(
            f"failed to read the list of approved versions {place} (policy.approved in {origin}): "
            f"{reason}",
            hint="Expected one version per line, or a JSON array of versions. Nothing is installed "
            "without the list.",
        )


class NotDetected(SourceError):
    """The kind of source at a URL (redacted) is unknown; `tried` has a line for each request."""

    def __init__(self, url: str, tried: Sequence[str], hint: str, *, of: str = "uv") -> None:
        lines = "".join(f"\n  {line}" for line in tried)
        super().__init__(f"no releases of {of} found at {url}{lines}", hint=hint)


class NoSourceAnswered(SourceError):
    """All of several sources failed; the message has a line for each."""

    def __init__(self, failures: Sequence[UvSelfUpdateError]) -> None:
        self.failures = tuple(failures)
        lines = "\n".join("  " + str(failure).replace("\n", "\n    ") for failure in failures)
        hints = dict.fromkeys(failure.hint for failure in failures if failure.hint)
        super().__init__(f"all sources failed:\n{lines}", hint="\n".join(hints) or None)


# A request to a source.


TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed later (RFC 9110, RFC 6585)."""

GONE = frozenset({404, 410})
"""Statuses of a resource that does not exist (RFC 9110)."""


def phrase_of(status: int) -> str:
    """Return the reason phrase of a status; empty if it is unknown."""
    from http.client import responses  # noqa: PLC0415 # only after a failure

    return responses.get(status, "")


class UpstreamError(SourceError):
    """A request to a source failed."""

    passing = False
    """Whether the failure may be transient, so that a retry makes sense."""

    after: float | None = None
    """Seconds after which the server accepts a retry (`Retry-After`)."""


class Unreachable(UpstreamError):
    """No response: DNS, connection or timeout. `url` is redacted."""

    def __init__(self, url: str, reason: str, *, passing: bool = False) -> None:
        self.url, self.reason, self.passing = url, reason, passing
        super().__init__(
            f"failed to fetch `{url}`: {reason}",
            hint="Check the URL, HTTPS_PROXY, NO_PROXY, and `network.ca-bundle`.",
        )


class StatusRefused(UpstreamError):
    """A response with a status other than 200.

    `url` is redacted. `words` replaces the reason phrase of RFC 9110: a server's own may repeat
    the credentials that it was sent.
    """

    _HINTS: ClassVar[dict[int, str]] = {
        401: "The server requires credentials, or rejected those it got. Add them to netrc, "
        "run `uv auth login`, or set `token-env` or `password-env` in the source; for GitHub, set "
        "GH_TOKEN. `uv-self-update config show` shows which credentials are used.",
        400: "If the server requires a client certificate, set `network.client-cert`.",
        403: "The server denies access: check the credentials. "
        "`uv-self-update config show` shows which ones are used.",
        404: "The URL does not exist, or the credentials have no access to it: check the URL.",
        407: "The proxy requires credentials: put `user:password@` into HTTPS_PROXY.",
        429: "The server limits the rate of requests: try again later.",
    }

    def __init__(self, url: str, status: int, words: str | None = None) -> None:
        self.url = url
        self.status = status
        self.passing = status in TRANSIENT
        self.gone = status in GONE
        """Whether the server says that the resource does not exist."""

        hint = self._HINTS.get(status)
        if hint is None and status >= 500:  # noqa: PLR2004 # server errors, RFC 9110 section 15.6
            hint = "The server failed: try again later."
        super().__init__(
            f"{url} answered {status} {phrase_of(status) if words is None else words}".rstrip(),
            hint=hint,
        )


class NotFoundOrUnauthorized(StatusRefused):
    """A 404 for a missing resource, or for missing or insufficient credentials.

    `what` is the resource, as in "such project"; `login` tells whether credentials were sent.
    """

    def __init__(self, refused: StatusRefused, what: str, *, login: bool, hint: str) -> None:
        super().__init__(refused.url, refused.status, "")
        access = "with these credentials" if login else "without credentials"
        self.message = f"{self.message}: no {what}, or not visible {access}"
        self.hint = hint


class RateLimited(StatusRefused):
    """Too many requests; `until` is the time of the reset, `after` the seconds until then."""

    def __init__(
        self, url: str, status: int, *, until: str | None, after: float | None = None
    ) -> None:
        super().__init__(url, status, "")
        self.passing = status in TRANSIENT or after is not None
        self.after = after
        self.message = f"{self.message}: rate limit exceeded" + (f" until {until}" if until else "")
        self.hint = (
            "Try again later, or authenticate for a limit of your own: for GitHub, set GH_TOKEN."
        )


class TlsError(UpstreamError):
    """TLS failed: the server's certificate, the client's, or the protocol. `url` is redacted."""

    def __init__(self, url: str, reason: str, *, hint: str) -> None:
        super().__init__(f"failed to connect securely to {url}: {reason}", hint=hint)


class ProxyRefused(UpstreamError):
    """The proxy refuses a request, or cannot be used; `url` and `proxy` are redacted."""

    def __init__(
        self, url: str, proxy: str, reason: str, *, hint: str, passing: bool = False
    ) -> None:
        self.passing = passing
        super().__init__(f"failed to fetch {url} through the proxy {proxy}: {reason}", hint=hint)


class RedirectRefused(UpstreamError):
    """A remote server redirects to a loopback or link-local address; both URLs are redacted."""

    def __init__(self, url: str, target: str) -> None:
        super().__init__(
            f"{url} redirects to {target}, which is a loopback or link-local address: the redirect "
            "was not followed",
            hint="If the redirect is right, configure its target as the source.",
        )


class Interrupted(UpstreamError):
    """A body ended early, after `received` of `expected` bytes; `url` is redacted."""

    def __init__(
        self,
        url: str,
        received: int,
        expected: int | None,
        reason: str,
        *,
        passing: bool = True,
    ) -> None:
        self.reason = reason
        self.passing = passing
        of = "" if expected is None else f" of {expected:,}"
        super().__init__(
            f"{url} was interrupted after {received:,}{of} bytes: {reason}",
            hint="Try again; for a slow server, raise `network.timeout`."
            if passing
            else "Try again.",
        )


class TooLarge(UpstreamError):
    """A body or a list exceeds its limit, a number of `unit`; `url` is redacted."""

    def __init__(self, url: str, limit: int, *, unit: str = "bytes") -> None:
        super().__init__(
            f"{url} exceeds the limit of {limit:,} {unit}",
            hint="Check the URL.",
        )


class ListingTimeout(UpstreamError):
    """The lists of a source took longer than `limit` seconds; `url` is the last one, redacted."""

    def __init__(self, url: str, limit: float) -> None:
        super().__init__(
            f"timed out listing releases after {limit:g} seconds, at {url}",
            hint="Raise `network.timeout`: the limit is ten times that.",
        )


# While the new version is installed.


_NATIVE = "`--installer native` installs uv without a shell script, curl, wget or tar."
_SET = "uv-self-update config set"


class PackageError(UvSelfUpdateError):
    """A package of a private release cannot be served."""

    exit_code = 12


class NotConfigured(PackageError):
    """No releases are configured that packages could come from."""

    def __init__(self) -> None:
        super().__init__(
            "no releases are configured",
            hint="Name a repository with `--releases github+https://github.com/OWNER/REPO`, or in "
            "a `[[releases]]` table of the configuration.",
        )


class SameIndex(PackageError):
    """Two `[[releases]]` would have one index."""

    def __init__(self, index: str, names: Sequence[str]) -> None:
        super().__init__(
            f"{' and '.join(names)} have the same index {index}",
            hint="Put the `packages` of both into one `[[releases]]`, or give a directory another "
            "`name`.",
        )


class AmbiguousDistribution(PackageError):
    """Two files of a repository have one name, and different contents."""

    def __init__(self, filename: str, repository: str, tags: Sequence[str]) -> None:
        super().__init__(
            f"{repository} holds different files named {filename}, in the releases "
            + " and ".join(tags),
            hint="A version must not change once it is published: remove one of the files.",
        )


class UnclaimedPackage(PackageError):
    """A name is claimed by a configuration, and no repository holds it."""

    def __init__(self, project: str, repositories: Sequence[str]) -> None:
        super().__init__(
            f"no release of {' or '.join(repositories)} holds a wheel or a source archive of "
            f"{project}",
            hint="It is never installed from another index, because `packages` claims the name. "
            "Check the name, or list the packages with `uv-self-update releases --packages`.",
        )


class NoSuchDistribution(PackageError):
    """A file is not, or no longer, in its release."""

    def __init__(
        self, filename: str, tag: str, repository: str, *, exists: bool, others: Sequence[str]
    ) -> None:
        shown = ", ".join(others[:10]) + (", …" if len(others) > 10 else "")  # noqa: PLR2004 # a line
        release = f"release {tag} of {repository}" if tag else repository
        what = f"{release} does not hold {filename}"
        if not exists:
            what = f"{repository} has no release {tag}, which should hold {filename}"
        super().__init__(
            what,
            hint=f"It has: {shown or 'none'}. If the release was replaced, lock again with "
            "`uv-self-update exec -- uv lock --upgrade`.",
        )


class StrangePackage(PackageError):
    """A lock file takes a claimed name from another index."""

    def __init__(self, path: Path, name: str, version: str, registry: str) -> None:
        super().__init__(
            f"{path} takes {name} {version} from {registry}, and not from the configured releases",
            hint="A public package of the same name may have been taken for yours. Remove it from "
            "the lock file, and lock again with `uv-self-update exec -- uv lock`.",
        )


class IndexNotNamed(PackageError):
    """A lock file takes packages from our index, which its project does not name."""

    def __init__(self, path: Path, index: str, project: str) -> None:
        super().__init__(
            f"{path} takes packages from {index}, which {project} does not name: without "
            "`uv-self-update exec`, uv locks again, and may take public packages of the same "
            "names. Add `[[tool.uv.index]]` with this `url` before other indexes",
            hint="`uv-self-update exec -- uv add NAME` writes it.",
        )


class ProxyKeys(PackageError):
    """uv takes its proxies from a file, so it would not use this package's."""

    def __init__(self, path: str, key: str) -> None:
        super().__init__(
            f"uv takes its proxies from {path} (`{key}`), so it would not use the proxy of "
            "uv-self-update",
            hint="Move the proxies to HTTP_PROXY, HTTPS_PROXY and NO_PROXY.",
        )


class ProxyUnusable(PackageError):
    """An index of the user's is behind a proxy that plain http cannot be sent through."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(
            f"the index at http://{host} would not be reached: {reason}",
            hint="Use an index with https, or add the host to NO_PROXY.",
        )


class FileNotServed(PackageError):
    """A URL below a configured repository was requested, is not answered, and was not found."""

    def __init__(self, url: str, reason: str) -> None:
        """Name the URL, which is redacted, and why it is not answered."""
        super().__init__(
            f"{url} was not found, and `exec` does not serve it: {reason}",
            hint="It serves wheels and source archives of the projects in `packages`, at the URL "
            "that names their release. Other files of a private repository have no URL that uv can "
            "fetch.",
        )


class DirectUrlsNotServed(PackageError):
    """A project names files of a configured repository by their URLs, which are not served."""

    def __init__(self, reason: str, *, extra: bool = False) -> None:
        """Say why; `extra` is whether an extra is missing."""
        hint = "Name the package without its URL: `exec` serves it as an index does."
        if extra:
            hint = "Install it with `uv tool install 'uv-self-update[exec]'`, or name the package "
            hint += "without its URL."
        super().__init__(f"URLs of release files are not served: {reason}", hint=hint)


class NoPackages(PackageError):
    """The releases of a repository hold no package."""

    def __init__(self, repository: str) -> None:
        super().__init__(
            f"the releases of {repository} hold no wheel and no source archive",
            hint="Upload the files of `uv build` to a release. Drafts do not count, releases "
            "marked as pre-releases only with `prereleases = true`, and a generic package of "
            "GitLab or Gitea only if `package` names it.",
        )


class NoProject(PackageError):
    """`fetch` has no pyproject.toml to read."""

    def __init__(self, directory: Path, reason: str = "not found") -> None:
        super().__init__(
            f"no pyproject.toml can be read in {directory}: {reason}",
            hint="Run `fetch` in the directory of a project.",
        )


class NotResolved(PackageError):
    """uv finds no versions that go together."""

    def __init__(self, output: str) -> None:
        super().__init__(
            f"`uv pip compile` failed for the project:\n{output}",
            hint="The dependencies are those of pyproject.toml.",
        )


class NotStored(PackageError):
    """A directory of packages cannot be written."""

    def __init__(self, directory: Path, reason: str) -> None:
        super().__init__(
            f"packages cannot be stored in {directory}: {reason}",
            hint="`--directory` names another place.",
        )


class MirrorError(UvSelfUpdateError):
    """A mirror was not filled, or not completely."""

    exit_code = 13


class MirrorBusy(MirrorError):
    """Another run fills the mirror."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            f"another `uv-self-update mirror` fills {directory}",
            hint="Run the command again when it has finished.",
        )


class MirrorUnusable(MirrorError):
    """The directory of a mirror cannot be read or written."""

    def __init__(self, directory: Path, reason: str) -> None:
        super().__init__(
            f"the mirror {directory} cannot be used: {reason}",
            hint="The directory has to be writable, and have room for the releases.",
        )


class NoFilesListed(MirrorError):
    """The source lists no files, and no platform is named."""

    def __init__(self, source: str, version: str) -> None:
        super().__init__(
            f"{source} does not list the files of uv {version}",
            hint="Name each platform, as in `--platform x86_64-unknown-linux-gnu`.",
        )


class CommandNotRunnable(UvSelfUpdateError):
    """The command after `--` cannot be started."""

    exit_code = 127

    def __init__(self, command: str, reason: str) -> None:
        super().__init__(f"failed to start `{command}`: {reason}", hint="Check its name, and PATH.")


class InstallError(UvSelfUpdateError):
    """The new version was not installed; the old one stays."""

    exit_code = 8


class InstallationInterrupted(InstallError):
    """The installation was interrupted before anything was replaced."""

    def __init__(self, version: str) -> None:
        super().__init__(f"uv {version} was not installed: interrupted")


class ScriptsDisabled(InstallError):
    """A setting of Windows, made at `place`, does not let PowerShell run uv's installer."""

    def __init__(self, reason: str, place: str, *, hint: str) -> None:
        super().__init__(
            f"PowerShell can't run uv's installer: {reason}, set by {place}", hint=hint
        )


class ScriptNotRun(InstallError):
    """uv has reported success or a failure, but its installer's script was never run."""

    def __init__(self, version: str, *, windows: bool) -> None:
        program = "PowerShell" if windows else "sh"
        super().__init__(
            f"uv {version} was not installed: {program} ended without running uv's installer",
            hint="The old uv stays. Look for a PowerShell profile with `exit` (`$PROFILE`), or for "
            "another `powershell` on PATH."
            if windows
            else "The old uv stays. Look for another `sh`, or a wrapper, that ends early.",
        )


class ReceiptError(InstallError):
    """uv's receipt is missing, unreadable or invalid."""

    def __init__(self, path: Path, reason: str, *, hint: str | None = None) -> None:
        super().__init__(
            f"uv's receipt {path} can't be used: {reason}",
            hint=hint or "To update this uv and write its receipt anew, use `--adopt`.",
        )


class NotStandalone(InstallError):
    """A uv without a receipt of its own, which does not update itself."""

    def __init__(
        self,
        uv: Path,
        reason: str,
        *,
        other: Path | None = None,
        owner: tuple[str, str | None] | None = None,
    ) -> None:
        """Build the message.

        Args:
            uv: The executable.
            reason: What its receipt lacks.
            other: The uv that the receipt describes.
            owner: The package manager of the uv, and the command that updates it.
        """
        hints = []
        if owner is not None:
            name, command = owner
            hints.append(f"It is managed by {name}. {update_with(command)}")
        if other is not None:
            hints.append(f"To update the uv that the receipt describes, use `--uv {other}`.")
        if owner is None:
            hints.append("To update this uv and write its receipt, use `--adopt`.")
        super().__init__(
            f"{uv} was not installed by uv's standalone installer: {reason}",
            hint="\n".join(hints),
        )


class ManagedByPackageManager(InstallError):
    """A uv is not adopted, because the package manager that installed it would not know."""

    def __init__(self, uv: Path, owner: str, command: str | None) -> None:
        super().__init__(f"{uv} is managed by {owner}", hint=update_with(command))


def update_with(command: str | None) -> str:
    """Return a hint to run the command of a package manager; None if it is unknown."""
    return f"Update it with {f'`{command}`' if command else 'its package manager'}."


class DigestMismatch(InstallError):
    """A file does not have the expected digest.

    `pinned` names the file that pins the digest; empty if the source published it.
    """

    def __init__(
        self,
        name: str,
        source: str,
        *,
        expected: str,
        got: str,
        pinned: str = "",
        algorithm: str = "sha256",
    ) -> None:
        where = f" (pinned in {pinned})" if pinned else ""
        super().__init__(
            f"digest mismatch for {name} from {source}: expected {algorithm} {expected}{where}, "
            f"got {got}",
            hint=(
                "The pin is for another file, or the mirror was changed: compare both with the "
                "published release."
                if pinned
                else "The download is damaged, or the mirror was changed: try again, then ask the "
                "maintainer of the mirror."
            ),
        )


class NoDigest(InstallError):
    """A file has no digest, but `policy.require-digest` requires one."""

    def __init__(self, name: str, source: str, required_by: str) -> None:
        super().__init__(
            f"{name} from {source} has no published sha256, which `policy.require-digest` in "
            f"{required_by} requires",
            hint="Publish `sha256.sum` next to the archives, or pin the file in `policy.digests`.",
        )


class NoWheelDigest(NoDigest):
    """The index publishes no digest for a wheel, or only one by the `weak` algorithm."""

    def __init__(
        self, wheel: str, source: str, required_by: str, *, version: str, weak: str | None
    ) -> None:
        super().__init__(wheel, source, required_by)
        digest = f"only an {weak} digest" if weak else "no digest that uv can verify"
        self.message = printable(
            f"{wheel} from {source} has {digest}, but `policy.require-digest` in {required_by} "
            "requires sha256"
        )
        pin = f"policy.digests.{version}.FILE SHA256"
        self.hint = (
            f"Pin the wheel: `{_SET} {pin}`. FILE is the name of the wheel for this machine, such "
            f"as uv-{version}-py3-none-manylinux_2_17_x86_64.whl, and SHA256 its sha256; "
            f"`python -m pip download --no-deps uv=={version}` downloads it."
        )


class NotPinned(NoDigest):
    """`policy.digests` pins other files of the version, but not this one."""

    def __init__(self, name: str, source: str, version: str, pinned_by: str) -> None:
        super().__init__(name, source, pinned_by)
        self.message = printable(
            f"{name} from {source} is not pinned, but `policy.digests` in {pinned_by} pins other "
            f"files of uv {version}"
        )
        self.hint = "Pin this file as well, or use the source of the pinned files."


class UnusableArchive(InstallError):
    """An archive or a wheel is damaged, or does not contain uv."""

    def __init__(self, name: str, source: str, reason: str) -> None:
        super().__init__(
            f"{name} from {source} can't be used: {reason}",
            hint="Check that the source contains uv's own release files.",
        )


class StagedUvBroken(InstallError):
    """The new uv does not run on this machine, or has another version."""

    def __init__(self, version: str, source: str, reason: str) -> None:
        super().__init__(
            f"uv {version} from {source} does not work on this machine: {reason}",
            hint="The installed uv was not changed.",
        )


class NothingInstalled(InstallError):
    """A release's own installer reported success, but `uv` is still the old one."""

    def __init__(self, version: str, uv: Path) -> None:
        super().__init__(
            f"the installer of uv {version} reported success without installing it: {uv} was not "
            "changed",
            hint=_NATIVE,
        )


class ReleaseInstallerFailed(InstallError):
    """A release's own installer failed.

    `missing` are the programs it needs that are not on PATH; `native` tells whether our own
    installer would work.
    """

    def __init__(self, version: str, missing: Sequence[str], *, native: bool) -> None:
        self.missing = tuple(missing)
        reason = f": not on PATH: {', '.join(missing)}" if missing else ""
        super().__init__(
            f"the installer of uv {version} failed{reason}", hint=_NATIVE if native else None
        )


class ChangedMeanwhile(InstallError):
    """Another program changed uv or its receipt, at `path`, during the update."""

    def __init__(self, path: Path, version: str) -> None:
        super().__init__(
            f"uv {version} was not installed: another program changed {path} during the download",
            hint="Nothing was replaced. Check for another running installer, then try again.",
        )


class PartiallyInstalled(InstallError):
    """A release's own installer exited before it replaced all executables, such as `path`."""

    def __init__(self, version: str, path: Path) -> None:
        super().__init__(
            f"uv {version} was not installed: its installer exited before it replaced {path}",
            hint="The previous uv was restored. `--installer native` replaces all executables or "
            "none.",
        )


class NotReplaced(InstallError):
    """The new version cannot be written to `path`, a directory or the receipt."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"failed to write the new version to {path}: {reason}",
            hint="The installed uv was not changed. Check that the directory is writable and has "
            "free space.",
        )


class FileInUse(InstallError):
    """Windows refuses to replace `path`, an executable or the receipt, which another has open."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"failed to replace {path}: {reason}",
            hint="The installed uv was not changed. Another program, such as a virus scanner, has "
            "the file open: close it, or try again later.",
        )


class NotRestored(InstallError):
    """The old version of a file could not be restored; it is kept as `kept`.

    With None, the file did not exist before, and the new one could not be removed.
    """

    def __init__(self, path: Path, kept: Path | None, reason: str) -> None:
        if kept is None:
            what, old = f"failed to remove the new file {path}", ""
        else:
            what, old = f"failed to restore {path}", f"The old file is kept as {kept}. "
        super().__init__(
            f"{what}: {reason}", hint=f"{old}The next run of uv-self-update tries again."
        )


class LockTimeout(InstallError):
    """Another update of the same uv holds the lock on `directory`.

    `holder` describes its process and user; empty if unknown.
    """

    def __init__(self, directory: Path, holder: str = "") -> None:
        other = "another `uv-self-update`" + (f" ({holder})" if holder else "")
        super().__init__(
            f"timed out waiting for the lock on `{directory}`, held by {other}",
            hint="Wait for it, or end it; then try again.",
        )
