"""Errors for a uv that found no version of itself in its indexes: pure.

The input is uv's output, its log (parsed by `trace`) and its configuration (read by `settings`).
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from uv_self_update.errors import HiddenByCutoff, IndexFailed, IndexRefused, NotListed
from uv_self_update.redaction import is_like_a_token
from uv_self_update.sources.index.trace import Inquiry
from uv_self_update.sources.index.uv_pip import end_of
from uv_self_update.values import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.sources.index.pip_settings import PipIndex
    from uv_self_update.sources.index.settings import IndexSettings, NamedIndex
    from uv_self_update.sources.index.trace import Place


_REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
_HINT = re.compile(r"An index(?: URL)? \((\S+?)\).*?\b(401|403)\b")
_UNKNOWN = "was not found in the package registry"
_AWS = ".codeartifact."
_CHECK = (
    "Check that the URL of the index is the root of its simple API, without `uv/`: it ends in "
    "`/simple/` for Nexus, in `/api/pypi/NAME/simple/` for Artifactory."
)
_EXPIRED = (
    "A token of AWS CodeArtifact expires after at most 12 hours, and the server may answer 404 "
    "then: run `aws codeartifact get-authorization-token` for a new one."
)
_PLACES: dict[Place | None, str] = {
    "keyring": "the keyring",
    "store": "uv's credential store (`uv auth login`)",
}

_ADVICE = {
    "Unsupported `Content-Type`": "Check the URL: a package index sends text/html or "
    "application/vnd.pypi.simple.v1+json.",
    "Unsupported hash algorithm": "Ask the administrator of the index for sha256 digests: uv "
    "refuses a page with digests in an unknown algorithm.",
    "invalid peer certificate": "Set `network.ca-bundle` to the certificates of your company's "
    "authority.",
    "roxy authorization required": "Add `user:password@` to the URL in HTTPS_PROXY.",
}
"""Words in uv's output -> hint."""


def is_refusal(errors: str) -> bool:
    """Return whether uv failed because an index answered 401, 403 or 404."""
    text = " ".join(errors.split())
    return _HINT.search(text) is not None or _UNKNOWN in text


def failure(
    errors: str,
    asked: Sequence[Inquiry],
    settings: IndexSettings,
    *,
    source: str,
    command: str,
) -> IndexFailed:
    """Return the error for a uv that failed.

    Args:
        errors: The stderr of uv, without credentials.
        asked: The requests in uv's log.
        settings: The index settings.
        source: The name of the source.
        command: The command, such as `uv pip compile`.
    """
    refused = _refused(errors, asked)
    if refused is not None:
        return _refusal(refused, settings)
    hint = next((hint for words, hint in _ADVICE.items() if words in errors), None)
    if settings.pip is not None and not settings.indexes:
        hint = _pip(settings.pip, settings.file).strip()
    return IndexFailed(source, command, end_of(errors), hint=hint)


def _refused(errors: str, asked: Sequence[Inquiry]) -> Inquiry | None:
    """Return the request that made uv fail, if it was refused."""
    if not is_refusal(errors):
        return None
    hint = _HINT.search(" ".join(errors.split()))
    root, status = (hint[1].rstrip("/"), int(hint[2])) if hint else ("", HTTPStatus.NOT_FOUND)
    pages = [inquiry for inquiry in asked if not root or inquiry.url.startswith(f"{root}/")]
    # If no index has the page, the first one is most likely the index with uv.
    chosen = pages[0] if pages else Inquiry(url=f"{root}/uv/" if root else "")
    return replace(chosen, status=status)


def _refusal(refused: Inquiry, settings: IndexSettings) -> IndexRefused:
    index = settings.index_at(refused.url) if refused.url else None
    place, user = _place(refused, index, settings)
    shown = None if user is None or is_like_a_token(user) else user
    status = refused.status or 0
    return IndexRefused(
        refused.url or "the package index",
        status,
        user=shown,
        place=place,
        named_by="" if index is None else index.origin,
        hint=_remedy(refused, index, place, settings),
    )


def _place(
    refused: Inquiry, index: NamedIndex | None, settings: IndexSettings
) -> tuple[str | None, str | None]:
    """Return the place and the user of the credentials that an index got; None without any."""
    if refused.credentials is None:
        return None, None
    if refused.credentials == "netrc":
        return settings.environ.get("NETRC") or "~/.netrc", refused.user
    if refused.credentials != "configured":
        known = refused.user if index is None else index.user or refused.user
        return _PLACES[refused.credentials], known
    if index is None:
        return "the configuration of uv", refused.user
    variables = [name for name in index.variables or () if settings.environ.get(name)]
    if variables:
        user = settings.environ.get((index.variables or ("",))[0])
        return " and ".join(variables), user or refused.user
    return f"the URL in {index.origin}", refused.user or index.user


def _remedy(
    refused: Inquiry, index: NamedIndex | None, place: str | None, settings: IndexSettings
) -> str:
    """Return the hint: the commands and variables that set credentials."""
    options = [f"`uv auth login {refused.url.removesuffix('uv/')}` (uv 0.8.15 and later)"]
    if index is not None and index.variables is not None:
        user, password = index.variables
        if password not in (place or ""):
            options.append(f"the variables {user} and {password}")
    credentials = f"{', '.join(options)} or an entry in ~/.netrc"
    hints = [f"Renew the credentials in {place}, or use others: {credentials}."]
    if place is None:
        hints = [f"Give uv credentials: {credentials}."]
    if refused.status == HTTPStatus.NOT_FOUND:
        hints = [_CHECK, f"Some servers answer 404 without permission to read. {hints[0]}"]
    if place and (refused.status == HTTPStatus.NOT_FOUND or _AWS in refused.url):
        hints.append(_EXPIRED)
    if settings.pip is not None and not settings.indexes:
        hints.insert(0, _pip(settings.pip, settings.file))
    return " ".join(hints)


def _pip(pip: PipIndex, file: str) -> str:
    return (
        f"uv does not read pip's configuration, where {pip} sets an index. Run `{pip.command}`, or "
        f'add the index to {file}:\n    [[index]]\n    url = "URL"\n    default = true\n'
    )


def nothing_listed(
    asked: Sequence[Inquiry], settings: IndexSettings, *, source: str, wanted: str
) -> NotListed | None:
    """Return the error for an index that answered without any wheel of uv; None if unknown.

    Args:
        asked: The requests in uv's log.
        settings: The index settings.
        source: The name of the source.
        wanted: The noun for the wanted release, after `has no`.
    """
    answered = [inquiry for inquiry in asked if inquiry.status not in _REFUSED]
    if not answered:
        return None
    last = answered[-1]
    index = settings.index_at(last.url)
    pages = [inquiry.url for inquiry in asked]
    others = any(not any(other.asked_at(page) for page in pages) for other in settings.indexes)
    builtin = not any(other.default for other in settings.indexes)
    return NotListed(
        source,
        wanted,
        url=last.url,
        named_by="the default of uv" if index is None else index.origin,
        others=others or (builtin and index is not None and len(answered) == 1),
    )


def hidden_by_cutoff(
    newest: str | None,
    undated: Sequence[str],
    asked: Sequence[Inquiry],
    settings: IndexSettings,
    *,
    source: str,
    wanted: str,
) -> HiddenByCutoff | None:
    """Return the error for versions that `exclude-newer` hides; None if it hides none.

    Args:
        newest: The newest hidden version with an upload time.
        undated: The hidden versions without an upload time.
        asked: The requests in uv's log.
        settings: The index settings.
        source: The name of the source.
        wanted: The noun for the wanted release, after `has no`.
    """
    cutoff = settings.cutoff
    if cutoff is None or not (newest or undated):
        return None
    reason = (
        f"the index has no upload time for uv {undated[0]}"
        if undated
        else f"uv {newest} was uploaded later"
    )
    file = settings.file if cutoff.origin.startswith("UV_") else cutoff.origin
    index = settings.index_at(asked[-1].url) if asked else None
    index_file = index.origin if index is not None and index.table else None
    return HiddenByCutoff(source, wanted, str(cutoff), reason, file=file, index_file=index_file)
