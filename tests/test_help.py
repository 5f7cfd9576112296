"""The help of every command, and what every command accepts."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click
import pytest

from uv_self_update.cli.commands import root
from uv_self_update.cli.help import Command
from uv_self_update.cli.options import COMMANDS, DISPLAY, FLAGS, GLOBAL, OPTIONS, UPDATE_FLAGS
from uv_self_update.uv.arguments import arrange, take, take_flags

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.homes import Home


def every(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Command]]:
    """Yield each command with the words that name it."""
    assert isinstance(command, Command), f"{path} is no command of ours"
    yield " ".join(path), command
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            yield from every(one, (*path, name))


EVERY = dict(every(root))


def helped(name: str, width: int) -> str:
    """Return the help of a command on a terminal of this width."""
    context = click.Context(EVERY[name], info_name=f"uv-self-update {name}", terminal_width=width)
    return EVERY[name].get_help(context)


@pytest.mark.parametrize("width", [80, 60])
@pytest.mark.parametrize("name", EVERY)
def test_help_fits(name: str, width: int) -> None:
    """The help fits narrow terminals, and no sentence of the list of commands is cut."""
    lines = helped(name, width).splitlines()

    assert [line for line in lines if len(line) > width] == []
    assert not [line for line in lines if line.endswith("...") and "Usage" not in line][1:]


@pytest.mark.parametrize("name", EVERY)
def test_help_has_what_every_command_accepts(name: str) -> None:
    """Each command lists `-h` and the global options, and each once."""
    words = helped(name, 80).split()

    for option in (*GLOBAL, *DISPLAY):
        assert words.count(option.name) >= 1, option.name
    assert "-h," in words
    assert "Options:" in words


@pytest.mark.parametrize("name", EVERY)
def test_examples(name: str) -> None:
    """Each command has an example, which names it, and which the program understands."""
    command = EVERY[name]

    assert command.examples
    for example in command.examples:
        assert example in " ".join(helped(name, 60).replace("\\\n", "").split()).replace("  ", " ")
        call = example.partition(" | ")[0].removeprefix('eval "$(').removesuffix(')"')
        program, *words = shlex.split(call)
        assert program == "uv-self-update"
        _, _, others = take(words, OPTIONS, flags=FLAGS)
        rest = arrange(others, COMMANDS, default="update")
        if "--help" in rest:
            continue
        if rest[0] == "update":
            assert len(take_flags(rest[1:], UPDATE_FLAGS)[1]) <= 1
            continue
        assert not name or " ".join(rest).startswith((name, "--help"))
        with root.make_context("uv-self-update", rest, resilient_parsing=True) as context:
            one, *arguments = rest
            inner = root.commands.get(one, root)
            inner.make_context(one, arguments, parent=context, resilient_parsing=False).close()


@pytest.mark.parametrize("display", ["-q", "-qq", "-v", "--quiet", "--color=never"])
@pytest.mark.parametrize("command", ["config path", "releases --help", "version", "config get x"])
def test_display_options_of_any_command(command: str, display: str, home: Home) -> None:
    """`-q`, `-v` and `--color` are accepted before and after each command."""
    before = home.call(display, *command.split())
    after = home.call(*command.split(), display)

    assert "argument" not in before.err + after.err
    assert before == after


def test_quiet_says_nothing_of_what_was_done(home: Home) -> None:
    """With `-q`, a command that changes something prints nothing; with none, where it wrote."""
    quiet = home.call("config", "set", "network.timeout", "60", "-q")
    loud = home.call("config", "set", "network.timeout", "61")
    color = home.call("--color", "always", "config", "set", "network.timeout", "soon")

    assert (quiet.out, quiet.err, quiet.code) == ("", "", 0)
    assert loud.out.startswith("Written to ")
    assert "\x1b[" in color.err


@pytest.mark.parametrize(
    ("line", "said", "hint"),
    [
        ("releases --nope", "unexpected argument `--nope` found", "See `"),
        (
            "rehearse --colour never",
            "unexpected argument `--colour` found",
            "Did you mean `--color`",
        ),
        ("releases --limt 3", "unexpected argument `--limt` found", "Did you mean `--limit`"),
        ("releases --limit", "a value is required for `--limit` but none was supplied", "See `"),
        ("releases --limit x", "invalid value for `--limit`: `x` is not a valid", "See `"),
        ("releases --json=3", "unexpected value for `--json` found: it takes none", "See `"),
        ("releases x", "unexpected argument `x` found", "See `uv-self-update releases --help`."),
        ("releases https://u:p@a.example", "unexpected argument `https://", "`--source URL` names"),
        ("init", "the required argument `URL` was not provided", "uv-self-update init --help"),
        (
            "config se a b",
            "unrecognized subcommand `se`",
            "Did you mean `uv-self-update config set`",
        ),
        ("generate-shell-completion csh", "invalid value for `shell`: `csh` is not one", "See `"),
    ],
)
def test_mistakes_are_told_as_uv_does(line: str, said: str, hint: str, home: Home) -> None:
    """What click finds wrong reads like a message of uv, and leads to the help."""
    done = home.call(*line.split())

    assert done.err.startswith(f"error: {said}")
    assert hint in done.err
    assert (done.code, done.out) == (2, "")
    assert "u:p" not in done.err


@pytest.mark.parametrize("name", EVERY)
def test_short_option_of_the_help(name: str, home: Home) -> None:
    """`-h` prints the help of each command."""
    done = home.call(*name.split(), "-h")

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Usage: ")


def test_quiet_of_the_wrapped_command_is_its_own(home: Home) -> None:
    """What follows `--` is no option of ours: an error of `exec` is printed."""
    done = home.call("exec", "--", "no-such-program", "-qq")

    assert "error: " in done.err
