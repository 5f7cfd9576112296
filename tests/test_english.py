"""What users and contributors read is plain English: the worst words stay out."""

from __future__ import annotations

import pytest

from support import english


def test_no_riddles() -> None:
    """No page, fragment, message, help or docstring has one of the words, but for files to do."""
    to_do = english.to_do()
    found = [
        str(one)
        for path in english.FILES
        if path.relative_to(english.ROOT).as_posix() not in to_do
        for one in english.findings(path)
    ]

    assert found == []


def test_list_of_files_to_do_only_shrinks() -> None:
    """A file on the list that is clean, or gone, is taken off it: `python -m support.english`."""
    by_path = {path.relative_to(english.ROOT).as_posix(): path for path in english.FILES}
    to_do = english.to_do()

    assert to_do == sorted(set(to_do))
    assert [name for name in to_do if name not in by_path] == []
    assert [name for name in to_do if not english.findings(by_path[name])] == []


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
        (".py", '"""A folder."""\n', ["folder"]),
        (".py", 'x = f"the folder {y} is due"\n', ["folder", "is due"]),
        (".py", 'folder = {"folder": person}  # code\n', []),
        (".py", "x = 1  # it can be\n# had\n", ["can be\n had"]),
        (".toml", "# A folder\n#folder = 1\n", ["folder", "folder"]),
    ],
)
def test_words_are_found(suffix: str, text: str, found: list[str]) -> None:
    """Words are found in sentences, across lines, and in no code."""
    texts = [part for _, part in english.sentences(suffix, text)]

    assert [word for part in texts for word in english.words(part)] == found
