"""Checks of this machine: Python, every uv, the receipt, the directory of uv, loopback."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update import __version__
from uv_self_update.errors import (
    FileInUse,
    GatewayError,
    NotReplaced,
    ReceiptError,
    UvNotRunnable,
    UvSelfUpdateError,
    update_with,
)
from uv_self_update.files import persist, strerror
from uv_self_update.gateway import script_policy
from uv_self_update.gateway.address import listen
from uv_self_update.installer.workspace import at_work, claim_if_writable, interrupted
from uv_self_update.uv.adoption import adopting
from uv_self_update.uv.executable import ask_version, on_path, renamed, version_of
from uv_self_update.uv.install_source import find_package_manager
from uv_self_update.workflow.doctor.finding import Finding, Repair, problem, warning
from uv_self_update.workflow.explanation import foreseen
from uv_self_update.workflow.update import restore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from uv_self_update.config.installers import InstallerChoice
    from uv_self_update.config.settings import Settings
    from uv_self_update.uv.installation import Installation

_ROOM = 3
"""How many times the size of uv an update takes: the archive, the new and the old executables."""

_MEBIBYTE = 1 << 20
_CONNECT = 5.0  # seconds


def program() -> Iterator[Finding]:
    """Report the versions of this program and of Python."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(topic="uv-self-update", text=f"uv-self-update {__version__} on Python {version}")


def copies(installation: Installation, installed: str | None) -> Iterator[Finding]:
    """Report every uv on PATH, the one to update first: version, origin, and how it is updated."""
    seen: set[Path] = set()
    windows, environ = installation.windows, installation.environ
    for uv in (installation.uv, *on_path("uv", environ, windows=windows)):
        with contextlib.suppress(OSError):
            if (file := uv.resolve()) in seen:
                continue
            seen.add(file)
        first = len(seen) == 1
        version = installed if first else version_of(uv, environ)
        if version is None:
            error = UvNotRunnable(uv, _silence(installation, uv))
            if first:
                yield problem("uv", error)
            else:
                yield warning("uv", str(error), error.hint)
            continue
        if first and installation.standalone:
            yield Finding(topic="uv", text=f"uv {version} at {uv}, from the standalone installer")
        elif owner := find_package_manager(uv):
            text = f"uv {version} at {uv}, from {owner.name}"
            advice = update_with(owner.command)
            yield Finding(topic="uv", text=text, state="ok" if first else "warning", remedy=advice)
        elif first:
            yield Finding(topic="uv", text=f"uv {version} at {uv}")
        else:
            text = f"another uv {version} at {uv}, behind the first on PATH"
            yield warning("uv", text, f"Update it with `uv-self-update --uv {uv}`, or remove it.")


def missing(error: UvSelfUpdateError, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Report that no uv can be found, and each file on PATH that would be one if it could run."""
    yield problem("uv", error)
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        uv = Path(folder, "uv")
        if os.path.isfile(uv) and not os.access(uv, os.X_OK):  # noqa: PTH113 # as in `find_uv`
            noexec = sys.platform == "linux" and os.statvfs(folder).f_flag & os.ST_NOEXEC
            text, remedy = f"{uv} cannot be run", f"Run `chmod +x {uv}`."
            if noexec:
                text += ": its file system is mounted with `noexec`"
                remedy = "Move it to another file system."
            yield warning("uv", text, remedy)


def _silence(installation: Installation, uv: Path) -> str:
    """Return why a uv does not report its version."""
    try:
        done = ask_version(uv, installation.environ)
    except OSError as error:
        return strerror(error)
    except subprocess.TimeoutExpired:
        return "it does not answer"
    words = done.stderr.decode(errors="replace").strip().splitlines()
    return words[-1] if words else f"`uv --version` ends with exit code {done.returncode}"


def receipt(
    installation: Installation, version: str | None, *, adopt_it: bool
) -> Iterator[Finding]:
    """Report whether uv's receipt is about this uv, and what an update would say if it is not."""
    if version is None:
        return  # which `copies` reports
    refusal = foreseen(installation, version=version, adopt=adopt_it)
    if refusal is not None:
        curable = foreseen(installation, version=version, adopt=True) is None
        question = f"Write a receipt for {installation.uv}?"
        repair = Repair(question=question, run=partial(_adopt, installation))
        yield problem("receipt", refusal, repair=repair if curable and not adopt_it else None)
        return
    try:
        path = installation.locate_receipt()
    except ReceiptError:
        path = None
    found = installation.receipt
    if found is None or not installation.standalone:
        yield Finding(topic="receipt", text="uv has no receipt, and gets one with the next update")
    elif found.document.get("version") not in {None, version}:
        said = found.document["version"]
        text = f"the receipt {path} says uv {said}, but this uv is {version}"
        yield warning("receipt", text, "The next update corrects it.")
    else:
        yield Finding(topic="receipt", text=f"the receipt {path} is about this uv")


def _adopt(installation: Installation) -> None:
    """Write a receipt for a uv that no package manager has installed; another one is kept."""
    with adopting(installation, wanted=True, directory=None) as adoption:
        adoption.settled = True


def directory(installation: Installation, settings: Settings | None) -> Iterator[Finding]:
    """Report whether uv's directory can be written, and has room."""
    place = installation.directory
    topic = "directory"
    if not os.access(place, os.W_OK | os.X_OK):
        yield problem(topic, NotReplaced(place, "the directory is not writable"))
        return
    yield from _interrupted(installation, settings)
    try:
        needed = _ROOM * sum(
            (place / name).stat().st_size
            for name in installation.platform.executables
            if (place / name).exists()
        )
        free = shutil.disk_usage(place).free
    except OSError as error:
        yield problem(topic, NotReplaced(place, strerror(error)))
        return
    if free < needed:
        reason = f"{free // _MEBIBYTE} MiB are free, and an update needs {needed // _MEBIBYTE}"
        yield problem(topic, NotReplaced(place, reason))
    else:
        yield Finding(topic=topic, text=f"{place} is writable, {free // _MEBIBYTE:,} MiB are free")


def _interrupted(installation: Installation, settings: Settings | None) -> Iterator[Finding]:
    uv, moved, repair = installation.uv, renamed(installation.uv), None
    if settings is not None:
        question = f"Finish or undo the interrupted update of {uv}?"
        repair = Repair(question=question, run=partial(_restore, installation, settings))
    if at_work(installation.directory):
        text = f"another `uv-self-update` is updating {uv}"
        yield warning("directory", text, "The next update waits until it has ended.")
    elif interrupted(installation.directory):
        text = f"an update of {uv} was interrupted"
        remedy = "The next update finishes or undoes it: run `uv-self-update`."
        yield warning("directory", text, remedy, repair=repair)
    if installation.windows and moved.exists():
        text = f"{moved} is the old uv of an update that was interrupted"
        remedy = "The next update puts it back, or removes it: run `uv-self-update`."
        yield warning("directory", text, remedy, repair=repair)


def _restore(installation: Installation, settings: Settings) -> None:
    """Finish or undo an update that was killed, as the next update would."""
    with contextlib.closing(claim_if_writable(installation.directory)) as work:
        restore(work, installation, settings)


def held_files(installation: Installation) -> Iterator[Finding]:
    """Report each file of uv that Windows does not let be replaced, since a program has it open."""
    if not installation.windows:
        return
    files = [installation.directory / name for name in installation.platform.executables]
    if installation.standalone:
        files.append(installation.locate_receipt())
    held = False
    for file in files:
        try:
            # As patiently as an update: other checks run uv meanwhile.
            persist(partial(_rename_to_itself, file), windows=True)
        except FileNotFoundError:
            continue
        except OSError as error:
            held = True
            yield problem("locks", FileInUse(file, strerror(error)))
    if not held:
        yield Finding(topic="locks", text="no other program keeps uv from being replaced")


def _rename_to_itself(file: Path) -> None:
    """Change nothing, with the right that Windows demands of who replaces a file."""
    file.replace(file)


def loopback() -> Iterator[Finding]:
    """Report whether a server on 127.0.0.1 can be reached, as uv must reach ours."""
    try:
        address = listen()
    except GatewayError as error:
        yield problem("loopback", error)
        return
    with contextlib.closing(address):
        try:
            socket.create_connection(address.listener.getsockname(), timeout=_CONNECT).close()
        except OSError as error:
            reason = f"a connection to 127.0.0.1 fails: {strerror(error)}"
            yield problem("loopback", GatewayError(reason))
            return
    yield Finding(topic="loopback", text="programs can connect to a server on 127.0.0.1")


def scripts(installation: Installation, choice: InstallerChoice) -> Iterator[Finding]:
    """Report whether Windows lets PowerShell run the installer."""
    if not installation.windows:
        return
    script: script_policy.Script = "release" if choice == "release" else "native"
    environ = installation.environ
    place = script_policy.variables(environ, own=installation.directory)
    barred = script_policy.barred(script, {**environ, **place})
    if barred is not None:
        yield problem("scripts", barred)
    else:
        yield Finding(topic="scripts", text="PowerShell may run uv's installer")
