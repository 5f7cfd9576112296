"""Which of the user's settings count when uv is run for an index or for credentials.

One rule for uv.toml and for the environment: settings about the location of an index, the way to
reach it, its credentials, and the latest publication date count. All others are about the user's
own packages, and are left out, so that they can neither break nor alter our calls, nor write files.
It is an allow-list: a setting of a later uv is left out until a decision is made.
docs/uv-settings.md lists every setting with its decision.

uv cannot be told to ignore a part of its configuration, so it gets a copy. That leaves out
`required-version` as well: a uv that the user's configuration refuses can be run.
"""

from __future__ import annotations

import os.path
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from uv_self_update.uv import configuration as uv_toml
from uv_self_update.uv.configuration import TRUE, UnusableFile
from uv_self_update.uv.environment import user_environment
from uv_self_update.values import field, frozen, replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


KEYS_OF_PIP = frozenset(
    {
        "exclude-newer",
        "exclude-newer-package",
        "extra-index-url",
        "find-links",
        "index-strategy",
        "index-url",
        "keyring-provider",
        "no-index",
    }
)
"""The keys of uv.toml that count, in `[pip]` and outside."""

KEYS = KEYS_OF_PIP | {
    "allow-insecure-host",
    "cache-dir",
    "http-proxy",
    "https-proxy",
    "index",
    "native-tls",
    "no-cache",
    "no-proxy",
    "offline",
    "system-certs",
}
"""The keys of uv.toml that count, outside of `[pip]`."""

FIELDS_OF_INDEX = frozenset(
    {
        "authenticate",
        "cache-control",
        "default",
        "exclude-newer",
        "exclude-newer-package",
        "explicit",
        "format",
        "ignore-error-codes",
        "name",
        "url",
    }
)
"""The keys of an `[[index]]` that count."""

VARIABLES = frozenset(
    {
        "UV_API_KEY",
        "UV_AUTH_TOKEN",
        "UV_AZURE_ENDPOINT_URL",
        "UV_CACHE_DIR",
        "UV_CREDENTIALS_DIR",
        "UV_DEFAULT_INDEX",
        "UV_EXCLUDE_NEWER",
        "UV_EXTRA_INDEX_URL",
        "UV_FIND_LINKS",
        "UV_GCS_ENDPOINT_URL",
        "UV_HTTP_CONNECT_TIMEOUT",
        "UV_HTTP_RETRIES",
        "UV_HTTP_TIMEOUT",
        "UV_INDEX",
        "UV_INDEX_STRATEGY",
        "UV_INDEX_URL",
        "UV_INSECURE_HOST",
        "UV_KEYRING_PROVIDER",
        "UV_NATIVE_TLS",
        "UV_NO_CACHE",
        "UV_REQUEST_TIMEOUT",
        "UV_S3_ENDPOINT_URL",
        "UV_SYSTEM_CERTS",
    }
)
"""The variables of uv that are passed on, besides `UV_INDEX_NAME_USERNAME` and `…_PASSWORD`.

Some others count, but are read here and in `configuration`.
"""

FEATURES = frozenset(
    {
        "azure-endpoint",
        "gcs-endpoint",
        "http2-keep-alive",
        "index-exclude-newer",
        "native-auth",
        "s3-endpoint",
    }
)
"""The preview features that count; `preview` enables all of them."""

_CREDENTIALS = re.compile(r"UV_INDEX_\w+_(?:USERNAME|PASSWORD)")
_OUTPUT = frozenset({"CLICOLOR_FORCE", "FORCE_COLOR", "RUST_LOG"})
"""They would change the messages that are parsed here."""

_NAMED = re.compile(r"([\w.-]+=)?(.*)", re.DOTALL)
_SEPARATORS = {
    "UV_CACHE_DIR": None,
    "UV_CREDENTIALS_DIR": None,
    "UV_DEFAULT_INDEX": None,
    "UV_EXTRA_INDEX_URL": " ",
    "UV_FIND_LINKS": ",",
    "UV_INDEX": " ",
    "UV_INDEX_URL": None,
}
"""The variables that may contain relative paths -> their separator."""

_MADE = frozenset({"UV_CACHE_DIR", "UV_CREDENTIALS_DIR"})
"""The directories that uv makes if they do not exist."""

_OTHER_VARIABLES = frozenset({"UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_INDEX_URL"})
_OTHER_KEYS = frozenset({"extra-index-url", "find-links", "index-url", "no-index"})
"""The keys of other indexes, which do not count if a URL is configured here."""

_CACHE_KEYS = frozenset({"cache-dir", "no-cache"})

_AS_VARIABLES = {
    "http-proxy": ("HTTP_PROXY", "http_proxy"),
    "https-proxy": ("HTTPS_PROXY", "https_proxy"),
    "no-proxy": ("NO_PROXY", "no_proxy"),
    "system-certs": ("UV_NATIVE_TLS",),
}
"""The keys that an older uv refuses -> the equivalent variables."""

_UNKNOWN = re.compile(r"unknown field `([\w-]+)`")


def counts(variable: str) -> bool:
    """Return whether an environment variable is passed on to uv."""
    if variable in VARIABLES or _CREDENTIALS.fullmatch(variable):
        return True
    return not variable.startswith("UV_") and variable not in _OUTPUT


@frozen
class UvSettings:
    """The user's settings that uv gets."""

    environ: Mapping[str, str] = field(repr=False)
    """The environment, without uv's configuration files."""

    table: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The settings of all files, as one uv.toml; perhaps with credentials."""

    files: tuple[Path, ...] = ()
    """The files that it was read from."""

    @classmethod
    def read(
        cls,
        environ: Mapping[str, str],
        *,
        windows: bool,
        url: str | None = None,
        flat: bool = False,
    ) -> Self:
        """Read the user's settings.

        Args:
            environ: The user's environment, which names the directories.
            windows: Whether to look as on Windows.
            url: An index that comes before all of the user's. It is handed over in the environment
                rather than as an argument, where other users of the machine could read it.
            flat: Whether that is a directory or a page of wheels, as for `--find-links`.

        Raises:
            UnusableFile: A file cannot be read, or is not TOML.
        """
        table: Mapping[str, Any] = {}
        files = tuple(uv_toml.files(environ, windows=windows))
        for path in files:
            table = combined(table, _what_counts(_load(path), path.absolute().parent))
        result = {name: _absolute(name, value) for name, value in environ.items() if counts(name)}
        result = user_environment(result)
        # Python is named by its path: none is ever fetched.
        result |= {"UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never"}
        if features := _features(environ, table):
            result["UV_PREVIEW_FEATURES"] = ",".join(sorted(features))
        made = {key: value for key, value in table.items() if not key.startswith("preview")}
        if environ.get("UV_OFFLINE"):
            made["offline"] = environ["UV_OFFLINE"].lower() in TRUE
        if url is not None:
            made = _without_other_indexes(made)
            for name in _OTHER_VARIABLES:
                result.pop(name, None)
        if url is not None and flat:
            result.pop("UV_INDEX", None)
            result.pop("UV_DEFAULT_INDEX", None)
            result["UV_FIND_LINKS"] = url.replace(",", "%2C")  # a comma separates two
        elif url is not None:
            result["UV_INDEX"] = result["UV_DEFAULT_INDEX"] = url
            # Another index of the user's uv.toml is then asked for nothing that this one has.
            result["UV_INDEX_STRATEGY"] = "first-index"
        return cls(environ=result, table=made, files=files)

    @property
    def offline(self) -> bool:
        """Whether uv must not use the network."""
        return self.table.get("offline") is True

    @property
    def features(self) -> bool:
        """Whether preview features are enabled that count."""
        return "UV_PREVIEW_FEATURES" in self.environ

    def with_cache(self, cache: Path) -> Self:
        """Return the same with a cache of our own."""
        environ = {name: value for name, value in self.environ.items() if name != "UV_NO_CACHE"}
        table = {key: value for key, value in self.table.items() if key not in _CACHE_KEYS}
        return replace(self, environ={**environ, "UV_CACHE_DIR": str(cache)}, table=table)

    def for_older(self, said: str) -> Self | None:
        """Return the same for a uv that is too old for a key; None if that is not its error.

        Only after that error: a newer uv prefers the key to the variables.
        """
        unknown = _UNKNOWN.search(said)
        key = unknown[1] if unknown else ""
        if key not in _AS_VARIABLES or key not in self.table:
            return None
        value = self.table[key]
        values = value if isinstance(value, list) else [value]
        text = ",".join(str(one).lower() if isinstance(one, bool) else str(one) for one in values)
        told = dict.fromkeys(_AS_VARIABLES[key], text)
        table = {name: one for name, one in self.table.items() if name != key}
        return replace(self, environ={**self.environ, **told}, table=table)

    @contextmanager
    def handed_over(self, directory: Path | None) -> Iterator[dict[str, str]]:
        """Yield the environment to run uv in.

        The copy of its configuration exists for that long; only this user can read it.

        Args:
            directory: Where to make it: a copy with credentials should not outlive a run that was
                killed. None for where the system puts what is temporary.
        """
        if not self.table:
            yield dict(self.environ)
            return
        import tomli_w  # noqa: PLC0415 # few users have a uv.toml

        from uv_self_update.temporary import (  # noqa: PLC0415 # as above
            private_directory,
            remove_abandoned,
        )

        if directory is None:
            remove_abandoned()
        with private_directory(directory) as made:
            copy = made / "uv.toml"
            copy.touch(mode=0o600)
            copy.write_text(tomli_w.dumps(self.table), encoding="utf-8")
            yield {**self.environ, "UV_CONFIG_FILE": str(copy)}

    def in_own_words(self, said: str, environ: Mapping[str, str]) -> str:
        """Return a message of uv with the user's files in place of the copy."""
        copy = environ.get("UV_CONFIG_FILE")
        if copy is None or copy not in said:
            return said
        said = re.sub(r"(?<=TOML parse error) at line \d+, column \d+", "", said)
        return said.replace(copy, " or ".join(str(path) for path in self.files) or "UV_OFFLINE")


def combined(first: Mapping[str, Any], second: Mapping[str, Any]) -> Mapping[str, Any]:
    """Merge two configurations as uv does: the first wins, arrays are joined."""
    result = {**second, **first}
    for key in first.keys() & second.keys():
        match first[key], second[key]:
            case dict() as mine, dict() as other:
                result[key] = combined(mine, other)
            case list() as mine, list() as other:
                result[key] = [*mine, *other]
    return result


def _load(path: Path) -> Mapping[str, Any]:
    try:
        return uv_toml.load(path)
    except UnusableFile as unusable:
        message = f"{path}: {unusable}"
        raise UnusableFile(message) from None


def _what_counts(table: Mapping[str, Any], directory: Path) -> Mapping[str, Any]:
    """Return the settings of a file that count, with relative paths made absolute."""
    result = _keys(table, KEYS | {"preview", "preview-features"}, directory)
    if isinstance(table.get("pip"), dict) and (pip := _keys(table["pip"], KEYS_OF_PIP, directory)):
        result["pip"] = pip
    if isinstance(table.get("index"), list):
        result["index"] = [_index(entry, directory) for entry in table["index"]]
    # uv resolves it against the current directory, which is another one here.
    if not os.path.isabs(str(result.get("cache-dir", ""))):  # noqa: PTH117 # it may be no path
        result.pop("cache-dir", None)
    return result


def _keys(table: Mapping[str, Any], keys: frozenset[str], directory: Path) -> dict[str, Any]:
    result = {key: value for key, value in table.items() if key in keys}
    for key in ("find-links", "extra-index-url"):
        if isinstance(result.get(key), list):
            result[key] = [_location(one, directory) for one in result[key]]
    if "index-url" in result:
        result["index-url"] = _location(result["index-url"], directory)
    return result


def _index(entry: object, directory: Path) -> object:
    if not isinstance(entry, dict):
        return entry
    result = {key: value for key, value in entry.items() if key in FIELDS_OF_INDEX}
    if "url" in result:
        result["url"] = _location(result["url"], directory)
    return result


def _location(value: object, directory: Path) -> object:
    """Return an index's URL, or the path that it may be, absolute."""
    if not isinstance(value, str) or re.match(r"[\w+.-]{2,}:", value):
        return value
    return str(directory / value)


def _absolute(variable: str, value: str) -> str:
    """Return the value of a variable with the paths that exist made absolute."""
    if variable not in _SEPARATORS or not value:
        return value
    separator = _SEPARATORS[variable]
    parts = value.split(separator) if separator else [value]
    return (separator or "").join(_absolute_part(variable, part) for part in parts)


def _absolute_part(variable: str, part: str) -> str:
    named = _NAMED.fullmatch(part)
    prefix, path = (named[1] or "", named[2]) if named else ("", part)
    if path and (variable in _MADE or os.path.exists(path)):  # noqa: PTH110 # it may be no path
        return prefix + os.path.abspath(path)  # noqa: PTH100 # as above
    return part


def _features(environ: Mapping[str, str], table: Mapping[str, Any]) -> frozenset[str]:
    """Return the enabled preview features that count."""
    named = environ.get("UV_PREVIEW_FEATURES", "")
    flag = environ.get("UV_PREVIEW", "")
    if named or flag:
        chosen = {name.strip() for name in named.split(",")}
        return FEATURES if flag.lower() in TRUE else FEATURES & chosen
    features = table.get("preview-features")
    if table.get("preview") is True or features is True:
        return FEATURES
    return FEATURES & {str(one) for one in features} if isinstance(features, list) else frozenset()


def _without_other_indexes(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration in which no other index precedes, or is merged with, ours.

    Other entries of `[[index]]` stay: one for the same server may tell how to reach that.
    """
    result = {key: value for key, value in table.items() if key not in _OTHER_KEYS}
    if "pip" in result:
        pip = {key: value for key, value in result["pip"].items() if key not in _OTHER_KEYS}
        result["pip"] = pip
    if isinstance(result.get("index"), list):
        result["index"] = [
            entry
            for entry in result["index"]
            # uv searches flat ones together with the first index.
            if not (isinstance(entry, dict) and entry.get("format") == "flat")
        ]
    return result
