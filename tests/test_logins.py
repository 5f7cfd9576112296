"""Which header each kind of source sends a login in, and to where."""

from __future__ import annotations

from base64 import b64encode

import pytest

from uv_self_update.kinds import SourceSettings
from uv_self_update.sources.logins import credentials_of


def basic(login: str) -> dict[str, str]:
    """Return the header of RFC 7617."""
    return {"Authorization": f"Basic {b64encode(login.encode()).decode()}"}


@pytest.mark.parametrize(
    ("kind", "url", "headers"),
    [
        ("nexus", "https://u:p@h.example/repository/uv/", basic("u:p")),
        ("listing", "https://u:p%40%2F@h.example/uv/", basic("u:p@/")),
        ("listing", "https://h.example/uv/", {}),
        ("gitea", "https://token@h.example/o/r", basic("token:")),
        ("gitlab", "https://me:secret@h.example/g/p", {"PRIVATE-TOKEN": "secret"}),
        ("gitlab", "https://secret@h.example/g/p", {"PRIVATE-TOKEN": "secret"}),
        ("gitlab", "https://gitlab-ci-token:job@h.example/g/p", {"JOB-TOKEN": "job"}),
        (
            "gitlab",
            "https://gitlab%2Bdeploy-token-1:d@h.example/g/p",
            {"DEPLOY-TOKEN": "d"},
        ),
        ("gitlab", "https://h.example/g/p", {}),
    ],
)
def test_login_of_a_url(kind: str, url: str, headers: dict[str, str]) -> None:
    """A login that stands in a URL is sent as the product takes it, to that origin alone."""
    credentials = credentials_of(SourceSettings(kind=kind, url=url), {}, given=None)

    assert credentials.headers_for("https://h.example/anything") == headers
    for other in ("http://h.example/", "https://h.example:8443/", "https://i.example/"):
        assert credentials.headers_for(other) == {}


def test_each_origin_of_templates_has_its_own_login() -> None:
    """A source of two servers keeps their logins apart."""
    section = SourceSettings(
        kind="urls", latest="https://a:1@a.example/x", download="https://b:2@b.example/{asset}"
    )

    credentials = credentials_of(section, {}, given=None)

    assert credentials.headers_for("https://a.example/x") == basic("a:1")
    assert credentials.headers_for("https://b.example/uv.zip") == basic("b:2")


def test_secrets_do_not_show() -> None:
    """What credentials say of themselves holds no secret."""
    section = SourceSettings(kind="gitlab", url="https://me:secret@h.example/g/p")

    assert "secret" not in repr(credentials_of(section, {}, given=None))
