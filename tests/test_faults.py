"""Real uvs, updated over bad lines and from bad servers, to a small one."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
from functools import cache
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors, release_installers
from support.faults import Faults, File
from support.missing import missing
from support.reliability.case import (
    ARCHIVE,
    LATEST,
    LISTING,
    SCRIPT,
    Case,
    Failed,
    Shelf,
    Updated,
)
from support.reliability.table import CASES, COMMAND, PAGE, renewed
from uv_self_update.uv.receipt import new_receipt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from support.homes import Home

_UV_FAILED = 2
"""What uv ends with when it could not be updated."""

START = "0.8.24"
_TIMEOUT = "10"  # seconds: long enough for a busy machine where nothing is meant to be slow
_RAN = "installer-ran"

EVERY = [case for cases in CASES.values() for case in cases]

FIRST = {cases[0].fault for cases in CASES.values()}
"""One case of each kind."""


def named(cases: list[Case], *, slow: Callable[[Case], bool]) -> list[object]:
    """Return cases with the fault as the test's name; those for which `slow` holds are marked."""
    return [
        pytest.param(case, id=case.fault, marks=[pytest.mark.slow] if slow(case) else [])
        for case in cases
    ]


@cache
def files(*, digests: bool) -> Mapping[str, File]:
    """Return a mirror of the newest uv, by path; its installer leaves a mark where it has run."""
    version = binaries.newest()
    # Without digests, not even the installer has one.
    plain = release_installers.script(
        version,
        checksums=None if digests else False,
        archive=binaries.archive(version, real=False),
    )
    script = plain.replace(b"\n", b'\n: >"$HOME/%b"\n' % _RAN.encode(), 1)
    document = mirrors.github_json(version, digests=digests)
    for asset in document["assets"]:
        if digests and asset["name"] == SCRIPT.removeprefix("/"):
            asset["digest"] = f"sha256:{hashlib.sha256(script).hexdigest()}"
    archive = binaries.archive(version, real=False)
    links = "".join(f'<a href="{name}">{name}</a>\n' for name in (archive.name, SCRIPT[1:]))
    in_folder = f"{LISTING}{version}/"
    archive_file, script_file = File(content=archive.read_bytes()), File(content=script)
    return {
        ARCHIVE: archive_file,
        SCRIPT: script_file,
        LATEST: File(content=json.dumps(document).encode()),
        LISTING: File(content=f'<a href="{version}/">{version}/</a>\n'.encode()),
        in_folder: File(content=links.encode()),
        f"{in_folder}{archive.name}": archive_file,
        f"{in_folder}{SCRIPT[1:]}": script_file,
    }


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the executables of an older uv."""
    folder = tmp_path_factory.mktemp("start") / "bin"
    shutil.copytree(binaries.executables(START), folder)
    return folder


@pytest.fixture
def installed(home: Home, start: Path, tmp_path: Path) -> Iterator[Home]:
    """Return a home with an older uv; it is large, and removed at once."""
    names = ("uv", "uvx")
    home.bin.mkdir(parents=True)
    for name in names:
        # Quicker than a copy; and installers do not write into files, but replace them.
        os.link(start / name, home.bin / name)
    home.receipt.parent.mkdir(parents=True)
    document = new_receipt(prefix=home.bin, version=START, executables=names)
    home.receipt.write_text(json.dumps(document))
    yield home
    shutil.rmtree(tmp_path)


def attempt(case: Case, installer: str, home: Home) -> None:
    """Update uv from a mirror with a fault, and look at what has become of it."""
    if ":" in case.host and not has_ipv6():
        missing("there is no IPv6 on loopback")
    end = binaries.newest()
    canary = home.path / _RAN
    # Where a login could help, uv is asked for one, and leaves a file in its store.
    store = home.path.with_name("store")
    environ = {"UV_SELF_UPDATE_TIMEOUT": _TIMEOUT, "UV_CREDENTIALS_DIR": str(store)}
    with Faults(host=case.host) as server, Faults(host=case.host, shut=True) as door:
        shelf = Shelf(server=server, door=door, files=files(digests=case.digests))
        server.answers |= shelf.files
        server.answers |= case.plan(shelf)
        home.configure(
            f'[[source]]\nkind = "listing"\nurl = "{server.url}{LISTING}"\n'
            if case.watched == LISTING
            else f'[[source]]\nkind = "urls"\nlatest = "{server.url}{LATEST}"\n'
            f'download = "{server.url}/{{asset}}?{{tag}}"\n'
        )
        before, rest = home.snapshot(), home.rest()

        done = home.run("--installer", installer, environ={**environ, **case.environ})

        got = server.got(case.watched)
    ran = canary.exists()
    canary.unlink(missing_ok=True)
    outcome = case.outcome
    match outcome:
        case Failed(words=words):
            assert done.code == _UV_FAILED, done.err
            assert words in done.err
            assert home.snapshot() == before
            assert not (ran and case.watched != ARCHIVE)
        case Updated(how=how):
            assert done.code == 0, done.err
            assert (home.version(), home.receipt_version()) == (end, end)
            assert home.uv.read_bytes() == (binaries.scripts(end) / "uv").read_bytes()
            assert home.rest() == rest
            assert ran == (installer == "release")
            asked, reply = got[-1]
            assert ("range" in asked.headers and reply.status != 200) == (how == "the rest")
            assert how != "again" or len(got) > 1
    assert len(got) == outcome.requests or outcome.requests is None


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "case",
    named([case for case in EVERY if case.watched != SCRIPT], slow=lambda case: case.slow),
)
def test_fault_does_no_harm_with_our_installer(case: Case, installed: Home) -> None:
    """Our own installer gets the right bytes in spite of a fault, or says why it cannot."""
    attempt(case, "native", installed)


@pytest.mark.sampled(10)
@pytest.mark.parametrize(
    "case",
    named(
        [case for case in EVERY if case.watched in {ARCHIVE, SCRIPT}],
        slow=lambda case: case.watched == ARCHIVE and case.fault not in FIRST,
    ),
)
def test_fault_does_no_harm_with_the_release_installer(case: Case, installed: Home) -> None:
    """A release's installer, which fetches with curl, gets the right bytes or none."""
    attempt(case, "release", installed)


def test_page_shows_the_outcomes() -> None:
    """The table for users is made of the cases, and is not older than they are."""
    page = PAGE.read_text(encoding="utf-8")

    assert page == renewed(page), f"write the table anew: {COMMAND}"


@cache
def has_ipv6() -> bool:
    """Return whether there is an IPv6 address to listen on."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False
