"""The source that is a pair of URL templates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.urls import source_settings
from support.web import Asked, Page
from uv_self_update.errors import (
    NoLatest,
    NoSuchVersion,
    StatusRefused,
    UnexpectedBody,
    Unreachable,
)
from uv_self_update.platforms import Platform
from uv_self_update.releases.release import Asset, Release
from uv_self_update.releases.target import NEWEST, Wanted, parse_target
from uv_self_update.sources.urls import UrlsSource

if TYPE_CHECKING:
    from pathlib import Path

    from support.web import Web
    from uv_self_update.network.client import Upstream

PLATFORM = Platform(triple="x86_64-unknown-linux-gnu")
ARCHIVE = PLATFORM.archive
DIGEST = "0a" * 32


def mirror(
    upstream: Upstream, web: Web, *, latest: bool = True, release: bool = False
) -> UrlsSource:
    """Return the source that a server is."""
    return UrlsSource(
        upstream,
        PLATFORM,
        source_settings(
            kind="urls",
            download=f"{web.url}/files/{{tag}}/{{asset}}",
            latest=f"{web.url}/latest" if latest else None,
            release=f"{web.url}/{{tag}}.json?v={{version}}" if release else None,
        ),
    )


def serve_archives(web: Web, *versions: str) -> None:
    """Serve this platform's archive of some versions."""
    for version in versions:
        web.pages[f"/files/{version}/{ARCHIVE}"] = Page(body=b"content")


def github(version: str, **more: object) -> dict[str, object]:
    """Return GitHub's JSON for a release, with the least that is needed."""
    return {"tag_name": version, **more}


def ndjson(*versions: str, between: str = "\n") -> str:
    """Return Astral's list of versions."""
    lines = (json.dumps({"version": v, "date": "2026-01-29", "artifacts": []}) for v in versions)
    return between.join(lines)


@pytest.mark.parametrize(
    ("body", "version", "tag"),
    [
        (json.dumps(github("0.12.3")), "0.12.3", "0.12.3"),
        (json.dumps(github("v0.12.3")), "0.12.3", "v0.12.3"),
        (json.dumps(github("0.12.3"), indent=2), "0.12.3", "0.12.3"),
        ("\ufeff" + json.dumps(github("0.12.3")), "0.12.3", "0.12.3"),
        (json.dumps([github("0.9.9"), github("0.10.0")]), "0.10.0", "0.10.0"),
        (json.dumps([github("0.9.9"), github("0.10.0", draft=True)]), "0.9.9", "0.9.9"),
        (json.dumps([github("docs"), {}, None, github("0.9.9")]), "0.9.9", "0.9.9"),
        (ndjson("0.12.3"), "0.12.3", "0.12.3"),
        (ndjson("0.12.3") + "\n", "0.12.3", "0.12.3"),
        (ndjson("0.10.0", "0.9.9"), "0.10.0", "0.10.0"),
        (ndjson("0.9.10", "0.10.0", "0.9.9"), "0.10.0", "0.10.0"),
        ("\n\n" + ndjson("0.10.0", "0.9.9", between="\r\n\r\n \r\n"), "0.10.0", "0.10.0"),
        (ndjson("1.0.0rc1", "0.10.0"), "0.10.0", "0.10.0"),
        (ndjson("0.10.0") + "\nnonsense\n[1]\n{}\n" + ndjson("0.11.0"), "0.11.0", "0.11.0"),
        ("0.12.3", "0.12.3", "0.12.3"),
        ("v0.12.3\n", "0.12.3", "v0.12.3"),
        ("\ufeff 0.12.3 \r\n", "0.12.3", "0.12.3"),
    ],
)
def test_newest(upstream: Upstream, web: Web, body: str, version: str, tag: str) -> None:
    """`latest` may be in any of the shapes that are about; the newest by PEP 440 is taken."""
    web.pages["/latest"] = Page(body=body.encode())
    serve_archives(web, tag)
    found = mirror(upstream, web).find(NEWEST)
    assert (found.version, found.tag) == (version, tag)


@pytest.mark.parametrize(
    ("body", "got"),
    [
        (b"", "an empty file"),
        (b"\xef\xbb\xbf \r\n", "an empty file"),
        (b"<!DOCTYPE html><title>Sign in", "a web page"),
        (b"\n<HTML lang=en>", "a web page"),
        (b"<?xml version='1.0'?><Error/>", "XML"),
        (b'{"message": "Not Found"}', "JSON without a version in `tag_name`"),
        (b'{"tag_name": null}', "JSON without a version in `tag_name`"),
        (b'{"tag_name": "nightly"}', "JSON without a version in `tag_name`"),
        (b'{"tag_name": "' + b"9" * 5000 + b'"}', "JSON without a version in `tag_name`"),
        (b"{", "JSON with other contents"),
        (b"[" * 100_000, "JSON with other contents"),
        (b'{"a":' * 100_000, "JSON with other contents"),
        (b"#!/bin/sh\n", "a script"),
        (b"\x1f\x8b\x08\x00", "an archive"),
        (b"0.12.3 0.12.4", "something else"),
        (b"9" * 60, "something else"),
        (b"\xff\xfe0\x00", "something else"),
    ],
)
def test_unexpected_body(upstream: Upstream, web: Web, body: bytes, got: str) -> None:
    """Anything else with status 200 is an error that says what it is, and where."""
    web.pages["/latest"] = Page(body=body)
    with pytest.raises(UnexpectedBody) as caught:
        mirror(upstream, web).find(NEWEST)
    assert str(caught.value).startswith(
        f"unexpected response from {web.url}/latest: expected GitHub's JSON"
    )
    assert str(caught.value).endswith(f", got {got}")


def test_web_page_is_hinted_at(upstream: Upstream, web: Web) -> None:
    """A page to log in is recognised as one."""
    web.pages["/latest"] = Page(body=b"<html>")
    with pytest.raises(UnexpectedBody) as caught:
        mirror(upstream, web).find(NEWEST)
    assert "login page" in (caught.value.hint or "")


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_refused(upstream: Upstream, web: Web, status: int) -> None:
    """Whatever `latest` is refused with is the error."""
    web.pages["/latest"] = Page(status=status)
    with pytest.raises(StatusRefused) as caught:
        mirror(upstream, web).find(NEWEST)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("0.9", "0.9.10"),
        ("0", "0.10.0"),
        ("<0.10", "0.9.10"),
        ("~=0.9.2", "0.9.10"),
        ("!=0.10.0", "0.9.10"),
        (">=1.0.0rc1", "1.0.0rc1"),
        ("0.9.2", "0.9.2"),
        ("1.0.0rc1", "1.0.0rc1"),
    ],
)
def test_target(upstream: Upstream, web: Web, target: str, expected: str) -> None:
    """A list answers for a prefix, a specifier and an exact version."""
    body = ndjson("0.9.10", "1.0.0rc1", "0.10.0", "0.9.2")
    web.pages["/latest"] = Page(body=body.encode())
    serve_archives(web, expected)
    assert mirror(upstream, web).find(parse_target(target)).version == expected
    assert web.paths() == ["/latest", f"/files/{expected}/{ARCHIVE}"]


def test_listed_without_its_files(upstream: Upstream, web: Web) -> None:
    """A version whose archive was not copied with the list is passed over."""
    web.pages["/latest"] = Page(body=ndjson("0.10.0", "0.9.9").encode())
    serve_archives(web, "0.9.9")

    assert mirror(upstream, web).find(NEWEST).version == "0.9.9"


@pytest.mark.parametrize("body", ["0.10.0", json.dumps({"tag_name": "0.10.0"})])
def test_only_version(upstream: Upstream, web: Web, body: str) -> None:
    """Where nothing could be taken in its place, the file is not asked for beforehand."""
    web.pages["/latest"] = Page(body=body.encode())

    assert mirror(upstream, web).find(NEWEST).version == "0.10.0"
    assert web.paths() == ["/latest"]


@pytest.mark.parametrize(
    ("target", "path", "nearest"),
    [
        ("0.9.5", f"/files/0.9.5/{ARCHIVE}", ("0.10.0", "0.9.10", "0.9.2")),
        ("9.9.9", f"/files/9.9.9/{ARCHIVE}", ("0.10.0", "0.9.10", "0.9.2")),
        ("0.1", "/latest", ("0.9.2", "0.8.0", "0.7.0")),
        ("<0.7", "/latest", ("0.9.2", "0.8.0", "0.7.0")),
    ],
)
def test_unknown_version(
    upstream: Upstream, web: Web, target: str, path: str, nearest: tuple[str, ...]
) -> None:
    """What the mirror does not have is an error with where it was looked for, and what is there."""
    body = ndjson("0.10.0", "0.9.10", "0.9.2", "0.8.0", "0.7.0")
    web.pages["/latest"] = Page(body=body.encode())
    wanted = parse_target(target)
    with pytest.raises(NoSuchVersion) as caught:
        mirror(upstream, web).find(wanted)
    assert str(caught.value) == f"{web.url}{path} has no {wanted}"
    assert caught.value.nearest == nearest
    assert caught.value.hint == f"The nearest versions are {', '.join(nearest)}."


@pytest.mark.parametrize("latest", [None, 404, 410, "0.13.0"])
def test_exact_by_its_files(upstream: Upstream, web: Web, latest: str | int | None) -> None:
    """A version that `latest` does not know, or has no say on, is taken if its archive is there."""
    web.pages[f"/files/0.12.3/{ARCHIVE}"] = Page(body=b"archive")
    if isinstance(latest, int):
        web.pages["/latest"] = Page(status=latest)
    elif latest is not None:
        web.pages["/latest"] = Page(body=latest.encode())
    source = mirror(upstream, web, latest=latest is not None)
    expected = Release(version="0.12.3", tag="0.12.3")
    assert source.find(Wanted(exact="0.12.3")) == expected
    assert web.asked[-1].method == "HEAD"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Page(status=401), StatusRefused),
        (Page(status=500), StatusRefused),
        (Page(), UnexpectedBody),
    ],
)
def test_exact_that_latest_may_describe(
    upstream: Upstream, web: Web, answer: Page, error: type[Exception]
) -> None:
    """With `latest` out of order its digests may be missed, so it is not done without."""
    web.pages |= {"/latest": answer, f"/files/0.12.3/{ARCHIVE}": Page(body=b"archive")}
    with pytest.raises(error):
        mirror(upstream, web).find(Wanted(exact="0.12.3"))


@pytest.mark.parametrize(
    ("status", "found"), [(404, False), (410, False), (401, True), (405, True), (503, True)]
)
def test_exact_that_cannot_be_told(
    upstream: Upstream, web: Web, *, status: int, found: bool
) -> None:
    """A server that will not say whether a file is there is asked for the file itself later."""
    web.pages[f"/files/0.12.3/{ARCHIVE}"] = Page(status=status)
    source = mirror(upstream, web, latest=False)
    if found:
        assert source.find(Wanted(exact="0.12.3")).version == "0.12.3"
    else:
        with pytest.raises(NoSuchVersion) as caught:
            source.find(Wanted(exact="0.12.3"))
        assert str(caught.value) == f"{web.url}/files/0.12.3/{ARCHIVE} has no uv 0.12.3"
        assert caught.value.nearest == ()


@pytest.mark.parametrize("target", [None, "0.12", "<0.13"])
def test_no_latest(upstream: Upstream, web: Web, target: str | None) -> None:
    """Without `latest` only an exact version can be asked for, and nothing is fetched to say so."""
    wanted = NEWEST if target is None else parse_target(target)
    with pytest.raises(NoLatest, match="it has no list of versions") as caught:
        mirror(upstream, web, latest=False).find(wanted)
    assert "exact version" in (caught.value.hint or "")
    assert web.asked == []


def test_release_template(upstream: Upstream, web: Web) -> None:
    """`release` is asked for one version, and lists its files and digests."""
    document = github(
        "v0.12.3",
        assets=[
            {"name": ARCHIVE, "digest": f"sha256:{DIGEST}"},
            {"name": "uv-installer.sh", "digest": None},
            {"name": None},
        ],
    )
    web.pages["/0.12.3.json"] = Page(body=json.dumps(document).encode())
    assert mirror(upstream, web, release=True).find(Wanted(exact="0.12.3")) == Release(
        version="0.12.3",
        tag="v0.12.3",
        assets=(Asset(name=ARCHIVE, sha256=DIGEST), Asset(name="uv-installer.sh")),
    )
    assert web.paths() == ["/0.12.3.json?v=0.12.3"]


@pytest.mark.parametrize("status", [404, 410])
def test_release_template_without_that_version(upstream: Upstream, web: Web, status: int) -> None:
    """A version that `release` does not have is not there; `latest` says what is."""
    web.pages |= {"/0.12.3.json": Page(status=status), "/latest": Page(body=b"0.13.0")}
    with pytest.raises(NoSuchVersion) as caught:
        mirror(upstream, web, release=True).find(Wanted(exact="0.12.3"))
    assert caught.value.nearest == ("0.13.0",)


@pytest.mark.parametrize("status", [401, 500])
def test_release_template_refused(upstream: Upstream, web: Web, status: int) -> None:
    """Any other refusal of `release` is the error."""
    web.pages["/0.12.3.json"] = Page(status=status)
    with pytest.raises(StatusRefused) as caught:
        mirror(upstream, web, release=True).find(Wanted(exact="0.12.3"))
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (json.dumps(github("0.13.0")), "expected uv 0.12.3, got uv 0.13.0"),
        ("[]", "got a JSON array instead of an object"),
        ("null", "got a JSON null instead of an object"),
        ('"0.12.3"', "got a JSON string instead of an object"),
        ("<html>", "got a web page"),
    ],
)
def test_release_template_with_something_else(
    upstream: Upstream, web: Web, body: str, said: str
) -> None:
    """What `release` answers with has to be that release."""
    web.pages["/0.12.3.json"] = Page(body=body.encode())
    with pytest.raises(UnexpectedBody) as caught:
        mirror(upstream, web, release=True).find(Wanted(exact="0.12.3"))
    assert str(caught.value).endswith(said)


@pytest.mark.parametrize(
    ("tag", "path"),
    [
        ("0.12.3", "/files/0.12.3/uv.tar.gz"),
        ("../up", "/files/..%2Fup/uv.tar.gz"),
        ("a b?c#d%e", "/files/a%20b%3Fc%23d%25e/uv.tar.gz"),
        ("{asset}", "/files/%7Basset%7D/uv.tar.gz"),
        ("ü", "/files/%C3%BC/uv.tar.gz"),
    ],
)
def test_open(upstream: Upstream, web: Web, tag: str, path: str) -> None:
    """A file is fetched from where the template says; what a server calls it is quoted."""
    release = Release(version="0.12.3", tag=tag)
    with (
        pytest.raises(StatusRefused),
        mirror(upstream, web).open(release, Asset(name="uv.tar.gz")),
    ):
        pass
    assert web.paths() == [f"{path}.sha256", path]


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        (Page(body=f"{DIGEST} *uv.tar.gz\n".encode()), DIGEST),
        (Page(body=DIGEST.encode()), DIGEST),
        (Page(body=b"<!DOCTYPE html>not found"), None),
        (Page(status=403), None),
        (Page(status=404), None),
    ],
)
def test_digest_beside(upstream: Upstream, web: Web, beside: Page, expected: str | None) -> None:
    """Where nothing says what lies beside a file, its digest is looked for at a venture."""
    web.pages |= {
        "/files/0.12.3/uv.tar.gz": Page(body=b"content"),
        "/files/0.12.3/uv.tar.gz.sha256": beside,
    }
    release = Release(version="0.12.3", tag="0.12.3")

    with mirror(upstream, web).open(release, Asset(name="uv.tar.gz")) as download:
        assert download.sha256 == expected


@pytest.mark.parametrize("status", [429, 500, 503])
def test_digest_beside_that_cannot_be_had(upstream: Upstream, web: Web, status: int) -> None:
    """A server that has trouble does not thereby say that there is no digest."""
    web.pages |= {
        "/files/0.12.3/uv.tar.gz": Page(body=b"content"),
        "/files/0.12.3/uv.tar.gz.sha256": Page(status=status),
    }

    with (
        pytest.raises(StatusRefused),
        mirror(upstream, web).open(
            Release(version="0.12.3", tag="0.12.3"), Asset(name="uv.tar.gz")
        ),
    ):
        pass


def test_digest_beside_is_not_looked_for(upstream: Upstream, web: Web) -> None:
    """Where the files are listed, or the digest is known, nothing is asked for at a venture."""
    web.pages["/files/0.12.3/uv.tar.gz"] = Page(body=b"content")
    asset = Asset(name="uv.tar.gz")
    listed = Release(version="0.12.3", tag="0.12.3", assets=(asset,))
    unlisted = Release(version="0.12.3", tag="0.12.3")

    with mirror(upstream, web).open(listed, asset):
        pass
    with mirror(upstream, web).open(unlisted, Asset(name="uv.tar.gz", sha256=DIGEST)):
        pass

    assert web.paths() == ["/files/0.12.3/uv.tar.gz"] * 2


def test_open_in_any_shape(upstream: Upstream, web: Web) -> None:
    """A template may repeat its placeholders, put them in any order, and use a query."""
    template = f"{web.url}/{{asset}}?of={{version}}&tag={{tag}}&again={{tag}}"
    source = UrlsSource(upstream, PLATFORM, source_settings(kind="urls", download=template))
    web.pages["/uv.zip"] = Page(body=b"content")
    with source.open(Release(version="1.2.3", tag="v1.2.3"), Asset(name="uv.zip")) as download:
        assert b"".join(download.chunks) == b"content"
        assert download.url == f"{web.url}/uv.zip?of=***&tag=***&again=***"
    assert web.paths()[-1] == "/uv.zip?of=1.2.3&tag=v1.2.3&again=v1.2.3"


def test_name_shows_no_login(upstream: Upstream) -> None:
    """What the source is called in messages has no password in it."""
    template = "https://me:pw@h.example/{tag}/{asset}?sig=abc"
    source = UrlsSource(upstream, PLATFORM, source_settings(kind="urls", download=template))
    assert source.name == "https://***@h.example/{tag}/{asset}?sig=***"


def test_folder(upstream: Upstream, tmp_path: Path) -> None:
    """A folder on the own machine is a mirror as well."""
    folder = tmp_path / "our mirror"
    (folder / "0.12.3").mkdir(parents=True)
    (folder / "0.12.3" / ARCHIVE).write_bytes(b"archive")
    (folder / "latest.txt").write_text("0.12.3\n")
    source = UrlsSource(
        upstream,
        PLATFORM,
        source_settings(
            kind="urls",
            download=folder.as_uri() + "/{tag}/{asset}",
            latest=f"{folder.as_uri()}/latest.txt",
        ),
    )
    found = source.find(NEWEST)
    with source.open(found, Asset(name=ARCHIVE)) as download:
        assert b"".join(download.chunks) == b"archive"
    assert source.find(Wanted(exact="0.12.3")).version == "0.12.3"
    with pytest.raises(NoSuchVersion) as caught:
        source.find(Wanted(exact="0.12.4"))
    assert caught.value.nearest == ("0.12.3",)
    with pytest.raises(StatusRefused) as refused, source.open(found, Asset(name="uv-installer.sh")):
        pass
    assert refused.value.status == 404


def test_unreachable(upstream: Upstream) -> None:
    """A mirror that is not there is an error, also for an exact version."""
    source = UrlsSource(
        upstream,
        PLATFORM,
        source_settings(kind="urls", download="http://nowhere.invalid/{tag}/{asset}"),
    )
    with pytest.raises(Unreachable):
        source.find(Wanted(exact="0.12.3"))


@pytest.mark.parametrize("status", [403, 404, 405, 501])
@pytest.mark.parametrize("target", [None, "0.13.0", "0.12.5"])
def test_server_that_refuses_head(
    upstream: Upstream, web: Web, status: int, target: str | None
) -> None:
    """An archive that `GET` finds is there, whatever `HEAD` is answered with; another is not."""

    def archive(asked: Asked) -> Page:
        return Page(status=status) if asked.method == "HEAD" else Page(body=b"archive")

    web.pages["/latest"] = Page(body=ndjson("0.13.0", "0.12.9").encode())
    for version in ("0.13.0", "0.12.9", "0.12.5"):  # the last is not listed
        web.pages[f"/files/{version}/{ARCHIVE}"] = archive
    source = mirror(upstream, web)

    wanted = NEWEST if target is None else parse_target(target)
    assert source.find(wanted).version == (target or "0.13.0")
    with pytest.raises(NoSuchVersion):
        source.find(Wanted(exact="0.12.4"))
