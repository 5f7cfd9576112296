"""A page of a bucket listing: S3's ListObjects or ListObjectsV2, or Azure's List Blobs.

An object store has no directories. Its keys are read as paths, split at their slashes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from uv_self_update.errors import TooLarge, UnexpectedBody
from uv_self_update.sources.formats.documents import describe
from uv_self_update.sources.formats.entry import Entry, is_name, utc_of
from uv_self_update.values import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from xml.etree.ElementTree import Element

    from uv_self_update.network.responses import Document


_EXPECTED = "a bucket listing"
_MAX_SIZE = 4 << 20  # bytes; 1,000 keys of maximum length have less than 2 MiB
_MAX_MARKUP = 250_000
"""Characters that begin a tag or an attribute; 1,000 blobs of Azure have 50,000."""

_DIGITS = 20  # of a size

_CODE = re.compile(r"[A-Za-z0-9._-]{1,64}")


@frozen
class BucketPage:
    """One page of the entries directly below a prefix."""

    entries: tuple[Entry, ...]

    next: str | None
    """The value of the parameter that requests the next page; None after the last one."""

    parameter: str = ""
    """The name of that parameter: `continuation-token` or `marker`; empty after the last page."""


@frozen
class _Key:
    name: str
    modified: str | None = None
    size: int | None = None


def read_bucket(document: Document, *, prefix: str) -> BucketPage:
    """Parse one page of a listing.

    Args:
        document: The response.
        prefix: The requested prefix, decoded: empty, or with a trailing slash.

    Raises:
        UnexpectedBody: The response is an error, which is named, or another document.
        TooLarge: The response would take too much memory.
    """
    body = document.body
    if len(body) > _MAX_SIZE:
        raise TooLarge(document.url, _MAX_SIZE)
    # Counted before parsing, because the parser keeps an object for each. These characters are the
    # same in every encoding that expat reads.
    if sum(map(body.count, (b"<", b"'", b'"'))) > _MAX_MARKUP:
        raise TooLarge(document.url, _MAX_MARKUP, unit="tags and quotes")
    try:
        root = fromstring(document.body, forbid_dtd=True)
    # DefusedXmlException: entities. LookupError, ValueError: an unknown encoding.
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise UnexpectedBody(document.url, _EXPECTED, describe(document.body)) from None
    blobs = _child(root, "Blobs")
    if _local(root) == "ListBucketResult":
        encoded = _text(root, "EncodingType").strip().lower() == "url"
        keys = [*_keys_of_s3(root, unquote_plus if encoded else str)]
        following, parameter = _after_s3(root, keys, unquote_plus if encoded else str)
    elif _local(root) == "EnumerationResults" and blobs is not None:
        keys = [*_keys_of_azure(blobs)]
        following, parameter = _text(root, "NextMarker"), "marker"
    else:
        raise UnexpectedBody(document.url, _EXPECTED, _described(root))
    if following is None:
        kind = "a truncated one without a continuation token"
        raise UnexpectedBody(document.url, _EXPECTED, kind)
    return BucketPage(
        entries=_below(prefix, keys),
        next=following or None,
        parameter=parameter if following else "",
    )


def _keys_of_s3(root: Element, decode: Callable[[str], str]) -> Iterator[_Key]:
    for element in root:
        if _local(element) == "Contents":
            key = decode(_text(element, "Key"))
            modified = utc_of(_text(element, "LastModified"))
            yield _Key(name=key, modified=modified, size=_size(element, "Size"))
        elif _local(element) == "CommonPrefixes":
            for prefix in element:
                yield _Key(name=_with_slash(decode(prefix.text or "")))


def _after_s3(
    root: Element, keys: list[_Key], decode: Callable[[str], str]
) -> tuple[str | None, str]:
    """Return value and parameter of the next page; empty after the last, None if unknown."""
    if _text(root, "IsTruncated").strip().lower() != "true":
        return "", ""
    if token := _text(root, "NextContinuationToken"):
        return token, "continuation-token"
    if marker := decode(_text(root, "NextMarker")):
        return marker, "marker"
    # ListObjects without a delimiter gives no marker: it continues after the last key.
    last = max((key.name for key in keys), default="")
    return last or None, "marker"


def _keys_of_azure(blobs: Element) -> Iterator[_Key]:
    for element in blobs:
        name_element = _child(element, "Name")
        if name_element is None:
            continue
        name = name_element.text or ""
        if name_element.get("Encoded", "").lower() == "true":  # has characters invalid in XML
            name = unquote(name)
        if _local(element) == "BlobPrefix":
            yield _Key(name=_with_slash(name))
        elif _local(element) == "Blob":
            properties = _child(element, "Properties")
            of = element if properties is None else properties
            # With a hierarchical namespace, Azure lists directories as blobs.
            if _text(of, "ResourceType") == "directory":
                yield _Key(name=_with_slash(name))
            else:
                modified = utc_of(_text(of, "Last-Modified"))
                yield _Key(name=name, modified=modified, size=_size(of, "Content-Length"))


def _below(prefix: str, keys: list[_Key]) -> tuple[Entry, ...]:
    """Return the entries directly below a prefix; a deeper key is an entry for its directory."""
    entries: dict[tuple[str, bool], Entry] = {}
    for key in keys:
        if not key.name.startswith(prefix):
            continue
        name, slash, _ = key.name.removeprefix(prefix).partition("/")
        is_directory = bool(slash)
        if is_name(name):
            entry = Entry(name=name, is_directory=is_directory)
            if not is_directory:
                entry = replace(entry, modified=key.modified, size=key.size)
            entries.setdefault((name, is_directory), entry)
    return tuple(entries.values())


def _size(element: Element, name: str) -> int | None:
    text = _text(element, name).strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _DIGITS else None


def _with_slash(name: str) -> str:
    return name if name.endswith("/") else f"{name}/"


def _described(root: Element) -> str:
    """Describe a document that is not a bucket listing."""
    name = _local(root)
    if name == "Error":
        code = _CODE.search(_text(root, "Code"))
        return f"the error `{code[0]}`" if code else "an error without a code"
    if name in {"ListAllMyBucketsResult", "EnumerationResults"}:
        return "a list of buckets"
    if name.lower() == "html":
        return "a web page"
    return "XML of another kind"


def _local(element: Element) -> str:
    """Return an element's name without its namespace, which differs between stores."""
    return element.tag.rpartition("}")[2]


def _child(element: Element, name: str) -> Element | None:
    return next((child for child in element if _local(child) == name), None)


def _text(element: Element, name: str) -> str:
    """Return the text of a child element; empty without such a child."""
    child = _child(element, name)
    return "" if child is None else child.text or ""
