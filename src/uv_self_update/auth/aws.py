"""Signatures of AWS, version 4, for requests without a body to S3 and compatible stores.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from uv_self_update.auth.credentials import usable_secret
from uv_self_update.redaction import Secret
from uv_self_update.url import DEFAULT_PORTS, Url
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

ENDPOINT = "UV_S3_ENDPOINT_URL"
"""uv's variable for the store whose requests it signs as well
(https://docs.astral.sh/uv/reference/environment/#uv_s3_endpoint_url)."""

IDENTITY = "AWS_ACCESS_KEY_ID"

_SECRET, _SESSION = "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
_REGIONS = ("UV_S3_REGION", "AWS_REGION", "AWS_DEFAULT_REGION")
_REGION = "us-east-1"
_ALGORITHM = "AWS4-HMAC-SHA256"
_NO_BODY = hashlib.sha256().hexdigest()
_NAME = re.compile(r"[A-Za-z0-9-]+")
_AS_SENT = "%/:@!$&'()*+,;=[]^|\\"
"""What httpx does not encode in a path; the signature is of the path as it is sent."""


@frozen
class AccessKey:
    """An access key, which signs requests."""

    identity: str = field(repr=False)
    secret: Secret
    session: Secret | None
    """The token of temporary credentials."""

    region: str

    @classmethod
    def of(cls, environ: Mapping[str, str], url: Url) -> AccessKey | None:
        """Return the key for the store that the user has named, at a URL; None for any other."""
        identity, secret = environ.get(IDENTITY, ""), usable_secret(environ.get(_SECRET))
        if not re.fullmatch(r"\w+", identity, re.ASCII) or secret is None:
            return None
        if not _is_at(url, environ.get(ENDPOINT, "")):
            return None
        named = (environ.get(name, "") for name in _REGIONS)
        return cls(
            identity=identity,
            secret=secret,
            session=usable_secret(environ.get(_SESSION)),
            region=next(filter(_NAME.fullmatch, named), _REGION),
        )

    def signed(self, method: str, url: Url, now: dt.datetime | None = None) -> dict[str, Secret]:
        """Return the headers of one request.

        Args:
            method: Its method.
            url: Its URL.
            now: The time of the signature; the present if None.
        """
        time = (now or dt.datetime.now(dt.UTC)).strftime("%Y%m%dT%H%M%SZ")
        headers = {"x-amz-content-sha256": Secret(_NO_BODY), "x-amz-date": Secret(time)}
        if self.session is not None:
            headers["x-amz-security-token"] = self.session
        values = {"host": _host(url)}
        values |= {name: secret.reveal() for name, secret in headers.items()}
        names = ";".join(sorted(values))
        canonical = "\n".join(
            [
                method,
                quote(url.parts.path, safe=_AS_SENT) or "/",
                _query(url.parts.query),
                *(f"{name}:{values[name]}" for name in sorted(values)),
                "",
                names,
                _NO_BODY,
            ]
        )
        scope = f"{time[:8]}/{self.region}/s3/aws4_request"
        text = f"{_ALGORITHM}\n{time}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = f"AWS4{self.secret.reveal()}".encode()
        for part in (*scope.split("/"), text):
            key = hmac.digest(key, part.encode(), "sha256")
        value = (
            f"{_ALGORITHM} Credential={self.identity}/{scope}, SignedHeaders={names}, "
            f"Signature={key.hex()}"
        )
        return {**headers, "Authorization": Secret(value)}


def _host(url: Url) -> str:
    """Return the `Host` header of a request, which has no default port (RFC 9110 section 7.2)."""
    port = f":{DEFAULT_PORTS.get(url.scheme)}"
    return url.address.removesuffix(port)


def _query(query: str) -> str:
    """Return a query as it is signed: sorted, and everything but unreserved characters encoded."""
    pairs = parse_qsl(query.replace("+", "%2B"), keep_blank_values=True)
    encoded = sorted((quote(name, safe=""), quote(value, safe="")) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def _is_at(url: Url, endpoint: str) -> bool:
    """Return whether a URL is at an endpoint, or on a host below that of the endpoint, as in uv."""
    try:
        scheme, host, port = Url.parse(endpoint).origin
    except ValueError:
        return False
    below = url.host == host or url.host.endswith(f".{host}")
    return bool(host) and below and (url.scheme, url.origin[2]) == (scheme, port)
