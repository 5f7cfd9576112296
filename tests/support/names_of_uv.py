"""The names of every setting that a real uv knows, as that uv itself tells them."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_COMMANDS = ("pip compile", "pip install", "publish", "run", "venv")
_IMMEDIATES = (4, 8)
"""Bytes of a name that may stand among the instructions of a program, where it is compared."""

_NEXT = "H"
"""How the next instruction begins."""

_CONDA = re.compile(r"_CONDA_ROOT.*")
"""A variable of conda, the one other name that begins as a name of uv may go on."""


def _run(uv: Path, *arguments: str) -> str:
    done = subprocess.run(
        [uv, *arguments],
        env={"HOME": "/nonexistent", "PATH": "/usr/bin:/bin", "UV_NO_CONFIG": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    return done.stdout + done.stderr


def keys(uv: Path, directory: Path, *, table: str | None = None) -> set[str]:
    """Return the keys of uv.toml, or of one of its tables, out of uv's complaint about another."""
    path = directory / "unknown.toml"
    path.write_text((f"[{table}]\n" if table else "") + "no-such-key = 1\n")
    said = _run(uv, "--config-file", str(path), "cache", "dir")
    _, found, names = said.partition("unknown field `no-such-key`, expected one of ")
    assert found, said
    return set(re.findall(r"`([a-z-]+)`", names))


def fields_of_index(uv: Path, directory: Path) -> set[str]:
    """Return the keys of an `[[index]]`; uv accepts others, and shows those that it knows."""
    path = directory / "index.toml"
    path.write_text('[[index]]\nurl = "http://127.0.0.1:9/"\n')
    said = _run(uv, "--config-file", str(path), "--show-settings", "pip", "list", "--system")
    found = re.search(r"^( *)Index \{\n(.*?)^\1\}", said, re.MULTILINE | re.DOTALL)
    assert found, said[-2000:]
    names = re.findall(rf"^{found[1]}    (\w+): ", found[2], re.MULTILINE)
    return {name.replace("_", "-") for name in names} - {"origin"}  # uv's own note


def features(uv: Path) -> set[str]:
    """Return the names of the previews."""
    said = _run(uv, "--preview", "--show-settings", "pip", "list", "--system")
    found = re.search(r"preview: Preview \{\s*flags: \[(.*?)\]", said, re.DOTALL)
    assert found, said[-2000:]
    names = re.findall(r"\w+", found[1])
    return {re.sub(r"(?<=.)(?=[A-Z])", "-", name).lower() for name in names}


def variables_in_help(uv: Path) -> set[str]:
    """Return the variables that uv's help names."""
    said = "".join(_run(uv, "help", *command.split()) for command in _COMMANDS)
    return set(re.findall(r"\bUV_[A-Z0-9_]+", said))


def words(program: bytes) -> set[str]:
    """Return whatever looks like a variable of uv in a program."""
    found = re.findall(rb"UV_(?:(?!UV_)[A-Z0-9_])*", program)
    return {_CONDA.sub("", word.decode()) for word in found}


def unexplained(words: Iterable[str], known: Iterable[str]) -> set[str]:
    """Return those words of a program that are no variable of those that are known.

    A compiler puts strings one after another, with nothing in between: a known name may go on with
    a letter, but not with `_`. What it puts among instructions is cut off.
    """
    known = set(known)
    cut = {name[:length] for name in known for length in _IMMEDIATES}
    return {
        word
        for word in words
        if word not in known
        and word not in cut
        and not (word[-1] in _NEXT and word[:-1] in cut)
        and not any(_goes_on(word, name) for name in known)
    }


def _goes_on(word: str, name: str) -> bool:
    return word.startswith(name) and word[len(name)] != "_" and not name.endswith("_")
