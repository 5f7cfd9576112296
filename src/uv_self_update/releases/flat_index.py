"""A flat index: one local HTML page, whose links name the files beside it and their sha256.

uv reads it with `format = "flat"`, and locks the hashes from 0.12.1 on (measured; a directory
without such a page, or `find-links`, is locked without hashes).
"""

from __future__ import annotations

import re
from html import escape, unescape
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE = "index.html"

_LINK = re.compile(r'<a href="([^"#]+)#sha256=([0-9a-f]{64})"')
_HEAD = """\
<!DOCTYPE html>
<html>
<head><meta charset="utf-8"><title>Packages, fetched by uv-self-update</title></head>
<body>
"""


def render(files: Mapping[str, str]) -> bytes:
    """Return the page of some files: file name -> sha256. The same files give the same bytes."""
    links = [
        f'<a href="{escape(quote(name))}#sha256={sha256}">{escape(name)}</a><br>\n'
        for name, sha256 in sorted(files.items())
    ]
    return f"{_HEAD}{''.join(links)}</body>\n</html>\n".encode()


def parse(page: bytes) -> dict[str, str]:
    """Return the files of a page that `render` has made: file name -> sha256."""
    text = page.decode(errors="replace")
    found = {unquote(unescape(href)): sha256 for href, sha256 in _LINK.findall(text)}
    return {name: sha256 for name, sha256 in found.items() if "/" not in name and "\\" not in name}
