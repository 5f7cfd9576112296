"""A download of the newest wheel, begun before uv has asked for it.

uv is told to install what is newer than the installed version, into a directory of the update, with
a cache of its own. It logs that it has resolved the requirement: from then on the cache has the
page of the index, which answers every question without a request.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

from uv_self_update.background import Background
from uv_self_update.releases.policy import Approved
from uv_self_update.sources.index.resolver import COMPILE, has_no_solution
from uv_self_update.versions import VERSION, without_local

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.releases.target import Wanted
    from uv_self_update.sources.index.own_cache import OwnCache
    from uv_self_update.sources.index.uv_pip import Answer, UvPip


INSTALL = ("pip", "install", "--no-deps", "--only-binary", "uv", "--verify-hashes", "-r", "-")
"""Before 0.12.16, uv verifies the digest of the index only with `--hash` and `--verify-hashes`. It
is not `--require-hashes`, which would reject the constraints of the user's uv.toml.
"""

_VERIFYING = (0, 12, 16)
"""The first uv that compares a wheel with all digests of its index by itself (measured: with
0.12.15, a wheel with another digest was installed).
"""

_VERSION = re.compile(r"DEBUG uv (\d+)\.(\d+)\.(\d+)\b")
_NOTHING = re.compile(
    r"Because only uv(?:<=|==)(\S+) is available and you require uv>(\S+), we can conclude "
    "that your requirements are unsatisfiable"
)
_INSTALLED = re.compile(r" \+ uv==(\S+)")


class Prefetch:
    """One running download.

    Args:
        uv: Runs uv.
        cache: The cache of the update.
        requirement: The requirement on uv; the policy allows each version that it allows.
        options: Further options of `uv pip install`.
    """

    def __init__(
        self, uv: UvPip, cache: OwnCache, requirement: str, options: Sequence[str]
    ) -> None:
        self.cache = cache
        self._uv = uv
        self._requirement = requirement
        self._version: str | None = None
        self._verifies: bool | None = None
        self._has_version = False
        self._resolved = threading.Event()
        self._answer: Answer | None = None
        arguments = [*INSTALL, *options, "--target", str(cache.target)]
        self._download = Background(lambda: self._run(arguments))

    def resolved(self) -> Answer | None:
        """Wait until uv has read the index; return its answer if that has no such version."""
        self._resolved.wait()
        return None if self._has_version else self._answer

    @property
    def nothing_newer_than(self) -> str | None:
        """The installed version, if it is in the index and uv has said that nothing is newer.

        In other words, or if uv uses others, the cache has to answer: None.
        """
        errors = "" if self._answer is None else self._answer.errors
        said = _NOTHING.search(" ".join(errors.split()))
        known = said is not None and self._requirement == f"uv>{said[2]}" and said[1] == said[2]
        return said[1] if said is not None and known else None

    def installed(self, version: str) -> bool:
        """Wait for the download, and return whether the target has a version, verified."""
        self._download.wait()
        done = self._answer is not None and self._answer.code == 0
        return done and self._verifies is True and self._version == version

    @property
    def usable(self) -> bool:
        """Whether the cache can serve another run: it has the page, and no part of a wheel."""
        return (
            self._answer is not None
            and not self.cache.target.exists()
            and (self._has_version or has_no_solution(self._answer.errors))
        )

    def wait(self, seconds: float) -> None:
        """Wait for uv to exit after it was killed."""
        self._download.wait(seconds)

    def _run(self, arguments: list[str]) -> None:
        try:
            self._answer = self._uv.fill(arguments, self._requirement, self.cache, heard=self._hear)
            if self._verifies is False:
                # It was stopped, but will have to read the same page.
                self._has_version = self._uv.fill([*COMPILE], "uv", self.cache).code == 0
        finally:
            self._resolved.set()

    def _hear(self, line: str) -> bool:
        """Read a line of uv's log; return False for a uv that does not verify what it installs."""
        if self._verifies is None and line.startswith(("DEBUG ", "Resolved ")):
            version = _VERSION.match(line)
            self._verifies = version is not None and (
                tuple(int(number) for number in version.groups()) >= _VERIFYING
            )
        if line.startswith("Resolved "):
            self._has_version = True
            self._resolved.set()
        if installed := _INSTALLED.match(line):
            self._version = without_local(installed[1])
        return self._verifies is not False


def requirement_for(wanted: Wanted, installed: str) -> str | None:
    """Return the requirement on the uv to download ahead.

    None if nothing is to be downloaded, or if no requirement excludes all that the policy hides.
    """
    policy = wanted.policy
    if any(isinstance(rule, Approved) for rule in policy.rules):
        return None
    if wanted.exact is not None:
        version = wanted.exact
        if version == installed or policy.objection_to_name(version):
            return None
        # uv selects a yanked version only by `==` (PEP 592).
        return wanted.requirement if policy.against_yanked is None else f"uv>={version},<={version}"
    if wanted.specifier or not VERSION.fullmatch(installed):
        return None
    return f"uv{','.join(filter(None, (f'>{installed}', policy.specifiers)))}"
