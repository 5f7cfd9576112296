"""A project that needs packages of a private release, and what `exec` does for it."""

from __future__ import annotations

import tomllib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from support import binaries
from support.homes import PROGRAM
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

    def use(self, version: str) -> None:
        """Let `uv` be the real one of a version."""
        for name in ("uv", "uvx"):
            # A link to it: uv runs itself only for what no test here does.
            (self.home.bin / name).unlink(missing_ok=True)
            (self.home.bin / name).symlink_to(uv_of(version).with_name(name))

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

    def start(self, *command: str) -> Done:
        """Run a command by `exec`, in a process of its own."""
        return self.home.start(*PROGRAM, "exec", "--", *command, environ=self.environ())

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


@contextmanager
def standing(home: Home) -> Iterator[Stand]:
    """Make a project that needs a package of a private release."""
    with ExitStack() as stack:
        packages = stack.enter_context(
            Packages(releases=[ReleaseOf(tag="v1.1.0", files=dict(FILES))])
        )
        public = stack.enter_context(
            PublicIndex([wheel("iniconfig", "2.0.0"), wheel("internal-package", "99.0")])
        )
        stand = Stand(home=home, packages=packages, public=public)
        home.bin.mkdir(parents=True)
        stand.use("newest")
        stand.write("internal-package")
        stand.configure('packages = ["internal-*"]')
        yield stand


def newest_and(*older: str) -> pytest.MarkDecorator:
    """Run a test with the newest uv, and with older ones in the slow step."""
    slow = [pytest.param(version, marks=pytest.mark.slow) for version in older]
    return pytest.mark.parametrize("version", ["newest", *slow])


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
