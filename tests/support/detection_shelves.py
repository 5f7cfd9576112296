"""A web server with real releases of uv in folders, as nginx shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support import binaries, mirrors
from support.detection_servers import listing
from support.web import Page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from support.mirrors import Pages


def shelf(
    versions: Iterable[str], folder: str = "/uv", *, complete: bool = True, real: bool = False
) -> Pages:
    """Return a folder for each version.

    Args:
        versions: The versions.
        folder: Where their folders are.
        complete: Whether the archive for this machine is there as well.
        real: Whether that is a real uv, for a rehearsal, which updates from it.
    """
    versions = list(versions)
    pages: Pages = {f"{folder}/": listing(*(f"{version}/" for version in versions))}
    for version in versions:
        place = f"{folder}/{version}"
        files = mirrors.file_pages(version, place, real=real)
        if not complete:
            del files[f"{place}/{binaries.archive(version, real=real).name}"]
            files[f"{place}/uv-riscv64gc-unknown-linux-gnu.tar.gz"] = Page(body=b"")
        pages |= files
        pages[f"{place}/"] = listing(*(path.rpartition("/")[2] for path in files))
    return pages
