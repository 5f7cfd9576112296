"""Measure what lists cost that are out to fill memory, or to keep the program busy.

Each case is a source whose server sends such a list, made while it is sent: nothing is stored.
`uv-self-update releases` reads it in a process of its own, whose peak memory and time are taken.

    uv run python benchmarks/hostile_lists.py [--src DIR] [--only CASE]
"""

from __future__ import annotations

import argparse
import gzip
import http.server
import itertools
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

ROOT = Path(__file__).parents[1]
MIB = 1 << 20

_BOUND = 3 << 30
"""Bytes of address space that a run may have: what wants more has failed long before."""

_LONGEST = 60.0
"""Seconds that a run may take."""

_AIM = 128 * MIB
_TIMEOUT = "2"
"""Seconds of `network.timeout`: the limit on the whole is ten times that."""

Body = Callable[[str, dict[str, str]], tuple[Iterator[bytes], dict[str, str]]]
"""From path and query to what is sent, before it is packed, and headers."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One row of the table."""

    name: str
    kind: str
    path: str
    body: Body
    packed: bool = True
    """Whether it is sent as gzip, where it can be a thousandth of its size."""

    rate: float | None = None
    """Bytes a second; None for as fast as can be."""


def repeated(start: bytes, piece: bytes, size: int, end: bytes) -> Iterator[bytes]:
    """Yield a body of about `size` bytes."""
    block = piece * max(1, (64 << 10) // len(piece))
    yield start
    for _ in range(max(1, size // len(block))):
        yield block
    yield end


def release(version: str, *, notes: int, files: int) -> dict[str, object]:
    """Return GitHub's JSON for a release."""
    who = {"login": "uploader", "id": 1, "url": "https://api.example/" + "u" * 60}
    return {
        "tag_name": version,
        "name": version,
        "draft": False,
        "published_at": "2026-01-29T20:24:46Z",
        "body": "n" * notes,
        "assets": [
            {
                "id": number,
                "name": f"uv-x86_64-unknown-linux-{number}.tar.gz" if number else _ARCHIVE,
                "digest": f"sha256:{number:064x}",
                "browser_download_url": "https://example/" + "d" * 100,
                "label": "l" * 1300,
                "uploader": who,
            }
            for number in range(files)
        ],
    }


_ARCHIVE = f"uv-{os.uname().machine}-unknown-linux-gnu.tar.gz"


@cache
def _real() -> list[bytes]:
    """Return 400 releases of 87 KB each, as uv has them, the newest first."""
    versions = [f"0.{minor}.{patch}" for minor in range(19, -1, -1) for patch in range(19, -1, -1)]
    return [json.dumps(release(found, notes=8000, files=46)).encode() for found in versions]


def real_pages(path: str, query: dict[str, str]) -> tuple[Iterator[bytes], dict[str, str]]:
    """Serve the 400 in pages, as GitHub does; by tag, one of them."""
    size, number = int(query.get("per_page", "30")), int(query.get("page", "1"))
    found = _real()[size * (number - 1) : size * number]
    more = {"Link": f'<{path}?per_page={size}&page={number + 1}>; rel="next"'}
    return iter([b"[", b",".join(found), b"]"]), more if size * number < len(_real()) else {}


def real_file(_: str, __: dict[str, str]) -> tuple[Iterator[bytes], dict[str, str]]:
    """Serve the 400 as one document of 35 MB."""
    return (piece for piece in (b"[", b",".join(_real()), b"]")), {}


def many_pages(entry: bytes) -> Body:
    """Return pages of 30 MiB without end, each of one entry over and over, as a forge has them."""
    numbers = itertools.count(2)

    def body(path: str, _: dict[str, str]) -> tuple[Iterator[bytes], dict[str, str]]:
        pieces = repeated(b"[" + entry, b"," + entry, 30 * MIB, b"]")
        return pieces, {"Link": f'<{path}?page={next(numbers)}>; rel="next"'}

    return body


def nexus(_: str, __: dict[str, str]) -> tuple[Iterator[bytes], dict[str, str]]:
    """Return pages of a search without end."""
    item = b'{"path":"0.1.2/uv-x86_64-unknown-linux-gnu.tar.gz","checksum":{"sha256":"0"}}'
    end = f'],"continuationToken":"{next(_NUMBERS)}"}}'.encode()
    return repeated(b'{"items":[' + item, b"," + item, MIB, end), {}


_NUMBERS = itertools.count()


def bucket(_: str, __: dict[str, str]) -> tuple[Iterator[bytes], dict[str, str]]:
    """Return pages of 1,000 keys without end."""
    page = next(_NUMBERS)
    keys = "".join(
        f"<Contents><Key>{page}-{number}-{'k' * 900}</Key></Contents>" for number in range(1000)
    )
    more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{page}</NextContinuationToken>"
    return iter([f"<ListBucketResult>{keys}{more}</ListBucketResult>".encode()]), {}


def container(_: str, __: dict[str, str]) -> tuple[Iterator[bytes], dict[str, str]]:
    """Return pages of 5,000 blobs without end."""
    page = next(_NUMBERS)
    blobs = "".join(f"<Blob><Name>{page}-{number}</Name></Blob>" for number in range(5000))
    text = f"<Blobs>{blobs}</Blobs><NextMarker>{page}</NextMarker>"
    return iter([f"<EnumerationResults>{text}</EnumerationResults>".encode()]), {}


def whole(start: bytes, piece: bytes, end: bytes, size: int = 31 * MIB) -> Body:
    """Return one document of the same piece over and over."""
    return lambda _, __: (repeated(start, piece, size, end), {})


def numbered(start: bytes, piece: bytes, count: int) -> Body:
    """Return a page of pieces, each with a number of its own."""

    def body(_: str, __: dict[str, str]) -> tuple[Iterator[bytes], dict[str, str]]:
        blocks = (
            b"".join(piece % number for number in range(first, first + 1000))
            for first in range(0, count, 1000)
        )
        return itertools.chain([start], blocks), {"Content-Type": "text/html"}

    return body


_PATH = "/o/r"
_EMPTY = b"{},"
_XML = b"<a/>"

CASES = (
    Case(name="github, uv's own 400 releases", kind="github", path=_PATH, body=real_pages),
    Case(name="github, the same as one document", kind="github", path=_PATH, body=real_file),
    Case(name="urls, the same as one document", kind="urls", path="/all.json", body=real_file),
    Case(
        name="github, pages without end",
        kind="github",
        path=_PATH,
        body=many_pages(json.dumps(release("0.1.2", notes=9, files=40)).encode()),
    ),
    Case(
        name="github, one page of small objects",
        kind="github",
        path=_PATH,
        body=whole(b"[", _EMPTY, b"{}]"),
    ),
    Case(
        name="github, one release of small objects",
        kind="github",
        path=_PATH,
        body=whole(b'[{"tag_name":"0.1.2","x":[', _EMPTY, b"{}]}]"),
    ),
    Case(
        name="gitlab, pages without end",
        kind="gitlab",
        path="/group/uv",
        body=many_pages(b'{"tag_name":"0.1.2","version":"0.1.2","name":"uv","id":7,"assets":{}}'),
    ),
    Case(
        name="gitea, pages without end",
        kind="gitea",
        path=_PATH,
        body=many_pages(b'{"tag_name":"0.1.2","version":"0.1.2","name":"uv","id":7,"assets":[]}'),
    ),
    Case(name="nexus, a search without end", kind="nexus", path="/repository/uv", body=nexus),
    Case(
        name="artifactory, a folder of small objects",
        kind="artifactory",
        path="/artifactory/uv",
        body=whole(b'{"children":[', _EMPTY, b"{}]}"),
    ),
    Case(name="s3, pages without end", kind="s3", path="/mirror", body=bucket),
    Case(
        name="artifactory, a folder of 50,000 files",
        kind="artifactory",
        path="/artifactory/uv",
        body=whole(b'{"children":[', b'{"uri":"/a","folder":false},', b"{}]}", 1_500_000),
    ),
    Case(
        name="s3, one page of 8 million elements",
        kind="s3",
        path="/mirror",
        body=whole(b"<ListBucketResult>", _XML, b"</ListBucketResult>"),
    ),
    Case(
        name="s3, one page of 250,000 elements",
        kind="s3",
        path="/mirror",
        body=whole(b"<ListBucketResult>", _XML, b"</ListBucketResult>", 249_000 * len(_XML)),
    ),
    Case(name="azure, pages without end", kind="s3", path="/mirror", body=container),
    Case(
        name="listing, a page of links",
        kind="listing",
        path="/uv",
        body=numbered(b"", b'<a href="%d.tar.gz">x</a>', 250_000),
    ),
    Case(
        name="listing, a page of attributes",
        kind="listing",
        path="/uv",
        body=numbered(b"<h1", b" a%d=1", 700_000),
    ),
    Case(
        name="listing, JSON of small objects",
        kind="listing",
        path="/uv",
        body=whole(b"[", _EMPTY, b"{}]"),
    ),
    Case(
        name="astral, lines without end",
        kind="astral",
        path="/m",
        body=whole(
            b"", b'{"version":"0.1.2","artifacts":[{"url":"a/uv-a-b.zip"}]}\n', b"", 1 << 30
        ),
    ),
    Case(
        name="urls, one document of small objects",
        kind="urls",
        path="/all.json",
        body=whole(b'{"tag_name":"0.1.2","assets":[', _EMPTY, b"{}]}"),
    ),
    Case(
        name="github, 1,500 bytes a second",
        kind="github",
        path=_PATH,
        body=whole(b"[", b'{"tag_name":"a"},', b"{}]"),
        packed=False,
        rate=1500,
    ),
    Case(
        name="listing, 1,500 bytes a second",
        kind="listing",
        path="/uv",
        body=whole(b"", b"<p>nothing</p>", b""),
        packed=False,
        rate=1500,
    ),
)


class Quiet(http.server.ThreadingHTTPServer):
    """A server that says nothing of clients that leave."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


def _serve(case: Case, ready: Connection) -> None:
    """Answer every request with the case's body."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, case)

        def do_HEAD(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = Quiet(("127.0.0.1", 0), Handler)
    _real()
    ready.send(f"http://127.0.0.1:{server.server_port}")
    server.serve_forever()


@contextmanager
def served(case: Case) -> Iterator[str]:
    """Serve a case in a process of its own, and return its address."""
    ready, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("fork").Process(
        target=_serve, args=(case, theirs), daemon=True
    )
    server.start()
    try:
        yield ready.recv()
    finally:
        server.kill()
        server.join()


def _answer(handler: http.server.BaseHTTPRequestHandler, case: Case) -> None:
    parts = urlsplit(handler.path)
    query = dict(parse_qsl(parts.query))
    missing = parts.path.endswith("uv.ndjson") and case.kind != "astral"
    # The pages to browse are switched off, so that Nexus is searched; and S3 is not Azure.
    missing = missing or "/browse/" in parts.path or "/tags/" in parts.path
    missing = missing or (case.body is container and "restype" not in query)
    if missing:
        handler.send_error(404)
        return
    pieces, headers = case.body(parts.path, query)
    handler.send_response(200)
    for name, value in ({"Content-Type": "application/json"} | headers).items():
        handler.send_header(name, value)
    if case.packed:
        handler.send_header("Content-Encoding", "gzip")
    handler.send_header("Connection", "close")
    handler.end_headers()
    if case.packed:
        with gzip.GzipFile(fileobj=handler.wfile, mode="wb", compresslevel=1) as out:
            for piece in pieces:
                out.write(piece)
        return
    for piece in pieces:
        for start in range(0, len(piece), 150):
            handler.wfile.write(piece[start : start + 150])
            if case.rate is not None:
                time.sleep(150 / case.rate)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What one run took."""

    peak: int
    """Bytes."""

    seconds: float
    said: str


_LAUNCHER = """
import resource, subprocess, sys
bound, longest = int(sys.argv[1]), float(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
with subprocess.Popen(sys.argv[3:], stdout=subprocess.DEVNULL) as process:
    try:
        process.wait(longest)
    except subprocess.TimeoutExpired:
        process.kill()
print(process.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""A small process between: a child begins with the memory of its parent, which counts as its peak.

It prints the exit code, and the peak in KiB.
"""


def measure(case: Case, source: Path, folder: Path) -> Measured:
    """List the releases of a source, within bounds."""
    with served(case) as server:
        url = server + case.path
        keys = (
            f'url = "{url}"'
            if case.kind != "urls"
            else (f'latest = "{url}"\ndownload = "{server}/{{tag}}/{{asset}}"')
        )
        config = folder / "config.toml"
        config.write_text(
            f'[[source]]\nkind = "{case.kind}"\n{keys}\n[network]\ntimeout = {_TIMEOUT}\n'
            "retries = 0\n"
        )
        uv = folder / "uv"
        uv.write_text("#!/bin/sh\necho uv 0.13.9\n")
        uv.chmod(0o755)
        errors = folder / "errors"
        command = [sys.executable, "-m", "uv_self_update", "releases", "--config", str(config)]
        environ = {"PATH": f"{folder}:{os.defpath}", "HOME": str(folder), "PYTHONPATH": str(source)}
        begin = time.monotonic()
        with errors.open("wb") as file:
            run = subprocess.run(
                [sys.executable, "-c", _LAUNCHER, str(_BOUND), str(_LONGEST), *command],
                env=environ,
                stdout=subprocess.PIPE,
                stderr=file,
                check=True,
            )
        seconds = time.monotonic() - begin
    code, peak = map(int, run.stdout.split())
    return Measured(
        peak=peak * 1024,
        seconds=seconds,
        said=_said(code, errors.read_text(errors="replace").replace(server, "")),
    )


def _said(code: int, errors: str) -> str:
    if code < 0:
        return f"no end within {_LONGEST:.0f} s"
    lines = [line for line in errors.splitlines() if line.startswith("error")]
    return f"{code}: {lines[-1].removeprefix('error: ')}" if lines else f"{code}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--src", type=Path, default=ROOT / "src", help="the code that is measured")
    parser.add_argument("--only", default="", help="part of the names of the cases")
    options = parser.parse_args()
    print("| list | peak MiB | seconds | exit code and message |\n| --- | ---: | ---: | --- |")
    worst = 0
    for case in CASES:
        if options.only in case.name:
            with tempfile.TemporaryDirectory() as folder:
                found = measure(case, options.src.resolve(), Path(folder))
            worst = max(worst, found.peak)
            print(
                f"| {case.name} | {found.peak / MIB:.0f} | {found.seconds:.1f} | {found.said} |",
                flush=True,
            )
    print(f"\nThe largest peak is {worst / MIB:.0f} MiB, of {_AIM // MIB} MiB.")


if __name__ == "__main__":
    main()
