"""A uv without a receipt of its own is updated through one that is made for it.

1. A copy that a package manager has installed is refused: it would undo the update, or break.
2. uv reads a receipt in a temporary folder, which says what its own installer would have said.
3. Once uv has been updated, a receipt is left where uv looks for it, so that from then on uv
   updates itself. One that was there, about another uv, is kept beside it.
4. Without an update, all receipts are what they were.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.child import version_of
from uv_self_update.errors import Owned, ReceiptError, UvNotRunnable
from uv_self_update.platforms import current
from uv_self_update.receipt import NAME, locate, new_receipt, parse, read
from uv_self_update.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ("Adoption", "adopting", "has_receipt")

_WINDOWS = sys.platform == "win32"
_CURRENT_FOLDER = "AXOUPDATER_CONFIG_WORKING_DIR"
_FOLDER = "AXOUPDATER_CONFIG_PATH"

_log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Adoption:
    """How uv is to be run, and what has come of it."""

    environ: Mapping[str, str]
    """Where uv finds a receipt of its own."""

    updated: bool = False
    """Whether uv has been updated: to be set by whoever has run it."""


@contextmanager
def adopting(
    uv: Path, environ: Mapping[str, str], *, wanted: bool, folder: Path | None
) -> Iterator[Adoption]:
    """Give uv a receipt for as long as it is updated, and a lasting one if it was.

    Args:
        uv: The uv that is updated.
        environ: Its environment.
        wanted: Whether that was asked for; if not, or if uv has a receipt, nothing is done.
        folder: Where the receipt may lie meanwhile; None for among the temporary files.

    Raises:
        Owned: A package manager has installed it.
        UvNotRunnable: It does not say its version.
    """
    if not wanted or has_receipt(uv, environ):
        yield Adoption(environ=environ)
        return
    import tempfile  # noqa: PLC0415 # slow, and most runs adopt nothing

    from uv_self_update.surroundings import find_owner  # noqa: PLC0415 # likewise

    if owner := find_owner(uv):
        raise Owned(uv, owner.name, owner.command)
    version = version_of(uv, environ)
    if version is None:
        raise UvNotRunnable(uv, "it does not say its version")
    lasting = {name: value for name, value in environ.items() if name != _CURRENT_FOLDER}
    receipts = _Receipts(lasting)
    with tempfile.TemporaryDirectory(prefix="uv-self-update-receipt-", dir=folder) as place:
        own = Path(place, NAME)
        document = new_receipt(
            prefix=uv.resolve().parent, version=version, executables=current().executables
        )
        own.write_text(json.dumps(document))
        adoption = Adoption(environ={**lasting, _FOLDER: place})
        try:
            yield adoption
        finally:
            if adoption.updated:
                receipts.settle(uv, read(own).updated(version_of(uv, environ) or version))
            else:
                receipts.restore()


def has_receipt(uv: Path, environ: Mapping[str, str]) -> bool:
    """Return whether uv finds a receipt that is its own."""
    try:
        return read(locate(environ, windows=_WINDOWS)).is_about(uv)
    except ReceiptError:
        return False


class _Receipts:
    """The lasting receipts as they were; a release's own installer writes one by itself."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._place = locate(environ, windows=_WINDOWS).absolute()
        standard = {name: value for name, value in environ.items() if name != _FOLDER}
        places = {self._place, locate(standard, windows=_WINDOWS).absolute()}
        if environ.get("XDG_CONFIG_HOME"):
            # That installer makes this folder, where uv would not look into it without.
            places.add(Path(environ["XDG_CONFIG_HOME"], "uv", NAME).absolute())
        self._before = dict(_contents(places))

    def settle(self, uv: Path, text: bytes) -> None:
        """Leave a receipt for uv, and keep those that were about another one."""
        try:
            lacking = not has_receipt(uv, self._environ)
            for place, before in self._before.items():
                if before is not None and (
                    (lacking and place == self._place) or _content(place) != before
                ):
                    _keep(place, before, uv)
            if lacking:
                self._place.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(self._place, text)
        except OSError as error:
            reason = error.strerror or str(error)
            _log.warning("uv was updated, but its receipt %s was not left: %s", self._place, reason)

    def restore(self) -> None:
        """Undo what an installer has written before it failed."""
        for place, before in self._before.items():
            # What cannot be written now was not written by an installer either.
            with contextlib.suppress(OSError):
                if before is None:
                    place.unlink(missing_ok=True)
                elif _content(place) != before:
                    write_atomically(place, before)


def _keep(place: Path, before: bytes, uv: Path) -> None:
    """Keep what a receipt was, and name the uv that it was about, unless it was this one."""
    kept = place.with_name(f"{NAME}.old")
    try:
        receipt = parse(place, before)
    except ReceiptError:
        write_atomically(kept, before)
        return
    if receipt.is_about(uv):
        return
    write_atomically(kept, before)
    other = receipt.folder(uv.name) / uv.name
    if other.exists():
        _log.warning(
            "%s no longer updates itself: the receipt %s is about %s now; it was kept as %s",
            other,
            place,
            uv,
            kept,
        )


def _contents(places: Iterable[Path]) -> Iterator[tuple[Path, bytes | None]]:
    """Read files; None for one that is not there, and nothing for one that may not be read."""
    for place in places:
        try:
            yield place, place.read_bytes()
        except FileNotFoundError:
            yield place, None
        except OSError:
            continue


def _content(place: Path) -> bytes | None:
    return dict(_contents([place])).get(place)
