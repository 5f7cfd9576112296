"""From the command line, the environment and configuration files to `Settings`.

The first origin that has a setting decides it, except for `[policy]`, whose rules are all applied
(see `policy_fields`):

```text
command line > environment > user configuration file > system configuration file > default
```
"""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from uv_self_update.config.exposure import owner_of, warn_if_exposed
from uv_self_update.config.field import InvalidValue, parse_table
from uv_self_update.config.kinds import SOURCE_FIELDS, SourceSettings, check_source, parse_source
from uv_self_update.config.policy_fields import digest_rules, policy
from uv_self_update.config.releases import RELEASES_FIELDS, check_releases
from uv_self_update.config.settings import FIELDS, SECTIONS, VARIABLES, Network, Options, Settings
from uv_self_update.errors import InvalidConfiguration, InvalidSource, Problem, SharedFile
from uv_self_update.files import strerror
from uv_self_update.messages import invalid, shown, suggestion
from uv_self_update.redaction import Secret
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from uv_self_update.config.field import Field, Layer, Problems


_log = logging.getLogger(__name__)

_APP = "uv-self-update"
_FILE = "config.toml"
_SYSTEM_DIRECTORY = Path("/etc/xdg")
"""What XDG_CONFIG_DIRS defaults to."""

VARIABLE = "UV_SELF_UPDATE_CONFIG"
"""The environment variable that replaces the user configuration file."""

_MISSING = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}
"""Error numbers of a path without a file."""

_PREFIX = "UV_SELF_UPDATE_"
_SOURCE = "UV_SELF_UPDATE_SOURCE"
_UV = "UV_SELF_UPDATE_UV"
_PASSPHRASE = "UV_SELF_UPDATE_CLIENT_KEY_PASSPHRASE"  # noqa: S105 # a name
_INSECURE = "UV_INSECURE_HOST"
_LATEST, _DOWNLOAD = "LATEST_RELEASE_URL", "RELEASES_DOWNLOAD_URL"


@frozen
class FileValues:
    """The settings of one file."""

    path: Path
    values: Mapping[str, Any]
    """Dotted key, or name of an array of tables -> parsed value; only keys that the file has."""

    @property
    def places(self) -> tuple[SourceSettings, ...]:
        """Every place that the file configures: each has a URL, and perhaps credentials."""
        releases = self.values.get("releases", ())
        return (*self.values.get("source", ()), *(table.source for table in releases))


@frozen
class Array:
    """An array of tables, such as `[[source]]`."""

    attribute: str
    """Where `Settings` keeps it."""

    parse: Callable[[Mapping[str, object]], tuple[Any, Problems]]
    """From a table to its value, and the problems of its keys."""

    fields: Mapping[str, Field]
    """The fields that its tables may have, except `kind`."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that its tables may have."""
        return ("kind", *self.fields)


ARRAYS: Mapping[str, Array] = MappingProxyType(
    {
        "source": Array(attribute="sources", parse=check_source, fields=SOURCE_FIELDS),
        "releases": Array(attribute="releases", parse=check_releases, fields=RELEASES_FIELDS),
    }
)
"""Every array of tables, by its name in a file."""


def user_file(environ: Mapping[str, str]) -> Path | None:
    """Return the user configuration file: the one that the environment names, or the platform's.

    None without a home directory: HOME is not set, and the user database has no entry for the
    user, as in a container with an arbitrary user ID.
    """
    if named := environ.get(VARIABLE):
        return Path(named)
    from platformdirs import user_config_dir  # noqa: PLC0415 # slow, and a named file needs none

    try:
        directories = _absolute(user_config_dir(_APP, appauthor=False))
    except RuntimeError:
        return None
    return directories[0] / _FILE if directories else None


def site_file() -> Path:
    """Return the system configuration file, which an administrator writes for all users.

    With several directories for such files, as in XDG_CONFIG_DIRS, the first that has one is
    used. On Windows the administrator has to prevent other users from creating it:
    docs/policy.md.
    """
    from platformdirs import site_config_dir  # noqa: PLC0415 # as in user_file

    directories = _absolute(site_config_dir(_APP, appauthor=False, multipath=True))
    files = [directory / _FILE for directory in directories] or [_SYSTEM_DIRECTORY / _APP / _FILE]
    return next((file for file in files if os.path.lexists(file)), files[0])


def _absolute(directories: str) -> list[Path]:
    """Return the absolute paths of a list, as the XDG specification requires.

    A relative path would depend on the current directory, and a project must not decide where uv
    comes from. https://specifications.freedesktop.org/basedir-spec/latest/
    """
    return [path for path in map(Path, directories.split(os.pathsep)) if path.is_absolute()]


def load(path: Path) -> FileValues:
    """Read and parse one file.

    Raises:
        InvalidConfiguration: With every problem of the file.
    """
    return check(parse(path, read(path)), path)


def resolve(
    *, options: Options, environ: Mapping[str, str], user_file: Path | None, site_file: Path
) -> Settings:
    """Return the settings of a run.

    Args:
        options: The command line; its file replaces the user configuration file.
        environ: The environment; a file that it names replaces the user configuration file too.
        user_file: The user configuration file, which need not exist; None without a home directory.
        site_file: The system configuration file, which need not exist.

    Raises:
        InvalidSource: A source on the command line cannot be parsed.
        InvalidConfiguration: With every problem of the files and the environment.
    """
    command_line = [parse_source(spec) for spec in options.sources]
    variables = {name: value for name, value in environ.items() if value}
    named = options.config or variables.get(VARIABLE)
    problems: list[Problem] = []
    site = _file_layer(site_file, problems, shared=True)
    file = Path(named) if named else user_file
    user: Layer = {
        **(_file_layer(file, problems, must_exist=named is not None) if file else {}),
        **_variable_layer(variables, problems),
    }
    merged: Layer = {**site, **user}
    if command_line:
        merged["source"] = tuple(command_line), "command line"
    if options.installer is not None:
        merged["install.installer"] = options.installer, "command line"
    if options.adopt:
        merged["install.adopt"] = True, "command line"
    if "source" not in merged:
        merged |= _script_layer(variables, problems)
    if "network.client-key" in merged and "network.client-cert" not in merged:
        reason = "a client key requires `network.client-cert`"
        origin = merged["network.client-key"][1]
        problems.append(Problem(origin=origin, key="network.client-key", reason=reason))
    if problems:
        raise InvalidConfiguration(problems, shared=shared_file(site_file))
    arrays = {array.attribute: merged[name][0] for name, array in ARRAYS.items() if name in merged}
    settings = Settings(
        **arrays,
        **_section(merged, "install"),
        network=Network(
            **_section(merged, "network"),
            passphrase=Secret(variables[_PASSPHRASE]) if _PASSPHRASE in variables else None,
            system_certs=options.system_certs,
            insecure_hosts=(*options.insecure_hosts, *variables.get(_INSECURE, "").split()),
        ),
        token=options.token,
        policy=policy([site, user]),
        digests=digest_rules([site, user]),
        origins={key: origin for key, (_, origin) in merged.items()},
    )
    _warn_of_unknown(variables, settings.places)
    return settings


def shared_file(path: Path) -> SharedFile:
    """Return who can change the system configuration file."""
    return SharedFile(path=str(path), owner=owner_of(path), writable=os.access(path, os.W_OK))


def _warn_of_unknown(variables: Mapping[str, str], sources: Iterable[SourceSettings]) -> None:
    """Warn of variables with our prefix that nothing reads: they may be misspelt."""
    ours = [name for name in variables if name.startswith(_PREFIX)]
    known = {_SOURCE, _UV, VARIABLE, _PASSPHRASE, *VARIABLES}
    for source in sources:
        known |= {source.token_env or "", source.password_env or ""}
        known |= {variable for _, variable in source.header_env}
    words = sorted(name.removeprefix(_PREFIX) for name in known if name.startswith(_PREFIX))
    for name in sorted({*ours} - known):
        near = suggestion(name.removeprefix(_PREFIX), words, prefix=_PREFIX)
        _log.warning("Ignoring unknown environment variable `%s`%s", shown(name), near)


def _section(layer: Layer, name: str) -> dict[str, Any]:
    """Return the values of one table, by their attributes."""
    fields = (field for key, field in FIELDS.items() if key.startswith(f"{name}."))
    return {field.attribute: layer[field.name][0] for field in fields if field.name in layer}


def _file_layer(
    path: Path, problems: list[Problem], *, must_exist: bool = False, shared: bool = False
) -> Layer:
    try:
        loaded = load(path)
    except InvalidConfiguration as invalid:
        if must_exist or not is_missing(invalid):
            problems += invalid.problems
        return {}
    warn_if_exposed(path, loaded.places, shared=shared)
    return {key: (value, str(path)) for key, value in loaded.values.items()}


def _variable_layer(environ: Mapping[str, str], problems: list[Problem]) -> Layer:
    layer: Layer = {}
    sources = []
    for spec in environ.get(_SOURCE, "").split():
        try:
            sources.append(parse_source(spec))
        except InvalidSource as invalid:
            problems.append(Problem(origin=_SOURCE, key="", reason=str(invalid)))
        # Even with an invalid entry, the list replaces that of other layers.
        layer["source"] = tuple(sources), _SOURCE
    for variable, field in VARIABLES.items():
        if variable in environ:
            try:
                value = field.type.parse(field.type.from_text(environ[variable]), Path.cwd())
            except InvalidValue as error:
                problems.append(Problem(origin=variable, key="", reason=str(error)))
            else:
                layer[field.name] = value, variable
    return layer


def _script_layer(environ: Mapping[str, str], problems: list[Problem]) -> Layer:
    """Return the source of `LATEST_RELEASE_URL` and `RELEASES_DOWNLOAD_URL`.

    They are the variables of the script that this package grew from.
    """
    table = {"kind": "urls"}
    if download := environ.get(_DOWNLOAD):
        # The script had no placeholders, and appended tag and file to the URL.
        added = "" if "{" in download else "/{tag}/{asset}"
        table["download"] = download.rstrip("/") + added if added else download
    if latest := environ.get(_LATEST):
        table["latest"] = latest
    if len(table) == 1:
        return {}
    names = {"download": _DOWNLOAD, "latest": _LATEST}
    if not download:
        reason = f"{_DOWNLOAD} is required with it, and is not set"
        problems.append(Problem(origin=_LATEST, key="", reason=reason))
    source, found = check_source(table)
    problems += [
        Problem(origin=names[key], key="", reason=reason) for key, reason in found if key in table
    ]
    origin = " and ".join(names[key] for key in table if key in names)
    return {"source": ((source,), origin)}


def read(path: Path) -> str:
    """Return the text of a file.

    Raises:
        InvalidConfiguration: It cannot be read, or is not UTF-8; see `is_missing`.
    """
    try:
        # PowerShell and Notepad begin a file with a byte order mark.
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        reason = f"failed to read the file: {strerror(error)}"
        barred = isinstance(error, PermissionError)
        problem = Problem(origin=str(path), key="", reason=reason, barred=barred)
        raise InvalidConfiguration([problem]) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _unusable(path, f"invalid UTF-8 in line {line}") from error


def parse(path: Path, text: str) -> dict[str, Any]:
    """Return the document in the text of a file.

    Raises:
        InvalidConfiguration: It is not TOML; with line and column.
    """
    import tomllib  # noqa: PLC0415 # most users have no file, and need no parser

    try:
        return tomllib.loads(text)
    # Numbers of thousands of digits, and thousands of brackets, have errors of their own.
    except (ValueError, RecursionError) as error:
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
        end = f"at line {line}, column {column}, the end of the file"
        reason = str(error).replace("at end of document", end)
        raise _unusable(path, f"invalid TOML: {reason}") from error


def is_missing(invalid: InvalidConfiguration) -> bool:
    """Return whether the only problem is that the file does not exist."""
    return isinstance(invalid.__cause__, OSError) and invalid.__cause__.errno in _MISSING


def _unusable(path: Path, reason: str) -> InvalidConfiguration:
    return InvalidConfiguration([Problem(origin=str(path), key="", reason=reason)])


def check(document: Mapping[str, Any], path: Path) -> FileValues:
    """Parse every value of a document.

    Raises:
        InvalidConfiguration: With every problem of the document.
    """
    problems: Problems = []
    values: dict[str, Any] = {}
    for name, content in document.items():
        if name in ARRAYS:
            values[name] = _parse_array(name, content, problems)
        elif name not in SECTIONS:
            # Either misspelt, or a key without its table.
            keys = [key for key in every_key() if key.endswith(f".{name}")]
            near = suggestion(keys[0] if keys else name, (*ARRAYS, *SECTIONS, *keys))
            problems.append((shown(name), f"unknown key{near}"))
        elif not isinstance(content, dict):
            problems.append((name, f"{invalid(content)}: expected a table `[{name}]`"))
        else:
            parsed, found = parse_table(
                {f"{name}.{key}": value for key, value in content.items()},
                FIELDS,
                directory=path.absolute().parent,
                unknown=lambda key: f"unknown key{suggestion(key, FIELDS)}",
            )
            values |= parsed
            problems += found
    if problems:
        raise InvalidConfiguration(
            [Problem(origin=str(path), key=key, reason=reason) for key, reason in problems]
        )
    return FileValues(path=path, values=values)


def _parse_array(name: str, tables: object, problems: Problems) -> tuple[Any, ...]:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        expected = f"expected an array of tables, each of which begins with `[[{name}]]`"
        problems.append((name, f"invalid type: {expected}"))
        return ()
    if not tables:
        problems.append((name, "empty array: remove the key to use the default"))
    values = []
    for index, table in enumerate(tables):
        value, found = ARRAYS[name].parse(table)
        values.append(value)
        problems += [(f"{name}[{index}].{key}", reason) for key, reason in found]
    return tuple(values)


def every_key() -> tuple[str, ...]:
    """Return every dotted key; those of an array of tables without a number."""
    arrays = (f"{name}.{key}" for name, array in ARRAYS.items() for key in array.keys)
    return (*FIELDS, *arrays)
