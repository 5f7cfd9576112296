"""The URL of a request."""

from __future__ import annotations

import pytest

from uv_self_update.url import Url


def test_secrets_are_hidden() -> None:
    """Neither `str` nor `repr` shows credentials, or the values of a query."""
    url = Url.parse("HTTPS://jo:s3cret@Mirror.example/uv?sig=s3cret")

    assert str(url) == "https://***@Mirror.example/uv?sig=***"
    assert "s3cret" not in f"{url} {url!r}"


def test_parts() -> None:
    """The wire form has no credentials but the whole query; the origin has the default port."""
    url = Url.parse("https://jo:pw@Mirror.example/uv?sig=abc")

    assert url.wire == "https://Mirror.example/uv?sig=abc"
    assert url.origin == ("https", "mirror.example", 443)
    assert (url.scheme, url.host) == ("https", "mirror.example")


@pytest.mark.parametrize("text", ["http://[", "http://h:99999/", "http://h:x/"])
def test_invalid(text: str) -> None:
    """A URL without a valid host or port is refused."""
    with pytest.raises(ValueError, match=r".+"):
        Url.parse(text)
