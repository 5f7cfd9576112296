"""Writing a small file as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

__all__ = ("write_atomically",)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a small file as a whole: whoever reads it sees the old or the new one.

    Its mode is kept, and so is a symbolic link that it may be.

    Raises:
        OSError: The folder cannot be written; the old file is as it was.
    """
    import tempfile  # noqa: PLC0415 # slow, and most runs write nothing

    target = path.resolve()
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        mode = target.stat().st_mode & 0o7777 if target.exists() else 0o644
        Path(name).chmod(mode)
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
