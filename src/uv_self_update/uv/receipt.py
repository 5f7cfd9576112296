"""uv's `uv-receipt.json`: where it lies, what it says, how it is rewritten.

uv updates itself only if this file, which its standalone installer leaves behind, names the folder
that the running uv lies in.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uv_self_update.errors import ReceiptError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


NAME = "uv-receipt.json"

_KINDS: Mapping[str, type] = {
    "binaries": list,
    "install_layout": str,
    "provider": dict,
    "source": dict,
    "version": str,
}
"""What uv cannot read otherwise."""

_EARLY = re.compile(r"0\.1[0-4]\.|0\.15\.0-prerelease\.[1-7]$")
"""The versions of the installer's maker that named `bin` itself as the prefix."""


@dataclass(frozen=True, kw_only=True)
class Rewrite:
    """A file that changes together with uv: its receipt, or what is kept of another's."""

    path: Path
    """Links are resolved already."""

    before: bytes | None
    """What is in it; None where there is no such file."""

    after: bytes | None
    """What will be; None for whatever another's installer writes."""

    @property
    def meant(self) -> bool:
        """Whether what is in the file now is what it was, or what it will be."""
        try:
            now: bytes | None = self.path.read_bytes()
        except FileNotFoundError:
            now = None
        except OSError:
            return False
        return now in {self.before, self.after}


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

    @property
    def root(self) -> Path:
        """The folder that uv compares with its own: the prefix, once links are resolved.

        Early installers wrote the folder of the executables where the one above was meant.
        """
        prefix = self.prefix.resolve()
        provider = self.document.get("provider")
        version = str(provider.get("version")) if isinstance(provider, dict) else ""
        return prefix.parent if prefix.name == "bin" and _EARLY.match(version) else prefix

    def folder(self, uv: str) -> Path:
        """Return the folder that holds the executables: the prefix, or `bin` below it.

        Args:
            uv: The file name of uv on this platform.
        """
        flat, below = self.prefix, self.prefix / "bin"
        if flat.resolve().name == "bin":
            return flat
        layered = self.document.get("install_layout") in {"cargo-home", "hierarchical"}
        first, second = (below, flat) if layered else (flat, below)
        return second if _exists(second / uv) and not _exists(first / uv) else first

    def is_about(self, uv: Path) -> bool:
        """Return whether a uv would say that this receipt is its own.

        It lies in the folder that this names, or in `bin` below it, whatever the layout.
        """
        root, folder = self.root, uv.resolve().parent
        if folder.name == "bin" and root.name != "bin":
            folder = folder.parent
        return folder == root

    def updated(self, version: str) -> bytes:
        """Return the receipt's text for another version."""
        return (json.dumps({**self.document, "version": version}, indent=2) + "\n").encode()

    def rewrite(self, version: str) -> Rewrite:
        """Return how it changes when uv becomes another version.

        Raises:
            OSError: It cannot be read any more.
        """
        path = self.path.resolve()
        return Rewrite(path=path, before=path.read_bytes(), after=self.updated(version))


def locate(environ: Mapping[str, str], *, windows: bool) -> Path:
    r"""Return the receipt that uv reads, or would read if there were one.

    `AXOUPDATER_CONFIG_WORKING_DIR` (set to anything) names the current folder, and
    `AXOUPDATER_CONFIG_PATH` another; else the first of these that there is: that of
    `$XDG_CONFIG_HOME/uv`, which the earliest uvs do not know of, and that of `~/.config/uv`
    (Windows: `%LOCALAPPDATA%\uv`). What is empty counts as set, and is the current folder.
    """
    if "AXOUPDATER_CONFIG_WORKING_DIR" in environ:
        return Path(NAME)
    override = environ.get("AXOUPDATER_CONFIG_PATH")
    if override is not None:
        return Path(override, NAME)
    places = list(_places(environ, windows=windows))
    # A new one does not belong into whatever folder this is run in.
    lasting = [path for path in places if path.is_absolute()] or places
    return next((path for path in places if path.exists()), lasting[0])


def _places(environ: Mapping[str, str], *, windows: bool) -> Iterator[Path]:
    xdg = environ.get("XDG_CONFIG_HOME")
    if xdg is not None and Path(xdg, "uv").exists():
        yield Path(xdg, "uv", NAME)
    if windows:
        yield Path(environ.get("LOCALAPPDATA", ""), "uv", NAME)
    else:
        home = environ.get("HOME")
        yield Path(Path.home() if home is None else home, ".config", "uv", NAME)


def read(path: Path) -> Receipt:
    """Read a receipt.

    Raises:
        ReceiptError: There is none, or it is not a JSON object with an `install_prefix`.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ReceiptError(path, error.strerror or str(error)) from error
    return parse(path, content)


def parse(path: Path, content: bytes) -> Receipt:
    """Understand what was read from a receipt.

    Raises:
        ReceiptError: It is not a JSON object with an `install_prefix`.
    """
    try:
        document = json.loads(content)
    except RecursionError:
        raise ReceiptError(path, "it is not JSON that anybody can read") from None
    except ValueError as error:
        raise ReceiptError(path, f"it is not JSON: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("install_prefix"), str):
        raise ReceiptError(path, "it names no `install_prefix`")
    for name, kind in _KINDS.items():
        if not isinstance(document.get(name, kind()), kind):
            raise ReceiptError(path, f"its `{name}` is not what uv has there")
    receipt = Receipt(path=path, document=document)
    try:
        receipt.root.exists()
    except PermissionError:
        pass  # somebody else's: that it names a folder is enough
    except (OSError, RuntimeError, ValueError) as error:  # no path, or links in a circle
        raise ReceiptError(path, "its `install_prefix` leads nowhere") from error
    return receipt


def _exists(file: Path) -> bool:
    """Return whether there is a file, as far as we may know."""
    try:
        return file.exists()
    except OSError:
        return False


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
