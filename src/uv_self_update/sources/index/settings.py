"""What the user's uv is told about its indexes, and where: read when a message needs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from uv_self_update.sources.index.pip_settings import PipIndex, pip_index
from uv_self_update.sources.index.trace import page_url
from uv_self_update.uv import configuration as uv_toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_OWN = "the configuration of uv-self-update"
_VARIABLES = {
    "UV_INDEX": False,
    "UV_EXTRA_INDEX_URL": False,
    "UV_DEFAULT_INDEX": True,
    "UV_INDEX_URL": True,
}
"""Whether each names the default index, which uv asks last."""

_CUTOFF_VARIABLE = "UV_EXCLUDE_NEWER"


@dataclass(frozen=True, kw_only=True)
class NamedIndex:
    """An index that uv asks."""

    url: str = field(repr=False)
    """Perhaps with credentials."""

    origin: str
    """The variable or the file that names it."""

    default: bool
    name: str | None = None
    table: bool = False
    """Whether it is an `[[index]]` of a file, which can have settings of its own."""

    @property
    def plain(self) -> str:
        """The URL as it may be shown."""
        return page_url(self.url)

    @property
    def user(self) -> str | None:
        """The user in the URL, which may be a token where no password comes with it."""
        try:
            user = urlsplit(self.url).username
        except ValueError:
            return None
        return unquote(user) if user else None

    @property
    def variables(self) -> tuple[str, str] | None:
        """The variables for its user and password; None for an index without a name.

        https://docs.astral.sh/uv/concepts/indexes/#providing-credentials-directly
        """
        if self.name is None:
            return None
        name = "".join(sign if sign.isalnum() else "_" for sign in self.name.upper())
        return f"UV_INDEX_{name}_USERNAME", f"UV_INDEX_{name}_PASSWORD"

    def asked_at(self, page: str) -> bool:
        """Return whether a page is uv's own in this index."""
        return page.rstrip("/").rpartition("/")[0] == self.plain.rstrip("/")


@dataclass(frozen=True, kw_only=True)
class Cutoff:
    """A day after which uv leaves out what was uploaded."""

    key: str
    """`exclude-newer`, or the like."""

    value: str
    origin: str
    """The variable or the file that sets it."""

    def __str__(self) -> str:
        """Name the setting, its value and its place."""
        if self.origin.startswith("UV_"):
            return f"`{self.origin}={self.value}`"
        return f'`{self.key} = "{self.value}"` in {self.origin}'


@dataclass(frozen=True, kw_only=True)
class IndexSettings:
    """What uv and pip are told about indexes."""

    indexes: tuple[NamedIndex, ...] = ()
    """In uv's order; without its built-in default."""

    cutoff: Cutoff | None = None
    file: str = "uv.toml"
    """The user's configuration file of uv, to be named where there is none yet as well."""

    pip: PipIndex | None = None
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    def index_at(self, page: str) -> NamedIndex | None:
        """Return the index that a page was asked of; None for uv's own default."""
        return next((index for index in self.indexes if index.asked_at(page)), None)


def read_settings(environ: Mapping[str, str], *, url: str | None, windows: bool) -> IndexSettings:
    """Read uv's files and variables, and pip's.

    Args:
        environ: The user's environment.
        url: The index of our own configuration, which comes before all others; None for none.
        windows: Whether the files are where they are on Windows.
    """
    tables = [*_tables(environ, windows=windows)]
    found = [*_indexes(environ, tables)]
    if url is not None:
        # What uv.toml says of the same URL still counts; other indexes are asked after it.
        kept = [index for index in found if index.origin not in _VARIABLES and not index.default]
        found = [NamedIndex(url=url, origin=_OWN, default=False), *kept]
        found += [NamedIndex(url=url, origin=_OWN, default=True)]
    places = [path for paths in uv_toml.places(environ, windows=windows) for path in paths]
    files = [origin for origin, _ in tables] or [str(path) for path in places]
    return IndexSettings(
        indexes=tuple(sorted(found, key=lambda index: index.default)),
        cutoff=_cutoff(environ, tables),
        file=files[0] if files else "uv.toml",
        pip=pip_index(environ),
        environ=environ,
    )


def _tables(
    environ: Mapping[str, str], *, windows: bool
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path in uv_toml.files(environ, windows=windows):
        try:
            table = uv_toml.load(path)
        except uv_toml.UnusableFile:
            continue  # uv itself says what is wrong
        # `uv pip` has a section of its own, which comes first.
        pip = table.get("pip")
        yield str(path), {**table, **(pip if isinstance(pip, dict) else {})}


def _indexes(
    environ: Mapping[str, str], tables: list[tuple[str, Mapping[str, Any]]]
) -> Iterator[NamedIndex]:
    for variable, default in _VARIABLES.items():
        for entry in environ.get(variable, "").split():
            name, url = _split(entry)
            yield NamedIndex(url=url, origin=variable, default=default, name=name)
    for origin, table in tables:
        entries = table.get("index")
        for entry in entries if isinstance(entries, list) else ():
            match entry:
                case {"url": str(url)} if not entry.get("explicit"):
                    name = entry.get("name")
                    yield NamedIndex(
                        url=url,
                        origin=origin,
                        default=bool(entry.get("default")),
                        name=name if isinstance(name, str) else None,
                        table=True,
                    )
        extra = table.get("extra-index-url")
        for url in extra if isinstance(extra, list) else ():
            yield NamedIndex(url=str(url), origin=origin, default=False)
        if isinstance(table.get("index-url"), str):
            yield NamedIndex(url=table["index-url"], origin=origin, default=True)


def _split(entry: str) -> tuple[str | None, str]:
    """Split `NAME=URL`, as uv's variables and options may have it."""
    name, equals, url = entry.partition("=")
    return (name, url) if equals and "/" not in name and ":" not in name else (None, entry)


def _cutoff(
    environ: Mapping[str, str], tables: list[tuple[str, Mapping[str, Any]]]
) -> Cutoff | None:
    """Return what leaves out uploads of uv; what is said of uv alone comes before all else."""
    for origin, table in tables:
        match table.get("exclude-newer-package"):
            case {"uv": False}:
                return None
            case {"uv": value}:
                return Cutoff(key="exclude-newer-package.uv", value=str(value), origin=origin)
    for origin, table in tables:
        entries = table.get("index")
        for entry in entries if isinstance(entries, list) else ():
            match entry:
                case {"exclude-newer": str(value)}:
                    return Cutoff(key="index.exclude-newer", value=value, origin=origin)
    if value := environ.get(_CUTOFF_VARIABLE):
        return Cutoff(key="exclude-newer", value=value, origin=_CUTOFF_VARIABLE)
    for origin, table in tables:
        if table.get("exclude-newer") is not None:
            return Cutoff(key="exclude-newer", value=str(table["exclude-newer"]), origin=origin)
    return None
