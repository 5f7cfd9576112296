"""Update a uv that has no receipt, through one that is made for it.

1. A copy that a package manager has installed is refused: the manager would undo the update.
2. uv reads a receipt in a temporary directory, with the content that its own installer would write.
3. After the update, or if uv is up to date, a receipt is left where uv looks for it: from then on,
   uv updates itself. A receipt there that is about another uv is kept next to it.
4. If the update fails, or with `--dry-run`, no receipt is changed.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import shutil
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.errors import ManagedByPackageManager, NotReplaced, ReceiptError, UvNotRunnable
from uv_self_update.files import content_of, strerror, write_atomically
from uv_self_update.uv.executable import version_of
from uv_self_update.uv.receipt import NAME, Rewrite, new_receipt, parse, place_of_new, read
from uv_self_update.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.uv.installation import Installation
    from uv_self_update.uv.receipt import Receipt


_CURRENT_DIRECTORY = "AXOUPDATER_CONFIG_WORKING_DIR"
_DIRECTORY = "AXOUPDATER_CONFIG_PATH"

_log = logging.getLogger(__name__)


class Adoption:
    """How uv is run, and what becomes of its receipts."""

    def __init__(self, installation: Installation, lasting: _Lasting | None = None) -> None:
        """Prepare; nothing is written.

        Args:
            installation: The uv, in an environment in which it finds a receipt of its own.
            lasting: The receipts where uv looks for them; None unless it is adopted.
        """
        self.installation = installation
        self._adopted = lasting is not None
        self._lasting = lasting or _Lasting(installation)
        self.settled = False
        """Whether to leave a lasting receipt for uv; set by the caller once uv has ended."""

    def rewrites(self, receipt: Receipt, version: str) -> Iterator[Rewrite]:
        """Yield the receipts that change when uv becomes another version."""
        if self._adopted:
            yield from self._lasting.rewrites(receipt.updated(version))
        else:
            yield receipt.rewrite(version)

    def receipts(self) -> Iterator[Rewrite]:
        """Yield the lasting receipts that a release's own installer may write, and their copies."""
        for path, before in self._lasting.before.items():
            known = self._lasting.known(path)
            stamp = None if known is None else known.stamp
            yield Rewrite(path=path.resolve(), before=before, after=None, stamp=stamp)
            if self._adopted and before is not None:
                yield from self._lasting.keeping(path, before)


@contextmanager
def adopting(
    installation: Installation, *, wanted: bool, directory: Path | None
) -> Iterator[Adoption]:
    """Give uv a receipt for the length of an update, and afterwards a lasting one.

    Args:
        installation: The uv to update.
        wanted: Whether to adopt it; if not, or if uv has a receipt, nothing is done.
        directory: Where to write the first receipt; None for the system's temporary directory.

    Raises:
        ManagedByPackageManager: A package manager has installed it.
        UvNotRunnable: It does not report its version.
        NotReplaced: The receipt cannot be written.
    """
    if not wanted or installation.standalone:
        yield Adoption(installation)
        return
    from uv_self_update.uv.install_source import find_package_manager  # noqa: PLC0415 # most runs adopt nothing

    uv, environ = installation.uv, installation.environ
    lasting = {name: value for name, value in environ.items() if name != _CURRENT_DIRECTORY}
    receipts = _Lasting(replace(installation, environ=lasting))
    _ = receipts.before  # read now: whatever another program writes from here on is noticed
    if owner := find_package_manager(uv):
        raise ManagedByPackageManager(uv, owner.name, owner.command)
    version = version_of(uv, environ)
    if version is None:
        raise UvNotRunnable(uv, "it does not report its version")
    document = new_receipt(
        prefix=installation.directory,
        version=version,
        executables=installation.platform.executables,
    )
    with _written(json.dumps(document), directory) as own:
        adopted = replace(installation, environ={**lasting, _DIRECTORY: str(own.parent)})
        adoption = Adoption(adopted, receipts)
        yield adoption
        if adoption.settled:
            receipts.settle(read(own).updated(version_of(uv, environ) or version))


@contextmanager
def _written(text: str, directory: Path | None) -> Iterator[Path]:
    """Write a receipt for the length of a run; raises NotReplaced."""
    import tempfile  # noqa: PLC0415 # slow, and most runs write none

    parent = directory or Path(tempfile.gettempdir())
    try:
        own = Path(tempfile.mkdtemp(prefix="uv-self-update-receipt-", dir=parent), NAME)
    except OSError as error:
        raise NotReplaced(parent, strerror(error)) from error
    try:
        try:
            own.write_text(text)
        except OSError as error:
            raise NotReplaced(own, strerror(error)) from error
        yield own
    finally:
        # A leftover does no harm.
        shutil.rmtree(own.parent, ignore_errors=True)


class _Lasting:
    """The lasting receipts, with the content that they had before the update."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._uv = installation.uv

    @cached_property
    def _new(self) -> Path | None:
        """Where uv's own installer would write a receipt; None for a user without a home."""
        path = place_of_new(self._installation.environ, windows=self._installation.windows)
        return None if path is None else path.absolute()

    @cached_property
    def _present(self) -> Path | None:
        """Where uv looked for its receipt before; None for a user without a home."""
        return _located(self._installation)

    @cached_property
    def before(self) -> dict[Path, bytes | None]:
        """The content of each: None if it does not exist, left out if it cannot be read.

        Read on first use.
        """
        environ = self._installation.environ
        standard = {name: value for name, value in environ.items() if name != _DIRECTORY}
        paths = {self._new, self._present, _located(replace(self._installation, environ=standard))}
        if environ.get("XDG_CONFIG_HOME"):
            # uv looks there only if the directory exists, and its installer creates it.
            paths.add(Path(environ["XDG_CONFIG_HOME"], "uv", NAME).absolute())
        found: dict[Path, bytes | None] = {}
        for path in paths:
            if path is not None:
                with contextlib.suppress(OSError):
                    found[path] = self._content(path)
        return found

    def known(self, path: Path) -> Receipt | None:
        """Return a receipt if it is the one that uv had before; None otherwise."""
        known = self._installation.receipt
        return known if known is not None and known.path.absolute() == path else None

    def _content(self, path: Path) -> bytes | None:
        """Return the content of a receipt, None if it does not exist; raises OSError."""
        if known := self.known(path):
            return known.content
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None

    def rewrites(self, text: bytes) -> Iterator[Rewrite]:
        """Yield what gives uv a receipt with this text, and what keeps one about another uv."""
        if self._new is None or self._new not in self.before:
            return  # a file that cannot be read is not replaced
        before = self.before[self._new]
        if before is not None:
            yield from self.keeping(self._new, before)
        yield Rewrite(path=self._new.resolve(), before=before, after=text)

    def keeping(self, path: Path, before: bytes) -> Iterator[Rewrite]:
        """Yield what keeps a receipt if it is about another uv."""
        if self._is_about_another(path, before):
            kept = _kept(path)
            yield Rewrite(path=kept, before=content_of(kept), after=before)

    def settle(self, text: bytes) -> None:
        """Leave a receipt for uv unless it has one by now, and keep those about another uv."""
        try:
            missing = not replace(self._installation).standalone  # read anew
            for path, before in self.before.items():
                if before is not None and (
                    (missing and path == self._new) or content_of(path) != before
                ):
                    self._keep(path, before)
            if missing:
                self._leave(text)
        except OSError as error:
            _log.warning("uv's receipt %s cannot be written: %s", self._new, strerror(error))

    def _leave(self, text: bytes) -> None:
        """Write a receipt where uv looks from then on; raises OSError."""
        if self._new is None:
            _log.warning(
                "uv has no receipt, because this user has no home directory: set HOME or "
                "XDG_CONFIG_HOME, or use `--adopt` for the next update as well"
            )
            return
        if self._new not in self.before:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        self._new.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._new, text)
        if self._present not in {None, self._new} and (before := self.before.get(self._present)):
            # uv does not look there any more.
            self._warn_of_another(self._present, before, kept=self._present)

    def _is_about_another(self, path: Path, before: bytes) -> bool:
        """Return whether a receipt is about another uv, or unusable."""
        try:
            return not parse(path, before).is_about(self._uv)
        except ReceiptError:
            return True

    def _keep(self, path: Path, before: bytes) -> None:
        """Keep a receipt that is about another uv, and warn that this one no longer has it."""
        if not self._is_about_another(path, before):
            return
        kept = _kept(path)
        if content_of(kept) != before:
            write_atomically(kept, before)
        self._warn_of_another(path, before, kept=kept)

    def _warn_of_another(self, path: Path, before: bytes, *, kept: Path) -> None:
        """Name the uv that a receipt was about, if it still exists."""
        with contextlib.suppress(OSError, ReceiptError):
            other = parse(path, before).folder(self._uv.name) / self._uv.name
            if other.exists() and not other.samefile(self._uv):
                _log.warning(
                    "%s no longer updates itself: the receipt %s now names %s; the old one is %s",
                    other,
                    path if kept != path else self._new,
                    self._uv,
                    kept,
                )


def _located(installation: Installation) -> Path | None:
    try:
        return installation.locate_receipt().absolute()
    except ReceiptError:
        return None


def _kept(path: Path) -> Path:
    return path.with_name(f"{NAME}.old")
