"""Measure `mirror` of 30 releases for 3 platforms on an emulated line, against curl.

    PYTHONPATH=tests uv run python benchmarks/mirrored.py [--releases N] [--mbit N] [--rtt N]

The server is on loopback, behind the line of `wan.py`. Each release has archives of other bytes.
curl fetches four files at once, as `mirror` does.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import random
import tarfile
import tempfile
from pathlib import Path

from installed import install
from measured import measured
from support.homes import Home
from support.web import Page, Web
from wan import NEAR, line

_TRIPLES = "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-apple-darwin"
_SIZE = 1 << 20  # bytes of each executable
_REPOSITORY = "/astral-sh/uv/releases"


def main() -> None:
    """Measure, and print the times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--releases", type=int, default=30)
    parser.add_argument("--mbit", type=float, default=50.0)
    parser.add_argument("--rtt", type=int, default=40, help="milliseconds")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, Web() as web:
        directory = Path(place)
        files = lay_out(web, options.releases)
        command = str(install(directory))
        home = Home(path=directory / "home")
        home.path.mkdir()
        port = int(web.url.rpartition(":")[2])
        with line(ports=[port], mbit=options.mbit, log=directory / "log") as near:
            near.set(options.rtt)
            url = f"http://{NEAR}:{port}"
            config = "".join(f'url = "{url}{path}"\noutput = "{path[1:]}"\n' for path in files)
            (directory / "curl").write_text(config)
            curl = ["curl", "--fail", "--silent", "--parallel", "--parallel-max", "4"]
            ours = [command, "--source", f"github+{url}/astral-sh/uv", "mirror"]
            ours += ["--limit", str(options.releases)]
            programs = {
                "curl": [*curl, "--create-dirs", "--config", str(directory / "curl")],
                "mirror --no-wheels": [*ours, str(directory / "archives"), "--no-wheels"],
                "mirror": [*ours, str(directory / "all")],
            }
            took = {
                name: measured(program, home.full_environ(), directory=directory)
                for name, program in programs.items()
            }
    size = sum(files.values())
    print(f"{len(files)} files, {size / 1e6:.0f} MB, {options.mbit:g} Mbit/s, {options.rtt} ms")
    for name, done in took.items():
        if done.code:
            raise AssertionError(done)
        rate, ratio = size * 8 / 1e6 / done.wall, done.wall / took["curl"].wall
        cpu = f"CPU {done.cpu:.1f} s"
        print(f"{name}: {done.wall:.1f} s, {rate:.1f} Mbit/s, {ratio:.2f} of curl, {cpu}")


def lay_out(web: Web, releases: int) -> dict[str, int]:
    """Serve releases as GitHub Enterprise Server does; return the path and size of each file."""
    documents, files = [], {}
    for number in reversed(range(releases)):
        version, assets = f"0.12.{number}", []
        for triple in _TRIPLES:
            name, content = f"uv-{triple}.tar.gz", archive(triple, seed=f"{version} {triple}")
            path = f"{_REPOSITORY}/download/{version}/{name}"
            web.pages[path] = Page(body=content)
            files[path] = len(content)
            digest = hashlib.sha256(content).hexdigest()
            assets.append({"name": name, "size": len(content), "digest": f"sha256:{digest}"})
        documents.append(
            {"tag_name": version, "draft": False, "prerelease": False, "assets": assets}
        )
    web.pages[f"/api/v3/repos{_REPOSITORY}"] = Page(body=json.dumps(documents).encode())
    return files


def archive(triple: str, *, seed: str) -> bytes:
    """Return an archive as cargo-dist packs it, with executables of noise."""
    noise, packed = random.Random(seed), io.BytesIO()  # noqa: S311 # no secret
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as file:
        for name in ("uv", "uvx"):
            member = tarfile.TarInfo(f"uv-{triple}/{name}")
            member.size, member.mode = _SIZE, 0o755
            file.addfile(member, io.BytesIO(noise.randbytes(_SIZE)))
    return packed.getvalue()


if __name__ == "__main__":
    main()
