"""What a policy hides on a package index, found out by the oldest and the newest uv."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from test_policy_rules import SITE, USER, rules
from uv_self_update import platforms
from uv_self_update.errors import HiddenByPolicy, NoSuchVersion
from uv_self_update.releases.policy import DEFAULT, EVERYTHING
from uv_self_update.releases.target import NEWEST, parse_target
from uv_self_update.sources.index.source import IndexSource
from uv_self_update.sources.index.uv_pip import UvPip
from uv_self_update.workflow.survey import overview

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from support.homes import Home
    from support.web import Web
    from uv_self_update.releases.policy import Policy

VERSIONS = ("0.5.0", "0.5.31", "0.8.24", "0.11.13")


def days_ago(count: int) -> str:
    """Return an instant as an index writes it."""
    return (datetime.now(UTC) - timedelta(days=count)).isoformat(timespec="seconds")


DATES = {"0.5.0": 40, "0.5.31": 30, "0.8.24": 20, "0.11.13": 1}


@pytest.fixture(params=["0.5.0", "0.8.24", "newest"])
def uv(request: pytest.FixtureRequest) -> Path:
    """Return a uv that asks the index."""
    return binaries.executables(binaries.version(request.param)) / "uv"


@pytest.fixture(scope="module")
def newest_uv() -> Path:
    """Return the newest uv, where one is enough."""
    return binaries.executables(binaries.newest()) / "uv"


def serve(
    web: Web, days: Mapping[str, int | None] | None = None, *, yanked: tuple[str, ...] = ()
) -> None:
    """Put an index on the server, of versions that were uploaded so many days ago."""
    dates = {
        version: None if count is None else days_ago(count)
        for version, count in (days or DATES).items()
    }
    web.pages |= mirrors.dated_index_pages(dates, yanked=yanked)


def source(uv: Path, home: Home, web: Web, **environ: str) -> IndexSource:
    """Return the index that somebody at this home would use."""
    environ = {"UV_HTTP_RETRIES": "0", "UV_DEFAULT_INDEX": f"{web.url}/simple/", **environ}
    return IndexSource(UvPip(uv, home.full_environ(environ)))


def chosen(index: IndexSource, target: str | None, under: Policy) -> str:
    """Return the version that is taken, or why it is not."""
    wanted = NEWEST if target is None else parse_target(target)
    try:
        return index.find(wanted.under(under)).version
    except HiddenByPolicy as error:
        return f"{error.version}: {error.because}"
    except NoSuchVersion as error:
        return f"- {', '.join(error.nearest)}"


AGE: dict[str, object] = {"min_age": "3 days"}
RANGE = f'0.11.13: out of range (`policy.versions = "<0.11"` in {USER})'
UNAPPROVED = f'0.11.13: not an approved version (`policy.approved = ["0.4.0"]` in {USER})'
YOUNG = f'published less than 3 days ago (`policy.min-age = "3 days"` in {USER})'


@pytest.mark.parametrize(
    ("said", "target", "expected"),
    [
        ({}, None, "0.11.13"),
        ({}, "0.11.13", "0.11.13"),
        ({"versions": "<0.11"}, None, "0.8.24"),
        ({"versions": "<0.11"}, "0.5", "0.5.31"),
        ({"versions": "<0.11"}, ">0.9", RANGE),
        ({"versions": "<0.11"}, "0.11.13", RANGE),
        ({"versions": ">=0.5.0rc1"}, None, "0.11.13"),
        (AGE, None, "0.8.24"),
        (AGE, "0.8.24", "0.8.24"),
        (AGE, "0.11.13", f"0.11.13: {YOUNG}"),
        (AGE, "0.11", f"0.11.13: {YOUNG}"),
        (AGE, "0.11.12", "- 0.11.13, 0.8.24, 0.5.31"),
        ({"min_age": "25 days"}, None, "0.5.31"),
        ({"site": {"min_age": "25 days"}, "min_age": "3 days"}, None, "0.5.31"),
        ({"approved": ["0.5.0", "0.8.24", "0.9.0"]}, None, "0.8.24"),
        ({"approved": ["0.5.0", "0.8.0"]}, None, "0.5.0"),
        ({"approved": ["0.4.0"]}, None, UNAPPROVED),
        ({"approved": ["0.5.31", "0.11.13"], **AGE}, None, "0.5.31"),
        ({"approved": ["0.5.31", "0.8.24"], "versions": "<0.8"}, None, "0.5.31"),
    ],
)
def test_table(  # a table of cases, and what they need
    uv: Path,
    home: Home,
    web: Web,
    *,
    said: dict[str, object],
    target: str | None,
    expected: str,
) -> None:
    """The newest that is allowed is taken, or it is said what hides it."""
    serve(web)
    assert chosen(source(uv, home, web), target, rules(**said)) == expected  # type: ignore[arg-type]


def test_prereleases(uv: Path, home: Home, web: Web) -> None:
    """Pre-releases count as the newest if a rule says so, and cannot be named if one forbids it."""
    from test_sources_index import pages  # noqa: PLC0415 # its index has a pre-release

    web.pages |= pages()
    index = source(uv, home, web)
    assert chosen(index, None, rules(prerelease=True)) == "1.0.0rc1"
    assert chosen(index, None, rules(prerelease=False)) == "0.10.1"
    assert chosen(index, "1.0.0rc1", DEFAULT) == "1.0.0rc1"
    assert chosen(index, None, rules(versions=">=0.1rc1")) == "0.10.1"
    assert "1.0.0rc1: pre-release (" in chosen(index, "1.0.0rc1", rules(prerelease=False))
    assert chosen(index, ">=1.0.0rc1", rules(prerelease=False)).startswith("- ")


def test_yanked(uv: Path, home: Home, web: Web) -> None:
    """What was yanked is not the newest; by its name it is to be had if every rule allows it."""
    serve(web, yanked=("0.11.13",))
    index = source(uv, home, web)
    assert chosen(index, None, DEFAULT) == "0.8.24"
    assert chosen(index, "0.11.13", rules(yanked=True)) == "0.11.13"
    assert chosen(index, "0.11.13", EVERYTHING) == "0.11.13"
    assert chosen(index, "0.11.13", DEFAULT) == (
        "0.11.13: yanked (`policy.yanked = false` by default)"
    )
    both = rules(site={"yanked": False}, yanked=True)
    assert chosen(index, "0.11.13", both).endswith(f"yanked (`policy.yanked = false` in {SITE})")
    assert chosen(index, "0.11.13", rules(yanked=True, **AGE)) == f"0.11.13: {YOUNG}"  # type: ignore[arg-type]
    assert chosen(index, "0.11.14", DEFAULT).startswith("- ")


def test_index_without_dates(uv: Path, home: Home, web: Web) -> None:
    """An index that gives no dates has nothing that is old enough, and that is said."""
    serve(web, dict.fromkeys(VERSIONS))
    index = source(uv, home, web)
    rule = f'`policy.min-age = "3 days"` in {USER}'
    undated = f"0.11.13: no publication date from the source ({rule})"
    assert chosen(index, None, rules(**AGE)) == undated  # type: ignore[arg-type]
    assert chosen(index, "0.11.13", rules(**AGE)) == undated  # type: ignore[arg-type]


def test_some_without_dates(uv: Path, home: Home, web: Web) -> None:
    """Of versions with and without a date, the newest with one is taken."""
    serve(web, {**DATES, "0.8.24": None})
    assert chosen(source(uv, home, web), None, rules(**AGE)) == "0.5.31"  # type: ignore[arg-type]


@pytest.mark.parametrize("days", [10, 22])
def test_days_of_uv_toml_count(uv: Path, home: Home, web: Web, days: int) -> None:
    """What the person has told uv to leave out is left out as well, be it stricter or not."""
    # 0.11.14 in number, but older than the others: only the day decides.
    serve(web, {"0.5.0": 40, "0.5.31": 15, "0.8.24": 25, "0.11.13": 1})
    (home.path / ".config" / "uv").mkdir(parents=True)
    file = home.path / ".config" / "uv" / "uv.toml"
    file.write_text(f'exclude-newer = "{days_ago(days)}"\n')
    index = source(uv, home, web)
    assert chosen(index, None, rules(**AGE)) == "0.8.24"  # type: ignore[arg-type]
    assert chosen(index, None, rules(min_age="30 days")) == "0.5.0"
    assert chosen(index, "0.5", rules(**AGE)) == ("0.5.31" if days == 10 else "0.5.0")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "exclude-newer-package = { uv = false }",
        'exclude-newer-package = { uv = "2999-01-01T00:00:00Z" }',
        '[[index]]\nname = "a"\nurl = "{url}"\ndefault = true\nexclude-newer = false',
    ],
)
def test_uv_toml_does_not_loosen(newest_uv: Path, home: Home, web: Web, text: str) -> None:
    """Whatever the person has excepted from uv's own rule is not excepted from ours."""
    serve(web)
    (home.path / ".config" / "uv").mkdir(parents=True)
    file = home.path / ".config" / "uv" / "uv.toml"
    file.write_text(text.replace("{url}", f"{web.url}/simple/") + "\n")
    index = source(newest_uv, home, web)
    assert chosen(index, None, rules(**AGE)) == "0.8.24"  # type: ignore[arg-type]
    assert chosen(index, "0.11.13", rules(**AGE)) == f"0.11.13: {YOUNG}"  # type: ignore[arg-type]


def test_what_is_newer_is_named(
    newest_uv: Path, home: Home, web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    """The newest is named if it was passed over."""
    serve(web)
    with caplog.at_level(logging.INFO):
        chosen(source(newest_uv, home, web), None, rules(**AGE))  # type: ignore[arg-type]
    assert [record.getMessage() for record in caplog.records] == [f"Skipping uv 0.11.13: {YOUNG}"]


@pytest.mark.parametrize(("target", "words"), [(None, "Relax"), ("0.11.13", "without a version")])
def test_hint(newest_uv: Path, home: Home, web: Web, target: str | None, words: str) -> None:
    """Where nothing was named and nothing is allowed, the rule that hides it has to change."""
    serve(web)
    wanted = NEWEST if target is None else parse_target(target)
    with pytest.raises(HiddenByPolicy) as caught:
        source(newest_uv, home, web).find(wanted.under(rules(versions="<0.1")))
    assert words in str(caught.value.hint)


@pytest.mark.parametrize(("policy", "questions"), [(EVERYTHING, 1), (DEFAULT, 1)])
def test_no_rule_costs_nothing(home: Home, tmp_path: Path, policy: Policy, questions: int) -> None:
    """Where nothing is configured, uv is asked once, for the newest and for an exact version."""
    uv, log = tmp_path / "uv", tmp_path / "log"
    uv.write_text(f"#!/bin/sh\necho x >> {log}\necho uv==0.12.3\n")
    uv.chmod(0o755)
    index = IndexSource(UvPip(uv, home.full_environ()))
    for target in (None, "0.12.3"):
        log.write_text("")
        assert chosen(index, target, policy) == "0.12.3"
        assert log.read_text().count("x") == questions


def test_overview(newest_uv: Path, home: Home, web: Web) -> None:
    """A list of what there is says of each version which rule hides it."""
    serve(web)
    rows = overview(
        [source(newest_uv, home, web)],
        platform=platforms.current(),
        installed=None,
        limit=4,
        policy=rules(versions=">0.5.0", min_age="3 days"),
    )
    assert [(row.version, row.allowed, row.rule) for row in rows] == [
        ("0.11.13", False, 'policy.min-age = "3 days"'),
        ("0.8.24", True, None),
        ("0.5.31", True, None),
        ("0.5.0", False, 'policy.versions = ">0.5.0"'),
    ]
