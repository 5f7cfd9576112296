"""The command line: what reaches uv, what is printed, what it ends with."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors, namespaces
from uv_self_update import __version__
from uv_self_update.cli.main import main
from uv_self_update.cli.options import FLAGS, OPTIONS, UPDATE_FLAGS
from uv_self_update.config.settings import Options
from uv_self_update.redaction import Secret
from uv_self_update.uv.arguments import misspelled
from uv_self_update.workflow.check import UPDATE_DUE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from support.homes import Home
    from support.web import Web
    from uv_self_update.cli.invocation import Invocation


def pretend(home: Home, script: str) -> Path:
    """Put a script in uv's place, which can say what it was started with."""
    home.bin.mkdir(parents=True)
    home.uv.write_text(f"#!/bin/sh\n{script}\n")
    home.uv.chmod(0o755)
    return home.uv


@pytest.mark.parametrize(
    ("given", "handed_on"),
    [
        ([], []),
        (["0.12.3"], ["0.12.3"]),
        (["v0.12.3"], ["0.12.3"]),
        (["--dry-run", "0.12.3", "-q"], ["--dry-run", "0.12.3", "-q"]),
        (["-qq", "-v", "--no-config"], ["-qq", "-v", "--no-config"]),
        (["--token", "0.1.1", "0.12.3"], ["0.12.3"]),
        (["--token=x y", "--color", "never"], ["--color", "never"]),
        (["--trusted-host", "h", "--allow-insecure-host=i"],) * 2,
        (["--native-tls", "--system-certs"],) * 2,
        (["--unknown", "--also=this", "-Z"], ["--unknown", "--also=this", "-Z"]),
        (["--source", "index", "-v", "--installer=native", "0.12.3"], ["-v", "0.12.3"]),
        (["update", "0.12.3"], ["0.12.3"]),
        (["--color", "--check"],) * 2,
    ],
)
def test_options_are_handed_on(given: list[str], handed_on: list[str], home: Home) -> None:
    """The real uv gets its own options untouched and in order, and neither ours nor a token."""
    pretend(home, 'printf "%s\\n" "$@"')

    done = home.run(*given)

    assert done.code == 0, done.err
    assert done.out.splitlines() == ["self", "update", *handed_on]


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 1", 1), ("exit 42", 42), ("kill -9 $$", 137)]
)
def test_exit_code_is_that_of_uv(script: str, code: int, home: Home) -> None:
    """The exit code is uv's own; 128 + N where signal N has ended it, as in a shell."""
    pretend(home, script)

    assert home.run().code == code


def test_another_uv_can_be_named(home: Home, tmp_path: Path) -> None:
    """`--uv` beats UV_SELF_UPDATE_UV, which beats PATH."""
    pretend(home, "echo on PATH")
    named, variable = tmp_path / "named uv", tmp_path / "variable"
    for path in (named, variable):
        path.write_text(f"#!/bin/sh\necho {path.name}\n")
        path.chmod(0o755)
    environ = {"UV_SELF_UPDATE_UV": str(variable)}

    said = [
        home.run().out,
        home.run(environ=environ).out,
        home.run("--uv", str(named), environ=environ).out,
    ]

    assert said == ["on PATH\n", "variable\n", "named uv\n"]


@pytest.mark.parametrize(
    ("target", "expected"),
    [("0.8", "0.8.24"), ("<0.8", "0.5.31"), ("~=0.5.0", "0.5.31"), (">=0.5,!=0.8.24,<1", "0.5.31")],
)
def test_target_becomes_an_exact_version(target: str, expected: str, home: Home, web: Web) -> None:
    """A prefix or a specifier is resolved against the source before uv is started."""
    pretend(home, 'echo "$3"')
    web.pages |= mirrors.github_pages(["0.8.24", "0.5.31", "0.5.0"])

    done = home.run(target, "--source", f"github+{web.url}/astral-sh/uv")

    assert (done.code, done.out, done.err) == (0, f"{expected}\n", "")


def test_unknown_target_names_the_nearest(home: Home, web: Web) -> None:
    """A version that the source does not have is refused with the source and its neighbours."""
    home.install("0.8.24")
    web.pages |= mirrors.github_pages(["0.8.24", "0.5.31", "0.5.0"])
    source = f"{web.url}/astral-sh/uv"

    exact = home.run("0.6.1", "--source", f"github+{source}")
    ranged = home.run("0.7", "--source", f"github+{source}")

    assert f"error: {source} has no uv 0.6.1\n" in exact.err
    assert "hint: The nearest versions are 0.8.24, 0.5.31, 0.5.0." in exact.err
    assert exact.code == 2
    assert f"error: {source} has no uv 0.7\n" in ranged.err
    assert ranged.code == 7
    assert home.version() == "0.8.24"


def test_uv_without_receipt_is_explained(home: Home) -> None:
    """Where uv refuses for want of a receipt, the file that it looked for is named."""
    home.install(binaries.newest())
    home.receipt.unlink()

    done = home.run()

    assert "Self-update is only available" in done.err
    assert f"error: {home.uv} was not installed by uv's standalone installer" in done.err
    assert f"there is no receipt {home.receipt}\n" in done.err
    assert done.code == 2


def test_receipt_of_another_uv_is_explained(home: Home, tmp_path: Path) -> None:
    """Where the receipt is about another folder, both are named."""
    home.install(binaries.newest())
    other = tmp_path / "other"
    home.bin.rename(other)

    done = home.run("--uv", str(other / "uv"))

    assert f"error: {other / 'uv'} was not installed by uv's standalone installer" in done.err
    assert f"the receipt {home.receipt} is about {home.bin}\n" in done.err
    assert done.code == 2


@pytest.mark.parametrize("options", [(), ("--adopt",)])
def test_receipt_about_what_may_not_be_looked_into(
    options: tuple[str, ...], home: Home, tmp_path: Path
) -> None:
    """Somebody else's folder in a receipt is no mistake of this program, and can be adopted."""
    home.install("0.8.24")
    closed = tmp_path / "closed" / "apps"
    closed.mkdir(parents=True)
    document = json.loads(home.receipt.read_text()) | {"install_prefix": str(closed)}
    home.receipt.write_text(json.dumps(document))
    closed.parent.chmod(0)
    mirror = tmp_path / "mirror" / binaries.newest()
    mirror.mkdir(parents=True)
    archive = binaries.archive(binaries.newest())
    (mirror / archive.name).symlink_to(archive)

    done = home.run(*options, "--source", str(mirror.parent), before=namespaces.obeying_modes())

    closed.parent.chmod(0o700)
    if options:
        assert (done.code, home.version()) == (0, binaries.newest()), done.err
        assert "warning" not in done.err
    else:
        assert done.code == 2
        assert f"the receipt {home.receipt} is about {closed}\n" in done.err


@pytest.mark.parametrize(("flag", "kinds"), [("-q", ["error"]), ("-qq", [])])
def test_quiet_adds_no_more_than_the_reason(flag: str, kinds: list[str], home: Home) -> None:
    """With `-q` a failure still has its reason, as uv's own have; with `-qq` it has none."""
    home.install(binaries.newest())
    home.receipt.unlink()
    alone = home.run("self", "update", flag, program=(str(home.uv),))

    done = home.run(flag)

    added = done.err.removeprefix(alone.err).splitlines()
    assert [line.partition(":")[0] for line in added] == kinds
    assert done.err.startswith(alone.err)


@pytest.mark.extra
def test_quiet_success_says_nothing(home: Home, web: Web) -> None:
    """With `-q`, an update that works adds nothing to uv's own words."""
    home.install(binaries.newest_but_one())
    web.pages |= mirrors.github_pages([binaries.newest()])

    done = home.run("-q", "--source", f"github+{web.url}/astral-sh/uv")

    (line,) = done.err.splitlines()
    assert line.startswith(f"success: Upgraded uv from v{binaries.newest_but_one()}")
    assert (done.code, done.out) == (0, "")


def test_verbose_tells_what_happens_behind_the_gateway(home: Home, web: Web) -> None:
    """With `-v`, each request is told, uv's and ours, without the secret path."""
    home.install(binaries.newest())
    web.pages |= mirrors.github_pages([binaries.newest()])

    done = home.run("-v", "--source", f"github+{web.url}/astral-sh/uv")

    latest = "/api/v3/repos/astral-sh/uv/releases/latest"
    assert f"DEBUG uv requests /***{latest}\n" in done.err
    listing = "/api/v3/repos/astral-sh/uv/releases?per_page=***"
    request = re.escape(f"DEBUG GET {web.url}{listing} answers 200: ")
    assert re.search(rf"^{request}\d[\d,]* bytes, \d+ ms$", done.err, re.MULTILINE)
    assert f"DEBUG Using uv {binaries.newest()} from {web.url}/astral-sh/uv\n" in done.err
    assert done.code == 0


@pytest.mark.parametrize(
    ("arguments", "environ", "colored"),
    [
        ([], {}, False),
        (["--color", "always"], {}, True),
        ([], {"FORCE_COLOR": "1"}, True),
        (["--color=never"], {"FORCE_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_messages_are_coloured_as_those_of_uv(
    arguments: list[str], environ: dict[str, str], *, colored: bool, home: Home
) -> None:
    """Colours follow `--color`, NO_COLOR and FORCE_COLOR; a pipe gets none by itself."""
    done = home.run(*arguments, environ={"PATH": "/nowhere", **environ})

    assert ("\x1b[1m" in done.err) == colored
    assert "no uv found on PATH" in done.err
    assert done.code == 4


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--json", "`--json` requires `--check`"),
        ("0.12 --json -q", "`--json` requires `--check`"),
        ("--check --dry-run", "`--check` cannot be used with `--dry-run`"),
        ("--check --required --dry-run", "`--check` cannot be used with `--dry-run`"),
        ("--required 0.12", "`--required` cannot be used with a version (`0.12`)"),
        ("0.12.3 --check --required", "`--required` cannot be used with a version (`0.12.3`)"),
        ("--check 0.12 0.13", "expected one version at most, not `0.12` and `0.13`"),
        ("--check nonsense", "there is no command `nonsense`"),
        ("--check '<'", "`'<'` is not a version of uv"),
        ("--required=0.12", "`--required` takes no value"),
        ("--required --directory nowhere", "the directory "),
        ("releases --check", "unexpected argument `--check` found"),
        ("--required rehearse", "unexpected argument `--required` found"),
        ("--json config path", "unexpected argument `--json` found"),
    ],
)
def test_flags_that_do_not_go_together(line: str, said: str, home: Home) -> None:
    """A flag of ours where it means nothing is an error, before uv is started."""
    pretend(home, "echo uv 0.8.24")
    (home.path / "uv.toml").write_text('required-version = "0.12.3"')

    done = home.run(*line.split())

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {said}")


def test_json_of_a_command(home: Home, web: Web) -> None:
    """`--json` still belongs to `releases` where that is named, before and after."""
    pretend(home, "echo uv 0.8.24")
    web.pages |= mirrors.github_pages(["0.8.24"])
    source = ("--source", f"github+{web.url}/astral-sh/uv")

    before, after = home.run("--json", "releases", *source), home.run("releases", *source, "--json")

    assert (before.code, before.err) == (0, "")
    assert before == after
    assert [row["version"] for row in json.loads(after.out)] == ["0.8.24"]


def test_flags_are_in_the_help(home: Home) -> None:
    """The help lists our flags as it does our other options."""
    out = home.run("--help").out

    listed = set(re.findall(r"^  (--[a-z]+)", out, re.MULTILINE))
    assert {*OPTIONS, *FLAGS, *UPDATE_FLAGS} <= listed
    assert f"The exit code is {UPDATE_DUE}" in " ".join(out.split())


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("--chek", "Did you mean `--check`?"),
        ("--sorce https://uv.example.com/", "Did you mean `--source`?"),
        ("--sorce index", "Did you mean `--source`?"),
        ("update --adpot", "Did you mean `--adopt`?"),
        ("0.12 --jsno --check", "Did you mean `--json`?"),
        ("--instaler=native", "Did you mean `--installer`?"),
        ("\N{EM DASH}check", "Did you mean `--check`?"),
        ("rehearse --sorce index", "Did you mean `--source`? "),
        ("releases https://uv.example.com/", "`--source URL` names the source to use. "),
    ],
)
def test_mistyped_options(line: str, hint: str, home: Home) -> None:
    """An option that is nearly ours is refused, with ours, before anything is done."""
    home.bin.mkdir(parents=True)
    home.uv.symlink_to(binaries.executables("0.8.24") / "uv")
    before = home.snapshot()

    done = home.call(*line.split())

    assert (done.code, done.out) == (2, "")
    assert f"\nhint: {hint}" in done.err
    assert home.snapshot() == before


def test_options_of_another_uv_are_its_own(home: Home) -> None:
    """An option that is nearly ours is handed on where uv has it, with a value or without."""
    lacking = "error: a value is required for '--sources <URL>' but none was supplied"
    pretend(
        home,
        f"""case "$*" in
        "self update --adopts --help") echo help;;
        "self update --sources --help") echo "{lacking}" >&2; exit 2;;
        *--help*) echo "error: unexpected argument" >&2; exit 2;;
        *) echo "$@";;
        esac""",
    )

    done = home.run("--adopts", "--sources", "--dry-run")

    assert (done.code, done.out) == (0, "self update --adopts --sources --dry-run\n"), done.err
    assert home.run("--cheks").code == 2


@pytest.mark.parametrize("version", ["0.5.31", "0.8.24", "newest"])
def test_options_of_uv_are_known(version: str) -> None:
    """No option of a real `uv self update` is taken for one of ours, or asked about."""
    uv = binaries.executables(binaries.version(version)) / "uv"
    command = (uv, "self", "update", "--help")
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    options = set(re.findall(r"(?<![\w`-])--[a-z][a-z-]+", text))

    assert {"--dry-run", "--no-config", "--config-file"} & options
    assert [*misspelled(sorted(options), (*OPTIONS, *FLAGS, *UPDATE_FLAGS), OPTIONS)] == []


def test_two_targets_are_refused(home: Home) -> None:
    """A second word that could be TARGET is an error before anything is started."""
    pretend(home, "echo started")

    done = home.run("0.12.3", "0.12.4")

    assert (done.code, done.out) == (2, "")
    assert "expected one version at most, not `0.12.3` and `0.12.4`" in done.err


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_version(flag: str, home: Home) -> None:
    """The version of this package is printed, not uv's."""
    assert home.run(flag).out == f"uv-self-update {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["-h"], ""),
        (["--help"], ""),
        (["help"], ""),
        (["update", "--help"], ""),
        (["help", "update"], ""),
        (["rehearse", "-h"], " rehearse"),
        (["config", "--help"], " config"),
        (["help", "init"], " init"),
        (["help", "config", "set"], " config set"),
    ],
)
def test_help(arguments: list[str], command: str, home: Home) -> None:
    """Help is there by `-h`, `--help` and `help`, and starts no uv."""
    done = home.call(*arguments)

    assert done.out.startswith(f"Usage: uv-self-update{command} [")
    assert done.code == 0


OPTIONS_OF_UV = (
    "--token=ghp_s3cret",
    "--allow-insecure-host",
    "a.example",
    "--trusted-host=b.example",
    "--native-tls",
    "--system-certs",
)


@pytest.mark.parametrize("command", ["rehearse", "releases", "init"])
def test_options_of_uv_are_accepted(command: str, home: Home, web: Web) -> None:
    """Other commands that ask sources take the same options as an update, before and after."""
    pretend(home, "echo uv 0.8.24")
    url = f"{web.url}/nothing/"
    place = [url] if command == "init" else ["--source", url]

    after = home.run(command, *place, *OPTIONS_OF_UV)
    before = home.run(*OPTIONS_OF_UV, command, *place)

    assert (before.code, after.code) == (6, 6)
    assert "no releases of uv found" in before.err
    assert "no releases of uv found" in after.err
    assert "s3cret" not in before.err + after.err


def test_options_become_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said of tokens and hosts anywhere on the line is part of the settings."""
    told: list[Invocation] = []

    def keep(_arguments: Sequence[str], invocation: Invocation) -> int:
        told.append(invocation)
        return 0

    monkeypatch.setattr("uv_self_update.cli.commands.run", keep)
    main(["--token", "t0ken", "--trusted-host", "a b", "releases", "--allow-insecure-host=c"])
    main(["releases"])

    assert [invocation.options for invocation in told] == [
        Options(token=Secret("t0ken"), insecure_hosts=("a", "b", "c")),
        Options(),
    ]
    assert "t0ken" not in repr(told)


def test_unknown_option_of_a_command_is_refused(home: Home) -> None:
    """Other commands than the update know their options."""
    done = home.run("rehearse", "--dry-run")

    assert done.err.startswith("error: unexpected argument `--dry-run` found")
    assert done.code == 2


@pytest.mark.extra
def test_uv_that_is_too_old_is_refused(home: Home, web: Web) -> None:
    """A uv before 0.5.0 would ask GitHub whatever it is told, so it is not even started."""
    home.install(binaries.OLDEST)
    web.pages |= mirrors.github_pages([binaries.newest()])
    before = home.snapshot()

    done = home.run("--source", f"github+{web.url}/astral-sh/uv")

    assert done.code == 4
    assert done.err.startswith(f"error: {home.uv} is uv {binaries.OLDEST}, but only uv 0.5.0")
    assert web.asked == []
    assert home.snapshot() == before


@pytest.mark.parametrize("target", [binaries.OLDEST, "<0.5"])
def test_way_without_return_is_warned_of(home: Home, web: Web, target: str) -> None:
    """Whoever goes to a uv before 0.5.0 is told that it cannot be updated from here again."""
    home.install("0.8.24")
    web.pages |= mirrors.github_pages([binaries.OLDEST, "0.8.24"])
    source = f"github+{web.url}/astral-sh/uv"
    said = (
        f"warning: uv {binaries.OLDEST} cannot be updated by uv-self-update again: only "
        "0.5.0 and later can be updated from another source than GitHub\n"
    )

    there = home.run(target, "--source", source)
    back = home.run("--source", source)

    assert (there.code, home.version()) == (0, binaries.OLDEST), there.err
    assert said in there.err
    assert back.code == 4


@pytest.mark.extra
def test_receipt_that_is_too_old_is_no_reason(home: Home, web: Web) -> None:
    """Where only the receipt is behind, as an interrupted update leaves it, uv is updated."""
    start, end = binaries.newest_but_one(), binaries.newest()
    home.install(start)
    home.receipt.write_text(home.receipt.read_text().replace(start, "0.4.30"))
    web.pages |= mirrors.github_pages([end])

    done = home.run("--source", f"github+{web.url}/astral-sh/uv")

    assert (done.code, home.version(), home.receipt_version()) == (0, end, end), done.err


def test_negative_number_is_a_value(home: Home) -> None:
    """A value that begins with a hyphen is judged as a value, not taken for an option."""
    done = home.run("config", "set", "network.timeout", "-1")

    assert done.code == 3
    assert "network.timeout: value out of range" in done.err
    assert not home.config.exists()


def test_stderr_is_closed(home: Home) -> None:
    """An error that cannot be printed still has its exit code."""
    program = ("sh", "-c", 'exec "$0" -m uv_self_update "$@" 2>&-', sys.executable)

    done = home.run("--uv", "absent", program=program)

    assert (done.code, done.out, done.err) == (4, "", "")


MISTAKEN = """\
import sys
from uv_self_update import __main__
from uv_self_update.cli import update as cli
def fail(*_):
    try:
        raise KeyError("https://you:s3" "cret@h.example/")
    except KeyError as error:
        raise {mistake} from error

cli.update = fail
sys.exit(__main__.main())
"""
"""The command, with a mistake in it."""


@pytest.mark.parametrize("flag", [None, "-q", "-qq", "-v"])
@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ('ValueError("https://me:s3" "cret@h.example/", "Bearer t0" "ken")', ""),
        ('OSError(28, "No space left on device", "t0" "ken")', ": No space left on device"),
    ],
)
def test_mistake_of_ours(mistake: str, said: str, flag: str | None, home: Home) -> None:
    """What nobody has foreseen has a code of its own, and shows no words that may be a login."""
    program = (sys.executable, "-c", MISTAKEN.format(mistake=mistake))

    done = home.run(*filter(None, [flag]), program=program)

    name = mistake.partition("(")[0]
    error = f"error: unexpected error: {name} in <string>, line 8{said}\n"
    assert (done.code, done.out) == (10, "")
    assert (error in done.err) is (flag != "-qq")
    assert ("hint: This is a bug in uv-self-update; please" in done.err) is (flag in {None, "-v"})
    # From 3.13 on, Python shows the line of a program that `-c` has given.
    traced = re.search(r"line 8, in fail\n(?: .+\n)*KeyError\n", done.err)
    assert (traced is not None) is (flag == "-v")
    assert not [word for word in ("Traceback", "s3cret", "t0ken") if word in done.err]
