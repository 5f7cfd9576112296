"""How fast an archive comes through the gateway, against curl straight from the mirror.

A whole `uv-self-update` is run, with a release whose installer measures: it has curl fetch the
archive in turns, straight from the mirror and through the gateway, and reads the peak memory of
the gateway's process in the end.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from installed import install
from mirror import mirror
from support import binaries
from support.homes import Home
from uv_self_update import platforms

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROUNDS = 5
_SIZE = 1 << 30  # bytes
_BLOCK = 1 << 20
_VERSION = "99.0.0"
_INSTALLER = """\
#!/bin/sh
set -eu
for round in $(seq @ROUNDS@); do
    curl -sSf -o /dev/null -w 'curl %{size_download} %{speed_download}\\n' '@DIRECT@' >>'@RESULT@'
    curl -sSf -o /dev/null -w 'gateway %{size_download} %{speed_download}\\n' \\
        "${UV_INSTALLER_GHE_BASE_URL}astral-sh/uv/releases/download/@VERSION@/@ARCHIVE@" \\
        >>'@RESULT@'
done
# The parent of uv, which is the parent of this.
gateway="$(awk '/^PPid:/ { print $2 }' "/proc/$PPID/status")"
awk '/^VmHWM:/ { print "peak", $2, $3 }' "/proc/$gateway/status" >>'@RESULT@'
"""


def main() -> None:
    """Measure without and with a digest to check, and print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    parser.add_argument("--size", type=int, default=_SIZE, help="bytes, a multiple of 1 MiB")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        archive = folder / "mirror" / platforms.current().archive
        digest = write_archive(archive, options.size)
        command = install(folder)
        home = Home(path=folder / "home")
        home.install(binaries.newest())
        with mirror(archive.parent) as url:
            for name, sha256 in {"no digest": None, "digest checked": digest}.items():
                result = folder / name
                lay_out(archive, sha256, url, result, options.rounds)
                home.configure(
                    f'[[source]]\nkind = "urls"\nlatest = "{url}/latest.json"\n'
                    f'download = "{url}/{{asset}}"\n'
                )
                done = home.run("--installer", "release", program=[str(command)])
                if done.code != 0:
                    raise AssertionError(done)
                report(name, options.size, result.read_text().splitlines())


def write_archive(path: Path, size: int) -> str:
    """Write a file of random bytes, and return its digest."""
    path.parent.mkdir()
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(size // _BLOCK):
            block = os.urandom(_BLOCK)
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def lay_out(archive: Path, sha256: str | None, url: str, result: Path, rounds: int) -> None:
    """Write the release and its installer beside its archive."""
    script = _INSTALLER
    for name, value in {
        "ROUNDS": str(rounds),
        "DIRECT": f"{url}/{archive.name}",
        "RESULT": str(result),
        "VERSION": _VERSION,
        "ARCHIVE": archive.name,
    }.items():
        script = script.replace(f"@{name}@", value)
    (archive.parent / "uv-installer.sh").write_text(script)
    digest = None if sha256 is None else f"sha256:{sha256}"
    assets = [{"name": "uv-installer.sh"}, {"name": archive.name, "digest": digest}]
    release = {"tag_name": _VERSION, "assets": assets}
    (archive.parent / "latest.json").write_text(json.dumps(release))


def report(name: str, size: int, lines: Sequence[str]) -> None:
    """Print medians, and their ratio."""
    speeds: dict[str, list[float]] = {"curl": [], "gateway": []}
    peak = ""
    for line in lines:
        kind, *values = line.split(" ")
        if kind == "peak":
            peak = f"{int(values[0]) / 1024:.1f} MiB"
        else:
            if int(values[0]) != size:
                raise AssertionError(line)
            speeds[kind].append(float(values[1]))
    curl, gateway = (statistics.median(speeds[kind]) / 2**20 for kind in ("curl", "gateway"))
    print(
        f"{size >> 20} MiB, {name}: curl {curl:.0f} MiB/s, "
        f"through the gateway {gateway:.0f} MiB/s, {gateway / curl:.2f} of it "
        f"(medians of {len(speeds['curl'])}); peak memory {peak}"
    )


if __name__ == "__main__":
    main()
