"""Every command but the update itself, and the help."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from uv_self_update import __version__
from uv_self_update.cli.config_commands import config
from uv_self_update.cli.help import Command, Group
from uv_self_update.cli.options import OF_UV, SHELLS, UPDATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.cli.invocation import Invocation


def run(arguments: Sequence[str], invocation: Invocation | None) -> int:
    """Run a command, and return the exit code.

    Args:
        arguments: The command and its arguments.
        invocation: What it works with; None if the arguments only ask for its help.

    Raises:
        UsageError: Unknown command, or invalid arguments.
        KeyboardInterrupt: The user interrupted a prompt.
        UvSelfUpdateError: The command failed.
    """
    try:
        code = root.main(list(arguments), "uv-self-update", standalone_mode=False, obj=invocation)
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except click.ClickException as error:
        from uv_self_update.cli.usage import usage_error  # noqa: PLC0415 # only for a mistake

        raise usage_error(error, arguments) from None
    return code or 0


@click.group(
    cls=Group,
    options=UPDATE,
    options_metavar="[OPTION]...",
    subcommand_metavar="[TARGET] [OPTION OF UV]... | COMMAND [ARGUMENT]...",
    examples=(
        "uv-self-update",
        "uv-self-update 0.12",
        "uv-self-update --check",
        "uv-self-update --source nexus+https://nexus.example/uv/",
        "uv-self-update help init",
    ),
)
@click.version_option(__version__, "-V", "--version", message="uv-self-update %(version)s")
def root() -> None:
    """Update uv where `uv self update` cannot.

    Run `uv-self-update [TARGET]` instead of `uv self update [TARGET]`. TARGET is an exact version
    (0.12.3), a prefix (0.12) or a specifier (<0.13). Options of `uv self update` are passed on to
    uv.

    Global options can be given before or after a command.
    """


root.add_command(config)


@root.command(
    body="doctor:doctor",
    options=OF_UV,
    examples=(
        "uv-self-update doctor",
        "uv-self-update doctor --fix",
        "uv-self-update doctor --source https://nexus.example/uv/",
    ),
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--fix", is_flag=True, help="Apply the remedies that lose nothing, after asking.")
@click.option("--yes", is_flag=True, help="With `--fix`: do not ask.")
def doctor() -> None:
    """Find out why uv can or cannot be updated here.

    This checks every uv on PATH, its receipt and its directory, variables and files that interfere,
    proxies, and each source as an update would use it. Nothing is changed without --fix. The exit
    code is 0 if an update would work, and else the one that it would end with.
    """


class _Wrapping(Command):
    """A command whose arguments are another command, after `--`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        help_wanted = any(word in self.get_help_option_names(ctx) for word in args)
        if args[-1:] == ["--"] or ("--" not in args and not help_wanted):
            from uv_self_update.errors import UsageError  # noqa: PLC0415 # no help needs it

            message = "no command follows `--`" if "--" in args else "no command was given"
            raise UsageError(message, hint="Put it after `--`, as in `exec -- uv sync`.")
        return super().parse_args(ctx, args)


@root.command(
    "exec",
    cls=_Wrapping,
    body="wrapped:run_wrapped",
    context_settings={"allow_interspersed_args": False},
    options=OF_UV,
    examples=(
        "uv-self-update exec -- uv sync --locked",
        "uv-self-update exec -- uvx --from acme-tool acme",
        "uv-self-update exec --releases github+https://github.com/acme/tools -- uv lock",
    ),
)
@click.option(
    "--releases",
    "specs",
    metavar="SPEC",
    multiple=True,
    help="Releases that hold packages, as in `github+https://github.com/OWNER/REPO`; can be "
    "repeated. The default is `[[releases]]` of the configuration.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND [ARGUMENT]...")
def exec_() -> None:
    """Run a command with packages from private releases.

    The packages are served by an index at a name that is the same on every machine, for as long as
    the command runs.
    """


@root.command(
    "fetch",
    body="fetch:fetch_",
    options=OF_UV,
    examples=(
        "uv-self-update fetch",
        "uv-self-update fetch --check",
        "uv-self-update fetch --upgrade --directory wheels",
    ),
)
@click.option(
    "--releases",
    "specs",
    metavar="SPEC",
    multiple=True,
    help="As for `exec`: a repository whose releases hold packages.",
)
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to put the packages. The default is `packages` beside pyproject.toml.",
)
@click.option("--upgrade", is_flag=True, help="Take newer versions than those in uv.lock.")
@click.option(
    "--check",
    "only_check",
    is_flag=True,
    help="Fetch nothing: say what is missing or changed. The exit code is 11 if anything is.",
)
def fetch_() -> None:
    """Fetch the packages that a project needs from private releases.

    They are put beside the project, with a page that uv reads as an index, so that uv installs them
    without this program: in a Docker build, without a network, or by a bot.
    """


@root.command(
    body="init:init",
    options=OF_UV,
    examples=(
        "uv-self-update init https://nexus.example/repository/uv/",
        "uv-self-update init s3+https://s3.example/uv/",
        "uv-self-update init /mnt/share/uv",
        "uv-self-update init https://git.example/mirror/uv --token-env MIRROR_TOKEN",
    ),
)
@click.argument("url")
@click.option("--username", metavar="NAME", help="The user name of the credentials.")
@click.option(
    "--password-env", metavar="VARIABLE", help="The environment variable with the password."
)
@click.option("--token-env", metavar="VARIABLE", help="The environment variable with the token.")
@click.option(
    "--header-env",
    "headers",
    metavar="HEADER=VARIABLE",
    multiple=True,
    help="A header to send, and the environment variable with its value; can be repeated.",
)
@click.option("--plaintext", is_flag=True, help="Store a URL that contains credentials.")
@click.option(
    "--rehearse/--no-rehearse", default=True, help="Verify the configuration with a trial update."
)
@click.option("--force", is_flag=True, help="Replace the sources that are already configured.")
@click.option(
    "--releases",
    "for_packages",
    is_flag=True,
    help="URL is a repository whose releases contain packages, for `exec` and `fetch`.",
)
def init() -> None:
    """Configure URL as the source of uv.

    This detects the server type, writes the user configuration file, and verifies it with a trial
    update. Other settings in the file are kept.

    URL is the location of uv's releases in your network: a URL or the path of a directory. If the
    server type is not detected, add it: `nexus+https://…`.

    Credentials are stored as the names of the environment variables that contain them.
    """


@root.command(
    body="mirror:mirror",
    options=OF_UV,
    examples=(
        "uv-self-update mirror /srv/uv --url https://uv.example.com/",
        "uv-self-update mirror /srv/uv --limit 5 --keep 10 --platform x86_64-unknown-linux-gnu",
        "uv-self-update mirror /srv/uv --versions '>=0.12'",
        "uv-self-update mirror /srv/uv --check",
    ),
)
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(1),
    help="Mirror the newest N releases. The default is 1, and all with `--versions`.",
)
@click.option("--versions", metavar="SPECIFIER", help="Mirror these releases, such as `>=0.12`.")
@click.option(
    "--platform",
    "triples",
    metavar="TRIPLE",
    multiple=True,
    help="Mirror this platform, such as `x86_64-unknown-linux-gnu`; can be repeated. The default "
    "is all platforms.",
)
@click.option(
    "--url",
    metavar="URL",
    help="Where the directory will be served; needed once, for plain uv with "
    "`UV_INSTALLER_GHE_BASE_URL`.",
)
@click.option(
    "--keep", metavar="N", type=click.IntRange(1), help="Remove all but the newest N releases."
)
@click.option("--no-wheels", is_flag=True, help="Do not make a package index of wheels.")
@click.option(
    "--check",
    "only_check",
    is_flag=True,
    help="Verify every file, and change nothing. "
    "The exit code is 11 if anything is missing or changed.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def mirror() -> None:
    """Fill a directory with releases for other machines.

    Any web server, share or bucket can serve it. uv updates from it with UV_ASTRAL_MIRROR_URL or
    UV_INSTALLER_GHE_BASE_URL, uv-self-update with `--source`, and uv and pip install from its
    package index. A later run fetches only what is new.
    """


@root.command(
    body="rehearse:rehearse",
    options=OF_UV,
    examples=("uv-self-update rehearse", "uv-self-update rehearse 0.12 --from 0.11.13"),
)
@click.argument("target", required=False)
@click.option(
    "--from",
    "start",
    metavar="VERSION",
    help="The version to update from; the source must have it.",
)
def rehearse() -> None:
    """Run a complete update on a temporary copy of uv.

    The copy is in a temporary directory. Your uv, its receipt, your shell's profile and PATH are
    not changed.
    """


@root.command(
    body="releases:releases",
    options=OF_UV,
    examples=(
        "uv-self-update releases",
        "uv-self-update releases --limit 5 --json",
        "uv-self-update releases --source https://nexus.example/uv/",
    ),
)
@click.option(
    "--limit",
    default=20,
    show_default=True,
    help="The number of releases of each source.",
    type=click.IntRange(1),
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--packages", is_flag=True, help="List the packages that `[[releases]]` contain, for `exec`."
)
def releases() -> None:
    """List the releases that the sources have, newest first."""


@root.command(
    "generate-shell-completion",
    body="completion:generate",
    examples=(
        'eval "$(uv-self-update generate-shell-completion bash)"',
        'eval "$(uv-self-update generate-shell-completion zsh)"',
        "uv-self-update generate-shell-completion fish | source",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS), metavar="SHELL")
def generate() -> None:
    """Print a script that completes the command line: bash, fish, powershell or zsh.

    Run it where your shell starts: ~/.bashrc, ~/.zshrc, ~/.config/fish/config.fish, $PROFILE.
    """


@root.command(examples=("uv-self-update version",))
def version() -> None:
    """Print the version of uv-self-update."""
    click.echo(f"uv-self-update {__version__}")
