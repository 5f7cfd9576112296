"""Configuration files: from TOML to checked values.

```text
command line > environment > user file > site file > default
```

But for `[policy]`: what the site file says there holds whatever the others say, see `policy_keys`.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uv_self_update.config.exposure import warn_if_exposed
from uv_self_update.config.key import UnfitError
from uv_self_update.config.kinds import SOURCE_FIELDS, SourceSettings, check_source, parse_source
from uv_self_update.config.policy_keys import digest_rules, policy
from uv_self_update.config.settings import KEYS, Network, Options, Settings
from uv_self_update.errors import InvalidConfiguration, InvalidSource, Problem
from uv_self_update.messages import shown, suggestion, type_name
from uv_self_update.redaction import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from uv_self_update.config.key import Layer
    from uv_self_update.config.releases import ReleasesSettings


_log = logging.getLogger(__name__)

_APP = "uv-self-update"
VARIABLE = "UV_SELF_UPDATE_CONFIG"
"""The environment variable that names a file in place of the user's."""

_PREFIX = "UV_SELF_UPDATE_"
_SOURCE = "UV_SELF_UPDATE_SOURCE"
_UV = "UV_SELF_UPDATE_UV"
_PASSPHRASE = "UV_SELF_UPDATE_CLIENT_KEY_PASSPHRASE"  # noqa: S105 # a name
_INSECURE = "UV_INSECURE_HOST"
_LATEST, _DOWNLOAD = "LATEST_RELEASE_URL", "RELEASES_DOWNLOAD_URL"


@dataclass(frozen=True, kw_only=True)
class FileValues:
    """What one file has decided."""

    path: Path
    values: Mapping[str, Any]
    """Dotted key -> checked value, as `Settings` keeps it; only what the file has."""


def user_file(environ: Mapping[str, str]) -> Path:
    """Return the user's file: the one that the environment names, or the platform's."""
    if named := environ.get(VARIABLE):
        return Path(named)
    from platformdirs import user_config_path  # noqa: PLC0415 # slow, and a named file needs none

    return user_config_path(_APP, appauthor=False) / "config.toml"


def site_file() -> Path:
    """Return the file that an administrator writes for every user of the machine.

    Where there are several folders for such files, as in XDG_CONFIG_DIRS, the first that has one
    counts. On Windows it is up to the administrator that nobody else makes it: docs/policy.md.
    """
    from platformdirs import site_config_dir  # noqa: PLC0415 # as in user_file

    folders = site_config_dir(_APP, appauthor=False, multipath=True).split(os.pathsep)
    files = [Path(folder) / "config.toml" for folder in folders]
    return next((file for file in files if os.path.lexists(file)), files[0])


def load(path: Path) -> FileValues:
    """Read and check one file.

    Raises:
        InvalidConfiguration: With every problem of the file.
    """
    return check(parse(path, read(path)), path)


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
    named = options.config or variables.get(VARIABLE)
    problems: list[Problem] = []
    site = _file_layer(site_file, problems, shared=True)
    person: Layer = {
        **_file_layer(Path(named or user_file), problems, must_exist=named is not None),
        **_variable_layer(variables, problems),
    }
    merged: Layer = {**site, **person}
    if command_line:
        merged["source"] = tuple(command_line), "command line"
    if options.installer is not None:
        merged["install.installer"] = options.installer, "command line"
    if options.adopt:
        merged["install.adopt"] = True, "command line"
    if "source" not in merged:
        merged |= _script_layer(variables, problems)
    if "network.client-key" in merged and "network.client-cert" not in merged:
        reason = "it is of no use without `network.client-cert`"
        origin = merged["network.client-key"][1]
        problems.append(Problem(origin=origin, key="network.client-key", reason=reason))
    if problems:
        raise InvalidConfiguration(problems)
    settings = Settings(
        network=Network(
            passphrase=Secret(variables[_PASSPHRASE]) if _PASSPHRASE in variables else None,
            system_certs=options.system_certs,
            insecure_hosts=(*options.insecure_hosts, *variables.get(_INSECURE, "").split()),
        ),
        token=options.token,
        policy=policy([site, person]),
        digests=digest_rules([site, person]),
        origins={key: origin for key, (_, origin) in merged.items()},
    )
    for key, (value, _) in merged.items():
        attribute = {"source": "sources", "releases": "releases"}.get(key)
        attribute = KEYS[key].attribute if attribute is None else attribute
        settings = _with(settings, attribute, value) if attribute else settings
    _warn_of_unknown(variables, settings.sources)
    return settings


def _warn_of_unknown(variables: Mapping[str, str], sources: Iterable[SourceSettings]) -> None:
    """Say which variables look like ours, and are read by nothing: they may be misspelt."""
    ours = [name for name in variables if name.startswith(_PREFIX)]
    known = {_SOURCE, _UV, VARIABLE, _PASSPHRASE, *(known.variable for known in KEYS.values())}
    for source in sources:
        known |= {source.token_env or "", source.password_env or ""}
        known |= {variable for _, variable in source.header_env}
    words = sorted(name.removeprefix(_PREFIX) for name in known if name.startswith(_PREFIX))
    for name in sorted({*ours} - known):
        near = suggestion(name.removeprefix(_PREFIX), words, prefix=_PREFIX)
        _log.warning("%s is no variable of uv-self-update, and is ignored%s", shown(name), near)


def _with(target: Any, attribute: str, value: Any) -> Any:  # noqa: ANN401 # any dataclass of the tree
    name, _, rest = attribute.partition(".")
    return replace(target, **{name: _with(getattr(target, name), rest, value) if rest else value})


def _file_layer(
    path: Path, problems: list[Problem], *, must_exist: bool = False, shared: bool = False
) -> Layer:
    try:
        loaded = load(path)
    except InvalidConfiguration as invalid:
        if must_exist or not is_missing(invalid):
            problems += invalid.problems
        return {}
    warn_if_exposed(path, loaded.values.get("source", ()), shared=shared)
    return {key: (value, str(path)) for key, value in loaded.values.items()}


def _variable_layer(environ: Mapping[str, str], problems: list[Problem]) -> Layer:
    layer: Layer = {}
    sources = []
    for spec in environ.get(_SOURCE, "").split():
        try:
            sources.append(parse_source(spec))
        except InvalidSource as invalid:
            problems.append(Problem(origin=_SOURCE, key="", reason=str(invalid)))
        # A list with a bad entry is a list all the same: no other layer is asked in its place.
        layer["source"] = tuple(sources), _SOURCE
    for key, known in KEYS.items():
        if known.variable and known.variable in environ:
            value = known.parse(environ[known.variable])
            try:
                layer[key] = known.check(value, Path.cwd()), known.variable
            except UnfitError as unfit:
                problems.append(Problem(origin=known.variable, key="", reason=str(unfit)))
    return layer


def _script_layer(environ: Mapping[str, str], problems: list[Problem]) -> Layer:
    """Read the two variables of `LATEST_RELEASE_URL` and `RELEASES_DOWNLOAD_URL`."""
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
        reason = f"{_DOWNLOAD} is not set, and this is of no use without it"
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
        # PowerShell and Notepad like to begin a file with a byte order mark.
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise _unusable(path, f"it cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _unusable(path, f"it is not UTF-8 text, see line {line}") from error


def parse(path: Path, text: str) -> dict[str, Any]:
    """Return the document that a file's text is.

    Raises:
        InvalidConfiguration: It is not TOML; with line and column.
    """
    import tomllib  # noqa: PLC0415 # most users have no file, and need no parser

    try:
        return tomllib.loads(text)
    # Numbers of thousands of digits and endless brackets have errors of their own.
    except (ValueError, RecursionError) as error:
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
        end = f"at line {line}, column {column}, the end of the file"
        reason = str(error).replace("at end of document", end)
        raise _unusable(path, f"it is not TOML: {reason}") from error


def is_missing(invalid: InvalidConfiguration) -> bool:
    """Return whether all that is wrong with a file is that it does not exist."""
    return isinstance(invalid.__cause__, FileNotFoundError | NotADirectoryError)


def _unusable(path: Path, reason: str) -> InvalidConfiguration:
    return InvalidConfiguration([Problem(origin=str(path), key="", reason=reason)])


def check(document: Mapping[str, Any], path: Path) -> FileValues:
    """Check everything in a document.

    Raises:
        InvalidConfiguration: With every problem of the document.
    """
    problems: list[tuple[str, str]] = []
    values: dict[str, Any] = {}
    sections = dict.fromkeys(key.partition(".")[0] for key in KEYS)
    for section, table in document.items():
        if section == "releases":
            values["releases"] = _check_releases(table, problems)
        elif section == "source":
            values["source"] = _check_sources(table, problems)
        elif section not in sections:
            # Either misspelt, or written without its table.
            strays = [key for key in every_key() if key.endswith(f".{section}")]
            near = suggestion(
                strays[0] if strays else section, ("source", "releases", *sections, *strays)
            )
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


def _check_releases(
    tables: object, problems: list[tuple[str, str]]
) -> tuple[ReleasesSettings, ...]:
    from uv_self_update.config.releases import check_releases  # noqa: PLC0415 # only `exec` needs it

    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        problems.append(("releases", "expected a list of tables: each begins with `[[releases]]`"))
        return ()
    found = []
    for index, table in enumerate(tables):
        settings, wrong = check_releases(table)
        found.append(settings)
        problems += [(f"releases[{index}].{shown(key)}", reason) for key, reason in wrong]
    return tuple(found)


def every_key() -> tuple[str, ...]:
    """Return every dotted key that there is; those of a source without its number."""
    return (*KEYS, "source.kind", *(f"source.{name}" for name in SOURCE_FIELDS))
