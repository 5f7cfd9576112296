"""Why a source cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uv_self_update.errors.base import UvSelfUpdateError
from uv_self_update.wording import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = (
    "HiddenByCutoff",
    "HiddenByPolicy",
    "IndexFailed",
    "IndexRefused",
    "ListUnusable",
    "NoArchive",
    "NoInstaller",
    "NoLatest",
    "NoSourceAnswered",
    "NoSuchVersion",
    "NotDetected",
    "NotListed",
    "SourceError",
    "UnexpectedBody",
    "Unreadable",
    "WheelsOnly",
)


_NOT_FOUND = 404
_REASONS = {401: "Unauthorized", 403: "Forbidden", _NOT_FOUND: "Not Found"}


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


class WheelsOnly(SourceError):
    """A directory holds wheels of uv, where the archives of its releases are expected."""

    def __init__(self, place: str, *, url: str) -> None:
        """Name the directory (redacted), and give its URL with whatever credentials it has."""
        super().__init__(
            f"{place} holds wheels of uv, not the archives of its releases",
            hint='Wheels are a source of kind `index` with `format = "flat"`; '
            f"`uv-self-update init {place}` configures it.",
        )
        self.url = url


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

    def __init__(self, source: str, command: str, output: str, *, hint: str | None = None) -> None:
        """Show the command and what uv said; and another hint, where more is known."""
        super().__init__(
            f"`{command}` failed for {source}:\n{output}",
            hint=hint
            or "What makes `uv pip install --dry-run --target FOLDER uv` work makes this work as "
            "well.",
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
        """Name the page, the status, and the credentials.

        Args:
            url: The page, without credentials.
            status: 401, 403 or 404.
            user: Whom it refused, if that may be shown.
            place: Where the credentials come from; None if none were sent.
            named_by: The variable or the file that names the index; empty if unknown.
            hint: What to type.
        """
        super().__init__("", "uv pip compile", "", hint=hint)
        self.url, self.status = url, status
        verb = "does not show uv to" if status == _NOT_FOUND else "refuses"
        whom = "requests without credentials" if place is None else "the credentials"
        whom = f"user `{user}`" if user and place else whom
        origin = f", credentials from {place}" if place else ""
        named = f", index from {named_by}" if named_by and named_by not in origin else ""
        reason = f"{status} {_REASONS[status]}{origin}{named}"
        self.message = printable(f"{url} {verb} {whom} ({reason})")


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


class HiddenByCutoff(NoSuchVersion):
    """uv's own `exclude-newer` leaves out every version that was wanted."""

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
        """Name the source, what was wanted, the setting with its place, and why it hides uv.

        Args:
            source: The source.
            wanted: What was wanted.
            cutoff: The setting, its value and its place.
            reason: Why it hides uv.
            file: The file of uv in which an exception for the package belongs.
            index_file: The file whose `[[index]]` the index is; None if a variable names it.
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
    """An index answered, and lists no uv for this machine."""

    def __init__(self, source: str, wanted: str, *, url: str, named_by: str, others: bool) -> None:
        """Name the source, what was wanted, and the index that answered.

        Args:
            source: The source.
            wanted: What was wanted.
            url: The page that came, without credentials.
            named_by: The variable or the file that names its index.
            others: Whether uv has other indexes, which it did not ask.
        """
        super().__init__(source, wanted, ())
        self.message = printable(
            f"{source} has no {wanted}: {url} (index from {named_by}) lists no wheel of uv for "
            "this machine, or only yanked ones" + ("; uv asked no other index" if others else "")
        )
        self.hint = (
            "By default, uv takes a package from the first index that has a page of it. Put the "
            'index that has uv first, or set `index-strategy = "unsafe-best-match"` in uv.toml '
            "(UV_INDEX_STRATEGY) if all your indexes are equally trusted."
            if others
            else "Open the URL in a browser: it must list wheels of uv. A page to log in means "
            "that uv needs credentials."
        )


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
