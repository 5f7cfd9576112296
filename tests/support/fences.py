"""The fenced blocks of the pages, and the commands in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(
    r"^( *)(`{3,}|~{3,}) *([^`\s]*)[^`\n]*\n(.*?)^\1\2[`~]* *$", re.DOTALL | re.MULTILINE
)
_MARKER = re.compile(r"<!-- not run: (.*?) -->\s*\Z", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command after a prompt, and what stands below it as its output."""

    line: str
    """Without the prompt; what a backslash continues is one line."""

    output: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Fence:
    """A fenced block of a page."""

    page: str
    number: int
    """The line that it begins in."""

    language: str
    text: str
    reason: str | None
    """Why it is not run, as a comment before it says: `<!-- not run: REASON -->`."""

    def __str__(self) -> str:
        return f"{self.page}:{self.number} {self.language}"

    @property
    def commands(self) -> tuple[Command, ...]:
        """The commands after prompts."""
        found: list[Command] = []
        for line in self.text.replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                found.append(Command(line=line.removeprefix("$ "), output=()))
            elif found:
                last = found.pop()
                found.append(Command(line=last.line, output=(*last.output, line)))
        return tuple(found)


def read(page: str, text: str) -> Iterator[Fence]:
    """Yield each fenced block of a page."""
    for match in _FENCE.finditer(text):
        before = text[: match.start()]
        marker = _MARKER.search(before)
        yield Fence(
            page=page,
            number=before.count("\n") + 1,
            language=match[3],
            text=re.sub(rf"^{match[1]}", "", match[4], flags=re.MULTILINE),
            reason=" ".join(marker[1].split()) if marker else None,
        )


_PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
FENCES = tuple(
    fence for path in _PAGES for fence in read(path.relative_to(ROOT).as_posix(), path.read_text())
)
"""Every fenced block of the README, of CONTRIBUTING.md and of the pages below `docs`."""
