"""Small index servers, and trees of files that are an index behind any web server."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from support.mirrors import sha256
from support.servers import listings
from support.servers.installed import python_environment
from support.servers.running import HOST, free_port, running, work_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SIMPLEINDEX = """\
[routes."{{project}}"]
source = "path"
to = "{folder}"

[server]
host = "{host}"
port = {port}
"""


@contextmanager
def simple_repository_server(wheels: Path) -> Iterator[str]:
    """Run simple-repository-server on a directory of wheels of uv.

    Yields:
        The index's URL.
    """
    programs = python_environment("simple-repository-server==0.10.0")
    with free_port() as port, work_folder() as work:
        _copy(wheels, work / "files" / "uv")
        command = (str(programs / "simple-repository-server"), "--host", HOST, "--port", str(port))
        with running(*command, str(work / "files"), port=port, work=work):
            yield f"http://{HOST}:{port}/simple/"


@contextmanager
def simpleindex(wheels: Path) -> Iterator[str]:
    """Run simpleindex on a directory of wheels of uv; see simple_repository_server."""
    programs = python_environment("simpleindex==0.6.3")
    with free_port() as port, work_folder() as work:
        configuration = work / "simpleindex.toml"
        configuration.write_text(_SIMPLEINDEX.format(folder=wheels, host=HOST, port=port))
        with running(str(programs / "simpleindex"), str(configuration), port=port, work=work):
            yield f"http://{HOST}:{port}/"


@contextmanager
def morgan(wheels: Path) -> Iterator[str]:
    """Run morgan on a directory of wheels of uv; see simple_repository_server."""
    programs = python_environment("morgan==0.15.0")
    with free_port() as port, work_folder() as work:
        for wheel in _copy(wheels, work / "files" / "uv"):
            wheel.with_name(f"{wheel.name}.hash").write_text(f"sha256={sha256(wheel)}")
        command = (str(programs / "morgan"), "-i", str(work / "files"))
        with running(*command, "-H", HOST, "-p", str(port), "serve", port=port, work=work):
            yield f"http://{HOST}:{port}/"


@contextmanager
def pypi_timemachine(index: str) -> Iterator[str]:
    """Run pypi-timemachine before another index, as it is today; see simple_repository_server."""
    programs = python_environment("pypi-timemachine==0.3.1")
    with free_port() as port, work_folder() as work:
        command = (str(programs / "pypi-timemachine"), "--port", str(port), "--index-url", index)
        with running(*command, "2100-01-01", port=port, work=work):
            yield f"http://{HOST}:{port}/"


@contextmanager
def dumb_pypi(wheels: Path) -> Iterator[str]:
    """Serve what dumb-pypi makes of a directory of wheels; see simple_repository_server."""
    programs = python_environment("dumb-pypi==1.15.0")
    with work_folder() as work:
        packages = _copy(wheels, work / "made" / "packages")
        names = work / "names"
        names.write_text("".join(f"{wheel.name}\n" for wheel in packages))
        command: list[str | Path] = [
            programs / "dumb-pypi",
            "--package-list",
            names,
            "--output-dir",
            work / "made",
        ]
        subprocess.run([*command, "--packages-url", "../../packages/"], check=True)
        with listings.nginx(work / "made", listing="off", index=True) as url:
            yield f"{url}/simple/"


@contextmanager
def bandersnatch_tree(wheels: Path) -> Iterator[str]:
    """Serve a tree laid out as bandersnatch does it; see simple_repository_server."""
    with work_folder() as work:
        page = work / "web" / "simple" / "uv"
        page.mkdir(parents=True)
        packages = _copy(wheels, work / "web" / "packages" / "ab" / "cd" / "ef")
        links = "".join(
            f'<a href="../../packages/ab/cd/ef/{wheel.name}#sha256={sha256(wheel)}" '
            f'data-requires-python="&gt;=3.8" >{wheel.name}</a><br/>\n'
            for wheel in packages
        )
        title = "Links for uv"
        page.joinpath("index.html").write_text(
            f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body>{links}</body></html>"
        )
        with listings.nginx(work / "web", listing="off", index=True) as url:
            yield f"{url}/simple/"


def _copy(wheels: Path, folder: Path) -> list[Path]:
    folder.mkdir(parents=True)
    return [shutil.copyfile(wheel, folder / wheel.name) for wheel in sorted(wheels.glob("*.whl"))]
