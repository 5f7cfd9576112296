"""The index settings of the user's uv, with their places: read for error messages only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uv_self_update.sources.index.pip_settings import PipIndex, pip_index
from uv_self_update.sources.index.trace import page_url, user_of
from uv_self_update.uv import configuration as uv_toml
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_OWN = "the configuration of uv-self-update"
_VARIABLES = {
    "UV_INDEX": False,
    "UV_EXTRA_INDEX_URL": False,
    "UV_DEFAULT_INDEX": True,
    "UV_INDEX_URL": True,
}
"""Variable -> whether it names the default index, which uv requests last."""

_CUTOFF_VARIABLE = "UV_EXCLUDE_NEWER"


@frozen
class NamedIndex:
    """An index in the configuration of uv."""

    url: str = field(repr=False)
    """The URL; it may contain credentials."""

    origin: str
    """The variable or the file that names it."""

    default: bool
    name: str | None = None
    table: bool = False
    """Whether it is an `[[index]]` in a file, which may have settings of its own."""

    @property
    def plain(self) -> str:
        """The redacted URL."""
        return page_url(self.url)

    @property
    def user(self) -> str | None:
        """The user in the URL; without a password, it may be a token."""
        return user_of(self.url)

    @property
    def variables(self) -> tuple[str, str] | None:
        """The variables of its user and password; None for an index without a name.

        https://docs.astral.sh/uv/concepts/indexes/#providing-credentials-directly
        """
        if self.name is None:
            return None
        name = "".join(sign if sign.isalnum() else "_" for sign in self.name.upper())
        return f"UV_INDEX_{name}_USERNAME", f"UV_INDEX_{name}_PASSWORD"

    def asked_at(self, page: str) -> bool:
        """Return whether a URL is the page of uv in this index."""
        return page.rstrip("/").rpartition("/")[0] == self.plain.rstrip("/")


@frozen
class Cutoff:
    """A date: uv skips files that were uploaded later."""

    key: str
    """The key, such as `exclude-newer`."""

    value: str
    origin: str
    """The variable or the file that sets it."""

    def __str__(self) -> str:
        if self.origin.startswith("UV_"):
            return f"`{self.origin}={self.value}`"
        return f'`{self.key} = "{self.value}"` in {self.origin}'


@frozen
class IndexSettings:
    """The index settings of uv and pip."""

    indexes: tuple[NamedIndex, ...] = ()
    """The indexes in uv's order, without its built-in default."""

    cutoff: Cutoff | None = None
    file: str = "uv.toml"
    """The user's configuration file of uv, for messages; it may not exist."""

    pip: PipIndex | None = None
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    def index_at(self, page: str) -> NamedIndex | None:
        """Return the index of a page; None for uv's built-in default."""
        return next((index for index in self.indexes if index.asked_at(page)), None)


def read_settings(environ: Mapping[str, str], *, url: str | None, windows: bool) -> IndexSettings:
    """Read the files and variables of uv and pip.

    Args:
        environ: The user's environment.
        url: The index in the configuration of this package, which comes first; None without one.
        windows: Whether to use the file locations of Windows.
    """
    tables = [*_tables(environ, windows=windows)]
    found = [*_indexes(environ, tables)]
    if url is not None:
        # Settings in uv.toml for the same URL still apply; other indexes come after it.
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
            continue  # uv itself reports the problem
        # The section `[pip]` takes precedence.
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
    """Split `NAME=URL`, a form that uv's variables and options allow."""
    name, equals, url = entry.partition("=")
    return (name, url) if equals and "/" not in name and ":" not in name else (None, entry)


def _cutoff(
    environ: Mapping[str, str], tables: list[tuple[str, Mapping[str, Any]]]
) -> Cutoff | None:
    """Return the cutoff that applies to uv; one for the package uv takes precedence."""
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
