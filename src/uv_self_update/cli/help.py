"""The help of every command: its own options, its examples, and the options that all have."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from uv_self_update.cli.options import DISPLAY, GLOBAL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from uv_self_update.cli.options import Option

_COLUMN = 22
"""The widest name of an option that has its help beside it; a wider one has it below."""


class Command(click.Command):
    """A command with examples, and with the options that every command has.

    `body` names the function that the command calls, as `MODULE:FUNCTION` of this package. `main`
    has taken the values of the options in the tables off the command line already.
    """

    def __init__(
        self,
        *arguments: Any,  # noqa: ANN401 # as click has them
        body: str = "",
        options: Sequence[Option] = (),
        examples: Sequence[str] = (),
        **settings: Any,  # noqa: ANN401 # as click has them
    ) -> None:
        super().__init__(*arguments, **settings)
        self.body = body
        self.examples = tuple(examples)
        self.params += [_declared(option) for option in options]

    def function(self) -> Callable[..., int | None]:
        """Import what the command does: no help needs it."""
        module, _, name = self.body.partition(":")
        found: Callable[..., int | None] = getattr(import_module(f"{__package__}.{module}"), name)
        return found

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 # as click has it
        if not self.body:
            return super().invoke(ctx)
        return self.function()(ctx.obj, **ctx.params)

    @cached_property
    def shared(self) -> Sequence[click.Option]:
        """The options that every command has, without those that it has of its own."""
        own = {name for parameter in self.params for name in parameter.opts}
        every = [_declared(option) for option in (*GLOBAL, *DISPLAY)]
        return [option for option in every if own.isdisjoint(option.opts)]

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        del ctx
        return ["-h", "--help"]

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        *own, help_ = super().get_params(ctx)
        return [*own, *self.shared, help_]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {"Options": [], "Global options": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                title = "Global options" if parameter in self.shared else "Options"
                sections[title].append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records, col_max=_COLUMN)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        import textwrap  # noqa: PLC0415 # for a help only

        super().format_epilog(ctx, formatter)
        with formatter.section("Examples"):
            for example in self.examples:
                lines = textwrap.wrap(
                    example,
                    formatter.width - len("   \\"),
                    subsequent_indent="  ",
                    break_long_words=False,
                    break_on_hyphens=False,
                )
                formatter.write("  " + " \\\n  ".join(lines) + "\n")


class Group(Command, click.Group):
    """A command with subcommands, listed with their whole first sentence."""

    command_class = Command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, _summary(self.commands[name])) for name in sorted(self.commands)]
            )
        Command.format_options(self, ctx, formatter)


def _summary(command: click.Command) -> str:
    """Return the first sentence of the help of a command."""
    return (command.help or "").partition("\n\n")[0].replace("\n", " ")


_TYPES = {"file": click.Path(), "source": None, None: None}


def _specs(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the values of `--source` that complete a word, one for each kind."""
    from uv_self_update.config.kinds import KINDS  # noqa: PLC0415 # for a shell only

    specs = ["index", *(f"{kind}+https://" for kind in KINDS if kind not in {"index", "urls"})]
    return [spec for spec in specs if spec.startswith(incomplete)]


def _declared(option: Option) -> click.Option:
    """Declare an option for click, which is not to hand on its value."""
    variable = f" [env: {option.variable}]" if option.variable else ""
    return click.Option(
        [name for name in (option.short, option.name) if name],
        metavar=option.metavar,
        type=click.Choice(option.choices) if option.choices else _TYPES[option.value],
        shell_complete=_specs if option.value == "source" else None,
        is_flag=option.is_flag and not option.counted,
        count=option.counted,
        multiple=not option.is_flag,
        expose_value=False,
        hidden=not option.help,
        help=option.help + variable,
    )
