"""Change a configuration file, keeping its comments and its layout."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from uv_self_update.config.credential_fields import NO_SECRETS, SECRET_KEYS
from uv_self_update.config.exposure import is_exposing
from uv_self_update.config.load import ARRAYS, check, every_key, is_missing, parse, read
from uv_self_update.config.policy_fields import DIGESTS
from uv_self_update.config.settings import FIELDS
from uv_self_update.config.toml_text import KeyPath, parsed, with_value, without
from uv_self_update.errors import ConfigurationNotKept, InvalidConfiguration, Problem, UsageError
from uv_self_update.files import strerror
from uv_self_update.messages import shown, suggestion
from uv_self_update.url import Url
from uv_self_update.versions import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path


_OTHER_WAYS = (
    "Remove it from the URL. Set `{0}.username` and `{0}.password-env`, or `{0}.token-env`, to "
    "name the environment variable that holds it; or store it in a netrc file or with "
    "`uv auth login`. `--plaintext` writes it anyway."
)

_HEADERS = "header-env"

_PRIVATE_FILE = 0o600
_PRIVATE_DIRECTORY = 0o700
_SHARED_DIRECTORY = 0o755

_Change = tuple[KeyPath, object]
"""A key and its new value, or None to remove it."""


def flatten(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each dotted key of a valid document, and its value."""
    for section, content in document.items():
        tables = {section: content}
        if isinstance(content, list):
            tables = {f"{section}.{index}": table for index, table in enumerate(content)}
        for head, table in tables.items():
            yield from _flat(head, table)


def _flat(head: str, table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(f"{head}.{name}", value)
        else:
            yield f"{head}.{name}", value


def as_toml(document: Mapping[str, Any]) -> str:
    """Return a valid document as TOML, with a table for each source and each of the releases."""
    text = ""
    for key, value in flatten(document):
        text = with_value(text, _key_path(key), value)
    return text


def get(document: Mapping[str, Any], key: str) -> object:
    """Return the value of a dotted key in a document; None if it is not set.

    `source.0.url` is the URL of the first source, and so is `source.url`.

    Raises:
        UsageError: The key is unknown.
    """
    keys = _key_path(key)
    tables = {known.partition(".")[0] for known in every_key()}
    pins = _names_only(keys[:2]) == DIGESTS
    if not (_settable(keys) or pins) and _names_only(keys) not in tables:
        raise _bad_key(key, f"unknown key{suggestion(key, every_key())}")
    return _find(document, keys)


def within(key: str, value: object) -> dict[str, Any]:
    """Return a document with one dotted key."""
    first, *rest = _key_path(key)
    for step in reversed(rest):
        value = [value] if isinstance(step, int) else {step: value}
    return {str(first): value}


def assign(
    path: Path,
    assignments: Mapping[str, str],
    *,
    remove: Iterable[str] = (),
    plaintext: bool = False,
    shared: bool = False,
) -> None:
    """Set keys in a file, which is created if it is missing; comments and layout are kept.

    A source whose kind changes loses its other keys, except those that are set in the same step:
    the old URLs mean something else to the new kind, and the steps between would be invalid.

    Args:
        path: The file.
        assignments: Dotted key -> value as text.
        remove: Tables to remove first, in the same step.
        plaintext: Whether to write a URL that contains a secret.
        shared: Whether other users have to read the file.

    Raises:
        UsageError: A key cannot be set.
        InvalidConfiguration: The file is invalid.
        ConfigurationNotKept: It would become invalid; it cannot be written, or not without losing
            a comment; or it would contain a secret.
    """
    text, document = _current(path)
    paths = {_key_path(key): (key, value) for key, value in assignments.items()}
    gone: list[_Change] = [((name,), None) for name in remove]
    new: list[_Change] = []
    for keys, (key, value) in paths.items():
        if not _settable(keys):
            raise _bad_key(key, _why_not(keys, key))
        if not plaintext and _holds_secret(value):
            reason = f"the URL for `{shown(key)}` contains a password or a token"
            raise ConfigurationNotKept(path, reason, _OTHER_WAYS.format(keys[0]))
        new.append((keys, _from_text(keys, value)))
        if keys[-1] == "kind" and _find(document, keys) not in (None, value):
            others = [(*keys[:-1], name) for name in ARRAYS[str(keys[0])].keys if name != "kind"]
            gone += [(other, None) for other in others if other not in paths]
    _rewrite(path, text, gone + new, shared=shared)


def remove(path: Path, keys: Iterable[str], *, shared: bool = False) -> None:
    """Remove keys or whole tables from a file; comments and layout are kept.

    Args:
        path: The file.
        keys: Dotted keys, which may be unknown, so that a misspelt one can be removed.
        shared: Whether other users have to read the file.

    Raises:
        UsageError: The file does not have the key.
        InvalidConfiguration: The file is invalid.
        ConfigurationNotKept: It would become invalid; or it cannot be written, or not without
            losing a comment.
    """
    text, document = _current(path)
    paths = {_key_path(key): key for key in keys}
    for key_path, key in paths.items():
        if _find(document, key_path) is None:
            raise _bad_key(key, f"it is not set in {path}")
    # Later sources first, because removing one changes the numbers of those after it.
    order = sorted(paths, key=lambda found: [(isinstance(step, int), step) for step in found])
    _rewrite(path, text, [(found, None) for found in reversed(order)], shared=shared)


def write(path: Path, text: str, *, shared: bool = False) -> None:
    """Write a whole configuration file; an existing one keeps its mode.

    Args:
        path: The file.
        text: Its new content.
        shared: Whether all users may read a new file, whatever the umask; else only its owner may,
            because a URL may contain a password.

    Raises:
        ConfigurationNotKept: It cannot be written.
    """
    from uv_self_update.files import make_directories, write_atomically  # noqa: PLC0415 # slow

    try:
        if not path.exists():
            make_directories(path.parent, mode=_SHARED_DIRECTORY if shared else _PRIVATE_DIRECTORY)
            if not shared:
                path.touch(mode=_PRIVATE_FILE)
        write_atomically(path, text.encode())
    except OSError as error:
        hint = None
        if shared and isinstance(error, PermissionError):
            hint = "The file applies to all users: run the command as an administrator."
        raise ConfigurationNotKept(path, strerror(error), hint) from error


def _current(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = read(path)
    except InvalidConfiguration as invalid:
        if not is_missing(invalid):
            raise
        text = ""
    return text, parse(path, text)


def _bad_key(key: str, reason: str) -> UsageError:
    return UsageError(
        f"`{shown(key)}` cannot be used: {reason}",
        hint="`uv-self-update config show` lists the keys.",
    )


def _key_path(key: str) -> KeyPath:
    if key.startswith(f"{DIGESTS}."):
        return _pin_path(key)
    first, *rest = key.split(".")
    if first not in ARRAYS or not rest:
        return (first, *rest)
    number, names = 0, rest
    if re.fullmatch("[0-9]{1,4}", rest[0]):
        number, names = int(rest[0]), rest[1:]
    if names[:1] == [_HEADERS] and names[1:]:
        names = [_HEADERS, ".".join(names[1:])]  # the name of a header may contain dots
    return (first, number, *names)


def _pin_path(key: str) -> KeyPath:
    """Split `policy.digests.0.13.9.uv-x86_64-unknown-linux-gnu.tar.gz`: both parts have dots."""
    rest = re.sub("[\"']", "", key.removeprefix(f"{DIGESTS}."))
    version = VERSION.match(rest)
    if version is None or rest[version.end() :][:1] not in {"", "."}:
        return (*DIGESTS.split("."), rest)
    name = rest[version.end() + 1 :]
    return (*DIGESTS.split("."), version[0], *([name] if name else []))


def _names_only(keys: KeyPath) -> str:
    return ".".join(step for step in keys if isinstance(step, str))


def _settable(keys: KeyPath) -> bool:
    if _names_only(keys[:2]) == DIGESTS:
        return len(keys) == len(("policy", "digests", "VERSION", "FILE"))
    table = keys[:-1] if keys[-2:-1] == (_HEADERS,) else keys
    return _names_only(table) in every_key()


def _holds_secret(value: str) -> bool:
    try:
        return Url.parse(value).holds_secret
    except ValueError:
        return "@" in value  # such as a password with a slash


def _from_text(keys: KeyPath, value: str) -> object:
    """Return what TOML has for the text of a value."""
    array = ARRAYS.get(str(keys[0]))
    field = FIELDS.get(_names_only(keys)) if array is None else array.fields.get(str(keys[-1]))
    return value if field is None else field.type.from_text(value)


def _why_not(keys: KeyPath, key: str) -> str:
    if keys[0] in ARRAYS and keys[-1] in SECRET_KEYS:
        return NO_SECRETS
    return f"it cannot be set{suggestion(key, every_key())}"


def _find(document: Any, keys: KeyPath) -> Any:  # noqa: ANN401 # whatever TOML can hold
    for step in keys:
        inside = step in document if isinstance(document, dict) else False
        if isinstance(document, list) and isinstance(step, int):
            inside = step < len(document)
        if not inside:
            return None
        document = document[step]
    return document


def _rewrite(path: Path, text: str, changes: Sequence[_Change], *, shared: bool) -> None:
    """Change the text of a file, and write it if the result is the intended document.

    A new file that contains a secret is private, even if it is meant to be shared.
    """
    document = parse(path, text)
    new = text
    for keys, value in changes:
        if value is None:
            new = without(new, _drop(document, keys))
        else:
            _put(document, keys, value, path)
            new = with_value(new, keys, value)
    _permit(document, parse(path, text), path)
    # A table that contains only tables is removed from the text with the last of them.
    if _without_empty(parsed(new)) != _without_empty(document):
        # The layout of the text is too unusual to be edited line by line. Writing a new text loses
        # only that layout, unless there are comments.
        if "#" in text:
            hint = "Make the change by hand: `uv-self-update config edit`."
            raise ConfigurationNotKept(path, "its comments would be lost", hint)
        new = as_toml(document)
    places = check(document, path).places
    write(path, new, shared=shared and not any(map(is_exposing, places)))


def _without_empty(value: Any) -> Any:  # noqa: ANN401 # whatever TOML can hold
    """Return a document without its empty tables."""
    if not isinstance(value, dict):
        return value
    inner = {name: _without_empty(content) for name, content in value.items()}
    return {name: content for name, content in inner.items() if content != {}}


def _permit(document: Mapping[str, Any], before: Mapping[str, Any], path: Path) -> None:
    """Refuse a change whose result is invalid; the change may fix earlier problems.

    Raises:
        InvalidConfiguration: With the problems that the file had before, and still has.
        ConfigurationNotKept: With the problems that the change would cause.
    """
    problems = _problems(document, path)
    old = _problems(before, path)
    left = [problem for problem in problems if problem in old]
    if left:
        raise InvalidConfiguration(left)
    if problems:
        lines = [f"{problem.key}: {problem.reason}" for problem in problems]
        words = f" {lines[0]}" if len(lines) == 1 else "\n  ".join(["", *lines])
        raise ConfigurationNotKept(path, f"the change is refused:{words}")


def _problems(document: Mapping[str, Any], path: Path) -> tuple[Problem, ...]:
    try:
        check(document, path)
    except InvalidConfiguration as invalid:
        return invalid.problems
    return ()


def _put(document: dict[str, Any], keys: KeyPath, value: object, path: Path) -> None:
    if _names_only(keys[:2]) == DIGESTS and not isinstance(document.get("policy", {}), list):
        _put_pin(document, keys, value, path)
        return
    section, *index = keys[:-1]
    tables = document.setdefault(str(section), [{}] if index else {})
    if index and isinstance(tables, list) and len(tables) == index[0]:
        tables.append({})
    source = _find(document, keys[:-2])
    if keys[-2] == _HEADERS and isinstance(source, dict):
        source.setdefault(_HEADERS, {})
    table = _find(document, keys[:-1])
    if not isinstance(table, dict):
        check(document, path)  # raises the error for another value
        reason = f"tables of `{section}` are numbered from 0, without a gap"
        raise _bad_key(".".join(map(str, keys)), reason)
    table[keys[-1]] = value


def _put_pin(document: dict[str, Any], keys: KeyPath, value: object, path: Path) -> None:
    table: Any = document
    for step in keys[:-1]:
        if not isinstance(table, dict):
            check(document, path)  # raises the error for another value
        table = table.setdefault(step, {})
    table[keys[-1]] = value


def _drop(document: dict[str, Any], keys: KeyPath) -> KeyPath:
    """Remove a key, and return what was removed: `header-env` goes with its last header."""
    parent = _find(document, keys[:-1])
    if keys[-2:-1] == (_HEADERS,) and parent == {keys[-1]: _find(document, keys)}:
        return _drop(document, keys[:-1])
    if _find(document, keys) is not None:
        del parent[keys[-1]]
    for name in ARRAYS:
        if not document.get(name, True):
            # TOML cannot write an empty array with `[[source]]`.
            del document[name]
    return keys
