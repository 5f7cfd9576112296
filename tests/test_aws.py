"""Signatures for S3: those that AWS documents, and which requests get one."""

from __future__ import annotations

import datetime as dt

import pytest

from support.urls import source_settings
from uv_self_update.auth.aws import AccessKey
from uv_self_update.sources.authentication import credentials_of
from uv_self_update.url import Url

KEY = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
}
AWS = {"UV_S3_ENDPOINT_URL": "https://s3.amazonaws.com", **KEY}
BUCKET = "https://examplebucket.s3.amazonaws.com"


@pytest.mark.parametrize(
    ("path", "signature"),
    [
        # https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
        ("/?lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        (
            "/?max-keys=2&prefix=J",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
        (
            "/?prefix=J&max-keys=2",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)
def test_examples_of_aws(path: str, signature: str) -> None:
    """A request is signed as in AWS's documentation, whatever the order of its query."""
    url = Url.parse(BUCKET + path)
    key = AccessKey.of(AWS, url)
    assert key is not None

    headers = key.signed("GET", url, dt.datetime(2013, 5, 24, tzinfo=dt.UTC))

    assert headers["Authorization"].reveal() == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        f"SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}"
    )


@pytest.mark.parametrize(
    ("url", "same"),
    [
        (f"{BUCKET}:443/uv/", f"{BUCKET}/uv/"),
        ("http://LOCALHOST:80/uv/", "http://localhost/uv/"),
        ("http://[::1]:80/uv/", "http://[::1]/uv/"),
        (f"{BUCKET}/a b/é/1+x/(1)/%2B/", f"{BUCKET}/a%20b/%C3%A9/1+x/(1)/%2B/"),
        (f"{BUCKET}?prefix=a b", f"{BUCKET}/?prefix=a%20b"),
    ],
)
def test_what_is_signed_is_what_is_sent(url: str, same: str) -> None:
    """A default port is not sent in `Host`, and what a path may not hold is sent encoded."""
    key = AccessKey.of({**AWS, "UV_S3_ENDPOINT_URL": same}, Url.parse(url))
    assert key is not None
    now = dt.datetime(2013, 5, 24, tzinfo=dt.UTC)

    assert key.signed("GET", Url.parse(url), now) == key.signed("GET", Url.parse(same), now)


@pytest.mark.parametrize(
    ("url", "kind", "change", "signed"),
    [
        (BUCKET, "s3", {}, True),
        (BUCKET, "s3", {"AWS_SESSION_TOKEN": "session", "AWS_REGION": "eu-west-1"}, True),
        (BUCKET, "listing", {}, False),
        (BUCKET.replace("https", "http"), "s3", {}, False),
        (f"{BUCKET}:8443", "s3", {}, False),
        ("https://s3.amazonaws.com.evil.example/x", "s3", {}, False),
        ("https://evils3.amazonaws.com/x", "s3", {}, False),
        (BUCKET, "s3", {"UV_S3_ENDPOINT_URL": ""}, False),
        (BUCKET, "s3", {"UV_S3_ENDPOINT_URL": "https://[x"}, False),
        (BUCKET, "s3", {"AWS_SECRET_ACCESS_KEY": ""}, False),
        (BUCKET, "s3", {"AWS_ACCESS_KEY_ID": "A\nB"}, False),
    ],
)
def test_which_requests_are_signed(
    url: str, kind: str, change: dict[str, str], *, signed: bool
) -> None:
    """Requests to a bucket at the endpoint that uv signs for as well, and no others."""
    section = source_settings(kind=kind, url=url)
    credentials = credentials_of(section, AWS | change, given=None)
    headers = credentials.headers_of("GET", Url.parse(f"{url}/?list-type=2"))

    assert ("Authorization" in headers) is signed
    assert headers.get("x-amz-security-token") == (change.get("AWS_SESSION_TOKEN"))
    assert "/eu-west-1/s3/" in headers.get("Authorization", "/eu-west-1/s3/") or not change
    assert credentials.headers_of("GET", Url.parse("https://other.example/")) == {}
    guess = credentials_of(section, AWS | change, given=None, guessed=True)
    assert guess.headers_of("GET", Url.parse(url)) == {}


def test_configured_credentials_come_first() -> None:
    """What the source itself names is sent, for a gateway in front of the store."""
    section = source_settings(kind="s3", url=BUCKET, username="me", password_env="PW")  # noqa: S106 # the name of a variable
    credentials = credentials_of(section, AWS | {"PW": "x"}, given=None)

    headers = credentials.headers_of("GET", Url.parse(BUCKET))

    assert headers == {"Authorization": "Basic bWU6eA=="}
