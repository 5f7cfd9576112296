"""The first connection of `exec`: begun by what needs it, and by nothing else."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from support.stand import done
from support.urls import source_settings
from uv_self_update.background import Background
from uv_self_update.config.releases import ReleasesSettings
from uv_self_update.config.settings import Settings
from uv_self_update.network.access import Access
from uv_self_update.sources.opened import OpenSources
from uv_self_update.workflow.packages_job import PackagesJob
from uv_self_update.workflow.serving import serving

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from support.stand import Stand
    from support.web import Web
    from uv_self_update.url import Url

_PATIENCE = 60  # seconds


def test_no_connection_without_a_request(stand: Stand) -> None:
    """A command that needs no package of ours costs the forge nothing, not even a connection."""
    done(stand.run("uv", "sync"))
    before = stand.packages.connections
    assert before > 0

    done(stand.run("uv", "--version"))
    done(stand.run("uv", "sync", "--locked"))

    assert stand.packages.connections == before


def test_connection_before_uv_asks(stand: Stand) -> None:
    """Without a lock file, uv will need the list: the connection is begun before it asks."""
    fake, connected = stand.project / "uv", stand.project / "connected"
    os.mkfifo(connected)
    fake.write_text('#!/bin/sh\n[ "$1" = sync ] && read -r _ < "$CONNECTED"\necho uv 0.9.0\n')
    fake.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as forge:
        forge.settimeout(_PATIENCE)

        def accepted() -> bytes:
            try:
                connection, _ = forge.accept()
            finally:
                # Only now the command may end, without having asked for anything.
                connected.write_text("\n")
            with connection:
                return connection.recv(1)

        received = Background(accepted)
        url = f"http://127.0.0.1:{forge.getsockname()[1]}/acme/tools"
        stand.home.configure(f'[[releases]]\nurl = "{url}"\n')
        done(stand.run(str(fake), "sync", CONNECTED=str(connected)))

        assert received.result() == b""


def test_signed_urls_are_requested_again(stand: Stand) -> None:
    """Metadata and wheel of each of two packages cost one request to the API."""
    done(stand.run("uv", "sync"))

    assert len(stand.packages.calls("/assets/")) == 2
    assert len(stand.packages.storage.asked) == 4


def test_connection_is_begun_by_the_first_use(
    web: Web, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It goes to the API's host, before the client is made, and is the client's first one."""
    begun: list[str] = []
    monkeypatch.setattr(Access, "preconnect", _noting(begun))
    section = source_settings(kind="github", url=f"{web.url}/acme/tools")
    with closing(OpenSources(Settings(), uv=tmp_path / "uv", environ={})) as sources:
        clients = [sources.deferred(section) for _ in range(2)]
        assert (begun, web.connections) == ([], 0)

        for client in clients:
            client.status(f"{web.url}/file")

    assert begun == [f"{web.url}/api/v3/repos/acme/tools"]
    assert web.connections == 1


def _noting(begun: list[str]) -> object:
    real = Access.preconnect

    def preconnect(access: Access, url: Url) -> None:
        begun.append(url.text)
        real(access, url)

    return preconnect


def test_request_without_the_secret(stand: Stand) -> None:
    """Another program on this machine cannot have the forge asked, nor connected to."""
    settings = Settings()
    section = source_settings(kind="github", url=stand.packages.place)
    releases = ReleasesSettings(source=section)
    job = PackagesJob(
        settings=settings,
        releases=[releases],
        uv=stand.home.uv,
        directory=stand.project,
        environ={},
    )
    with serving(job) as active:
        port = urlsplit(active.proxy).port
        with socket.create_connection(("127.0.0.1", port or 0)) as connection:
            line = f"GET {active.served[0].index}internal-package/ HTTP/1.1\r\nHost: x\r\n\r\n"
            connection.sendall(line.encode())
            assert connection.recv(1000).startswith(b"HTTP/1.1 407 ")

    assert stand.packages.connections == 0
