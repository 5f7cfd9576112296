"""The source that is a bucket: what the contract of all sources does not cover."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from support.urls import source_settings
from support.web import Asked, Page, Web
from uv_self_update import platforms
from uv_self_update.auth.credentials import Credentials
from uv_self_update.config.settings import Network, Settings
from uv_self_update.errors import StatusRefused, UnexpectedBody
from uv_self_update.network.client import Upstream
from uv_self_update.network.limits import Limits
from uv_self_update.releases.target import NEWEST
from uv_self_update.sources.opened import OpenSources
from uv_self_update.sources.s3 import BucketTree
from uv_self_update.url import Url

if TYPE_CHECKING:
    from uv_self_update.releases.release import Release

ARCHIVE = platforms.current().archive


def find(url: str) -> Release:
    """Return the newest release of a bucket."""
    settings = Settings(sources=(source_settings(kind="s3", url=url),))
    with closing(OpenSources(settings, uv=Path("uv"), environ={})) as opened:
        return opened.find(NEWEST).release


def listing(*prefixes: str, keys: tuple[str, ...] = (), more: str = "") -> Page:
    """Return a page of a list in S3's dialect."""
    inner = "".join(f"<CommonPrefixes><Prefix>{p}</Prefix></CommonPrefixes>" for p in prefixes)
    inner += "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys)
    return Page(body=f"<ListBucketResult>{inner}{more}</ListBucketResult>".encode())


def queries(web: Web) -> list[dict[str, str]]:
    """Return what was asked for, request by request."""
    return [
        {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        for path in web.paths()
    ]


def test_store_of_the_older_request(web: Web) -> None:
    """A store that answers the older request is continued as that one is."""

    def answer(asked: Asked) -> Page:
        query = parse_qs(urlsplit(asked.path).query)
        prefix = query.get("prefix", [""])[0]
        if prefix:
            return listing(keys=(f"{prefix}{ARCHIVE}",))
        if query.get("marker") == ["0.9.9/"]:
            return listing("0.10.0/")
        return listing(
            "0.9.9/", more="<IsTruncated>true</IsTruncated><NextMarker>0.9.9/</NextMarker>"
        )

    web.pages["/bucket"] = answer

    assert find(f"{web.url}/bucket").version == "0.10.0"
    assert [query.get("marker") for query in queries(web)] == [None, "0.9.9/", None]


def test_list_that_does_not_end(web: Web) -> None:
    """A list that names a page again is left, with the reason."""
    more = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
    web.pages["/bucket"] = listing("0.9.9/", more=more)

    with pytest.raises(UnexpectedBody, match="an endless one"):
        find(f"{web.url}/bucket")

    assert len(web.asked) == 2


def test_list_with_always_one_more_page(web: Web) -> None:
    """A list ends at the limit of pages."""
    limits = Limits(bucket_pages=3)
    upstream = Upstream(Network(retries=0), Credentials(), environ={}, limits=limits)

    def answer(_: Asked) -> Page:
        token = f"<NextContinuationToken>{len(web.asked)}</NextContinuationToken>"
        return listing("0.9.9/", more=f"<IsTruncated>true</IsTruncated>{token}")

    web.pages["/bucket"] = answer

    with closing(upstream), pytest.raises(UnexpectedBody, match="an endless one"):
        BucketTree(upstream, base=Url.parse(f"{web.url}/bucket")).entries(())
    assert len(web.asked) <= 5


def test_key_and_folder_of_one_name(web: Web) -> None:
    """A key may have the name of a folder, and neither hides the other."""
    web.pages["/bucket"] = lambda asked: (
        listing(keys=(f"0.9.9/{ARCHIVE}",))
        if "prefix=0.9.9" in asked.path
        else listing("0.9.9/", keys=("0.9.9",))
    )

    assert find(f"{web.url}/bucket").version == "0.9.9"


def test_bucket_that_may_not_be_listed(web: Web) -> None:
    """That a bucket is forbidden says more than that something else is not there."""
    web.pages["/bucket"] = Page(status=403, body=b"<Error><Code>AccessDenied</Code></Error>")

    with pytest.raises(StatusRefused) as caught:
        find(f"{web.url}/bucket/uv/")

    assert caught.value.status == 403


def test_signature_goes_with_every_request(web: Web) -> None:
    """A query of the base, such as Azure's SAS, is sent each time, and never shown."""

    def blobs(inner: str) -> Page:
        body = f"<EnumerationResults><Blobs>{inner}</Blobs></EnumerationResults>"
        return Page(body=body.encode())

    folder = blobs("<BlobPrefix><Name>0.9.9/</Name></BlobPrefix>")
    file = blobs(f"<Blob><Name>0.9.9/{ARCHIVE}</Name></Blob>")
    web.pages["/devstoreaccount1/c"] = lambda asked: (
        file if "prefix=0.9.9" in asked.path else folder
    )
    url = f"{web.url}/devstoreaccount1/c?sv=1&sig=secret"
    settings = Settings(sources=(source_settings(kind="s3", url=url),))
    web.pages[f"/devstoreaccount1/c/0.9.9/{ARCHIVE}"] = Page(body=b"content")

    with closing(OpenSources(settings, uv=Path("uv"), environ={})) as opened:
        found = opened.find(NEWEST)
        asset = found.release.asset(ARCHIVE)
        assert asset is not None
        with found.source.open(found.release, asset) as download:  # type: ignore[attr-defined]
            assert b"".join(download.chunks) == b"content"

    assert [query["sig"] for query in queries(web)] == ["secret"] * 3
    assert "secret" not in found.source.name
