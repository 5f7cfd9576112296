"""A mirror in a process of its own: it serves the files of a folder, as fast as the kernel can.

`python mirror.py FOLDER` prints its URL, and serves until its standard input ends.
"""

from __future__ import annotations

import contextlib
import http.server
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def mirror(folder: Path) -> Iterator[str]:
    """Serve a folder from another process, and return its URL without a slash at its end."""
    with subprocess.Popen(
        [sys.executable, __file__, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise AssertionError
        yield process.stdout.readline().strip()
        process.stdin.close()


def main(folder: Path) -> None:
    """Serve a folder until standard input ends."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = folder / self.path.lstrip("/")
            if path.is_dir():
                path /= "index.html"
            if not path.is_file():
                self.send_error(404)
                return
            kinds = {".html": "text/html", ".json": "application/json"}
            self.send_response(200)
            self.send_header("Content-Type", kinds.get(path.suffix, "application/octet-stream"))
            self.send_header("Content-Length", str(path.stat().st_size))
            self.end_headers()
            if self.command == "GET":
                self.wfile.flush()
                # `doctor` reads the first bytes only.
                with path.open("rb") as file, contextlib.suppress(ConnectionError):
                    self.connection.sendfile(file)

        do_HEAD = do_GET  # noqa: N815 # the library's name

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
