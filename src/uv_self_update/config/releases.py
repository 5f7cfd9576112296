"""`[[releases]]`: release pages that hold packages, for `exec`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from uv_self_update.config.kinds import SOURCE_FIELDS, SourceSettings, check_source, parse_source
from uv_self_update.errors import InvalidSource
from uv_self_update.messages import echo, listed, shown
from uv_self_update.releases.distribution import Claim

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = ("github",)
"""The kinds of sources that can hold packages."""

_OWN = ("packages", "prereleases")
RELEASES_KEYS = ("kind", *SOURCE_FIELDS, *_OWN)
"""The keys of one `[[releases]]`."""


@dataclass(frozen=True, kw_only=True)
class ReleasesSettings:
    """One `[[releases]]`."""

    source: SourceSettings
    claim: Claim = field(default_factory=Claim)
    prereleases: bool = False
    """Whether releases that the server marks as pre-releases count."""


def check_releases(
    table: Mapping[str, object],
) -> tuple[ReleasesSettings, list[tuple[str, str]]]:
    """Check one `[[releases]]`.

    Returns:
        The settings with every field that is fit, and what is wrong with the others: key, reason.
    """
    problems: list[tuple[str, str]] = []
    rest = {key: value for key, value in table.items() if key not in _OWN}
    kind = rest.setdefault("kind", "github")
    if kind not in KINDS:
        reason = f"invalid value {echo(kind)}: expected {listed(KINDS)}"
        return ReleasesSettings(source=SourceSettings()), [("kind", reason)]
    source, found = check_source(rest)
    problems += found
    packages = table.get("packages", [])
    patterns: tuple[str, ...] = ()
    if isinstance(packages, list) and all(isinstance(item, str) and item for item in packages):
        patterns = tuple(_normalized(item) for item in packages)
    else:
        problems.append(("packages", 'expected a list of names, such as `["internal-*"]`'))
    prereleases = table.get("prereleases", False)
    if not isinstance(prereleases, bool):
        problems.append(("prereleases", "expected `true` or `false`"))
        prereleases = False
    settings = ReleasesSettings(
        source=source, claim=Claim(patterns=patterns), prereleases=prereleases
    )
    return settings, problems


def parse_releases_option(spec: str) -> ReleasesSettings:
    """Read release pages as the command line writes them: `github+URL`, or a URL.

    Raises:
        InvalidSource: It is neither.
    """
    source = parse_source(f"github+{spec}" if "://" in spec.partition("+")[0] else spec)
    if source.kind not in KINDS:
        raise InvalidSource(shown(spec), f"expected {listed(KINDS)} before the `+`")
    return ReleasesSettings(source=source)


def _normalized(pattern: str) -> str:
    """Return a name as PEP 503 normalizes it; the signs of a pattern stay."""
    # `packaging.utils` does the same, and takes longer to import than this file.
    return re.sub(r"[-_.]+", "-", pattern).lower()
