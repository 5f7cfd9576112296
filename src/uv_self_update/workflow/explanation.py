"""Why uv has failed, or would: what went wrong behind the gateway, or what its receipt lacks.

uv reads its receipt before it asks for anything, and says no more than that it is "only available
for uv binaries installed via the standalone installation scripts".
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
from uv_self_update.uv.adoption import has_receipt
from uv_self_update.uv.install_source import find_package_manager
from uv_self_update.uv.receipt import locate, read
from uv_self_update.uv.uvx import refuse_uvx
from uv_self_update.versions import TOO_OLD

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from uv_self_update.errors import UvSelfUpdateError
    from uv_self_update.uv.receipt import Receipt
    from uv_self_update.workflow.update import Job, Outcome


def explain(job: Job, outcome: Outcome) -> tuple[UvSelfUpdateError, ...]:
    """Say why an update has failed; nothing where uv has said it itself."""
    if outcome.failures or outcome.asked:
        return outcome.failures
    found = refusal(job.uv, {**job.environ, **job.child_environ}, adopt=job.settings.adopt)
    return () if found is None else (found,)


def foreseen(
    uv: Path, environ: Mapping[str, str], *, version: str, adopt: bool
) -> UvSelfUpdateError | None:
    """Return why an update would be refused, as far as that is known before it is begun.

    Args:
        uv: The uv that would be updated.
        environ: The user's environment.
        version: The version that it has.
        adopt: Whether a uv without a receipt is to be updated as well.
    """
    try:
        if os.name == "nt":
            refuse_uvx(environ)
    except StartedThroughUvx as error:
        return error
    if TOO_OLD.match(version):
        return UvTooOld(uv, version)
    if adopt and not has_receipt(uv, environ) and (owner := find_package_manager(uv)):
        return ManagedByPackageManager(uv, owner.name, owner.command)
    return refusal(uv, environ, adopt=adopt) or _locked(uv, environ)


def refusal(uv: Path, environ: Mapping[str, str], *, adopt: bool) -> UvSelfUpdateError | None:
    """Return why uv refuses to update itself before it asks for anything: for want of a receipt.

    Args:
        uv: The uv that is updated.
        environ: Its environment.
        adopt: Whether it was to be given a receipt if it has none.
    """
    try:
        path = locate(environ, windows=os.name == "nt")
    except ReceiptError:
        if adopt:
            return None  # it had a receipt
        return _not_standalone(uv, "this user has no home directory, where it would be")
    # One that uv is adopted with lies beside uv.
    beside = adopt and not has_receipt(uv, environ)
    if not _all_utf8(uv.resolve(), *([] if beside else [path])):
        reason = "uv reads none where a path is not UTF-8, that of uv's folder included"
        return ReceiptError(path, reason)
    if adopt:
        return None  # it had a receipt
    try:
        # Path.exists raises where a name is too long.
        receipt = read(path) if os.path.exists(path) else None  # noqa: PTH110
    except ReceiptError as error:
        return error
    if receipt is None:
        return _not_standalone(uv, f"there is no receipt {path}")
    return None if receipt.is_about(uv) else _about_another(uv, receipt)


def _locked(uv: Path, environ: Mapping[str, str]) -> NotReplaced | ReceiptError | None:
    """Return that a directory is read-only to this user: uv's own, or that of its receipt."""
    try:
        place = locate(environ, windows=os.name == "nt").resolve().parent
        # One that is not there yet is made below the first that is.
        above = next((folder for folder in (place, *place.parents) if folder.is_dir()), place)
    except ReceiptError as error:
        return error
    except OSError as error:  # such as a name that is too long
        return NotReplaced(uv.parent, strerror(error))
    for folder in (uv.resolve().parent, above):
        if not os.access(folder, os.W_OK | os.X_OK):
            return NotReplaced(folder, "the directory is not writable")
    return None


def _about_another(uv: Path, receipt: Receipt) -> NotStandalone:
    folder = receipt.folder(uv.name).resolve()
    reason, other = f"the receipt {receipt.path} is about {folder}", folder / uv.name
    try:
        same = other.samefile(uv)
    except OSError:  # there is none, or it is nobody's business
        return _not_standalone(uv, reason)
    if same:
        own = f"where there is only a link to it, and uv compares its own: {uv.resolve().parent}"
        return _not_standalone(uv, f"{reason}, {own}")
    return _not_standalone(uv, reason, other=other)


def _all_utf8(*paths: Path) -> bool:
    names = map(os.fsencode, paths)
    return all(name.decode(errors="ignore").encode() == name for name in names)


def _not_standalone(uv: Path, reason: str, *, other: Path | None = None) -> NotStandalone:
    owner = find_package_manager(uv)
    named = None if owner is None else (owner.name, owner.command)
    return NotStandalone(uv, reason, other=other, owner=named)
