"""What is said where uv gets no version from its indexes, with the words and logs of real uvs."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.web import Page
from uv_self_update.errors import HiddenByCutoff, NoSuchVersion, SourceError
from uv_self_update.releases.target import NEWEST, parse_target
from uv_self_update.sources.index.explanation import failure, hidden_by_cutoff, nothing_listed
from uv_self_update.sources.index.settings import IndexSettings
from uv_self_update.sources.index.source import IndexSource
from uv_self_update.sources.index.trace import Inquiry, inquiries, undated
from uv_self_update.sources.index.uv_pip import UvPip
from uv_self_update.url import Url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.homes import Home
    from support.web import Web

HTML = {"Content-Type": "text/html"}
CUTOFF = 'exclude-newer = "2020-01-01T00:00:00Z"\n'
INDEX = '[[index]]\nname = "corp"\nurl = "{web}/{place}/"\ndefault = true\n'
NETRC = "machine 127.0.0.1 login me password s3cret\n"
CORP = {"UV_INDEX_CORP_USERNAME": "me", "UV_INDEX_CORP_PASSWORD": "s3cret"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is configured, and what is said; `{web}`, `{me}` (with credentials) and `{home}`."""

    said: str
    """The first line."""

    hint: tuple[str, ...]
    """Parts of the hint."""

    url: str | None = None
    toml: str = ""
    netrc: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    only_newer: bool = False
    """Whether the oldest uv cannot do it."""


NO_UV = "has no release of uv"
PACKAGE = "`exclude-newer-package = { uv = false }` to {home}/.config/uv/uv.toml (uv 0.9.25 and"
OF_INDEX = "`exclude-newer = false` to the `[[index]]` in {home}/.config/uv/uv.toml (uv 0.11.5"
CASES = {
    "401, own url": Case(
        url="{me}/s401/",
        said="{web}/s401/uv/ refuses user `me` (401 Unauthorized, credentials from the URL in the "
        "configuration of uv-self-update)",
        hint=("Renew the credentials in the URL", "`uv auth login {web}/s401/`"),
    ),
    "403, variable": Case(
        environ={"UV_DEFAULT_INDEX": "{me}/s403/"},
        said="{web}/s403/uv/ refuses user `me` (403 Forbidden, credentials from the URL in "
        "UV_DEFAULT_INDEX)",
        hint=("Renew the credentials in the URL in UV_DEFAULT_INDEX",),
    ),
    "404, uv.toml": Case(
        toml=INDEX.replace("{web}", "{me}").replace("{place}", "s404"),
        said="{web}/s404/uv/ does not show uv to user `me` (404 Not Found, credentials from the "
        "URL in {home}/.config/uv/uv.toml)",
        hint=("root of its simple API", "UV_INDEX_CORP_PASSWORD", "get-authorization-token"),
    ),
    "404, netrc": Case(
        environ={"UV_DEFAULT_INDEX": "{web}/s404/"},
        netrc=NETRC,
        said="{web}/s404/uv/ does not show uv to user `me` (404 Not Found, credentials from "
        "~/.netrc, index from UV_DEFAULT_INDEX)",
        hint=("Renew the credentials in ~/.netrc",),
    ),
    "401, variables of the index": Case(
        toml=INDEX.replace("{place}", "s401"),
        environ=CORP,
        said="{web}/s401/uv/ refuses user `me` (401 Unauthorized, credentials from "
        "UV_INDEX_CORP_USERNAME and UV_INDEX_CORP_PASSWORD, index from "
        "{home}/.config/uv/uv.toml)",
        hint=("Renew the credentials in UV_INDEX_CORP_USERNAME and UV_INDEX_CORP_PASSWORD",),
    ),
    "401, keyring": Case(
        environ={
            "UV_INDEX_URL": "{user}/s401/",
            "UV_KEYRING_PROVIDER": "subprocess",
        },
        said="{web}/s401/uv/ refuses user `me` (401 Unauthorized, credentials from the keyring, "
        "index from UV_INDEX_URL)",
        hint=("Renew the credentials in the keyring",),
    ),
    "401, store of uv": Case(
        environ={"UV_DEFAULT_INDEX": "{web}/s401/", "UV_CREDENTIALS_DIR": "{home}/credentials"},
        said="{web}/s401/uv/ refuses user `me` (401 Unauthorized, credentials from uv's credential "
        "store (`uv auth login`), index from UV_DEFAULT_INDEX)",
        hint=("Renew the credentials in uv's credential store",),
        only_newer=True,
    ),
    "401, none": Case(
        environ={"UV_DEFAULT_INDEX": "{web}/s401/"},
        said="{web}/s401/uv/ refuses requests without credentials (401 Unauthorized, index from "
        "UV_DEFAULT_INDEX)",
        hint=("Give uv credentials: `uv auth login {web}/s401/`",),
    ),
    "wrong path": Case(
        url="{web}/nowhere/",
        said="{web}/nowhere/uv/ does not show uv to requests without credentials (404 Not Found, "
        "index from the configuration of uv-self-update)",
        hint=("it ends in `/simple/` for Nexus", "Give uv credentials"),
    ),
    "first of two is empty": Case(
        environ={"UV_INDEX": "{web}/empty/", "UV_DEFAULT_INDEX": "{web}/undated/"},
        said=f"the package index {NO_UV}: {{web}}/empty/uv/ (index from UV_INDEX) lists no wheel "
        "of uv for this machine, or only yanked ones; uv queried no other index",
        hint=('`index-strategy = "unsafe-best-match"`', "UV_INDEX_STRATEGY"),
    ),
    "only one, and empty": Case(
        environ={"UV_DEFAULT_INDEX": "{web}/empty/"},
        said=f"the package index {NO_UV}: {{web}}/empty/uv/ (index from UV_DEFAULT_INDEX) lists no "
        "wheel of uv for this machine, or only yanked ones",
        hint=("Open the URL in a browser",),
    ),
    "cutoff, no dates": Case(
        toml=CUTOFF + INDEX.replace("{place}", "undated"),
        said=f'the package index {NO_UV} that `exclude-newer = "2020-01-01T00:00:00Z"` in '
        "{home}/.config/uv/uv.toml allows: the index has no upload time for uv 0.5.31",
        hint=(PACKAGE, OF_INDEX),
    ),
    "cutoff, all newer": Case(
        url="{web}/dated/",
        toml=CUTOFF,
        said=f'the index {{web}}/dated/ {NO_UV} that `exclude-newer = "2020-01-01T00:00:00Z"` in '
        "{home}/.config/uv/uv.toml allows: uv 0.8.24 was uploaded later",
        hint=(PACKAGE, "With an older uv, remove the setting"),
    ),
    "cutoff of a variable, one version": Case(
        url="{web}/dated/",
        environ={"UV_EXCLUDE_NEWER": "2026-01-15T00:00:00Z"},
        target="0.8.24",
        said="the index {web}/dated/ has no uv 0.8.24 that `UV_EXCLUDE_NEWER=2026-01-15T00:00:00Z` "
        "allows: uv 0.8.24 was uploaded later",
        hint=(PACKAGE,),
    ),
    "pip": Case(
        environ={"HTTPS_PROXY": "http://127.0.0.1:9", "PIP_INDEX_URL": "http://me:s3cret@h/simple"},
        said="`uv pip compile` failed for the package index:",
        hint=("uv does not read pip's configuration", 'UV_DEFAULT_INDEX="$PIP_INDEX_URL"'),
        only_newer=True,  # the oldest tries for seconds
    ),
    "text": Case(
        url="{web}/text/",
        said="`uv pip compile` failed for the index {web}/text/:",
        hint=("a package index sends text/html",),
    ),
    "sha1": Case(
        url="{web}/sha1/",
        said="`uv pip compile` failed for the index {web}/sha1/:",
        hint=("Ask the administrator of the index for sha256",),
    ),
}
OLDER_TOO = {"404, netrc", "401, variables of the index", "wrong path", "cutoff, no dates"}
"""Those that are tried with an older uv as well, without `slow`."""


def rows() -> list[object]:
    """Return each case with each uv; most of the older ones are slow."""
    found: list[object] = []
    for name, case in CASES.items():
        for version in ("0.5.0", "0.8.24", "0.11.13", "newest"):
            fast = version == "newest" or (version in {"0.5.0", "0.8.24"} and name in OLDER_TOO)
            marks = () if fast else (pytest.mark.slow,)
            if not (case.only_newer and version == "0.5.0"):
                found.append(pytest.param(case, version, marks=marks, id=f"{name}-{version}"))
    return found


@pytest.fixture
def filled(web: Web) -> Web:
    """Serve every kind of answer."""
    web.pages |= mirrors.index_pages(["0.5.31"], prefix="/undated")
    dates: dict[str, str | None] = {"0.5.31": "2026-01-01T00:00:00Z"}
    dates["0.8.24"] = "2026-02-01T00:00:00Z"
    web.pages |= mirrors.dated_index_pages(dates, prefix="/dated")
    web.pages["/empty/uv/"] = Page(body=b"<!DOCTYPE html><title>x</title>", headers=HTML)
    web.pages["/text/uv/"] = Page(body=b"hello", headers={"Content-Type": "text/plain"})
    link = f'<a href="uv-0.5.31-py3-none-any.whl#sha1={"0" * 40}">uv-0.5.31-py3-none-any.whl</a>'
    web.pages["/sha1/uv/"] = Page(body=f"<!DOCTYPE html>{link}".encode(), headers=HTML)
    for status in (401, 403, 404):
        web.pages[f"/s{status}/uv/"] = Page(status=status)
    return web


@pytest.mark.sampled(9)
@pytest.mark.parametrize(("case", "version"), rows())
def test_real_uv(case: Case, version: str, home: Home, filled: Web) -> None:
    """The first line says what happened and where; the hint says what to type; no password."""

    def full(text: str) -> str:
        me = filled.url.replace("//", "//me:s3cret@")
        values = {"web": filled.url, "me": me, "home": str(home.path)}
        values["user"] = filled.url.replace("//", "//me@")
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    if case.toml:
        (home.path / ".config" / "uv").mkdir(parents=True)
        (home.path / ".config" / "uv" / "uv.toml").write_text(full(case.toml))
    if case.netrc:
        (home.path / ".netrc").write_text(case.netrc)
    _other_credentials(home, filled.url)
    environ = {name: full(value) for name, value in case.environ.items()}
    environ = {"UV_HTTP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull, **environ}
    uv = binaries.executables(binaries.version(version)) / "uv"
    source = IndexSource(
        UvPip(
            uv,
            home.full_environ(environ),
            url=None if case.url is None else Url.parse(full(case.url)),
        )
    )
    wanted = NEWEST if case.target is None else parse_target(case.target)

    with pytest.raises(SourceError) as caught:
        source.find(wanted)

    assert str(caught.value).splitlines()[0] == full(case.said)
    hint = str(caught.value.hint)
    assert [part for part in case.hint if full(part) not in hint] == []
    assert "s3cret" not in f"{caught.value}{hint}"


def test_releases(home: Home, filled: Web) -> None:
    """A list of releases is not empty without a reason; pre-releases alone are named."""
    environ = home.full_environ({"UV_EXCLUDE_NEWER": "2020-01-01T00:00:00Z"})
    uv = binaries.executables(binaries.newest()) / "uv"
    with pytest.raises(HiddenByCutoff):
        IndexSource(UvPip(uv, environ, url=Url.parse(f"{filled.url}/dated/"))).releases(3)
    wheel = '<a href="uv-1.0.0rc1-py3-none-any.whl">uv-1.0.0rc1-py3-none-any.whl</a>'
    filled.pages["/rc/uv/"] = Page(body=f"<!DOCTYPE html>{wheel}".encode(), headers=HTML)
    with pytest.raises(NoSuchVersion) as caught:
        IndexSource(UvPip(uv, home.full_environ(), url=Url.parse(f"{filled.url}/rc/"))).find(NEWEST)
    assert caught.value.nearest == ("1.0.0rc1",)


def _other_credentials(home: Home, url: str) -> None:
    """Put credentials into a keyring and into the store of uv, for those who ask there."""
    home.bin.mkdir(parents=True, exist_ok=True)
    keyring = home.bin / "keyring"
    keyring.write_text("#!/bin/sh\necho s3cret\n")
    keyring.chmod(0o755)
    (home.path / "credentials").mkdir()
    (home.path / "credentials" / "credentials.toml").write_text(
        f'[[credential]]\nservice = "{url}"\nusername = "me"\npassword = "s3cret"\n'
        'scheme = "basic"\n'
    )


SOME = IndexSettings()


@pytest.mark.parametrize(
    ("said", "asked", "url", "status"),
    [
        ("uv was not found in the package registry", [], "the package index", 404),
        (
            (
                "hint: An index URL (http://h/b/) could not be queried due to a lack of valid\n"
                "      authentication credentials (401 Unauthorized)."
            ),
            [Inquiry(url="http://h/a/uv/", status=404), Inquiry(url="http://h/b/uv/", status=401)],
            "http://h/b/uv/",
            401,
        ),
        ("hint: An index (http://h/b/) returned a 403 Forbidden error.", [], "http://h/b/uv/", 403),
    ],
)
def test_without_a_log(said: str, asked: list[Inquiry], url: str, status: int) -> None:
    """A uv whose log says nothing that is known is still understood."""
    error = failure(said, asked, SOME, source="the package index", command="uv pip compile")
    assert str(error).startswith(url)
    assert str(status) in str(error)


def test_nothing_is_claimed() -> None:
    """Without a page that came, or without a cutoff, nothing is said of either."""
    assert nothing_listed([], SOME, source="s", wanted="uv") is None
    refused = [Inquiry(url="http://h/uv/", status=404)]
    assert nothing_listed(refused, SOME, source="s", wanted="uv") is None
    assert hidden_by_cutoff("0.9.9", ["0.9.8"], [], SOME, source="s", wanted="uv") is None
    assert inquiries("another\nlanguage") == ()
    assert undated("warning: `uv-0.13.9-py3-none-any.whl` is missing an upload date") == ("0.13.9",)
