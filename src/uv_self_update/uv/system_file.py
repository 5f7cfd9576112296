"""A system-level `uv.toml` for one run, which gives uv a proxy without a variable.

uv has the keys `http-proxy`, `https-proxy` and `no-proxy` from 0.9.23 on. Either proxy key makes it
ignore every proxy variable, so the file holds the user's other proxies as well. Programs that uv
starts keep the user's variables. Only `XDG_CONFIG_DIRS` changes, whose other directories follow: uv
reads the first system file that it finds, so what is in that one is copied.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from uv_self_update.temporary import private_directory
from uv_self_update.uv import configuration, workspace
from uv_self_update.uv.proxies import UvProxies

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

SINCE = (0, 9, 23)
"""The first uv that has the keys; an older one refuses a file with them."""

_DEFAULT = "/etc/xdg"
_NO_PROXY = "no-proxy"
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|/")


def usable(numbers: tuple[int, ...], environ: Mapping[str, str], directory: Path) -> bool:
    """Return whether a uv reads a system file, and nothing in its other files is in the way.

    Args:
        numbers: The numbers of uv's version; empty if it is not known.
        environ: The user's environment.
        directory: Where uv looks for a project.
    """
    if os.name == "nt" or numbers < SINCE:
        return False
    if environ.get("UV_CONFIG_FILE") or configuration.system_switched_off(environ):
        return False
    tables = workspace.tables(environ, directory, windows=False)
    if any(_NO_PROXY in table for _, table in tables):
        return False
    try:
        return not _is_relative(_system_table(environ))
    except configuration.UnusableFile:
        return False  # uv refuses it, and says so


@contextmanager
def system_file(
    environ: Mapping[str, str], proxy: str, hosts: Iterable[str], *, https: bool = False
) -> Iterator[dict[str, str]]:
    """Write the file, and yield an environment in which uv reads it; it is removed in the end.

    Args:
        environ: The user's environment.
        proxy: The URL of our proxy, with the secret of the run.
        hosts: The hosts that have to be asked through it.
        https: Whether https goes through it as well.

    Raises:
        OSError: There is no place for temporary files.
    """
    import tomli_w  # noqa: PLC0415 # only `exec` needs it here

    theirs = UvProxies.of(environ)
    table: dict[str, Any] = {**_system_table(environ), "http-proxy": proxy}
    exempt = [entry for entry in theirs.exempt_without(hosts) if entry != "*"]
    if https:
        table["https-proxy"] = proxy
    elif theirs.https is not None and "*" not in theirs.exempt:
        table["https-proxy"] = theirs.https
    if exempt:
        table[_NO_PROXY] = exempt
    with private_directory() as place:
        file = place / "uv" / "uv.toml"
        file.parent.mkdir(mode=0o700)
        file.touch(mode=0o600)
        file.write_text(tomli_w.dumps(table), encoding="utf-8")
        others = environ.get("XDG_CONFIG_DIRS") or _DEFAULT
        yield {**environ, "XDG_CONFIG_DIRS": f"{place}:{others}"}


def _system_table(environ: Mapping[str, str]) -> Mapping[str, object]:
    """Return what is in the system file that uv would read.

    Raises:
        UnusableFile: It cannot be read, or is not TOML.
    """
    *_, shared = configuration.places(environ, windows=False)
    found = next((path for path in shared if path.is_file()), None)
    return {} if found is None else configuration.load(found)


def _is_relative(table: Mapping[str, object]) -> bool:
    """Return whether a file holds paths, which uv reads relative to the file's own directory."""
    found: list[object] = [table.get("index-url"), table.get("cache-dir")]
    for key in ("extra-index-url", "find-links"):
        value = table.get(key)
        found += value if isinstance(value, list) else []
    indexes = table.get("index")
    for index in indexes if isinstance(indexes, list) else []:
        found.append(index.get("url") if isinstance(index, dict) else None)
    return any(isinstance(value, str) and not _URL.match(value) for value in found)
