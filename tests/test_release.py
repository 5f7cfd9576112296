"""What a release is, and GitHub's JSON for it."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from uv_self_update.releases.release import (
    INSTALLER_NAMES,
    Asset,
    NotARelease,
    Release,
    github_document,
    listed_release,
    parse_release,
    utc,
)
from uv_self_update.versions import VERSION, version_of_tag

DIGEST = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("0.12.3", "0.12.3"),
        ("v0.12.3", "0.12.3"),
        (" 0.12.3\n", "0.12.3"),
        ("0.12", None),
        ("1", None),
        ("1.0.0rc1", "1.0.0rc1"),
        ("1.0.0a1.post2.dev3", "1.0.0a1.post2.dev3"),
        ("0.12.03", None),
        ("00.12.3", None),
        ("0.12.3rc01", None),
        ("0.12.3.0", None),
        ("uv-0.12.3", "0.12.3"),
        ("uv-v0.12.3", "0.12.3"),
        ("uv/0.12.3", "0.12.3"),
        ("uv@0.12.3", "0.12.3"),
        ("uv_v0.12.3", "0.12.3"),
        ("uv0.12.3", None),
        ("uvx-0.12.3", None),
        ("my-uv-0.12.3", None),
        ("", None),
        ("v", None),
        ("vv1.0", None),
        ("nightly", None),
        ("0.12.3-rc1", None),
        ("0.12.3+local", None),
        ("1!0.12.3", None),
        ("0.12.x", None),
        ("0.12.", None),
        ("../0.12.3", None),
        ("0.12.3 0.12.4", None),
        ("\u0660.\u0661\u0662", None),
        ("9" * 5000, None),
    ],
)
def test_version_of_tag(tag: str, expected: str | None) -> None:
    """A tag is a version, with or without a `v`, or it is something else."""
    assert version_of_tag(tag) == expected


@settings(deadline=None)
@given(st.from_regex(VERSION, fullmatch=True))
def test_every_version_can_be_compared(version: str) -> None:
    """Whatever counts as a version is one to PEP 440 as well."""
    assert Version(version) >= Version("0.dev0")


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.0.0", False),
        ("1.0.0.post1", False),
        ("1.0.0rc1", True),
        ("1.0.0a2", True),
        ("1.0.0b3", True),
        ("1.0.0.dev4", True),
    ],
)
def test_prerelease(version: str, *, expected: bool) -> None:
    """A pre-release is known by its version."""
    assert Release(version=version, tag=version).prerelease is expected


def test_asset() -> None:
    """A file is found by its name; where the files are not known, any may be there."""
    known = Release(version="1", tag="1", assets=(Asset(name="a", sha256=DIGEST),))
    assert known.asset("a") == Asset(name="a", sha256=DIGEST)
    assert known.asset("b") is None
    assert Release(version="1", tag="1").asset("b") == Asset(name="b")
    assert Release(version="1", tag="1", assets=()).asset("b") is None


@pytest.mark.parametrize(
    ("assets", "expected"),
    [
        (None, None),
        ([], None),
        ({}, None),
        ("a", None),
        ([None, 1, {}, {"name": ""}, {"name": None}], None),
        ([{"name": "a"}], (Asset(name="a"),)),
        ([{"name": "a", "digest": None}], (Asset(name="a"),)),
        ([{"name": "a", "digest": f"sha256:{DIGEST}"}], (Asset(name="a", sha256=DIGEST),)),
        ([{"name": "a", "digest": f"SHA256:{DIGEST.upper()}"}], (Asset(name="a", sha256=DIGEST),)),
        ([{"name": "a", "digest": f"sha512:{DIGEST}"}], (Asset(name="a"),)),
        ([{"name": "a", "digest": f"sha256:{DIGEST}0"}], (Asset(name="a"),)),
        ([{"name": "a", "digest": DIGEST}], (Asset(name="a"),)),
        ([{"name": "a", "digest": 5}], (Asset(name="a"),)),
    ],
)
def test_assets(assets: object, expected: tuple[Asset, ...] | None) -> None:
    """Files are read where they are told, and their digests where they are usable."""
    release = parse_release({"tag_name": "v0.12.3", "assets": assets})
    assert release == Release(version="0.12.3", tag="v0.12.3", assets=expected)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (None, "a JSON null instead of an object"),
        ([], "a JSON array instead of an object"),
        ("0.12.3", "a JSON string instead of an object"),
        (True, "a JSON boolean instead of an object"),
        (1.5, "a JSON number instead of an object"),
        ({}, "JSON without a version in `tag_name`"),
        ({"tag_name": None}, "JSON without a version in `tag_name`"),
        ({"tag_name": 12}, "JSON without a version in `tag_name`"),
        ({"tag_name": "docs-1"}, "JSON without a version in `tag_name`"),
    ],
)
def test_not_a_release(document: object, said: str) -> None:
    """What describes no release is refused with what it lacks."""
    with pytest.raises(NotARelease, match=f"^{re.escape(said)}$"):
        parse_release(document)


def test_list() -> None:
    """Of a list, drafts and what is no release of uv are passed over."""
    document = [
        {"tag_name": "0.12.3", "draft": False},
        {"tag_name": "0.12.4", "draft": True},
        {"tag_name": "docs"},
        None,
        {"tag_name": "0.9.9", "draft": None},
    ]
    found = [listed_release(entry) for entry in document]
    assert [release and release.version for release in found] == [
        "0.12.3",
        None,
        None,
        None,
        "0.9.9",
    ]


@pytest.mark.parametrize("name", ["", "a" * 256, "\N{SNOWMAN}" * 86, None, 7])
def test_names_have_a_bound(name: object) -> None:
    """A name that no file system would take is that of no file."""
    fits = {"name": "\N{SNOWMAN}" * 85, "id": 7}
    document = {"tag_name": "0.12.3", "assets": [{"name": name, "id": 1}, fits]}

    assert parse_release(document).assets == (Asset(name=str(fits["name"]), where="7"),)


def test_numbers_have_a_bound() -> None:
    """A number that no database counts to leads nowhere, and a tag of any length is no version."""
    assets = [{"name": "a", "id": 10**4000}, {"name": "b", "id": -1}]

    found = parse_release({"tag_name": "0.12.3", "assets": assets}).assets

    assert found == (Asset(name="a"), Asset(name="b"))
    assert version_of_tag(" " * 300 + "0.12.3") is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"tag_name": st.sampled_from(["1.0.0", "v2.0", "x", None]) | JSON},
            optional={"assets": st.lists(JSON) | JSON, "draft": JSON},
        )
        | JSON
    )
)
def test_any_json(document: list[object]) -> None:
    """Whatever JSON comes in, only whole releases come out, and uv gets them without a null."""
    for release in filter(None, map(listed_release, document)):
        files = [Asset(name=name) for name in INSTALLER_NAMES]
        text = json.dumps(
            github_document(release, base="http://127.0.0.1:1/s/", repository="o/r", assets=files)
        )
        assert VERSION.fullmatch(release.version)
        assert "null" not in text


def test_document() -> None:
    """What uv gets is a release that is complete, and leads back to the gateway only."""
    base = "http://127.0.0.1:81/secret/"
    release = Release(version="1.0.0rc1", tag="v1.0.0rc1", assets=(Asset(name="x"),))
    names = (*INSTALLER_NAMES, "uv-x.tar.gz")
    files = [Asset(name=name) for name in names]
    assert github_document(release, base=base, repository="astral-sh/uv", assets=files) == {
        "tag_name": "1.0.0rc1",
        "name": "1.0.0rc1",
        "url": f"{base}api/v3/repos/astral-sh/uv/releases/tags/1.0.0rc1",
        "html_url": f"{base}astral-sh/uv/releases/tag/1.0.0rc1",
        "draft": False,
        "prerelease": True,
        "assets": [
            {
                "name": name,
                "url": f"{base}astral-sh/uv/releases/download/1.0.0rc1/{name}",
                "browser_download_url": f"{base}astral-sh/uv/releases/download/1.0.0rc1/{name}",
            }
            for name in names
        ],
    }


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-01-29T20:24:46Z", "2026-01-29T20:24:46Z"),
        ("2026-01-29T20:24:46.972497+00:00", "2026-01-29T20:24:46Z"),
        ("2026-01-29T21:24:46+01:00", "2026-01-29T20:24:46Z"),
        ("2026-01-29 20:24:46", "2026-01-29T20:24:46Z"),
        (1769718286, "2026-01-29T20:24:46Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("yesterday", None),
        ("", None),
        (float("nan"), None),
        (1e20, None),
    ],
)
def test_utc(time: str | float, expected: str | None) -> None:
    """Times are written in one way, and what is none is nothing."""
    assert utc(time) == expected
