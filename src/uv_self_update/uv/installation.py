"""The uv to update: the executable, its directory, its receipt, its platform, its environment."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from uv_self_update import platforms
from uv_self_update.errors import ReceiptError
from uv_self_update.uv import receipt as receipts
from uv_self_update.uv.environment import bare_environment
from uv_self_update.values import field, frozen
from uv_self_update.versions import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from uv_self_update.platforms import Platform
    from uv_self_update.uv.receipt import Receipt


@frozen
class Installation:
    """One installed uv, found once a run.

    The receipt is read when it is first needed, and only once: an update that waits for another one
    needs it no earlier than the other has ended.
    """

    uv: Path
    """An absolute path, as the user or PATH names it; perhaps a link."""

    environ: Mapping[str, str] = field(repr=False)
    """The environment of this uv, which says where its receipt is."""

    platform: Platform = field(default_factory=platforms.current)

    @property
    def windows(self) -> bool:
        """Whether this uv runs on Windows."""
        return self.platform.windows

    @cached_property
    def directory(self) -> Path:
        """The directory of the executables, with links resolved.

        The receipt does not tell: its prefix may contain one uv, and `bin` below it another.
        """
        return self.uv.resolve().parent

    @cached_property
    def bare_environ(self) -> Mapping[str, str]:
        """The environment of a uv that has not been run yet: without the user's credentials."""
        return bare_environment(self.environ)

    def locate_receipt(self) -> Path:
        """Return the path of the receipt that this uv reads, whether or not it exists.

        Raises:
            ReceiptError: The user has no home directory.
        """
        return receipts.locate(self.environ, windows=self.windows)

    def read_receipt(self) -> Receipt:
        """Read the receipt again, for what another program may have written since.

        Raises:
            ReceiptError: It does not exist, or cannot be used.
        """
        return receipts.read(self.locate_receipt())

    @cached_property
    def receipt(self) -> Receipt | None:
        """The receipt that this uv reads, perhaps about another uv; None without a usable one."""
        try:
            return self.read_receipt()
        except ReceiptError:
            return None

    @property
    def stated_version(self) -> str | None:
        """The version that the receipt names, which uv itself ignores; None without a valid one."""
        version = None if self.receipt is None else self.receipt.document.get("version")
        return version if isinstance(version, str) and VERSION.fullmatch(version) else None

    @property
    def standalone(self) -> bool:
        """Whether this uv finds a receipt of its own, and so updates itself."""
        return self.receipt is not None and self.receipt.is_about(self.uv)
