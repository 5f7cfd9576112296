"""What `doctor --fix` can put right without losing anything."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from uv_self_update.workflow.doctor.finding import Repair

if TYPE_CHECKING:
    from pathlib import Path

    from uv_self_update.config.settings import Settings
    from uv_self_update.uv.installation import Installation

_PRIVATE = 0o600


def adopt(installation: Installation) -> Repair:
    """Write a receipt for a uv that no package manager has installed; another one is kept."""

    def run() -> None:
        from uv_self_update.uv.adoption import adopting  # noqa: PLC0415 # a diagnosis needs none

        with adopting(installation, wanted=True, directory=None) as adoption:
            adoption.settled = True

    return Repair(question=f"Write a receipt for {installation.uv}?", run=run)


def finish_interrupted(installation: Installation, settings: Settings) -> Repair:
    """Finish or undo an update that was killed, as the next update would."""

    def run() -> None:
        from uv_self_update.installer.workspace import claim_if_writable  # noqa: PLC0415 # as above
        from uv_self_update.uv.executable import restore_name  # noqa: PLC0415 # as above
        from uv_self_update.workflow.interrupted import recover_interrupted  # noqa: PLC0415 # as above

        with closing(claim_if_writable(installation.directory)) as work:
            if not work.empty:
                recover_interrupted(work, installation, settings)
            restore_name(installation)

    return Repair(question=f"Finish or undo the interrupted update of {installation.uv}?", run=run)


def make_private(path: Path) -> Repair:
    """Take the rights of other users from a file."""

    def run() -> None:
        path.chmod(_PRIVATE)

    return Repair(question=f"Make {path} readable for you only?", run=run)
