"""Why nothing could be begun: the command line, the configuration, uv itself, loopback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from uv_self_update.errors.base import UvSelfUpdateError
from uv_self_update.wording import shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = (
    "ConfigurationError",
    "ConfigurationNotKept",
    "GatewayError",
    "InvalidConfiguration",
    "InvalidRequirement",
    "InvalidSource",
    "InvalidTarget",
    "NoHomeDirectory",
    "NothingRequired",
    "Problem",
    "SharedFile",
    "StartedThroughUvx",
    "UsageError",
    "UvError",
    "UvNotFound",
    "UvNotRunnable",
    "UvTooOld",
)


class UsageError(UvSelfUpdateError):
    """The command line cannot be understood."""

    exit_code = 2


class InvalidTarget(UsageError):
    """A TARGET is neither a version, nor a prefix of one, nor a specifier."""

    def __init__(self, target: str, *, hint: str | None = None) -> None:
        """Name the target, and what was probably meant, if that is known."""
        forms = "Give an exact version (`0.12.3`), a prefix (`0.12`) or a specifier (`<0.13`)."
        super().__init__(
            f"`{shown(target)}` is not a version of uv", hint=f"{hint} {forms}" if hint else forms
        )


class InvalidSource(UsageError):
    """A source is described by something other than `index`, a URL, a path or `KIND+URL`."""

    def __init__(self, spec: str, reason: str) -> None:
        """Name the source and what is wrong with it."""
        super().__init__(
            f"`{spec}` does not describe a source: {reason}",
            hint="Write a URL, the path of a folder, `index`, or a kind and a URL: `nexus+URL`.",
        )


class ConfigurationError(UvSelfUpdateError):
    """A configuration file cannot be used."""

    exit_code = 3


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong in a configuration: where, and what."""

    origin: str
    """The file, or the variable or option that the value came from."""

    key: str
    """The dotted key, as in `network.timeout`; empty for the whole file."""

    reason: str
    barred: bool = False
    """Whether it is a file that may not be read."""

    def __str__(self) -> str:
        """Write the problem on one line."""
        return (
            f"{self.origin}: {self.key}: {self.reason}"
            if self.key
            else (f"{self.origin}: {self.reason}")
        )


@dataclass(frozen=True, kw_only=True)
class SharedFile:
    """The system configuration file."""

    path: str
    owner: str
    """Who may change it, as it may be shown."""

    writable: bool
    """Whether whoever runs this may."""

    @property
    def hint(self) -> str:
        """Say who can change the file, and how to test a change."""
        if self.writable:
            return f"`uv-self-update config edit --system` opens {self.path}."
        return (
            f"{self.path} is the system configuration file, which applies to all users: "
            f"{self.owner} can change it. `uv-self-update config check FILE` validates a corrected "
            "copy."
        )


class InvalidConfiguration(ConfigurationError):
    """The configuration has problems; all of them are reported together."""

    def __init__(self, problems: Sequence[Problem], *, shared: SharedFile | None = None) -> None:
        """List the problems, one a line.

        Args:
            problems: What is wrong.
            shared: The system configuration file; its problems are not the user's to fix.
        """
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        files = {one.origin for one in self.problems if one.origin.endswith(".toml")}
        hints = []
        if shared is not None and shared.path in files:
            hints.append(shared.hint)
            files.remove(shared.path)
        if any(one.barred and one.origin in files for one in self.problems):
            hints.append("Check its permissions, and whether HOME is your own home directory.")
        elif files:
            hints.append("`uv-self-update config edit` opens the user file.")
        super().__init__(
            f"the configuration cannot be used:\n{lines}", hint=" ".join(hints) or None
        )


class ConfigurationNotKept(ConfigurationError):
    """A change cannot be written, or not without losing something that a person wrote."""

    def __init__(self, path: Path, reason: str, hint: str | None = None) -> None:
        """Name the file, and the reason or what would be lost."""
        super().__init__(f"{path} was left as it is: {reason}", hint=hint)


class NoHomeDirectory(ConfigurationError):
    """The user has no home directory, and so no configuration file."""

    def __init__(self) -> None:
        """Say what would name one."""
        super().__init__(
            "this user has no configuration file, because there is no home directory: HOME is not "
            "an absolute path, and the user database has no entry",
            hint="Set HOME, or name a file with `--config FILE` or UV_SELF_UPDATE_CONFIG.",
        )


class InvalidRequirement(ConfigurationError):
    """What uv's own configuration requires of its version cannot be understood."""

    def __init__(self, problem: Problem) -> None:
        """Name the file, the key and what is wrong."""
        super().__init__(
            f"uv's configuration cannot be used: {problem}",
            hint="Mend the file, or say as TARGET which version it shall be.",
        )


class NothingRequired(ConfigurationError):
    """uv's own configuration requires no version."""

    def __init__(self, places: Sequence[str]) -> None:
        """Name the places that were looked at; none where uv is told to read no configuration."""
        reason = f"it was looked for in {', '.join(places)}"
        if not places:
            reason = "`--no-config` or UV_NO_CONFIG says not to look for any"
        super().__init__(
            f"uv's configuration has no `required-version`: {reason}",
            hint="Set `required-version` in uv.toml, or in `[tool.uv]` of pyproject.toml; or say "
            "as TARGET which version it shall be.",
        )


class UvError(UvSelfUpdateError):
    """There is no uv that could be updated."""

    exit_code = 4


class UvNotFound(UvError):
    """No uv where it was looked for."""

    def __init__(self, named: str | None) -> None:
        """Say what it was looked for; None for the first on PATH."""
        super().__init__(
            f"there is no uv that can be run at {named}" if named else "no uv was found on PATH",
            hint="Check `--uv` or `UV_SELF_UPDATE_UV`."
            if named
            else "Put uv on PATH, or name it with `--uv PATH` or `UV_SELF_UPDATE_UV`.",
        )


class UvNotRunnable(UvError):
    """A uv was found but cannot be run."""

    def __init__(self, path: Path, reason: str) -> None:
        """Name the file and the reason."""
        super().__init__(
            f"{path} cannot be run: {reason}",
            hint="Name another uv with `--uv PATH` or `UV_SELF_UPDATE_UV`.",
        )


class UvTooOld(UvError):
    """A uv asks GitHub whatever it is told, so it cannot be updated from elsewhere."""

    def __init__(self, path: Path, version: str) -> None:
        """Name the file and its version."""
        super().__init__(
            f"{path} is uv {version}, and only 0.5.0 and later can be updated from elsewhere",
            hint="Put a newer one in its place once: `uv pip install --target FOLDER uv` lays it "
            "into FOLDER/bin.",
        )


class StartedThroughUvx(UvError):
    """On Windows, a `uvx.exe` that runs cannot be replaced, and it waits for this process."""

    def __init__(self) -> None:
        """Say what to type instead."""
        super().__init__(
            "uv cannot be updated through `uvx`, which runs until this has ended, so that Windows "
            "does not let it be replaced",
            hint="Type `uv tool install uv-self-update` once, and then `uv-self-update`.",
        )


class GatewayError(UvSelfUpdateError):
    """No server can be started on loopback."""

    exit_code = 5

    def __init__(self, reason: str, *, bound: bool = False) -> None:
        """Say why not, and whether a port was bound that cannot be reached."""
        super().__init__(
            f"the gateway cannot {'be reached' if bound else 'listen'} on 127.0.0.1: {reason}",
            hint="uv is updated through a server on loopback; a security product or a sandbox "
            "may be forbidding it.",
        )
