"""Object storage: S3 and what speaks like it, by path and by host, and Azure's blobs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.sax.saxutils import escape

from support.simulator.dialect import Dialect, encoded, stored
from support.simulator.folders import lay_out
from support.web import Page

if TYPE_CHECKING:
    from support.catalogue import Catalogue, File
    from support.simulator.dialect import Call, Names, Setup
    from uv_self_update.config.kinds import SourceSettings

_SIGNATURE = {"sv": "2026-02-06", "sp": "rl", "sig": "c2VjcmV0+/="}


class _Objects(Dialect):
    """Names that look like paths, listed by their beginnings."""

    kind = "s3"

    def __init__(self, catalogue: Catalogue, setup: Setup) -> None:
        super().__init__(catalogue, setup)
        tree = lay_out(catalogue, setup)
        self.objects = {"/".join(names): file for names, file in tree.files.items()}

    def found(self, call: Call, after: str) -> tuple[list[str], str]:
        """Return the next page of names, prefixes among them with a slash, and where it ends."""
        prefix, delimiter = call.query.get("prefix", ""), call.query.get("delimiter", "")
        names: set[str] = set()
        for name in self.objects:
            if name.startswith(prefix):
                rest = name[len(prefix) :]
                cut = rest.find(delimiter) if delimiter else -1
                names.add(name if cut < 0 else prefix + rest[: cut + len(delimiter)])
        following = [name for name in sorted(names) if name > after]
        page = following[: self.setup.page]
        return page, page[-1] if len(following) > len(page) else ""


class S3Path(_Objects):
    """A public bucket, called `mirror`, in the path."""

    bucket: Names = ("mirror",)

    @property
    def place(self) -> str:
        """The prefix that the releases have."""
        return encoded((*self.setup.before, *self.bucket, *self.setup.below))

    def answer(self, call: Call) -> Page:
        """Return a page of the list, or an object; S3 takes no login that is none of its own."""
        if "authorization" in call.headers:
            return _s3_error(400, "InvalidArgument")
        depth = len(self.bucket)
        if call.path[:depth] != self.bucket:
            return _s3_error(404, "NoSuchBucket")
        if len(call.path) == depth:
            return self._list(call)
        file = self.objects.get("/".join(call.path[depth:]) + ("/" if call.slash else ""))
        return _s3_error(404, "NoSuchKey") if file is None else stored(file, ETag='"0f00-2"')

    def _list(self, call: Call) -> Page:
        if call.query.get("list-type") != "2":
            return _s3_error(400, "InvalidArgument")
        names, end = self.found(call, call.query.get("continuation-token", "").removeprefix("t+/="))
        url = call.query.get("encoding-type") == "url"
        contents = "".join(
            f"<Contents><Key>{_key(name, url=url)}</Key><LastModified>"
            f"{self.objects[name].date:%Y-%m-%dT%H:%M:%S.000Z}</LastModified><ETag>&quot;0f00&quot;"
            f"</ETag><Size>{len(self.objects[name].content)}</Size></Contents>"
            for name in names
            if not name.endswith("/")
        )
        common = "".join(
            f"<CommonPrefixes><Prefix>{_key(name, url=url)}</Prefix></CommonPrefixes>"
            for name in names
            if name.endswith("/")
        )
        # What the token looks like is nobody's business; it has to be quoted in a query.
        more = f"<NextContinuationToken>t+/={escape(end)}</NextContinuationToken>" if end else ""
        return _xml(
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>mirror</Name>'
            f"<Prefix>{_key(call.query.get('prefix', ''), url=url)}</Prefix>"
            f"<IsTruncated>{'true' if end else 'false'}</IsTruncated>"
            f"{contents}{common}{more}</ListBucketResult>"
        )


class S3Host(S3Path):
    """A public bucket that has a host to itself."""

    bucket = ()


class Azure(_Objects):
    """A public container, called `mirror`."""

    @property
    def place(self) -> str:
        """The prefix that the releases have."""
        return encoded((*self.setup.before, "mirror", *self.setup.below))

    def answer(self, call: Call) -> Page:
        """Return a page of the list, or a blob."""
        if "authorization" in call.headers:
            return _azure_error(400, "InvalidAuthenticationInfo")
        match call.path:
            case ("mirror",) if call.query.get("comp") == "list":
                return self._list(call)
            case ("mirror", *names):
                file = None if call.slash else self.objects.get("/".join(names))
                return _azure_error(404, "BlobNotFound") if file is None else stored(file)
            case _:
                return _azure_error(404, "ResourceNotFound")

    def _list(self, call: Call) -> Page:
        if call.query.get("restype") != "container":
            return _azure_error(400, "InvalidQueryParameterValue")
        names, end = self.found(call, call.query.get("marker", "").removeprefix("2!88!"))
        blobs = "".join(_blob(name, self.objects.get(name)) for name in names)
        return _xml(
            f'<EnumerationResults ServiceEndpoint="{escape(call.root)}" ContainerName="mirror">'
            f"<Prefix>{escape(call.query.get('prefix', ''))}</Prefix><Blobs>{blobs}</Blobs>"
            f"<NextMarker>{'2!88!' + escape(end) if end else ''}</NextMarker></EnumerationResults>",
            # As the real service does.
            start="\ufeff",
        )


class AzureSigned(Azure):
    """A container that only a signature opens, which every request has to carry."""

    def section(self, base: str) -> SourceSettings:
        """Return the URL with the signature."""
        return super().section(f"{base}?{_query(_SIGNATURE)}")

    def answer(self, call: Call) -> Page:
        """Return what the container has to whoever is right."""
        if {name: call.query.get(name) for name in _SIGNATURE} != _SIGNATURE:
            return _azure_error(403, "AuthenticationFailed")
        return super().answer(call)


def _query(values: dict[str, str]) -> str:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items())


def _blob(name: str, file: File | None) -> str:
    if file is None:
        return f"<BlobPrefix><Name>{escape(name)}</Name></BlobPrefix>"
    return (
        f"<Blob><Name>{escape(name)}</Name><Properties><Content-Length>{len(file.content)}"
        f"</Content-Length><Last-Modified>{file.date:%a, %d %b %Y %H:%M:%S GMT}</Last-Modified>"
        "<BlobType>BlockBlob</BlobType></Properties></Blob>"
    )


def _key(name: str, *, url: bool) -> str:
    return quote(name, safe="/") if url else escape(name)


def _xml(text: str, *, status: int = 200, start: str = "") -> Page:
    body = f'{start}<?xml version="1.0" encoding="utf-8"?>{text}'.encode()
    return Page(body=body, status=status, headers={"Content-Type": "application/xml"})


def _s3_error(status: int, code: str) -> Page:
    text = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>"
    return _xml(text, status=status)


def _azure_error(status: int, code: str) -> Page:
    return _s3_error(status, code)
