"""A page of the list of what an object store holds: S3's two, which others speak too, or Azure's.

There are no folders in an object store, but keys with slashes in them, which are read as paths.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from uv_self_update.errors import UnexpectedBody
from uv_self_update.sources.formats.documents import describe
from uv_self_update.sources.formats.entry import Entry, is_name, utc_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from xml.etree.ElementTree import Element

    from uv_self_update.network.responses import Document


_EXPECTED = "a list of the files in a bucket"
_CODE = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, kw_only=True)
class BucketPage:
    """One page of what lies right below a prefix."""

    entries: tuple[Entry, ...]

    next: str | None
    """What the request for the next page has to name; None after the last one."""

    parameter: str = ""
    """As what it has to name that: `continuation-token` or `marker`; empty after the last page."""


@dataclass(frozen=True, kw_only=True)
class _Key:
    name: str
    modified: str | None = None


def read_bucket(document: Document, *, prefix: str) -> BucketPage:
    """Read one page of a list.

    Args:
        document: The answer to S3's ListObjects or ListObjectsV2, or to Azure's List Blobs.
        prefix: The prefix that was asked for, decoded: empty, or with a slash at its end.

    Raises:
        UnexpectedBody: It is something else: an error, whose code is named then, or no list.
    """
    try:
        root = fromstring(document.body, forbid_dtd=True)
    # Those beside ParseError are about entities, or an encoding that is not known.
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
        kind = "one that goes on, without saying where"
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
            yield _Key(name=key, modified=utc_of(_text(element, "LastModified")))
        elif _local(element) == "CommonPrefixes":
            for prefix in element:
                yield _Key(name=_folder(decode(prefix.text or "")))


def _after_s3(
    root: Element, keys: list[_Key], decode: Callable[[str], str]
) -> tuple[str | None, str]:
    """Return what names the next page, and as what; empty after the last, None if nothing does."""
    if _text(root, "IsTruncated").strip().lower() != "true":
        return "", ""
    if token := _text(root, "NextContinuationToken"):
        return token, "continuation-token"
    if marker := decode(_text(root, "NextMarker")):
        return marker, "marker"
    # The older request names none if no delimiter was given: it is the last key then.
    last = max((key.name for key in keys), default="")
    return last or None, "marker"


def _keys_of_azure(blobs: Element) -> Iterator[_Key]:
    for element in blobs:
        name_element = _child(element, "Name")
        if name_element is None:
            continue
        name = name_element.text or ""
        if name_element.get("Encoded", "").lower() == "true":  # of signs that XML does not have
            name = unquote(name)
        if _local(element) == "BlobPrefix":
            yield _Key(name=_folder(name))
        elif _local(element) == "Blob":
            properties = _child(element, "Properties")
            of = element if properties is None else properties
            # Where Azure keeps a hierarchy, folders are listed beside their contents.
            if _text(of, "ResourceType") == "directory":
                yield _Key(name=_folder(name))
            else:
                yield _Key(name=name, modified=utc_of(_text(of, "Last-Modified")))


def _below(prefix: str, keys: list[_Key]) -> tuple[Entry, ...]:
    """Return what lies right below a prefix; a key further down stands for the folder there."""
    entries: dict[tuple[str, bool], Entry] = {}
    for key in keys:
        if not key.name.startswith(prefix):
            continue
        name, slash, _ = key.name.removeprefix(prefix).partition("/")
        folder = bool(slash)
        if is_name(name):
            modified = None if folder else key.modified
            entries.setdefault((name, folder), Entry(name=name, folder=folder, modified=modified))
    return tuple(entries.values())


def _folder(name: str) -> str:
    return name if name.endswith("/") else f"{name}/"


def _described(root: Element) -> str:
    """Say what a document is that is no list."""
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
    """Return an element's name without its namespace, which stores do not agree on."""
    return element.tag.rpartition("}")[2]


def _child(element: Element, name: str) -> Element | None:
    return next((child for child in element if _local(child) == name), None)


def _text(element: Element, name: str) -> str:
    """Return what a child of an element says; empty where there is no such child."""
    child = _child(element, name)
    return "" if child is None else child.text or ""
