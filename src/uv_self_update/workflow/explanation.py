"""Why uv has failed or would fail: an error behind the gateway, or a problem of its receipt.

uv reads its receipt before it sends a request, and says no more than that self-update is "only
available for uv binaries installed via the standalone installation scripts".
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from uv_self_update.errors import (
    ManagedByPackageManager,
    NotReplaced,
    NotStandalone,
    ReceiptError,
    StartedThroughUvx,
    UvTooOld,
)
from uv_self_update.files import strerror
from uv_self_update.uv.install_source import find_package_manager
from uv_self_update.uv.uvx import refuse_uvx
from uv_self_update.versions import TOO_OLD

if TYPE_CHECKING:
    from pathlib import Path

    from uv_self_update.errors import UvSelfUpdateError
    from uv_self_update.uv.installation import Installation
    from uv_self_update.uv.receipt import Receipt
    from uv_self_update.workflow.update_job import Job, Outcome


def explain(job: Job, outcome: Outcome) -> tuple[UvSelfUpdateError, ...]:
    """Return why an update has failed; nothing if uv has said it itself."""
    if outcome.failures or outcome.asked:
        return outcome.failures
    found = refusal(job.installation, adopt=job.settings.adopt)
    return () if found is None else (found,)


def foreseen(installation: Installation, *, version: str, adopt: bool) -> UvSelfUpdateError | None:
    """Return why an update would be refused, as far as that is known before it is started."""
    uv = installation.uv
    try:
        if installation.windows:
            refuse_uvx(installation.environ)
    except StartedThroughUvx as error:
        return error
    if TOO_OLD.match(version):
        return UvTooOld(uv, version)
    if adopt and not installation.standalone and (owner := find_package_manager(uv)):
        return ManagedByPackageManager(uv, owner.name, owner.command)
    return refusal(installation, adopt=adopt) or _read_only(installation)


def refusal(installation: Installation, *, adopt: bool) -> UvSelfUpdateError | None:
    """Return the problem of its receipt for which uv refuses to update itself."""
    uv = installation.uv
    try:
        path = installation.locate_receipt()
    except ReceiptError:
        if adopt:
            return None  # it had a receipt
        return _not_standalone(uv, "this user has no home directory, where it would be")
    # The receipt of an adopted uv is next to uv.
    adopted = adopt and not installation.standalone
    if not _all_utf8(uv.resolve(), *([] if adopted else [path])):
        reason = "uv reads no receipt if its path, or that of uv's directory, is not UTF-8"
        return ReceiptError(path, reason, hint="Move uv to a directory whose path is UTF-8.")
    if adopt:
        return None  # it had a receipt
    if installation.receipt is not None:
        other = installation.receipt
        return None if installation.standalone else _about_another(uv, other)
    try:
        installation.read_receipt()
    except ReceiptError as error:
        if isinstance(error.__cause__, (FileNotFoundError, NotADirectoryError)):
            return _not_standalone(uv, f"there is no receipt {path}")
        return error
    return None


def _read_only(installation: Installation) -> NotReplaced | ReceiptError | None:
    """Return an error if the user cannot write to the directory of uv, or of its receipt."""
    try:
        parent = installation.locate_receipt().resolve().parent
        # A missing directory is created below the first that exists.
        above = next((one for one in (parent, *parent.parents) if one.is_dir()), parent)
    except ReceiptError as error:
        return error
    except OSError as error:  # such as a name that is too long
        return NotReplaced(installation.directory, strerror(error))
    for directory in (installation.directory, above):
        if not os.access(directory, os.W_OK | os.X_OK):
            return NotReplaced(directory, "the directory is not writable")
    return None


def _about_another(uv: Path, receipt: Receipt) -> NotStandalone:
    directory = receipt.folder(uv.name).resolve()
    reason, other = f"the receipt {receipt.path} is about {directory}", directory / uv.name
    try:
        same = other.samefile(uv)
    except OSError:  # it does not exist, or is private
        return _not_standalone(uv, reason)
    if same:
        own = f"which contains only a link to it; uv compares its own: {uv.resolve().parent}"
        return _not_standalone(uv, f"{reason}, {own}")
    return _not_standalone(uv, reason, other=other)


def _all_utf8(*paths: Path) -> bool:
    names = map(os.fsencode, paths)
    return all(name.decode(errors="ignore").encode() == name for name in names)


def _not_standalone(uv: Path, reason: str, *, other: Path | None = None) -> NotStandalone:
    owner = find_package_manager(uv)
    named = None if owner is None else (owner.name, owner.command)
    return NotStandalone(uv, reason, other=other, owner=named)
