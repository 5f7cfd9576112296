"""The options, declared once: the parser, the help, and through it the documentation read them."""

from __future__ import annotations

from typing import Literal

from uv_self_update.config.installers import INSTALLERS
from uv_self_update.values import frozen

COMMANDS = (
    "config",
    "doctor",
    "exec",
    "fetch",
    "generate-shell-completion",
    "init",
    "mirror",
    "rehearse",
    "releases",
    "update",
    "version",
)
WITH_JSON = ("doctor", "mirror", "releases")
"""The commands with a `--json` of their own."""

SHELLS = ("bash", "fish", "powershell", "zsh")
"""The shells that complete the command line."""

COMPLETION_VARIABLE = "_UV_SELF_UPDATE_COMPLETE"
"""The variable by which a shell asks for completions."""


@frozen
class Option:
    """An option that takes one value, or, without `metavar` and `choices`, a flag."""

    name: str
    short: str | None = None
    """The same with one letter."""

    help: str = ""
    """The sentence in `--help`; an option without one is hidden."""

    metavar: str | None = None
    choices: tuple[str, ...] = ()
    counted: bool = False
    """Whether a flag means more if it is repeated."""

    variable: str | None = None
    """The environment variable that does the same."""

    value: Literal["file", "source"] | None = None
    """What a shell completes its value with."""

    @property
    def is_flag(self) -> bool:
        """Whether it takes no value."""
        return self.metavar is None and not self.choices


GLOBAL = (
    Option(
        name="--source",
        metavar="SPEC",
        help="Where to get uv from: `index`, a URL, the path of a directory, or a kind and a URL "
        "such as `nexus+URL`. If repeated, the sources are tried in order.",
        variable="UV_SELF_UPDATE_SOURCE",
        value="source",
    ),
    Option(
        name="--config",
        metavar="FILE",
        help="Read this file instead of the user configuration file.",
        variable="UV_SELF_UPDATE_CONFIG",
        value="file",
    ),
    Option(
        name="--uv",
        metavar="PATH",
        help="Update this uv instead of the first on PATH.",
        variable="UV_SELF_UPDATE_UV",
        value="file",
    ),
    Option(
        name="--installer",
        choices=INSTALLERS,
        help="Use our own installer (native) or the release's (release); auto uses ours wherever "
        "it supports the installation.",
        variable="UV_SELF_UPDATE_INSTALLER",
    ),
    Option(
        name="--adopt",
        help="Also update a uv that has no receipt, and write one.",
        variable="UV_SELF_UPDATE_ADOPT",
    ),
)
"""Options that can stand before or after any command."""

DISPLAY = (
    Option(
        name="--quiet",
        short="-q",
        counted=True,
        help="Print errors only; with `-qq`, nothing.",
    ),
    Option(name="--verbose", short="-v", counted=True, help="Print each request."),
    Option(
        name="--no-progress",
        help="Do not show progress bars.",
        variable="UV_NO_PROGRESS",
    ),
    Option(
        name="--color",
        choices=("auto", "always", "never"),
        help="Use colors in messages.",
    ),
)
"""Options of uv about its output, which every command has."""

UPDATE = (
    Option(
        name="--check",
        help="Check whether an update is available, without installing it. The exit code is 11 if "
        "one is.",
    ),
    Option(name="--json", help="With `--check`: print JSON."),
    Option(
        name="--required",
        help="Update to the `required-version` of uv's own configuration, including a project's.",
    ),
)
"""Options of the update; another command may have one of the same name."""

OF_UV = (
    Option(
        name="--token",
        metavar="TOKEN",
        help="A GitHub token, for sources of kind `github`.",
        variable="UV_GITHUB_TOKEN",
    ),
    Option(
        name="--allow-insecure-host",
        metavar="HOST",
        help="Do not verify the certificate of this host; can be repeated.",
        variable="UV_INSECURE_HOST",
    ),
    Option(name="--trusted-host", metavar="HOST"),
    # Accepted for uv's sake: certificates of the operating system are trusted in any case.
    Option(name="--native-tls"),
    Option(name="--system-certs"),
)
"""Options of uv that other commands than the update accept as well."""

INSECURE_HOST = ("--allow-insecure-host", "--trusted-host")
SYSTEM_CERTS = frozenset({"--system-certs", "--native-tls"})

OPTIONS = tuple(option.name for option in GLOBAL if not option.is_flag)
FLAGS = tuple(option.name for option in GLOBAL if option.is_flag)
UPDATE_FLAGS = tuple(option.name for option in UPDATE)
