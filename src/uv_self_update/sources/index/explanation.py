"""Why uv got no version of itself from its indexes: its words and its configuration made an error.

Pure: what uv said, what its log tells (`uv_trace`) and what is configured (`index_settings`) come
in, and an error goes out.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from uv_self_update.errors import HiddenByCutoff, IndexFailed, IndexRefused, NotListed
from uv_self_update.redaction import is_like_a_token
from uv_self_update.sources.index.trace import Inquiry
from uv_self_update.sources.index.uv_pip import end_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.sources.index.pip_settings import PipIndex
    from uv_self_update.sources.index.settings import IndexSettings, NamedIndex
    from uv_self_update.sources.index.trace import Place


_REFUSED = {401, 403, 404}
_HINTED = re.compile(r"An index(?: URL)? \((\S+?)\).*?\b(401|403)\b")
_UNKNOWN = "was not found in the package registry"
_NOT_FOUND = 404
_AWS = ".codeartifact."
_CHECK = (
    "Check that the URL of the index is the root of its simple API, without `uv/`: Nexus wants "
    "`/simple/` at its end, Artifactory `/api/pypi/NAME/simple/`."
)
_EXPIRED = (
    "A token of AWS CodeArtifact holds for at most 12 hours, and after that the server may answer "
    "404: `aws codeartifact get-authorization-token` prints a new one."
)
_PLACES: dict[Place | None, str] = {
    "keyring": "the keyring",
    "store": "the credential store of uv (`uv auth login`)",
}

_ADVICE = {
    "Unsupported `Content-Type`": "Check the URL: a package index sends text/html or "
    "application/vnd.pypi.simple.v1+json.",
    "Unsupported hash algorithm": "Ask whoever runs the index for sha256 in the links of its page: "
    "uv refuses a page with digests that it does not know.",
    "invalid peer certificate": "Set `network.ca-bundle` to the certificates of your company's "
    "authority.",
    "roxy authorization required": "Put `user:password@` into the URL in HTTPS_PROXY.",
}
"""Words of uv -> what to try."""


def is_refusal(said: str) -> bool:
    """Return whether uv has failed since an index answered 401, 403 or 404."""
    text = " ".join(said.split())
    return _HINTED.search(text) is not None or _UNKNOWN in text


def failure(
    said: str,
    asked: Sequence[Inquiry],
    settings: IndexSettings,
    *,
    source: str,
    command: str,
) -> IndexFailed:
    """Return the error for a uv that has failed.

    Args:
        said: uv's own words, without credentials.
        asked: The indexes that its log names.
        settings: What is configured.
        source: What the source is called.
        command: What was run, such as `uv pip compile`.
    """
    refused = _refused(said, asked)
    if refused is not None:
        return _refusal(refused, settings)
    unread = settings.pip is not None and not settings.indexes
    hint = next((advice for words, advice in _ADVICE.items() if words in said), None)
    if settings.pip is not None and unread:
        hint = _pip(settings.pip, settings.file).strip()
    return IndexFailed(source, command, end_of(said), hint=hint)


def _refused(said: str, asked: Sequence[Inquiry]) -> Inquiry | None:
    """Return the inquiry because of which uv has failed, if it was a refusal."""
    if not is_refusal(said):
        return None
    hinted = _HINTED.search(" ".join(said.split()))
    root, status = (hinted[1].rstrip("/"), int(hinted[2])) if hinted else ("", _NOT_FOUND)
    pages = [inquiry for inquiry in asked if not root or inquiry.url.startswith(f"{root}/")]
    # Where no index has the page, the first is the one that was meant to.
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
    """Return where the credentials come from that an index got, and the user; None for none."""
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
        given = settings.environ.get((index.variables or ("",))[0])
        return " and ".join(variables), given or refused.user
    return f"the URL in {index.origin}", refused.user or index.user


def _remedy(
    refused: Inquiry, index: NamedIndex | None, place: str | None, settings: IndexSettings
) -> str:
    """Say what to type."""
    ways = [f"`uv auth login {refused.url.removesuffix('uv/')}` (uv 0.8.15 and later)"]
    if index is not None and index.variables is not None:
        user, password = index.variables
        if password not in (place or ""):
            ways.append(f"the variables {user} and {password}")
    given = f"{', '.join(ways)} or an entry in ~/.netrc"
    advice = [f"Renew the credentials in {place}, or give others: {given}."]
    if place is None:
        advice = [f"Give uv credentials: {given}."]
    if refused.status == _NOT_FOUND:
        advice = [_CHECK, f"Some servers answer 404 without the right to read. {advice[0]}"]
    if place and (refused.status == _NOT_FOUND or _AWS in refused.url):
        advice.append(_EXPIRED)
    if settings.pip is not None and not settings.indexes:
        advice.insert(0, _pip(settings.pip, settings.file))
    return " ".join(advice)


def _pip(pip: PipIndex, file: str) -> str:
    return (
        f"uv does not read pip's configuration, and {pip} names an index. Run `{pip.command}`, or "
        f'name the index in {file}:\n    [[index]]\n    url = "URL"\n    default = true\n'
    )


def nothing_listed(
    asked: Sequence[Inquiry], settings: IndexSettings, *, source: str, wanted: str
) -> NotListed | None:
    """Return the error for an index that answered, and lists no uv at all; None if unknown.

    Args:
        asked: The indexes that uv's log names.
        settings: What is configured.
        source: What the source is called.
        wanted: What was wanted, after `has no`.
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
        newest: The newest wanted version with an upload time that it hides.
        undated: The versions that have none.
        asked: The indexes that uv's log names.
        settings: What is configured.
        source: What the source is called.
        wanted: What was wanted, after `has no`.
    """
    cutoff = settings.cutoff
    if cutoff is None or not (newest or undated):
        return None
    reason = (
        f"the index gives no upload time for uv {undated[0]}"
        if undated
        else f"uv {newest} was uploaded later"
    )
    file = settings.file if cutoff.origin.startswith("UV_") else cutoff.origin
    index = settings.index_at(asked[-1].url) if asked else None
    index_file = index.origin if index is not None and index.table else None
    return HiddenByCutoff(source, wanted, str(cutoff), reason, file=file, index_file=index_file)
