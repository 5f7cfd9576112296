"""A command that `exec` runs: whether it is uv, and which options of uv's it has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.uv import lock
from uv_self_update.uv.arguments import value_of, values_of
from uv_self_update.uv.configuration import PYPROJECT
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

UNSAFE_STRATEGIES = ("unsafe-best-match", "unsafe-first-match")
"""With them, uv takes the newest version that any index has, or the first that fits."""

_NAMES = ("uv", "uvx")
_RESOLVING = frozenset({"add", "export", "lock", "run", "sync", "tree"})
"""Commands that make a lock file where a project has none."""

_WITHOUT_FILES = ("--no-config", "--isolated")


@frozen
class WrappedCommand:
    """A command line."""

    words: Sequence[str] = field(repr=False)

    @property
    def is_uv(self) -> bool:
        """Whether it is uv or uvx."""
        return Path(self.words[0]).stem.lower() in _NAMES

    @property
    def options(self) -> Sequence[str]:
        """What may be uv's own options: the words before `--`.

        Those of a program that `uv run` starts are among them, unless `--` comes before it.
        """
        words = list(self.words[1:])
        return words[: words.index("--")] if "--" in words else words

    @property
    def unsafe_strategy(self) -> str | None:
        """The unsafe `--index-strategy`, if there is one."""
        chosen = value_of(self.options, "--index-strategy")
        return chosen if chosen in UNSAFE_STRATEGIES else None

    @property
    def names_index(self) -> bool:
        """Whether `--index` is there, for which uv ignores `UV_INDEX`."""
        return bool(values_of(self.options, "--index"))

    @property
    def reads_no_files(self) -> bool:
        """Whether it says which configuration uv reads."""
        words = self.options
        return any(word in _WITHOUT_FILES for word in words) or bool(
            values_of(words, "--config-file")
        )

    def directory(self, current: Path) -> Path:
        """Return where uv looks for a project."""
        named = value_of(self.options, "--directory")
        directory = current / named if named else current
        project = value_of(self.options, "--project")
        return directory / project if project else directory

    def resolves(self, current: Path) -> bool:
        """Return whether uv has to resolve: the project that it works on has no lock file."""
        directory = self.directory(current)
        return (
            self.is_uv
            and not _RESOLVING.isdisjoint(self.options)
            and any((place / PYPROJECT).is_file() for place in (directory, *directory.parents))
            and not [*lock.files(directory)]
        )

    def scripts(self, current: Path) -> list[Path]:
        """Return the Python files that are named: each may have a lock file of its own."""
        return [self.directory(current) / word for word in self.options if word.endswith(".py")]
