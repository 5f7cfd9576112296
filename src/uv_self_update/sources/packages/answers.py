"""What forges answer about releases, and why they answer 404."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uv_self_update.errors import NotFoundOrUnauthorized, StatusRefused, UnexpectedBody
from uv_self_update.sources.formats.documents import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uv_self_update.network.responses import Document

_YANKED = "[yanked]"


def release_of(document: Document, expected: str) -> dict[str, Any]:
    """Return the JSON object of one release.

    Raises:
        UnexpectedBody: The response is something else.
    """
    found = read_json(document, expected)
    if not isinstance(found, dict):
        raise UnexpectedBody(document.url, expected, "other JSON")
    return found


def yanked_by(release: Mapping[str, Any]) -> str | None:
    """Return why a release should not be used (PEP 592); None if it may be.

    Forges have no such mark, so a title with `[YANKED]` is one, as changelogs write it
    (https://keepachangelog.com). The reason is the first line of the description.
    """
    if _YANKED not in str(release.get("name") or "").lower():
        return None
    text = str(release.get("body") or release.get("description") or "").strip()
    return text.partition("\n")[0].strip() or _YANKED.strip("[]")


def hidden(
    error: StatusRefused,
    place: str | None,
    *,
    what: str,
    product: str,
    given: str,
    missing: str,
) -> StatusRefused:
    """Explain a 404 that a forge also answers if a token is missing; any other error is kept.

    Args:
        error: The refusal.
        place: The provider of the credentials that were sent; None without any.
        what: The missing resource, after `no`.
        product: The forge.
        given: What to do about a token that does not suffice.
        missing: What to do without a token.
    """
    if not error.gone:
        return error
    advice = (
        f"The token is from {place}: {given}."
        if place
        else f"{missing[0].upper()}{missing[1:]}, or the key `token-env` of this `[[releases]]`."
    )
    return NotFoundOrUnauthorized(
        error,
        what,
        login=place is not None,
        hint=f"{product} answers 404 for a private repository that the token cannot read. {advice}",
    )
