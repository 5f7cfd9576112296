"""Real uvs, updated to what the configuration allows and to nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.web import Asked, Page
from uv_self_update.releases.target import newest_first

if TYPE_CHECKING:
    from pathlib import Path

    from support.homes import Done, Home
    from support.web import Web

OLDEST, OLD, MIDDLE, NEW = "0.5.31", binaries.FIRST, "0.9.30", binaries.newest()
"""The versions on the servers; OLD is what is installed."""

SERVED = (NEW, MIDDLE, OLD, OLDEST)
AGES = {NEW: 2, MIDDLE: 20, OLD: 30, OLDEST: 40}
"""Days since each was published."""

SOURCES = ("index", "github")


def days_ago(count: int) -> str:
    """Return an instant as servers write it."""
    moment = datetime.now(UTC) - timedelta(days=count)
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def serve(web: Web, home: Home, source: str = "index", *, yanked: tuple[str, ...] = ()) -> None:
    """Put the versions on a server, and make it the source of this home."""
    dates = {version: days_ago(AGES[version]) for version in SERVED}
    if source == "index":
        web.pages |= mirrors.dated_index_pages(dates, yanked=yanked)
        home.environ["UV_SELF_UPDATE_SOURCE"] = f"index+{web.url}/simple/"
    else:
        web.pages |= mirrors.github_pages(SERVED, dates=dates)
        home.environ["UV_SELF_UPDATE_SOURCE"] = f"github+{web.url}/astral-sh/uv"


def site_file(home: Home, text: str) -> Path:
    """Write the file of whoever administers the machine."""
    folder = home.path / "etc" / "xdg"
    home.environ["XDG_CONFIG_DIRS"] = str(folder)
    file = folder / "uv-self-update" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return file


def updated(home: Home, done: Done, version: str) -> None:
    """Make sure that an update has succeeded."""
    assert done.code == 0, done.err
    assert (home.version(), home.receipt_version()) == (version, version)


each_source = pytest.mark.parametrize("source", SOURCES)


@each_source
@pytest.mark.parametrize(
    ("policy", "end", "said"),
    [
        (
            'versions = "<0.11"',
            MIDDLE,
            'out of range (`policy.versions = "<0.11"` in {file})',
        ),
        ('min-age = "3 days"', MIDDLE, 'ago (`policy.min-age = "3 days"` in {file})'),
        (
            f'approved = ["{MIDDLE}", "{OLD}", "0.7.0"]',
            MIDDLE,
            (
                f'not an approved version (`policy.approved = ["{MIDDLE}", "{OLD}", "0.7.0"]` in '
                "{file})"
            ),
        ),
    ],
    ids=["versions", "min-age", "approved"],
)
def test_what_is_hidden_is_not_the_newest(  # a table of cases, and what they need
    home: Home, web: Web, *, source: str, policy: str, end: str, said: str
) -> None:
    """Without a version the newest that is allowed is installed, and one line says what was not."""
    home.install(OLD)
    home.configure(f"[policy]\n{policy}\n")
    serve(web, home, source)

    done = home.run()

    updated(home, done, end)
    assert done.err.count(f"info: Skipping uv {NEW}: ") == 1
    assert said.format(file=home.config) in done.err
    assert "warning" not in done.err


@each_source
def test_quiet(home: Home, web: Web, source: str) -> None:
    """With `-q`, nothing is said of what was passed over."""
    home.install(OLD)
    home.configure('[policy]\nversions = "<0.11"\n')
    serve(web, home, source)

    done = home.run("-q")

    updated(home, done, MIDDLE)
    assert (done.out, done.err) == ("", "")


@each_source
@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ('versions = "<0.11"', 'out of range (`policy.versions = "<0.11"` in {file})'),
        (f'approved = ["{MIDDLE}"]', "not an approved version (`policy.approved = "),
    ],
    ids=["versions", "approved"],
)
def test_named_version_is_refused_at_once(
    home: Home, web: Web, *, source: str, policy: str, said: str
) -> None:
    """A version that its name forbids is refused before anybody is asked; uv stays as it was."""
    home.install(OLD)
    home.configure(f"[policy]\n{policy}\n")
    serve(web, home, source)
    before = home.snapshot()

    done = home.run(NEW)

    assert done.code == 7
    assert done.out == ""
    first, *rest = done.err.splitlines()
    assert first.startswith(f"error: uv {NEW} is hidden by the policy: ")
    assert said.format(file=home.config) in first
    assert str(home.config) in first
    assert [line.split()[0] for line in rest] == ["hint:"]
    assert home.snapshot() == before
    assert web.asked == []


def test_prerelease_is_refused_at_once(home: Home, web: Web) -> None:
    """Where pre-releases are forbidden, not even naming one exactly gets it."""
    home.install(OLD)
    home.configure("[policy]\nprerelease = false\n")
    serve(web, home)
    before = home.snapshot()

    done = home.run("1.0.0rc1")

    assert done.code == 7
    assert f"pre-release (`policy.prerelease = false` in {home.config})" in done.err
    assert home.snapshot() == before
    assert web.asked == []


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("", f"Would update uv from v{OLD} to v1.0.0"),
        ("prerelease = false", f"Would update uv from v{OLD} to v1.0.0"),
        # uv's own updater reads versions as SemVer writes them, and so no name of a pre-release.
        ("prerelease = true", "Couldn't parse the version from the provided announcement tag (1.1"),
    ],
)
def test_prerelease_counts_as_the_newest(home: Home, web: Web, said: str, outcome: str) -> None:
    """Where pre-releases are allowed, the newest that uv is handed may be one."""
    home.install(OLD)
    home.configure(f"[policy]\n{said}\n")
    documents = []
    for version in ("1.1.0rc1", "1.0.0"):
        document = {**mirrors.github_json(NEW), "tag_name": version}
        documents.append(document)
        tag = f"/api/v3/repos/astral-sh/uv/releases/tags/{version}"
        web.pages[tag] = Page(body=json.dumps(document).encode())
    web.pages["/api/v3/repos/astral-sh/uv/releases"] = Page(body=json.dumps(documents).encode())
    home.environ["UV_SELF_UPDATE_SOURCE"] = f"github+{web.url}/astral-sh/uv"

    done = home.run(">0", "--dry-run")

    assert outcome in done.err


@each_source
def test_named_version_that_is_too_young(home: Home, web: Web, source: str) -> None:
    """A version whose date forbids it is refused by the gateway, and the rule's file is named."""
    home.install(OLD)
    file = site_file(home, '[policy]\nmin-age = "3 days"\n')
    home.configure('[policy]\nmin-age = "0 days"\n')
    home.environ["UV_SELF_UPDATE_MIN_AGE"] = "0 days"
    serve(web, home, source)
    uv, receipt = home.uv.read_bytes(), home.receipt.read_bytes()

    done = home.run(NEW)

    assert done.code != 0
    assert f"uv {NEW} from " in done.err
    assert f'ago (`policy.min-age = "3 days"` in {file})' in done.err
    assert (home.uv.read_bytes(), home.receipt.read_bytes()) == (uv, receipt)
    updated(home, home.run(MIDDLE), MIDDLE)


@pytest.mark.parametrize("said", ["", "yanked = false", "yanked = true"])
def test_yanked(home: Home, web: Web, said: str) -> None:
    """What was yanked is not the newest, and is installed by its name only if that is allowed."""
    home.install(OLD)
    home.configure(f"[policy]\n{said}\n")
    serve(web, home, yanked=(NEW,))
    updated(home, home.run(), MIDDLE)
    home.install(OLD)

    done = home.run(NEW)

    if said == "yanked = true":
        updated(home, done, NEW)
    else:
        origin = f"in {home.config}" if said else "by default"
        assert done.code != 0
        assert f"uv {NEW} from the index {web.url}/simple/ is hidden by the policy" in done.err
        assert f"yanked (`policy.yanked = false` {origin})" in done.err
        assert home.version() == OLD


LISTS = {
    "lines": f"# what we have tried\n{MIDDLE}  # all well\n\n{OLDEST}\n".encode(),
    "json": json.dumps([OLDEST, MIDDLE]).encode(),
    "windows": f"\ufeff{MIDDLE}\r\n{OLDEST}\r\n".encode(),
}


@each_source
@pytest.mark.parametrize("form", LISTS)
def test_approved_list_at_a_url(home: Home, web: Web, source: str, form: str) -> None:
    """The list is read from its URL once, with the login that netrc has for the server."""
    home.install(OLD)
    home.configure(f'[policy]\napproved = "{web.url}/approved"\n')
    (home.path / ".netrc").write_text("machine 127.0.0.1 login me password s3cret\n")
    (home.path / ".netrc").chmod(0o600)
    serve(web, home, source)

    def approved(asked: Asked) -> Page:
        known = asked.headers.get("Authorization", "").startswith("Basic ")
        return Page(body=LISTS[form]) if known else Page(status=401)

    web.pages["/approved"] = approved

    done = home.run()

    updated(home, done, MIDDLE)
    assert web.paths().count("/approved") == 1
    assert f'(`policy.approved = "{web.url}/approved"` in {home.config})' in done.err
    home.install(OLD)
    refused = home.run(NEW)
    assert refused.code != 0
    assert "not an approved version (" in refused.err
    updated(home, home.run(OLDEST), OLDEST)


def test_approved_list_in_a_file(home: Home, web: Web) -> None:
    """The list may be a file beside the configuration."""
    home.install(OLD)
    home.configure('[policy]\napproved = "approved.txt"\n')
    home.config.with_name("approved.txt").write_text(f"{MIDDLE}\n")
    serve(web, home)
    updated(home, home.run(), MIDDLE)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (Page(status=404), "/approved answered 404"),
        (Page(status=500), "/approved answered 500"),
        (Page(body=b"<!DOCTYPE html><title>Sign in</title>"), "it is a web page"),
        (Page(body=b"# nothing yet\n"), "it is empty"),
        (Page(body=b"[]"), "it is empty"),
        (Page(body=b'{"versions": []}'), "entry 1 is not a version"),
        (Page(body=b'["0.8.24", 3]'), "entry 2 is not a version"),
        (Page(body=b'["0.8.24"'), "it is invalid JSON"),
        (Page(body=f"{MIDDLE}\n>=0.8\n".encode()), "entry 2 is not a version"),
        (Page(body=f"{MIDDLE}\n".encode() * 200_000), "exceeds the limit of"),
    ],
)
def test_approved_list_that_cannot_be_used(home: Home, web: Web, page: Page, said: str) -> None:
    """Without its list nothing is installed, and it is said what is wrong with it, and where."""
    home.install(OLD)
    home.configure(
        f'[policy]\napproved = "{web.url}/approved"\n[network]\nretries = 0\ntimeout = 5\n'
    )
    serve(web, home)
    web.pages["/approved"] = page

    for target in ([], [MIDDLE]):
        done = home.run(*target)
        assert done.code != 0
        assert said in done.err
        named = f"failed to read the list of approved versions {web.url}/approved "
        assert f"{named}(policy.approved in {home.config}): " in done.err
        assert home.version() == OLD


def test_password_in_the_url_of_an_approved_list(home: Home) -> None:
    """A slash in a password makes the URL invalid: no part of it is shown."""
    home.install(OLD)
    home.configure('[policy]\napproved = "https://me:hunter/2@h/list"\n')

    done = home.run("-v", MIDDLE)

    assert "approved versions *** (policy.approved in " in done.err
    assert "): invalid URL" in done.err
    assert "hunter" not in done.err


def test_site_file_is_not_loosened(home: Home, web: Web) -> None:
    """Neither file, variables nor options get past what the machine's file says."""
    home.install(OLD)
    file = site_file(home, '[policy]\nversions = "<0.11"\n')
    loose = home.path / "loose.toml"
    loose.write_text('[policy]\nversions = ">0"\n')
    home.configure(loose.read_text())
    home.environ["UV_SELF_UPDATE_VERSIONS"] = ">0"
    serve(web, home)
    for options in ((), ("--config", str(loose))):
        done = home.run(NEW, *options)
        assert done.code == 7
        assert f'(`policy.versions = "<0.11"` in {file})' in done.err
    updated(home, home.run("--config", str(loose)), MIDDLE)


def test_rehearsal_begins_anywhere_and_ends_where_it_may(home: Home, web: Web) -> None:
    """A rehearsal may begin with a version that is forbidden, and ends with one that is allowed."""
    home.install(NEW)
    home.receipt.unlink()
    home.configure(f'[policy]\napproved = ["{NEW}"]\n')
    dates = {version: days_ago(AGES[version]) for version in (NEW, OLD)}
    web.pages |= mirrors.dated_index_pages(dates, real=True)
    home.environ["UV_SELF_UPDATE_SOURCE"] = f"index+{web.url}/simple/"

    done = home.run("rehearse", "--from", OLD)

    assert done.code == 0, done.err
    facts = dict(line.split(maxsplit=1) for line in done.out.splitlines()[1:])
    assert (facts["from"], facts["to"]) == (OLD, NEW)
    assert home.run("rehearse", OLD).code == 7


def test_releases(home: Home, web: Web) -> None:
    """`releases` says of each version which rule hides it."""
    home.install(OLD)
    home.configure('[policy]\nmin-age = "3 days"\nversions = ">0.5.31"\n')
    serve(web, home, "github")
    done = home.run("releases", "--json")
    assert [(row["version"], row["allowed"], row["rule"]) for row in json.loads(done.out)] == [
        (NEW, False, 'policy.min-age = "3 days"'),
        (MIDDLE, True, None),
        (OLD, True, None),
        (OLDEST, False, 'policy.versions = ">0.5.31"'),
    ]
    assert 'policy.min-age = "3 days"' in home.run("releases").out


def test_the_next_source_is_asked(home: Home, web: Web) -> None:
    """A source that has nothing that is allowed is passed over."""
    home.install(OLD)
    web.pages |= mirrors.github_pages([NEW], dates={NEW: days_ago(1)})
    dates = {MIDDLE: days_ago(20)}
    web.pages |= mirrors.dated_index_pages(dates)
    sources = f"github+{web.url}/astral-sh/uv index+{web.url}/simple/"
    home.environ |= {"UV_SELF_UPDATE_SOURCE": sources, "UV_SELF_UPDATE_MIN_AGE": "P3D"}

    updated(home, home.run(), MIDDLE)


def real_environment() -> dict[str, str]:
    """Return what this machine needs to reach the package index that uv uses."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("SSL_CERT_", "UV_DEFAULT_INDEX", "UV_INDEX"))
        or name.lower().endswith("_proxy")
    }


@pytest.mark.extra
def test_age_on_the_real_index(home: Home) -> None:
    """With nothing configured but an age, the newest is the one that uv itself would choose."""
    home.install(MIDDLE)
    home.configure('[policy]\nmin-age = "30 days"\n')
    home.environ |= real_environment()
    command = [str(binaries.executables(binaries.newest()) / "uv"), "pip", "compile", "-", "-q"]
    command += ["--no-header", "--no-annotate", "--python", sys.executable]
    compiled = subprocess.run(
        [*command, "--exclude-newer", days_ago(30)],
        input="uv",
        env=home.full_environ(),
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    expected = compiled.stdout.strip().removeprefix("uv==")
    assert newest_first([expected, MIDDLE])[0] == expected != MIDDLE

    done = home.run()

    updated(home, done, expected)
    told = f"info: Skipping uv {binaries.newest()}: published less than 30 days ago"
    assert (told in done.err) == (expected != binaries.newest())
