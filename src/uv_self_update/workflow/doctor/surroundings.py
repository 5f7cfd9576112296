"""Checks of the user's variables and files that take part in an update, or that are ignored."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.config.exposure import is_exposed
from uv_self_update.config.load import load
from uv_self_update.errors import InvalidConfiguration
from uv_self_update.home import home_directory
from uv_self_update.uv import configuration
from uv_self_update.uv.environment import is_removed
from uv_self_update.workflow.doctor.finding import Finding, Repair, problem, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from uv_self_update.config.installers import InstallerChoice

_PRIVATE = 0o600
_DOWNLOADERS = {".curlrc": "curl", ".wgetrc": "wget"}
_EFFECTS: Mapping[str, str] = {
    "UV_OFFLINE": "plain `uv self update` does nothing with it",
    "UV_DISABLE_UPDATE": "the release's own installer writes no receipt with it",
    "UV_UNMANAGED_INSTALL": "the release's own installer writes no receipt with it",
    "UV_DOWNLOAD_URL": "the release's own installer downloads from there",
    "INSTALLER_DOWNLOAD_URL": "the release's own installer downloads from there",
    "UV_ASTRAL_MIRROR_URL": "plain `uv self update` downloads from there",
    "UV_GITHUB_TOKEN": "plain `uv self update` sends it to the server that it updates from",
}
"""Variable that uv does not get -> what it does without uv-self-update."""

_KEYS: Mapping[str, str] = {
    "exclude-newer": "an index hides newer releases of uv",
    "no-index": "uv uses no index",
    "offline": "uv uses no network",
}
"""Keys of uv.toml that change what an index gives -> how."""


def variables(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Report the variables that uv does not get, since they would lead it elsewhere."""
    for name in sorted(environ):
        if is_removed(name) and not name.startswith("SSL_"):
            effect = _EFFECTS.get(name.upper(), "plain `uv self update` and its installer use it")
            text = f"{name} is set, and is ignored here: {effect}"
            yield Finding(topic="environment", text=text)


def files_of_downloaders(environ: Mapping[str, str], choice: InstallerChoice) -> Iterator[Finding]:
    """Report the files with which curl or wget would download for a release's own installer."""
    home = home_directory(environ)
    for name, program in _DOWNLOADERS.items() if home is not None else ():
        if choice == "release" and (Path(home or "") / name).is_file():
            text = f"~/{name} is read by {program}, which the release's own installer runs"
            remedy = "Only its proxy is overridden. `--installer native` runs no downloader."
            yield warning("environment", text, remedy)


def uv_toml(environ: Mapping[str, str], *, index: bool) -> Iterator[Finding]:
    """Report unusable files of uv, and keys that change what its index gives."""
    for path in configuration.files(environ, windows=os.name == "nt"):
        try:
            table = configuration.load(path)
        except configuration.UnusableFile as unusable:
            yield Finding(
                topic="uv.toml",
                text=f"failed to read {path}: {unusable}",
                state="problem" if index else "warning",
                remedy=f"Correct it, or move it away: {path}",
                code=InvalidConfiguration.exit_code if index else 0,
            )
            continue
        for key, effect in _KEYS.items() if index else ():
            if table.get(key):
                yield warning("uv.toml", f"`{key}` in {path}: {effect}")


def files(paths: tuple[Path, ...]) -> Iterator[Finding]:
    """Report the configuration files, and those whose secrets others can read."""
    used = [path for path in paths if os.path.lexists(path)]
    for path in used:
        try:
            places = load(path).places
        except InvalidConfiguration as error:
            yield problem("configuration", error)
            continue
        if is_exposed(path, places):
            text = f"{path} contains a password or a token, and other users can read it"
            question = f"Make {path} readable for you only?"
            repair = Repair(question=question, run=partial(path.chmod, _PRIVATE))
            yield warning("configuration", text, f"Run `chmod 600 {path}`.", repair=repair)
        else:
            yield Finding(topic="configuration", text=f"{path} is valid")
    if not used:
        yield Finding(topic="configuration", text="there is no configuration file; none is needed")
