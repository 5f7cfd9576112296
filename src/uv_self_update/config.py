"""Configuration files: from TOML to checked values, and back.

```text
command line > environment > user file > site file > default
```
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uv_self_update.errors import (
    ConfigurationNotKept,
    InvalidConfiguration,
    InvalidSource,
    Problem,
    UsageError,
)
from uv_self_update.settings import (
    KEYS,
    SOURCE_FIELDS,
    Options,
    Settings,
    SourceSettings,
    UnfitError,
    check_source,
    parse_source,
    shown,
    suggestion,
    type_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = (
    "FileValues",
    "Options",
    "as_document",
    "as_toml",
    "assign",
    "flatten",
    "get",
    "load",
    "remove",
    "resolve",
    "site_file",
    "user_file",
    "write",
)

_APP = "uv-self-update"
_FILE = "UV_SELF_UPDATE_CONFIG"
_SOURCE = "UV_SELF_UPDATE_SOURCE"
_LATEST, _DOWNLOAD = "LATEST_RELEASE_URL", "RELEASES_DOWNLOAD_URL"

_Layer = dict[str, tuple[Any, str]]
"""Dotted key -> its checked value, and where that came from."""

_KeyPath = tuple[str | int, ...]
"""A dotted key, taken apart; sources are counted from 0."""

_Change = tuple[_KeyPath, object]
"""A key and its new value, or None to take it out."""

_NAME = r"""(?:[\w-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_NAMES = rf"{_NAME}(?:[ \t]*\.[ \t]*{_NAME})*"
_TABLE = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_NAMES})")
_PAIR = re.compile(rf"[ \t]*({_NAMES})[ \t]*=[ \t]*")


@dataclass(frozen=True, kw_only=True)
class FileValues:
    """What one file has decided."""

    path: Path
    values: Mapping[str, Any]
    """Dotted key -> checked value, as `Settings` keeps it; only what the file has."""


def user_file(environ: Mapping[str, str]) -> Path:
    """Return the user's file: the one that the environment names, or the platform's."""
    if named := environ.get(_FILE):
        return Path(named)
    from platformdirs import user_config_path  # noqa: PLC0415 # slow, and a named file needs none

    return user_config_path(_APP, appauthor=False) / "config.toml"


def site_file() -> Path:
    """Return the file that an administrator writes for every user of the machine."""
    from platformdirs import site_config_path  # noqa: PLC0415 # as in user_file

    return site_config_path(_APP, appauthor=False) / "config.toml"


def load(path: Path) -> FileValues:
    """Read and check one file.

    Raises:
        InvalidConfiguration: With every problem of the file.
    """
    return _check(_parse(path, _read(path)), path)


def resolve(
    *, options: Options, environ: Mapping[str, str], user_file: Path, site_file: Path
) -> Settings:
    """Decide every setting.

    Args:
        options: What the command line says; its file replaces the user file.
        environ: The environment; a file that it names replaces the user file too.
        user_file: The user file, which need not exist unless it was named.
        site_file: The site file, which need not exist.

    Raises:
        InvalidSource: A source on the command line is none.
        InvalidConfiguration: With every problem of the files and the environment.
    """
    command_line = [parse_source(spec) for spec in options.sources]
    variables = {name: value for name, value in environ.items() if value}
    named = options.config or variables.get(_FILE)
    problems: list[Problem] = []
    merged: _Layer = {
        **_file_layer(site_file, problems, must_exist=False),
        **_file_layer(Path(named or user_file), problems, must_exist=named is not None),
        **_variable_layer(variables, problems),
    }
    if command_line:
        merged["source"] = tuple(command_line), "command line"
    if options.installer is not None:
        _add(merged, problems, "install.installer", options.installer, "command line")
    if "source" not in merged:
        merged |= _script_layer(variables, problems)
    if problems:
        raise InvalidConfiguration(problems)
    settings = Settings(origins={key: origin for key, (_, origin) in merged.items()})
    for key, (value, _) in merged.items():
        settings = _with(settings, "sources" if key == "source" else KEYS[key].attribute, value)
    return settings


def as_document(settings: Settings) -> dict[str, Any]:
    """Return settings in the shape of a file: what is neither set nor has a default is left out."""
    document: dict[str, Any] = {"source": [_as_table(source) for source in settings.sources]}
    for key, known in KEYS.items():
        value: Any = settings
        for name in known.attribute.split("."):
            value = getattr(value, name)
        if value is not None:
            section, name = key.split(".")
            document.setdefault(section, {})[name] = _as_plain(value)
    return document


def flatten(document: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Yield each dotted key that a valid document sets, with its value."""
    for section, content in document.items():
        tables = {section: content}
        if isinstance(content, list):
            tables = {f"{section}.{index}": table for index, table in enumerate(content)}
        for head, table in tables.items():
            yield from ((f"{head}.{name}", value) for name, value in table.items())


def as_toml(document: Mapping[str, Any]) -> str:
    """Write a valid document as a person would, with a `[[source]]` for each source."""
    text = ""
    for key, value in flatten(document):
        text = _with_value(text, _taken_apart(key), value)
    return text


def _as_plain(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)  # nobody writes 30.0
    return str(value) if isinstance(value, Path) else value


def _as_table(source: SourceSettings) -> dict[str, str]:
    fields = {"kind": source.kind, **{name: getattr(source, name) for name in SOURCE_FIELDS}}
    return {name: value for name, value in fields.items() if value is not None}


def _with(target: Any, attribute: str, value: Any) -> Any:  # noqa: ANN401 # any dataclass of the tree
    name, _, rest = attribute.partition(".")
    return replace(target, **{name: _with(getattr(target, name), rest, value) if rest else value})


def _file_layer(path: Path, problems: list[Problem], *, must_exist: bool) -> _Layer:
    try:
        loaded = load(path)
    except InvalidConfiguration as invalid:
        if must_exist or not _is_missing(invalid):
            problems += invalid.problems
        return {}
    return {key: (value, str(path)) for key, value in loaded.values.items()}


def _variable_layer(environ: Mapping[str, str], problems: list[Problem]) -> _Layer:
    layer: _Layer = {}
    sources = []
    for spec in environ.get(_SOURCE, "").split():
        try:
            sources.append(parse_source(spec))
        except InvalidSource as invalid:
            problems.append(Problem(origin=_SOURCE, key="", reason=str(invalid)))
        # A list with a bad entry is a list all the same: no other layer is asked in its place.
        layer["source"] = tuple(sources), _SOURCE
    for key, known in KEYS.items():
        if known.variable in environ:
            _add(layer, problems, key, known.parse(environ[known.variable]), known.variable)
    return layer


def _script_layer(environ: Mapping[str, str], problems: list[Problem]) -> _Layer:
    """Read the two variables of the script that this tool grew from."""
    table = {"kind": "urls"}
    if download := environ.get(_DOWNLOAD):
        # The script knew no placeholders, and added tag and file to the URL.
        added = "" if "{" in download else "/{tag}/{asset}"
        table["download"] = download.rstrip("/") + added if added else download
    if latest := environ.get(_LATEST):
        table["latest"] = latest
    if len(table) == 1:
        return {}
    names = {"download": _DOWNLOAD, "latest": _LATEST}
    if not download:
        reason = f"{_DOWNLOAD} is not set, and one is of no use without the other"
        problems.append(Problem(origin=_LATEST, key="", reason=reason))
    source, found = check_source(table)
    problems += [
        Problem(origin=names[key], key="", reason=reason) for key, reason in found if key in table
    ]
    origin = " and ".join(names[key] for key in table if key in names)
    return {"source": ((source,), origin)}


def _add(layer: _Layer, problems: list[Problem], key: str, value: object, origin: str) -> None:
    try:
        layer[key] = KEYS[key].check(value, Path.cwd()), origin
    except UnfitError as unfit:
        shown_key = key if origin == "command line" else ""
        problems.append(Problem(origin=origin, key=shown_key, reason=str(unfit)))


def _read(path: Path) -> str:
    try:
        # PowerShell and Notepad like to begin a file with a byte order mark.
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise _unusable(path, f"it cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _unusable(path, f"it is not UTF-8 text, see line {line}") from error


def _parse(path: Path, text: str) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 # most users have no file, and need no parser

    try:
        return tomllib.loads(text)
    # Numbers of thousands of digits and endless brackets have errors of their own.
    except (ValueError, RecursionError) as error:
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
        end = f"at line {line}, column {column}, the end of the file"
        reason = str(error).replace("at end of document", end)
        raise _unusable(path, f"it is not TOML: {reason}") from error


def _is_missing(invalid: InvalidConfiguration) -> bool:
    return isinstance(invalid.__cause__, FileNotFoundError | NotADirectoryError)


def _unusable(path: Path, reason: str) -> InvalidConfiguration:
    return InvalidConfiguration([Problem(origin=str(path), key="", reason=reason)])


def _check(document: Mapping[str, Any], path: Path) -> FileValues:
    """Check everything in a document.

    Raises:
        InvalidConfiguration: With every problem of the document.
    """
    problems: list[tuple[str, str]] = []
    values: dict[str, Any] = {}
    sections = dict.fromkeys(key.partition(".")[0] for key in KEYS)
    for section, table in document.items():
        if section == "source":
            values["source"] = _check_sources(table, problems)
        elif section not in sections:
            # Either misspelt, or written without its table.
            strays = [key for key in _every_key() if key.endswith(f".{section}")]
            near = suggestion(strays[0] if strays else section, ("source", *sections, *strays))
            problems.append((shown(section), f"unknown key{near}"))
        elif not isinstance(table, dict):
            got = type_name(table)
            problems.append((section, f"it is {got}, but a table is due: `[{section}]`"))
        else:
            for name, value in table.items():
                _check_key(f"{section}.{name}", value, path, values, problems)
    if problems:
        raise InvalidConfiguration(
            [Problem(origin=str(path), key=key, reason=reason) for key, reason in problems]
        )
    return FileValues(path=path, values=values)


def _check_key(
    key: str, value: object, path: Path, values: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    if key not in KEYS:
        problems.append((shown(key), f"unknown key{suggestion(key, KEYS)}"))
        return
    try:
        values[key] = KEYS[key].check(value, path.absolute().parent)
    except UnfitError as unfit:
        problems.append((key, str(unfit)))


def _check_sources(tables: object, problems: list[tuple[str, str]]) -> tuple[SourceSettings, ...]:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        problems.append(("source", "it is not a list of tables: each begins with `[[source]]`"))
        return ()
    if not tables:
        problems.append(("source", "the list is empty; without it, the default is used"))
    sources = []
    for index, table in enumerate(tables):
        source, found = check_source(table)
        sources.append(source)
        problems += [(f"source[{index}].{shown(key)}", reason) for key, reason in found]
    return tuple(sources)


def get(document: Mapping[str, Any], key: str) -> object:
    """Return what a document has under a dotted key; None where it has nothing.

    `source.0.url` is the URL of the first source, and so is `source.url`.

    Raises:
        UsageError: There can be no such key.
    """
    keys = _taken_apart(key)
    tables = {known.partition(".")[0] for known in _every_key()}
    if not _settable(keys) and _names_only(keys) not in tables:
        raise _bad_key(key, f"unknown key{suggestion(key, _every_key())}")
    return _find(document, keys)


def assign(path: Path, assignments: Mapping[str, str]) -> None:
    """Set keys in a file, which is made if it is missing; comments and layout stay.

    A source that changes its kind starts anew, with what is given in the same step: the old URLs
    mean something else to the new kind, and no order of single valid steps would lead there.

    Args:
        path: The file.
        assignments: Dotted key -> value as text.

    Raises:
        UsageError: A key cannot be set.
        InvalidConfiguration: The file is broken, or would be.
        ConfigurationNotKept: The file cannot be written, or not without losing a comment.
    """
    text, document = _current(path)
    paths = {_taken_apart(key): (key, value) for key, value in assignments.items()}
    changes: list[_Change] = []
    for keys, (key, value) in paths.items():
        if not _settable(keys):
            raise _bad_key(key, f"it cannot be set{suggestion(key, _every_key())}")
        changes.append((keys, KEYS[key].parse(value) if key in KEYS else value))
        if keys[-1] == "kind" and _find(document, keys) not in (None, value):
            fields = [(*keys[:-1], name) for name in SOURCE_FIELDS]
            changes += [(field, None) for field in fields if field not in paths]
    _rewrite(path, text, changes)


def remove(path: Path, keys: Iterable[str]) -> None:
    """Take keys out of a file, also whole tables; comments and layout stay.

    Args:
        path: The file.
        keys: Dotted keys; they need not be known, so that a misspelt one can go.

    Raises:
        UsageError: The file has no such key.
        InvalidConfiguration: The file is broken, or would be.
        ConfigurationNotKept: The file cannot be written, or not without losing a comment.
    """
    text, document = _current(path)
    paths = {_taken_apart(key): key for key in keys}
    for taken_apart, key in paths.items():
        if _find(document, taken_apart) is None:
            raise _bad_key(key, f"it is not set in {path}")
    # Later sources first, because the numbers of those behind a removed one change.
    order = sorted(paths, key=lambda found: [(isinstance(step, int), step) for step in found])
    _rewrite(path, text, [(found, None) for found in reversed(order)])


def write(path: Path, text: str) -> None:
    """Write a configuration file as a whole; a new one is for its owner's eyes only.

    Raises:
        ConfigurationNotKept: It cannot be written.
    """
    from uv_self_update.receipt import write_atomically  # noqa: PLC0415 # slow, and few write

    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # A URL may hold a password.
            path.touch(mode=0o600)
        write_atomically(path, text.encode())
    except OSError as error:
        raise ConfigurationNotKept(path, error.strerror or str(error)) from error


def _current(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = _read(path)
    except InvalidConfiguration as invalid:
        if not _is_missing(invalid):
            raise
        text = ""
    return text, _parse(path, text)


def _bad_key(key: str, reason: str) -> UsageError:
    return UsageError(
        f"`{shown(key)}` cannot be used: {reason}",
        hint="`uv-self-update config show` lists the keys.",
    )


def _every_key() -> tuple[str, ...]:
    return (*KEYS, "source.kind", *(f"source.{name}" for name in SOURCE_FIELDS))


def _taken_apart(key: str) -> _KeyPath:
    first, *rest = key.split(".")
    if first != "source" or not rest:
        return (first, *rest)
    if re.fullmatch("[0-9]{1,4}", rest[0]):
        return (first, int(rest[0]), *rest[1:])
    return (first, 0, *rest)


def _names_only(keys: _KeyPath) -> str:
    return ".".join(step for step in keys if isinstance(step, str))


def _settable(keys: _KeyPath) -> bool:
    return _names_only(keys) in _every_key()


def _find(document: Any, keys: _KeyPath) -> Any:  # noqa: ANN401 # whatever TOML can hold
    for step in keys:
        inside = step in document if isinstance(document, dict) else False
        if isinstance(document, list) and isinstance(step, int):
            inside = step < len(document)
        if not inside:
            return None
        document = document[step]
    return document


def _rewrite(path: Path, text: str, changes: Sequence[_Change]) -> None:
    """Make changes in the text of a file, and write it if it then says what it should."""
    document = _parse(path, text)
    new = text
    for keys, value in changes:
        if value is None:
            _drop(document, keys)
            new = _without(new, keys)
        else:
            _put(document, keys, value, path)
            new = _with_value(new, keys, value)
    _check(document, path)
    if _parsed(new) != document:
        # The text is laid out in a way that line by line editing does not understand. Writing it
        # anew loses nothing but that layout, unless there are comments.
        if "#" in text:
            raise ConfigurationNotKept(path, "its comments would be lost")
        new = as_toml(document)
    write(path, new)


def _put(document: dict[str, Any], keys: _KeyPath, value: object, path: Path) -> None:
    section, *index = keys[:-1]
    tables = document.setdefault(str(section), [{}] if index else {})
    if index and isinstance(tables, list) and len(tables) == index[0]:
        tables.append({})
    table = _find(document, keys[:-1])
    if not isinstance(table, dict):
        _check(document, path)  # says what is there in place of a table
        reason = "sources are numbered from 0, without a gap"
        raise _bad_key(".".join(map(str, keys)), reason)
    table[keys[-1]] = value


def _drop(document: dict[str, Any], keys: _KeyPath) -> None:
    parent = _find(document, keys[:-1])
    if _find(document, keys) is not None:
        del parent[keys[-1]]
    if not document.get("source", True):
        # TOML has no way to write a list of no tables with `[[source]]`.
        del document["source"]


@dataclass(frozen=True, kw_only=True)
class _Statement:
    """A line of TOML, or the several lines that one value takes."""

    text: str
    keys: _KeyPath = ()
    """What it opens or sets, from the top of the document; empty for a comment."""

    opens: bool = False
    """Whether it is the head of a table."""

    start: int = 0
    """Where its value starts in its text."""

    @property
    def table(self) -> _KeyPath:
        """The table that it opens, or that it sets a key of."""
        return self.keys if self.opens else self.keys[:-1]

    @property
    def comment(self) -> str:
        """What follows the statement on its last line, from the `#` on."""
        marks = (mark.start() for mark in re.finditer("#", self.text))
        # A `#` within a string leaves that string without its end.
        return next((self.text[mark:] for mark in marks if _parsed(self.text[:mark])), "")

    @property
    def body(self) -> str:
        """The statement without its comment and what is white around that."""
        return self.text.removesuffix(self.comment).rstrip()

    @property
    def hides_comments(self) -> bool:
        """Whether there may be comments between its lines."""
        return "\n" in self.body and "#" in self.body


def _parsed(text: str) -> dict[str, Any] | None:
    import tomllib  # noqa: PLC0415 # as in _parse

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


def _statements(text: str) -> list[_Statement]:
    """Take TOML apart; what comes out is the whole text, in order."""
    found: list[_Statement] = []
    table: _KeyPath = ()
    sources = 0
    pending = ""
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        pending += line
        if _parsed(pending) is None:
            continue  # its value goes on in the next line
        if head := _TABLE.match(pending):
            table = _names(head[2])
            if head[1] == "[[" and table == ("source",):
                table = ("source", sources)
                sources += 1
            found.append(_Statement(text=pending, keys=table, opens=True))
        elif pair := _PAIR.match(pending):
            keys = table + _names(pair[1])
            found.append(_Statement(text=pending, keys=keys, start=pair.end()))
        else:
            found.append(_Statement(text=pending))
        pending = ""
    return [*found, _Statement(text=pending)]


def _names(dotted: str) -> _KeyPath:
    node: Any = _parsed(f"{dotted} = 0")
    names = []
    while node:
        [(name, node)] = node.items()
        names.append(name)
    return tuple(names)


def _with_value(text: str, keys: _KeyPath, new: object) -> str:
    """Return TOML with a key set, changing or adding one line; unchanged if it cannot be done."""
    import tomli_w  # noqa: PLC0415 # only a change needs it

    value = tomli_w.dumps({"v": new}).removeprefix("v = ").rstrip()
    newline = "\r\n" if "\r\n" in text else "\n"
    statements = _statements(text)
    texts = [statement.text for statement in statements]
    place = None
    for index, statement in enumerate(statements):
        if statement.keys == keys:
            if not statement.hides_comments:
                after = statement.text[len(statement.body) :]
                texts[index] = statement.text[: statement.start] + value + after
            return "".join(texts)
        if statement.keys and statement.table == keys[:-1]:
            place = index
    if place is None:
        head = f"[{keys[0]}]" if keys[:-1] == keys[:1] else f"[[{keys[0]}]]"
        ended = text if not text or text.endswith("\n") else text + newline
        blank = newline if text else ""
        return f"{ended}{blank}{head}{newline}{keys[-1]} = {value}{newline}"
    before = texts[place]
    indent = before[: len(before) - len(before.lstrip(" \t"))]
    ended = before if before.endswith("\n") else before + newline
    texts[place] = f"{ended}{indent}{keys[-1]} = {value}{newline}"
    return "".join(texts)


def _without(text: str, keys: _KeyPath) -> str:
    """Return TOML without a key or table; comments stay, those on its own lines too."""
    kept: list[str] = []
    for statement in _statements(text):
        if not statement.keys or statement.keys[: len(keys)] != keys:
            kept.append(statement.text)
        elif statement.hides_comments:
            return text
        elif statement.comment:
            kept.append(statement.comment)
        elif statement.opens and kept and not kept[-1].strip():
            kept.pop()  # the blank line that set the table apart
    left = "".join(kept)
    return left if text[:1].isspace() else left.lstrip("\r\n")
