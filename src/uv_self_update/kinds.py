"""The kinds of sources: what each is configured with, in a file and on the command line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from uv_self_update.errors import InvalidSource
from uv_self_update.wording import echo, listed, shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = (
    "KINDS",
    "SOURCE_FIELDS",
    "Kind",
    "SourceSettings",
    "check_source",
    "parse_source",
)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a kind of source is configured with."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ("http", "https", "file")
    """What its URLs may start with."""

    path: str = ""
    """A regular expression that the path of its URL has to match somewhere."""

    due: str = ""
    """What that path lacks if it does not match."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Every key that a `[[source]]` of this kind may have, beside `kind`."""
        return self.required + self.optional


_WEB = ("http", "https")
_ONE, _TWO = "[^/]", "[^/]/+[^/]"

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "index": Kind(optional=("url",)),
        "urls": Kind(required=("download",), optional=("latest", "release")),
        "github": Kind(required=("url",), schemes=_WEB, path=_TWO, due="`/OWNER/REPO` at its end"),
        "astral": Kind(required=("url",)),
        "listing": Kind(required=("url",), schemes=_WEB),
        "nexus": Kind(
            required=("url",),
            schemes=_WEB,
            path="/repository/[^/]+",
            due="`/repository/NAME` in it",
        ),
        "artifactory": Kind(
            required=("url",), schemes=_WEB, path=_ONE, due="`/artifactory/REPOSITORY` in it"
        ),
        "gitlab": Kind(
            required=("url",),
            optional=("package",),
            schemes=_WEB,
            path=_TWO,
            due="`/GROUP/PROJECT` at its end",
        ),
        "gitea": Kind(
            required=("url",),
            optional=("package",),
            schemes=_WEB,
            path=_ONE,
            due="`/OWNER/REPO` at its end",
        ),
        "s3": Kind(required=("url",), schemes=_WEB),
        "directory": Kind(required=("path",)),
        "auto": Kind(required=("url",), schemes=_WEB),
    }
)
"""Every kind; `auto` finds out which of the others a URL is, whenever it is used."""


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


SOURCE_FIELDS: Mapping[str, UrlField | PathField | NameField] = MappingProxyType(
    {
        "url": UrlField(),
        "latest": UrlField(),
        "release": UrlField(placeholders=("{tag}", "{version}")),
        "download": UrlField(placeholders=("{tag}", "{version}", "{asset}"), needed=("{asset}",)),
        "path": PathField(),
        "package": NameField(),
    }
)


@dataclass(frozen=True, kw_only=True)
class SourceSettings:
    """One `[[source]]`; each kind has its own of these fields, see `KINDS`."""

    kind: str = "index"
    url: str | None = None
    latest: str | None = None
    release: str | None = None
    download: str | None = None
    path: str | None = None
    package: str | None = None


def check_source(table: Mapping[str, object]) -> tuple[SourceSettings, list[tuple[str, str]]]:
    """Check one `[[source]]`.

    Returns:
        The source with every field that is fit, and what is wrong with the others: key, reason.
    """
    problems: list[tuple[str, str]] = []
    fields: dict[str, str] = {}
    name = table.get("kind", "auto" if "url" in table else None)
    known = name in KINDS if isinstance(name, str) else False
    # With no kind to go by, each key can still be judged by itself.
    kind = KINDS[str(name)] if known else Kind(optional=tuple(SOURCE_FIELDS))
    if name is None:
        problems.append(("kind", f"it is missing; {listed(KINDS)} is due"))
    elif not known:
        reason = f"it is {echo(name)}, but {listed(KINDS)} is due{suggestion(name, KINDS)}"
        problems.append(("kind", reason))
    for key, value in table.items():
        if key == "kind":
            continue
        if key not in SOURCE_FIELDS:
            problems.append((key, f"unknown key{suggestion(key, ('kind', *kind.fields))}"))
        elif key not in kind.fields:
            problems.append((key, f"a source of kind `{name}` has no such key"))
        elif reasons := [*SOURCE_FIELDS[key].problems(value, kind)]:
            problems += [(key, reason) for reason in reasons]
        else:
            fields[key] = str(value)
    problems += [
        (key, f"it is missing, and a source of kind `{name}` needs it")
        for key in kind.required
        if key not in table
    ]
    return SourceSettings(kind=str(name), **fields), problems


def parse_source(spec: str) -> SourceSettings:
    """Read a source as the command line writes it: `index`, a URL, a path or `KIND+URL`.

    Raises:
        InvalidSource: It is none of these.
    """
    name, plus, rest = spec.partition("+")
    if spec.startswith("file://") or _looks_like_path(spec):
        name, plus, rest = "directory", "+", spec
    elif "://" in name:
        name, plus, rest = "auto", "+", spec
    if name not in KINDS:
        due = f"{listed(KINDS)} is due before the `+`" if plus else "no kind, no URL and no path"
        raise InvalidSource(shown(spec), f"{due}{suggestion(name, KINDS)}")
    table = {"kind": name}
    if plus:
        field = KINDS[name].fields[0]
        table[field] = _absolute(rest) if field == "path" else rest
    source, problems = check_source(table)
    if problems:
        needed = "a path" if name == "directory" else "a URL"
        follow = f"{needed} has to follow, as in `{name}+{_EXAMPLES[needed]}`"
        raise InvalidSource(shown(spec), problems[0][1] if plus else follow)
    return source


_EXAMPLES = {"a path": "/mnt/share/uv", "a URL": "https://example.com/"}


def _looks_like_path(spec: str) -> bool:
    return re.match(r"(?:~|\.{0,2}[/\\]|[A-Za-z]:[/\\])", spec) is not None


def _absolute(path: str) -> str:
    """Return a path of the command line as a configuration would write it."""
    if not path or path.startswith(("file://", "~")):
        return path
    return str(Path(path).absolute())


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
