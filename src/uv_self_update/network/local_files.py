"""Files of this machine, or of a share, behind `file://` URLs."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote_to_bytes, urlsplit
from urllib.request import url2pathname

from uv_self_update.errors import Interrupted, StatusRefused, TooLarge, Unreachable
from uv_self_update.network.responses import Download

if TYPE_CHECKING:
    from collections.abc import Iterator


_CHUNK = 256 << 10
_NOT_FOUND = 404
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # not on Windows


def is_file(url: str) -> bool:
    """Return whether a URL is that of a file rather than of a server."""
    return urlsplit(url).scheme == "file"


def path_of_url(url: str) -> Path:
    """Return the file that a `file://` URL names; a host in it is that of a share."""
    parts = urlsplit(url)
    host = "" if parts.netloc in {"", "localhost"} else f"//{parts.netloc}"
    if os.name == "nt":
        return Path(url2pathname(host + parts.path))
    # Names are bytes here, which need not be UTF-8.
    return Path(os.fsdecode(unquote_to_bytes(host + parts.path)))


@contextmanager
def open_file(url: str, limit: int) -> Iterator[Download]:
    """Open a file of at most `limit` bytes.

    Raises:
        StatusRefused: There is none: the same as of a server, since some files need not be there.
        Unreachable: It cannot be read.
        TooLarge: It is.
    """
    try:
        # What is no file, such as a pipe, is not waited for.
        file = open(  # noqa: SIM115 # see `with` below
            path_of_url(url), "rb", opener=lambda name, flags: os.open(name, flags | _NONBLOCK)
        )
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StatusRefused(url, _NOT_FOUND, "(no such file)") from error
    except ValueError as error:
        raise Unreachable(url, "this is not a URL") from error
    except OSError as error:
        raise Unreachable(url, _words(error)) from error
    with file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise Unreachable(url, "it is no regular file")
        if status.st_size > limit:
            raise TooLarge(url, limit)
        chunks = _chunks(file, url, status.st_size)
        yield Download(url=url, size=status.st_size, chunks=chunks)


def _chunks(file: BinaryIO, url: str, size: int) -> Iterator[bytes]:
    left = size
    try:
        # No more than it had: it may grow while it is read.
        while chunk := file.read(min(left, _CHUNK)):
            left -= len(chunk)
            yield chunk
    except OSError as error:
        raise Interrupted(url, size - left, size, _words(error)) from error


def _words(error: OSError) -> str:
    return error.strerror or str(error)
