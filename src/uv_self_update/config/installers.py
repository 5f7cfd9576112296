"""Who puts a new uv in place; light, since the options of the command line name them as well."""

from __future__ import annotations

from typing import Literal

InstallerChoice = Literal["auto", "release", "native"]

INSTALLERS: tuple[InstallerChoice, ...] = ("auto", "release", "native")
