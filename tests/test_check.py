"""`--check`: whether there is something to do, without doing it."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors, namespaces, release_installers
from support.web import Page
from uv_self_update import platforms
from uv_self_update.cli.commands import root
from uv_self_update.cli.options import WITH_JSON
from uv_self_update.workflow.check import UPDATE_DUE, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.homes import Home
    from support.web import Web

ARCHIVE = platforms.current().archive
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
        ("1.0", "2.0", None, "uv 2.0 is available from the mirror (installed: 1.0)"),
        ("2.0", "1.0", "1.0", "uv 1.0 is available from the mirror (installed: 2.0)"),
        ("2.0", "2.0", None, "uv 2.0 is installed; no newer version is available"),
        ("2.0", "1.0", None, "uv 2.0 is installed; no newer version is available"),
        ("1.0", "1.0", "<2", "uv 1.0 is installed, as requested"),
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
        ("0.8.24", "", 11, "uv 0.11.13 is available from {} (installed: 0.8.24)"),
        ("0.11.13", "", 0, "uv 0.11.13 is installed; no newer version is available"),
        ("0.11.13", "0.8", 11, "uv 0.8.24 is available from {} (installed: 0.11.13)"),
        ("0.8.24", "<0.11", 0, "uv 0.8.24 is installed, as requested"),
        ("0.8.24", "0.8.24 -v", 0, "uv 0.8.24 is installed, as requested"),
        ("0.8.24", "-q", 11, ""),
        ("0.8.24", "-qq --json", 11, ""),
        ("0.11.13", "--quiet", 0, ""),
        (
            "0.8.24",
            "--adopt --color never",
            11,
            "uv 0.11.13 is available from {} (installed: 0.8.24)",
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


@pytest.mark.parametrize(("installed", "due"), [("0.8.24", True), ("0.11.13", False)])
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
        "updatable": True,
        "reason": None,
        "hint": None,
    }
    assert (done.code, done.err) == (UPDATE_DUE if due else 0, "")


def test_neither_receipt_nor_gateway(home: Home, web: Web, source: str) -> None:
    """A uv without a receipt is looked at as well, and is not told to update itself."""
    home.bin.mkdir(parents=True)
    told = home.path / "told"
    home.uv.write_text(f'#!/bin/sh\necho "$@" >> "{told}"\necho uv 0.8.24\n')
    home.uv.chmod(0o755)

    done = home.run("--check")

    assert done.out == f"uv 0.11.13 is available from {source} (installed: 0.8.24)\n"
    assert told.read_text() == "--version\n"
    assert not [path for path in web.paths() if "/download/" in path]


@pytest.mark.extra
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


@pytest.mark.extra
@pytest.mark.parametrize(
    ("policy", "rule", "reason"),
    [
        ('versions = "<0.11"', 'policy.versions = "<0.11"', "out of range"),
        (
            'approved = "list.txt"',
            'policy.approved = "{}"',
            "not an approved version",
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

    assert said.out == "uv 0.11.13 is installed; no newer version is available\n"
    hidden = f"warning: uv 0.11.13 is hidden by the policy: {reason} (`policy."
    last = said.err.splitlines()[-1]
    assert last.startswith(hidden)
    assert last.endswith(f"` in {home.config})")
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
    first = f"uv 0.11.13 is available from {source} (installed: 0.8.24)\n"
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
    document = json.loads(as_json.out)
    assert (document["owner"], document["updatable"]) == (place, False)
    assert document["reason"].endswith(f"there is no receipt {home.receipt}")


def _no_receipt(home: Home) -> str:
    home.receipt.unlink()
    return f"there is no receipt {home.receipt}"


def _receipt_of_another(home: Home) -> str:
    document = json.loads(home.receipt.read_text()) | {"install_prefix": "/opt/tools"}
    home.receipt.write_text(json.dumps(document))
    return f"the receipt {home.receipt} is about /opt/tools"


def _broken_receipt(home: Home) -> str:
    home.receipt.write_text("{")
    return f"uv's receipt {home.receipt} can't be used: it is not JSON"


def _too_old(home: Home) -> str:
    pretend = f"#!/bin/sh\necho uv {binaries.OLDEST}\n"
    home.uv.unlink()
    home.uv.write_text(pretend)
    home.uv.chmod(0o755)
    home.receipt.write_text(home.receipt.read_text().replace("0.8.24", binaries.OLDEST))
    return f"{home.uv} is uv {binaries.OLDEST}, but only uv 0.5.0 and later"


def _locked_directory(home: Home) -> str:
    home.bin.chmod(0o555)
    return f"failed to write the new version to {home.bin}: the directory is not writable"


def _locked_receipt(home: Home) -> str:
    home.receipt.parent.chmod(0o555)
    return (
        f"failed to write the new version to {home.receipt.parent}: the directory is not writable"
    )


@pytest.mark.parametrize(
    "spoil",
    [
        _no_receipt,
        _receipt_of_another,
        _broken_receipt,
        _too_old,
        _locked_directory,
        _locked_receipt,
    ],
)
@pytest.mark.usefixtures("source")
def test_update_that_would_be_refused(home: Home, spoil: Callable[[Home], str]) -> None:
    """Where the update would refuse, `--check` says so with the same reason, as JSON too."""
    home.install("0.8.24")
    reason = spoil(home)
    # Modes do not stop root.
    run = (
        partial(home.run, before=namespaces.obeying_modes())
        if spoil in {_locked_directory, _locked_receipt}
        else home.call
    )

    said, as_json, update = run("--check"), run("--check", "--json"), run("0.5.31")

    document = json.loads(as_json.out)
    assert (said.code, as_json.code) == (UPDATE_DUE, UPDATE_DUE)
    assert "warning: an update would be refused: " in said.err
    assert reason in said.err
    assert (document["updatable"], document["due"]) == (False, True)
    assert reason in document["reason"]
    assert document["hint"]
    home.bin.chmod(0o755)
    home.receipt.parent.chmod(0o755)
    assert update.code != 0
    # The system has its own words for what the file system does not allow.
    assert reason.partition(": the directory")[0] in update.err


PINS = f"""\
[policy.digests."0.11.13"]
"uv-x.tar.gz" = "{"0" * 64}"
"""


@pytest.mark.parametrize(
    ("policy", "digests", "reason"),
    [
        ("[policy]\nrequire-digest = true", False, "has no published sha256"),
        ("[policy]\nrequire-digest = true", True, None),
        (PINS, True, "pins other files of uv 0.11.13"),
        (PINS.replace("uv-x.tar.gz", ARCHIVE), True, "(pinned in "),
    ],
    ids=["required", "published", "not pinned", "another pinned"],
)
def test_policy_that_forbids_the_file(
    policy: str, reason: str | None, home: Home, web: Web, *, digests: bool
) -> None:
    """Where a rule about digests would refuse the file, that is said; the file is not fetched."""
    home.install("0.8.24")
    web.pages |= mirrors.github_pages(["0.11.13"])
    document = mirrors.github_json("0.11.13", digests=digests)
    web.pages["/api/v3/repos/astral-sh/uv/releases"] = Page(body=json.dumps([document]).encode())
    if not digests and release_installers.available():
        # The real one embeds the archive's checksum, which counts as well.
        script = release_installers.script("0.11.13", checksums=False)
        web.pages["/astral-sh/uv/releases/download/0.11.13/uv-installer.sh"] = Page(body=script)
    home.configure(policy)

    source = f"github+{web.url}/astral-sh/uv"
    done = home.call("--check", "--json", "--source", source)

    found = json.loads(done.out)
    assert (done.code, found["due"]) == (UPDATE_DUE, True)
    assert found["updatable"] is (reason is None)
    assert (reason or "") in (found["reason"] or "")
    update = home.call("--source", source)
    assert (update.code == 0) is (reason is None)
    assert (found["reason"] or "") in update.err


def test_policy_that_forbids_the_wheel(home: Home, web: Web) -> None:
    """A version of which other files are pinned is not updatable from an index."""
    home.install("0.8.24")
    web.pages |= mirrors.index_pages(["0.11.13"])
    home.configure(PINS)

    done = home.call("--check", "--json", "--source", f"index+{web.url}/simple/")

    assert "pins other files of uv 0.11.13" in json.loads(done.out)["reason"]


@pytest.mark.usefixtures("source")
def test_policy_that_forbids_the_version(home: Home) -> None:
    """A version that the policy forbids by its name is a failure, as JSON too."""
    home.install("0.8.24")
    home.configure('[policy]\nversions = "<0.11"\n')

    done = home.call("--check", "--json", "0.11.13")

    document = json.loads(done.out)
    assert (done.code, document["code"]) == (7, 7)
    assert "is hidden by the policy: out of range (`" in document["error"]
    assert "`uv-self-update releases`" in document["hint"]


@pytest.mark.usefixtures("source")
def test_adoption_makes_it_updatable(home: Home) -> None:
    """With `--adopt` a uv without a receipt can be updated, but a package manager's cannot."""
    home.install("0.8.24")
    home.receipt.unlink()

    free = home.call("--check", "--json", "--adopt")
    (home.bin.parent / "pyvenv.cfg").touch()
    owned = home.call("--check", "--json", "--adopt")

    assert json.loads(free.out)["updatable"]
    assert not json.loads(owned.out)["updatable"]
    assert json.loads(owned.out)["reason"].startswith(f"{home.uv} is managed by the virtual env")


@pytest.mark.parametrize("flag", ["--json", "-v"])
def test_failures_keep_their_codes(flag: str, home: Home, web: Web, source: str) -> None:
    """What cannot be found out is the error that it always is; `--json` prints it too."""
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
    for done in (nothing, nowhere, no_uv, mute, own):
        if flag == "-v":
            assert done.out == ""
            continue
        document = json.loads(done.out)
        assert list(document) == ["error", "code", "hint"]
        assert document["code"] == done.code
        assert f"error: {document['error']}\nhint: {document['hint']}\n" == done.err
    assert f"error: {source} has no uv 0.7\n" in nothing.err
    reason = "it reports no version, or none that can be compared\n"
    assert f"mute: {reason}" in mute.err
    assert f"own: {reason}" in own.err


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("--check --json nonsense", 2),
        ("--check --json 0.12.x", 2),
        ("--check --json --dry-run", 2),
        ("--check --json --installer nonsense", 2),
        ("--check --json --source nonsense", 2),
        ("--check --json --config /nowhere.toml", 3),
        ("--check --json --required", 3),
        ("--check --json --uv /nowhere/uv", 4),
        ("--check --json --source /nowhere", 6),
        ("releases --json --limit many", 2),
        ("--json releases --unknown", 2),
        ("releases --json --config /nowhere.toml", 3),
        ("releases --json --uv /nowhere/uv", 4),
        ("releases --json --source /nowhere", 6),
    ],
)
def test_failures_as_json(line: str, code: int, home: Home) -> None:
    """Every failure of a command that has `--json` is one object on stdout, and text on stderr."""
    home.bin.mkdir(parents=True)
    home.uv.write_text("#!/bin/sh\necho uv 0.8.24\n")
    home.uv.chmod(0o755)

    done = home.call(*line.split())

    document = json.loads(done.out)
    assert (done.code, document["code"]) == (code, code), done.err
    assert f"error: {document['error']}\n" in done.err
    assert document["hint"] is None or f"hint: {document['hint']}\n" in done.err


def test_mistake_as_json(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is a mistake in this program, without what may be a secret in it."""

    def fail(*_: object, **__: object) -> None:
        message = "s3cret"
        raise ValueError(message)

    monkeypatch.setattr("uv_self_update.workflow.check.check", fail)
    home.bin.mkdir(parents=True)
    home.uv.write_text("#!/bin/sh\n")
    home.uv.chmod(0o755)

    done = home.call("--check", "--json")

    assert (done.code, json.loads(done.out)["code"]) == (10, 10)
    assert "s3cret" not in done.out + done.err


@pytest.mark.parametrize("line", ["--check --json -q", "config path --json", "--json -v"])
def test_no_json_where_there_is_none(line: str, home: Home) -> None:
    """With `-q` nothing is printed, and neither is JSON by what has no `--json`."""
    assert home.call(*line.split(), "--uv", "/nowhere/uv").out == ""


def test_commands_with_json() -> None:
    """The failures of each command that has `--json` are printed as JSON, too."""
    able = {
        name
        for name, command in root.commands.items()
        for parameter in command.params
        if "--json" in parameter.opts
    }
    assert able == set(WITH_JSON)
