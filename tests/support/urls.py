"""URLs that tests write as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uv_self_update.config.kinds import SourceSettings
from uv_self_update.url import Url

if TYPE_CHECKING:
    from uv_self_update.url import Origin

_URLS = {"url", "latest", "release", "download"}


def source_settings(**values: Any) -> SourceSettings:  # noqa: ANN401 # each key has its own type
    """Return settings that nothing has checked; a test may give invalid ones."""
    found: dict[str, Any] = {
        key: parsed(value) if key in _URLS else value for key, value in values.items()
    }
    return SourceSettings(**found)


def origin_of(url: str) -> Origin:
    """Return the origin of a URL."""
    return Url.parse(url).origin


def parsed(text: str | None) -> Url | None:
    """Return a URL; None without a text."""
    return None if text is None else Url.parse(text)


def text_of(url: Url | None) -> str | None:
    """Return the text of a URL, with its credentials; None without a URL."""
    return None if url is None else url.text
