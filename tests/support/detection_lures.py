"""What only looks as if uv were kept there, and what a person is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from support import detection_servers as front
from support.catalogue import catalogue
from support.simulator import plain
from support.simulator.dialect import html, json_page, redirect
from support.web import Page
from uv_self_update import platforms
from uv_self_update.errors import NotDetected, Unreachable

if TYPE_CHECKING:
    from support.web import Asked
    from uv_self_update.errors import SourceError

ARCHIVE = platforms.current().archive
MOST = 18
"""Requests until the verdict, also where there is nothing."""

REDIRECTED = 24
"""The same where most are sent on to a page to log in, which counts as another."""


@dataclass(frozen=True, kw_only=True)
class Lure:
    """A server that only looks as if, a URL of it, and what a person is told."""

    name: str
    answer: front.Answer
    path: str = "/uv/"
    error: type[SourceError] = NotDetected
    said: tuple[str, ...] = ()
    """Parts of the error; `{url}` is the server's."""

    hint: tuple[str, ...] = ()
    """Parts of the advice."""

    most: int = MOST


_BY_HAND = ("`nexus+{url}/uv/`", 'kind = "urls"', 'download = "{url}/uv/{{tag}}/{{asset}}"')
_MANIFEST = "{url}/uv/github/versions/main/v1/uv.ndjson: "


def _other_host(server: front.Trap, asked: Asked) -> Page:
    """Send to a page to log in at another host."""
    if asked.path.startswith("/sso"):
        return front.SIGN_IN
    return redirect(server.url.replace("127.0.0.1", "localhost") + "/sso?next=uv")


def _gitlab(server: front.Trap, asked: Asked) -> Page:
    """Hide a project: from the API as if it were not there, from browsers behind a page."""
    if asked.path.startswith("/api/v4/"):
        return json_page({"message": "404 Project Not Found"}, status=404)
    if asked.path == "/users/sign_in":
        meta = "<meta content='GitLab' property='og:site_name'>"
        return html(f"<!DOCTYPE html><html><head>{meta}</head><input type='password'></html>")
    return redirect(f"{server.url}/users/sign_in")


def _bucket(text: str) -> front.Answer:
    """Answer as a store with one bucket."""
    body = f'<?xml version="1.0"?><ListBucketResult><Name>b</Name>{text}</ListBucketResult>'
    found = Page(body=body.encode(), headers=front.XML)
    return front.paths({"/bucket": found, "/bucket/": found}, front.bucket_error("NoSuchKey", 404))


_EMPTY_INDEX = html("<!DOCTYPE html><html><title>Links for uv</title></html>")
_UNAUTHORIZED = Page(status=401, headers={"WWW-Authenticate": 'Basic realm="files"'})
_LATEST = json_page({"tag_name": "0.10.1", "name": "0.10.1", "assets": []})
_NEXUS_PAGE = Page(
    body=b"<html><title>Sonatype Nexus Repository</title></html>", headers=front.NEXUS
)
_NEXUS_404 = Page(status=404, body=b"<html>404</html>", headers=front.NEXUS)
_JFROG_PAGE = Page(body=b"<html><title>JFrog</title></html>", headers=front.ARTIFACTORY)
_JFROG_404 = json_page({"errors": [{"status": 404, "message": "File not found."}]}, status=404)
_JFROG_401 = json_page({"errors": [{"status": 401, "message": "Unauthorized"}]}, status=401)

LURES = (
    Lure(
        name="a page to log in",
        answer=front.always(front.SIGN_IN),
        said=(
            _MANIFEST + "a web page with a login form",
            "{url}/uv/: a web page with a login form",
        ),
        hint=("Pass `--token-env VARIABLE`", *_BY_HAND),
    ),
    Lure(
        name="a page to log in at another host",
        answer=_other_host,
        said=("{url}/uv/: a web page with a login form, from localhost",),
        hint=("Pass `--token-env VARIABLE`", *_BY_HAND),
    ),
    Lure(
        name="a captive portal",
        answer=front.always(
            html("<html><h1>Welcome, guest</h1><a href='/accept'>Go on</a></html>")
        ),
        said=(_MANIFEST + "a web page", "not `listing`", "unexpected response"),
        hint=_BY_HAND,
    ),
    Lure(
        name="an empty bucket",
        answer=_bucket("<IsTruncated>false</IsTruncated>"),
        path="/bucket/",
        said=("tried `s3`, because the server is an S3 server: ", "/bucket/ has no release of uv"),
        hint=(f"`0.13.9/{ARCHIVE}`", "`nexus+{url}/bucket/`"),
    ),
    Lure(
        name="a bucket with something else",
        answer=_bucket("<Contents><Key>backup.tar.gz</Key></Contents>"),
        path="/bucket/",
        said=("tried `s3`, because the server is an S3 server: ", "/bucket/ has no release of uv"),
        hint=(f"`0.13.9/{ARCHIVE}`",),
    ),
    Lure(
        name="a bucket that is closed",
        answer=front.always(front.bucket_error("AccessDenied", 403)),
        path="/bucket/uv/",
        said=("tried `s3`, because the server is an S3 server: ", "answered 403"),
        hint=("check the credentials", 'download = "{url}/bucket/uv/{{tag}}/{{asset}}"'),
    ),
    Lure(
        name="the front page of Nexus",
        answer=front.paths({"/": _NEXUS_PAGE}, _NEXUS_404),
        path="/",
        said=("{url}/: a web page", "{url}/github/versions/main/v1/uv.ndjson: 404"),
        hint=("The server is Nexus; use ", "`{url}/repository/NAME/`"),
    ),
    Lure(
        name="the front page of Nexus below a path",
        answer=front.paths({"/nexus/": _NEXUS_PAGE}, _NEXUS_404),
        path="/nexus/",
        hint=("The server is Nexus; use ", "`{url}/nexus/repository/NAME/`"),
    ),
    Lure(
        name="a repository of Nexus that is hidden",
        answer=front.always(_NEXUS_404),
        path="/repository/uv/",
        said=("tried `nexus`, because the path contains `/repository/`: ", "answered 404"),
        hint=("Nexus also answers 404 if the permission to browse is missing", "`password-env`"),
    ),
    Lure(
        name="the page to log in of Artifactory",
        answer=front.always(_JFROG_PAGE),
        path="/ui/login/",
        said=("/ui/login/github/versions/main/v1/uv.ndjson: a web page",),
        hint=("The server is Artifactory; use ", "`{url}/artifactory/NAME/`"),
        most=1,
    ),
    Lure(
        name="all of Artifactory",
        answer=front.always(_JFROG_404),
        path="/artifactory/",
        hint=("The server is Artifactory; use ", "`{url}/artifactory/NAME/`"),
        most=1,
    ),
    Lure(
        name="a repository of Artifactory that is hidden",
        answer=front.always(_JFROG_404),
        path="/artifactory/uv/",
        said=("tried `artifactory`, because the path contains `/artifactory/`: ", "answered 404"),
        hint=("Artifactory may also answer 404 if a permission is missing", "`token-env`"),
    ),
    Lure(
        name="a repository of Artifactory with a login",
        answer=front.always(_JFROG_401),
        path="/artifactory/uv/",
        said=("/artifactory/uv/github/versions/main/v1/uv.ndjson: 401",),
        hint=("The server rejected the credentials from the URL.",),
    ),
    Lure(
        name="a project of GitLab that is hidden",
        answer=_gitlab,
        path="/platform/uv",
        said=("tried `gitlab`, because it is a page of GitLab: ", "a web page with a login form"),
        hint=("GitLab also answers 404 if a token is missing", "`token-env`"),
        most=REDIRECTED,
    ),
    Lure(
        name="a group of GitLab",
        answer=front.always(Page(status=404, headers={"X-Gitlab-Meta": "{}"})),
        path="/platform",
        said=("/platform: 404",),
        hint=("The server is GitLab; use ", "`{url}/GROUP/PROJECT`"),
    ),
    Lure(
        name="a folder that is not listed",
        answer=front.always(Page(status=403, body=b"<html>403 Forbidden</html>")),
        said=(_MANIFEST + "403", "{url}/uv/: 403", "not `gitea` or `s3`: 403"),
        hint=("The server refuses access", *_BY_HAND),
    ),
    Lure(
        name="a login",
        answer=front.always(_UNAUTHORIZED),
        said=(_MANIFEST + "401", "{url}/uv/: 401"),
        hint=(
            "The server rejected the credentials from the URL.",
            "UV_GITHUB_TOKEN",
        ),
        most=2,
    ),
    Lure(
        name="a login, perhaps of GitHub",
        answer=front.always(_UNAUTHORIZED),
        path="/acme/tools",
        said=("uv.ndjson: 401",),
        hint=(
            "The server rejected the credentials from the URL.",
            "UV_GITHUB_TOKEN",
        ),
        most=2,
    ),
    Lure(
        name="an index with a login",
        answer=front.always(_UNAUTHORIZED),
        path="/simple/",
        said=(
            (
                "tried `index`, because the path ends in `simple`: {url}/simple/uv/ refuses user "
                "`reader` (401 Unauthorized, credentials from the URL in "
            ),
        ),
        hint=("The server rejected the credentials from the URL.",),
    ),
    Lure(
        name="a broken server",
        answer=front.always(Page(status=500)),
        said=(_MANIFEST + "500", "{url}/uv/: 500"),
        hint=("The server failed: try again later", *_BY_HAND),
        most=2,
    ),
    Lure(
        name="a proxy without its server",
        answer=front.always(html("<html>502 Bad Gateway</html>", status=502)),
        said=(_MANIFEST + "502", "{url}/uv/: 502"),
        hint=("The server failed: try again later", *_BY_HAND),
        most=2,
    ),
    Lure(
        name="nothing",
        answer=front.paths({}),
        said=(_MANIFEST + "404", "{url}/uv/: 404", "not `gitea` or `s3`: 404"),
        hint=("Check the URL. The server may also hide it without credentials", *_BY_HAND),
    ),
    Lure(
        name="a list without uv",
        answer=front.paths({"/uv/": front.listing("notes.txt", "1.2/")}),
        said=("tried `listing`, because it is a directory listing: ", "/uv/ has no release of uv"),
        hint=(f"`0.13.9/{ARCHIVE}`", *_BY_HAND),
    ),
    Lure(
        name="an empty list",
        answer=front.paths({"/uv/": front.listing()}),
        said=("tried `listing`, because it is a directory listing: ", "/uv/ has no release of uv"),
        hint=(f"`0.13.9/{ARCHIVE}`", *_BY_HAND),
    ),
    Lure(
        name="a web site",
        answer=front.paths({"/uv/": html("<!DOCTYPE html><h1>uv at ACME</h1><p>Ask Jo.</p>")}),
        said=("{url}/uv/: a web page", "not `listing`: unexpected response"),
        hint=_BY_HAND,
    ),
    Lure(
        name="another API",
        answer=front.paths({"/uv/": json_page({"things": [1, 2]})}),
        said=("{url}/uv/: JSON", "not `listing`: unexpected response"),
        hint=_BY_HAND,
    ),
    Lure(
        name="an index without uv",
        answer=front.paths(
            {"/simple/": html("<title>Simple index</title>"), "/simple/uv/": _EMPTY_INDEX}
        ),
        path="/simple/",
        said=("tried `index`, because the path ends in `simple`: ", "has no release of uv"),
        hint=(f"`0.13.9/{ARCHIVE}`", "`nexus+{url}/simple/`"),
    ),
    Lure(
        name="the archive itself",
        answer=front.paths({f"/uv/0.10.1/{ARCHIVE}": Page(body=b"\x1f\x8b...")}),
        path=f"/uv/0.10.1/{ARCHIVE}",
        said=(f"/uv/0.10.1/{ARCHIVE}: an archive",),
        hint=("use the URL of its directory, as in `{url}/uv/`", *_BY_HAND),
        most=1,
    ),
    Lure(
        name="the installer itself",
        answer=front.paths({"/uv/uv-installer.sh": Page(body=b"#!/bin/sh\n")}),
        path="/uv/uv-installer.sh",
        said=("/uv/uv-installer.sh: a script",),
        hint=("use the URL of its directory, as in `{url}/uv/`", *_BY_HAND),
        most=1,
    ),
    Lure(
        name="a file that is not there",
        answer=front.paths({}),
        path="/uv/latest.json",
        said=("/uv/latest.json: 404",),
        hint=("use the URL of its directory, as in `{url}/uv/`", *_BY_HAND),
    ),
    Lure(
        name="GitHub's JSON",
        answer=front.paths({"/uv/latest.json": _LATEST}),
        path="/uv/latest.json",
        said=("/uv/latest.json: JSON",),
        hint=('kind = "urls"', 'latest = "{url}/uv/latest.json"', _BY_HAND[2]),
        most=1,
    ),
    Lure(
        name="Astral's manifest, elsewhere",
        answer=front.paths({"/uv/uv.ndjson": Page(body=plain.ndjson(catalogue("0.10.1")))}),
        path="/uv/uv.ndjson",
        hint=('kind = "urls"', 'latest = "{url}/uv/uv.ndjson"', _BY_HAND[2]),
        most=1,
    ),
    Lure(
        name="a bare version",
        answer=front.paths({"/uv/latest.txt": Page(body=b"0.10.1\n")}),
        path="/uv/latest.txt",
        hint=('kind = "urls"', 'latest = "{url}/uv/latest.txt"', _BY_HAND[2]),
        most=1,
    ),
    Lure(
        name="a bare version in a file without an ending",
        answer=front.paths({"/uv/latest": Page(body=b"0.10.1\n")}),
        path="/uv/latest",
        hint=(
            'kind = "urls"',
            'latest = "{url}/uv/latest"',
            'download = "{url}/uv/{{tag}}/{{asset}}"',
        ),
    ),
    Lure(
        name="a server that breaks off",
        answer=front.paths({"/api/v1/packages/uv": Page(body=b"[", length=1000)}),
        said=("not `gitea`: ", "was interrupted after 1 bytes", "not `s3`: 404"),
        hint=_BY_HAND,
    ),
    Lure(
        name="an endless redirect",
        answer=lambda server, asked: redirect(server.url + asked.path),
        error=Unreachable,
        said=(
            "failed to fetch `{url}/uv/github/versions/main/v1/uv.ndjson`: more than 10 redirects",
        ),
        hint=("Check the URL",),
        most=11,
    ),
)
