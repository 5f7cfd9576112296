"""`--check`: whether there is something to do, without doing it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.web import Page
from uv_self_update.workflow.check import UPDATE_DUE, Verdict

if TYPE_CHECKING:
    from support.homes import Home
    from support.web import Web

PUBLISHED = "2025-10-07T20:24:46Z"


def verdict(installed: str, newest: str, target: str | None = None) -> Verdict:
    """Return what is said of two versions."""
    return Verdict(
        uv=Path("/bin/uv"),
        installed=installed,
        target=target,
        newest=newest,
        published=None,
        source="the mirror",
        outside=None,
        owner=None,
    )


@pytest.mark.parametrize(
    ("installed", "newest", "target", "due"),
    [
        ("0.12.3", "0.12.3", None, False),
        ("0.12.3", "0.12.4", None, True),
        ("0.9.30", "0.12.3", None, True),
        ("0.12.3", "0.9.30", None, False),
        ("0.13.0rc1", "0.13.0", None, True),
        ("0.13.0", "0.13.0rc1", None, False),
        ("0.12.3", "0.12.3", "0.12.3", False),
        ("0.12.3", "0.12.4", "0.12", True),
        ("0.12.3", "0.9.30", "0.9", True),
        ("0.12.3", "0.12.2", "<0.12.3", True),
        ("0.12.3", "0.12.3", ">=0.1", False),
    ],
)
def test_due(installed: str, newest: str, target: str | None, *, due: bool) -> None:
    """Without TARGET an update only goes upwards; with TARGET it goes either way."""
    found = verdict(installed, newest, target)

    assert found.due is due
    assert found.exit_code == (UPDATE_DUE if due else 0)


@pytest.mark.parametrize(
    ("installed", "newest", "target", "said"),
    [
        ("1.0", "2.0", None, "uv 2.0 can be had from the mirror; uv 1.0 is installed"),
        ("2.0", "1.0", "1.0", "uv 1.0 can be had from the mirror; uv 2.0 is installed"),
        ("2.0", "2.0", None, "uv 2.0 is installed, and nothing newer can be had"),
        ("2.0", "1.0", None, "uv 2.0 is installed, and nothing newer can be had"),
        ("1.0", "1.0", "<2", "uv 1.0 is installed, and that is what was asked for"),
    ],
)
def test_sentence(installed: str, newest: str, target: str | None, said: str) -> None:
    """What is due is said in one sentence."""
    assert str(verdict(installed, newest, target)) == said


def test_code_is_none_of_a_failure() -> None:
    """The code is the one that is documented."""
    assert UPDATE_DUE == 11


@pytest.fixture
def source(home: Home, web: Web) -> str:
    """Configure a mirror with three versions, and return what it is called."""
    web.pages |= mirrors.github_pages(["0.11.13", "0.8.24", "0.5.31"])
    home.environ["UV_SELF_UPDATE_SOURCE"] = f"github+{web.url}/astral-sh/uv"
    return f"{web.url}/astral-sh/uv"


@pytest.mark.parametrize(
    ("installed", "arguments", "code", "said"),
    [
        ("0.8.24", "", 11, "uv 0.11.13 can be had from {}; uv 0.8.24 is installed"),
        ("0.11.13", "", 0, "uv 0.11.13 is installed, and nothing newer can be had"),
        ("0.11.13", "0.8", 11, "uv 0.8.24 can be had from {}; uv 0.11.13 is installed"),
        ("0.8.24", "<0.11", 0, "uv 0.8.24 is installed, and that is what was asked for"),
        ("0.8.24", "0.8.24 -v", 0, "uv 0.8.24 is installed, and that is what was asked for"),
        ("0.8.24", "-q", 11, ""),
        ("0.8.24", "-qq --json", 11, ""),
        ("0.11.13", "--quiet", 0, ""),
        (
            "0.8.24",
            "--adopt --color never",
            11,
            "uv 0.11.13 can be had from {}; uv 0.8.24 is installed",
        ),
    ],
)
def test_real_uv(
    installed: str, arguments: str, code: int, said: str, home: Home, source: str
) -> None:
    """One line and the exit code tell what an update would do; nothing is changed."""
    home.install(installed)
    before = home.snapshot()

    done = home.run("--check", *arguments.split())

    assert (done.code, done.out.count("\n")) == (code, bool(said))
    assert done.out.removesuffix("\n") == said.format(source)
    assert done.err == "" or "-v" in arguments
    assert home.snapshot() == before


@pytest.mark.parametrize(("installed", "due"), [("0.5.31", True), ("0.11.13", False)])
def test_json(installed: str, home: Home, web: Web, source: str, *, due: bool) -> None:
    """`--json` prints one object, with the date where the source has it."""
    home.install(installed)
    api = "/api/v3/repos/astral-sh/uv/releases"
    document = mirrors.github_json("0.11.13") | {"published_at": PUBLISHED}
    web.pages[api] = Page(body=json.dumps([document]).encode())

    done = home.run("--json", "--check")

    assert done.out.count("\n") == 1
    assert json.loads(done.out) == {
        "installed": installed,
        "newest": "0.11.13",
        "due": due,
        "source": source,
        "published": PUBLISHED,
        "uv": str(home.uv),
        "rule": None,
        "rule_origin": None,
        "owner": None,
    }
    assert (done.code, done.err) == (UPDATE_DUE if due else 0, "")


def test_neither_receipt_nor_gateway(home: Home, web: Web, source: str) -> None:
    """A uv without a receipt is looked at as well, and is not told to update itself."""
    home.bin.mkdir(parents=True)
    told = home.path / "told"
    home.uv.write_text(f'#!/bin/sh\necho "$@" >> "{told}"\necho uv 0.8.24\n')
    home.uv.chmod(0o755)

    done = home.run("--check")

    assert done.out == f"uv 0.11.13 can be had from {source}; uv 0.8.24 is installed\n"
    assert told.read_text() == "--version\n"
    assert not [path for path in web.paths() if "/download/" in path]


def test_from_the_index(home: Home, web: Web) -> None:
    """An index is asked through uv itself, and gives no date."""
    start, end = binaries.newest_but_one(), binaries.newest()
    home.install(start)
    web.pages |= mirrors.index_pages([end, start])
    before = home.snapshot()

    done = home.run("--check", "--json", "--source", f"index+{web.url}/simple/")

    found = json.loads(done.out)
    assert (found["installed"], found["newest"], found["published"]) == (start, end, None)
    assert done.code == UPDATE_DUE
    assert home.snapshot() == before


@pytest.mark.usefixtures("source")
def test_policy_is_obeyed(home: Home) -> None:
    """What the policy hides is not due, and refused with its own code if it is asked for."""
    home.install("0.8.24")
    home.configure('[policy]\nversions = "<0.11"\n')

    newest, named = home.run("--check", "-q"), home.run("--check", "0.11.13")

    assert newest.code == 0
    assert (named.code, named.out) == (7, "")
    assert "0.11.13" in named.err


@pytest.mark.parametrize(
    ("policy", "rule", "reason"),
    [
        ('versions = "<0.11"', 'policy.versions = "<0.11"', "it is out of range"),
        (
            'approved = "list.txt"',
            'policy.approved = "{}"',
            "it is not among the approved versions",
        ),
    ],
)
@pytest.mark.usefixtures("source")
def test_installed_version_outside_the_policy(
    home: Home, policy: str, rule: str, reason: str
) -> None:
    """Where the policy hides the version that is installed, it is said beside the one line."""
    home.install("0.11.13")
    home.configure(f"[policy]\n{policy}\n")
    listing = home.config.with_name("list.txt")
    listing.write_text("0.8.24\n")

    said, as_json = home.run("--check"), home.run("--check", "--json")
    named = home.run("--check", "0.8")

    assert said.out == "uv 0.11.13 is installed, and nothing newer can be had\n"
    hidden = f"warning: uv 0.11.13 is hidden by the policy: {reason}, and policy."
    last = said.err.splitlines()[-1]
    assert last.startswith(hidden)
    assert f" in {home.config} is " in last
    document = json.loads(as_json.out)
    assert document["rule"] == rule.format(listing)
    assert document["rule_origin"] == str(home.config)
    assert "warning" not in as_json.err
    assert (said.code, as_json.code, named.code) == (0, 0, UPDATE_DUE)
    assert (named.out.count("\n"), named.err.splitlines()[-1]) == (1, last)


@pytest.mark.parametrize("installed", ["0.8.24", "0.11.13"])
def test_uv_of_a_package_manager(home: Home, source: str, installed: str) -> None:
    """A uv that an update would refuse, since it is a package manager's, is due all the same.

    It is said who updates it, if it is due; one that has a receipt is updated by itself.
    """
    home.install(installed)
    (home.bin.parent / "pyvenv.cfg").touch()
    due = installed == "0.8.24"
    place = f"the virtual environment {home.bin.parent}"
    first = f"uv 0.11.13 can be had from {source}; uv 0.8.24 is installed\n"
    owned = (
        f"warning: {home.uv} belongs to {place}. "
        f"Update it with `{home.bin}/python -m pip install --upgrade uv`.\n"
    )

    with_receipt = home.run("--check")
    home.receipt.unlink()
    without, as_json = home.run("--check"), home.run("--check", "--json")

    assert [done.code for done in (with_receipt, without, as_json)] == [UPDATE_DUE * due] * 3
    assert (with_receipt.out.count("\n"), with_receipt.err) == (1, "")
    assert without.out == (first if due else with_receipt.out)
    assert without.err == owned * due
    assert json.loads(as_json.out)["owner"] == place


@pytest.mark.parametrize("flag", ["--json", "-v"])
def test_failures_keep_their_codes(flag: str, home: Home, web: Web, source: str) -> None:
    """What cannot be found out is the error that it always is, and nothing stands on stdout."""
    home.install("0.8.24")
    nothing = home.run("--check", flag, "0.7")
    nowhere = home.run("--check", flag, "--source", f"{web.url}/none/")
    no_uv = home.run("--check", flag, "--uv", "/nowhere/uv")
    (home.bin / "mute").write_text("#!/bin/sh\n")
    (home.bin / "mute").chmod(0o755)
    (home.bin / "own").write_text("#!/bin/sh\necho uv 0.13.9-acme1\n")
    (home.bin / "own").chmod(0o755)
    mute = home.run("--check", flag, "--uv", str(home.bin / "mute"))
    own = home.run("--check", flag, "--uv", str(home.bin / "own"))

    assert [done.code for done in (nothing, nowhere, no_uv, mute, own)] == [7, 6, 4, 4, 4]
    assert {done.out for done in (nothing, nowhere, no_uv, mute, own)} == {""}
    assert f"error: {source} has no uv 0.7\n" in nothing.err
    reason = "cannot be run: it does not say its version, or none that can be compared\n"
    assert f"mute {reason}" in mute.err
    assert f"own {reason}" in own.err
