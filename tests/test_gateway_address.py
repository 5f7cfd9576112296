"""The port that the gateway listens on, and who else may have it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from uv_self_update.gateway.address import listen

if TYPE_CHECKING:
    from support.homes import Home


def taken(port: int) -> bool:
    """Try to take a port as somebody would who lies in wait for it."""
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            thief.bind(("127.0.0.1", port))
            thief.listen()
        except OSError:
            return True
        return False


def test_port_stays_taken() -> None:
    """With the gateway gone, the port is free for nobody as long as uv has what it inherits."""
    address = listen()
    port = int(address.listener.getsockname()[1])
    (kept,) = address.kept
    inherited = os.dup(kept)
    try:
        address.close()
        refused = pytest.raises(ConnectionRefusedError)
        with refused:
            socket.create_connection(("127.0.0.1", port)).close()
        before = taken(port)
    finally:
        os.close(inherited)

    assert (before, taken(port)) == (True, False)


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user: root")
def test_port_is_not_shared_with_another_user() -> None:
    """That two sockets can share the port does not let another user listen there as well."""
    program = (
        "import os, socket, sys; os.setuid(65534); s = socket.socket();"
        "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1);"
        "s.bind(('127.0.0.1', int(sys.argv[1])))"
    )
    with closing(listen()) as address:
        port = str(address.listener.getsockname()[1])
        command = [sys.executable, "-c", program, port]
        done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert "Address already in use" in done.stderr


def test_killed_gateway_leaves_no_port_to_others(home: Home) -> None:
    """Where the gateway is killed while uv runs, nobody else can answer uv in its place."""
    home.bin.mkdir(parents=True)
    home.uv.write_text('#!/bin/sh\necho "$UV_INSTALLER_GHE_BASE_URL $$"\nread line\n')
    home.uv.chmod(0o755)
    with subprocess.Popen(
        [sys.executable, "-m", "uv_self_update"],
        env=home.full_environ(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        base, uv = process.stdout.readline().split()
        try:
            process.kill()
            process.wait()
            port = int(base.split(":")[2].partition("/")[0])
            assert taken(port)
        finally:
            os.kill(int(uv), signal.SIGKILL)
