"""What was probably meant."""

from __future__ import annotations

import pytest

from uv_self_update.config.kinds import check_source, parse_source
from uv_self_update.errors import InvalidSource, InvalidTarget
from uv_self_update.releases.target import parse_target
from uv_self_update.suggestions import with_scheme
from uv_self_update.url import Url


@pytest.mark.parametrize(
    ("place", "url"),
    [
        ("nexus.example.com", "https://nexus.example.com"),
        ("nexus.example.com/repository/uv/", "https://nexus.example.com/repository/uv/"),
        ("nexus.example.com:8443/x?y", "https://nexus.example.com:8443/x?y"),
        ("//nexus.example.com/x", "https://nexus.example.com/x"),
        ("localhost:8081/x", "http://localhost:8081/x"),
        ("127.0.0.1:8081/x", "http://127.0.0.1:8081/x"),
        ("10.0.0.7/x", "https://10.0.0.7/x"),
        ("[::1]:80/x", "http://[::1]:80/x"),
        ("https:/nexus.example.com/x", "https://nexus.example.com/x"),
        ("https:nexus.example.com/x", "https://nexus.example.com/x"),
        ("https//nexus.example.com/x", "https://nexus.example.com/x"),
        ("htps://nexus.example.com/x", "https://nexus.example.com/x"),
        ("htttps://nexus.example.com/x", "https://nexus.example.com/x"),
        ("ttp://nexus.example.com/x", "http://nexus.example.com/x"),
        ("HTTPS;//nexus.example.com/x", "https://nexus.example.com/x"),
        ("http.example.com/x", "https://http.example.com/x"),
        ("https://nexus.example.com/x", None),
        ("ftp://nexus.example.com/x", None),
        ("me:secret@nexus.example.com/x", None),
        ("0.12.3", None),
        ("0.12.3.4", None),
        ("nexus", None),
        ("mirror/uv", None),
        ("", None),
    ],
)
def test_with_scheme(place: str, url: str | None) -> None:
    """What begins with a host gets a scheme; what may hold a password is not repeated."""
    assert with_scheme(place) == url


@pytest.mark.parametrize(
    ("spec", "meant"),
    [
        ("nexus.example.com/uv/", "https://nexus.example.com/uv/"),
        ("nexus+nexus.example.com/repository/uv", "https://nexus.example.com/repository/uv"),
        ("mirror/uv", "./mirror/uv"),
        ("mirror\\uv", "./mirror\\uv"),
    ],
)
def test_source_without_scheme(spec: str, meant: str) -> None:
    """A source on the command line without a scheme is refused with what was probably meant."""
    with pytest.raises(InvalidSource) as caught:
        parse_source(spec)
    assert str(caught.value).endswith(f"; did you mean `{meant}`?")


@pytest.mark.parametrize(
    "spec",
    [
        "u.example.com/x?token=s3cret",
        "nexus+u.example.com/repository/x?token=s3cret",
        "s3cr/et:s3cret@u.example.com/x",
        "me:s3cret@u.example.com/x",
        "s3cret/s3cret/@u.example.com/x",
    ],
)
def test_proposals_hold_no_secret(spec: str) -> None:
    """What may be a password or a token is not repeated in a proposal."""
    with pytest.raises(InvalidSource) as source:
        parse_source(spec)
    with pytest.raises(InvalidTarget) as target:
        parse_target(spec)
    assert "s3cret" not in f"{source.value} {source.value.hint} {target.value} {target.value.hint}"


@pytest.mark.parametrize("key", ["url", "latest", "release", "download"])
def test_key_without_scheme(key: str) -> None:
    """So is a URL in a file or in `config set`, whatever its key."""
    _, problems = check_source({"kind": "urls" if key != "url" else "auto", key: "u.example.com/x"})
    reasons = dict(reversed(problems))
    assert reasons[key].endswith("; did you mean `https://u.example.com/x`?")


def test_blanks_around_a_source() -> None:
    """Blanks that were copied with a URL do no harm."""
    assert parse_source(" https://u.example.com/x\n").url == Url.parse("https://u.example.com/x")
