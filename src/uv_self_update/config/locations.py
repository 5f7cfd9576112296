"""Types of values that say where a source is: URLs, and directories."""

from __future__ import annotations

import re
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from uv_self_update.config.field import InvalidValue, ValueType
from uv_self_update.messages import listed, shown
from uv_self_update.suggestions import with_scheme
from uv_self_update.url import Url
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@frozen
class UrlType(ValueType):
    """A URL, or a template of one."""

    expected = "a URL"
    schemes: tuple[str, ...] = ("http", "https", "file")
    path: str = ""
    """A regular expression that has to match within the URL's path."""

    path_rule: str = ""
    """The same in words, after `must`: `end with /OWNER/REPO`."""

    placeholders: tuple[str, ...] = ()
    """What a template may contain."""

    needed: str = ""
    """The placeholder that a template has to contain."""

    def parse(self, value: object, _directory: Path) -> Url:
        if not isinstance(value, str) or not value:
            raise self.invalid(value)
        url = _parsed(value)
        problems = [*self._problems_of_parts(value, url), *self._problems_of_placeholders(value)]
        if problems:
            raise InvalidValue(*problems)
        return url

    def _problems_of_parts(self, value: str, url: Url) -> Iterator[str]:
        parts = url.parts
        if "@" in f"{parts.path}{parts.fragment}" and not url.userinfo:
            escapes = "in a password, write `/` as `%2F` and `#` as `%23`; elsewhere, `@` as `%40`"
            yield f"misplaced credentials in `{shown(value)}`: {escapes}"
        elif "://" not in value or parts.scheme not in self.schemes:
            schemes = listed(f"{name}://" for name in self.schemes)
            reason = f"`{shown(value)}` does not start with {schemes}"
            complete = with_scheme(value)
            yield f"{reason}; did you mean `{shown(complete)}`?" if complete else reason
        elif parts.scheme == "file" and not parts.path.startswith("/"):
            example = "such as `file:///mnt/share/uv`"
            yield f"`{shown(value)}` has no absolute path: expected one {example}"
        elif parts.scheme != "file" and not url.host:
            yield f"`{shown(value)}` has no host"
        elif not re.search(self.path, parts.path):
            yield f"the path of `{shown(value)}` must {self.path_rule}"

    def _problems_of_placeholders(self, value: str) -> Iterator[str]:
        for name in dict.fromkeys(re.findall(r"\{[^{}]*\}|[{}]", value)):
            if name not in self.placeholders:
                known = listed(self.placeholders) if self.placeholders else "a URL without any"
                yield f"unknown placeholder `{shown(name)}`: expected {known}"
        if self.needed not in value:
            yield f"`{shown(value)}` has no placeholder `{self.needed}` for the name of the file"


def _parsed(value: str) -> Url:
    reason = "the URL contains white space: write a space as `%20`"
    if not re.search(r"[\s\x00-\x1f\x7f]", value):
        try:
            return Url.parse(value)
        except ValueError:
            escapes = "in a password, write `/` as `%2F`, `#` as `%23` and `@` as `%40`"
            reason = f"invalid URL `{shown(value)}`: {escapes}"
    raise InvalidValue(reason)


@frozen
class Directory(ValueType):
    """The absolute path of a directory, which need not exist here."""

    expected = "the absolute path of a directory, such as `/mnt/share/uv`"

    def parse(self, value: object, _directory: Path) -> str:
        if not isinstance(value, str) or not value or "\0" in value:
            raise self.invalid(value)
        if not (re.match(r"~|file:///?", value) or _is_absolute(value)):
            raise self.invalid(value)
        return value


def _is_absolute(path: str) -> bool:
    # A drive or a share is absolute too, and a file may be read on another system.
    return PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()
