"""uv's `uv-receipt.json`: find, read and rewrite it.

uv updates itself only if this file, which its standalone installer writes, names the directory of
the running uv.
"""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uv_self_update.errors import ReceiptError
from uv_self_update.files import strerror
from uv_self_update.home import home_directory
from uv_self_update.values import field, frozen

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
"""The types that uv requires."""

_OVERRIDES = {"AXOUPDATER_CONFIG_PATH", "AXOUPDATER_CONFIG_WORKING_DIR"}

_EARLY = re.compile(r"0\.1[0-4]\.|0\.15\.0-prerelease\.[1-7]$")
"""The versions of cargo-dist that wrote `bin` itself as the prefix."""


Stamp = tuple[int, int, int, int, int]
"""Device, inode, bytes, and `st_mtime_ns` and `st_ctime_ns`: the same stamp, the same content."""

_COARSE = 3.0
"""Seconds: FAT tells times to two of them. A file that changed later may change unnoticed."""


@frozen
class Rewrite:
    """A file that changes together with uv: its receipt, or a copy of another uv's."""

    path: Path
    """With links resolved."""

    before: bytes | None
    """The present content; None if the file does not exist."""

    after: bytes | None
    """The new content; None if a release's own installer decides it."""

    stamp: Stamp | None = field(default=None, compare=False)
    """When `before` was read; None if unknown, so that the file is read again to compare it."""

    @property
    def expected(self) -> bool:
        """Whether the file has the old or the new content."""
        return self._has(self.before, self.after)

    @property
    def untouched(self) -> bool:
        """Whether the file has the old content."""
        return self._has(self.before)

    def _has(self, *contents: bytes | None) -> bool:
        try:
            if self.stamp is not None and self.stamp == _stamp(self.path.stat()):
                return True
            return self.path.read_bytes() in contents
        except FileNotFoundError:
            return None in contents
        except OSError:
            return False


@frozen
class Receipt:
    """A receipt and the file it was read from."""

    path: Path
    document: Mapping[str, Any]
    """The whole JSON object: unknown keys are kept."""

    content: bytes = field(repr=False)
    """What the file contained."""

    stamp: Stamp | None = field(default=None, compare=False)
    """When it contained that."""

    @property
    def prefix(self) -> Path:
        """The directory that uv was installed into, as the receipt names it."""
        return Path(self.document["install_prefix"])

    @property
    def root(self) -> Path:
        """The directory that uv compares with its own: the prefix, with links resolved.

        Early installers wrote the directory of the executables rather than its parent.
        """
        prefix = self.prefix.resolve()
        provider = self.document.get("provider")
        version = str(provider.get("version")) if isinstance(provider, dict) else ""
        return prefix.parent if prefix.name == "bin" and _EARLY.match(version) else prefix

    def folder(self, uv: str) -> Path:
        """Return the directory of the executables: the prefix, or `bin` below it.

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
        """Return whether a uv would accept this receipt as its own.

        uv's directory must be the prefix, or `bin` below it, whatever the layout.
        """
        root, folder = self.root, uv.resolve().parent
        if folder.name == "bin" and root.name != "bin":
            folder = folder.parent
        return folder == root

    def updated(self, version: str) -> bytes:
        """Return the receipt's text for another version."""
        return (json.dumps({**self.document, "version": version}, indent=2) + "\n").encode()

    def rewrite(self, version: str) -> Rewrite:
        """Return how it changes when uv becomes another version."""
        return Rewrite(
            path=self.path.resolve(),
            before=self.content,
            after=self.updated(version),
            stamp=self.stamp,
        )


def locate(environ: Mapping[str, str], *, windows: bool) -> Path:
    r"""Return the path of the receipt that uv reads, or would read if it existed.

    `AXOUPDATER_CONFIG_WORKING_DIR` (with any value) means the current directory, and
    `AXOUPDATER_CONFIG_PATH` names another; else the first existing one of `$XDG_CONFIG_HOME/uv`,
    which the earliest uvs ignore, and `~/.config/uv` (Windows: `%LOCALAPPDATA%\uv`). An empty
    variable counts as set, and means the current directory.

    Raises:
        ReceiptError: The user has no home directory.
    """
    if "AXOUPDATER_CONFIG_WORKING_DIR" in environ:
        return Path(NAME)
    override = environ.get("AXOUPDATER_CONFIG_PATH")
    if override is not None:
        return Path(override, NAME)
    places = list(_places(environ, windows=windows))
    if not places:
        raise ReceiptError(Path("~", ".config", "uv", NAME), "this user has no home directory")
    # A new one is not written into the current directory.
    lasting = [path for path in places if path.is_absolute()] or places
    return next((path for path in places if _exists(path)), lasting[0])


def place_of_new(environ: Mapping[str, str], *, windows: bool) -> Path | None:
    r"""Return where uv's installer would write a receipt; None for a user without a home.

    That is `$XDG_CONFIG_HOME/uv`, which is created, and only without that variable `~/.config/uv`
    (Windows: `%LOCALAPPDATA%\uv`), as in the scripts that dist 0.33.0 makes. A relative one is
    ignored. Where the variables of `locate` say where uv looks, it is there.
    """
    xdg = Path(environ.get("XDG_CONFIG_HOME", ""))
    if not _OVERRIDES.isdisjoint(environ) or not xdg.is_absolute():
        try:
            return locate(environ, windows=windows)
        except ReceiptError:
            return None
    return xdg / "uv" / NAME


def _places(environ: Mapping[str, str], *, windows: bool) -> Iterator[Path]:
    xdg = environ.get("XDG_CONFIG_HOME")
    if xdg is not None and _exists(Path(xdg, "uv")):
        yield Path(xdg, "uv", NAME)
    if windows:
        yield Path(environ.get("LOCALAPPDATA", ""), "uv", NAME)
    else:
        # uv takes an empty or a relative one as it is.
        home = Path(environ["HOME"]) if "HOME" in environ else home_directory(environ)
        if home is not None:
            yield home / ".config" / "uv" / NAME


def read(path: Path) -> Receipt:
    """Read a receipt.

    Raises:
        ReceiptError: It cannot be read, or is not a JSON object with an `install_prefix`.
    """
    try:
        with path.open("rb") as file:
            # Before the content: a change in between gives the file another stamp.
            stamp = _stamp(os.fstat(file.fileno()))
            content = file.read()
    except OSError as error:
        raise ReceiptError(path, strerror(error)) from error
    return parse(path, content, stamp)


def _stamp(status: os.stat_result) -> Stamp | None:
    """Return a file's stamp; None for a recent one, as git does with entries of its index."""
    if time.time() - max(status.st_mtime, status.st_ctime) < _COARSE:
        return None
    times = status.st_mtime_ns, status.st_ctime_ns
    return status.st_dev, status.st_ino, status.st_size, *times


def parse(path: Path, content: bytes, stamp: Stamp | None = None) -> Receipt:
    """Parse the content of a receipt.

    Raises:
        ReceiptError: It is not a JSON object with an `install_prefix`.
    """
    try:
        document = json.loads(content)
    except RecursionError:
        raise ReceiptError(path, "it is nested too deeply") from None
    except ValueError as error:
        raise ReceiptError(path, f"it is not JSON: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("install_prefix"), str):
        raise ReceiptError(path, "`install_prefix` is missing")
    for name, kind in _KINDS.items():
        if not isinstance(document.get(name, kind()), kind):
            raise ReceiptError(path, f"`{name}` has the wrong type")
    receipt = Receipt(path=path, document=document, content=content, stamp=stamp)
    try:
        receipt.root.stat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        pass  # moved, or another user's directory
    except (OSError, RuntimeError, ValueError) as error:  # an invalid path, or a loop of links
        raise ReceiptError(path, "its `install_prefix` is not a usable path") from error
    return receipt


def _exists(file: Path) -> bool:
    """Return whether a file exists; False if this user may not know."""
    try:
        return file.exists()
    except OSError:
        return False


def new_receipt(*, prefix: Path, version: str, executables: tuple[str, ...]) -> dict[str, Any]:
    """Return the receipt of a flat installation, as uv's own installer would write it."""
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
