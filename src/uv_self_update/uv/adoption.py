"""A uv without a receipt of its own is updated through one that is made for it.

1. A copy that a package manager has installed is refused: it would undo the update, or break.
2. uv reads a receipt in a temporary folder, which says what its own installer would have said.
3. Together with uv, or where another installer is at work or nothing is newer once uv has ended, a
   receipt is left where uv looks for it, so that from then on uv updates itself. One that was
   there, about another uv, is kept beside it.
4. Where that fails, or nothing is to be changed, all receipts are what they were.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.errors import ManagedByPackageManager, NotReplaced, ReceiptError, UvNotRunnable
from uv_self_update.files import content_of, write_atomically
from uv_self_update.platforms import current
from uv_self_update.uv.executable import version_of
from uv_self_update.uv.receipt import NAME, Rewrite, locate, new_receipt, parse, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from uv_self_update.uv.receipt import Receipt


_WINDOWS = sys.platform == "win32"
_CURRENT_FOLDER = "AXOUPDATER_CONFIG_WORKING_DIR"
_FOLDER = "AXOUPDATER_CONFIG_PATH"

_log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Adoption:
    """How uv is to be run, and what has come of it."""

    environ: Mapping[str, str]
    """Where uv finds a receipt of its own."""

    settled: bool = False
    """Whether uv is to keep a receipt of its own: to be set by whoever has run it."""

    wanted: bool
    """Whether uv has no receipt of its own, and is to get one."""

    lasting: _Lasting = field(repr=False)
    """What there was before."""

    def rewrites(self, receipt: Receipt, version: str) -> Iterator[Rewrite]:
        """Yield what changes with uv when it becomes a version: the receipt that it reads later.

        Args:
            receipt: The one that it reads now.
            version: What it becomes.

        Raises:
            OSError: A receipt cannot be read.
        """
        if self.wanted:
            yield from self.lasting.rewrites(receipt.updated(version))
        else:
            yield receipt.rewrite(version)

    def receipts(self) -> Iterator[Rewrite]:
        """Yield the lasting receipts, in which an installer may write whatever it likes."""
        for place, before in self.lasting.before.items():
            yield Rewrite(path=place.resolve(), before=before, after=None)


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
        ManagedByPackageManager: A package manager has installed it.
        UvNotRunnable: It does not say its version.
        NotReplaced: A receipt cannot be written for it.
    """
    if not wanted or has_receipt(uv, environ):
        yield Adoption(environ=environ, wanted=False, lasting=_Lasting(uv, environ))
        return
    from uv_self_update.uv.install_source import find_package_manager  # noqa: PLC0415 # most runs adopt nothing

    if owner := find_package_manager(uv):
        raise ManagedByPackageManager(uv, owner.name, owner.command)
    version = version_of(uv, environ)
    if version is None:
        raise UvNotRunnable(uv, "it does not say its version")
    lasting = {name: value for name, value in environ.items() if name != _CURRENT_FOLDER}
    receipts = _Lasting(uv, lasting)
    document = new_receipt(
        prefix=uv.resolve().parent, version=version, executables=current().executables
    )
    with _written(json.dumps(document), folder) as own:
        environ_of_uv = {**lasting, _FOLDER: str(own.parent)}
        adoption = Adoption(environ=environ_of_uv, wanted=True, lasting=receipts)
        yield adoption
        if adoption.settled:
            receipts.settle(read(own).updated(version_of(uv, environ) or version))


@contextmanager
def _written(text: str, folder: Path | None) -> Iterator[Path]:
    """Write a receipt for the length of a run; raises NotReplaced."""
    import tempfile  # noqa: PLC0415 # slow, and most runs write none

    within = folder or Path(tempfile.gettempdir())
    try:
        own = Path(tempfile.mkdtemp(prefix="uv-self-update-receipt-", dir=within), NAME)
    except OSError as error:
        raise NotReplaced(within, error.strerror or str(error)) from error
    try:
        try:
            own.write_text(text)
        except OSError as error:
            raise NotReplaced(own, error.strerror or str(error)) from error
        yield own
    finally:
        # What cannot be removed does no harm.
        shutil.rmtree(own.parent, ignore_errors=True)


def has_receipt(uv: Path, environ: Mapping[str, str]) -> bool:
    """Return whether uv finds a receipt that is its own."""
    try:
        return read(locate(environ, windows=_WINDOWS)).is_about(uv)
    except ReceiptError:
        return False


class _Lasting:
    """The lasting receipts as they were; a release's own installer writes one by itself."""

    def __init__(self, uv: Path, environ: Mapping[str, str]) -> None:
        self._uv = uv
        self._environ = environ

    @cached_property
    def _place(self) -> Path:
        """Where uv looks for its receipt."""
        return locate(self._environ, windows=_WINDOWS).absolute()

    @cached_property
    def before(self) -> dict[Path, bytes | None]:
        """What was in each of them before an installer came; read when that is first asked for."""
        standard = {name: value for name, value in self._environ.items() if name != _FOLDER}
        places = {self._place, locate(standard, windows=_WINDOWS).absolute()}
        if self._environ.get("XDG_CONFIG_HOME"):
            # That installer makes this folder, where uv would not look into it without.
            places.add(Path(self._environ["XDG_CONFIG_HOME"], "uv", NAME).absolute())
        return dict(_contents(places))

    def rewrites(self, text: bytes) -> Iterator[Rewrite]:
        """Yield what gives uv a receipt with this text, and keeps one that is about another."""
        if self._place not in self.before:
            return  # what may not be read is not replaced
        before = self.before[self._place]
        if before is not None and self._is_about_another(self._place, before):
            kept = _kept(self._place)
            yield Rewrite(path=kept, before=content_of(kept), after=before)
        yield Rewrite(path=self._place.resolve(), before=before, after=text)

    def settle(self, text: bytes) -> None:
        """Leave a receipt for uv if it has none yet, and keep those that were about another."""
        try:
            lacking = not has_receipt(self._uv, self._environ)
            for place, before in self.before.items():
                if before is not None and (
                    (lacking and place == self._place) or content_of(place) != before
                ):
                    self._keep(place, before)
            if lacking:
                if self._place not in self.before:
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
                self._place.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(self._place, text)
        except OSError as error:
            reason = error.strerror or str(error)
            _log.warning("uv's receipt %s could not be left: %s", self._place, reason)

    def _is_about_another(self, place: Path, before: bytes) -> bool:
        """Return whether a receipt was about another uv, or cannot be understood."""
        try:
            return not parse(place, before).is_about(self._uv)
        except ReceiptError:
            return True

    def _keep(self, place: Path, before: bytes) -> None:
        """Keep what a receipt was, and name the uv that it was about, unless it was this one."""
        if not self._is_about_another(place, before):
            return
        kept = _kept(place)
        if content_of(kept) != before:
            write_atomically(kept, before)
        with contextlib.suppress(OSError, ReceiptError):
            other = parse(place, before).folder(self._uv.name) / self._uv.name
            if other.exists() and not other.samefile(self._uv):
                _log.warning(
                    "%s no longer updates itself: the receipt %s is about %s now; it was kept as "
                    "%s",
                    other,
                    place,
                    self._uv,
                    kept,
                )


def _kept(place: Path) -> Path:
    return place.with_name(f"{NAME}.old")


def _contents(places: Iterable[Path]) -> Iterator[tuple[Path, bytes | None]]:
    """Read files; None for one that is not there, and nothing for one that may not be read."""
    for place in places:
        try:
            yield place, place.read_bytes()
        except FileNotFoundError:
            yield place, None
        except OSError:
            continue
