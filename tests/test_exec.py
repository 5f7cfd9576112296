"""`exec`: packages of private releases, through a real uv."""

from __future__ import annotations

import json
import re
import shutil
import sys
import tomllib
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from support import binaries
from support.simulator.dialect import PASSWORD
from support.simulator.packages import Packages, PublicIndex, ReleaseOf, wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.homes import Done, Home

APP = """\
[project]
name = "app"
version = "0"
requires-python = ">=3.11"
dependencies = [{dependencies}]
{more}
"""

INTERNAL = wheel("internal-package", "1.1.0", requires=["internal-dep", "iniconfig"])
FILES = dict([INTERNAL, wheel("internal-dep", "1.0.0")])


@dataclass(kw_only=True)
class Stand:
    """A project, the private repository that it needs, and a public index."""

    home: Home
    packages: Packages
    public: PublicIndex

    @property
    def project(self) -> Path:
        """The project's directory."""
        return self.home.path

    def write(self, *dependencies: str, more: str = "") -> None:
        """Write the project."""
        listed = ", ".join(f'"{dependency}"' for dependency in dependencies)
        text = APP.format(dependencies=listed, more=more)
        (self.project / "pyproject.toml").write_text(text)

    def configure(self, *keys: str) -> None:
        """Configure the repository."""
        lines = ["[[releases]]", f'url = "{self.packages.place}"', *keys]
        self.home.configure("\n".join(lines))

    def run(self, *command: str, **environ: str) -> Done:
        """Run a command by `exec`."""
        return self.home.run("exec", "--", *command, environ=self.environ(**environ))

    def plain(self, *command: str, **environ: str) -> Done:
        """Run a command without this package, and without a token."""
        return self.home.run(
            program=command, environ={**self.environ(**environ), "UV_GITHUB_TOKEN": ""}
        )

    def environ(self, **more: str) -> dict[str, str]:
        """Return the variables of the user."""
        return {
            "UV_GITHUB_TOKEN": PASSWORD,
            "UV_DEFAULT_INDEX": self.public.index,
            "UV_HTTP_RETRIES": "0",
            **more,
        }

    @property
    def lock(self) -> Path:
        """The project's lock file."""
        return self.project / "uv.lock"


@pytest.fixture
def stand(home: Home) -> Iterator[Stand]:
    """Return a project that needs a package of a private release."""
    with ExitStack() as stack:
        packages = stack.enter_context(Packages(releases=[ReleaseOf(tag="v1.1.0", files=FILES)]))
        public = stack.enter_context(
            PublicIndex([wheel("iniconfig", "2.0.0"), wheel("internal-package", "99.0")])
        )
        stand = Stand(home=home, packages=packages, public=public)
        home.bin.mkdir(parents=True)
        shutil.copy2(uv_of("newest"), home.uv)
        shutil.copy2(uv_of("newest").with_name("uvx"), home.bin / "uvx")
        stand.write("internal-package")
        stand.configure('packages = ["internal-*"]')
        yield stand


def uv_of(version: str) -> Path:
    """Return the real uv of a version."""
    return binaries.executables(binaries.version(version)) / "uv"


def done(answer: Done) -> Done:
    """Return how a command ended, once it is known that it succeeded."""
    assert answer.code == 0, answer.err
    return answer


def locked(stand: Stand) -> dict[str, str]:
    """Return the locked packages, each with its version and its registry."""
    document = tomllib.loads(stand.lock.read_text())
    return {
        package["name"]: f"{package['version']} {package['source'].get('registry', '')}"
        for package in document["package"]
        if package["name"] != "app"
    }


@pytest.mark.parametrize("version", ["0.5.0", "0.8.24", "0.11.13", "newest"])
def test_lock_is_the_same_everywhere(version: str, stand: Stand, tmp_path: Path) -> None:
    """What one machine locks, another checks and installs, with a cold cache and another port."""
    shutil.copy2(uv_of(version), stand.home.uv)
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


def test_no_secret_and_no_port_is_left(stand: Stand) -> None:
    """Nothing that uv writes holds the token, the secret of the run, or a port of ours."""
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


@pytest.mark.parametrize(
    "command",
    [
        ["uv", "lock", "--upgrade"],
        ["uv", "sync"],
        ["uv", "run", "python", "-c", "import internal_package"],
        ["uv", "run", "--with", "internal-dep", "python", "-c", "import internal_dep"],
        ["uv", "tree", "--outdated"],
        ["uv", "export"],
        ["uvx", "--from", "internal-dep", "python", "-c", "import internal_dep"],
        ["uv", "pip", "compile", "pyproject.toml"],
        ["sh", "-c", "uv venv -q && uv pip install internal-package"],
        ["sh", "-c", "uv tool install internal-package && uv tool upgrade internal-package"],
    ],
    ids=" ".join,
)
def test_commands(command: list[str], stand: Stand) -> None:
    """Every command of uv that takes packages takes them from the release."""
    done(stand.run(*command))


def test_script_with_inline_metadata(stand: Stand) -> None:
    """A script of PEP 723 gets its package."""
    script = stand.project / "script.py"
    script.write_text(
        '# /// script\n# dependencies = ["internal-dep"]\n# ///\n'
        "import internal_dep\nprint(internal_dep.VERSION)\n"
    )

    assert done(stand.run("uv", "run", "script.py")).out == "1.0.0\n"


@pytest.mark.parametrize(
    ("more", "environ"),
    [
        ("", {}),
        ("", {"UV_INDEX_STRATEGY": "unsafe-best-match"}),
        ('[tool.uv]\nindex-strategy = "unsafe-best-match"\n', {}),
        ("", {"UV_EXTRA_INDEX_URL": "PUBLIC"}),
        ("", {"UV_INDEX": "PUBLIC"}),
    ],
)
@pytest.mark.parametrize("dependency", ["internal-package", "outer"])
def test_public_package_of_the_same_name_loses(
    dependency: str, more: str, environ: dict[str, str], stand: Stand
) -> None:
    """Ours wins over a public 99.0, also as a dependency of a dependency."""
    stand.packages.releases.append(
        ReleaseOf(tag="outer", files=dict([wheel("outer", "1.0", requires=["internal-package"])]))
    )
    stand.configure('packages = ["internal-*", "outer"]')
    stand.write(dependency, more=more)
    given = {name: value.replace("PUBLIC", stand.public.index) for name, value in environ.items()}

    done(stand.run("uv", "lock", **given))

    assert locked(stand)["internal-package"] == f"1.1.0 {stand.packages.index}"


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


def test_option_that_lets_others_win_is_refused(stand: Stand) -> None:
    """The unsafe strategies are refused on the command line, before anything is run."""
    answer = stand.run("uv", "lock", "--index-strategy", "unsafe-best-match")

    assert answer.code == 2
    assert "`--index-strategy unsafe-best-match` cannot be used with `exec`" in answer.err


def test_exit_code_and_streams_are_the_commands(stand: Stand) -> None:
    """The exit code, the output and the arguments of any command pass through."""
    answer = stand.run("sh", "-c", 'echo "$0 $1"; echo said >&2; exit 7', "a b", "--source")

    assert (answer.code, answer.out, answer.err) == (7, "a b --source\n", "said\n")
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
    other = dict([wheel("internal-package", "1.1.0", padding=9)])
    stand.packages.releases.append(ReleaseOf(tag="again", files=other))

    answer = stand.run("uv", "lock")

    assert answer.code != 0
    assert "different files named internal_package-1.1.0-py3-none-any.whl" in answer.err
    assert "v1.1.0 and again" in answer.err


@pytest.mark.parametrize("tag", ["release/1.1.0", "1.1.0+build", "v 1"])
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
