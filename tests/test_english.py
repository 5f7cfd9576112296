"""What users and contributors read is plain English: the worst words stay out."""

from __future__ import annotations

import pytest

from support import english


def test_no_riddles() -> None:
    """No page, fragment, message, help or docstring contains one of the words."""
    found = [str(one) for path in english.FILES for one in english.findings(path)]

    assert found == []


def test_every_exception_is_used() -> None:
    """A word that is allowed in a file occurs there."""
    assert english.unused() == []


@pytest.mark.parametrize(
    ("suffix", "text", "found"),
    [
        (".md", "A Folder can be\nhad.\n", ["Folder", "can be\nhad"]),
        (".md", "`folder` and ``a `folder` `` and [x](folder/y.md)\n", []),
        (".md", "```text\nfolder\n```\n<!-- folder -->\n", []),
        (".md", "A folderless, recommended person.\n", ["person"]),
        (".md", "[Logins](x.md), a login form\n", ["Logins"]),
        (".py", '"""A folder."""\n', ["folder"]),
        (".py", 'x = f"the folder {y} is due"\n', ["folder", "is due"]),
        (".py", 'x = f"run `uv auth login {url}` in {y}"\n', []),
        (".py", 'x = f"{y} stands in"\n', ["stands in"]),
        (".py", 'folder = {"folder": person}  # code\n', []),
        (".py", "x = 1  # it can be\n# had\n", ["can be\n had"]),
        (".toml", "# A folder\n#folder = 1\n", ["folder", "folder"]),
    ],
)
def test_words_are_found(suffix: str, text: str, found: list[str]) -> None:
    """Words are found in sentences, across lines, and in no code."""
    texts = [part for _, part in english.sentences(suffix, text)]

    assert [word for part in texts for word in english.words(part)] == found
