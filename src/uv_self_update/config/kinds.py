"""The kinds of sources: what each is configured with, in a file and on the command line."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from uv_self_update.config.credential_keys import (
    LOGIN_FIELDS,
    REFUSED,
    SECRET_KEYS,
    HeadersField,
    UserField,
    VariableField,
)
from uv_self_update.config.kind import Kind
from uv_self_update.config.place_keys import NameField, PathField, UrlField
from uv_self_update.errors import InvalidSource
from uv_self_update.messages import echo, listed, shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_WEB = ("http", "https")
_ONE, _TWO = "[^/]", "[^/]/+[^/]"

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "index": Kind(
            optional=("url",),
            no_login="uv asks an index itself, and finds the login as it does for packages: "
            "`uv auth login`, a netrc file, a keyring, or `uv.toml`",
        ),
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
        "directory": Kind(
            required=("path",), no_login="who may read a folder is up to the operating system"
        ),
        "auto": Kind(required=("url",), schemes=_WEB),
    }
)
"""Every kind; `auto` finds out which of the others a URL is, whenever it is used."""


Field = UrlField | PathField | NameField | UserField | VariableField | HeadersField

SOURCE_FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "url": UrlField(),
        "latest": UrlField(),
        "release": UrlField(placeholders=("{tag}", "{version}")),
        "download": UrlField(placeholders=("{tag}", "{version}", "{asset}"), needed=("{asset}",)),
        "path": PathField(),
        "package": NameField(),
        **LOGIN_FIELDS,
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
    username: str | None = None
    password_env: str | None = None
    """The environment variable that holds the password of `username`."""

    token_env: str | None = None
    """The environment variable that holds a token."""

    header_env: tuple[tuple[str, str], ...] = ()
    """Headers, each with the environment variable that holds its value."""

    def __repr__(self) -> str:
        """Show what is set, without a password or a token."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        parts = (f"{name}={_bare(value)!r}" for name, value in values if value)
        return f"SourceSettings({', '.join(parts)})"

    @property
    def urls(self) -> tuple[str, ...]:
        """Every URL, or template of one, that it is configured with."""
        urls = (self.url, self.latest, self.release, self.download)
        return tuple(url for url in urls if url is not None)

    def with_login_of(self, other: SourceSettings) -> SourceSettings:
        """Return this source with the keys of another's login."""
        names = (key.replace("-", "_") for key in LOGIN_FIELDS)
        return replace(self, **{name: getattr(other, name) for name in names})


def _bare(value: object) -> object:
    return shown(value) if isinstance(value, str) else value


def check_source(table: Mapping[str, object]) -> tuple[SourceSettings, list[tuple[str, str]]]:
    """Check one `[[source]]`.

    Returns:
        The source with every field that is fit, and what is wrong with the others: key, reason.
    """
    problems: list[tuple[str, str]] = []
    found: dict[str, Any] = {}
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
        if reasons := [*_key_problems(key, value, str(name), kind)]:
            problems += [(key, reason) for reason in reasons]
        else:
            attribute = key.replace("-", "_")
            found[attribute] = tuple(value.items()) if isinstance(value, dict) else value
    problems += [
        (key, f"it is missing, and a source of kind `{name}` needs it")
        for key in kind.required
        if key not in table
    ]
    if "password-env" in table and "username" not in table and not kind.no_login:
        problems.append(("username", "it is missing, and `password-env` needs it"))
    return SourceSettings(kind=str(name), **found), problems


def _key_problems(key: str, value: object, name: str, kind: Kind) -> Iterator[str]:
    if key.lower().replace("_", "-") in SECRET_KEYS:
        yield f"there is no such key: {kind.no_login}" if kind.no_login else REFUSED
    elif key not in SOURCE_FIELDS:
        yield f"unknown key{suggestion(key, ('kind', *kind.fields))}"
    elif key in kind.fields:
        yield from SOURCE_FIELDS[key].problems(value, kind)
    else:
        why = f": {kind.no_login}" if key in LOGIN_FIELDS else ""
        yield f"a source of kind `{name}` has no such key{why}"


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
