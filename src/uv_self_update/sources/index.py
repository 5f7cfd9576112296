"""`index`: the package index, asked through uv itself.

uv is the client that knows its user's index best: their `uv.toml`, `UV_DEFAULT_INDEX`, netrc,
keyring, credential store, proxies and certificate authorities. So there is no second client here,
and no address of an index: with nothing configured, uv's own default applies.

What a policy hides is found out by asking uv as well, which knows the dates: for the newest version
before a day, or for one version only. Where the person has told uv itself to leave out what is new
(`exclude-newer`), that counts as well: it is asked without our day, too.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from uv_self_update.errors import (
    DigestMismatch,
    IndexFailed,
    NoDigest,
    NoSuchVersion,
    UnusableArchive,
)
from uv_self_update.redaction import redact_url
from uv_self_update.releases.digests import DigestRules
from uv_self_update.releases.policy import Objection, ago, hidden, tell
from uv_self_update.releases.release import LARGEST_UNPACKED, Release, utc
from uv_self_update.releases.target import NEWEST, Wanted, choose, newest_first
from uv_self_update.sources.interface import WheelSource
from uv_self_update.sources.uv_pip import Answer, TooMuch, UvPip, index_environment
from uv_self_update.versions import VERSION, is_prerelease

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from uv_self_update.releases.policy import Policy


_NAMED_NEWER = "--exclude-newer-package"
_FOREVER = "9999-12-30T00:00:00Z"
"""So far ahead that everything with a date was published before."""

_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})\b")
_SHA256 = re.compile(r"sha256:([0-9a-f]{64})")
_MISMATCH = re.compile(
    r"Hash mismatch for .*?(Expected:.*?)Computed:\s*sha256:([0-9a-f]{64})", re.DOTALL
)
_SHOWN_DIGESTS = 3
_SHOWN_LINES = 12


class IndexSource(WheelSource):
    """The package index that uv is configured for, or one that is given by its URL."""

    def __init__(
        self,
        *,
        uv: Path,
        environ: Mapping[str, str],
        url: str | None = None,
        digests: DigestRules | None = None,
    ) -> None:
        """Prepare; nothing is run yet.

        Args:
            uv: The uv to ask; from 0.5.0 on.
            environ: The user's environment.
            url: The root of a simple repository API (PEP 503); None for uv's own default.
            digests: Which digests a wheel has to have beside that of the index; None for any.
        """
        self._digests = digests or DigestRules()
        self.name = "the package index" if url is None else f"the index {redact_url(url)}"
        self._uv = UvPip(uv, index_environment(environ, url=url), name=self.name)

    def find(self, wanted: Wanted) -> Release:
        """Return the newest release that is wanted; see Source."""
        version = self._newest(wanted) if wanted.exact is None else self._exact(wanted)
        if version is None:
            raise NoSuchVersion(self.name, str(wanted), self._nearest(wanted))
        return Release(version=version, tag=version, assets=())

    def objection(self, release: Release, policy: Policy) -> Objection | None:
        """Return why the policy hides a release; see Source."""
        return policy.objection_to_name(release.version) or self._too_young(release.version, policy)

    def _exact(self, wanted: Wanted) -> str | None:
        """Return the version that is named if there is one.

        Raises:
            HiddenByPolicy: It must not be taken.
        """
        version, policy = str(wanted.exact), wanted.policy
        policy.refuse(version)
        rule = policy.against_yanked
        # uv takes what was yanked only if `==` names it (PEP 592).
        plain = wanted.requirement if rule is None else f"uv>={version},<={version}"
        if self._resolve(plain) is None:
            if rule is None or self._resolve(wanted.requirement, refresh=False) is None:
                return None
            yanked = Objection(rule=rule, reason="it was yanked")
            raise hidden(version, yanked, source=self.name)
        young = self._too_young(version, policy)
        if young is not None:
            raise hidden(version, young, source=self.name)
        return version

    def _newest(self, wanted: Wanted) -> str | None:
        """Return the newest version that is wanted and allowed, and say what was passed over.

        Raises:
            HiddenByPolicy: There are some, but none that is allowed.
        """
        policy = wanted.policy
        mode = _mode(wanted)
        version = self._allowed(wanted, mode)
        if not policy.narrows:
            return version
        newest = self._resolve(wanted.requirement, mode=mode, refresh=False)
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
        """Go down from the newest version until everything that has a say allows it."""
        policy = wanted.policy
        specifiers = [text for text in (wanted.specifier, policy.specifiers) if text]
        day, approved = _day(policy), policy.approved
        below: list[str] = []
        while True:
            requirement = f"uv{','.join([*specifiers, *below])}"
            version = self._resolve(requirement, mode=mode, refresh=not below)
            if version is None:
                return None
            lower: str | None = version
            if day is not None:
                at_most = f"uv{','.join([*specifiers, f'<={version}'])}"
                lower = self._resolve(at_most, mode=mode, before=day, refresh=False)
            if lower == version and approved is not None and version not in approved:
                lower = choose(approved, Wanted(specifier=f"<{version}", policy=policy))
            if lower is None or lower == version:
                return lower
            below = [f"<={lower}"]

    def _too_young(self, version: str, policy: Policy) -> Objection | None:
        """Return what a rule about the age objects to a version that the index has."""
        rule, day = policy.longest_age, _day(policy)
        if rule is None or day is None:
            return None
        requirement = f"uv=={version}"
        if self._resolve(requirement, before=day, refresh=False) is not None:
            return None
        if self._resolve(requirement, before=_FOREVER, refresh=False) is None:
            return Objection(rule=rule, reason="the source gives no date of it", undated=True)
        return Objection(rule=rule, reason=f"it was published less than {ago(rule.seconds)} ago")

    def releases(self, limit: int) -> tuple[Release, ...]:
        """Return the newest releases; see Source.

        uv tells the newest below a version, and no list; what it has cached is enough for that.
        Pre-releases are not among them.
        """
        found: list[Release] = []
        requirement = NEWEST.requirement
        while len(found) < limit:
            version = self._resolve(requirement, refresh=not found)
            if version is None:
                break
            found.append(Release(version=version, tag=version))
            requirement = f"uv<{version}"
        return tuple(found)

    def unpack(self, release: Release, folder: Path) -> Path:
        """Lay the wheel's files below a folder; see WheelSource."""
        target, wheel = folder / "wheel", f"the wheel of uv {release.version}"
        arguments = ["pip", "install", "--target", str(target), "--no-deps", "--only-binary", "uv"]
        arguments += ["-r", "-"]
        hashes = self._hashes(release.version)
        if hashes:
            # Before 0.12, uv compares a wheel with what the index says only if it is told to. With
            # `--require-hashes` it would refuse the constraints of the person's uv.toml as well.
            arguments.append("--verify-hashes")
        requirement = " ".join([f"uv=={release.version}", *hashes])
        try:
            answer = self._uv.fill(arguments, requirement, folder)
        except TooMuch:
            reason = f"it holds more than {LARGEST_UNPACKED:,} bytes"
            raise UnusableArchive(wheel, self.name, reason) from None
        if mismatch := _MISMATCH.search(answer.errors):
            raise DigestMismatch(
                wheel,
                self.name,
                expected=_any_of(_SHA256.findall(mismatch[1])),
                got=mismatch[2],
                pinned=self._digests.places(release.version),
            )
        if answer.code != 0:
            raise IndexFailed(self.name, "uv pip install", _end_of(answer.errors))
        executables = target / "bin"  # with `--target` on every system, Windows too
        if not executables.is_dir():
            raise UnusableArchive(wheel, self.name, "there is no executable in it")
        return executables

    def _hashes(self, version: str) -> list[str]:
        """Return, as uv's options, the digests of which a wheel has to have one.

        Raises:
            NotPinned: Other files of the version are pinned, and no wheel.
            NoDigest: There is none, and there has to be one.
            IndexFailed: The index cannot be used.
        """
        wheel = f"the wheel of uv {version}"
        pinned = self._digests.wheels(version, name=wheel, source=self.name)
        if pinned:
            return [f"--hash=sha256:{digest}" for digest in sorted(pinned)]
        arguments = ["pip", "compile", "-", "--no-header", "--no-annotate", "--no-deps"]
        arguments += ["--only-binary", "uv", "--generate-hashes"]
        answer = self._uv.ask(arguments, f"uv=={version}")
        if answer.code != 0:
            raise IndexFailed(self.name, "uv pip compile", _end_of(answer.errors))
        found = [f"--hash=sha256:{digest}" for digest in _HASH.findall(answer.output)]
        if not found and self._digests.required:
            raise NoDigest(wheel, self.name, self._digests.required_by)
        return found

    def close(self) -> None:
        """End the uv that is under way, if any; see Source."""
        self._uv.close()

    def _resolve(
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
            requirement: What is asked for.
            resolution: `highest` or `lowest`.
            refresh: Whether what was cached counts for nothing.
            mode: Whether pre-releases are welcome, in uv's words.
            before: Before which instant it has to be published, in RFC 3339.
        """
        arguments = ["pip", "compile", "-", "--no-header", "--no-annotate", "--no-deps"]
        arguments += ["--only-binary", "uv", "--resolution", resolution]
        if refresh:
            # What was cached minutes ago may not know of today's release.
            arguments += ["--refresh-package", "uv"]
        # A person may want pre-releases of other packages, or the index may have nothing else.
        arguments += ["--prerelease", mode]
        answer = self._asked(arguments, requirement, before)
        if answer.code == 0:
            for line in answer.output.splitlines():
                name, _, version = line.partition("==")
                version = version.split(" ")[0].strip()
                if name.strip() == "uv" and VERSION.fullmatch(version):
                    return version
            raise IndexFailed(
                self.name, "uv pip compile", f"it named no version of uv: {answer.output}"
            )
        if "No solution found" in answer.errors and "was not found" not in answer.errors:
            return None
        raise IndexFailed(self.name, "uv pip compile", _end_of(answer.errors))

    def _asked(self, arguments: list[str], requirement: str, before: str | None) -> Answer:
        """Ask uv for what was published before an instant, if one is given.

        The person's uv.toml may except a package from that, unless it is named here; versions of uv
        that do not know of such exceptions do not know this option either.
        """
        if before is None:
            return self._uv.ask(arguments, requirement)
        answer = self._uv.ask([*arguments, _NAMED_NEWER, f"uv={before}"], requirement)
        if answer.code != 0 and f"unexpected argument '{_NAMED_NEWER}'" in answer.errors:
            return self._uv.ask([*arguments, "--exclude-newer", before], requirement)
        return answer

    def _nearest(self, wanted: Wanted) -> tuple[str, ...]:
        """Ask for the neighbours of an exact version, else for the newest of all."""
        if wanted.exact is None:
            found = {self._resolve(NEWEST.requirement)}
        else:
            above = self._resolve(f"uv>{wanted.exact}", resolution="lowest")
            found = {above, self._resolve(f"uv<{wanted.exact}")}
        return tuple(newest_first(version for version in found if version is not None))


def _mode(wanted: Wanted) -> str:
    """Return whether pre-releases are welcome, in uv's words.

    A rule that names one must not make them so, as it would if uv were to decide.
    """
    if wanted.policy.prereleases is not None:
        return "allow" if wanted.policy.prereleases else "disallow"
    return "explicit" if is_prerelease(wanted.specifier) else "disallow"


def _day(policy: Policy) -> str | None:
    """Return the instant before which a version has to be published, in RFC 3339."""
    rule = policy.longest_age
    return None if rule is None else utc(time.time() - rule.seconds)


def _any_of(digests: list[str]) -> str:
    """Return digests of which any would do; an index has one for each platform's wheel."""
    more = f" or one of {len(digests) - _SHOWN_DIGESTS} more"
    return " or ".join(digests[:_SHOWN_DIGESTS]) + (more if len(digests) > _SHOWN_DIGESTS else "")


def _end_of(errors: str) -> str:
    return "\n".join(errors.splitlines()[-_SHOWN_LINES:])
