"""Why uv has failed: what went wrong behind the gateway, or what is wrong with its receipt.

uv reads its receipt before it asks for anything, and says no more than that it is "only available
for uv binaries installed via the standalone installation scripts".
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from uv_self_update.errors import NotStandalone, ReceiptError
from uv_self_update.uv.adoption import has_receipt
from uv_self_update.uv.install_source import find_package_manager
from uv_self_update.uv.receipt import locate, read

if TYPE_CHECKING:
    from pathlib import Path

    from uv_self_update.errors import UvSelfUpdateError
    from uv_self_update.uv.receipt import Receipt
    from uv_self_update.workflow.update import Job, Outcome


def explain(job: Job, outcome: Outcome) -> tuple[UvSelfUpdateError, ...]:
    """Say why an update has failed; nothing where uv has said it itself."""
    if outcome.failures or outcome.asked:
        return outcome.failures
    environ = {**job.environ, **job.child_environ}
    path = locate(environ, windows=os.name == "nt")
    # One that uv is adopted with lies beside uv.
    beside = job.settings.adopt and not has_receipt(job.uv, environ)
    if not _all_utf8(job.uv.resolve(), *([] if beside else [path])):
        reason = "uv reads none where a path is not UTF-8, that of uv's folder included"
        return (ReceiptError(path, reason),)
    if job.settings.adopt:
        return ()  # it had a receipt
    try:
        receipt = read(path) if path.exists() else None
    except ReceiptError as error:
        return (error,)
    if receipt is None:
        return (_not_standalone(job.uv, f"there is no receipt {path}"),)
    return () if receipt.is_about(job.uv) else (_about_another(job.uv, receipt),)


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
