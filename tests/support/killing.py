"""A home whose updates are killed or stopped, and what must hold then and after the next one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from support import binaries
from support.homes import Home, describe
from uv_self_update.uv.receipt import new_receipt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

OLD, NEW = "0.5.0", "0.5.31"
"""Small ones: an update takes some tenths of a second, of which there are many."""

RECEIPTS = ("own", "none", "another")
"""What uv's receipt is about. Unless that is this uv, it is adopted."""

_TIMEOUT = 120  # seconds for one command, under a tracer on a busy machine


class Victim:
    """A home with an old uv, and a folder with a newer one."""

    def __init__(self, root: Path, receipt: str = "own", source: str | None = None) -> None:
        """Prepare it, and update it once undisturbed, so that it is known how that ends.

        Args:
            root: An empty folder, or one that does not exist yet.
            receipt: One of `RECEIPTS`.
            source: Where the newer one is; None for a folder of this home.
        """
        self.root = root
        self.receipt = receipt
        self.temporary = root / "temporary"
        self.mirror = root / "mirror"
        self.home = Home(
            path=root / "home",
            environ={
                "TMPDIR": str(self.temporary),
                "UV_CACHE_DIR": str(root / "cache"),
                "UV_SELF_UPDATE_SOURCE": source or f"directory+{self.mirror}",
                "UV_SELF_UPDATE_ADOPT": str(receipt != "own").lower(),
            },
        )
        for folder in (self.home.path, self.temporary, self.mirror / NEW):
            folder.mkdir(parents=True)
        archive = binaries.archive(NEW)
        (self.mirror / NEW / archive.name).symlink_to(archive)
        self._install()
        self.old = self.files()
        begun = time.monotonic()
        with self.started() as process:
            self.succeeds(process)
        self.duration = time.monotonic() - begun
        """Seconds that it takes when nobody disturbs it."""
        self.new = self.files()
        receipts = ".config/uv/uv-receipt.json", ".config/uv/uv-receipt.json.old"
        added = {"own": (), "none": (".config", ".config/uv", receipts[0]), "another": receipts[1:]}
        caches = {".cache", ".cache/uv-self-update"} if source is not None else set()
        assert self.new.keys() - self.old.keys() - caches == set(added[receipt])
        assert self.old.keys() <= self.new.keys()

    def reset(self) -> None:
        """Put the old uv back, over whatever is there."""
        for folder in (self.home.path, self.temporary):
            shutil.rmtree(folder)
            folder.mkdir()
        self._install()

    def _install(self) -> None:
        self.home.install(OLD)
        receipt = self.home.receipt
        if self.receipt == "none":
            shutil.rmtree(receipt.parent.parent)
        elif self.receipt == "another":
            document = new_receipt(prefix=self.root, version="0.4.0", executables=("uv", "uvx"))
            receipt.write_text(json.dumps(document))

    @contextmanager
    def started(
        self,
        before: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
        installer: str = "native",
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start an update in a process group of its own, which is killed in the end."""
        process = subprocess.Popen(
            [*before, sys.executable, "-m", "uv_self_update", "--installer", installer],
            env=self.home.full_environ(environ),
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            kill(process)

    def succeeds(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for an update to end well."""
        said, _ = process.communicate(timeout=_TIMEOUT)
        assert process.returncode == 0, said.decode(errors="replace")

    def usable(self) -> None:
        """Make sure that what is installed runs and is a whole old one or a whole new one.

        An update may be under way: nothing else is looked at, which can go at any moment.
        """
        assert self.home.version() in {OLD, NEW}
        asked = self.home.run("--version", program=(str(self.home.bin / "uvx"),))
        assert (asked.code, asked.out.split()[-1:]) in [(0, [OLD]), (0, [NEW])], asked.err
        for path in (self.home.bin / "uvx", self.home.receipt):
            name = str(path.relative_to(self.home.path))
            here = describe(path) if path.exists() else None
            allowed = {self.old.get(name), self.new[name]}
            assert here in allowed, f"{name}: {here} and not of {allowed}"

    def finished_by_next(self) -> None:
        """Make sure that the next update leaves the home as one does that nobody disturbs."""
        done = self.home.run("--installer", "native")
        assert done.code == 0, done.err
        self.is_new()

    def is_new(self, *, spared: str | None = None) -> None:
        """Make sure that everything is as after an update that nobody has disturbed.

        Args:
            spared: The name of a folder that may be there as well.
        """
        self._is(self.new, NEW, spared)

    def is_old(self, *, spared: str | None = None) -> None:
        """Make sure that everything is as before the update; see `is_new`."""
        self._is(self.old, OLD, spared)

    def files(self) -> dict[str, str]:
        """Return everything in the home and among its temporary files, with its content."""
        temporary = {str(path): "temporary" for path in sorted(self.temporary.rglob("*"))}
        return self.home.snapshot() | temporary

    def _is(self, expected: dict[str, str], version: str, spared: str | None) -> None:
        here = {name: text for name, text in self.files().items() if spared not in Path(name).parts}
        changes = [
            f"{name}: {here.get(name)} and not {expected.get(name)}"
            for name in sorted(here.keys() | expected.keys())
            if here.get(name) != expected.get(name)
        ]
        assert not changes, "\n".join(changes)
        assert self.home.version() == version
        if version == NEW or self.receipt == "own":
            assert self.home.receipt_version() == version


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Have whatever fails tell what was done."""
    try:
        yield
    except AssertionError as error:
        error.add_note(what)
        raise


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its group, and wait until the last of them is gone.

    Each of the group but those that only talk to another holds the other end of its output.
    """
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=_TIMEOUT)
