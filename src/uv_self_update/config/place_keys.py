"""The keys of a `[[source]]` that say where it is: URLs, a path, a name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from uv_self_update.messages import echo, listed, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.config.kind import Kind


@dataclass(frozen=True, kw_only=True)
class UrlField:
    """A key of a `[[source]]`, which holds a URL or a template of one."""

    placeholders: tuple[str, ...] = ()
    """What the template may hold."""

    needed: tuple[str, ...] = ()
    """What the template must hold."""

    def problems(self, value: object, kind: Kind) -> Iterator[str]:
        """Say what is wrong with a value."""
        return _url_problems(value, self, kind)


@dataclass(frozen=True, kw_only=True)
class PathField:
    """A key of a `[[source]]`, which holds the path of a folder."""

    def problems(self, value: object, _kind: Kind) -> Iterator[str]:
        """Say what is wrong with a value."""
        return _path_problems(value)


@dataclass(frozen=True, kw_only=True)
class NameField:
    """A key of a `[[source]]`, which holds a name."""

    def problems(self, value: object, _kind: Kind) -> Iterator[str]:
        """Say what is wrong with a value."""
        if not isinstance(value, str) or not re.fullmatch(r"[\w.+~-]+", value):
            yield f"it is {echo(value)}, but a name of letters, digits, `-`, `_` and `.` is due"


def _path_problems(value: object) -> Iterator[str]:
    due = "the absolute path of a folder"
    if not isinstance(value, str) or not value or "\0" in value:
        yield f"it is {echo(value)}, but {due} is due"
    elif not (re.match(r"~|file:///?", value) or _is_absolute(value)):
        yield f"`{shown(value)}` is not {due}, such as `/mnt/share/uv`"


def _is_absolute(path: str) -> bool:
    # A drive or a share is as absolute as a root, and a file may be read on another system.
    return PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()


def _url_problems(value: object, template: UrlField, kind: Kind) -> Iterator[str]:
    if not isinstance(value, str) or not value:
        yield f"it is {echo(value)}, but a URL in quotes is due"
        return
    if re.search(r"[\s\x00-\x1f\x7f]", value):
        yield "a URL has no white space in it; a blank is written %20"
        return
    url = shown(value)
    try:
        parts = urlsplit(value)
        _ = parts.port  # it is read, and may be refused, only now
    except ValueError:
        yield f"`{url}` is not a URL; in a password, `/` is written %2F, `#` %23 and `@` %40"
        return
    if "@" in f"{parts.path}{parts.fragment}" and "@" not in parts.netloc:
        written = "in a password, `/` is written %2F and `#` %23; elsewhere, `@` is written %40"
        yield f"`{url}` has a login in the wrong place: {written}"
    elif "://" not in value or parts.scheme not in kind.schemes:
        yield f"`{url}` does not start with {listed([f'{scheme}://' for scheme in kind.schemes])}"
    elif parts.scheme == "file" and not parts.path.startswith("/"):
        yield f"`{url}` has no absolute path, as in `file:///folder`"
    elif parts.scheme != "file" and not parts.hostname:
        yield f"`{url}` names no host"
    elif not re.search(kind.path, parts.path):
        yield f"`{url}` lacks {kind.due}"
    yield from _placeholder_problems(value, template)


def _placeholder_problems(value: str, template: UrlField) -> Iterator[str]:
    for name in dict.fromkeys(re.findall(r"\{[^{}]*\}|[{}]", value)):
        if name not in template.placeholders:
            allowed = listed(template.placeholders) if template.placeholders else "none"
            yield f"`{shown(name)}` is not a placeholder that is allowed here: {allowed}"
    for name in template.needed:
        if name not in value:
            yield f"`{shown(value)}` lacks `{name}`, where the name of the file goes"
