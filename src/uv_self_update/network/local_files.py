"""Local files, and files of Windows shares, by `file://` URL."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote_to_bytes, urlsplit
from urllib.request import url2pathname

from uv_self_update.errors import Interrupted, StatusRefused, TooLarge, Unreachable
from uv_self_update.files import strerror
from uv_self_update.network.responses import Download

if TYPE_CHECKING:
    from collections.abc import Iterator


_CHUNK = 256 << 10
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # not on Windows


def path_of_url(url: str) -> Path:
    """Return the path of a `file://` URL; a host is that of a share."""
    parts = urlsplit(url)
    host = "" if parts.netloc in {"", "localhost"} else f"//{parts.netloc}"
    if os.name == "nt":
        return Path(url2pathname(host + parts.path))
    # Names are bytes on POSIX, and need not be UTF-8.
    return Path(os.fsdecode(unquote_to_bytes(host + parts.path)))


@contextmanager
def open_file(url: str, limit: int) -> Iterator[Download]:
    """Open a file of at most `limit` bytes.

    Raises:
        StatusRefused: The file does not exist: 404, as of a server, because some are optional.
        Unreachable: The file cannot be read.
        TooLarge: The file is larger.
    """
    try:
        # Nonblocking, so that opening a named pipe does not wait.
        file = open(  # noqa: SIM115 # see `with` below
            path_of_url(url), "rb", opener=lambda name, flags: os.open(name, flags | _NONBLOCK)
        )
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StatusRefused(url, HTTPStatus.NOT_FOUND, "(no such file)") from error
    except ValueError as error:
        raise Unreachable(url, "invalid URL") from error
    except OSError as error:
        raise Unreachable(url, strerror(error)) from error
    with file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise Unreachable(url, "not a regular file")
        if status.st_size > limit:
            raise TooLarge(url, limit)
        chunks = _chunks(file, url, status.st_size)
        yield Download(url=url, size=status.st_size, chunks=chunks)


def _chunks(file: BinaryIO, url: str, size: int) -> Iterator[bytes]:
    left = size
    try:
        # At most the size at first: the file may grow while it is read.
        while chunk := file.read(min(left, _CHUNK)):
            left -= len(chunk)
            yield chunk
    except OSError as error:
        raise Interrupted(url, size - left, size, strerror(error)) from error
