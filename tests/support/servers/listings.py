"""Web servers that show a folder: nginx, Apache, Caddy, and Python's own."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from support.missing import missing
from support.servers.running import HOST, free_port, program, running, work_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    import trustme

NginxListing = Literal["html", "json", "xml", "fancy", "off"]
ApacheListing = Literal["plain", "fancy", "table", "text", "off"]
CaddyListing = Literal["accepted", "json"]

_APACHE_MODULES = Path("/usr/lib/apache2/modules")
_APACHE_LISTINGS: dict[ApacheListing, str] = {
    "plain": "Options +Indexes\nIndexOptions -FancyIndexing",
    "fancy": "Options +Indexes\nIndexOptions FancyIndexing",
    "table": "Options +Indexes\nIndexOptions FancyIndexing HTMLTable VersionSort Charset=UTF-8",
    "text": "Options +Indexes\nIndexOptions -FancyIndexing Type=text/plain",
    "off": "Options -Indexes",
}
_FANCYINDEX = Path("/usr/lib/nginx/modules/ngx_http_fancyindex_module.so")

# In one process nothing is left to be ended separately, and root's temporary folders can be read.
_NGINX = """\
{load}
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    default_type application/octet-stream;
    types {{ text/html html; application/gzip gz; }}
    server {{
        listen {host}:{port};
        root "{folder}";
        {inside}
    }}
    {beside}
}}
"""

_NGINX_TLS = """\
    server {{
        listen {host}:{port} ssl;
        ssl_certificate certificate.pem;
        ssl_certificate_key certificate.pem;
        location / {{
            proxy_pass http://{host}:{backend};
            proxy_redirect off;
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-Proto https;
        }}
    }}
"""

_APACHE = """\
ServerName {host}
Listen {host}:{port}
PidFile apache.pid
DefaultRuntimeDir .
Mutex pthread
ErrorLog /dev/stderr
{modules}
TypesConfig types
ServerLimit 1
StartServers 1
ThreadsPerChild 8
MaxRequestWorkers 8
MinSpareThreads 1
MaxSpareThreads 8
DocumentRoot "{folder}"
<Directory "{folder}">
Require all granted
Options FollowSymLinks
{listing}
{more}
</Directory>
"""

_CADDY = """\
{{
    admin off
    auto_https off
}}
http://{host}:{port} {{
    bind {host}
    root * "{folder}"
    {more}
    file_server browse
}}
"""


@contextmanager
def nginx(
    folder: Path,
    *,
    listing: NginxListing = "html",
    login: tuple[str, str] | None = None,
    gzip_label: bool = False,
    index: bool = False,
) -> Iterator[str]:
    """Serve a folder with nginx.

    Args:
        folder: What is served.
        listing: What a folder is shown as; "off" is 403.
        login: The user and the password (without a colon) to see it with; None for everybody.
        gzip_label: Whether `.gz` files are said to be encoded, as some servers do.
        index: Whether a folder's `index.html` takes the place of the listing.

    Yields:
        The server's URL, without a slash at its end.
    """
    with free_port() as port, work_folder() as work:
        inside = _nginx_listing(listing) + ("index index.html;" if index else "")
        if login is not None:
            (work / "users").write_text(":{PLAIN}".join(login))
            inside += 'auth_basic "uv"; auth_basic_user_file users;'
        if gzip_label:
            inside += r"location ~ \.gz$ { add_header Content-Encoding gzip; }"
        load = ""
        if listing == "fancy":
            if not _FANCYINDEX.exists():
                missing(f"nginx has no {_FANCYINDEX}")
            load = f"load_module {_FANCYINDEX};"
        text = _NGINX.format(
            load=load, host=HOST, port=port, folder=folder, inside=inside, beside=""
        )
        with _running_nginx(text, port, work):
            yield f"http://{HOST}:{port}"


@contextmanager
def nginx_behind_tls(
    folder: Path, authority: trustme.CA, *, listing: NginxListing = "html"
) -> Iterator[str]:
    """Serve a folder with an nginx that another one stands before, which speaks HTTPS.

    The one behind does not know of that, and redirects to `http://`; there, it lets in nobody.

    Yields:
        The `https://` URL, without a slash at its end.
    """
    with free_port() as backend, free_port() as port, work_folder() as work:
        certificate = authority.issue_cert(HOST)
        certificate.private_key_and_cert_chain_pem.write_to_path(work / "certificate.pem")
        text = _NGINX.format(
            load="",
            host=HOST,
            port=backend,
            folder=folder,
            inside=_nginx_listing(listing) + 'if ($http_x_forwarded_proto = "") { return 403; }',
            beside=_NGINX_TLS.format(host=HOST, port=port, backend=backend),
        )
        with _running_nginx(text, port, work):
            yield f"https://{HOST}:{port}"


@contextmanager
def apache(
    folder: Path, *, listing: ApacheListing = "fancy", gzip_label: bool = False
) -> Iterator[str]:
    """Serve a folder with Apache.

    Args:
        folder: What is served.
        listing: What a folder is shown as; "off" is 403.
        gzip_label: Whether `.gz` files are said to be encoded, as with older configurations.

    Yields:
        The server's URL, without a slash at its end.
    """
    server = program("apache2")
    names = ("mpm_event", "authz_core", "autoindex", "dir", "mime")
    if not _APACHE_MODULES.is_dir():
        missing(f"apache2 has no modules in {_APACHE_MODULES}")
    with free_port() as port, work_folder() as work:
        (work / "types").write_text("text/html html\napplication/gzip gz\n")
        text = _APACHE.format(
            host=HOST,
            port=port,
            folder=folder,
            modules="\n".join(
                f"LoadModule {name}_module {_APACHE_MODULES}/mod_{name}.so" for name in names
            ),
            listing=_APACHE_LISTINGS[listing],
            more="AddEncoding gzip .gz" if gzip_label else "",
        )
        configuration = work / "apache.conf"
        configuration.write_text(text)
        command = (server, "-D", "FOREGROUND", "-d", str(work), "-f", str(configuration))
        # Apache refuses to serve as root.
        with running(*command, port=port, work=work, as_nobody=True):
            yield f"http://{HOST}:{port}"


@contextmanager
def caddy(folder: Path, *, listing: CaddyListing = "accepted") -> Iterator[str]:
    """Serve a folder with Caddy.

    Args:
        folder: What is served.
        listing: What a folder is shown as; "accepted" is JSON to those who accept nothing else.

    Yields:
        The server's URL, without a slash at its end.
    """
    server = program("caddy")
    with free_port() as port, work_folder() as work:
        configuration = work / "Caddyfile"
        more = "request_header Accept application/json" if listing == "json" else ""
        configuration.write_text(_CADDY.format(host=HOST, port=port, folder=folder, more=more))
        environ = {f"XDG_{name}_HOME": str(work) for name in ("CONFIG", "DATA")}
        command = (server, "run", "--adapter", "caddyfile", "--config", str(configuration))
        with running(*command, port=port, work=work, environ=environ):
            yield f"http://{HOST}:{port}"


@contextmanager
def http_server(folder: Path) -> Iterator[str]:
    """Serve a folder with `python -m http.server`.

    Yields:
        The server's URL, without a slash at its end.
    """
    with free_port() as port, work_folder() as work:
        command = (sys.executable, "-m", "http.server", str(port), "--bind", HOST)
        with running(*command, "--directory", str(folder), port=port, work=work):
            yield f"http://{HOST}:{port}"


@contextmanager
def _running_nginx(configuration: str, port: int, work: Path) -> Iterator[None]:
    server = program("nginx")
    path = work / "nginx.conf"
    path.write_text(configuration)
    command = (server, "-e", "stderr", "-p", str(work), "-c", str(path))
    with running(*command, port=port, work=work):
        yield


def _nginx_listing(listing: NginxListing) -> str:
    if listing == "fancy":
        return "fancyindex on; fancyindex_exact_size off;"
    return "" if listing == "off" else f"autoindex on; autoindex_format {listing};"
