"""Package index servers: devpi, pypiserver, and proxpi, which keeps what another index has."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

import httpx

from support.missing import missing
from support.servers.running import HOST, free_port, running, script, work_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_ANSWER = 30  # seconds for what a server does with a wheel
_USER, _PASSWORD = "company", "of-the-company"
# The default takes seconds, to protect what does not outlive the test.
_CHEAP = ("--argon2-memory-cost", "8", "--argon2-time-cost", "1", "--argon2-parallelism", "1")


@contextmanager
def devpi(wheels: Iterable[Path]) -> Iterator[str]:
    """Run devpi with an index of its own, which wheels are uploaded to.

    Yields:
        The index's URL.
    """
    init, server = script("devpi-init"), script("devpi-server")
    with free_port() as port, work_folder() as work:
        data = str(work / "data")
        subprocess.run(
            [init, "--serverdir", data, "--no-root-pypi"],
            cwd=work,
            check=True,
            capture_output=True,
        )
        command = (server, "--serverdir", data, "--host", HOST, "--port", str(port))
        with running(*command, *_CHEAP, port=port, work=work):
            url = f"http://{HOST}:{port}"
            _fill_devpi(url, wheels)
            yield f"{url}/{_USER}/uv/+simple/"


@contextmanager
def pypiserver(folder: Path, *, digests: str = "sha256") -> Iterator[str]:
    """Run pypiserver on a folder of wheels.

    Args:
        folder: Where the wheels are.
        digests: The algorithm of the digests in its links.

    Yields:
        The index's URL.
    """
    server = script("pypi-server")
    with free_port() as port, work_folder() as work:
        command = (server, "run", "--interface", HOST, "--port", str(port), "--disable-fallback")
        hashes = ("--hash-algo", digests)
        with running(*command, *hashes, str(folder), port=port, work=work):
            yield f"http://{HOST}:{port}/simple/"


@contextmanager
def proxpi(index: str) -> Iterator[str]:
    """Run proxpi before another index, whose root has to list its projects.

    Yields:
        The URL of the index that it makes of that.
    """
    if find_spec("proxpi") is None:
        missing("proxpi is not installed: it is in the group `servers`")
    with free_port() as port, work_folder() as work:
        environ = {
            "PROXPI_INDEX_URL": index,
            "PROXPI_CACHE_DIR": str(work / "files"),
            # Sooner than that, it would send its client to the other index.
            "PROXPI_DOWNLOAD_TIMEOUT": str(_ANSWER),
        }
        command = (sys.executable, "-m", "flask", "--app", "proxpi.server", "run")
        arguments = ("--host", HOST, "--port", str(port))
        with running(*command, *arguments, port=port, work=work, environ=environ):
            yield f"http://{HOST}:{port}/index/"


def _fill_devpi(url: str, wheels: Iterable[Path]) -> None:
    with httpx.Client(base_url=url, trust_env=False, timeout=_ANSWER) as client:
        client.put(f"/{_USER}", json={"password": _PASSWORD}).raise_for_status()
        client.auth = (_USER, _PASSWORD)
        client.put(f"/{_USER}/uv", json={"bases": []}).raise_for_status()
        for wheel in wheels:
            name, version, *_ = wheel.name.split("-")
            fields = {":action": "file_upload", "name": name, "version": version}
            with wheel.open("rb") as content:
                upload = {"content": (wheel.name, content)}
                client.post(f"/{_USER}/uv/", data=fields, files=upload).raise_for_status()
