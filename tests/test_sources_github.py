"""The source that is a GitHub repository, or laid out like one."""

from __future__ import annotations

import json
from base64 import b64encode
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from support.urls import source_settings
from support.web import Asked, Page, Web
from uv_self_update.auth.credentials import Credentials
from uv_self_update.config.settings import Network, Settings
from uv_self_update.errors import (
    HiddenByPolicy,
    InvalidSource,
    NoSuchVersion,
    NotFoundOrUnauthorized,
    RateLimited,
    StatusRefused,
    TooLarge,
    UnexpectedBody,
)
from uv_self_update.network.client import Upstream
from uv_self_update.network.limits import Limits
from uv_self_update.platforms import Platform
from uv_self_update.redaction import Secret
from uv_self_update.releases.policy import MinimumAge, Policy
from uv_self_update.releases.release import Asset, Release
from uv_self_update.releases.target import NEWEST, Wanted, parse_target
from uv_self_update.sources.addresses import api_of
from uv_self_update.sources.formats import paging
from uv_self_update.sources.github import GithubSource
from uv_self_update.sources.opened import OpenSources
from uv_self_update.url import Url

PLATFORM = Platform(triple="x86_64-unknown-linux-gnu")
API = "/api/v3/repos/o/r/releases"
LOGIN = "Basic " + b64encode(b"me:pw").decode()


@pytest.fixture
def source(upstream: Upstream, web: Web) -> GithubSource:
    """Return the repository that the server has."""
    return GithubSource(upstream, PLATFORM, url=Url.parse(f"{web.url}/o/r"))


def release(tag: str, **more: object) -> dict[str, object]:
    """Return GitHub's JSON for a release."""
    return {"tag_name": tag, "name": None, "draft": False, "assets": [], **more}


def page(document: object, **headers: str) -> Page:
    """Return a page of JSON."""
    return Page(body=json.dumps(document).encode(), headers=headers)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/o/r", "https://api.github.com/repos/o/r"),
        ("https://github.com/o/r/", "https://api.github.com/repos/o/r"),
        ("https://t.ghe.com/o/r", "https://api.t.ghe.com/repos/o/r"),
        ("https://evilghe.com/o/r", "https://evilghe.com/api/v3/repos/o/r"),
        ("https://GitHub.com/o/r", "https://api.github.com/repos/o/r"),
        ("https://www.github.com/o/r", "https://api.github.com/repos/o/r"),
        ("https://me:pw@github.com/o/r", "https://me:pw@api.github.com/repos/o/r"),
        ("https://git.example.com/o/r", "https://git.example.com/api/v3/repos/o/r"),
        ("https://h:8443/o/r", "https://h:8443/api/v3/repos/o/r"),
        ("https://h/a/b/o/r", "https://h/a/b/api/v3/repos/o/r"),
        ("https://me:pw@h/a/o/r//", "https://me:pw@h/a/api/v3/repos/o/r"),
        ("http://[::1]:80/o/r", "http://[::1]:80/api/v3/repos/o/r"),
        ("https://github.com.evil.example/o/r", "https://github.com.evil.example/api/v3/repos/o/r"),
        ("https://h/o/r?x=1#y", "https://h/api/v3/repos/o/r"),
    ],
)
def test_api(url: str, expected: str) -> None:
    """github.com has its API on another host; all others have it below the same address."""
    assert vars(api_of(Url.parse(url))) == vars(Url.parse(expected))


@pytest.mark.parametrize("path", ["", "/", "/o", "/o/", "//r"])
def test_no_repository(upstream: Upstream, path: str) -> None:
    """A URL that names no repository is refused in so many words, without its login."""
    with pytest.raises(InvalidSource, match="OWNER/REPO") as caught:
        GithubSource(upstream, PLATFORM, url=Url.parse(f"https://me:pw@h.example{path}"))
    assert str(caught.value).startswith("invalid source `https://***@h.example")


def test_newest(source: GithubSource, web: Web) -> None:
    """The newest release comes with its files, and when it was published."""
    name = PLATFORM.archive
    digest = "SHA256:" + "AB" * 32
    assets = [{"name": name, "digest": digest, "id": 7}, {"name": "b"}, "no", {"name": 5}]
    published = "2026-01-29T21:24:46+01:00"
    web.pages[API] = page([release("0.12.3", assets=assets, published_at=published)])
    assert source.find(NEWEST) == Release(
        version="0.12.3",
        tag="0.12.3",
        assets=(Asset(name=name, sha256="ab" * 32, where="7"), Asset(name="b")),
        published="2026-01-29T20:24:46Z",
    )
    assert web.paths() == [f"{API}?per_page=10"]
    assert "application/vnd.github+json" in web.asked[0].headers["Accept"]


def test_exact(source: GithubSource, web: Web) -> None:
    """An exact version is asked for by its tag."""
    web.pages[f"{API}/tags/0.12.3"] = page(release("0.12.3"))
    assert source.find(Wanted(exact="0.12.3")) == Release(version="0.12.3", tag="0.12.3")
    assert web.paths() == [f"{API}/tags/0.12.3"]


@pytest.mark.parametrize("target", ["0.12.3", "0.12", "<0.13", None])
def test_static_files(source: GithubSource, web: Web, target: str | None) -> None:
    """Without `latest` or `tags` the list answers, also with a `v` before each version."""
    listed = [
        release("v0.12.3"),
        release("v0.12.4", draft=True),
        release("nightly"),
        release("v0.9.9"),
        release("v0.13.0rc1", prerelease=True),
    ]
    web.pages[API] = page(listed)
    wanted = NEWEST if target is None else parse_target(target)
    assert source.find(wanted) == Release(version="0.12.3", tag="v0.12.3")


def test_newest_of_the_list_is_by_version(source: GithubSource, web: Web) -> None:
    """The newest in a list is the highest version, not the first or the last."""
    web.pages[API] = page([release("0.9.10"), release("0.10.0"), release("0.9.11")])
    assert source.find(NEWEST).version == "0.10.0"


@pytest.mark.parametrize("target", ["0.9.9", ">0.13"])
def test_unknown_version(source: GithubSource, web: Web, target: str) -> None:
    """What the repository does not have is an error with the nearest that it has."""
    web.pages[API] = page([release("0.12.3"), release("0.13.0")])
    wanted = parse_target(target)
    with pytest.raises(NoSuchVersion) as caught:
        source.find(wanted)
    assert str(caught.value) == f"{web.url}/o/r has no {wanted}"
    assert caught.value.nearest == ("0.13.0", "0.12.3")


@pytest.mark.parametrize("status", [401, 403, 429, 500])
@pytest.mark.parametrize("target", [None, "0.12.3", "0.12"])
def test_refused(source: GithubSource, web: Web, status: int, target: str | None) -> None:
    """A refusal other than 404 and 410 is the error, and nothing else is tried."""
    for path in (f"{API}/latest", f"{API}/tags/0.12.3", API):
        web.pages[path] = Page(status=status)
    with pytest.raises(StatusRefused) as caught:
        source.find(NEWEST if target is None else parse_target(target))
    assert caught.value.status == status
    # Static files may answer 403 for a folder, which the list is to them.
    assert len(web.asked) == (2 if target != "0.12.3" and status == 403 else 1)


@pytest.mark.parametrize("target", ["0.12.3", "0.12", "<0.13"])
@pytest.mark.parametrize(
    "listing",
    [
        Page(status=404),
        Page(status=410),
        Page(status=403),
        Page(body=b"<!DOCTYPE html><h1>Index of"),
    ],
)
def test_files_without_a_list(source: GithubSource, web: Web, target: str, listing: Page) -> None:
    """Where there is only `latest`, as static files may have it, that is found by any target."""
    web.pages |= {API: listing, f"{API}/latest": page(release("0.12.3"))}

    assert source.find(parse_target(target)).version == "0.12.3"


@pytest.mark.parametrize("target", ["0.12.4", "0.13"])
def test_files_without_a_list_and_another_version(
    source: GithubSource, web: Web, target: str
) -> None:
    """Where there is only `latest`, and it is another version, that one is named."""
    web.pages[f"{API}/latest"] = page(release("0.12.3"))

    with pytest.raises(NoSuchVersion) as caught:
        source.find(parse_target(target))

    assert caught.value.nearest == ("0.12.3",)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (release("0.13.0"), "expected uv 0.12.3, got uv 0.13.0"),
        ([], "GitHub's JSON for a release, got a JSON array instead of an object"),
    ],
)
def test_another_release(source: GithubSource, web: Web, document: object, said: str) -> None:
    """What is answered for a tag has to be about that version."""
    web.pages[f"{API}/tags/0.12.3"] = page(document)
    with pytest.raises(UnexpectedBody, match=said):
        source.find(Wanted(exact="0.12.3"))


@pytest.mark.parametrize("document", [{}, "0.12.3", None])
def test_not_a_list(source: GithubSource, web: Web, document: object) -> None:
    """What is answered for the list has to be a list."""
    web.pages[API] = page(document)
    with pytest.raises(UnexpectedBody, match="not a list"):
        source.find(parse_target("0.12"))


@pytest.mark.parametrize("base", ["{web}", "https://api.github.com", "http://10.0.0.1:81/else"])
def test_pages(source: GithubSource, web: Web, base: str) -> None:
    """Further pages are asked for where the first came from, whatever host a server names."""
    documents = {
        "per_page=10": "0.13.0",
        "per_page=100": "0.13.0",
        "per_page=100&page=2": "0.12.4",
        "after=x%20y": "0.11.5",
    }
    queries = list(documents)

    def answer(asked: Asked) -> Page:
        query = asked.path.partition("?")[2]
        following = dict(pairwise(queries)).get(query)
        link = f'<{base.format(web=web.url)}{API}?{following}>; rel="next"' if following else ""
        return page([release(documents[query])], Link=link)

    web.pages[API] = answer
    assert source.find(parse_target("0.11")).version == "0.11.5"
    assert web.paths() == [f"{API}?{query}" for query in queries]


def listed(web: Web, *tags: str, **more: object) -> None:
    """Serve a list in pages, as GitHub cuts it."""

    def answer(asked: Asked) -> Page:
        query = dict(parse_qsl(asked.path.partition("?")[2]))
        size, number = int(query["per_page"]), int(query.get("page", "1"))
        found = [release(tag, **more) for tag in tags[size * (number - 1) : size * number]]
        following = f"{web.url}{API}?per_page={size}&page={number + 1}"
        link = f'<{following}>; rel="next"' if size * number < len(tags) else ""
        return page(found, Link=link)

    web.pages[API] = answer


MANY = [f"0.{minor}.{patch}" for minor in range(13, 0, -1) for patch in range(29, -1, -1)]
"""As many releases as uv has, the newest first."""

SHORT, LONG = f"{API}?per_page=10", f"{API}?per_page=100"


@pytest.mark.parametrize(
    ("tags", "target", "version", "paths"),
    [
        (MANY, None, "0.13.29", [SHORT]),
        (MANY, "<0.13.25", "0.13.24", [SHORT]),
        (MANY, "<0.13.25,>0.13", "0.13.24", [SHORT]),
        (MANY, "0.12", "0.12.29", [SHORT, LONG]),
        (MANY, "0.9", "0.9.29", [SHORT, LONG, f"{LONG}&page=2"]),
        # Releases of an older series came last, or in between.
        (["0.9.30", *MANY], None, "0.13.29", [SHORT]),
        ([*MANY[:3], "0.9.30", *MANY[3:]], None, "0.13.29", [SHORT]),
        ([*MANY[-9:], *MANY[:-9]], None, "0.13.29", [SHORT, LONG]),
        ([*MANY[-4:], *MANY[:-4]], None, "0.13.29", [SHORT]),
        ([*MANY[-5:], *MANY[:-5]], None, "0.13.29", [SHORT, LONG]),
        (["0.14.0rc1", *MANY], None, "0.13.29", [SHORT]),
        (MANY[:10], "0.9", None, [SHORT]),
    ],
)
def test_no_more_than_it_takes(
    source: GithubSource,
    web: Web,
    tags: list[str],
    target: str | None,
    version: str | None,
    paths: list[str],
) -> None:
    """Pages are read until one answers, and the rest can be but older."""
    listed(web, *tags)
    wanted = NEWEST if target is None else parse_target(target)

    if version is None:
        with pytest.raises(NoSuchVersion):
            source.find(wanted)
    else:
        assert source.find(wanted).version == version

    assert web.paths() == paths


def test_a_page_without_this_platform(source: GithubSource, web: Web) -> None:
    """A page whose releases lack this platform's archive, or are hidden, does not answer."""
    tags = MANY[:20]

    def answer(asked: Asked) -> Page:
        short = asked.path == SHORT
        archive, other = [{"name": PLATFORM.archive}], [{"name": "uv-riscv64-linux.tar.gz"}]
        whole = [release(tag, assets=archive if tag in tags[10:] else other) for tag in tags]
        link = f'<{LONG}>; rel="next"' if short else ""
        return page(whole[:10] if short else whole, Link=link)

    web.pages[API] = answer

    assert source.find(NEWEST).version == tags[10]
    assert web.paths() == [SHORT, LONG]


def test_too_young_for_a_page(source: GithubSource, web: Web) -> None:
    """A minimum age that hides a whole page leads to the next."""
    listed(web, *MANY, published_at="2026-01-29T21:24:46Z")
    century = MinimumAge(seconds=100 * 365 * 86_400, text="100 years", origin="a test")
    policy = Policy(rules=(century,))

    with pytest.raises(HiddenByPolicy):
        source.find(NEWEST.under(policy))

    assert web.paths() == [SHORT, LONG, *(f"{LONG}&page={number}" for number in (2, 3, 4))]


def test_exact_version_with_a_prefix(source: GithubSource, web: Web) -> None:
    """A version that has no tag of its own name is looked for, until older ones come."""
    listed(web, *(f"v{tag}" for tag in MANY))

    assert source.find(Wanted(exact="0.13.20")).tag == "v0.13.20"
    assert web.paths() == [f"{API}/tags/0.13.20", SHORT]

    with pytest.raises(NoSuchVersion) as caught:
        source.find(Wanted(exact="0.13.99"))

    assert caught.value.nearest == ("0.13.29", "0.13.28", "0.13.27")
    assert web.paths()[2:] == [f"{API}/tags/0.13.99"]


def test_exact_version_after_an_older_one(source: GithubSource, web: Web) -> None:
    """That an older version comes first does not mean that the one looked for is missing."""
    listed(web, *(f"v{tag}" for tag in ["0.9.30", *MANY]))

    assert source.find(Wanted(exact="0.12.5")).tag == "v0.12.5"
    assert web.paths() == [f"{API}/tags/0.12.5", SHORT, LONG]


@pytest.mark.parametrize(("limit", "paths"), [(1, [SHORT]), (10, [SHORT]), (11, [SHORT, LONG])])
def test_releases(source: GithubSource, web: Web, limit: int, paths: list[str]) -> None:
    """A few of the newest releases take no more of the list."""
    listed(web, *MANY)

    assert [found.version for found in source.releases(limit)] == MANY[:limit]
    assert web.paths() == paths


def test_the_list_is_asked_for_once(source: GithubSource, web: Web) -> None:
    """Another question is answered by what was read, as far as that goes."""
    listed(web, *MANY)
    assert source.find(parse_target("0.12")).version == "0.12.29"
    before = len(web.asked)

    assert source.find(parse_target("0.12")).version == "0.12.29"
    assert source.find(NEWEST).version == "0.13.29"
    assert len(source.releases(20)) == 20

    assert len(web.asked) == before


def test_endless_pages(source: GithubSource, web: Web) -> None:
    """A list that names itself as its next page comes to an end."""
    web.pages[API] = page([release("0.12.3")], Link=f'<{LONG}>; rel="next"')

    with pytest.raises(UnexpectedBody, match="a list, got an endless one"):
        source.find(parse_target("0.11"))

    assert web.paths() == [SHORT, LONG]


def test_pages_without_end(web: Web) -> None:
    """A list that has always one more page comes to an end."""
    limits = Limits(pages=20)
    upstream = Upstream(Network(retries=0), Credentials(), environ={}, limits=limits)
    source = GithubSource(upstream, PLATFORM, url=Url.parse(f"{web.url}/o/r"))

    def answer(_: Asked) -> Page:
        return page([], Link=f'<{API}?page={len(web.asked)}>; rel="next"')

    web.pages[API] = answer

    with closing(upstream), pytest.raises(TooLarge, match="exceeds the limit of 20 pages"):
        source.find(parse_target("0.11"))
    assert len(web.asked) <= 21  # with the newest releases, which are requested first


def test_entries_of_all_pages(
    source: GithubSource, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entries of all pages count together."""
    monkeypatch.setattr(paging, "MAX_ENTRIES", 5)

    def answer(_: Asked) -> Page:
        return page([{}, {}], Link=f'<{API}?page={len(web.asked)}>; rel="next"')

    web.pages[API] = answer

    with pytest.raises(TooLarge, match="exceeds the limit of 5 entries"):
        source.find(parse_target("0.11"))


@pytest.mark.parametrize(
    ("prefix", "tag", "path"),
    [
        ("", "v0.12.3", "/o/r/releases/download/v0.12.3/uv.zip"),
        ("/git/hub", "0.12.3", "/git/hub/o/r/releases/download/0.12.3/uv.zip"),
        ("", "a/b?c ü", "/o/r/releases/download/a%2Fb%3Fc%20%C3%BC/uv.zip"),
    ],
)
def test_open(upstream: Upstream, web: Web, prefix: str, tag: str, path: str) -> None:
    """A file is fetched from below the repository's own address."""
    web.pages[path] = Page(body=b"content")
    source = GithubSource(upstream, PLATFORM, url=Url.parse(f"{web.url}{prefix}/o/r/"))
    with source.open(Release(version="0.12.3", tag=tag), Asset(name="uv.zip")) as download:
        assert b"".join(download.chunks) == b"content"
    assert web.paths() == [path]


@pytest.mark.parametrize(
    ("url", "environ", "token", "api", "files"),
    [
        ("http://github.com/o/r", {}, None, None, None),
        ("http://github.com/o/r", {"UV_GITHUB_TOKEN": "a", "GH_TOKEN": "b"}, "t", None, None),
        ("http://me:pw@github.com/o/r", {}, None, LOGIN, LOGIN),
        ("http://git.example/o/r", {"UV_GITHUB_TOKEN": "a"}, "t", None, None),
        ("http://me:pw@git.example/o/r", {}, None, LOGIN, LOGIN),
        ("http://localhost/o/r", {"GH_TOKEN": "b"}, None, None, None),
        ("http://localhost/o/r", {"UV_GITHUB_TOKEN": "a"}, None, "Bearer a", "Bearer a"),
        ("http://localhost/o/r", {}, "t", "Bearer t", "Bearer t"),
    ],
)
def test_credentials(  # a table of cases, and what they need
    url: str,
    environ: dict[str, str],
    token: str | None,
    api: str | None,
    files: str | None,
    web: Web,
) -> None:
    """A login goes to its origin; a token goes to its API, and never where it can be overheard."""
    # Through a proxy, which can be any host.
    environ = {**environ, "http_proxy": web.url}
    host = url.rpartition("@")[2].removeprefix("http://").partition("/")[0]
    api_host = "api.github.com" if host == "github.com" else host
    prefix = "" if host == "github.com" else "/api/v3"
    web.pages |= {
        f"{prefix}/repos/o/r/releases": page([release("0.12.3")]),
        "/o/r/releases/download/0.12.3/uv.zip": Page(body=b"content"),
    }
    settings = Settings(
        sources=(source_settings(kind="github", url=url),), token=Secret(token) if token else None
    )

    with closing(OpenSources(settings, uv=Path("uv"), environ=environ)) as opened:
        found = opened.find(NEWEST)
        assert isinstance(found.source, GithubSource)
        with found.source.open(found.release, Asset(name="uv.zip")) as download:
            assert b"".join(download.chunks) == b"content"

    assert [(asked.path, asked.headers.get("Authorization")) for asked in web.asked] == [
        (f"http://{api_host}{prefix}/repos/o/r/releases?per_page=10", api),
        (f"http://{host}/o/r/releases/download/0.12.3/uv.zip", files),
    ]


def test_token_is_not_for_other_sources(web: Web) -> None:
    """A source on another origin is asked without the token."""
    web.pages["/latest"] = Page(body=b"0.12.3")
    sections = (
        source_settings(kind="urls", latest=f"{web.url}/latest", download=f"{web.url}/{{asset}}"),
        source_settings(kind="github", url="https://github.com/o/r"),
    )
    settings = Settings(sources=sections, token=Secret("t"))
    with closing(OpenSources(settings, uv=Path("uv"), environ={})) as opened:
        assert opened.find(NEWEST).release.version == "0.12.3"
    assert [asked.headers.get("Authorization") for asked in web.asked] == [None]


def test_repository_that_is_none(tmp_path: Path) -> None:
    """A configured repository that is none is refused when it is opened."""
    settings = Settings(sources=(source_settings(kind="github", url="https://github.com/o"),))
    with (
        closing(OpenSources(settings, uv=tmp_path / "uv", environ={})) as opened,
        pytest.raises(InvalidSource),
    ):
        opened.find(NEWEST)


LISTED = {"name": PLATFORM.archive, "id": 7}


def fetched(web: Web, token: str | None) -> bytes:
    """Return the archive that the newest release of the server's repository has."""
    section = source_settings(kind="github", url=f"{web.url}/o/r")
    settings = Settings(sources=(section,), token=Secret(token) if token else None)
    with closing(OpenSources(settings, uv=Path("uv"), environ={})) as opened:
        found = opened.find(NEWEST)
        asset = found.release.asset(PLATFORM.archive)
        assert isinstance(found.source, GithubSource)
        assert asset is not None
        with found.source.open(found.release, asset) as download:
            return b"".join(download.chunks)


@pytest.mark.parametrize("redirected", [True, False])
def test_private_file(web: Web, *, redirected: bool) -> None:
    """With a token a file is asked of the API, which sends it, or says where it is."""
    content = Page(body=b"content")
    web.pages[API] = page([release("0.12.3", assets=[LISTED])])
    with Web({"/signed": content}) as storage:
        elsewhere = Page(status=302, headers={"Location": f"{storage.url}/signed?sig=1"})
        web.pages[f"{API}/assets/7"] = elsewhere if redirected else content

        assert fetched(web, "t") == b"content"

        asked = web.asked[-1]
        assert asked.path == f"{API}/assets/7"
        assert asked.headers["Accept"] == "application/octet-stream"
        assert asked.headers["Authorization"] == "Bearer t"
        assert ["Authorization" in other.headers for other in storage.asked] == [False] * redirected


def test_public_file(web: Web) -> None:
    """Without a token a file is fetched from its page."""
    path = f"/o/r/releases/download/0.12.3/{PLATFORM.archive}"
    web.pages |= {
        API: page([release("0.12.3", assets=[LISTED])]),
        path: Page(body=b"content"),
    }

    assert fetched(web, None) == b"content"
    assert web.paths()[-1] == path


def test_copied_files(web: Web) -> None:
    """Static files have the numbers of the JSON that was copied, but not its API."""
    path = f"/o/r/releases/download/0.12.3/{PLATFORM.archive}"
    web.pages |= {
        API: page([release("0.12.3", assets=[LISTED])]),
        path: Page(body=b"content"),
    }

    assert fetched(web, "t") == b"content"
    assert web.paths()[-2:] == [f"{API}/assets/7", path]


def test_other_things_of_the_repository(source: GithubSource, web: Web) -> None:
    """A repository of a company holds more than uv, and may put its name before the version."""
    assets = [{"name": PLATFORM.archive}]
    web.pages[API] = page(
        [
            release("tool-9.0.0", assets=assets),
            release("v2.1.0", assets=[{"name": "tool.zip"}]),
            release("uv-0.12.3", assets=assets),
            release("uv-v0.12.4", assets=assets),
        ]
    )

    found = source.find(NEWEST)

    assert (found.version, found.tag) == ("0.12.4", "uv-v0.12.4")


@pytest.mark.parametrize(
    ("token", "words"), [(None, "without credentials"), ("t", "with these credentials")]
)
def test_hidden(web: Web, token: str | None, words: str) -> None:
    """A repository that is not there and one that may not be seen are the same 404."""
    with pytest.raises(NotFoundOrUnauthorized) as caught:
        fetched(web, token)

    assert f"no such repository, or not visible {words}" in str(caught.value)
    assert "GH_TOKEN" in (caught.value.hint or "")


@pytest.mark.parametrize("status", [403, 429])
def test_rate_limit(source: GithubSource, web: Web, status: int) -> None:
    """A rate limit is called one, with the time when it ends, and nothing more is asked."""
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1769718286"}
    web.pages[API] = Page(status=status, headers=headers)

    with pytest.raises(RateLimited, match="rate limit exceeded until 2026-01-29T20:24:46Z"):
        source.find(NEWEST)

    assert len(web.asked) == 1


def test_forbidden_is_no_rate_limit(source: GithubSource, web: Web) -> None:
    """What is forbidden while there are requests left is forbidden."""
    web.pages[API] = Page(status=403, headers={"x-ratelimit-remaining": "59"})

    with pytest.raises(StatusRefused) as caught:
        source.find(NEWEST)

    assert not isinstance(caught.value, RateLimited)
