"""What the native installer's script runs: ask the gateway to install, and wait.

It is run by its path, in Python's isolated mode, and needs the standard library alone: neither a
`PYTHONPATH` nor where this package is installed has a say in it. The gateway's address is read from
the environment, where uv has it from: an argument could be read by every user of the machine.
"""

from __future__ import annotations

import http.client
import os
import sys
from contextlib import closing
from urllib.parse import urlsplit


def main(path: str, base: str) -> int:
    """Ask for `path` below `base`, print the answer, and return the installer's exit code.

    There is no time limit: the download may take as long as it needs. If the gateway ends, the
    connection ends, and so does this.
    """
    address = urlsplit(base + path)
    try:
        with closing(http.client.HTTPConnection(address.netloc)) as connection:
            connection.request("GET", address.path)
            response = connection.getresponse()
            text = response.read().decode()
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"uv-self-update ended before uv was installed ({error})\n")
        return 1
    done = response.status == http.client.OK
    (sys.stdout if done else sys.stderr).write(text)
    return 0 if done else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], os.environ["UV_INSTALLER_GHE_BASE_URL"]))
