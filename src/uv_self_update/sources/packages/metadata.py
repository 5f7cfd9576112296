"""The `METADATA` of a wheel, read from its end, where PEP 427 recommends to store it."""

from __future__ import annotations

import io
import tempfile
import zipfile
import zlib
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

TAIL = 64 << 10  # bytes, which hold the directory of a wheel and its metadata nearly always
LARGEST = 1 << 20  # bytes of a METADATA file


def metadata_of(tail: bytes) -> bytes | None:
    """Return the METADATA of a wheel by its last bytes; None where it lies before them.

    `zipfile` counts from the directory at the end: what is missing has a negative offset.
    """
    return _read(io.BytesIO(tail))


def metadata_in(chunks: Iterable[bytes]) -> bytes | None:
    """Return the METADATA of a whole wheel, which is kept on the disk meanwhile, not in memory."""
    with tempfile.TemporaryFile() as file:
        for chunk in chunks:
            file.write(chunk)
        return _read(file)


def _read(file: IO[bytes]) -> bytes | None:
    try:
        with zipfile.ZipFile(file) as wheel:
            names = [
                info
                for info in wheel.infolist()
                if info.filename.count("/") == 1 and info.filename.endswith(".dist-info/METADATA")
            ]
            if len(names) != 1 or names[0].file_size > LARGEST:
                return None
            return wheel.read(names[0])
    # What zipfile raises for bytes that are no archive, or not all of one.
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError, NotImplementedError):
        return None
    except RuntimeError:  # an encrypted file
        return None
