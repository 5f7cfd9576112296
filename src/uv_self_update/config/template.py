"""The content of a new configuration file: every key, commented out."""

from __future__ import annotations

from importlib.resources import files
from textwrap import fill
from typing import TYPE_CHECKING

from uv_self_update.config.settings import FIELDS, SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDTH = 100


def template() -> str:
    """Return the text: sources as examples, and every other field with its help."""
    sources = files("uv_self_update.config").joinpath("sources.toml").read_text(encoding="utf-8")
    return "\n".join([sources, *(line for name in SECTIONS for line in _section(name))])


def _section(section: str) -> Iterator[str]:
    yield f"#[{section}]"
    for name, field in FIELDS.items():
        if name.startswith(f"{section}."):
            yield fill(
                field.help,
                width=_WIDTH,
                initial_indent="# ",
                subsequent_indent="# ",
                break_on_hyphens=False,
            )
            yield f"#{field.example}"
    yield ""
