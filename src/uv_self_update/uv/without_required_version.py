"""uv's configuration without `required-version`, for a uv that is not the one required.

Such a uv refuses to do anything, so that it could not be asked for its index or for a login either;
and that is just the uv that has to be updated. No option and no variable makes it run with the rest
of its configuration, so it is handed a copy of that.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uv_self_update.errors import InvalidRequirement
from uv_self_update.uv import configuration as uv_toml
from uv_self_update.uv.executable import version_of
from uv_self_update.uv.required_version import KEY, permit, requirements

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from tempfile import TemporaryDirectory


class Unrequired:
    """The environment in which a uv runs, whatever version of it is required.

    The copy that this may need is there until it is closed, and nobody else can read it.
    """

    def __init__(self, uv: Path, environ: Mapping[str, str], folder: Path | None = None) -> None:
        """Make the copy if the uv would refuse to run; otherwise the environment stays as it is.

        Args:
            uv: The uv.
            environ: The user's environment.
            folder: Where to make it: a copy with logins in it should not outlive a run that was
                killed. None for where the system puts what is temporary.
        """
        self.environ = environ
        self._folder: TemporaryDirectory[str] | None = None
        paths = list(uv_toml.files(environ, windows=os.name == "nt"))
        if _refuses(uv, environ, paths):
            from tempfile import TemporaryDirectory  # noqa: PLC0415 # few get here

            self._folder = TemporaryDirectory(prefix="uv-self-update-", dir=folder)
            copy = Path(self._folder.name, "uv.toml")
            copy.write_text(_without_requirement(paths), encoding="utf-8")
            self.environ = {**environ, "UV_CONFIG_FILE": str(copy)}

    def close(self) -> None:
        """Remove the copy."""
        if self._folder is not None:
            self._folder.cleanup()


def _refuses(uv: Path, environ: Mapping[str, str], paths: Sequence[Path]) -> bool:
    try:
        required = requirements(paths)
    except InvalidRequirement:
        return False  # uv itself says what is wrong
    version = version_of(uv, environ) if required else None
    return version is not None and not permit(required, version)


def _without_requirement(paths: Sequence[Path]) -> str:
    import tomli_w  # noqa: PLC0415 # few get here

    table: Mapping[str, Any] = {}
    for path in paths:
        table = combined(table, uv_toml.load(path))
    return tomli_w.dumps({key: value for key, value in table.items() if key != KEY})


def combined(first: Mapping[str, Any], second: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return two configurations as the one that uv makes of them: the first wins, arrays join."""
    result = {**second, **first}
    for key in first.keys() & second.keys():
        match first[key], second[key]:
            case dict() as mine, dict() as other:
                result[key] = combined(mine, other)
            case list() as mine, list() as other:
                result[key] = [*mine, *other]
    return result
