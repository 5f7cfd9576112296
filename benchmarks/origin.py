"""nginx with TLS 1.3, which serves a directory as GitHub, a web server and a package index do.

It presents a certificate of an authority of its own, and logs each request.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.certificates import identity_file
from support.servers.running import HOST, free_port, program, running, work_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import trustme

__all__ = ("API", "Origin", "Request", "origin")

API = "/api/v3/repos/astral-sh/uv/releases"
"""The path of the list of releases."""

_NGINX = """\
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
    log_format seen '$connection $status $bytes_sent $ssl_protocol $request_method $request_uri';
    access_log requests.log seen;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    types {{ text/html html; application/json json; }}
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 10000;
    gzip_static on;
    map $arg_per_page $size {{ "" 30; default $arg_per_page; }}
    map $arg_page $page {{ "" 1; default $arg_page; }}
    map $size-$page $next {{
        default "";
{links}
    }}
    server {{
        listen {host}:{plain};
        listen {host}:{port} ssl;
        ssl_protocols TLSv1.3;
        ssl_certificate server.pem;
        ssl_certificate_key server.pem;
        root "{root}";
        location = {api} {{
            default_type application/json;
            add_header Link $next;
            try_files /lists/$size-$page.json =404;
        }}
        location {api}/ {{ default_type application/json; }}
        location /listing/ {{ autoindex on; }}
        location /simple/ {{ index index.html; expires 10m; }}
    }}
}}
"""
_LINK = (
    "        {size}-{page} '<$scheme://$http_host{api}?per_page={size}&page={next}>; rel=\"next\"';"
)


@dataclass(frozen=True, kw_only=True)
class Request:
    """A line of nginx's log."""

    connection: int
    status: int
    size: int
    """Bytes that were sent, with the head."""

    protocol: str
    method: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A running server."""

    port: int
    """For https."""

    plain: int
    """The port for http."""

    log: Path

    def requests(self, start: int = 0) -> list[Request]:
        """Return the requests that were logged from an offset in the log on."""
        with self.log.open() as file:
            file.seek(start)
            return [_request(line) for line in file]


def _request(line: str) -> Request:
    connection, status, size, protocol, method, path = line.rstrip("\n").split(" ", 5)
    return Request(
        connection=int(connection),
        status=int(status),
        size=int(size),
        protocol=protocol,
        method=method,
        path=path,
    )


@contextmanager
def origin(root: Path, authority: trustme.CA, lists: Mapping[int, int]) -> Iterator[Origin]:
    """Serve a directory.

    Args:
        root: The directory.
        authority: The issuer of the server's certificate.
        lists: The number of pages of the list of releases, for each page size.
    """
    links = (
        _LINK.format(size=size, page=page, next=page + 1, api=API)
        for size, count in lists.items()
        for page in range(1, count)
    )
    with free_port() as port, free_port() as plain, work_folder() as work:
        identity_file(authority.issue_cert(HOST), work / "server.pem")
        configuration = work / "nginx.conf"
        configuration.write_text(
            _NGINX.format(
                host=HOST, port=port, plain=plain, root=root, api=API, links="\n".join(links)
            )
        )
        command = (program("nginx"), "-e", "stderr", "-p", str(work), "-c", str(configuration))
        with running(*command, port=port, work=work):
            yield Origin(port=port, plain=plain, log=work / "requests.log")
