"""Every server that shows a directory, by the name that `docs/servers.md` has for it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from support.servers import listings, scripted, small

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    Start = Callable[[Path], AbstractContextManager[str]]

FAST: Mapping[str, Start] = {
    "nginx": listings.nginx,
    "nginx, `autoindex_format json`": partial(listings.nginx, listing="json"),
    "nginx, `autoindex_format xml`": partial(listings.nginx, listing="xml"),
    "nginx, fancyindex": partial(listings.nginx, listing="fancy"),
    "Apache, `-FancyIndexing`": partial(listings.apache, listing="plain"),
    "Apache, `FancyIndexing`": partial(listings.apache, listing="fancy"),
    "Apache, `HTMLTable`": partial(listings.apache, listing="table"),
    "Apache, `Type=text/plain`": partial(listings.apache, listing="text"),
    "Caddy": listings.caddy,
    "lighttpd": small.lighttpd,
    "lighttpd without media types": partial(small.lighttpd, types=False),
    "webfs": small.webfs,
    "h2o": small.h2o,
    "mini-httpd": small.mini_httpd,
    "micro-httpd": small.micro_httpd,
    "rclone `serve http`": small.rclone,
    "rclone `serve webdav`": partial(small.rclone, protocol="webdav"),
    "`python -m http.server`": listings.http_server,
}
"""Those that listen within a tenth of a second."""

LATE: Mapping[str, Start] = {
    "yaws": small.yaws,
    "uploadserver": scripted.uploadserver,
    "Twisted": scripted.twisted,
    "WsgiDAV": scripted.wsgidav,
    "updog": scripted.updog,
    "copyparty": scripted.copyparty,
    "npm `serve`": scripted.npm_serve,
    "npm `http-server`": scripted.npm_http_server,
}
