"""The versions of uv in its indexes, as `uv pip compile` resolves them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from uv_self_update.errors import IndexFailed, NoSuchVersion
from uv_self_update.releases.target import NEAREST, NEWEST, bounds, nearest, newest_first
from uv_self_update.sources.index.uv_pip import CANDIDATES
from uv_self_update.versions import VERSION, is_prerelease, without_local

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.releases.target import Wanted
    from uv_self_update.sources.index.settings import IndexSettings
    from uv_self_update.sources.index.uv_pip import Answer, UvPip


EXCLUDE_NEWER_PACKAGE = "--exclude-newer-package"
FAR_FUTURE = "9999-12-30T00:00:00Z"
"""A cutoff that hides only the files without an upload time."""

_NO_DEPS = "--no-deps"
_UNSUPPORTED = {"dependency-metadata": [{"name": "uv", "requires-python": ">=99"}]}
"""The settings of uv.toml by which no version can be installed."""

COMPILE = (
    *("pip", "compile", "-", "--no-header", "--no-annotate", _NO_DEPS),
    *("--only-binary", "uv"),
)


class Resolver:
    """Resolves requirements on uv with the user's uv and its indexes.

    Its methods raise IndexFailed if an index cannot be used.

    Args:
        uv: Runs uv.
    """

    def __init__(self, uv: UvPip) -> None:
        self._uv = uv

    def resolve(
        self,
        requirement: str,
        *,
        resolution: str = "highest",
        refresh: bool = True,
        mode: str = "explicit",
        before: str | None = None,
    ) -> str | None:
        """Return the version that uv would install, or None if the index has none.

        Args:
            requirement: The requirement on uv.
            resolution: `highest` or `lowest`.
            refresh: Whether to ignore cached responses.
            mode: The mode for pre-releases, as in `--prerelease`.
            before: The instant before which a version has to be published, in RFC 3339.
        """
        arguments = [*_compile(mode=mode), "--resolution", resolution]
        if refresh and not self._uv.offline:
            # A response cached minutes ago may lack today's release.
            arguments += ["--refresh-package", "uv"]
        answer = self._run(arguments, requirement, before)
        if answer.code == 0:
            for line in answer.output.splitlines():
                name, _, version = line.partition("==")
                version = without_local(version.split(" ")[0].strip())
                if name.strip() == "uv" and VERSION.fullmatch(version):
                    return version
            reason = f"unexpected output: {answer.output}"
            raise IndexFailed(self._uv.name, "uv pip compile", reason)
        if has_no_solution(answer.errors):
            return None
        raise self.failure(answer, arguments, requirement)

    def listed(self, *, before: str | None = None) -> tuple[str, ...]:
        """Return the versions that uv can install here, newest first, without pre-releases.

        uv prints no list. It logs each version that it considers, and is told that all of them
        require a later Python, so that it considers every one. Its cache must have the page.

        Args:
            before: The instant before which a version has to be published, in RFC 3339.

        Returns:
            The versions; none if that is not how this uv works, as before 0.8.
        """
        from uv_self_update.sources.index.trace import considered  # noqa: PLC0415 # rarely needed

        arguments = [one for one in _compile(mode="disallow") if one != _NO_DEPS]
        if before is not None:
            arguments += [EXCLUDE_NEWER_PACKAGE, f"uv={before}"]
        code, log = self._uv.logged(
            arguments, NEWEST.requirement, log=CANDIDATES, table=_UNSUPPORTED
        )
        return considered(log) if code != 0 else ()

    def with_hashes(self, version: str) -> str:
        """Return a version's requirement with the digests of all its files, as uv prints it."""
        arguments = [*COMPILE, "--generate-hashes"]
        answer = self._uv.ask(arguments, f"uv=={version}")
        if answer.code != 0:
            raise self.failure(answer, arguments, f"uv=={version}")
        return answer.output

    def no_such_version(self, wanted: Wanted) -> NoSuchVersion:
        """Return the error for a version that the index lacks: what hides it, or what is near."""
        from uv_self_update.sources.index import explanation  # noqa: PLC0415 # only for an error
        from uv_self_update.sources.index.trace import inquiries, undated  # noqa: PLC0415 # as above

        settings = self._settings()
        near = self._nearest(wanted)
        if near and settings.cutoff is None:
            return NoSuchVersion(self._uv.name, str(wanted), near)
        arguments = [*_compile(mode=prerelease_mode(wanted)), "--refresh-package", "uv"]
        _, log = self._uv.logged(arguments, wanted.requirement)
        if settings.cutoff is not None:
            for hidden in (wanted,) if near else (wanted, NEWEST):
                mode = prerelease_mode(hidden)
                cutoff = explanation.hidden_by_cutoff(
                    self.resolve(hidden.requirement, mode=mode, before=FAR_FUTURE),
                    undated(log if hidden is wanted else self._uv.logged(arguments, "uv")[1]),
                    inquiries(log),
                    settings,
                    source=self._uv.name,
                    wanted=str(hidden),
                )
                if cutoff is not None:
                    return cutoff
        if not near and (prerelease := self.resolve("uv", mode="allow", refresh=False)):
            near = (prerelease,)
        nothing = None
        if not near:
            nothing = explanation.nothing_listed(
                inquiries(log), settings, source=self._uv.name, wanted=str(wanted)
            )
        return nothing or NoSuchVersion(self._uv.name, str(wanted), near)

    def _run(self, arguments: list[str], requirement: str, before: str | None) -> Answer:
        """Run uv for the versions published before an instant, if one is given.

        The user's uv.toml may exempt a package from `exclude-newer`, but not from this option.
        Versions of uv without the option have no exemptions either.
        """
        if before is None:
            return self._uv.ask(arguments, requirement)
        answer = self._uv.ask([*arguments, EXCLUDE_NEWER_PACKAGE, f"uv={before}"], requirement)
        if answer.code != 0 and f"unexpected argument '{EXCLUDE_NEWER_PACKAGE}'" in answer.errors:
            return self._uv.ask([*arguments, "--exclude-newer", before], requirement)
        return answer

    def _nearest(self, wanted: Wanted) -> tuple[str, ...]:
        """Return the versions nearest to the wanted one; each costs a run of uv.

        The first bound of a specifier counts; without bounds, the result is the newest version.
        """
        if not (near := bounds(wanted)):
            newest = self.resolve(NEWEST.requirement)
            return () if newest is None else (newest,)
        above = self.resolve(f"uv>={near[0]}", resolution="lowest")
        below = self.resolve(f"uv<{near[0]}", refresh=False)
        found: list[str] = []
        while len(found) < NEAREST and (candidates := [one for one in (above, below) if one]):
            (closest,) = nearest(candidates, wanted, count=1)
            found.append(closest)
            if closest == above:
                above = self.resolve(f"uv>{closest}", resolution="lowest", refresh=False)
            else:
                below = self.resolve(f"uv<{closest}", refresh=False)
        return tuple(newest_first(found))

    def failure(
        self,
        answer: Answer,
        arguments: Sequence[str],
        requirement: str,
        *,
        command: str = "uv pip compile",
    ) -> IndexFailed:
        """Return the error for a uv that failed, explained by its log and its configuration.

        Args:
            answer: The output of that uv.
            arguments: The arguments of `uv pip compile`, which has failed or would.
            requirement: The requirement on uv.
            command: The command that failed.
        """
        from uv_self_update.sources.index import explanation  # noqa: PLC0415 # only for an error
        from uv_self_update.sources.index.trace import inquiries  # noqa: PLC0415 # as above

        # Without a response, a second run for the log would take as long, and explain nothing.
        refused = explanation.is_refusal(answer.errors)
        asked = inquiries(self._uv.logged([*arguments], requirement)[1]) if refused else ()
        return explanation.failure(
            answer.errors, asked, self._settings(), source=self._uv.name, command=command
        )

    @property
    def has_cutoff(self) -> bool:
        """Whether the user's uv skips files by their date."""
        return self._settings().cutoff is not None

    def _settings(self) -> IndexSettings:
        from uv_self_update.sources.index.settings import read_settings  # noqa: PLC0415 # as above

        return read_settings(self._uv.environ, url=self._uv.url, windows=os.name == "nt")


def has_no_solution(errors: str) -> bool:
    """Return whether the indexes have uv, but no version that a requirement allows."""
    return "No solution found" in errors and "was not found" not in errors


def prerelease_mode(wanted: Wanted) -> str:
    """Return the value of uv's `--prerelease` for a wanted version.

    It is never `if-necessary`, uv's default: a bound of the policy that names a pre-release must
    not allow pre-releases.
    """
    if wanted.policy.prereleases is not None:
        return "allow" if wanted.policy.prereleases else "disallow"
    return "explicit" if is_prerelease(wanted.specifier) else "disallow"


def _compile(*, mode: str) -> list[str]:
    # Always given, because the user may have set another mode for other packages.
    return [*COMPILE, "--prerelease", mode]
