"""The program that an installer's script runs: request the installation from the gateway, and wait.

It is run by its path, in Python's isolated mode, with the standard library alone, so that neither
`PYTHONPATH` nor the location of this package matters. The address of the gateway and the token of a
release's own installer come from the environment, because every user of the machine can read the
arguments of a process.
"""

from __future__ import annotations

import http.client
import os
import sys
from contextlib import closing
from urllib.parse import urlsplit


def main(path: str, base: str) -> int:
    """Request `path` below `base`, print the response, and return the installer's exit code.

    There is no timeout, because a download may be slow. If the gateway exits, the connection is
    closed, and this exits too.
    """
    address = urlsplit(base + path)
    try:
        with closing(http.client.HTTPConnection(address.netloc)) as connection:
            connection.request("GET", address.path)
            response = connection.getresponse()
            text = response.read().decode()
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"uv-self-update exited before uv was installed ({error})\n")
        return 1
    done = response.status == http.client.OK
    (sys.stdout if done else sys.stderr).write(text)
    return 0 if done else 1


if __name__ == "__main__":
    token = os.environ.get("_UV_SELF_UPDATE_TOKEN")
    wanted = sys.argv[1] if token is None else f"{sys.argv[1]}/{token}"
    raise SystemExit(main(wanted, os.environ["UV_INSTALLER_GHE_BASE_URL"]))
