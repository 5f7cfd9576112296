"""`exec`: packages of private releases, through a real uv."""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from support.homes import PROGRAM
from support.simulator.dialect import PASSWORD
from support.simulator.packages import ReleaseOf, wheel
from support.stand import INTERNAL, done, locked, newest_and

if TYPE_CHECKING:
    from pathlib import Path

    from support.homes import Home
    from support.stand import Stand
    from support.web import Web

pytestmark = pytest.mark.measured
slow = pytest.mark.slow


@newest_and("0.5.0", "0.8.24", "0.11.13")
def test_lock_is_the_same_everywhere(version: str, stand: Stand, tmp_path: Path) -> None:
    """What one machine locks, another checks and installs, with a cold cache and another port."""
    stand.use(version)
    stand.write("internal-package", more=f'[[tool.uv.index]]\nurl = "{stand.packages.index}"')
    check = "--locked" if version == "0.5.0" else "--check"
    done(stand.run("uv", "lock"))
    first = stand.lock.read_bytes()
    # Older versions of uv leave the slash out at the end of a default index.
    assert {name: place.rstrip("/") for name, place in locked(stand).items()} == {
        "iniconfig": f"2.0.0 {stand.public.index}".rstrip("/"),
        "internal-dep": f"1.0.0 {stand.packages.index}".rstrip("/"),
        "internal-package": f"1.1.0 {stand.packages.index}".rstrip("/"),
    }

    for number in range(2):
        cold = {"UV_CACHE_DIR": str(tmp_path / f"cold-{number}")}
        done(stand.run("uv", "lock", check, **cold))
        done(stand.run("uv", "sync", "--locked", **cold))

    assert stand.lock.read_bytes() == first
    assert PASSWORD.encode() not in first
    assert not re.search(rb"127\.0\.0\.1:\d+/(?!simple|files)", first)
    done(stand.plain("uv", "lock", check))
    ran = done(
        stand.plain("uv", "run", "python", "-c", "import internal_package as p; print(p.VERSION)")
    )
    assert ran.out == "1.1.0\n"


def test_add_writes_the_stable_index(stand: Stand) -> None:
    """`uv add` writes the index at the name that every machine has, and no other."""
    stand.write()

    done(stand.run("uv", "add", "internal-package"))

    document = tomllib.loads((stand.project / "pyproject.toml").read_text())
    assert document["tool"]["uv"]["index"][0] == {"url": stand.packages.index}
    assert document["project"]["dependencies"] == ["internal-package>=1.1.0"]
    done(stand.run("uv", "remove", "internal-package"))


def test_requests_of_a_locked_sync(stand: Stand, tmp_path: Path) -> None:
    """A locked sync asks for one release and each of its files once, and lists nothing."""
    done(stand.run("uv", "lock"))
    stand.packages.asked.clear()

    done(stand.run("uv", "sync", "--locked", UV_CACHE_DIR=str(tmp_path / "cold")))

    assert len(stand.packages.calls("/tags/")) == 1
    assert len(stand.packages.calls("/assets/")) == 2
    assert stand.packages.calls("?") == []


def test_requests_of_a_long_list(stand: Stand) -> None:
    """254 releases cost three list calls, and a candidate one call for its metadata."""
    stand.packages.releases[:] = [
        ReleaseOf(
            tag=f"v1.{number}",
            files=dict(
                wheel("internal-package", f"1.{number}", tag=tag)
                for tag in ("py3-none-any", "py2-none-any")
            ),
        )
        for number in range(253, -1, -1)
    ]

    done(stand.run("uv", "lock"))

    assert locked(stand)["internal-package"].startswith("1.253 ")
    assert len(stand.packages.calls("?")) == 3
    assert len(stand.packages.calls("/assets/")) == 1


@newest_and("0.8.24", "0.11.13")
def test_no_secret_and_no_port_is_left(version: str, stand: Stand) -> None:
    """Nothing that uv writes holds the token, the secret of the run, or a port of ours."""
    stand.use(version)
    stand.write()
    done(stand.run("uv", "add", "internal-package"))
    done(stand.run("uv", "export", "--output-file", "pylock.toml"))
    done(stand.run("uv", "export", "--output-file", "requirements.txt"))
    done(stand.run("uv", "tool", "install", "internal-package"))

    written = [
        *stand.project.glob("*.toml"),
        *stand.project.glob("*.txt"),
        stand.lock,
        *stand.project.rglob("uv-receipt.toml"),
    ]
    assert len(written) == 5
    ports = {stand.packages.url.rpartition(":")[2], stand.public.url.rpartition(":")[2]}
    for path in written:
        text = path.read_text()
        assert PASSWORD not in text
        assert set(re.findall(r"127\.0\.0\.1:(\d+)", text)) <= ports
        assert "@127" not in text


PRINT = "import internal_package as p; print(p.VERSION)"
PRINT_DEP = "import internal_dep as p; print(p.VERSION)"
COMMANDS = [
    (["uv", "lock", "--upgrade"], ""),
    (["uv", "sync"], ""),
    (["uv", "remove", "internal-package"], ""),
    (["uv", "add", "internal-dep"], ""),
    (["uv", "run", "python", "-c", PRINT], "1.1.0"),
    (["uv", "run", "--with", "internal-dep", "python", "-c", PRINT_DEP], "1.0.0"),
    (["uv", "run", "script.py"], "1.0.0"),
    (["uv", "tree", "--outdated"], "internal-package v1.1.0"),
    (["uv", "export"], "internal-package==1.1.0"),
    (["uvx", "--from", "internal-dep", "python", "-c", PRINT_DEP], "1.0.0"),
    (["uv", "pip", "compile", "pyproject.toml"], "internal-package==1.1.0"),
    (["sh", "-c", "uv venv -q && uv pip install internal-package && uv pip list"], "1.1.0"),
    (
        [
            "sh",
            "-c",
            "uv tool install internal-package && uv tool upgrade internal-package && uv tool list",
        ],
        "internal-package v1.1.0",
    ),
]


@pytest.mark.parametrize(
    ("command", "printed"), COMMANDS, ids=[" ".join(command)[:40] for command, _ in COMMANDS]
)
@pytest.mark.parametrize("version", ["0.5.0", "0.8.24", "0.11.13", "newest"])
@pytest.mark.sampled(16)
@pytest.mark.slow
def test_commands(version: str, command: list[str], printed: str, stand: Stand) -> None:
    """Every command of uv that takes packages takes them from the release, in each version."""
    stand.use(version)
    (stand.project / "script.py").write_text(SCRIPT)

    answer = done(stand.run(*command))

    assert printed in answer.out
    for path in stand.project.rglob("uv-receipt.toml"):
        assert "127.0.0.1:" not in path.read_text().replace(stand.public.index, "")


SCRIPT = (
    '# /// script\n# dependencies = ["internal-dep"]\n# ///\n'
    "import internal_dep\nprint(internal_dep.VERSION)\n"
)


def test_script_with_inline_metadata(stand: Stand) -> None:
    """A script of PEP 723 gets its package."""
    (stand.project / "script.py").write_text(SCRIPT)

    assert done(stand.run("uv", "run", "script.py")).out == "1.0.0\n"


@pytest.mark.parametrize("missing", ["repository", "package", "token"])
def test_nothing_public_is_taken_instead(missing: str, stand: Stand) -> None:
    """Where our package cannot be had, uv fails, and the reason is said."""
    if missing == "package":
        stand.packages.releases.clear()
    elif missing == "repository":
        stand.home.configure(
            f'[[releases]]\nurl = "{stand.packages.url}/acme/other"\npackages = ["internal-*"]'
        )
    environ = {"UV_GITHUB_TOKEN": "ghp_wrong0123456789"} if missing == "token" else {}

    answer = stand.run("uv", "lock", **environ)

    assert answer.code != 0
    assert not stand.lock.exists()
    said = answer.err.partition("error: http")[2] or answer.err
    expected = "holds a wheel" if missing == "package" else "answered 404"
    assert expected in said


def test_lock_that_takes_a_stranger_is_an_error(stand: Stand) -> None:
    """A lock file that has our name from another registry is named, and the command has failed."""
    done(stand.plain("uv", "lock"))
    assert locked(stand)["internal-package"].startswith("99.0 ")

    answer = stand.run("true")

    assert answer.code == 12
    assert "takes internal-package 99.0 from" in answer.err


def test_index_that_the_project_does_not_name(stand: Stand) -> None:
    """A lock that plain uv would replace by public packages is warned of, until it is named."""
    warning = f"takes packages from {stand.packages.index}, which pyproject.toml does not name"
    assert warning in done(stand.run("uv", "lock")).err
    assert warning not in done(stand.run("uv", "lock", UV_INDEX=stand.packages.index)).err
    stand.write("internal-package", more=f'[[tool.uv.index]]\nurl = "{stand.packages.index}"')

    assert warning not in done(stand.run("uv", "lock")).err


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            ["--index-strategy", "unsafe-best-match"],
            "`--index-strategy unsafe-best-match` cannot be used with `exec`",
        ),
        (["--index-strategy=unsafe-first-match"], "`--index-strategy unsafe-first-match` cannot"),
        (["--index=http://127.0.0.1:9/simple"], "`--index` cannot be used with `exec`"),
    ],
)
def test_option_that_lets_others_win_is_refused(
    option: list[str], message: str, stand: Stand
) -> None:
    """What would make uv take a public package is refused before anything is run."""
    answer = stand.run("uv", "lock", *option)

    assert answer.code == 2
    assert message in answer.err
    assert stand.run("true", "--", *option).code == 0


def test_command_has_to_follow_two_dashes(stand: Stand) -> None:
    """Without `--`, an option of uv's could be taken for one of ours."""
    for arguments in (["uv", "lock"], [], ["--"]):
        answer = stand.home.run("exec", *arguments)
        assert answer.code == 2
        assert "as in `exec -- uv sync`" in answer.err


def test_nothing_configured(home: Home) -> None:
    """Where no releases are named, nothing is started."""
    answer = home.run("exec", "--", "true")

    assert answer.code == 12
    assert "no releases are configured" in answer.err


@newest_and("0.8.24")
def test_variables_of_the_command(version: str, stand: Stand, web: Web) -> None:
    """What uv starts sees the user's proxies where uv reads ours from a file, else ours."""
    stand.use(version)
    proxies = {"HTTP_PROXY": web.url, "NO_PROXY": "intranet", "HTTPS_PROXY": "http://h:1"}
    program = "import json, os; print(json.dumps(dict(os.environ)))"
    answer = stand.run("uv", "run", "--no-project", "python", "-c", program, **proxies)

    seen = json.loads(done(answer).out)
    assert seen["UV_INDEX"] == stand.packages.index
    assert seen["NO_PROXY"] == "intranet"
    assert seen["HTTPS_PROXY"] == "http://h:1"
    if version == "newest":
        assert seen["HTTP_PROXY"] == web.url
        place = seen["XDG_CONFIG_DIRS"].partition(":")[0]
        assert seen["XDG_CONFIG_DIRS"] == f"{place}:/etc/xdg"
        assert not os.path.lexists(place)
    else:
        assert re.fullmatch(r"http://uv:[0-9a-f]{48}@127\.0\.0\.1:\d+", seen["HTTP_PROXY"])
        assert seen["HTTP_PROXY"] == seen["http_proxy"]


def test_system_file_is_private_and_holds_the_users(stand: Stand, tmp_path: Path) -> None:
    """The file of the run holds what the system's says, and nobody else can read it."""
    system = tmp_path / "system" / "uv" / "uv.toml"
    system.parent.mkdir(parents=True)
    system.write_text('no-build = true\n[[index]]\nurl = "https://h.example/simple"\n')
    listing = 'd=${XDG_CONFIG_DIRS%%:*}; stat -c %a "$d" "$d"/uv/uv.toml; cat "$d"/uv/uv.toml'
    stand.home.uv.unlink()
    # A uv of a new version that shows the file.
    stand.home.uv.write_text(f"#!/bin/sh\n[ $1 = --version ] && echo uv 0.13.9 || {{ {listing}; }}")
    stand.home.uv.chmod(0o755)
    answer = done(
        stand.run(
            "uv",
            "sync",
            XDG_CONFIG_DIRS=str(tmp_path / "system"),
            HTTPS_PROXY="http://h:1",
            NO_PROXY=f"a, {stand.packages.index.split('/')[2]}",
        )
    )

    modes, text = answer.out.split("\n", 2)[:2], answer.out.split("\n", 2)[2]
    table = tomllib.loads(text)
    assert modes == ["700", "600"]
    assert re.fullmatch(r"http://uv:[0-9a-f]{48}@127\.0\.0\.1:\d+", table.pop("http-proxy"))
    assert table == {
        "no-build": True,
        "index": [{"url": "https://h.example/simple"}],
        "https-proxy": "http://h:1",
        "no-proxy": ["a"],
    }


def test_refusal_that_uv_ignores_is_an_error(stand: Stand) -> None:
    """Where uv is told to go on after a 424, a public package that it takes is no success."""
    stand.packages.releases.clear()
    stand.write(
        "internal-package",
        more=f'[[tool.uv.index]]\nurl = "{stand.packages.index}"\nignore-error-codes = [424]\n',
    )

    answer = stand.run("uv", "lock")

    assert answer.code != 0
    assert "no release of" in answer.err


def test_index_behind_a_proxy_that_cannot_be_used(stand: Stand) -> None:
    """Where it is clear beforehand that an index cannot be reached, nothing is started."""
    index = {"UV_DEFAULT_INDEX": "http://intranet.example/simple/"}
    answer = stand.run("uv", "lock", ALL_PROXY="https://127.0.0.1:9", **index)

    assert answer.code == 12
    assert "http://intranet.example would not be reached" in answer.err
    assert stand.run("true", ALL_PROXY="https://127.0.0.1:9", NO_PROXY="*", **index).code == 0


@pytest.mark.parametrize(("number", "code"), [("TERM", 7), ("HUP", 7), ("USR1", 7), ("INT", 7)])
def test_signals_are_the_commands(number: str, code: int, stand: Stand) -> None:
    """A signal to this process reaches the command, whose exit code counts."""
    # It sends the signal to its parent, and ends by the one that it gets itself.
    program = f"trap 'exit {code}' {number}; kill -{number} $PPID; while :; do sleep 0.05; done"
    answer = stand.start("sh", "-c", program)

    assert answer.code == code


def test_files_of_a_killed_run(stand: Stand, tmp_path: Path) -> None:
    """The file with the secret of a killed run is removed by the next one."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    kill = "test -f ${XDG_CONFIG_DIRS%%:*}/uv/uv.toml && kill -KILL $(ps -o ppid= -p $PPID)"
    environ = stand.environ(TMPDIR=str(temporary))
    program = ("uv", "run", "--no-project", "sh", "-c", kill)
    assert stand.home.start(*PROGRAM, "exec", "--", *program, environ=environ).code == -9
    assert [*temporary.glob("uv-self-update-*/uv/uv.toml")]

    done(stand.home.start(*PROGRAM, "exec", "--", "uv", "--version", environ=environ))

    assert [*temporary.iterdir()] == []


def test_quiet(stand: Stand) -> None:
    """`-q` of the command is not ours; our own, twice, leaves out errors."""
    stand.packages.limited = True
    loud = stand.run("uv", "lock", "-qq")
    assert "2100-01-01" in loud.err
    silent = stand.home.run("exec", "-qq", "--", "uv", "lock", "-qq", environ=stand.environ())
    assert silent.code != 0
    assert silent.err == ""


def test_exit_code_and_streams_are_the_commands(stand: Stand) -> None:
    """The exit code, the output and the arguments of any command pass through."""
    answer = stand.run("sh", "-c", 'echo "$0 $1"; echo said >&2; exit 7', "a b", "--source")

    assert (answer.code, answer.out, answer.err) == (7, "a b --source\n", "said\n")
    assert stand.start("sh", "-c", "kill -9 $$").code == -9
    missing = stand.run("no-such-command")
    assert missing.code == 127
    assert "failed to start `no-such-command`" in missing.err


def test_rate_limit_is_explained(stand: Stand) -> None:
    """A rate limit is said with the time at which it ends."""
    stand.packages.limited = True

    answer = stand.run("uv", "lock")

    assert answer.code != 0
    assert "2100-01-01T00:00:00Z" in answer.err


def test_old_assets_get_a_digest(stand: Stand) -> None:
    """Where GitHub has no digest, the file is read for it: uv locks nothing without a hash."""
    stand.packages.releases[0].digests = False

    done(stand.run("uv", "lock"))

    document = tomllib.loads(stand.lock.read_text())
    assert all(
        file["hash"].startswith("sha256:")
        for package in document["package"]
        for file in package.get("wheels", ())
    )


def test_two_files_of_one_name_are_refused(stand: Stand) -> None:
    """One name with two contents is named, and not chosen from."""
    other = dict([wheel("internal-package", "1.1.0", code="other")])
    stand.packages.releases.append(ReleaseOf(tag="again", files=other))

    answer = stand.run("uv", "lock")

    assert answer.code != 0
    assert "different files named internal_package-1.1.0-py3-none-any.whl" in answer.err
    assert "v1.1.0 and again" in answer.err


@pytest.mark.parametrize(
    "tag",
    [
        "release/1.1.0+build 1",
        pytest.param("1.1.0+build", marks=slow),
        pytest.param("v 1", marks=slow),
    ],
)
def test_odd_tags(tag: str, stand: Stand, tmp_path: Path) -> None:
    """A tag may hold a slash, a plus or a blank."""
    stand.packages.releases[0].tag = tag

    done(stand.run("uv", "lock"))
    done(stand.run("uv", "sync", "--locked", UV_CACHE_DIR=str(tmp_path / "cold")))


def test_drafts_and_prereleases_are_left_out(stand: Stand) -> None:
    """A draft is never served, and a release marked as a pre-release only if it is configured."""
    stand.packages.releases[:0] = [
        ReleaseOf(tag="2", files=dict([wheel("internal-package", "2.0")]), prerelease=True),
        ReleaseOf(tag="3", files=dict([wheel("internal-package", "3.0")]), draft=True),
    ]
    done(stand.run("uv", "lock"))
    assert locked(stand)["internal-package"].startswith("1.1.0 ")

    stand.configure('packages = ["internal-*"]', "prereleases = true")
    done(stand.run("uv", "lock", "--upgrade"))
    assert locked(stand)["internal-package"].startswith("2.0 ")


def test_exclude_newer(stand: Stand) -> None:
    """The date of an asset is what `--exclude-newer` compares."""
    newer = ReleaseOf(tag="2", files=dict([wheel("internal-package", "2.0")]))
    newer.updated = "2026-10-01T00:00:00Z"
    stand.packages.releases.insert(0, newer)

    done(
        stand.run("uv", "lock", "--exclude-newer-package", "internal-package=2026-09-15T00:00:00Z")
    )

    assert locked(stand)["internal-package"].startswith("1.1.0 ")


def test_names_that_are_no_packages(stand: Stand) -> None:
    """Other files of a release, uv's own archives among them, are passed over."""
    stand.packages.releases[0].files |= {
        "uv-x86_64-unknown-linux-gnu.tar.gz": b"uv",
        "SHA256SUMS": b"sums",
        "notes.zip": b"zip",
        "internal_package-1.1.0-py3-none-any.whl.sig": b"signature",
    }

    done(stand.run("uv", "lock"))


def test_proxy_keys_of_uv_are_refused(stand: Stand) -> None:
    """Where uv takes its proxies from a file, it cannot be led here, and that is said."""
    stand.write("internal-package", more='[tool.uv]\nhttp-proxy = "http://127.0.0.1:9"\n')

    answer = stand.run("uv", "lock")

    assert answer.code == 12
    assert "pyproject.toml (`http-proxy`)" in answer.err


def test_plain_http_is_passed_on(stand: Stand) -> None:
    """Other http requests of the command reach their host with their body, and come back whole."""
    program = (
        "import json, urllib.request as r;"
        f"print(r.urlopen('{stand.public.index}iniconfig/').status)"
    )

    assert done(stand.run(sys.executable, "-c", program)).out == "200\n"
    assert "/simple/iniconfig/" in stand.public.paths()


def test_json_of_the_page(stand: Stand) -> None:
    """A page has the digest, size and date that GitHub gives, and no requirement of its own."""
    program = (
        "import os, urllib.request as r;"
        f"print(r.urlopen('{stand.packages.index}internal-package/').read().decode())"
    )

    page = json.loads(done(stand.run(sys.executable, "-c", program)).out)

    (file,) = page["files"]
    assert page["name"] == "internal-package"
    assert file["size"] == len(INTERNAL[1])
    assert file["upload-time"] == "2026-09-01T12:00:00Z"
    assert file["url"].startswith(stand.packages.index.replace("simple/", "releases/download/"))


@pytest.mark.parametrize(
    ("version", "through"),
    [("0.5.0", True), ("0.8.24", False), ("newest", False)],
)
def test_plain_http_by_the_rules_of_that_uv(
    version: str, stand: Stand, web: Web, *, through: bool
) -> None:
    """An empty upper-case variable hides the lower-case one for uv from 0.8.24 on, and here too."""
    stand.use(version)
    (stand.project / "requirements.txt").write_text("nothing\n")
    environ = {
        "HTTP_PROXY": "",
        "http_proxy": web.url,
        "UV_DEFAULT_INDEX": "http://far.invalid/simple/",
    }
    for run in (stand.plain, stand.run):
        web.asked.clear()
        answer = run("uv", "pip", "compile", "--no-cache", "requirements.txt", **environ)

        assert answer.code != 0
        assert bool(web.asked) is through
        assert {*web.paths()} <= {"http://far.invalid/simple/nothing/"}
