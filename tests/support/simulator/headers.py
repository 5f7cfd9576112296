"""Which headers each request has to send, held against the documents of each product.

One table for all kinds of sources. Every simulator compares each request with it, and the contract
tests expect no objection; a test walks the table and makes sure that each of its rows was sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.simulator.dialect import Call

_FILE = r".*\.(?:tar\.gz|zip|sh|ps1|sha256|sum)"
_OWN = r"uv-self-update/[0-9].*"

NEVER = frozenset({"cookie", "origin", "proxy-authorization", "referer", "x-requested-with"})
"""What no request carries: what browsers add, and what is meant for a proxy."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One kind of request to one kind of source."""

    kind: str
    """The kind of the source."""

    what: str
    path: str
    """A pattern for the decoded path below the product's root."""

    accept: str
    """A pattern for the whole of `Accept`."""

    encoding: str
    """A pattern for the whole of `Accept-Encoding`."""

    because: str
    """The document, or the report, that says so."""

    agent: str = _OWN
    never: frozenset[str] = NEVER
    methods: frozenset[str] = frozenset({"GET"})
    more: Mapping[str, str] = field(default_factory=dict)
    """Other headers that have to be there, with a pattern for each value."""


_GITHUB_API = r"/api/v3/repos/[^/]+/[^/]+/releases"
_GITHUB_JSON = r"application/vnd\.github\+json"
_GITHUB_DOCS = "docs.github.com/rest/releases/releases: `application/vnd.github+json` recommended"
_CURL = "the documents show curl, which sends */*"
_HEAD_TOO = frozenset({"GET", "HEAD"})
_LOOK = r"\*/\*"
"""Of a request that finds out what a server is."""

REQUESTS = (
    Request(
        kind="github",
        what="list of releases",
        path=_GITHUB_API,
        accept=_GITHUB_JSON,
        encoding="gzip",
        because=_GITHUB_DOCS,
    ),
    Request(
        kind="github",
        what="one release",
        path=rf"{_GITHUB_API}/(?:latest|tags/.+)",
        accept=_GITHUB_JSON,
        encoding="gzip",
        because=_GITHUB_DOCS,
    ),
    Request(
        kind="github",
        what="file, of the API",
        path=rf"{_GITHUB_API}/assets/[0-9]+",
        accept="application/octet-stream",
        encoding="identity",
        more={"authorization": ".+"},
        because="docs.github.com/rest/releases/assets; exactly this: tuist#11444, go-github#870",
    ),
    Request(
        kind="github",
        what="file, of the web pages",
        path=r"/[^/]+/[^/]+/releases/download/[^/]+/[^/]+",
        accept="application/octet-stream",
        encoding="identity",
        because="the same file by another way",
    ),
    Request(
        kind="gitlab",
        what="list of releases, of packages, of a package's files",
        path=r"/api/v4/projects/.+/(?:releases|packages(?:/[0-9]+/package_files)?)",
        accept="application/json",
        encoding="gzip",
        never=NEVER | {"authorization"},
        because="docs.gitlab.com/api/rest; a token is `PRIVATE-TOKEN`, and empty it is none",
    ),
    Request(
        kind="gitlab",
        what="file",
        path=r"/api/v4/projects/.+/(?:packages/generic/.+|releases/[^/]+/downloads/.+)",
        accept=_LOOK,
        encoding="identity",
        never=NEVER | {"authorization"},
        because=f"docs.gitlab.com/user/packages/generic_packages: {_CURL}",
    ),
    Request(
        kind="gitlab",
        what="file behind a link",
        path=rf"/files of uv/{_FILE}",
        accept=_LOOK,
        encoding="identity",
        because=_CURL,
    ),
    Request(
        kind="gitea",
        what="list of releases, of packages, of a package's files",
        path=r"/api/v1/(?:repos/[^/]+/[^/]+/releases|packages/[^/]+(?:/generic/[^/]+/[^/]+/files)?)",
        accept="application/json",
        encoding="gzip",
        because="docs.gitea.com/development/api-usage",
    ),
    Request(
        kind="gitea",
        what="file",
        path=r"/(?:api/packages/[^/]+/generic/.+|[^/]+/[^/]+/releases/download/.+)",
        accept=_LOOK,
        encoding="identity",
        because=f"docs.gitea.com/usage/packages/generic: {_CURL}",
    ),
    Request(
        kind="nexus",
        what="page to browse",
        path=r"/service/rest/repository/browse/.*",
        accept="text/html",
        encoding="gzip",
        because="RepositoryBrowseResource produces text/html",
    ),
    Request(
        kind="nexus",
        what="search",
        path=r"/service/rest/v1/search/assets",
        accept="application/json",
        encoding="gzip",
        because="help.sonatype.com/en/search-api",
    ),
    Request(
        kind="nexus",
        what="manifest, through a proxy",
        path=r"/repository/.*/uv\.ndjson",
        accept=_LOOK,
        encoding="gzip",
        because="a file like any other, of which only the text matters",
    ),
    Request(
        kind="nexus",
        what="file",
        path=rf"/repository/{_FILE}",
        accept=_LOOK,
        encoding="identity",
        methods=_HEAD_TOO,
        because=f"help.sonatype.com/en/raw-repositories: {_CURL}",
    ),
    Request(
        kind="artifactory",
        what="what is stored",
        path=r"/artifactory/api/storage/.*",
        accept="application/json",
        encoding="gzip",
        because="docs.jfrog.com: folder info; `Mozilla…` is sent to the UI (RTFACT-26216)",
    ),
    Request(
        kind="artifactory",
        what="manifest, through a proxy",
        path=r"/artifactory/(?!api/).*/uv\.ndjson",
        accept=_LOOK,
        encoding="gzip",
        because="a file like any other, of which only the text matters",
    ),
    Request(
        kind="artifactory",
        what="file",
        path=rf"/artifactory/(?!api/){_FILE}",
        accept=_LOOK,
        encoding="identity",
        methods=_HEAD_TOO,
        because=f"docs.jfrog.com: {_CURL}",
    ),
    Request(
        kind="s3",
        what="list",
        path=r"(?:/[^.]*)?",
        accept="application/xml",
        encoding="gzip",
        because="docs.aws.amazon.com ListObjectsV2, learn.microsoft.com List Blobs: XML",
    ),
    Request(
        kind="s3",
        what="object",
        path=rf"/{_FILE}",
        accept=_LOOK,
        encoding="identity",
        because="GetObject, Get Blob",
    ),
    Request(
        kind="listing",
        what="page",
        path=r".*",
        accept=r"text/html\b.*",
        encoding="gzip",
        because="Caddy and npm's serve have pages in JSON as well",
    ),
    Request(
        kind="listing",
        what="file",
        path=rf"/{_FILE}",
        accept=_LOOK,
        encoding="identity",
        methods=_HEAD_TOO,
        because="RFC 9110 section 12.5.3: a `.tar.gz` as it is stored",
    ),
    Request(
        kind="astral",
        what="manifest",
        path=r".*/uv\.ndjson",
        accept=_LOOK,
        encoding="gzip",
        because="uv asks for it without a type of its own (uv-bin-install)",
    ),
    Request(
        kind="astral",
        what="file",
        path=rf"/{_FILE}",
        accept=_LOOK,
        encoding="identity",
        methods=_HEAD_TOO,
        because="uv asks for it without a type of its own (uv-bin-install)",
    ),
    Request(
        kind="urls",
        what="versions",
        path=r".*/(?:all\.json|uv\.ndjson|latest\.txt)",
        accept=_LOOK,
        encoding="gzip",
        because="it may be JSON, ndjson or text",
    ),
    Request(
        kind="urls",
        what="file",
        path=rf"/{_FILE}",
        accept=_LOOK,
        # A digest beside a file is read as a document where nothing lists it.
        encoding="identity|gzip",
        methods=_HEAD_TOO,
        because="RFC 9110 section 12.5.3: a `.tar.gz` as it is stored",
    ),
    Request(
        kind="index",
        what="page",
        path=r".*/simple/.*",
        accept=r"application/vnd\.pypi\.simple\.v1\+json.*",
        encoding=r".*\bgzip\b.*",
        agent=r"uv/[0-9].*",
        because="PEP 691, PEP 503; uv asks",
    ),
    Request(
        kind="index",
        what="wheel",
        path=r".*\.whl(?:\.metadata)?",
        accept=r".*\*/\*.*",
        encoding="identity",
        agent=r"uv/[0-9].*",
        methods=_HEAD_TOO,
        because="uv asks",
    ),
)


def request_of(kind: str, call: Call) -> Request | None:
    """Return the narrowest row for a request to a kind of source; None if there is none."""
    found = [row for row in REQUESTS if row.kind == kind and re.fullmatch(row.path, call.inner)]
    return max(found, key=lambda row: len(row.path), default=None)


def objections(kind: str, method: str, call: Call) -> list[str]:
    """Say what is wrong with the headers of a request; nothing where all is as it should be."""
    row = request_of(kind, call)
    if row is None:
        return [f"{kind}: the table has no row for {method} {call.inner}"]
    expected = {
        "accept": row.accept,
        "accept-encoding": row.encoding,
        "user-agent": row.agent,
        **row.more,
    }
    wrong = [
        f"{name}: {call.headers.get(name)}, not {pattern}"
        for name, pattern in expected.items()
        if not re.fullmatch(pattern, call.headers.get(name, ""))
    ]
    wrong += [f"{name} was sent" for name in sorted(row.never & call.headers.keys())]
    if method not in row.methods:
        wrong.append(f"{method} was sent")
    return [f"{kind}, {row.what}, {call.inner}: {words}" for words in wrong]
