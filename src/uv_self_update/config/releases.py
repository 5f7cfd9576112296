"""`[[releases]]`: release pages, and other places, that hold packages for `exec` and `fetch`."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from uv_self_update.config.field import Field, by_name, parse_table
from uv_self_update.config.kinds import SOURCE_FIELDS, SourceSettings, check_source, parse_source
from uv_self_update.config.value_types import Choice, Flag, Name, Patterns
from uv_self_update.errors import InvalidSource
from uv_self_update.messages import listed, shown, suggestion
from uv_self_update.releases.distribution import Claim
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uv_self_update.config.field import Problems

_PACKAGES = Field(name="packages", type=Patterns())
_PRERELEASES = Field(name="prereleases", type=Flag())
_NAME = Field(name="name", type=Name())

KINDS: Mapping[str, Mapping[str, Field]] = MappingProxyType(
    {
        "github": by_name(_PACKAGES, _PRERELEASES),
        "gitlab": by_name(_PACKAGES),
        "gitea": by_name(_PACKAGES, _PRERELEASES),
        "listing": by_name(_PACKAGES),
        "s3": by_name(_PACKAGES),
        "directory": by_name(_PACKAGES, _NAME),
    }
)
"""The kinds of sources that can hold packages, with the fields that a source does not have."""

_OWN = by_name(_PACKAGES, _PRERELEASES, _NAME)
_KIND = Choice(words=KINDS)
_DEFAULT = "github"

RELEASES_FIELDS: Mapping[str, Field] = MappingProxyType({**SOURCE_FIELDS, **_OWN})
"""The fields of all kinds, in the order in which a file is written."""


@frozen
class ReleasesSettings:
    """One `[[releases]]`."""

    source: SourceSettings
    """Its kind is `auto` if the command line names none."""

    claim: Claim = field(default_factory=Claim)
    prereleases: bool = False
    """Whether releases that the server marks as pre-releases count."""

    name: str | None = None
    """What the index of a directory is named after; None for the directory's own name."""


def check_releases(table: Mapping[str, object]) -> tuple[ReleasesSettings, Problems]:
    """Parse one `[[releases]]`.

    Returns:
        The settings with every valid field, and the problems of the others: key, reason.
    """
    kind = table.get("kind", "directory" if "path" in table else _DEFAULT)
    if not isinstance(kind, str) or kind not in KINDS:
        reason = str(_KIND.invalid(kind, detail=suggestion(kind, KINDS)))
        return ReleasesSettings(source=SourceSettings()), [("kind", reason)]
    own = {key: value for key, value in table.items() if key in _OWN}
    rest = {key: value for key, value in table.items() if key not in _OWN}
    source, problems = check_source({**rest, "kind": kind})
    values, found = parse_table(
        own,
        KINDS[kind],
        directory=Path(),
        unknown=lambda _: f"not a key of releases of kind `{kind}`",
    )
    settings = ReleasesSettings(
        source=source,
        claim=Claim(patterns=values.get(_PACKAGES.name, ())),
        prereleases=values.get(_PRERELEASES.name, False),
        name=values.get(_NAME.name),
    )
    return settings, problems + found


def parse_releases_option(spec: str) -> ReleasesSettings:
    """Read release pages as the command line writes them: `KIND+URL`, a URL, or a path.

    Raises:
        InvalidSource: It has none of these forms.
    """
    source = parse_source(spec)
    if source.kind not in {*KINDS, "auto"}:
        raise InvalidSource(shown(spec), f"expected {listed(KINDS)} before the `+`")
    return ReleasesSettings(source=source)
