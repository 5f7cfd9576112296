"""What kind a URL may be of, decided without asking anybody."""

from __future__ import annotations

import pytest

from support.detection_lures import ARCHIVE
from support.urls import text_of
from uv_self_update.errors import IndexFailed, NoSuchVersion, StatusRefused, UnexpectedBody
from uv_self_update.network.responses import Answer
from uv_self_update.sources.detection.advice import Attempt, Findings, Request, advice
from uv_self_update.sources.detection.clues import (
    Clue,
    from_answer,
    from_index_page,
    from_page,
    from_url,
    index_roots,
    is_file,
    is_web_page,
    last_resorts,
    source_url,
)
from uv_self_update.url import Url

URL = "https://files.example.com/uv/"


def answer(
    status: int = 200, body: bytes = b"", url: str = URL, headers: dict[str, str] | None = None
) -> Answer:
    """Return what came for a request."""
    return Answer(url=url, status=status, headers=headers or {}, body=body)


def said(clue: Clue) -> tuple[str, str | None]:
    """Return the kind and the URL of a clue."""
    return clue.kind, None if clue.settings is None else text_of(clue.settings.url)


@pytest.mark.parametrize(
    ("url", "kinds"),
    [
        ("https://github.com/astral-sh/uv", ["github"]),
        ("https://www.github.com/astral-sh/uv/", ["github"]),
        ("https://GitHub.com/acme/tools", ["github"]),
        ("https://github.example.com/mirrors/uv", ["github"]),
        ("https://gitlab.com/acme/uv", ["gitlab"]),
        ("https://gitlab/acme/uv", ["gitlab"]),
        ("https://gitlab.example.com/a/b/c/uv", ["gitlab"]),
        ("https://codeberg.org/acme/uv", ["gitea"]),
        ("https://gitea.example.com/acme/uv", ["gitea"]),
        ("https://forgejo.example.com/acme/uv", ["gitea"]),
        ("https://acme.jfrog.io/acme/uv", ["artifactory"]),
        ("https://acme.jfrog.io/artifactory/uv/", ["artifactory", "artifactory"]),
        ("https://acme.jfrog.io/artifactory/api/pypi/all/simple", ["index", "artifactory"]),
        ("https://acme.s3.eu-central-1.amazonaws.com/uv/", ["s3"]),
        ("https://s3.amazonaws.com/acme/uv/", ["s3"]),
        ("https://storage.googleapis.com/acme/uv/", ["s3"]),
        ("https://acme.storage.googleapis.com/uv/", ["s3"]),
        ("https://acme.blob.core.windows.net/uv?sv=2026&sig=x", ["s3"]),
        ("https://nexus.example.com/repository/uv/", ["nexus"]),
        ("https://example.com/nexus/repository/uv-raw/tools", ["nexus"]),
        ("https://nexus.example.com/repository/pypi/simple/", ["index"]),
        ("https://nexus.example.com/repository/pypi/simple/uv/", ["index"]),
        ("https://nexus.example.com/", []),
        ("https://example.com/artifactory/uv-local/", ["artifactory"]),
        ("https://example.com/artifactory/api/pypi/all/simple/", ["index"]),
        ("https://pkgs.example.com/acme/_packaging/feed/pypi/simple/", ["index"]),
        ("https://devpi.example.com/root/pypi/+simple/", ["index"]),
        ("https://example.com/simple/uv", ["index"]),
        ("https://example.com/simpler/uv", []),
        ("https://example.com/api/v4/projects/17/packages", ["gitlab"]),
        ("https://example.com/api/v1/packages/acme", ["gitea"]),
        ("https://notgithub.com/acme/uv", []),
        ("https://example.com/github.com/uv", []),
        ("https://amazonaws.com.example.com/uv", []),
        (URL, []),
    ],
)
def test_from_url(url: str, kinds: list[str]) -> None:
    """Well-known hosts and paths tell, and others do not."""
    assert [clue.kind for clue in from_url(Url.parse(url))] == kinds


@pytest.mark.parametrize(
    ("url", "due"),
    [
        ("https://github.com/astral-sh/uv/releases", "https://github.com/astral-sh/uv"),
        ("https://github.com/astral-sh/uv/releases/tag/0.13.9", "https://github.com/astral-sh/uv"),
        ("https://github.com/astral-sh/uv/releases/latest/", "https://github.com/astral-sh/uv"),
        ("https://github.com/astral-sh/uv/tree/main/crates", "https://github.com/astral-sh/uv"),
        ("https://github.com/astral-sh/uv.git", "https://github.com/astral-sh/uv"),
        ("https://github.com/acme/releases", "https://github.com/acme/releases"),
        ("https://u:p@github.com/acme/uv/tags", "https://u:p@github.com/acme/uv"),
        ("https://github.com/acme", None),
        ("https://gitlab.com/acme", None),
        ("https://codeberg.org/acme/uv/releases", "https://codeberg.org/acme/uv"),
        ("https://codeberg.org/acme", "https://codeberg.org/acme"),
        ("https://codeberg.org/", None),
        ("https://example.com/artifactory", None),
        ("https://example.com/artifactory/", None),
        ("https://example.com/artifactory/ui/login", None),
        ("https://acme.jfrog.io/ui/packages", None),
        ("https://example.com/simple/uv/", "https://example.com/simple/"),
        ("https://example.com/api/pypi/all", "https://example.com/api/pypi/all/simple/"),
    ],
)
def test_url_of_a_clue(url: str, due: str | None) -> None:
    """A clue has the URL that its kind is configured with, or none where there can be none."""
    assert said(next(from_url(Url.parse(url))))[1] == due


@pytest.mark.parametrize(
    ("url", "due"),
    [
        (URL, URL),
        ("https://u:p@e.com/uv?sig=x", "https://u:p@e.com/uv?sig=x"),
        ("https://e.com/uv#top", "https://e.com/uv"),
        ("https://e.com/uv/index.html", "https://e.com/uv/"),
        ("https://e.com/service/rest/repository/browse/uv/a/", "https://e.com/repository/uv/a/"),
        ("https://e.com/n/service/rest/repository/browse/uv/", "https://e.com/n/repository/uv/"),
        ("https://e.com/#browse/browse:uv", "https://e.com/repository/uv/"),
        ("https://u:p@e.com/n/#browse/browse:uv:a%2Fb", "https://u:p@e.com/n/repository/uv/"),
        ("https://e.com/#browse/welcome", "https://e.com/"),
        ("https://e.com/ui/native/uv/a/", "https://e.com/artifactory/uv/a/"),
        ("https://e.com/ui/repos/tree/General/uv/a", "https://e.com/artifactory/uv/a"),
        ("https://e.com/artifactory/api/storage/uv/a", "https://e.com/artifactory/uv/a"),
        ("https://e.com/artifactory/list/uv/", "https://e.com/artifactory/uv/"),
        (
            "https://e.com/artifactory/webapp/#/artifacts/browse/tree/General/uv/a",
            "https://e.com/artifactory/uv/a",
        ),
        ("https://e.com/g/uv/-/packages/17", "https://e.com/g/uv"),
        ("https://e.com/g/uv/-/releases", "https://e.com/g/uv"),
        ("https://e.com/m/github/versions/main/v1/uv.ndjson", "https://e.com/m/"),
        ("https://e.com/uv.ndjson", "https://e.com/uv.ndjson"),
    ],
)
def test_source_url(url: str, due: str) -> None:
    """What was copied out of a browser is led back to what the page is about."""
    assert source_url(Url.parse(url)) == Url.parse(due)
    assert source_url(Url.parse(due)) == Url.parse(due)


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/uv/latest.json", True),
        ("/uv/latest.txt?x=1", True),
        ("/uv/uv-installer.sh", True),
        (f"/uv/0.13.9/{ARCHIVE}", True),
        ("/uv/0.13.9", False),
        ("/uv/v0.13.9/", False),
        ("/uv/latest.json/", False),
        ("/acme/uv.git", False),
        ("/", False),
    ],
)
def test_is_file(path: str, *, file: bool) -> None:
    """The ending tells a file; a version is none."""
    assert is_file(Url.parse(f"https://example.com{path}")) == file


@pytest.mark.parametrize(
    ("headers", "due"),
    [
        ({}, []),
        ({"server": "nginx/1.22.1"}, []),
        ({"server": "my-nexus/3"}, []),
        ({"server": "Nexus/3.75.1-01 (OSS)"}, [("nexus", None)]),
        ({"server": "Artifactory/7.90.8"}, [("artifactory", URL)]),
        ({"x-jfrog-version": "Artifactory/7.90.8"}, [("artifactory", URL)]),
        ({"x-gitlab-meta": "{}"}, [("gitlab", None)]),
        ({"x-github-request-id": "8A2B"}, [("github", None)]),
        ({"x-amz-request-id": "17"}, [("s3", URL)]),
        ({"x-ms-request-id": "17"}, [("s3", URL)]),
        ({"x-devpi-api-version": "2"}, [("index", f"{URL}+simple/")]),
    ],
)
def test_headers(headers: dict[str, str], due: list[tuple[str, str | None]]) -> None:
    """Products have headers of their own; where such a one has no such URL, that is known."""
    assert [said(clue) for clue in from_answer(Url.parse(URL), answer(404, headers=headers))] == due


@pytest.mark.parametrize(
    ("status", "body", "kinds"),
    [
        (200, b'{"version":"0.13.9","date":"x","artifacts":[]}\n', ["astral"]),
        (200, b'\n{"version":"0.13.9","artifacts":[]}', ["astral"]),
        (404, b'{"version":"0.13.9","artifacts":[]}', []),
        (200, b'{"version":"0.13.9"}', []),
        (404, b'{"errors":[{"status":404,"message":"File not found."}]}', ["artifactory"]),
        (401, b'{"errors":[{"status":401,"message":"Unauthorized"}]}', ["artifactory"]),
        (404, b'{"errors":[]}', []),
        (404, b'{"errors":["404"]}', []),
        (404, b'{"errors":', []),
        (404, b"[" * 100_000, []),
        (404, b'{"message":"404 Project Not Found"}', []),
        (200, b"<html></html>", []),
    ],
)
def test_bodies(status: int, body: bytes, kinds: list[str]) -> None:
    """Astral's manifest may be there; and only Artifactory words its errors like that."""
    assert [clue.kind for clue in from_answer(Url.parse(URL), answer(status, body))] == kinds


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        (b"<title>Index of /uv/</title>", ["listing"]),
        (b"<title>Directory listing for /uv/</title>", ["listing"]),
        (b"<A HREF='/'>[To Parent Directory]</A>", ["listing"]),
        (b'[ {"name":"0.13.9"}]', ["listing"]),
        (b'<a href="?sort=name&order=desc">', ["listing"]),
        (b'<?xml version="1.0"?><ListBucketResult xmlns="x">', ["s3"]),
        (b"<EnumerationResults>", ["s3"]),
        # Whatever it says of itself: an index is known by uv's wheels.
        (b'<meta name="pypi:repository-version" content="1.0"><title>Simple index</title>', []),
        (b'<meta content="GitLab" property="og:site_name">', ["gitlab"]),
        (b"Powered by Gitea", ["gitea"]),
        (b"Powered by Forgejo", ["gitea"]),
        (b"<title>Sonatype Nexus Repository</title>", ["nexus"]),
        (b"<title>JFrog</title>", ["artifactory"]),
        (b"<title>Our tools</title> <a href='artifactory/'>", []),
        (b"<h1>Welcome</h1>", []),
        (b" " * 10_000 + b"<title>Index of", []),
        (b"", []),
    ],
)
def test_pages(body: bytes, kinds: list[str]) -> None:
    """The beginning of a page tells what has made it."""
    assert [clue.kind for clue in from_page(Url.parse(URL), answer(body=body))] == kinds


@pytest.mark.parametrize(
    ("url", "manifest", "page", "kinds", "roots"),
    [
        (URL, 404, 200, ["listing", "gitea", "s3"], ["", "uv/simple/", "uv/index/"]),
        (URL, 404, 404, ["gitea", "s3"], ["", "uv/simple/", "uv/index/"]),
        (URL, 401, 401, [], []),
        (URL, 401, 200, ["listing", "gitea", "s3"], ["", "uv/simple/", "uv/index/"]),
        (URL, 500, 500, [], []),
        (URL, 502, 404, ["gitea", "s3"], ["", "uv/simple/", "uv/index/"]),
        (
            "https://e.com/a/b",
            404,
            404,
            ["github", "gitlab", "gitea", "s3"],
            ["b/", "b/simple/", "b/index/"],
        ),
        ("https://e.com/a/b", 401, 401, [], []),
        ("https://e.com/", 404, 200, ["listing", "s3"], ["", "simple/", "index/"]),
    ],
)
def test_last_resorts(
    url: str, manifest: int, page: int, kinds: list[str], roots: list[str]
) -> None:
    """What is worth a try depends on the URL, and on whether the server refuses everything."""
    answers = answer(manifest), answer(page, b"x")
    assert [clue.kind for clue in last_resorts(Url.parse(url), *answers)] == kinds
    assert [
        root.text.partition("com/")[2].removeprefix("a/")
        for root in index_roots(Url.parse(url), *answers)
    ] == roots


def test_page_to_log_in() -> None:
    """A page to log in is not looked at as a listing once more."""
    page = answer(body=b"<html><input type='password'></html>")
    assert is_web_page(page)
    assert [clue.kind for clue in last_resorts(Url.parse(URL), page, page)] == ["gitea", "s3"]


@pytest.mark.parametrize(
    ("status", "body", "found"),
    [
        (200, b'<a href="../../uv-0.13.9-py3-none-win_amd64.whl#sha256=x">', True),
        (200, b'{"files": [{"filename": "uv-0.13.9-py3-none-win32.whl"}]}', True),
        (200, b'<a href="uv_build-0.13.9-py3-none-any.whl">', False),
        (200, b'<a href="uv-0.13.9.tar.gz">', False),
        (404, b"uv-0.13.9-py3-none-win32.whl", False),
    ],
)
def test_index_page(status: int, body: bytes, *, found: bool) -> None:
    """An index is one that lists wheels of uv."""
    clues = [said(clue) for clue in from_index_page(Url.parse(URL), answer(status, body))]
    assert clues == [("index", "https://files.example.com/")] * found


def findings(
    *looks: Answer,
    attempts: tuple[Attempt, ...] = (),
    unfit: tuple[Clue, ...] = (),
    url: str = URL,
) -> Findings:
    """Return what came of an examination."""
    return Findings(
        url=Url.parse(url),
        requests=[Request(url=Url.parse(look.url), answer=look) for look in looks],
        attempts=[*attempts],
        invalid=[*unfit],
    )


REFUSED = StatusRefused(URL, 403, "Forbidden")
EMPTY = NoSuchVersion(URL, "release of uv", ())
OTHER = UnexpectedBody(URL, "a directory listing", "a web page")
FAILED = IndexFailed("the index", "uv pip compile", "no such host")
NAMED = Clue(kind="nexus", reason="the server is Nexus", settings=None)
GUESSED = Clue(kind="s3", reason="", settings=None)


@pytest.mark.parametrize(
    ("found", "start"),
    [
        (findings(answer(401), answer(401)), "The server requires authentication"),
        (findings(answer(500), answer(502)), "The server failed"),
        (findings(answer(404)), "Check the URL. The server may also hide it without credentials"),
        (findings(answer(404), answer(403)), "The server refuses access"),
        (
            findings(answer(body=b"<html><input type=password>")),
            "The server answers with a login page",
        ),
        (findings(answer(body=b"<html>")), "If the server has uv, write its kind"),
        (findings(answer(404), unfit=(NAMED,)), "The server is Nexus; use the URL of a repository"),
        (
            findings(answer(404), attempts=(Attempt(clue=NAMED, error=REFUSED),)),
            "The server denies access",
        ),
        (
            findings(answer(404), attempts=(Attempt(clue=GUESSED, error=EMPTY),)),
            "Releases of uv are recognized by their names: `0.13.9/",
        ),
        (
            findings(answer(200), attempts=(Attempt(clue=NAMED, error=OTHER),)),
            "The server may have sent a login page or an error page",
        ),
        (
            findings(answer(200), attempts=(Attempt(clue=GUESSED, error=OTHER),)),
            "If the server has uv, write its kind",
        ),
        (
            findings(answer(200), attempts=(Attempt(clue=NAMED, error=FAILED),), unfit=(NAMED,)),
            "Run `uv pip install",
        ),
        (findings(url=f"{URL}{ARCHIVE}"), "The URL points to a file"),
    ],
)
def test_advice(found: Findings, start: str) -> None:
    """What is likeliest to help comes first."""
    assert advice(found, ARCHIVE).startswith(start)


@pytest.mark.parametrize(
    ("url", "latest", "folder"),
    [
        (URL, f"{URL}latest.txt", URL),
        (
            "https://u:s3cret@e.com/uv?sig=s3cret",
            "https://e.com/uv/latest.txt",
            "https://e.com/uv/",
        ),
        ("https://e.com/uv/0.13.9/a.zip", "https://e.com/uv/latest.txt", "https://e.com/uv/"),
        ("https://e.com/uv/v0.13.9/a.zip", "https://e.com/uv/latest.txt", "https://e.com/uv/"),
        (
            "https://e.com/uv/files/a.zip",
            "https://e.com/uv/files/latest.txt",
            "https://e.com/uv/files/",
        ),
        ("https://e.com/a.zip", "https://e.com/latest.txt", "https://e.com/"),
    ],
)
def test_by_hand(url: str, latest: str, folder: str) -> None:
    """What is to be written by hand names the folder of all versions, and no login."""
    text = advice(findings(answer(body=b"<html>"), url=url), ARCHIVE)
    assert f'    latest = "{latest}"\n    download = "{folder}{{tag}}/{{asset}}"' in text
    assert f"`nexus+{folder}`" in text
    assert "s3cret" not in text


@pytest.mark.parametrize(
    "body",
    [
        b"0.13.9\n",
        b"v0.13.9",
        b'{"tag_name": "0.13.9", "assets": []}',
        b'[{"tag_name": "0.13.9", "assets": []}]',
        b'{"version": "0.13.9", "artifacts": []}\n',
    ],
)
def test_file_that_names_versions(body: bytes) -> None:
    """A file that a source of kind `urls` can read is led to that kind."""
    url = "https://u:s3cret@e.com/uv/latest"
    text = advice(findings(answer(body=body, url=url), url=url), ARCHIVE)
    assert text.startswith("That file names versions of uv")
    assert 'kind = "urls"\n    latest = "https://e.com/uv/latest"' in text
    assert 'download = "https://e.com/uv/{tag}/{asset}"' in text


@pytest.mark.parametrize("body", [b"[]", b"{}", b"hello", b"", b'{"tag_name": 1}'])
def test_file_that_names_none(body: bytes) -> None:
    """A file of another kind is not."""
    url = "https://e.com/uv/latest"
    text = advice(findings(answer(body=body, url=url), url=url), ARCHIVE)
    assert not text.startswith("That file")


@pytest.mark.parametrize(
    ("kind", "url", "due"),
    [
        ("nexus", "https://u:p@e.com:8443/", "https://e.com:8443/repository/NAME/"),
        ("nexus", "https://e.com/nexus/", "https://e.com/nexus/repository/NAME/"),
        ("artifactory", "https://e.com/ui/login", "https://e.com/artifactory/NAME/"),
        ("gitlab", "https://e.com/acme", "https://e.com/GROUP/PROJECT"),
        ("gitea", "https://e.com/", "https://e.com/OWNER/REPO"),
        ("github", "https://e.com/acme", "https://e.com/OWNER/REPO"),
    ],
)
def test_unfit(kind: str, url: str, due: str) -> None:
    """Where the product is known and the URL is none of its sources, an example is given."""
    clue = Clue(kind=kind, reason="its header says so", settings=None)
    assert f"`{due}`" in advice(findings(answer(404), unfit=(clue,), url=url), ARCHIVE)
