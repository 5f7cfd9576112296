"""Which releases may be taken: what each rule objects to, and what is chosen in the end."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from uv_self_update.config.policy_fields import POLICY_FIELDS, policy
from uv_self_update.errors import (
    HiddenByPolicy,
    NoArchive,
    NoSourceAnswered,
    NoSuchVersion,
    Unreachable,
)
from uv_self_update.platforms import Platform
from uv_self_update.releases.ages import format_age, parse_age
from uv_self_update.releases.policy import DEFAULT, EVERYTHING, Policy
from uv_self_update.releases.release import Asset, Release
from uv_self_update.releases.target import NEWEST, Wanted, parse_target
from uv_self_update.sources.catalog import CatalogSource
from uv_self_update.sources.order import find_in_order

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from uv_self_update.network.responses import Download

PLATFORM = Platform(triple="x86_64-unknown-linux-gnu")
ARCHIVE = PLATFORM.archive
FILES = (Asset(name=ARCHIVE),)
NOW = 1_800_000_000.0
"""2027-01-15T08:00:00Z."""

DAYS = {0: "2027-01-15T06:00:00Z", 2: "2027-01-13T08:00:00Z", 3: "2027-01-12T08:00:00Z"}
OLD = "2026-01-01T00:00:00Z"

RELEASES = {
    "0.11.13": OLD,
    "0.12.24": OLD,
    "0.13.8": DAYS[3],
    "0.13.9": DAYS[2],
    "0.14.0": DAYS[0],
    "0.14.1": None,
    "0.15.0rc1": OLD,
}
"""Versions, and when they were published."""

SITE, USER = "/etc/site.toml", "/home/me/user.toml"


def rules(*, site: dict[str, object] | None = None, **user: object) -> Policy:
    """Return the policy that files with these values make; `_` stands for `-`."""
    layers = []
    for origin, values in ((SITE, site or {}), (USER, user)):
        layer = {}
        for name, value in values.items():
            key = f"policy.{name.replace('_', '-')}"
            layer[key] = POLICY_FIELDS[key].type.parse(value, Path("/etc")), origin
        layers.append(layer)
    return policy(layers)


class Mirror(CatalogSource):
    """A source with some releases; the files, and perhaps the dates, come when it is looked at."""

    def __init__(
        self, dates: dict[str, str | None], *, late: bool = False, name: str = "the mirror"
    ) -> None:
        super().__init__(PLATFORM)
        self.name = name
        self._dates = dates
        self._late = late
        self.looked_at: list[str] = []

    def listed(self) -> list[Release]:
        """Return every release."""
        return [
            Release(version=version, tag=version, published=None if self._late else date)
            for version, date in self._dates.items()
        ]

    def with_files(self, release: Release) -> Release:
        """Return it with its files."""
        self.looked_at.append(release.version)
        return replace(release, assets=FILES, published=self._dates[release.version])

    def fetch(self, release: Release, asset: Asset) -> AbstractContextManager[Download]:
        """Fetch nothing; no test gets as far as that."""
        raise AssertionError(release, asset)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: NOW)


def chosen(source: CatalogSource, target: str | None, under: Policy) -> str:
    """Return the version that is taken, or the key and the reason of what hides it, or a dash."""
    wanted = NEWEST if target is None else parse_target(target)
    try:
        return source.find(wanted.under(under)).version
    except HiddenByPolicy as error:
        return f"{error.version}: {error.because}"
    except NoSuchVersion:
        return "-"


AGE: dict[str, object] = {"min_age": "3 days"}
MIN_AGE = f'(`policy.min-age = "3 days"` in {USER})'
YOUNG = f"published 2 days ago {MIN_AGE}"
UNDATED = f"no publication date from the source {MIN_AGE}"


def out_of_range(specifiers: str, origin: str = USER) -> str:
    """Return the objection of a rule about versions."""
    return f'out of range (`policy.versions = "{specifiers}"` in {origin})'


PRE = f"pre-release (`policy.prerelease = false` in {USER})"


def unapproved(version: str) -> str:
    """Return the objection of a rule that approves one version."""
    return f'not an approved version (`policy.approved = ["{version}"]` in {USER})'


LIST = ["0.12.24", "0.13.9"]

TABLE: list[tuple[dict[str, object], str | None, str]] = [
    # No rule: the newest, pre-releases only if they are named.
    ({}, None, "0.14.1"),
    ({}, "0.15.0rc1", "0.15.0rc1"),
    ({}, ">=0.15.0rc1", "0.15.0rc1"),
    ({}, "0.15", "-"),
    ({}, "9.9.9", "-"),
    # versions
    ({"versions": "<0.14"}, None, "0.13.9"),
    ({"versions": ">=0.11,<0.13"}, None, "0.12.24"),
    ({"versions": "<0.14"}, "0.13", "0.13.9"),
    ({"versions": "<0.14"}, "0.13.8", "0.13.8"),
    ({"versions": "<0.14"}, "0.14.0", f"0.14.0: {out_of_range('<0.14')}"),
    ({"versions": "<0.14"}, "0.14", f"0.14.1: {out_of_range('<0.14')}"),
    ({"versions": "!=0.14.1"}, None, "0.14.0"),
    ({"versions": "~=0.12.3"}, None, "0.12.24"),
    ({"versions": "==0.13.*"}, "<0.13.9", "0.13.8"),
    ({"versions": "<0.1"}, None, f"0.14.1: {out_of_range('<0.1')}"),
    ({"versions": ">=0.15.0rc1"}, "0.15.0rc1", "0.15.0rc1"),
    ({"versions": "<0.14"}, "9.9.9", "-"),
    # min-age
    (AGE, None, "0.13.8"),
    (AGE, "0.13", "0.13.8"),
    (AGE, "0.13.8", "0.13.8"),
    (AGE, "0.13.9", f"0.13.9: {YOUNG}"),
    (AGE, ">=0.13.9", f"0.14.1: {UNDATED}"),
    (AGE, "0.14.1", f"0.14.1: {UNDATED}"),
    (AGE, "<0.13", "0.12.24"),
    (AGE, "0.15.0rc1", "0.15.0rc1"),
    ({"min_age": "2 days"}, None, "0.13.9"),
    ({"min_age": "PT47H"}, None, "0.13.9"),
    ({"min_age": "PT49H"}, None, "0.13.8"),
    ({"min_age": "90 minutes"}, None, "0.14.0"),
    ({"min_age": "0 days"}, None, "0.14.1"),
    ({"min_age": "10 weeks"}, None, "0.12.24"),
    # prerelease
    ({"prerelease": True}, None, "0.15.0rc1"),
    ({"prerelease": True}, "0.15", "0.15.0rc1"),
    ({"prerelease": True}, "<0.14", "0.13.9"),
    ({"prerelease": False}, None, "0.14.1"),
    ({"prerelease": False}, "0.15.0rc1", f"0.15.0rc1: {PRE}"),
    ({"prerelease": False}, ">=0.15.0rc1", f"0.15.0rc1: {PRE}"),
    ({"prerelease": False}, "0.14.0", "0.14.0"),
    # approved
    ({"approved": LIST}, None, "0.13.9"),
    ({"approved": LIST}, "0.12", "0.12.24"),
    ({"approved": LIST}, "0.12.24", "0.12.24"),
    ({"approved": ["0.12.24"]}, "0.13.8", f"0.13.8: {unapproved('0.12.24')}"),
    ({"approved": ["0.12.99"]}, None, f"0.14.1: {unapproved('0.12.99')}"),
    ({"approved": ["0.12.99"]}, "0.12.99", "-"),
    ({"approved": ["0.15.0rc1", "0.12.24"]}, None, "0.12.24"),
    ({"approved": ["0.15.0rc1", "0.12.24"], "prerelease": True}, None, "0.15.0rc1"),
    # several at once
    ({"versions": "<0.14", **AGE}, None, "0.13.8"),
    ({"approved": LIST, **AGE}, None, "0.12.24"),
    ({"approved": LIST, "versions": ">0.12.24", **AGE}, "0.13.9", f"0.13.9: {YOUNG}"),
    ({"prerelease": True, "versions": "<0.15"}, None, "0.14.1"),
    # two places: both have to allow it
    ({"site": {"versions": "<0.13"}, "versions": "<9"}, None, "0.12.24"),
    ({"site": {"versions": "<9"}, "versions": "<0.13"}, None, "0.12.24"),
    ({"site": {"min_age": "3 days"}, "min_age": "0 days"}, None, "0.13.8"),
    ({"site": {"min_age": "0 days"}, "min_age": "3 days"}, None, "0.13.8"),
    ({"site": {"prerelease": False}, "prerelease": True}, None, "0.14.1"),
    ({"site": {"prerelease": True}, "prerelease": False}, None, "0.14.1"),
    ({"site": {"prerelease": True}}, None, "0.15.0rc1"),
    ({"site": {"approved": LIST}, "approved": ["0.12.24", "0.14.0"]}, None, "0.12.24"),
    (
        {"site": {"versions": "<0.13"}, "versions": "<9"},
        "0.13.9",
        f"0.13.9: {out_of_range('<0.13', SITE)}",
    ),
]


@pytest.mark.parametrize("late", [False, True], ids=["dates listed", "dates looked up"])
@pytest.mark.parametrize(("said", "target", "expected"), TABLE)
def test_table(said: dict[str, object], target: str | None, expected: str, *, late: bool) -> None:
    """Of what a source lists, the newest that is allowed is taken, or it is said what hides it."""
    assert chosen(Mirror(RELEASES, late=late), target, rules(**said)) == expected  # type: ignore[arg-type]


def test_hidden_ones_cost_nothing() -> None:
    """However many are hidden by name or by a known date, only what is taken is looked at."""
    dates: dict[str, str | None] = {f"1.{minor}.0": OLD for minor in range(60)}
    source = Mirror({**dates, **RELEASES})
    assert chosen(source, None, rules(versions="<1", **AGE)) == "0.13.8"  # type: ignore[arg-type]
    assert source.looked_at == ["0.14.1", "0.13.8"]


def test_what_is_newer_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    """The newest that was passed over is named, calmly; where none was, nothing is said."""
    with caplog.at_level(logging.INFO):
        chosen(Mirror(RELEASES), None, rules(versions="<0.13", approved=LIST))
        chosen(Mirror(RELEASES), "0.12.24", rules(versions="<0.13"))
        chosen(Mirror(RELEASES), None, EVERYTHING)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", f"Skipping uv 0.14.1: {out_of_range('<0.13')}")
    ]


@pytest.mark.parametrize(
    ("published", "reason"),
    [
        ("2027-01-15T07:59:30Z", "published 30 seconds ago"),
        ("2027-01-15T07:58:00Z", "published 2 minutes ago"),
        ("2027-01-15T07:00:00Z", "published 1 hour ago"),
        ("2027-01-14T08:00:00Z", "published 1 day ago"),
        ("2027-01-12T08:00:01Z", "published 2 days ago"),
        ("2027-01-17T08:00:00Z", "published 2 days ahead of this machine's clock"),
        (None, "no publication date from the source"),
    ],
)
def test_age_is_told(published: str | None, reason: str) -> None:
    """What is too young, or without a date, is said with its age."""
    release = Release(version="0.13.9", tag="0.13.9", published=published)
    objection = rules(min_age="3 days").objection_to(release, now=NOW)
    assert objection is not None
    assert objection.reason == reason
    assert str(objection.rule) == 'policy.min-age = "3 days"'
    assert objection.rule.origin == USER


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, "yanked (`policy.yanked = false` by default)"),
        ({"yanked": False}, f"yanked (`policy.yanked = false` in {USER})"),
        ({"yanked": True}, None),
        ({"site": {"yanked": False}, "yanked": True}, SITE),
        ({"site": {"yanked": True}}, None),
    ],
)
def test_yanked(said: dict[str, object], expected: str | None) -> None:
    """What was yanked is refused unless every place that speaks of it allows it."""
    rule = rules(**said).against_yanked  # type: ignore[arg-type]
    said_of_it = None if rule is None else str(rule.objection)
    if expected is None:
        assert said_of_it is None
    else:
        assert expected in (said_of_it or "")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3 days", 259_200),
        ("1 day", 86_400),
        ("12 hours", 43_200),
        ("2 weeks", 1_209_600),
        ("90 minutes", 5_400),
        ("45 seconds", 45),
        ("3days", 259_200),
        (" 3 Days ", 259_200),
        ("P3D", 259_200),
        ("PT12H", 43_200),
        ("P1DT12H", 129_600),
        ("P2W", 1_209_600),
        ("PT90M", 5_400),
        ("p3d", 259_200),
        ("0 days", 0),
        *(
            (text, None)
            for text in ("", "3", "days", "P", "PT", "P1M", "P1Y", "-3 days", "3.5 days")
        ),
        *(
            (text, None)
            for text in ("3 fortnights", "3  days", "P3DT", "9999 weeks", "\u0663 days")
        ),
    ],
)
def test_age_is_read(text: str, seconds: int | None) -> None:
    """An age is read in words and as ISO 8601 writes it; months and years have no fixed length."""
    assert parse_age(text) == seconds


def test_ago() -> None:
    """A length of time is reported in the largest unit that it fills."""
    assert [format_age(seconds) for seconds in (0, 1, 59, 60, 7_199, 86_400, 1_209_600)] == [
        *("0 seconds", "1 second", "59 seconds", "1 minute", "1 hour", "1 day", "14 days")
    ]


def test_named_version_is_refused_before_anything_is_asked() -> None:
    """A version that is hidden by its name is refused without a source; an age is not known yet."""
    under = rules(versions="<0.13", min_age="3 days")
    with pytest.raises(HiddenByPolicy) as caught:
        under.refuse("0.13.9")
    assert str(caught.value) == f"uv 0.13.9 is hidden by the policy: {out_of_range('<0.13')}"
    under.refuse("0.12.24")
    DEFAULT.refuse("1.0.0rc1")


SETTING = f"policy.versions in {USER}"


@pytest.mark.parametrize("target", [None, "0.13", ">=0.13"])
def test_hint_where_nothing_is_allowed(target: str | None) -> None:
    """Where all that was asked for is hidden, what helps is the rule itself, and its place."""
    wanted = NEWEST if target is None else parse_target(target)
    with pytest.raises(HiddenByPolicy) as caught:
        Mirror({"0.13.8": OLD, "0.13.9": OLD}).find(wanted.under(rules(versions="<0.13")))
    assert caught.value.version == "0.13.9"
    assert caught.value.hint == (
        "No other requested version is allowed either; `uv-self-update releases` shows the rule "
        f"that hides each. Relax {SETTING}, or ask its maintainer."
    )


def test_hint_where_a_version_was_named() -> None:
    """Where one version was named, others may be allowed, and it is said where to see them."""
    source, under = Mirror({"0.13.9": OLD}), rules(versions="<0.13")
    for refuse in (
        lambda: under.refuse("0.13.9"),
        lambda: source.find(Wanted(exact="0.13.9").under(under)),
    ):
        with pytest.raises(HiddenByPolicy) as caught:
            refuse()
        assert caught.value.hint == (
            "`uv-self-update releases` shows the allowed versions; without a version, "
            "`uv-self-update` installs the newest of them."
        )


class Bare(Mirror):
    """A source whose releases have files for another machine only."""

    def with_files(self, release: Release) -> Release:
        """Return it with its files."""
        others = (Asset(name="uv-s390x-unknown-linux-gnu.tar.gz"),)
        return replace(super().with_files(release), assets=others)


@pytest.mark.parametrize("target", ["0.13.9", "0.13", None])
@pytest.mark.parametrize("late", [False, True])
def test_hidden_comes_before_the_archive(target: str | None, *, late: bool) -> None:
    """What is hidden, and has no archive for this machine besides, is hidden."""
    source = Bare({"0.13.9": DAYS[2]}, late=late)
    assert chosen(source, target, rules(min_age="3 days")) == f"0.13.9: {YOUNG}"


def test_hidden_is_told_where_the_others_lack_the_archive(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where the newest is hidden, and the others are not for this machine, both is said."""
    source = Bare({"0.13.9": DAYS[2], "0.13.8": OLD})
    with caplog.at_level(logging.INFO), pytest.raises(NoArchive, match=r"missing from 0\.13\.8"):
        source.find(NEWEST.under(rules(min_age="3 days")))
    assert caplog.messages == [f"Skipping uv 0.13.9: {YOUNG}"]


def test_sources_in_order() -> None:
    """A source where everything is hidden is passed over; if that is all there is, it is said."""
    young, old = Mirror({"0.13.9": DAYS[2]}, name="a"), Mirror({"0.13.8": OLD}, name="b")
    under = rules(min_age="3 days")
    assert find_in_order([young, old], NEWEST.under(under)).release.version == "0.13.8"
    with pytest.raises(HiddenByPolicy, match=r"uv 0\.13\.9 from a is hidden"):
        find_in_order([young, old], Wanted(exact="0.13.9").under(under))

    class Down(Mirror):
        def listed(self) -> list[Release]:
            url = "https://c.example/"
            raise Unreachable(url, "timed out")

    with pytest.raises(NoSourceAnswered):
        find_in_order([young, Down({})], NEWEST.under(under))
