"""Web servers that show their folders: nginx, Apache, Caddy, IIS, `python -m http.server`."""

from __future__ import annotations

import html as markup
from abc import abstractmethod
from typing import TYPE_CHECKING
from urllib.parse import quote

from support.simulator.dialect import Dialect, encoded, html, json_page, redirect, stored
from support.simulator.folders import lay_out

if TYPE_CHECKING:
    from support.catalogue import Catalogue
    from support.simulator.dialect import Call, Setup
    from support.simulator.folders import Folder
    from support.web import Page


class _WebServer(Dialect):
    """Files, and a page for each folder."""

    kind = "listing"
    no_slash = 301
    """How the URL of a folder without its slash is answered."""

    def __init__(self, catalogue: Catalogue, setup: Setup) -> None:
        super().__init__(catalogue, setup)
        self._tree = lay_out(catalogue, setup)

    @property
    def place(self) -> str:
        """The folder that the releases are in."""
        return encoded((*self.setup.before, *self.setup.below))

    def answer(self, call: Call) -> Page:
        """Return a file, a page, or where the page is."""
        file = None if call.slash else self._tree.files.get(call.path)
        if file is not None:
            return stored(file)
        folder = self._tree.folder(call.path)
        if folder is None:
            return html("<html><title>404 Not Found</title></html>", status=404)
        if not call.slash:
            return redirect(self._with_slash(call), self.no_slash)
        return self.page(call, folder)

    @abstractmethod
    def page(self, call: Call, folder: Folder) -> Page:
        """Return the page of a folder."""

    def _with_slash(self, call: Call) -> str:
        """Return the folder's own URL; most servers name themselves in it."""
        return f"{call.root}{encoded(call.path)}/"

    def _title(self, call: Call) -> str:
        names = (*self.setup.before, *call.path)
        return markup.escape("/" + "".join(f"{name}/" for name in names))

    def _parent(self, call: Call) -> str:
        return encoded((*self.setup.before, *call.path)[:-1]) + "/"


class NginxHtml(_WebServer):
    """`autoindex on`."""

    def page(self, call: Call, folder: Folder) -> Page:
        """Return the page, in which long names are cut off, but not the links."""
        lines = [
            *(_nginx_line(f"{name}/", "-") for name in folder.folders),
            *(_nginx_line(file.name, str(len(file.content))) for file in folder.files),
        ]
        title = f"Index of {self._title(call)}"
        return html(
            f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<h1>{title}</h1><hr>"
            f'<pre><a href="../">../</a>\r\n{"".join(lines)}</pre><hr></body>\r\n</html>\r\n'
        )


class NginxJson(_WebServer):
    """`autoindex on; autoindex_format json`."""

    def page(self, call: Call, folder: Folder) -> Page:  # noqa: ARG002 # the names say all
        """Return a list."""
        folders = [
            {"name": name, "type": "directory", "mtime": "Sun, 22 Nov 2026 06:08:38 GMT"}
            for name in folder.folders
        ]
        files = [
            {
                "name": file.name,
                "type": "file",
                "mtime": file.date.strftime("%a, %d %b %Y %H:%M:%S GMT"),
                "size": len(file.content),
            }
            for file in folder.files
        ]
        return json_page([*folders, *files])


class ApachePlain(_WebServer):
    """`Options +Indexes` without `IndexOptions`."""

    def page(self, call: Call, folder: Folder) -> Page:
        """Return a bare list, the parent by its path."""
        lines = [
            f'<li><a href="{self._parent(call)}"> Parent Directory</a></li>\n',
            *(
                f'<li><a href="{_href(name)}"> {markup.escape(name)}</a></li>\n'
                for name in _both(folder)
            ),
        ]
        title = f"Index of {self._title(call).rstrip('/')}"
        return html(
            '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<html>\n <head>\n'
            f"  <title>{title}</title>\n </head>\n <body>\n<h1>{title}</h1>\n"
            f"<ul>{''.join(lines)}</ul>\n</body></html>\n"
        )


class ApacheFancy(_WebServer):
    """`IndexOptions FancyIndexing`."""

    def page(self, call: Call, folder: Folder) -> Page:
        """Return columns in a `<pre>`; long names are cut off, and the heads are links."""
        heads = "".join(
            f'<a href="?C={letter};O=A">{name}</a> '
            for letter, name in (("N", "Name"), ("M", "Last modified"), ("S", "Size"))
        )
        parent = f'<a href="{self._parent(call)}">Parent Directory</a>'
        lines = [
            f'<img src="/icons/unknown.gif" alt="[   ]"> <a href="{_href(name)}">'
            f"{_cut(name, 23)}</a> 2026-01-29 20:24  1.2K  \n"
            for name in _both(folder)
        ]
        return html(
            f"<html><head><title>Index of {self._title(call)}</title></head><body>"
            f'<pre><img src="/icons/blank.gif" alt="Icon "> {heads}<hr>'
            f'<img src="/icons/back.gif" alt="[PARENTDIR]"> {parent}                 -   \n'
            f"{''.join(lines)}<hr></pre>\n</body></html>\n"
        )


class ApacheTable(_WebServer):
    """`IndexOptions FancyIndexing HTMLTable`, which is Debian's default."""

    def page(self, call: Call, folder: Folder) -> Page:
        """Return a table."""
        rows = [
            f'<tr><td valign="top"><img src="/icons/folder.gif" alt="[DIR]"></td><td>'
            f'<a href="{_href(name)}">{_cut(name, 23)}</a></td>'
            '<td align="right">2026-01-29 20:24  </td><td align="right">  - </td>'
            "<td>&nbsp;</td></tr>\n"
            for name in _both(folder)
        ]
        return html(
            f"<html><head><title>Index of {self._title(call)}</title></head><body><table>\n"
            '<tr><th valign="top"><img src="/icons/blank.gif" alt="[ICO]"></th>'
            '<th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M;O=A">Last modified</a></th></tr>'
            '<tr><td valign="top"><img src="/icons/back.gif" alt="[PARENTDIR]"></td>'
            f'<td><a href="{self._parent(call)}">Parent Directory</a></td></tr>\n'
            f"{''.join(rows)}</table>\n"
            "<address>Apache/2.4.71 (Debian) Server at h Port 80</address></body></html>\n"
        )


class CaddyHtml(_WebServer):
    """`file_server browse` behind something that wants no JSON."""

    no_slash = 308

    def page(self, call: Call, folder: Folder) -> Page:
        """Return a page with relative links and a few others."""
        rows = [
            f'<tr class="file"><td></td><td><a href="./{_href(name)}">'
            f'<span class="name">{markup.escape(name)}</span></a></td></tr>'
            for name in _both(folder)
        ]
        return html(
            f"<!DOCTYPE html><html><head><title>{self._title(call)}</title></head><body><table>"
            '<tr><th><a href="?sort=namedirfirst&order=desc">Name</a></th></tr>'
            f'<tr><td><a href=".."><span class="goup">Go up</span></a></td></tr>{"".join(rows)}'
            '</table><footer>Served with <a href="https://caddyserver.com">Caddy</a></footer>'
            "</body></html>"
        )

    def _with_slash(self, call: Call) -> str:
        return f"{encoded((*self.setup.before, *call.path))}/"


class CaddyJson(CaddyHtml):
    """`file_server browse`, which lists in JSON for whoever asks for that."""

    def page(self, call: Call, folder: Folder) -> Page:
        """Return a list, or the page."""
        if "application/json" not in call.headers.get("accept", ""):
            return super().page(call, folder)
        sizes = {file.name: len(file.content) for file in folder.files}
        entries = [
            {
                "name": name,
                "size": sizes.get(name, 4096),
                "url": f"./{_href(name)}",
                "mod_time": "2026-01-29T20:24:46.972497Z",
                "mode": 2147484141,
                "is_dir": name.endswith("/"),
                "is_symlink": False,
            }
            for name in _both(folder)
        ]
        return json_page(entries)


class PythonServer(_WebServer):
    """`python -m http.server`."""

    def page(self, call: Call, folder: Folder) -> Page:
        """Return a bare list without a parent."""
        lines = "".join(
            f'<li><a href="{_href(name)}">{markup.escape(name)}</a></li>\n'
            for name in _both(folder)
        )
        title = f"Directory listing for {self._title(call)}"
        return html(
            f'<!DOCTYPE HTML>\n<html lang="en">\n<head>\n<title>{title}</title>\n</head>\n<body>\n'
            f"<h1>{title}</h1>\n<hr>\n<ul>\n{lines}</ul>\n<hr>\n</body>\n</html>\n"
        )

    def _with_slash(self, call: Call) -> str:
        return f"{encoded((*self.setup.before, *call.path))}/"


class Iis(_WebServer):
    """Directory browsing of IIS: upper case, and every link from the root of the server."""

    def page(self, call: Call, folder: Folder) -> Page:
        """Return lines with `<br>` between them."""
        here = encoded((*self.setup.before, *call.path))
        lines = [
            f" 1/29/2026  8:24 PM        &lt;dir&gt; "
            f'<A HREF="{here}/{_href(name)}">{markup.escape(name.rstrip("/"))}</A><br>'
            for name in _both(folder)
        ]
        title = self._title(call)
        return html(
            f"<html><head><title>h - {title}</title></head><body><H1>h - {title}</H1><hr>\r\n\r\n"
            f'<pre><A HREF="{self._parent(call)}">[To Parent Directory]</A><br><br>'
            f"{''.join(lines)}</pre><hr></body></html>"
        )


def _both(folder: Folder) -> list[str]:
    """Return every name in a folder, those of folders with a slash."""
    return sorted([*(f"{name}/" for name in folder.folders), *(file.name for file in folder.files)])


def _href(name: str) -> str:
    """Return a relative link to a name, as most servers write it."""
    return markup.escape(quote(name, safe="/&"))


def _nginx_line(name: str, size: str) -> str:
    """Return a line of nginx, which quotes more than others."""
    start = f'<a href="{quote(name, safe="/")}">{_cut(name, 50)}</a>'
    return f"{start:<100} 29-Jan-2026 20:24 {size:>19}\r\n"


def _cut(name: str, width: int) -> str:
    return markup.escape(name if len(name) <= width else f"{name[: width - 3]}..>")
