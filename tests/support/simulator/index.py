"""A package index: a plain page, and wheels that hold a tiny program in place of uv."""

from __future__ import annotations

import hashlib
import io
import zipfile
from base64 import urlsafe_b64encode
from functools import cache
from typing import TYPE_CHECKING

from support.catalogue import script
from support.simulator.dialect import Dialect, Stored, encoded, html, redirect
from support.web import Page
from uv_self_update import platforms

if TYPE_CHECKING:
    from support.catalogue import Published
    from support.simulator.dialect import Call


class Index(Dialect):
    """A page of links (PEP 503) with digests."""

    kind = "index"

    @property
    def place(self) -> str:
        """The root of the simple API."""
        return encoded((*self.setup.before, *self.setup.below, "simple"))

    def answer(self, call: Call) -> Page:
        """Return the page of uv, or a wheel."""
        wheels = {_wheel_name(release): release for release in self.catalogue.stored}
        below = len(self.setup.below)
        if call.path[:below] != self.setup.below:
            return Page(status=404)
        match call.path[below:]:
            case ("simple", "uv") if call.slash:
                return self._page(wheels)
            case ("simple", "uv"):
                return redirect(f"{call.root}{encoded(call.path)}/", 301)
            case ("wheels", name) if name in wheels and not call.slash:
                body = _wheel(wheels[name].version, changed=_changed(wheels[name]))
                return Stored(body=body, headers={"Content-Type": "application/zip"}, name=name)
            case _:
                return Page(status=404)

    def _page(self, wheels: dict[str, Published]) -> Page:
        links = "".join(
            f'<a href="../../wheels/{name}#sha256={_sha256(release.version)}">{name}</a><br/>\n'
            for name, release in wheels.items()
        )
        return html(f"<!DOCTYPE html><html><body><h1>Links for uv</h1>{links}</body></html>")


def _wheel_name(release: Published) -> str:
    """Return the name: a wheel for this machine, or for another where that archive is missing."""
    names = {file.name for file in release.files}
    tag = "any" if platforms.current().archive in names else "win_arm64"
    return f"uv-{release.version}-py3-none-{tag}.whl"


def _sha256(version: str) -> str:
    return hashlib.sha256(_wheel(version)).hexdigest()


def _changed(release: Published) -> bool:
    return any(hashlib.sha256(file.content).hexdigest() != file.sha256 for file in release.files)


@cache
def _wheel(version: str, *, changed: bool = False) -> bytes:
    info = f"uv-{version}.dist-info"
    members = {
        f"uv-{version}.data/scripts/uv": script(f"{version} changed" if changed else version),
        f"uv-{version}.data/scripts/uvx": script(version),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: uv\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: false\n"
        b"Tag: py3-none-any\n",
    }
    lines = [f"{name},sha256={_record(data)},{len(data)}" for name, data in members.items()]
    members[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,", ""]).encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for name, data in members.items():
            packed.writestr(zipfile.ZipInfo(name), data)
    return made.getvalue()


def _record(data: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
