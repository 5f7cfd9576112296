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


@pytest.mark.parametrize(
    "text",
    [
        "https://h",
        "https://jo:p%40w@Mirror.example:8443/uv//a%20b/?sig=abc#x",
        "HTTPS://[::1]/{tag}/{asset}?v={version}",
        "https://{tag}.H.example:81/{asset}",
        "https://{tag}@h/a",
        "file:///srv/{tag}",
    ],
)
def test_derived(text: str) -> None:
    """A URL that is made of another is what its own text would be parsed as."""
    url = Url.parse(text)
    derived = [
        url.at("/x", "a=1"),
        url.at(""),
        url.asking("a=1&b"),
        url.below(("c d", "100%", "\u00e9/?#")),
        url.below((), directory=True),
        url.expanded(tag="0.13.9", version="1+l", asset="uv.zip"),
        url.bare,
    ]

    assert list(map(vars, derived)) == [vars(Url.parse(one.text)) for one in derived]


def test_credentials_count() -> None:
    """Two sources with other credentials are two; their repr does not tell them apart."""
    urls = {Url.parse("https://jo:pw@h/"), Url.parse("https://jo:wp@h/"), Url.parse("https://h/")}

    assert len(urls) == 3
    assert set(map(repr, urls)) == {"Url('https://***@h/')", "Url('https://h/')"}


@pytest.mark.parametrize("text", ["http://[", "http://h:99999/", "http://h:x/", "http://h/a@[b"])
def test_invalid(text: str) -> None:
    """A URL without a valid host or port is refused, and so is what cannot be redacted."""
    with pytest.raises(ValueError, match=r".+"):
        Url.parse(text)
