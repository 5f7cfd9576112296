"""Lists of approved versions that the configuration names by URL or path."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from uv_self_update.errors import InvalidApprovedList, SourceError
from uv_self_update.redaction import redact_url
from uv_self_update.releases.policy import Approved, Policy
from uv_self_update.sources.formats.documents import describe
from uv_self_update.url import Url
from uv_self_update.values import replace
from uv_self_update.versions import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from uv_self_update.network.client import Upstream
    from uv_self_update.releases.policy import Rule


def with_lists(policy: Policy, client: Callable[[Url], Upstream]) -> Policy:
    """Return a policy with the contents of its lists in place of their URLs.

    Raises:
        InvalidApprovedList: A list cannot be read or parsed; no release is allowed then.
    """
    read: dict[Rule, Rule] = {
        rule: _with_list(rule, str(rule.url), client) for rule in policy.unread
    }
    return Policy(rules=tuple(read.get(rule, rule) for rule in policy.rules))


def _with_list(rule: Approved, url: str, client: Callable[[Url], Upstream]) -> Approved:
    try:
        place = Url.parse(url)
    except ValueError:  # whose words may be a part of a password
        raise InvalidApprovedList(redact_url(url), rule.origin, "invalid URL") from None
    try:
        upstream = client(place)
        body = upstream.read(place, limit=upstream.limits.version_list).body
        return replace(rule, versions=parse_list(body), url=None)
    except (SourceError, ValueError) as error:
        raise InvalidApprovedList(redact_url(str(rule.written)), rule.origin, str(error)) from error


def parse_list(body: bytes) -> tuple[str, ...]:
    """Parse a list of versions: one a line with `#` before comments, or a JSON array.

    Raises:
        ValueError: The list has another format, or is empty; the message says which.
    """
    text = body.decode("utf-8", errors="replace").removeprefix("\ufeff")
    if text.lstrip().startswith("["):
        found = _parse_json(text)
    else:
        lines = (line.partition("#")[0].strip() for line in text.splitlines())
        found = [line for line in lines if line]
    for number, version in enumerate(found, start=1):
        if not isinstance(version, str) or not VERSION.fullmatch(version):
            kind = describe(body)
            entry = kind == "something else" or kind.startswith("JSON")
            raise ValueError(f"entry {number} is not a version" if entry else f"it is {kind}")
    if not found:
        raise ValueError("it is empty")  # noqa: EM101, TRY003 # the caller names the list
    return tuple(map(str, found))


def _parse_json(text: str) -> list[object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("it is invalid JSON") from None  # noqa: EM101, TRY003 # the caller names the list
    assert isinstance(found, list), "it begins with a bracket"  # noqa: S101 # for the type checker
    return found
