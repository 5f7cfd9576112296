"""nginx behind TLS, and what it has seen of its clients' certificates."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from support.certificates import identity_file
from support.servers.running import HOST, free_port, program, running, work_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import trustme

Asks = Literal["off", "on", "optional_no_ca"]

# The rest is as in `listings`.
_NGINX = """\
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {{}}
http {{
    log_format seen '$uri|$ssl_client_s_dn';
    access_log "{log}" seen;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{
        listen {host}:{port} ssl;
        ssl_certificate server.pem;
        ssl_certificate_key server.pem;
        ssl_verify_client {asks};
        ssl_client_certificate clients.pem;
        root "{folder}";
        autoindex on;
        {more}
    }}
}}
"""


@contextmanager
def nginx(
    folder: Path,
    authority: trustme.CA,
    log: Path,
    *,
    asks: Asks = "off",
    login: tuple[str, str] | None = None,
    files_at: str | None = None,
) -> Iterator[str]:
    """Serve a folder over TLS.

    Args:
        folder: What is served.
        authority: Where the server's certificate comes from, and those of clients have to.
        log: Where each request is written; it is complete when the server has ended. See `seen`.
        asks: Whether a client certificate is demanded; "optional_no_ca" takes any, or none.
        login: The user and the password (without a colon) to see it with; None for everybody.
        files_at: The server that requests for files are redirected to; None for this one.

    Yields:
        The server's URL, without a slash at its end.
    """
    with free_port() as port, work_folder() as work:
        identity_file(authority.issue_cert(HOST), work / "server.pem")
        authority.cert_pem.write_to_path(str(work / "clients.pem"))
        more = ""
        if login is not None:
            (work / "users").write_text(":{PLAIN}".join(login))
            more += 'auth_basic "uv"; auth_basic_user_file users;'
        if files_at is not None:
            more += rf"location ~ [^/]$ {{ return 302 {files_at}$request_uri; }}"
        configuration = work / "nginx.conf"
        configuration.write_text(
            _NGINX.format(host=HOST, port=port, folder=folder, log=log, asks=asks, more=more)
        )
        command = (program("nginx"), "-e", "stderr", "-p", str(work), "-c", str(configuration))
        with running(*command, port=port, work=work):
            yield f"https://{HOST}:{port}"


def seen(log: Path) -> set[tuple[str, str]]:
    """Return what was asked for, `folder` or `file`, and whose certificate came with it; or `-`."""
    lines = (line.split("|", 1) for line in log.read_text().splitlines())
    return {("folder" if path.endswith("/") else "file", subject) for path, subject in lines}
