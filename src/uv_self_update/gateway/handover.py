"""The program that an installer's script runs: request the installation from the gateway, and wait.

It is run by its path, in Python's isolated mode and without `site`, with the standard library
alone, so that neither `PYTHONPATH` nor the location of this package matters. The address of the
gateway and the token of a release's own installer come from the environment, because every user of
the machine can read the arguments of a process.

It runs once for each update, beside uv and this package. So it imports as little as it can: Python
starts in 14 ms of CPU with these modules, in 29 ms with `socket`, and in 60 ms with `http.client`.
"""

from __future__ import annotations

import os
import sys
from _socket import AF_INET, SOCK_STREAM, socket

_READ = 64 << 10  # bytes at a time
_DONE = b"200"


def main(path: str, base: str) -> int:
    """Request `path` below `base`, print the response, and return the installer's exit code.

    There is no timeout, because a download may be slow. If the gateway exits, the connection is
    closed, and this exits too.
    """
    try:
        status, text = _answer(base.removeprefix("http://"), path)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"uv-self-update exited before uv was installed ({error})\n")
        return 1
    done = status == _DONE
    # As bytes: uv reads UTF-8, and Windows has a code page for pipes.
    stream = sys.stdout if done else sys.stderr
    stream.buffer.write(text)
    stream.flush()
    return 0 if done else 1


def _answer(base: str, path: str) -> tuple[bytes, bytes]:
    """Return the status and the body of a response.

    Args:
        base: The address and port of the gateway, a slash, and its secret path.
        path: The path to request.

    Raises:
        OSError: The gateway exited.
        ValueError: The response is incomplete.
    """
    host, _, secret = base.partition("/")
    address, _, port = host.partition(":")
    connection = socket(AF_INET, SOCK_STREAM)
    try:
        connection.connect((address, int(port)))
        connection.sendall(
            f"GET /{secret}{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        )
        response = b""
        while more := connection.recv(_READ):
            response += more
    finally:
        connection.close()
    head, _, body = response.partition(b"\r\n\r\n")
    status, *headers = head.lower().split(b"\r\n")
    lengths = [line.partition(b":")[2] for line in headers if line.startswith(b"content-length:")]
    if not lengths or len(body) != int(lengths[0]):
        message = "the response is incomplete"
        raise ValueError(message)
    return status.split(b" ")[1], body


if __name__ == "__main__":
    token = os.environ.get("_UV_SELF_UPDATE_TOKEN")
    wanted = sys.argv[1] if token is None else f"{sys.argv[1]}/{token}"
    raise SystemExit(main(wanted, os.environ["UV_INSTALLER_GHE_BASE_URL"]))
