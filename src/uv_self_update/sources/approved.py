"""The lists of approved versions that the configuration names by their URL or their path."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from uv_self_update.errors import ListUnusable, SourceError
from uv_self_update.redaction import redact_url
from uv_self_update.releases.policy import Policy
from uv_self_update.sources.formats.documents import describe
from uv_self_update.versions import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from uv_self_update.network.client import Upstream
    from uv_self_update.releases.policy import Rule


_LARGEST = 1 << 20  # bytes; uv has a few hundred versions


def with_lists(policy: Policy, client: Callable[[str], Upstream]) -> Policy:
    """Return a policy with what its lists hold in place of where they are.

    Args:
        policy: The policy, as it is configured.
        client: What a URL is read with.

    Raises:
        ListUnusable: A list cannot be read, or is none: then nothing may be taken.
    """
    return Policy(rules=tuple(_with_list(rule, client) for rule in policy.rules))


def _with_list(rule: Rule, client: Callable[[str], Upstream]) -> Rule:
    url = rule.list_place
    if url is None:
        return rule
    place = redact_url(str(rule.written))
    try:
        body = client(url).read(url, limit=_LARGEST).body
    except SourceError as error:
        raise ListUnusable(place, rule.origin, str(error)) from error
    try:
        return replace(rule, value=parse_list(body))
    except ValueError as error:
        raise ListUnusable(place, rule.origin, str(error)) from error


def parse_list(body: bytes) -> tuple[str, ...]:
    """Read a list of versions: one a line with `#` before comments, or a JSON array.

    Raises:
        ValueError: It is anything else, or empty; the message says what.
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
        raise ValueError("it is not JSON, though it begins as JSON does") from None  # noqa: EM101, TRY003 # the caller names the list
    assert isinstance(found, list), "it begins with a bracket"  # noqa: S101 # for the type checker
    return found
