"""`index`: the package index, read by uv itself.

uv is the best client for its user's index: it knows their `uv.toml`, `UV_DEFAULT_INDEX`, netrc,
keyring, credential store, proxies and certificate authorities. So this package has no second client
and no URL of an index: without configuration, uv's own default applies.

uv also applies the policy, because it knows the upload times: it resolves the newest version before
a date, or one exact version. The user's own `exclude-newer` applies in addition.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, TypeVar

from uv_self_update.background import Background
from uv_self_update.errors import IndexFailed, NoArchive
from uv_self_update.releases.digests import DigestRules
from uv_self_update.releases.policy import hidden, tell
from uv_self_update.releases.release import Release, utc
from uv_self_update.releases.target import NEWEST, Wanted, choose
from uv_self_update.sources.index.prefetch import Prefetch, requirement_for
from uv_self_update.sources.index.resolver import (
    COMPILE,
    EXCLUDE_NEWER_PACKAGE,
    FAR_FUTURE,
    Resolver,
    has_no_solution,
    prerelease_mode,
)
from uv_self_update.sources.index.uv_pip import UvPip
from uv_self_update.sources.index.wheel_installer import WheelInstaller, strongest
from uv_self_update.sources.interface import WheelSource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.platforms import Platform
    from uv_self_update.releases.policy import MinimumAge, Objection, Policy
    from uv_self_update.sources.context import Context
    from uv_self_update.sources.index.own_cache import OwnCache


T = TypeVar("T")

_REFUSED = ("Failed to fetch", "was not found in the package registry")
"""uv's words for an index that cannot be read; a second attempt would take as long."""

_OTHER_NAMES = {"riscv64gc-unknown-linux-gnu": "riscv64-unknown-linux"}
"""Target triple -> its name for `--python-platform`, where that is not the triple (uv 0.13.9)."""

_UNKNOWN_PLATFORM = "invalid value"
"""uv's words for a platform that it does not know."""

_LAST_WAIT = 10.0  # seconds for a uv that was killed, and for files to be removed


def create(settings: SourceSettings, context: Context) -> IndexSource:
    """Create the source of a `[[source]]`; see context."""
    uv = UvPip(
        context.uv,
        context.environ,
        url=settings.url,
        flat=settings.format == "flat",
        temporary=context.temporary,
        progress=context.progress,
    )
    return IndexSource(uv, context.digests)


class IndexSource(WheelSource):
    """The package index of uv's configuration, or the one at a URL.

    Args:
        uv: Runs uv.
        digests: The digests that a wheel must have besides that of the index; None for any.
    """

    def __init__(self, uv: UvPip, digests: DigestRules | None = None) -> None:
        self.name = uv.name
        self._uv = uv
        self._digests = digests or DigestRules()
        self._resolver = Resolver(uv)
        self._wheels = WheelInstaller(uv, self._resolver, self._digests)
        self._prefetch: Prefetch | None = None
        self._assumed: Wanted | None = None
        self._lists = False
        self._dates: dict[MinimumAge | None, frozenset[str]] = {}
        self._removing: Background[None] | None = None

    def prepare(self, wanted: Wanted, installed: str) -> None:
        """Begin to download what `find` is going to return.

        Digests that this package compares itself, or requires, are not compared by the uv that
        does this.
        """
        if self._prefetch is not None or self._uv.temporary is None or self._uv.flat:
            return
        if self._digests.required or self._digests.pinned:
            return
        requirement = requirement_for(wanted, installed)
        if requirement is None:
            return
        # A uv that goes on after this process was killed must not meet that of the next update.
        directory = self._uv.temporary / f"index-{os.getpid()}"
        options = ["--prerelease", "explicit" if wanted.exact else prerelease_mode(wanted)]
        try:
            if self._uv.offline:
                return
            if (cutoff := _cutoff(wanted.policy)) is not None:
                if self._resolver.has_cutoff:
                    return  # both dates apply, but uv takes one
                options += [EXCLUDE_NEWER_PACKAGE, f"uv={cutoff}"]
            directory.mkdir(mode=0o700)
            cache = self._uv.create_cache(directory)
        except (IndexFailed, OSError):
            return  # `find` reports what is wrong
        self._prefetch = Prefetch(self._uv, cache, requirement, options)

    def find(self, wanted: Wanted) -> Release:
        version = self._from_prefetch(wanted) or self._version(wanted)
        if version is None:
            raise self._resolver.no_such_version(wanted)
        return Release(version=version, tag=version, assets=())

    def _from_prefetch(self, wanted: Wanted) -> str | None:
        """Return the version according to the page that was read already; None if that fails.

        Raises:
            IndexFailed: The index cannot be used.
            HiddenByPolicy: The policy hides every wanted version.
        """
        if self._prefetch is None:
            return None
        answer = self._prefetch.resolved()
        newest = wanted.exact is None and not wanted.specifier
        if newest and not wanted.policy.narrows:
            latest = self._prefetch.nothing_newer_than
            if latest is not None:
                # uv asks for nothing else then, unless the receipt is wrong.
                self._assumed = Wanted(exact=latest, policy=wanted.policy)
                return latest
        if answer is None or answer.code == 0 or has_no_solution(answer.errors):
            return self._confined(self._prefetch.cache, lambda: self._version(wanted))
        if any(words in answer.errors for words in _REFUSED):
            raise self._resolver.failure(
                answer, COMPILE, wanted.requirement, command="uv pip install"
            )
        return None

    def _version(self, wanted: Wanted) -> str | None:
        return self._newest(wanted) if wanted.exact is None else self._exact(wanted)

    def objection(self, release: Release, policy: Policy) -> Objection | None:
        version = release.version
        if (objection := policy.objection_to_name(version)) is not None:
            return objection
        return self._too_young(version, policy, listed=self._lists)

    def _exact(self, wanted: Wanted) -> str | None:
        """Return the wanted exact version, or None if the index lacks it.

        Raises:
            HiddenByPolicy: The policy hides it.
        """
        version, policy = str(wanted.exact), wanted.policy
        policy.refuse(version)
        rule = policy.against_yanked
        # uv selects a yanked version only by `==` (PEP 592).
        plain = wanted.requirement if rule is None else f"uv>={version},<={version}"
        if self._resolver.resolve(plain) is None:
            if rule is None or self._resolver.resolve(wanted.requirement, refresh=False) is None:
                return None
            raise hidden(version, rule.objection, source=self.name)
        young = self._too_young(version, policy)
        if young is not None:
            raise hidden(version, young, source=self.name)
        return version

    def _newest(self, wanted: Wanted) -> str | None:
        """Return the newest wanted version that is allowed, and log the newest that is hidden.

        Raises:
            HiddenByPolicy: The policy hides every wanted version.
        """
        policy = wanted.policy
        mode = prerelease_mode(wanted)
        version = self._allowed(wanted, mode)
        if not policy.narrows:
            return version
        newest = self._resolver.resolve(wanted.requirement, mode=mode, refresh=False)
        if newest is None or newest == version:
            return version
        objection = policy.objection_to_name(newest) or self._too_young(newest, policy)
        if objection is None:
            return version
        if version is None:
            raise hidden(newest, objection, source=self.name, named=False)
        tell(newest, objection)
        return version

    def _allowed(self, wanted: Wanted, mode: str) -> str | None:
        """Return the newest version that the specifiers, the age and the approved list allow."""
        policy = wanted.policy
        specifiers = [text for text in (wanted.specifier, policy.specifiers) if text]
        cutoff, approved = _cutoff(policy), policy.approved
        below: list[str] = []
        while True:
            requirement = f"uv{','.join([*specifiers, *below])}"
            version = self._resolver.resolve(requirement, mode=mode, refresh=not below)
            if version is None:
                return None
            lower: str | None = version
            if cutoff is not None:
                at_most = f"uv{','.join([*specifiers, f'<={version}'])}"
                lower = self._resolver.resolve(at_most, mode=mode, before=cutoff, refresh=False)
            if lower == version and approved is not None and version not in approved:
                lower = choose(approved, Wanted(specifier=f"<{version}", policy=policy))
            if lower is None or lower == version:
                return lower
            below = [f"<={lower}"]

    def _too_young(self, version: str, policy: Policy, *, listed: bool = False) -> Objection | None:
        """Return the objection of the `min-age` rule to a version in the index, or None.

        With `listed`, any number of versions costs two runs of uv.
        """
        rule = policy.longest_age
        if rule is None or self._is_dated(version, rule, listed=listed):
            return None
        dated = self._is_dated(version, None, listed=listed)
        return rule.too_young if dated else rule.undated

    def _is_dated(self, version: str, rule: MinimumAge | None, *, listed: bool) -> bool:
        """Return whether the index gives an upload time, and one that is old enough for a rule."""
        before = FAR_FUTURE if rule is None else _before(rule)
        if not listed:
            found = self._resolver.resolve(f"uv=={version}", before=before, refresh=False)
            return found is not None
        if rule not in self._dates:
            self._dates[rule] = frozenset(self._resolver.listed(before=before))
        return version in self._dates[rule]

    def dated(self, release: Release) -> bool:
        return self._is_dated(release.version, None, listed=False)

    def releases(self, limit: int) -> tuple[Release, ...]:
        """Return the newest releases, without pre-releases.

        A uv that cannot be made to list its candidates is run for each version, as the newest
        below the previous one, from the responses that the first run has cached.
        """
        newest = self._resolver.resolve(NEWEST.requirement)
        if newest is None:
            raise self._resolver.no_such_version(NEWEST)
        found = list(self._resolver.listed()[:limit]) if limit > 1 else [newest]
        self._lists = found[0] == newest if found else False
        if not self._lists:
            found = [newest]
            while len(found) < limit:
                version = self._resolver.resolve(f"uv<{found[-1]}", refresh=False)
                if version is None:
                    break
                found.append(version)
        return tuple(Release(version=version, tag=version) for version in found)

    def unpack(self, release: Release, directory: Path) -> Path:
        version = release.version
        prefetch, self._prefetch = self._prefetch, None
        if prefetch is not None and not prefetch.installed(version):
            self._refuse_assumed()
            if prefetch.usable:
                hashes = self._confined(prefetch.cache, lambda: self._wheels.hashes(version))
                self._wheels.install(
                    version, hashes or self._wheels.hashes(version), prefetch.cache
                )
            else:
                prefetch.cache.discard()
                prefetch = None
        if prefetch is None:
            return self._wheels.unpack(version, self._wheels.hashes(version), directory)
        target = prefetch.cache.target.rename(directory / "wheel")
        self._removing = Background(prefetch.cache.discard)
        return self._wheels.executables_in(target, version)

    def unpack_for(self, release: Release, platform: Platform, directory: Path) -> Path:
        version, triple = release.version, platform.triple
        option = ("--python-platform", _OTHER_NAMES.get(triple, triple))
        hashes = self._wheels.hashes(version)
        try:
            return self._wheels.unpack(version, hashes, directory, *option)
        except IndexFailed as error:
            if has_no_solution(str(error)) or _UNKNOWN_PLATFORM in str(error):
                name = f"uv {version}"
                raise NoArchive(self.name, name, platform.archive, [version], []) from error
            raise

    def _refuse_assumed(self) -> None:
        """Search for the version that was found without a search, because the receipt is wrong.

        Raises:
            HiddenByPolicy: The policy hides it.
            NoSuchVersion: The index lacks it.
        """
        if (assumed := self._assumed) is not None and self._exact(assumed) is None:
            raise self._resolver.no_such_version(assumed)

    def _confined(self, cache: OwnCache, call: Callable[[], T]) -> T | None:
        """Return the result of a call without requests; None if that is impossible."""
        try:
            with self._uv.confined(cache):
                return call()
        except IndexFailed:
            return None  # the page may not be stored (`Cache-Control: no-store`)

    def digest_algorithm(self, release: Release) -> str | None:
        return strongest(self._resolver.with_hashes(release.version))[0]

    def close(self) -> None:
        """Kill the running uv, if any, and wait for what it and we write."""
        self._uv.close()
        if self._prefetch is not None:
            self._prefetch.wait(_LAST_WAIT)
        if self._removing is not None:
            self._removing.wait(_LAST_WAIT)


def _cutoff(policy: Policy) -> str | None:
    """Return the instant before which a version has to be published, in RFC 3339."""
    rule = policy.longest_age
    return None if rule is None else _before(rule)


def _before(rule: MinimumAge) -> str | None:
    return utc(time.time() - rule.seconds)
