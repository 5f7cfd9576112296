"""uv's receipt is found and judged as real uvs find and judge it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import binaries
from support.homes import base_environment
from uv_self_update.uv.receipt import NAME, locate, new_receipt, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.web import Web

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it is about Unix's places")

VERSIONS = ("0.5.0", "0.5.31", "0.8.24", "newest")
WITHOUT_XDG = "0.5.0"
"""It looks into `~/.config` only."""

OWN, OTHER, BROKEN, FOLDER, DANGLING = "own", "other", "broken", "folder", "dangling"


@dataclass(frozen=True, kw_only=True)
class Case:
    """Variables, and the receipts that there are; `{root}` is the folder that all lies in."""

    environ: Mapping[str, str | None] = field(default_factory=dict)
    """None for a variable that is not set."""

    receipts: Mapping[str, str] = field(default_factory=dict)
    """Folder -> what the receipt in it is."""

    folders: tuple[str, ...] = ()


HOME, XDG = "home/.config/uv", "xdg/uv"
SET = {"XDG_CONFIG_HOME": "{root}/xdg"}
AXO = {"AXOUPDATER_CONFIG_PATH": "{root}/axo"}

CASES = {
    "home": Case(receipts={HOME: OWN}),
    "home, about another": Case(receipts={HOME: OTHER}),
    "nothing": Case(),
    "HOME is another": Case(environ={"HOME": "{root}/you"}, receipts={"you/.config/uv": OWN}),
    "HOME is relative": Case(environ={"HOME": "../you"}, receipts={"you/.config/uv": OWN}),
    "HOME is empty": Case(environ={"HOME": ""}, receipts={"cwd/.config/uv": OWN, HOME: OTHER}),
    "XDG": Case(environ=SET, receipts={XDG: OWN}),
    "XDG before home": Case(environ=SET, receipts={XDG: OWN, HOME: OTHER}),
    "XDG about another": Case(environ=SET, receipts={XDG: OTHER, HOME: OWN}),
    "XDG broken": Case(environ=SET, receipts={XDG: BROKEN, HOME: OWN}),
    "XDG a folder": Case(environ=SET, receipts={XDG: FOLDER, HOME: OWN}),
    "XDG a dangling link": Case(environ=SET, receipts={XDG: DANGLING, HOME: OWN}),
    "XDG without a receipt": Case(environ=SET, receipts={HOME: OWN}, folders=(XDG,)),
    "XDG without uv": Case(environ=SET, receipts={HOME: OWN}, folders=("xdg",)),
    "XDG not there": Case(environ=SET, receipts={HOME: OWN}),
    "XDG relative": Case(
        environ={"XDG_CONFIG_HOME": "rel"}, receipts={"cwd/rel/uv": OWN, HOME: OTHER}
    ),
    "XDG empty": Case(environ={"XDG_CONFIG_HOME": ""}, receipts={"cwd/uv": OWN, HOME: OTHER}),
    "XDG empty, home": Case(environ={"XDG_CONFIG_HOME": ""}, receipts={HOME: OWN}),
    "path": Case(environ=AXO, receipts={"axo": OWN, HOME: OTHER}),
    "path without a receipt": Case(environ=AXO, receipts={HOME: OWN}),
    "path before XDG": Case(environ={**SET, **AXO}, receipts={"axo": OTHER, XDG: OWN}),
    "path relative": Case(
        environ={"AXOUPDATER_CONFIG_PATH": "axo"}, receipts={"cwd/axo": OWN, HOME: OTHER}
    ),
    "path empty": Case(environ={"AXOUPDATER_CONFIG_PATH": ""}, receipts={"cwd": OWN, HOME: OTHER}),
    "path with a tilde": Case(
        environ={"AXOUPDATER_CONFIG_PATH": "~/axo"}, receipts={"home/axo": OWN}
    ),
    "current folder": Case(
        environ={"AXOUPDATER_CONFIG_WORKING_DIR": "1"}, receipts={"cwd": OWN, HOME: OTHER}
    ),
    "current folder, empty": Case(
        environ={"AXOUPDATER_CONFIG_WORKING_DIR": ""}, receipts={"cwd": OWN, HOME: OTHER}
    ),
    "current folder before path": Case(
        environ={"AXOUPDATER_CONFIG_WORKING_DIR": "0", **AXO}, receipts={"cwd": OTHER, "axo": OWN}
    ),
}


def accepts(uv: Path, environ: Mapping[str, str], cwd: Path, web: Web) -> bool:
    """Return whether a uv takes itself for one that may be updated: then it asks the server."""
    before = len(web.asked)
    subprocess.run(
        [uv, "self", "update"],
        env={
            **base_environment(),
            "HOME": str(cwd),
            "UV_CACHE_DIR": str(uv.parent / "cache"),
            "UV_INSTALLER_GHE_BASE_URL": f"{web.url}/",
            "UV_NO_CONFIG": "1",
            **environ,
        },
        cwd=cwd,
        capture_output=True,
        check=False,
        timeout=60,
    )
    return len(web.asked) > before


def lay(uv: Path, version: str) -> None:
    """Put a real uv somewhere; a link would be resolved."""
    uv.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(binaries.executables(binaries.version(version)) / "uv", uv)


def receipt(prefix: Path | str, **changes: object) -> str:
    """Return a receipt's text."""
    made = new_receipt(prefix=Path("/"), version="0.5.0", executables=("uv", "uvx"))
    return json.dumps({**made, "install_prefix": str(prefix), **changes})


def put(folder: Path, kind: str, prefix: Path) -> None:
    """Put a receipt of a kind into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    if kind == FOLDER:
        path.mkdir()
    elif kind == DANGLING:
        path.symlink_to(folder / "gone")
    else:
        texts = {OWN: receipt(prefix), OTHER: receipt("/nowhere"), BROKEN: "{"}
        path.write_text(texts[kind])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", CASES)
def test_located_as_uv_does(
    name: str, version: str, tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A uv takes itself for updatable just if the receipt that is located is there and its own."""
    case, uv = CASES[name], tmp_path / "tools" / "uv"
    lay(uv, version)
    for folder in ("cwd", "home", *case.folders):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    for folder, kind in case.receipts.items():
        put(tmp_path / folder, kind, uv.parent)
    environ = {
        key: value.format(root=tmp_path)
        for key, value in {"HOME": "{root}/home", **case.environ}.items()
        if value is not None
    }
    monkeypatch.chdir(tmp_path / "cwd")
    known = dict(environ)
    if version == WITHOUT_XDG:
        known.pop("XDG_CONFIG_HOME", None)

    located = locate(known, windows=False)

    own = located.is_file() and OWN in case.receipts.values() and located.read_text() != "{"
    judged = own and read(located).is_about(uv)
    assert accepts(uv, environ, tmp_path / "cwd", web) == judged


LAYOUTS = {
    "flat": ("flat", "p", "p/uv", "0.31.0"),
    "flat, but in bin": ("flat", "p", "p/bin/uv", "0.31.0"),
    "flat bin": ("flat", "p/bin", "p/bin/uv", "0.31.0"),
    "above bin": ("flat", "p/bin", "p/uv", "0.31.0"),
    "bin in bin": ("flat", "p/bin", "p/bin/bin/uv", "0.31.0"),
    "cargo-home": ("cargo-home", "p", "p/bin/uv", "0.31.0"),
    "cargo-home, but flat": ("cargo-home", "p", "p/uv", "0.31.0"),
    "cargo-home, early": ("cargo-home", "p/bin", "p/bin/uv", "0.13.0"),
    "cargo-home, early, above": ("cargo-home", "p/bin", "p/uv", "0.13.0"),
    "no longer early": ("cargo-home", "p/bin", "p/uv", "0.15.0"),
    "hierarchical": ("hierarchical", "p", "p/bin/uv", "0.31.0"),
    "a slash at the end": ("flat", "p/", "p/uv", "0.31.0"),
    "bin and a slash": ("flat", "p/bin/", "p/bin/uv", "0.31.0"),
    "up and down": ("flat", "p/../p", "p/uv", "0.31.0"),
    "another": ("flat", "q", "p/uv", "0.31.0"),
    "below bin": ("flat", "p", "p/lib/uv", "0.31.0"),
    "gone": ("flat", "gone", "p/uv", "0.31.0"),
    "a link to the prefix": ("flat", "link-to-p", "p/uv", "0.31.0"),
    "a link to bin": ("flat", "link-to-bin", "p/bin/uv", "0.31.0"),
    "bin is a link": ("flat", "q/bin", "p/uv", "0.31.0"),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", LAYOUTS)
def test_judged_as_uv_does(name: str, version: str, tmp_path: Path, web: Web) -> None:
    """A receipt is a uv's own just if the uv says so, and then names the folder it lies in."""
    layout, prefix, place, made_by = LAYOUTS[name]
    uv = tmp_path / place
    lay(uv, version)
    (tmp_path / "q").mkdir()
    (tmp_path / "q" / "bin").symlink_to(tmp_path / "p")
    (tmp_path / "link-to-p").symlink_to(tmp_path / "p")
    (tmp_path / "link-to-bin").symlink_to(tmp_path / "p" / "bin")
    path = tmp_path / NAME
    provider = {"source": "cargo-dist", "version": made_by}
    text = receipt(f"{tmp_path}/{prefix}", install_layout=layout, provider=provider)
    path.write_text(text)
    environ = {"AXOUPDATER_CONFIG_PATH": str(tmp_path)}

    found = read(path)

    assert accepts(uv, environ, tmp_path, web) == found.is_about(uv)
    if found.is_about(uv) and name != "cargo-home, early, above":
        assert found.folder("uv").resolve() == uv.parent


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("link", ["the uv", "the folder"])
def test_links_are_resolved(version: str, link: str, tmp_path: Path, web: Web) -> None:
    """A uv that is reached through a link is judged by where it really lies."""
    uv = tmp_path / "real" / "bin" / "uv"
    lay(uv, version)
    (tmp_path / "linked").mkdir()
    if link == "the uv":
        called = tmp_path / "linked" / "uv"
        called.symlink_to(uv)
    else:
        (tmp_path / "linked" / "bin").symlink_to(uv.parent)
        called = tmp_path / "linked" / "bin" / "uv"
    judged = {}
    for prefix in ("real/bin", "real", "linked/bin", "linked"):
        folder = tmp_path / "config" / prefix
        folder.mkdir(parents=True, exist_ok=True)
        (folder / NAME).write_text(receipt(tmp_path / prefix))
        judged[prefix] = read(folder / NAME).is_about(called)
        environ = {"AXOUPDATER_CONFIG_PATH": str(folder)}
        assert accepts(called, environ, tmp_path, web) == judged[prefix], prefix

    assert judged["real/bin"]
    assert judged["real"]
    assert judged["linked/bin"] == (link == "the folder")
    assert not judged["linked"]
