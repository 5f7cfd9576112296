"""Credentials as a person has written them into URLs."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from support.urls import origin_of
from uv_self_update.auth.credentials import Credential, Credentials, login_of
from uv_self_update.redaction import Secret
from uv_self_update.url import Url

if TYPE_CHECKING:
    from collections.abc import Mapping


def of_urls(*urls: str) -> Credentials:
    """Return the credentials of a source with these URLs, and the logins that stand in them."""
    known = {}
    for url in urls:
        login = login_of(Url.parse(url))
        if login is not None:
            text = f"{login.user}:{login.password.reveal()}".encode()
            headers = {"Authorization": Secret(f"Basic {b64encode(text).decode()}")}
            known[origin_of(url)] = Credential(headers=headers, place="the URL")
    others = {origin_of(url): _nothing for url in urls if "://" in url}
    return Credentials(known, {key: search for key, search in others.items() if key not in known})


def with_headers(url: str, headers: Mapping[str, str]) -> Credentials:
    """Return the credentials of a source that sends these headers to the origin of a URL."""
    secrets = {name: Secret(value) for name, value in headers.items()}
    return Credentials({origin_of(url): Credential(headers=secrets, place="the test")})


def _nothing() -> None:
    return None
