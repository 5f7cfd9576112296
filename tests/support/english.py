"""Words that no sentence of ours uses, and the sentences of a file."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]

FILES = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "benchmarks" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "changelog.d").glob("*.md")),
    *sorted((ROOT / "src").rglob("*.py")),
    *sorted((ROOT / "src").rglob("*.toml")),
)
"""Every file that a user or a contributor reads: pages, fragments, messages, help, docstrings."""

WORDS: Mapping[str, str] = {
    r"persons?|people|whoever|nobody|somebody|anybody": "user, or the name of the role",
    r"logins?(?! (?:forms?|pages?)\b)": "credentials, a token, authentication",
    r"folders?": "directory",
    r"(?:machine's|machine|site) file|site's file": "system configuration file",
    r"(?:can|could|may|might|to) be had": "is available",
    r"(?:is|are|was|were) due|due is": "expected",
    r"(?:is|are|was|were|be) asked for": "required, requested",
    r"(?:is|are|was|were) not taken": "is skipped",
    r"left as (?:it|they) (?:was|were)|stays? as (?:it|they) (?:was|were)": "was not changed",
    r"throwaway": "temporary",
    r"mend(?:s|ed|ing)?": "fix",
    r"(?:lies|lie|lying) beside": "next to",
    r"stands? in": "contains",
    r"what there is|what is there|what is asked for": "a noun",
    r"(?:is|are|was|were) none": "a positive statement",
    r"found out": "detected",
    r"excludes? each other": "cannot be used with",
    r"should not have happened": "unexpected error",
    r"(?:a|the) mistake in": "a bug in",
    r"no answer from": "failed to fetch",
    r"makes? this work": "how to reproduce it",
    r"(?-i:TARGET)": "version; TARGET is the metavariable",
    r"far too much|called as a|not how one|at work in|loosened by": "see the field's term",
}
"""A pattern of words -> what to write."""

ALLOWED: Mapping[tuple[str, str], str] = {
    ("src/uv_self_update/cli/commands.py", "target"): "the metavariable, in the help",
    ("docs/reference.md", "target"): "the metavariable, in the help",
}
"""Path and word, in lower case -> why it is right there."""

_PATTERN = re.compile(
    "|".join(rf"\b(?:{words})\b".replace(" ", r"\s+") for words in WORDS), re.IGNORECASE
)
_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A word in a file."""

    path: str
    line: int
    word: str
    """As it is found, with single spaces."""

    def __str__(self) -> str:
        """Name the place, the word, and what to write."""
        advice = next(
            text for words, text in WORDS.items() if re.fullmatch(words, self.word, re.IGNORECASE)
        )
        return f"{self.path}:{self.line}: `{self.word}` ({advice})"


def words(text: str) -> list[str]:
    """Return each word of a text that no sentence of ours uses."""
    return [match[0] for match in _PATTERN.finditer(text)]


def findings(path: Path) -> list[Finding]:
    """Return each word of a file that is not allowed there."""
    return [one for one in _every(path) if (one.path, one.word.lower()) not in ALLOWED]


def unused() -> list[tuple[str, str]]:
    """Return what is allowed and does not occur."""
    paths = {ROOT / name for name, _ in ALLOWED}
    found = {(one.path, one.word.lower()) for path in paths for one in _every(path)}
    return [place for place in ALLOWED if place not in found]


def _every(path: Path) -> Iterator[Finding]:
    name = path.relative_to(ROOT).as_posix()
    for start, text in sentences(path.suffix, path.read_text(encoding="utf-8")):
        for match in _PATTERN.finditer(text):
            line = start + text[: match.start()].count("\n")
            word = re.sub(r"\s+", " ", match[0])
            yield Finding(path=name, line=line, word=word)


def sentences(suffix: str, text: str) -> Iterator[tuple[int, str]]:
    """Yield each text of a file for readers, and its first line; code in it is blank."""
    if suffix == ".py":
        yield from ((line, _without_code(part)) for line, part in _of_python(text))
    elif suffix == ".toml":
        yield 1, _without_code(re.sub(r"(?m)^#", " ", text))
    else:
        for pattern in (r"(?ms)^ *(```+).*?^ *\1", r"(?s)<!--.*?-->", r"\]\([^)]*\)", r"<[^>]+>"):
            text = re.sub(pattern, _blank, text)
        yield 1, _without_code(text)


def _of_python(source: str) -> Iterator[tuple[int, str]]:
    tree = ast.parse(source)
    formatted = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    parts = {part for node in formatted for part in node.values}
    for one in formatted:
        # One sentence: the code in it may begin in one part and end in another.
        yield one.lineno, "".join(_literal(part) or "." for part in one.values)
    for node in ast.walk(tree):
        # One word is a name or a key, and no sentence.
        if isinstance(node, ast.Constant) and node not in parts and " " in (text := _literal(node)):
            yield node.lineno, text
    block: list[str] = []
    last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        if block and token.start[0] != last + 1:
            yield last - len(block) + 1, "\n".join(block)
            block = []
        block.append(token.string.lstrip("#"))
        last = token.start[0]
    if block:
        yield last - len(block) + 1, "\n".join(block)


def _literal(node: ast.AST) -> str:
    """Return the text of a string literal; empty for any other node."""
    found = node.value if isinstance(node, ast.Constant) else None
    return found if isinstance(found, str) else ""


def _without_code(text: str) -> str:
    return _CODE.sub(_blank, text)


def _blank(match: re.Match[str]) -> str:
    # A dot ends a word, so that the text of a link remains one.
    return re.sub(r"[^\n]", ".", match[0])
