"""Releases for Windows, as the sources offer them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from support.mirrors import sha256
from support.web import Page
from windows import parts
from windows.machine import windows
from windows.parts import REAL

if TYPE_CHECKING:
    from pathlib import Path

    from support.web import Web
    from windows.machine import Machine


def directory(machine: Machine, *versions: str, name: str = "mirror") -> str:
    """Put releases into a directory of a home, and return it as a source."""
    place = machine.path / name
    _fill(place, versions)
    return f"directory+{windows(place)}"


def listing(web: Web, *versions: str) -> str:
    """Serve releases as a web server lists them, and return it as a source."""
    html = {"Content-Type": "text/html"}
    links = "".join(f'<a href="{version}/">{version}/</a>' for version in versions)
    web.pages["/mirror/"] = Page(body=f"<!DOCTYPE html>{links}".encode(), headers=html)
    for version in versions:
        archive = parts.archive(version)
        link = f'<!DOCTYPE html><a href="{archive.name}">{archive.name}</a>'
        web.pages[f"/mirror/{version}/"] = Page(body=link.encode(), headers=html)
        web.pages[f"/mirror/{version}/{archive.name}"] = Page(body=archive)
    return f"listing+{web.url}/mirror/"


def index(web: Web, *versions: str) -> dict[str, str]:
    """Serve uv's own wheels as a package index, and return the variables that name it."""
    wheels = [parts.wheel(version) for version in versions]
    links = "".join(
        f'<a href="/wheels/{wheel.name}#sha256={sha256(wheel)}">{wheel.name}</a>'
        for wheel in wheels
    )
    html = {"Content-Type": "text/html"}
    web.pages["/simple/uv/"] = Page(body=f"<!DOCTYPE html>{links}".encode(), headers=html)
    web.pages |= {f"/wheels/{wheel.name}": Page(body=wheel) for wheel in wheels}
    return {"UV_DEFAULT_INDEX": f"{web.url}/simple"}


def _fill(place: Path, versions: tuple[str, ...]) -> None:
    for version in versions:
        (place / version).mkdir(parents=True)
        archive = parts.archive(version)
        if REAL:  # the temporary directory may be on another disk
            shutil.copyfile(archive, place / version / archive.name)
        else:
            (place / version / archive.name).hardlink_to(archive)
