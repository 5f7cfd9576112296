"""Changes of a configuration file that keep its comments and its layout."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from uv_self_update.config.credential_keys import REFUSED, SECRET_KEYS
from uv_self_update.config.kinds import SOURCE_FIELDS
from uv_self_update.config.load import check, every_key, is_missing, parse, read
from uv_self_update.config.policy_keys import DIGESTS
from uv_self_update.config.settings import KEYS
from uv_self_update.config.toml_text import KeyPath, parsed, with_value, without
from uv_self_update.errors import ConfigurationNotKept, InvalidConfiguration, Problem, UsageError
from uv_self_update.messages import shown, suggestion
from uv_self_update.redaction import holds_secret
from uv_self_update.versions import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path


_OTHER_WAYS = (
    "Leave it out of the URL, and set `source.username` with `source.password-env`, or "
    "`source.token-env`, to the name of the environment variable that holds it; or keep it in "
    "a netrc file, or by `uv auth login`. `--plaintext` writes it all the same."
)

_HEADERS = "header-env"

_Change = tuple[KeyPath, object]
"""A key and its new value, or None to take it out."""


def flatten(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each dotted key that a valid document sets, with its value."""
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
    """Write a valid document as a person would, with a `[[source]]` for each source."""
    text = ""
    for key, value in flatten(document):
        text = with_value(text, _taken_apart(key), value)
    return text


def get(document: Mapping[str, Any], key: str) -> object:
    """Return what a document has under a dotted key; None where it has nothing.

    `source.0.url` is the URL of the first source, and so is `source.url`.

    Raises:
        UsageError: There can be no such key.
    """
    keys = _taken_apart(key)
    tables = {known.partition(".")[0] for known in every_key()}
    pins = _names_only(keys[:2]) == DIGESTS
    if not (_settable(keys) or pins) and _names_only(keys) not in tables:
        raise _bad_key(key, f"unknown key{suggestion(key, every_key())}")
    return _find(document, keys)


def within(key: str, value: object) -> dict[str, Any]:
    """Return the document that has a value under a dotted key, and nothing else."""
    first, *rest = _taken_apart(key)
    for step in reversed(rest):
        value = [value] if isinstance(step, int) else {step: value}
    return {str(first): value}


def assign(
    path: Path,
    assignments: Mapping[str, str],
    *,
    remove: Iterable[str] = (),
    plaintext: bool = False,
) -> None:
    """Set keys in a file, which is made if it is missing; comments and layout stay.

    A source that changes its kind starts anew, with what is given in the same step: the old URLs
    mean something else to the new kind, and no order of single valid steps would lead there.

    Args:
        path: The file.
        assignments: Dotted key -> value as text.
        remove: Tables to take out first, in the same step.
        plaintext: Whether a URL may be written that holds a secret.

    Raises:
        UsageError: A key cannot be set.
        InvalidConfiguration: The file is broken.
        ConfigurationNotKept: It would be broken; it cannot be written, or not without losing a
            comment; or a secret would stand in it.
    """
    text, document = _current(path)
    paths = {_taken_apart(key): (key, value) for key, value in assignments.items()}
    gone: list[_Change] = [((name,), None) for name in remove]
    new: list[_Change] = []
    for keys, (key, value) in paths.items():
        if not _settable(keys):
            raise _bad_key(key, _why_not(keys, key))
        if not plaintext and holds_secret(value):
            reason = f"a password or a token stands in the URL for `{shown(key)}`"
            raise ConfigurationNotKept(path, reason, _OTHER_WAYS)
        new.append((keys, KEYS[key].parse(value) if key in KEYS else value))
        if keys[-1] == "kind" and _find(document, keys) not in (None, value):
            fields = [(*keys[:-1], name) for name in SOURCE_FIELDS]
            gone += [(field, None) for field in fields if field not in paths]
    _rewrite(path, text, gone + new)


def remove(path: Path, keys: Iterable[str]) -> None:
    """Take keys out of a file, also whole tables; comments and layout stay.

    Args:
        path: The file.
        keys: Dotted keys; they need not be known, so that a misspelt one can go.

    Raises:
        UsageError: The file has no such key.
        InvalidConfiguration: The file is broken.
        ConfigurationNotKept: It would be broken; or it cannot be written, or not without losing a
            comment.
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
    from uv_self_update.files import write_atomically  # noqa: PLC0415 # slow, and few write

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


def _taken_apart(key: str) -> KeyPath:
    if key.startswith(f"{DIGESTS}."):
        return _pin_taken_apart(key)
    first, *rest = key.split(".")
    if first != "source" or not rest:
        return (first, *rest)
    number, names = 0, rest
    if re.fullmatch("[0-9]{1,4}", rest[0]):
        number, names = int(rest[0]), rest[1:]
    if names[:1] == [_HEADERS] and names[1:]:
        names = [_HEADERS, ".".join(names[1:])]  # a header's name may have dots in it
    return (first, number, *names)


def _pin_taken_apart(key: str) -> KeyPath:
    """Take apart `policy.digests.0.13.9.uv-x86_64-unknown-linux-gnu.tar.gz`; both have dots."""
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


def _why_not(keys: KeyPath, key: str) -> str:
    if keys[0] == "source" and keys[-1] in SECRET_KEYS:
        return REFUSED
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


def _rewrite(path: Path, text: str, changes: Sequence[_Change]) -> None:
    """Make changes in the text of a file, and write it if it then says what it should."""
    document = parse(path, text)
    new = text
    for keys, value in changes:
        if value is None:
            new = without(new, _drop(document, keys))
        else:
            _put(document, keys, value, path)
            new = with_value(new, keys, value)
    _permit(document, parse(path, text), path)
    # A table that only holds others goes from the text with the last of them.
    if _without_empty(parsed(new)) != _without_empty(document):
        # The text is laid out in a way that line by line editing does not understand. Writing it
        # anew loses nothing but that layout, unless there are comments.
        if "#" in text:
            hint = "Make the change by hand: `uv-self-update config edit`."
            raise ConfigurationNotKept(path, "its comments would be lost", hint)
        new = as_toml(document)
    write(path, new)


def _without_empty(value: Any) -> Any:  # noqa: ANN401 # whatever TOML can hold
    """Return a document without the tables in which there is nothing."""
    if not isinstance(value, dict):
        return value
    inner = {name: _without_empty(content) for name, content in value.items()}
    return {name: content for name, content in inner.items() if content != {}}


def _permit(document: Mapping[str, Any], before: Mapping[str, Any], path: Path) -> None:
    """Make sure that a changed document can be used; what was wrong before may have been mended.

    Raises:
        InvalidConfiguration: With what stands in the file and is wrong.
        ConfigurationNotKept: With what would be wrong for the change only.
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
        check(document, path)  # says what is there in place of a table
        reason = "sources are numbered from 0, without a gap"
        raise _bad_key(".".join(map(str, keys)), reason)
    table[keys[-1]] = value


def _put_pin(document: dict[str, Any], keys: KeyPath, value: object, path: Path) -> None:
    table: Any = document
    for step in keys[:-1]:
        if not isinstance(table, dict):
            check(document, path)  # says what is there in place of a table
        table = table.setdefault(step, {})
    table[keys[-1]] = value


def _drop(document: dict[str, Any], keys: KeyPath) -> KeyPath:
    """Take a key out, and return what goes with it: `header-env` goes with its last header."""
    parent = _find(document, keys[:-1])
    if keys[-2:-1] == (_HEADERS,) and parent == {keys[-1]: _find(document, keys)}:
        return _drop(document, keys[:-1])
    if _find(document, keys) is not None:
        del parent[keys[-1]]
    if not document.get("source", True):
        # TOML has no way to write a list of no tables with `[[source]]`.
        del document["source"]
    return keys
