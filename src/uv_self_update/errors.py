"""Everything that can go wrong, in one tree.

Each leaf holds the facts and builds its own sentence: what happened and where. `hint` is what
to try. `exit_code` is what the command ends with when the failure is ours to report; once uv has
run, uv's own code is handed on instead. (11 is no failure, and stands in `check.UPDATE_DUE`.)

```text
UvSelfUpdateError
├── UsageError                2   the command line cannot be understood
│   ├── InvalidTarget
│   └── InvalidSource
├── ConfigurationError        3   a configuration file, or a variable, cannot be used
│   ├── InvalidConfiguration      every problem of the files, at once
│   ├── ConfigurationNotKept      a change that cannot be written, or not without loss
│   ├── InvalidRequirement        what uv's own configuration says of its version
│   └── NothingRequired           it says nothing of it
├── UvError                   4   there is no uv that could be updated
│   ├── UvNotFound
│   ├── UvNotRunnable
│   ├── UvTooOld
│   └── StartedThroughUvx         on Windows, where that holds what is to be replaced
├── GatewayError              5   no server on loopback
├── SourceError               6   a source cannot be used
│   ├── UpstreamError             one request to a source failed
│   │   ├── Unreachable
│   │   ├── StatusRefused             401, 403, 404, 5xx and so on
│   │   │   ├── NotFoundOrUnauthorized    404: not there, or not to be seen
│   │   │   └── RateLimited
│   │   ├── TlsError                  the certificate, or TLS itself
│   │   ├── ProxyRefused              the proxy, rather than the server, says no
│   │   ├── Interrupted               the body broke off
│   │   └── TooLarge
│   ├── Unreadable                a folder of this machine, or a share
│   ├── UnexpectedBody            status 200, but not what was asked for
│   ├── NoInstaller               a release has no installer, and ours was ruled out
│   ├── NoLatest                  only an exact version can be asked for
│   ├── NotDetected               nobody knows what kind of source a URL is
│   ├── IndexFailed               uv could not use its package index
│   ├── NoSourceAnswered          several sources, and each has failed
│   ├── ListUnusable              the list of approved versions
│   └── NoSuchVersion         7   the source is fine, but does not hold that version
│       ├── NoArchive                 it holds it, but not for this machine
│       └── HiddenByPolicy            it may hold it, but a rule hides it
├── PackageError              12  a package of a private release cannot be served
│   ├── NotConfigured             no releases are configured
│   ├── AmbiguousDistribution     two files of one name, with different contents
│   ├── UnclaimedPackage          a name is claimed, and no repository holds it
│   ├── NoSuchDistribution        a file that is not, or no longer, in its release
│   ├── StrangePackage            a lock file takes a claimed name from another index
│   ├── ProxyKeys                 uv takes its proxies from a file, so ours is not used
│   ├── NoPackages                a repository has releases, and no package in them
│   ├── NoProject                 `fetch` has no pyproject.toml to read
│   ├── NotResolved               uv finds no versions that go together
│   ├── NotStored                 a directory of packages cannot be written
│   └── ProxyUnusable             an index is behind a proxy that plain http cannot be sent through
├── CommandNotRunnable        127 the command after `--` cannot be started
├── InstallError              8   the new version could not be put in place; the old one stays
│   ├── Halted
│   ├── ScriptsBarred             Windows does not let PowerShell run it
│   ├── ReceiptError
│   ├── NotStandalone
│   ├── ManagedByPackageManager   a package manager has installed it
│   ├── DigestMismatch
│   ├── NoDigest
│   │   └── NotPinned                 other files of the version are pinned, and this is not
│   ├── UnusableArchive
│   ├── StagedUvBroken
│   ├── NotReplaced
│   ├── NotRestored
│   └── UpdateUnderWay
├── RehearsalError            9   the rehearsal could not be held, or has failed
└── Unforeseen                10  a mistake in this package
```
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from uv_self_update.messages import printable, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class UvSelfUpdateError(Exception):
    """Something went wrong, and the message says what and where."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        """Keep the sentence and, where there is one, the advice.

        Some of the words are a server's, which must not reach a terminal's controls.
        """
        super().__init__(message)
        self.message = printable(message)
        self.hint = None if hint is None else printable(hint)

    def __str__(self) -> str:
        """Say what happened, without the advice."""
        return self.message


class Unforeseen(UvSelfUpdateError):
    """A mistake in this package."""

    exit_code = 10

    def __init__(self, error: Exception) -> None:
        """Name the error and its place, but only what the system says of it.

        Nobody knows what stands in any other's words: it may be a login.
        """
        frames = traceback.extract_tb(error.__traceback__)[-1:]
        place = "".join(f" in {Path(at.filename).name}, line {at.lineno}" for at in frames)
        said = isinstance(error, OSError) and error.strerror
        super().__init__(
            f"this should not have happened: {type(error).__name__}{place}"
            + (f": {said}" if said else ""),
            hint="It is a mistake in uv-self-update: please report it. With `-v`, an update and a "
            "rehearsal say more.",
        )
        self.trace = "".join(_trace(error))
        """Where it was raised, and whatever led to it: lines of code, without their values."""


def _trace(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield f"{type(error).__name__}\n"
        yield from traceback.format_tb(error.__traceback__)
        error = error.__cause__ or error.__context__


class RehearsalError(UvSelfUpdateError):
    """The rehearsal could not be held, or has failed."""

    exit_code = 9


# Why nothing could be begun: the command line, the configuration, uv itself, loopback.


class UsageError(UvSelfUpdateError):
    """The command line cannot be understood."""

    exit_code = 2


class InvalidTarget(UsageError):
    """A TARGET is neither a version, nor a prefix of one, nor a specifier."""

    def __init__(self, target: str) -> None:
        """Name the target."""
        super().__init__(
            f"`{shown(target)}` is not a version of uv",
            hint="Give an exact version (`0.12.3`), a prefix (`0.12`) or a specifier (`<0.13`).",
        )


class InvalidSource(UsageError):
    """A source is described by something other than `index`, a URL, a path or `KIND+URL`."""

    def __init__(self, spec: str, reason: str) -> None:
        """Name the source and what is wrong with it."""
        super().__init__(
            f"`{spec}` does not describe a source: {reason}",
            hint="Write a URL, the path of a folder, `index`, or a kind and a URL: `nexus+URL`.",
        )


class ConfigurationError(UvSelfUpdateError):
    """A configuration file cannot be used."""

    exit_code = 3


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong in a configuration: where, and what."""

    origin: str
    """The file, or the variable or option that the value came from."""

    key: str
    """The dotted key, as in `network.timeout`; empty for the whole file."""

    reason: str

    def __str__(self) -> str:
        """Write the problem on one line."""
        return (
            f"{self.origin}: {self.key}: {self.reason}"
            if self.key
            else (f"{self.origin}: {self.reason}")
        )


class InvalidConfiguration(ConfigurationError):
    """The configuration has problems; all of them are reported together."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """List the problems, one a line."""
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(
            f"the configuration cannot be used:\n{lines}",
            hint="`uv-self-update config edit` opens the user file."
            if any(problem.origin.endswith(".toml") for problem in self.problems)
            else None,
        )


class ConfigurationNotKept(ConfigurationError):
    """A change cannot be written, or not without losing something that a person wrote."""

    def __init__(self, path: Path, reason: str, hint: str | None = None) -> None:
        """Name the file, and the reason or what would be lost."""
        super().__init__(f"{path} was left as it is: {reason}", hint=hint)


class InvalidRequirement(ConfigurationError):
    """What uv's own configuration requires of its version cannot be understood."""

    def __init__(self, problem: Problem) -> None:
        """Name the file, the key and what is wrong."""
        super().__init__(
            f"uv's configuration cannot be used: {problem}",
            hint="Mend the file, or say as TARGET which version it shall be.",
        )


class NothingRequired(ConfigurationError):
    """uv's own configuration requires no version."""

    def __init__(self, places: Sequence[str]) -> None:
        """Name the places that were looked at; none where uv is told to read no configuration."""
        reason = f"it was looked for in {', '.join(places)}"
        if not places:
            reason = "`--no-config` or UV_NO_CONFIG says not to look for any"
        super().__init__(
            f"uv's configuration has no `required-version`: {reason}",
            hint="Set `required-version` in uv.toml, or in `[tool.uv]` of pyproject.toml; or say "
            "as TARGET which version it shall be.",
        )


class UvError(UvSelfUpdateError):
    """There is no uv that could be updated."""

    exit_code = 4


class UvNotFound(UvError):
    """No uv where it was looked for."""

    def __init__(self, named: str | None) -> None:
        """Say what it was looked for; None for the first on PATH."""
        super().__init__(
            f"there is no uv that can be run at {named}" if named else "no uv was found on PATH",
            hint="Check `--uv` or `UV_SELF_UPDATE_UV`."
            if named
            else "Put uv on PATH, or name it with `--uv PATH` or `UV_SELF_UPDATE_UV`.",
        )


class UvNotRunnable(UvError):
    """A uv was found but cannot be run."""

    def __init__(self, path: Path, reason: str) -> None:
        """Name the file and the reason."""
        super().__init__(
            f"{path} cannot be run: {reason}",
            hint="Name another uv with `--uv PATH` or `UV_SELF_UPDATE_UV`.",
        )


class UvTooOld(UvError):
    """A uv asks GitHub whatever it is told, so it cannot be updated from elsewhere."""

    def __init__(self, path: Path, version: str) -> None:
        """Name the file and its version."""
        super().__init__(
            f"{path} is uv {version}, and only 0.5.0 and later can be updated from elsewhere",
            hint="Put a newer one in its place once: `uv pip install --target FOLDER uv` lays it "
            "into FOLDER/bin.",
        )


class StartedThroughUvx(UvError):
    """On Windows, a `uvx.exe` that runs cannot be replaced, and it waits for this process."""

    def __init__(self) -> None:
        """Say what to type instead."""
        super().__init__(
            "uv cannot be updated through `uvx`, which runs until this has ended, so that Windows "
            "does not let it be replaced",
            hint="Type `uv tool install uv-self-update` once, and then `uv-self-update`.",
        )


class GatewayError(UvSelfUpdateError):
    """No server can be started on loopback."""

    exit_code = 5

    def __init__(self, reason: str, *, bound: bool = False) -> None:
        """Say why not, and whether a port was bound that cannot be reached."""
        super().__init__(
            f"the gateway cannot {'be reached' if bound else 'listen'} on 127.0.0.1: {reason}",
            hint="uv is updated through a server on loopback; a security product or a sandbox "
            "may be forbidding it.",
        )


# Why a source cannot be used.


class SourceError(UvSelfUpdateError):
    """A source cannot be used."""

    exit_code = 6


class Unreadable(SourceError):
    """A folder of this machine, or of a share, cannot be looked into."""

    def __init__(self, path: str, reason: str) -> None:
        """Name the folder and the reason."""
        super().__init__(
            f"the folder {path} cannot be read: {reason}",
            hint="Check the path, whether the share is mounted, and who may read it.",
        )


class UnexpectedBody(SourceError):
    """An answer came with status 200, but is not what was asked for."""

    def __init__(self, url: str, expected: str, got: str) -> None:
        """Name the URL (redacted), what was due and what came."""
        super().__init__(
            f"{url} should be {expected}, but it is {got}",
            hint="A login page or an error page with status 200? Open the URL in a browser."
            if got.startswith("a web page")
            else "Check the URL.",
        )


class NoInstaller(SourceError):
    """A release has no installer, and ours was ruled out."""

    def __init__(self, source: str, version: str, name: str) -> None:
        """Name the source, the version and the file that is missing."""
        super().__init__(
            f"{source} has no {name} for uv {version}, and `install.installer` is `release`",
            hint="With `auto` or `native` uv-self-update installs it by itself.",
        )


class NoLatest(SourceError):
    """A `urls` source without `latest` was asked for more than one exact version."""

    def __init__(self, source: str, wanted: str) -> None:
        """Name the source and what was wanted."""
        super().__init__(
            f"{source} cannot be asked for {wanted}: nothing says which versions there are",
            hint="Give an exact version as TARGET, or add `latest` to the source.",
        )


class IndexFailed(SourceError):
    """Uv could not use its package index."""

    def __init__(self, source: str, command: str, output: str) -> None:
        """Show the command and what uv said."""
        super().__init__(
            f"`{command}` failed for {source}:\n{output}",
            hint="What makes `uv pip install --dry-run --target FOLDER uv` work makes this work as "
            "well.",
        )


class NoSuchVersion(SourceError):
    """The source works, but does not hold what was asked for."""

    exit_code = 7

    def __init__(self, source: str, wanted: str, nearest: Sequence[str]) -> None:
        """Name the source and the nearest versions it has."""
        self.nearest = tuple(nearest)
        super().__init__(
            f"{source} has no {wanted}",
            hint=f"The nearest it has: {', '.join(nearest)}."
            if nearest
            else "No version of uv was found there at all: check the URL.",
        )


class NoArchive(NoSuchVersion):
    """The source has the version, but not for the platform that uv runs on."""

    def __init__(
        self, source: str, wanted: str, archive: str, lacking: Sequence[str], others: Sequence[str]
    ) -> None:
        """Name the source, what was wanted, the file that is missing, and from which versions.

        Args:
            source: The source.
            wanted: What was wanted.
            archive: The name of the file.
            lacking: The versions without it.
            others: Versions near by that were not looked at.
        """
        super().__init__(source, wanted, others)
        self.message = printable(
            f"{source} has no {wanted} for this machine: {archive} is missing from "
            + ", ".join(lacking)
        )
        if not others:
            self.hint = "Ask whoever fills the mirror for that file, or add another source."


class HiddenByPolicy(NoSuchVersion):
    """A version is there, or may be, but a rule of the configuration hides it."""

    def __init__(self, source: str, version: str, because: str, *, only: str = "") -> None:
        """Name the source, if one was asked, the version, and the rule with its place.

        Where nothing else that was asked for is allowed either, `only` is what has to change.
        """
        super().__init__(source, f"uv {version}", ())
        place = f" from {source}" if source else ""
        self.version = version
        self.because = printable(because)
        self.message = printable(f"uv {version}{place} is hidden by the policy: {because}")
        self.hint = printable(
            "No other version that was asked for is allowed either; `uv-self-update releases` "
            f"shows which rule hides each. Loosen {only}, or ask whoever has written it."
            if only
            else "`uv-self-update releases` shows which versions are allowed; without a version, "
            "`uv-self-update` takes the newest of them."
        )


class ListUnusable(SourceError):
    """The list of approved versions cannot be read, so that nobody knows what may be taken."""

    def __init__(self, place: str, origin: str, reason: str) -> None:
        """Name the list (redacted), the file or variable that names it, and the reason."""
        super().__init__(
            f"the list of approved versions {place}, which policy.approved in {origin} names, "
            f"cannot be used: {reason}",
            hint="It has to hold one version a line, or a JSON array of them; without it nothing "
            "is installed.",
        )


class NotDetected(SourceError):
    """A URL was examined, and it is not clear what kind of source it is."""

    def __init__(self, url: str, tried: Sequence[str], hint: str) -> None:
        """Name the URL (redacted), and what was tried, a line for each request."""
        self.tried = tuple(tried)
        lines = "".join(f"\n  {line}" for line in tried)
        super().__init__(f"no releases of uv were found at {url}{lines}", hint=hint)


class NoSourceAnswered(SourceError):
    """Several sources were tried in order, and each has failed."""

    def __init__(self, failures: Sequence[UvSelfUpdateError]) -> None:
        """List the failures, one a line."""
        self.failures = tuple(failures)
        lines = "\n".join("  " + str(failure).replace("\n", "\n    ") for failure in failures)
        hints = dict.fromkeys(failure.hint for failure in failures if failure.hint)
        super().__init__(f"no source could answer:\n{lines}", hint="\n".join(hints) or None)


# Why one request to a source failed.


TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
"""The statuses that say that the same request may succeed a moment later (RFC 9110, RFC 6585)."""

GONE = frozenset({404, 410})
"""The statuses that say that there is no such thing (RFC 9110)."""


def phrase_of(status: int) -> str:
    """Return what a status is called, or nothing."""
    from http import HTTPStatus  # noqa: PLC0415 # most runs need none

    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


class UpstreamError(SourceError):
    """One request to a source failed."""

    passing = False
    """Whether it may be gone by itself in a moment, so that it is worth another try."""

    after: float | None = None
    """Seconds after which the server says to try again."""


class Unreachable(UpstreamError):
    """No answer came: name, connection or time."""

    def __init__(self, url: str, reason: str, *, passing: bool = False) -> None:
        """Name the URL (redacted) and the reason, and whether it may be gone in a moment."""
        self.passing = passing
        super().__init__(
            f"no answer from {url}: {reason}",
            hint="Check the address, and HTTPS_PROXY, NO_PROXY and `network.ca-bundle`.",
        )


class StatusRefused(UpstreamError):
    """An answer came, but its status is not 200."""

    _HINTS: ClassVar[dict[int, str]] = {
        401: "The server asks for a login, or does not know the one that it got. It can stand in "
        "netrc, be given to `uv auth login`, or be named by `token-env` or `password-env` in the "
        "source; for GitHub, set GH_TOKEN. `uv-self-update config show` says which one is used.",
        400: "Where the server asks for a client certificate: set `network.client-cert`.",
        403: "The server knows this address but does not let you in: check the credentials. "
        "`uv-self-update config show` says which ones are used.",
        404: "Nothing is there, or nothing that these credentials may see: check the URL.",
        407: "The proxy asks for a login: put `user:password@` into HTTPS_PROXY.",
        429: "The server asks to slow down: try again later.",
    }

    def __init__(self, url: str, status: int, words: str | None = None) -> None:
        """Name the URL (redacted), the status, and what it is called; by RFC 9110, if need be.

        The words of a server may be anything, such as what it was sent.
        """
        self.url = url
        self.status = status
        self.passing = status in TRANSIENT
        self.gone = status in GONE
        """Whether there is no such thing, as far as the server says."""

        hint = self._HINTS.get(status)
        if hint is None and status >= 500:  # noqa: PLR2004 # server errors, RFC 9110 section 15.6
            hint = "The server has a problem of its own: try again later."
        super().__init__(
            f"{url} answered {status} {phrase_of(status) if words is None else words}".rstrip(),
            hint=hint,
        )


class NotFoundOrUnauthorized(StatusRefused):
    """A server says 404, as many do where a login is missing or has no right to see it."""

    def __init__(self, refused: StatusRefused, what: str, *, login: bool, hint: str) -> None:
        """Name the URL (redacted), what should be there, and whether a login was sent."""
        super().__init__(refused.url, refused.status, "")
        access = "with this login" if login else "without a login"
        self.message = f"{self.message}: there is no {what}, or none that may be seen {access}"
        self.hint = hint


class RateLimited(StatusRefused):
    """Too much was asked for in too short a time."""

    def __init__(
        self, url: str, status: int, *, until: str | None, after: float | None = None
    ) -> None:
        """Name the URL (redacted), when it can be asked again, and in how many seconds that is."""
        super().__init__(url, status, "")
        self.passing = status in TRANSIENT or after is not None
        self.after = after
        self.message = f"{self.message}: the rate limit is used up" + (
            f" until {until}" if until else ""
        )
        self.hint = (
            "Try again then, or log in: who does has a limit of his own. For GitHub, set GH_TOKEN."
        )


class TlsError(UpstreamError):
    """No connection that can be trusted: the server's certificate, ours, or TLS itself."""

    def __init__(self, url: str, reason: str, *, hint: str) -> None:
        """Name the URL (redacted), with its host, and the reason."""
        super().__init__(f"no trusted connection to {url}: {reason}", hint=hint)


class ProxyRefused(UpstreamError):
    """The proxy does not let a request through, or cannot be used."""

    def __init__(
        self, url: str, proxy: str, reason: str, *, hint: str, passing: bool = False
    ) -> None:
        """Name the URL and the proxy (both redacted), where that is configured, and the reason."""
        self.passing = passing
        super().__init__(f"no way to {url} through the proxy {proxy}: {reason}", hint=hint)


class Interrupted(UpstreamError):
    """A body broke off before its end."""

    def __init__(
        self,
        url: str,
        received: int,
        expected: int | None,
        reason: str,
        *,
        passing: bool = True,
    ) -> None:
        """Name the URL (redacted), how far it came, in bytes, and whether it may yet go on."""
        self.reason = reason
        self.passing = passing
        of = "" if expected is None else f" of {expected:,}"
        super().__init__(
            f"{url} broke off after {received:,}{of} bytes: {reason}",
            hint="Try again; `network.timeout` allows a slow server more time."
            if passing
            else "Try again.",
        )


class TooLarge(UpstreamError):
    """A body is larger than what was asked for can be."""

    def __init__(self, url: str, limit: int) -> None:
        """Name the URL (redacted) and the bound, in bytes."""
        super().__init__(
            f"{url} sends more than {limit:,} bytes, which cannot be what was asked for",
            hint="Check the URL.",
        )


# Why the new version could not be put in place.


class PackageError(UvSelfUpdateError):
    """A package of a private release cannot be served."""

    exit_code = 12


class NotConfigured(PackageError):
    """No releases are configured that packages could come from."""

    def __init__(self) -> None:
        """Say how to name them."""
        super().__init__(
            "no releases are configured",
            hint="Name a repository with `--releases github+https://github.com/OWNER/REPO`, or in "
            "a `[[releases]]` table of the configuration.",
        )


class AmbiguousDistribution(PackageError):
    """Two files of a repository have one name, and different contents."""

    def __init__(self, filename: str, repository: str, tags: Sequence[str]) -> None:
        """Name the file, the repository, and the releases that hold it."""
        super().__init__(
            f"{repository} holds different files named {filename}, in the releases "
            + " and ".join(tags),
            hint="A version must not change once it is published: remove one of the files.",
        )


class UnclaimedPackage(PackageError):
    """A name is claimed by a configuration, and no repository holds it."""

    def __init__(self, project: str, repositories: Sequence[str]) -> None:
        """Name the project, and the repositories that claim it."""
        super().__init__(
            f"no release of {' or '.join(repositories)} holds a wheel or a source archive of "
            f"{project}",
            hint="It is not taken from another index, because `packages` claims the name. Check "
            "the name, or list the packages with `uv-self-update releases --packages`.",
        )


class NoSuchDistribution(PackageError):
    """A file is not, or no longer, in its release."""

    def __init__(
        self, filename: str, tag: str, repository: str, *, exists: bool, others: Sequence[str]
    ) -> None:
        """Name the file, the release, the repository, and what there is.

        Args:
            filename: The file.
            tag: The release.
            repository: The repository.
            exists: Whether there is such a release.
            others: The other files of the release, or the other releases.
        """
        shown = ", ".join(others[:10]) + (", …" if len(others) > 10 else "")  # noqa: PLR2004 # a line
        what = f"release {tag} of {repository} does not hold {filename}"
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
        """Name the lock file, the package, and the registry."""
        super().__init__(
            f"{path} takes {name} {version} from {registry}, and not from the configured releases",
            hint="A public package of the same name may have been taken for yours. Remove it from "
            "the lock file, and lock again with `uv-self-update exec -- uv lock`.",
        )


class ProxyKeys(PackageError):
    """uv takes its proxies from a file, so it would not use this package's."""

    def __init__(self, path: str, key: str) -> None:
        """Name the file and the key."""
        super().__init__(
            f"uv takes its proxies from {path} (`{key}`), so it would not use the proxy of "
            "uv-self-update",
            hint="Move the proxies to HTTP_PROXY, HTTPS_PROXY and NO_PROXY.",
        )


class ProxyUnusable(PackageError):
    """An index of the user's is behind a proxy that plain http cannot be sent through."""

    def __init__(self, host: str, reason: str) -> None:
        """Name the index's host, and the reason."""
        super().__init__(
            f"the index at http://{host} would not be reached: {reason}",
            hint="Use an index with https, or add the host to NO_PROXY.",
        )


class NoPackages(PackageError):
    """The releases of a repository hold no package."""

    def __init__(self, repository: str) -> None:
        """Name the repository."""
        super().__init__(
            f"the releases of {repository} hold no wheel and no source archive",
            hint="Upload the files of `uv build` to a release. Drafts do not count, and releases "
            "marked as pre-releases only with `prereleases = true`.",
        )


class NoProject(PackageError):
    """`fetch` has no pyproject.toml to read."""

    def __init__(self, directory: Path, reason: str = "there is none") -> None:
        """Name the directory, and what is wrong."""
        super().__init__(
            f"no pyproject.toml can be read in {directory}: {reason}",
            hint="Run `fetch` in the directory of a project.",
        )


class NotResolved(PackageError):
    """uv finds no versions that go together."""

    def __init__(self, output: str) -> None:
        """Repeat what uv says."""
        super().__init__(
            f"`uv pip compile` failed for the project:\n{output}",
            hint="The dependencies are those of pyproject.toml.",
        )


class NotStored(PackageError):
    """A directory of packages cannot be written."""

    def __init__(self, directory: Path, reason: str) -> None:
        """Name the directory and the reason."""
        super().__init__(
            f"packages cannot be stored in {directory}: {reason}",
            hint="`--directory` names another place.",
        )


class CommandNotRunnable(UvSelfUpdateError):
    """The command after `--` cannot be started."""

    exit_code = 127

    def __init__(self, command: str, reason: str) -> None:
        """Name the command, and what the system says."""
        super().__init__(f"failed to start `{command}`: {reason}", hint="Check its name, and PATH.")


class InstallError(UvSelfUpdateError):
    """The new version could not be put in place; the old one stays."""

    exit_code = 8


class Halted(InstallError):
    """The installation was told to stop before anything was replaced."""

    def __init__(self, version: str) -> None:
        """Name the version."""
        super().__init__(f"uv {version} was not installed: interrupted")


class ScriptsBarred(InstallError):
    """Those who manage a Windows machine do not let PowerShell run uv's installer."""

    def __init__(self, reason: str, place: str, *, hint: str) -> None:
        """Name what is in its way, and what has set that."""
        super().__init__(
            f"PowerShell cannot run uv's installer: {reason}, set by {place}", hint=hint
        )


class ReceiptError(InstallError):
    """uv's receipt is missing, or cannot be understood."""

    def __init__(self, path: Path, reason: str) -> None:
        """Name the file and the reason."""
        super().__init__(
            f"uv's receipt {path} cannot be used: {reason}",
            hint="uv updates only what its standalone installer has installed.",
        )


class NotStandalone(InstallError):
    """A uv has no receipt of its own, so that it does not update itself."""

    def __init__(
        self,
        uv: Path,
        reason: str,
        *,
        other: Path | None = None,
        owner: tuple[str, str | None] | None = None,
    ) -> None:
        """Name the uv and what its receipt lacks.

        Args:
            uv: The uv.
            reason: What its receipt lacks.
            other: The uv that the receipt is about.
            owner: What has installed the uv, and the command that updates it.
        """
        hints = []
        if owner is not None:
            name, command = owner
            hints.append(f"It belongs to {name}. {update_with(command)}")
        if other is not None:
            hints.append(f"To update the uv that the receipt is about, say `--uv {other}`.")
        if owner is None:
            hints.append("With `--adopt` this one is updated too, and is given a receipt.")
        super().__init__(
            f"{uv} was not installed by uv's standalone installer: {reason}",
            hint="\n".join(hints),
        )


class ManagedByPackageManager(InstallError):
    """A uv is not adopted, since a package manager has installed it, and would not know."""

    def __init__(self, uv: Path, owner: str, command: str | None) -> None:
        """Name the uv, what has installed it, and the command that updates it."""
        super().__init__(f"{uv} belongs to {owner}", hint=update_with(command))


def update_with(command: str | None) -> str:
    """Advise the command of a package manager; None where nobody knows which one it is."""
    return f"Update it with {f'`{command}`' if command else 'its package manager'}."


class DigestMismatch(InstallError):
    """A file is not the one that its source describes."""

    def __init__(
        self, name: str, source: str, *, expected: str, got: str, pinned: str = ""
    ) -> None:
        """Name the file, the source, both digests (sha256), and where the one that counts stands.

        That is the file in which it is pinned; empty where the source has published it.
        """
        what = f"the one that {pinned} names" if pinned else "the file that was published"
        super().__init__(
            f"{name} from {source} is not {what}: expected sha256 {expected}, got {got}",
            hint=(
                "The pin is of another file, or the mirror was changed: compare it with what the "
                "release publishes."
                if pinned
                else "A damaged download or a changed mirror: try again, then ask whoever runs it."
            ),
        )


class NoDigest(InstallError):
    """A file cannot be checked, and has to be."""

    def __init__(self, name: str, source: str, required_by: str) -> None:
        """Name the file, the source, and what requires it."""
        super().__init__(
            f"{name} from {source} was not taken: nothing says which sha256 it has to have, and "
            f"`policy.require-digest` in {required_by} requires it",
            hint="Put `sha256.sum` beside the archives, or pin it in `policy.digests`.",
        )


class NotPinned(NoDigest):
    """A file is not among those of its version that the configuration pins."""

    def __init__(self, name: str, source: str, version: str, pinned_by: str) -> None:
        """Name the file, the source, the version, and where the others are pinned."""
        super().__init__(name, source, pinned_by)
        self.message = printable(
            f"{name} from {source} was not taken: `policy.digests` in {pinned_by} pins files of "
            f"uv {version}, and not this one"
        )
        self.hint = "Pin this one as well, or let the release come from where the others are."


class UnusableArchive(InstallError):
    """A file that should hold uv does not."""

    def __init__(self, name: str, source: str, reason: str) -> None:
        """Name the file, the source and the reason."""
        super().__init__(
            f"{name} from {source} cannot be used: {reason}",
            hint="Does the source really hold uv's own release files?",
        )


class StagedUvBroken(InstallError):
    """The new uv does not run on this machine, or is not the version it should be."""

    def __init__(self, version: str, source: str, reason: str) -> None:
        """Name the version, the source and the reason."""
        super().__init__(
            f"uv {version} was fetched from {source} but does not work here: {reason}",
            hint="The uv that you have was left as it is.",
        )


class NotReplaced(InstallError):
    """The file system does not let the new version be put in place."""

    def __init__(self, place: Path, reason: str) -> None:
        """Name the folder, or the receipt, and the reason."""
        super().__init__(
            f"the new version cannot be put into {place}: {reason}",
            hint="The uv that you have was left as it is. Is the folder writable, and is there "
            "space?",
        )


class NotRestored(InstallError):
    """The old version could not be put back in place, and is kept elsewhere."""

    def __init__(self, place: Path, kept: Path | None, reason: str) -> None:
        """Name the file, where the old one is kept (None if there was none), and the reason."""
        if kept is None:
            what, old = f"{place} could not be removed, which was not there before", ""
        else:
            what, old = f"{place} could not be put back", f"The old one is kept as {kept}. "
        super().__init__(
            f"{what}: {reason}", hint=f"{old}The next run of uv-self-update tries again."
        )


class UpdateUnderWay(InstallError):
    """Another update of the same uv does not end."""

    def __init__(self, folder: Path) -> None:
        """Name the folder."""
        super().__init__(
            f"another uv-self-update is at work in {folder}, and does not end",
            hint="See what it waits for, or end it; then try again.",
        )
