"""A public index has 99.0 of an internal name: ours wins, or the command fails loudly.

Each row is one of the ways in which uv could take the public one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.simulator.packages import ReleaseOf, wheel
from support.stand import done, locked, standing
from support.web import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.homes import Home
    from support.stand import Stand

OUTER = wheel("outer", "1.0", requires=["internal-package"])
VERSIONS = ("0.5.0", "0.8.24", "0.11.13", "newest")


@pytest.fixture
def stand(home: Home) -> Iterator[Stand]:
    """Return a project whose dependency of ours needs another one of ours."""
    with standing(home) as made:
        made.packages.releases.append(ReleaseOf(tag="outer", files=dict([OUTER])))
        made.configure('packages = ["internal-*", "outer"]')
        made.write("outer", more=f'[[tool.uv.index]]\nurl = "{made.packages.index}"')
        yield made


def plainly(stand: Stand) -> dict[str, str]:
    """Leave the project as `uv add` writes it."""
    del stand
    return {}


def explicitly(stand: Stand) -> dict[str, str]:
    """Name the index for the direct dependency only."""
    stand.write(
        "outer",
        more=f'[[tool.uv.index]]\nname = "ours"\nurl = "{stand.packages.index}"\nexplicit = true\n'
        '[tool.uv.sources]\nouter = { index = "ours" }\n',
    )
    return {}


def best_match_by_variable(stand: Stand) -> dict[str, str]:
    """Ask for the newest version of any index, by a variable."""
    del stand
    return {"UV_INDEX_STRATEGY": "unsafe-best-match"}


def best_match_by_file(stand: Stand) -> dict[str, str]:
    """Ask for the newest version of any index, in the project."""
    stand.write("outer", more='[tool.uv]\nindex-strategy = "unsafe-best-match"\n')
    return {}


def extra_index(stand: Stand) -> dict[str, str]:
    """Name the public index as another one."""
    return {"UV_EXTRA_INDEX_URL": stand.public.index}


def before_ours(stand: Stand) -> dict[str, str]:
    """Name the public index in the project, before ours."""
    stand.write(
        "outer",
        more=f'[[tool.uv.index]]\nurl = "{stand.public.index}"\n'
        f'[[tool.uv.index]]\nurl = "{stand.packages.index}"\n',
    )
    return {}


def _parameters() -> list[object]:
    rows = (
        *(plainly, explicitly, best_match_by_variable, best_match_by_file),
        *(extra_index, before_ours),
    )
    quick = {(before_ours, "newest"), (explicitly, "newest")}
    return [
        pytest.param(
            row,
            version,
            id=f"{row.__name__}-{version}",
            marks=() if (row, version) in quick else pytest.mark.slow,
        )
        for row in rows
        for version in VERSIONS
    ]


@pytest.mark.parametrize(("row", "version"), _parameters())
@pytest.mark.sampled(8)
def test_ours_wins(row: Callable[[Stand], dict[str, str]], version: str, stand: Stand) -> None:
    """Ours is locked, as a dependency of a dependency, whatever the indexes and the strategy."""
    stand.use(version)

    done(stand.run("uv", "lock", **row(stand)))

    assert locked(stand)["internal-package"] == f"1.1.0 {stand.packages.index}"


@pytest.mark.parametrize(
    ("status", "version"),
    [
        pytest.param(
            status,
            version,
            marks=() if (status, version) == (404, "newest") else pytest.mark.slow,
        )
        for status in (401, 403, 404, 410, 429, 451, 500, 503)
        for version in VERSIONS
    ],
)
@pytest.mark.sampled(8)
def test_refusal_fails(status: int, version: str, stand: Stand) -> None:
    """Whatever GitHub answers, uv locks nothing public, and the reason is said."""
    stand.use(version)
    stand.packages.refused = Page(status=status)
    stand.write("internal-package", more=f'[[tool.uv.index]]\nurl = "{stand.packages.index}"')
    stand.home.configure(
        f'[[releases]]\nurl = "{stand.packages.place}"\npackages = ["internal-*", "outer"]\n'
        "[network]\nretries = 0\n"
    )

    answer = stand.run("uv", "lock")

    assert answer.code != 0
    assert not stand.lock.exists()
    assert f"/acme/tools/releases?per_page=*** answered {status}" in answer.err


@pytest.mark.parametrize(
    "version",
    ["newest", *(pytest.param(version, marks=pytest.mark.slow) for version in VERSIONS[:-1])],
)
def test_forgotten_wrapper_fails(version: str, stand: Stand) -> None:
    """Without `exec`, the index has no such host: uv fails, and takes nothing public."""
    stand.use(version)

    answer = stand.plain("uv", "lock")

    assert answer.code != 0
    assert not stand.lock.exists()
    assert ".uv-self-update.invalid" in answer.err


def test_forgotten_wrapper_of_a_tool_fails(stand: Stand) -> None:
    """The receipt of a tool names our index, so an upgrade without `exec` takes nothing public."""
    done(stand.run("uv", "tool", "install", "internal-package"))

    answer = stand.plain("uv", "tool", "upgrade", "internal-package")

    assert answer.code != 0
    assert ".uv-self-update.invalid" in answer.err
    assert "internal-package v1.1.0" in done(stand.plain("uv", "tool", "list")).out
