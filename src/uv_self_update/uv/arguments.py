"""Parse the command line into our options, the requested version, and uv's own options.

uv's options are passed on unchanged and in order, except `--token`: uv does not need it, and every
user could read it in the list of processes. To tell the version from the value of an option
(`--color never`), the options of `uv self update` that take a value must be known; a later one can
still be given as `--option=value`.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from uv_self_update.errors import UsageError
from uv_self_update.messages import shown
from uv_self_update.suggestions import closest_option, meant_command
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


_TAKING_VALUES = frozenset(
    {
        "--allow-insecure-host",
        "--cache-dir",
        "--color",
        "--config-file",
        "--directory",
        "--project",
        "--python-fetch",
        "--token",
        "--trusted-host",
    }
)


_TOKEN = "--token"  # noqa: S105 # the name of an option

_NEAR_OURS = frozenset({"--no-config"})
"""Flags of `uv self update` with nearly the name of one of ours."""

_LOOKS_MISSPELLED = re.compile(r"(?:--|-\w|[\N{EN DASH}\N{EM DASH}])[\w-]{2}")
"""An option with more than one letter; such as `-check`, or with a dash for its hyphens."""

ABOUT_US = frozenset({"-h", "--help", "-V", "--version"})
"""Flags that ask about this package where no command is named."""


@frozen
class Arguments:
    """The command line without our own options."""

    target: str | None = None
    before: tuple[str, ...] = field(default=(), repr=False)
    """uv's options before the version; perhaps with a token."""

    after: tuple[str, ...] = field(default=(), repr=False)
    """uv's options after the version; all of them without one."""

    def for_uv(self, version: str | None) -> tuple[str, ...]:
        """Return the arguments of `uv self update`, with an exact version."""
        target = () if version is None else (version,)
        return (*without(self.before, _TOKEN), *target, *without(self.after, _TOKEN))

    @property
    def all(self) -> tuple[str, ...]:
        """Every one of uv's options."""
        return self.before + self.after

    @property
    def dry_run(self) -> bool:
        """Whether `--dry-run` is given."""
        return "--dry-run" in self.all

    @property
    def offline(self) -> bool:
        """Whether `--offline` is given; uv refuses to update itself then."""
        return "--offline" in self.all


def split(arguments: Sequence[str]) -> Arguments:
    """Find the requested version among uv's options.

    Raises:
        UsageError: More than one word could be it.
    """
    words = [position for position, is_word in enumerate(_words(arguments)) if is_word]
    if len(words) > 1:
        extra = " and ".join(f"`{shown(arguments[position])}`" for position in words)
        message = f"expected one version at most, not {extra}"
        raise UsageError(message)
    if not words:
        return Arguments(after=tuple(arguments))
    (position,) = words
    return Arguments(
        target=arguments[position],
        before=tuple(arguments[:position]),
        after=tuple(arguments[position + 1 :]),
    )


def take(
    arguments: Sequence[str], own: Iterable[str], *, flags: Iterable[str]
) -> tuple[dict[str, list[str]], set[str], list[str]]:
    """Take our options, which users write anywhere before `--`, off a command line.

    Returns:
        The values of each of our options that take one, in order; those that are there of the
        others; and what is left.

    Raises:
        UsageError: An option of ours lacks its value.
    """
    values: dict[str, list[str]] = {option: [] for option in own}
    known, given = frozenset(flags), set()
    rest: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        option, equals, value = argument.partition("=")
        if argument == "--":
            rest += [argument, *remaining]
        elif argument in known:
            given.add(argument)
        elif option not in values:
            rest.append(argument)
        else:
            following = value if equals else next(remaining, None)
            if following is None:
                message = f"`{argument}` needs a value"
                raise UsageError(message)
            values[option].append(following)
    return values, given, rest


def arrange(arguments: Sequence[str], commands: Iterable[str], *, default: str) -> list[str]:
    """Put the command in front of its arguments; users name none for an update.

    Args:
        arguments: The command line without our own options.
        commands: The commands that there are.
        default: The command where none is named.

    Raises:
        UsageError: A word is no command that there is.
    """
    rest = list(arguments)
    words = [position for position, is_word in enumerate(_words(rest)) if is_word]
    first = rest[words[0]] if words else ""
    if first == "help":
        return _help([rest[position] for position in words[1:]], commands, default)
    if first in frozenset(commands):
        return [rest.pop(words[0]), *rest]
    if about := [argument for argument in rest if argument in ABOUT_US]:
        return about
    if re.fullmatch(r"[^\W\d_]+(?:-[^\W\d_]+)*", first):
        raise _unknown(first, commands)
    return [default, *rest]


def _help(words: Sequence[str], commands: Iterable[str], default: str) -> list[str]:
    """Return the arguments for the help on a command; without one, or for the default, on all."""
    if not words or words[0] == default:
        return ["--help"]
    if words[0] not in frozenset(commands):
        raise _unknown(words[0], commands)
    return [*words, "--help"]


def misspelled(
    arguments: Sequence[str], own: Iterable[str], taking: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Yield each option that is probably one of ours with a letter wrong, and that one.

    uv may know it all the same.
    """
    ours, valued = frozenset(own), frozenset(taking) | _TAKING_VALUES
    remaining = iter(arguments)
    for argument in remaining:
        name, equals, _ = argument.partition("=")
        if argument == "--":
            return
        if name in valued and not equals:
            next(remaining, None)
        elif name in ours | valued | _NEAR_OURS or not _LOOKS_MISSPELLED.match(name):
            continue
        elif meant := closest_option(name, sorted(ours)):
            yield name, meant


def take_flags(arguments: Sequence[str], flags: Iterable[str]) -> tuple[frozenset[str], list[str]]:
    """Take flags of ours, which have no value, from wherever they stand among uv's options.

    Values of options, and words after `--`, do not count.

    Returns:
        Those that are there; and what is left.

    Raises:
        UsageError: One of them is given a value.
    """
    known = frozenset(flags)
    found: set[str] = set()
    rest: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        name, equals, _ = argument.partition("=")
        if argument == "--":
            rest += [argument, *remaining]
        elif name not in known:
            rest.append(argument)
            if argument in _TAKING_VALUES:
                rest += islice(remaining, 1)
        elif equals:
            message = f"`{name}` takes no value"
            raise UsageError(message)
        else:
            found.add(name)
    return frozenset(found), rest


def _unknown(word: str, commands: Iterable[str]) -> UsageError:
    """Return the error for a word that is neither a command nor a version."""
    meant = meant_command(word, commands)
    advice = f"Did you mean `{meant}`? " if meant else ""
    message = f"there is no command `{shown(word)}`"
    return UsageError(message, hint=f"{advice}`uv-self-update --help` lists the commands.")


def value_of(arguments: Sequence[str], option: str) -> str | None:
    """Return the value of an option, the last if it is there twice."""
    return next(reversed(values_of(arguments, option)), None)


def values_of(arguments: Sequence[str], *options: str) -> list[str]:
    """Return the values of an option that has several names, in order."""
    values = []
    for position, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if argument in options and position + 1 < len(arguments):
            values.append(arguments[position + 1])
        elif equals and name in options:
            values.append(value)
    return values


def without(arguments: Sequence[str], option: str) -> Iterator[str]:
    """Yield arguments without an option of uv's, and without its value."""
    remaining = iter(arguments)
    for argument in remaining:
        if argument == option and next(remaining, None) is None:
            yield argument  # uv says that its value is missing
        elif argument.partition("=")[0] != option:
            yield argument
            if argument in _TAKING_VALUES:
                yield from islice(remaining, 1)


def level(arguments: Iterable[str], name: str) -> int:
    """Return how often a flag such as `quiet` is there: `-q`, `-qq`, `--quiet`."""
    count = 0
    for argument in arguments:
        if argument == f"--{name}":
            count += 1
        elif argument.startswith("-") and not argument.startswith("--"):
            count += argument.count(name[0])
    return count


def _words(arguments: Sequence[str]) -> Iterable[bool]:
    value_next = False
    for argument in arguments:
        yield not value_next and not (argument.startswith("-") and len(argument) > 1)
        value_next = not value_next and argument in _TAKING_VALUES
