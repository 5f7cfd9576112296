"""An update that was killed: whether the rules still allow it, and how it is finished or undone."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from uv_self_update.errors import HiddenByPolicy
from uv_self_update.installer.release import is_complete
from uv_self_update.installer.replace import recover
from uv_self_update.installer.stage import confirm

if TYPE_CHECKING:
    from uv_self_update.config.settings import Settings
    from uv_self_update.installer.workspace import Workspace
    from uv_self_update.uv.installation import Installation

_log = logging.getLogger(__name__)


def recover_interrupted(work: Workspace, installation: Installation, settings: Settings) -> None:
    """Finish or undo an update that was killed.

    Raises:
        NotReplaced: It can be neither finished nor undone.
    """
    version = recover(
        work.path,
        partial(confirm, source="an update that was interrupted", installation=installation),
        doubt=partial(_doubt, settings),
        complete=partial(is_complete, installation=installation),
        windows=installation.windows,
    )
    if version is not None:
        _log.warning("finished an update to uv %s that was interrupted", version)
    work.clear()


def _doubt(settings: Settings, version: str) -> str | None:
    """Return why an interrupted update must not be finished; None if it may be."""
    policy = settings.policy
    try:
        policy.refuse(version)
    except HiddenByPolicy as error:
        return str(error)
    digests = settings.digests.required or settings.digests.places(version)
    if policy.unread or digests or policy.longest_age is not None:
        return f"the policy must be checked again before uv {version} is installed"
    return None
