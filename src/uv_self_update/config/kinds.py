"""The kinds of sources: what each is configured with, in a file and on the command line."""

from __future__ import annotations

import re
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from uv_self_update.config.credential_fields import CREDENTIAL_FIELDS, NO_SECRETS, SECRET_KEYS
from uv_self_update.config.field import Field, by_name, parse_table
from uv_self_update.config.locations import Directory, UrlType
from uv_self_update.config.value_types import Choice, Name
from uv_self_update.errors import InvalidSource
from uv_self_update.messages import invalid, listed, shown, suggestion
from uv_self_update.redaction import redact_url
from uv_self_update.suggestions import with_scheme
from uv_self_update.url import Url
from uv_self_update.values import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uv_self_update.config.field import Problems


@frozen
class Kind:
    """What a kind of source is configured with."""

    locations: tuple[Field, ...]
    """The fields that say where it is; the command line sets the first."""

    no_credentials: str = ""
    """Why it has no fields for credentials; empty if it has them."""

    @property
    def fields(self) -> Mapping[str, Field]:
        """Name -> field of a `[[source]]` of this kind, except `kind` itself."""
        credentials = {} if self.no_credentials else CREDENTIAL_FIELDS
        return {**by_name(*self.locations), **credentials}


_WEB = ("http", "https")
_URL = Field(name="url", type=UrlType())
_LATEST = Field(name="latest", type=UrlType())
_RELEASE = Field(name="release", type=UrlType(placeholders=("{tag}", "{version}")))
_DOWNLOAD = Field(
    name="download",
    type=UrlType(placeholders=("{tag}", "{version}", "{asset}"), needed="{asset}"),
    required=True,
)
_PATH = Field(name="path", type=Directory(), required=True)
_PACKAGE = Field(name="package", type=Name())
_FORMAT = Field(name="format", type=Choice(words=("simple", "flat")))


def _url(path: str = "", path_rule: str = "") -> Field:
    """Return the field of a URL on a web server whose path has to match."""
    url = UrlType(schemes=_WEB, path=path, path_rule=path_rule)
    return Field(name="url", type=url, required=True)


_PROJECT = _url("[^/]/+[^/]", "end with `/GROUP/PROJECT`")

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "index": Kind(
            locations=(_URL, _FORMAT),
            no_credentials="uv queries the index, with the credentials that it has for packages: "
            "`uv auth login`, a netrc file, a keyring or `uv.toml`",
        ),
        "urls": Kind(locations=(_DOWNLOAD, _LATEST, _RELEASE)),
        "github": Kind(locations=(_url("[^/]/+[^/]", "end with `/OWNER/REPO`"),)),
        "astral": Kind(locations=(replace(_URL, required=True),)),
        "listing": Kind(locations=(_url(),)),
        "nexus": Kind(locations=(_url("/repository/[^/]+", "contain `/repository/NAME`"),)),
        "artifactory": Kind(locations=(_url("[^/]", "contain `/artifactory/REPOSITORY`"),)),
        "gitlab": Kind(locations=(_PROJECT, _PACKAGE)),
        "gitea": Kind(locations=(_url("[^/]", "end with `/OWNER/REPO`"), _PACKAGE)),
        "s3": Kind(locations=(_url(),)),
        "directory": Kind(
            locations=(_PATH,),
            no_credentials="the operating system decides who may read a directory",
        ),
        "auto": Kind(locations=(_url(),)),
    }
)
"""Every kind; `auto` detects which of the others a URL is, at each use."""

_LOCATIONS = (_URL, _LATEST, _RELEASE, _DOWNLOAD, _PATH, _PACKAGE, _FORMAT)

SOURCE_FIELDS: Mapping[str, Field] = MappingProxyType({**by_name(*_LOCATIONS), **CREDENTIAL_FIELDS})
"""The fields of all kinds, in the order in which a file is written."""

_KIND = Choice(words=KINDS)


@frozen
class SourceSettings:
    """One `[[source]]`; each kind has its own of these fields, see `KINDS`."""

    kind: str = "index"
    url: Url | None = None
    latest: Url | None = None
    release: Url | None = None
    download: Url | None = None
    path: str | None = None
    package: str | None = None
    format: str | None = None
    """The layout of an index, in uv's words: `simple` (the default) or `flat`."""

    username: str | None = None
    password_env: str | None = None
    """The environment variable that holds the password of `username`."""

    token_env: str | None = None
    """The environment variable that holds a token."""

    header_env: tuple[tuple[str, str], ...] = ()
    """Headers, each with the environment variable that holds its value."""

    def __repr__(self) -> str:
        """Show what is set, without a password or a token."""
        safe = {
            name: shown(str(value)) if isinstance(value, str | Url) else value
            for name, value in vars(self).items()
            if value
        }
        return f"SourceSettings({', '.join(f'{name}={value!r}' for name, value in safe.items())})"

    @property
    def urls(self) -> tuple[Url, ...]:
        """Every URL or template of one."""
        urls = (self.url, self.latest, self.release, self.download)
        return tuple(url for url in urls if url is not None)

    @property
    def location(self) -> str:
        """Where it is, without secrets; empty for uv's own index."""
        return str(self.url or self.download or redact_url(self.path or ""))

    def with_login_of(self, other: SourceSettings) -> SourceSettings:
        """Return this source with the credentials of another."""
        names = [field.attribute for field in CREDENTIAL_FIELDS.values()]
        return replace(self, **{name: getattr(other, name) for name in names})


def check_source(table: Mapping[str, object]) -> tuple[SourceSettings, Problems]:
    """Parse one `[[source]]`.

    Returns:
        The source with every valid field, and the problems of the others: key, reason.
    """
    name = table.get("kind", "auto" if "url" in table else None)
    kind = KINDS.get(name) if isinstance(name, str) else None
    problems: Problems = []
    if name is None:
        problems.append(("kind", f"missing key: expected {_KIND.expected}"))
    elif kind is None:
        problems.append(("kind", str(_KIND.invalid(name, detail=suggestion(name, KINDS)))))
    values, found = parse_table(
        {key: value for key, value in table.items() if key != "kind"},
        # Without a kind, each key is still checked by itself.
        SOURCE_FIELDS if kind is None else kind.fields,
        directory=Path(),
        unknown=lambda key: _unknown(key, str(name), kind),
    )
    problems += found
    if kind is not None:
        problems += [
            (field.name, f"missing key, required for a source of kind `{name}`")
            for field in kind.locations
            if field.required and field.name not in table
        ]
    if "password-env" in table and "username" not in table and not (kind and kind.no_credentials):
        problems.append(("username", "missing key, required with `password-env`"))
    settings = SourceSettings(
        kind=str(name), **{SOURCE_FIELDS[key].attribute: value for key, value in values.items()}
    )
    return settings, problems


def _unknown(key: str, name: str, kind: Kind | None) -> str:
    if key.lower().replace("_", "-") in SECRET_KEYS:
        has_none = kind.no_credentials if kind is not None else ""
        return f"unknown key: {has_none}" if has_none else NO_SECRETS
    if key not in SOURCE_FIELDS:
        known = SOURCE_FIELDS if kind is None else kind.fields
        return f"unknown key{suggestion(key, ('kind', *known))}"
    reason = kind.no_credentials if kind is not None and key in CREDENTIAL_FIELDS else ""
    return f"not a key of a source of kind `{name}`" + (f": {reason}" if reason else "")


def parse_source(spec: str) -> SourceSettings:
    """Parse a source of the command line: `index`, a URL, a path or `KIND+URL`.

    Raises:
        InvalidSource: It has none of these forms.
    """
    spec = spec.strip()
    name, plus, rest = spec.partition("+")
    if spec.startswith("file://") or _looks_like_path(spec):
        name, plus, rest = "directory", "+", spec
    elif "://" in name:
        name, plus, rest = "auto", "+", spec
    if name not in KINDS:
        raise InvalidSource(shown(spec), _no_kind(spec, name, plus=plus != ""))
    field = KINDS[name].locations[0]
    table = {"kind": name}
    if plus:
        table[field.name] = _absolute(rest) if field is _PATH else rest
    source, problems = check_source(table)
    if problems and plus:
        raise InvalidSource(shown(spec), problems[0][1])
    if problems:
        example = "/mnt/share/uv" if field is _PATH else "https://example.com/"
        raise InvalidSource(
            shown(spec),
            f"expected {field.type.expected.split(',')[0]} after it: `{name}+{example}`",
        )
    return source


def _no_kind(spec: str, name: str, *, plus: bool) -> str:
    """Return what is wrong with a source that begins with no kind."""
    if plus:
        return f"{invalid(name)} before the `+`: expected {listed(KINDS)}{suggestion(name, KINDS)}"
    if url := with_scheme(spec) or _as_path(spec):
        return f"it has no scheme; did you mean `{shown(url)}`?"
    return f"it is not a kind, a URL or a path{suggestion(name, KINDS)}"


def _looks_like_path(spec: str) -> bool:
    return re.match(r"(?:~|\.{0,2}[/\\]|[A-Za-z]:[/\\])", spec) is not None


def _as_path(spec: str) -> str | None:
    """Return a relative path in the form that is accepted; None for any other text."""
    return f"./{spec}" if re.match(r"[^@:+]+[/\\][^@]*$", spec) else None


def _absolute(path: str) -> str:
    """Return a path of the command line as a configuration file would have it."""
    if not path or path.startswith(("file://", "~")):
        return path
    return str(Path(path).absolute())
