"""uv's `uv-receipt.json`: where it lies, what it says, how it is rewritten.

uv updates itself only if this file, which its standalone installer leaves behind, names the folder
that the running uv lies in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uv_self_update.errors import ReceiptError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("NAME", "Receipt", "locate", "new_receipt", "read")

NAME = "uv-receipt.json"


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """A receipt and the file it was read from."""

    path: Path
    document: Mapping[str, Any]
    """The whole JSON object: what this package does not know of is kept."""

    @property
    def prefix(self) -> Path:
        """The folder that uv was installed into, as the receipt has it."""
        return Path(self.document["install_prefix"])

    def folder(self, uv: str) -> Path:
        """Return the folder that holds the executables: the prefix, or `bin` below it.

        Args:
            uv: The file name of uv on this platform.
        """
        flat, below = self.prefix, self.prefix / "bin"
        layout = self.document.get("install_layout")
        if layout in {"cargo-home", "hierarchical"} and flat.name != "bin":
            return below
        if layout == "flat" or (flat / uv).exists() or not (below / uv).exists():
            return flat
        return below

    def is_about(self, uv: Path) -> bool:
        """Return whether a uv lies in the folder that this describes, once links are resolved."""
        return self.folder(uv.name).resolve() == uv.resolve().parent

    def updated(self, version: str) -> bytes:
        """Return the receipt's text for another version."""
        return (json.dumps({**self.document, "version": version}, indent=2) + "\n").encode()


def locate(environ: Mapping[str, str], *, windows: bool) -> Path:
    r"""Return where uv looks for its receipt: `AXOUPDATER_CONFIG_PATH` beats all other places.

    Without that: `$XDG_CONFIG_HOME/uv` if that folder exists, else `~/.config/uv`
    (Windows: `%LOCALAPPDATA%\uv`).
    """
    if override := environ.get("AXOUPDATER_CONFIG_PATH"):
        return Path(override, NAME)
    xdg = environ.get("XDG_CONFIG_HOME")
    if xdg and Path(xdg, "uv").is_dir():
        return Path(xdg, "uv", NAME)
    if windows:
        return Path(environ.get("LOCALAPPDATA", ""), "uv", NAME)
    home = environ.get("HOME") or str(Path.home())
    return Path(home, ".config", "uv", NAME)


def read(path: Path) -> Receipt:
    """Read a receipt.

    Raises:
        ReceiptError: There is none, or it is not a JSON object with an `install_prefix`.
    """
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise ReceiptError(path, error.strerror or str(error)) from error
    except ValueError as error:
        raise ReceiptError(path, f"it is not JSON: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("install_prefix"), str):
        raise ReceiptError(path, "it names no `install_prefix`")
    return Receipt(path=path, document=document)


def new_receipt(*, prefix: Path, version: str, executables: tuple[str, ...]) -> dict[str, Any]:
    """Return the receipt of a flat installation, as uv's own installer would leave it."""
    return {
        "binaries": list(executables),
        "binary_aliases": {},
        "cdylibs": [],
        "cstaticlibs": [],
        "install_layout": "flat",
        "install_prefix": str(prefix),
        "modify_path": False,
        "provider": {"source": "cargo-dist", "version": "0.31.0"},
        "source": {
            "app_name": "uv",
            "name": "uv",
            "owner": "astral-sh",
            "release_type": "github",
        },
        "version": version,
    }
