"""Which version is meant."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uv_self_update.errors import InvalidTarget
from uv_self_update.messages import shown
from uv_self_update.releases.target import (
    NEWEST,
    Wanted,
    choose,
    nearest,
    newest_first,
    parse_target,
)

VERSIONS = ("0.9.9", "1.0.0rc1", "0.10.0", "0.9.10", "0.12.3", "0.12.10", "0.13.0")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("0.12.3", Wanted(exact="0.12.3")),
        ("v0.12.3", Wanted(exact="0.12.3")),
        (" 0.12.3\n", Wanted(exact="0.12.3")),
        ("0.12.3rc1", Wanted(exact="0.12.3rc1")),
        ("0.12.3.post1", Wanted(exact="0.12.3.post1")),
        ("0.12", Wanted(specifier="==0.12.*")),
        ("v0.12", Wanted(specifier="==0.12.*")),
        ("0", Wanted(specifier="==0.*")),
        ("<0.13", Wanted(specifier="<0.13")),
        (" < 0.13 ", Wanted(specifier="<0.13")),
        (">=0.5,<0.13", Wanted(specifier="<0.13,>=0.5")),
        ("~=0.12.3", Wanted(specifier="~=0.12.3")),
        ("==0.12.*", Wanted(specifier="==0.12.*")),
        ("==0.12.3", Wanted(specifier="==0.12.3")),
        ("!=0.12.3", Wanted(specifier="!=0.12.3")),
        (">=1.0.0rc1", Wanted(specifier=">=1.0.0rc1")),
    ],
)
def test_target(target: str, expected: Wanted) -> None:
    """A TARGET is an exact version, a prefix or a specifier set."""
    assert parse_target(target) == expected


@pytest.mark.parametrize(
    "target",
    [
        "",
        " ",
        "v",
        "latest",
        "nonsense",
        "0.12.x",
        "0.12.",
        ".12",
        "-1",
        "1!0.12.3",
        "0.12.3+local",
        "0.12.3-rc1",
        "vv0.12.3",
        "v<0.13",
        "<",
        "==",
        "<0.13 <0.14",
        "<0.13;rm -rf /",
        "<$(id)",
        "`id`",
        "$(id)",
        "0.12.3;id",
        "0.12.3 && id",
        "0.12.3\n--index-url=x",
        "<0.13\n-r requirements.txt",
        "../0.12.3",
        "uv==0.12.3",
        "uv @ https://example.com/uv.whl",
        "\u0660.\u0661\u0662",
        "<\u0660.\u0661\u0663",
        "\x00",
    ],
)
def test_no_target(target: str) -> None:
    """Anything else is refused, and said to be no version."""
    with pytest.raises(InvalidTarget) as caught:
        parse_target(target)
    assert str(caught.value) == f"`{shown(target)}` is not a version of uv"
    assert "`0.12.3`" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "target",
    ["9" * 5000, "0.12." + "9" * 5000, "<" + "9" * 5000, ">=0.5," * 100 + "<1", "x" * 5000],
)
def test_long_target(target: str) -> None:
    """What is too long for a version is refused, and not repeated at length."""
    with pytest.raises(InvalidTarget) as caught:
        parse_target(target)
    assert len(str(caught.value)) < 100
    assert target[:10] in str(caught.value)


@settings(deadline=None)
@given(st.text(alphabet="0123456789.<>=~!*, vrcabdevpost", max_size=30))
def test_any_target(target: str) -> None:
    """Whatever is typed is either refused, or can be chosen by, on one line."""
    try:
        wanted = parse_target(target)
    except InvalidTarget:
        return
    assert choose(VERSIONS, wanted) in {*VERSIONS, None}
    assert set(nearest(VERSIONS, wanted)) <= {*VERSIONS}
    assert wanted.requirement.startswith("uv")
    assert "\n" not in wanted.requirement


@pytest.mark.parametrize(
    ("wanted", "requirement", "said"),
    [
        (NEWEST, "uv", "release of uv"),
        (Wanted(exact="0.12.3"), "uv==0.12.3", "uv 0.12.3"),
        (Wanted(specifier="<0.13"), "uv<0.13", "uv <0.13"),
    ],
)
def test_wanted(wanted: Wanted, requirement: str, said: str) -> None:
    """What is wanted is written as a requirement, and as a person reads it."""
    assert (wanted.requirement, str(wanted)) == (requirement, said)


def test_order() -> None:
    """Versions are ordered by PEP 440, not as text."""
    assert newest_first(VERSIONS) == [
        "1.0.0rc1",
        "0.13.0",
        "0.12.10",
        "0.12.3",
        "0.10.0",
        "0.9.10",
        "0.9.9",
    ]
    assert newest_first(["1.0.0rc1", "1.0.0", "1.0.0.dev1", "1.0.0.post1"]) == [
        "1.0.0.post1",
        "1.0.0",
        "1.0.0rc1",
        "1.0.0.dev1",
    ]


@pytest.mark.parametrize(
    ("versions", "target", "expected"),
    [
        (("0.9.9", "0.10.0"), None, "0.10.0"),
        (("1.0.0rc1", "1.0.0"), None, "1.0.0"),
        (("1.0.0rc1", "0.9.9"), None, "0.9.9"),
        (("1.0.0rc1",), None, None),
        ((), None, None),
        (VERSIONS, "0.9", "0.9.10"),
        (VERSIONS, "0.12", "0.12.10"),
        (VERSIONS, "0", "0.13.0"),
        (VERSIONS, "1", None),
        (VERSIONS, "0.1", None),
        (VERSIONS, "<0.13", "0.12.10"),
        (VERSIONS, "~=0.12.3", "0.12.10"),
        (VERSIONS, ">0.13.0", None),
        (VERSIONS, "0.12.3", "0.12.3"),
        (VERSIONS, "0.12.4", None),
        (VERSIONS, "1.0.0rc1", "1.0.0rc1"),
        (VERSIONS, ">=1.0.0rc1", "1.0.0rc1"),
        (VERSIONS, "==1.0.0rc1", "1.0.0rc1"),
        (VERSIONS, "!=0.13.0", "0.12.10"),
    ],
)
def test_choose(versions: tuple[str, ...], target: str | None, expected: str | None) -> None:
    """The newest that is wanted is chosen; a pre-release only if it is named."""
    wanted = NEWEST if target is None else parse_target(target)
    assert choose(iter(versions), wanted) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (None, ("1.0.0rc1", "0.13.0", "0.12.10")),
        ("0.12.4", ("0.12.10", "0.12.3", "0.10.0")),
        ("0.12.3", ("0.12.10", "0.12.3", "0.10.0")),
        ("9.9.9", ("1.0.0rc1", "0.13.0", "0.12.10")),
        ("0.1.0", ("0.10.0", "0.9.10", "0.9.9")),
        ("0.11", ("0.12.3", "0.10.0", "0.9.10")),
        ("<0.9.9", ("0.10.0", "0.9.10", "0.9.9")),
        ("===nonsense", ("1.0.0rc1", "0.13.0", "0.12.10")),
    ],
)
def test_nearest(target: str | None, expected: tuple[str, ...]) -> None:
    """The versions next to what was wanted are named, at most three, the newest first."""
    wanted = NEWEST if target is None else parse_target(target)
    assert nearest([*VERSIONS, "0.9.9"], wanted) == expected


@pytest.mark.parametrize("versions", [[], ["0.9.9"], ["0.9.9", "0.10.0"]])
def test_nearest_of_few(versions: list[str]) -> None:
    """Where there are no three versions, all are named."""
    assert nearest(versions, Wanted(exact="0.12.3")) == tuple(reversed(versions))
