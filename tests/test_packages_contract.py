"""Every kind of `[[releases]]` has a row of the tests, and a place on the page for users."""

from __future__ import annotations

import re
from pathlib import Path

from support.package_kinds import ROWS
from uv_self_update.config.releases import KINDS, RELEASES_FIELDS

PAGE = Path(__file__).parents[1] / "docs" / "packages.md"

ELSEWHERE = {"github"}
"""The kind of `test_exec.py` and all the files beside it."""


def test_every_kind_has_a_row() -> None:
    """Each kind that can be configured is served to a real uv in `test_exec_kinds.py`."""
    assert {row.kind for row in ROWS} | ELSEWHERE == set(KINDS)


def test_every_kind_and_key_is_on_the_page() -> None:
    """The page has each key of any kind in its table of keys, and each kind in that of kinds."""
    text = PAGE.read_text(encoding="utf-8")
    kinds, keys = (
        re.search(rf"^\| {head} \|.*?\n\n", text, re.DOTALL | re.MULTILINE)
        for head in ("kind", "key of `\\[\\[releases\\]\\]`")
    )
    assert kinds is not None
    assert keys is not None
    fields = {"kind"}.union(*(KINDS[kind] for kind in KINDS))

    assert fields <= {"kind", *RELEASES_FIELDS}
    assert [key for key in sorted(fields) if f"`{key}`" not in keys[0]] == []
    assert [kind for kind in KINDS if f"`{kind}`" not in kinds[0]] == []
