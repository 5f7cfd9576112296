"""The errors for responses with a status that is not expected."""

from __future__ import annotations

import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from uv_self_update.errors import RateLimited, StatusRefused
from uv_self_update.network.retries import seconds_until
from uv_self_update.releases.release import utc

if TYPE_CHECKING:
    from collections.abc import Collection

    from uv_self_update.network.exchange import Response

_RATE_LIMITED = {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}


def accepted(reply: Response, statuses: Collection[HTTPStatus]) -> Response:
    """Return a response with one of the expected statuses.

    Raises:
        StatusRefused: It has another one; it is closed.
    """
    if reply.status not in statuses:
        reply.close()
        raise refusal(reply)
    return reply


def refusal(reply: Response) -> StatusRefused:
    """Return the error for a status that is not expected."""
    status, headers = reply.status, reply.headers
    exhausted = headers.get("x-ratelimit-remaining") == "0"
    if status in _RATE_LIMITED and (exhausted or "retry-after" in headers):
        now, after = time.time(), seconds_until(headers.get("retry-after", ""))
        until = None if after is None else now + after
        reset = headers.get("x-ratelimit-reset", "")
        if until is None and reset.isdecimal():
            until = float(reset[:12])
            after = max(0.0, until - now)
        shown = None if until is None else utc(until)
        return RateLimited(reply.requested, status, until=shown, after=after)
    refused = StatusRefused(reply.requested, status)
    refused.after = seconds_until(headers.get("retry-after", ""))
    if sso := re.search(r"https://\S+", headers.get("x-github-sso", "")):
        # Its query is a secret of the user's browser session.
        refused.hint = (
            "The token is not authorized for the organization's SSO: open "
            f"{sso[0].partition('?')[0]} to authorize it."
        )
    if status == HTTPStatus.UNAUTHORIZED and reply.login is not None:
        refused.hint = f"The server does not accept the credentials from {reply.login}."
    return refused
