"""`init` and `releases` as a person runs them, and several sources in one update."""

from __future__ import annotations

import json
import socket
import stat
import tomllib
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.catalogue import INSTALLERS, Catalogue, catalogue
from support.detection_shelves import shelf
from support.simulator import github, gitlab, listing, objects, plain, repositories
from support.simulator.dialect import PASSWORD, USER, Setup, encoded
from support.simulator.gitea import GiteaReleases
from support.simulator.server import Simulator, replaced
from support.web import Page, Web
from uv_self_update import platforms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.homes import Home
    from support.simulator.dialect import Dialect
    from support.web import Asked

OLD, MIDDLE, NEW = binaries.FIRST, "0.11.13", binaries.newest()
VERSIONS = ("0.10.1", "1.0.0rc1", "0.10.0", "0.9.9")
ARCHIVE = platforms.current().archive
LOGIN = f"{USER}:s3cret-word@"
COMMENTED = """\
# The company's.
[network]
timeout = 20  # seconds

# Nobody has installers.
[install]
installer = "native"
"""


@pytest.fixture(autouse=True)
def installed(home: Home) -> Home:
    """Install a uv; whatever is tested is about sources."""
    home.install(OLD)
    home.environ |= {"NO_PROXY": "*", "UV_SELF_UPDATE_RETRIES": "0"}
    return home


@contextmanager
def serving(
    server: type[Dialect], releases: Catalogue | None = None, setup: Setup | None = None
) -> Iterator[Simulator]:
    """Serve releases; nobody cares what is in them."""
    with Simulator(server(releases or catalogue(*VERSIONS), setup or Setup())) as simulator:
        yield simulator


@pytest.fixture
def mirror() -> Iterator[Simulator]:
    """Serve a few releases as nginx does."""
    with serving(listing.NginxHtml, setup=Setup(below=("uv",))) as simulator:
        yield simulator


def configured(home: Home) -> list[dict[str, str]]:
    """Return the sources in the configuration file."""
    return list(tomllib.loads(home.config.read_text())["source"])


def mode(path: Path) -> int:
    """Return who may do what with a file."""
    return stat.S_IMODE(path.stat().st_mode)


def free_address() -> str:
    """Return a URL where nobody listens."""
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{kept.getsockname()[1]}"


def test_init_proves(home: Home, web: Web) -> None:
    """A URL is all that is needed: what is there is told, written down, and proved."""
    web.pages |= shelf([NEW, OLD], real=True)
    before = home.snapshot()
    done = home.run("init", f"{web.url}/uv/")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[:10] == [
        f"Detected `listing` at {web.url}/uv/, because it is a directory listing.",
        f"  versions   {NEW}, {OLD}",
        f"  newest     {NEW}",
        f"  archive    {ARCHIVE}",
        "  installer  uv-installer.sh",
        "  digest     published",
        f"Written to {home.config}.",
        "Verifying: updating a temporary copy of uv.",
        "A temporary copy of uv was updated, and runs.",
        f"  source   {web.url}/uv/",
    ]
    assert lines[10:12] == [f"  from     {OLD}", f"  to       {NEW}"]
    assert lines[-1] == "`uv-self-update` now uses this source."
    assert done.err == ""
    assert configured(home) == [{"kind": "listing", "url": f"{web.url}/uv/"}]
    assert mode(home.config) == 0o600
    assert home.snapshot(leave_out=[home.config, home.config.parent]) == before


def test_init_on_a_machine_that_is_up_to_date(home: Home, web: Web) -> None:
    """A mirror of the very version that is installed is configured and verified."""
    web.pages |= shelf([OLD], real=True)
    done = home.call("init", f"{web.url}/uv/")
    assert done.code == 0, done.err
    assert f"A temporary copy of uv {OLD} from the source runs, and is up to date." in done.out
    assert "pgraded" not in done.out + done.err
    assert configured(home) == [{"kind": "listing", "url": f"{web.url}/uv/"}]


@pytest.mark.parametrize(
    "server",
    [
        GiteaReleases,
        github.Github,
        gitlab.GitlabPackages,
        listing.ApacheTable,
        objects.S3Path,
        plain.Astral,
        repositories.ArtifactoryRemote,
        repositories.Nexus,
    ],
    ids=lambda server: server.__name__,
)
def test_init_kinds(server: type[Dialect], home: Home) -> None:
    """Whatever the server is, its kind and its URL are written, and nothing is installed."""
    with serving(server) as simulator:
        done = home.run("init", "--no-rehearse", simulator.place)
        assert done.code == 0, done.err
        assert configured(home) == [{"kind": server.kind, "url": simulator.place}]
        assert f"Detected `{server.kind}` at {simulator.place}, because " in done.out
        assert "  versions   1.0.0rc1, 0.10.1, 0.10.0, and older\n" in done.out
        assert "  newest     0.10.1\n" in done.out
        assert "  digest     published\n" in done.out
        assert "temporary copy" not in done.out
    assert home.version() == OLD


def test_init_index(home: Home, web: Web) -> None:
    """An index has a wheel, for which no installer is needed."""
    web.pages |= mirrors.index_pages([MIDDLE])
    done = home.run("init", "--no-rehearse", f"{web.url}/simple/")
    assert done.code == 0, done.err
    assert done.out.splitlines()[1:7] == [
        f"  versions   {MIDDLE}",
        f"  newest     {MIDDLE}",
        "  archive    wheel for this platform",
        "  installer  not needed",
        "  digest     sha256",
        "  dates      none; `policy.min-age` would exclude every release",
    ]
    assert configured(home) == [{"kind": "index", "url": f"{web.url}/simple/"}]


def test_init_without_dates(home: Home, web: Web) -> None:
    """Where a minimum age is configured, and the index has no dates, nothing can be installed."""
    web.pages |= mirrors.index_pages([MIDDLE])
    home.configure('[policy]\nmin-age = "3 days"\n')
    done = home.run("init", "--no-rehearse", f"{web.url}/simple/")
    assert done.code == 0, done.err
    assert (
        f"warning: policy.min-age in {home.config} hides releases of the index {web.url}/simple/: "
        "it gives no dates for them\n"
    ) in done.err


def test_init_default_index(home: Home, web: Web) -> None:
    """`index` is the one that uv is configured for."""
    web.pages |= mirrors.index_pages([MIDDLE])
    environ = {"UV_DEFAULT_INDEX": f"{web.url}/simple/"}
    done = home.run("init", "--no-rehearse", "index", environ=environ)
    assert done.code == 0, done.err
    assert done.out.startswith("Detected `index` at the package index.\n")
    assert configured(home) == [{"kind": "index"}]


def test_init_little(home: Home) -> None:
    """What is not there, and is not needed, is told."""
    releases = catalogue("0.10.1", sidecars=())
    (release,) = releases.releases
    files = tuple(file for file in release.files if file.name not in INSTALLERS)
    bare = Catalogue(releases=(type(release)(version="0.10.1", date=release.date, files=files),))
    with serving(listing.PythonServer, bare) as simulator:
        done = home.run("init", "--no-rehearse", simulator.url)
    assert done.code == 0, done.err
    assert "  installer  none; ours is used\n" in done.out
    assert "  digest     not published\n" in done.out


@pytest.mark.parametrize("form", ["{path}", "file://{path}", "directory+{path}", "./share"])
def test_init_folder(home: Home, form: str) -> None:
    """A folder is a source as well; its path is written down as an absolute one."""
    path = home.path / "share"
    plain.Directory(catalogue(*VERSIONS), Setup(folder=path))
    done = home.run("init", "--no-rehearse", form.format(path=path))
    assert done.code == 0, done.err
    (source,) = configured(home)
    assert source["kind"] == "directory"
    assert source["path"].removeprefix("file://") == str(path)


@pytest.mark.parametrize("form", ["{place}0.10.1/", "{place}v0.10.0", "listing+{place}0.10.1"])
def test_init_one_version(form: str, home: Home) -> None:
    """The directory of one version is accepted, with a warning and the one above it."""
    with serving(listing.NginxHtml, catalogue("0.10.1", "v0.10.0")) as simulator:
        place = f"{simulator.url}/"
        done = home.run("init", "--no-rehearse", form.format(place=place))
        assert done.code == 0, done.err
        assert f"use its parent: {place}\n" in done.err
        written = form.format(place=place).removeprefix("listing+")
        assert configured(home) == [{"kind": "listing", "url": written}]


def test_init_one_version_of_a_directory(home: Home, tmp_path: Path) -> None:
    """So is one of this machine."""
    plain.Directory(catalogue(*VERSIONS), Setup(folder=tmp_path / "share"))
    done = home.run("init", "--no-rehearse", str(tmp_path / "share" / "0.10.1"))
    assert done.code == 0, done.err
    assert f"use its parent: {tmp_path / 'share'}/\n" in done.err


@pytest.mark.parametrize("form", ["{path}", "directory+{path}", "file://{path}/"])
def test_init_directory_of_wheels(form: str, home: Home, tmp_path: Path) -> None:
    """A directory of wheels is configured as the flat index that it is."""
    share = tmp_path / "our wheels"
    share.mkdir()
    wheel = binaries.wheel(MIDDLE, real=False)
    (share / wheel.name).symlink_to(wheel)
    before = home.snapshot()
    done = home.run("init", "--no-rehearse", form.format(path=share))
    assert done.code == 0, done.err
    url = f"{share.as_uri()}/"
    assert done.out.startswith(f"Detected `index` at {url}, because it has wheels of uv.\n")
    assert configured(home) == [{"kind": "index", "url": url, "format": "flat"}]
    assert home.snapshot(leave_out=[home.config, home.config.parent]) == before


@pytest.mark.parametrize("form", ["{url}/wheels/", "listing+{url}/wheels", "{url}/all/"])
def test_init_page_of_wheels(form: str, home: Home, web: Web) -> None:
    """So is a page of them, wherever below the URL it is."""
    wheel = binaries.wheel(MIDDLE, real=False)
    html = {"Content-Type": "text/html"}
    page = Page(body=f'<a href="{wheel.name}">{wheel.name}</a>'.encode(), headers=html)
    index = Page(body=b'<title>Index of /all/</title><a href="uv/">uv/</a>', headers=html)
    for place in ("/wheels/", "/all/uv/"):
        web.pages |= {place: page, f"{place}{wheel.name}": Page(body=wheel)}
    web.pages["/all/"] = index
    done = home.run("init", "--no-rehearse", form.format(url=web.url))
    assert done.code == 0, done.err
    (source,) = configured(home)
    flat = form.format(url=web.url).removeprefix("listing+").replace("/wheels/", "/wheels")
    if "/all/" in form:
        flat = f"{flat}uv"
    assert source == {"kind": "index", "url": f"{flat}/", "format": "flat"}


def test_init_said(home: Home, mirror: Simulator) -> None:
    """A kind that is written before the URL is taken, and proved."""
    done = home.run("init", "--no-rehearse", f"listing+{mirror.url}/uv")
    assert done.code == 0, done.err
    assert done.out.startswith(f"Detected `listing` at {mirror.url}/uv.\n")
    assert configured(home) == [{"kind": "listing", "url": f"{mirror.url}/uv"}]


def test_init_wrongly_said(home: Home, mirror: Simulator) -> None:
    """A kind that is wrong is an error, and nothing is written."""
    done = home.run("init", f"nexus+{mirror.url}/repository/uv/")
    assert done.code == 6
    assert "/service/rest/repository/browse/uv/ answered 404" in done.err
    assert not home.config.exists()


@pytest.mark.parametrize("by", ["option", "variable"])
def test_init_other_file(home: Home, mirror: Simulator, by: str) -> None:
    """The file that is named in place of the usual one is written; it need not exist."""
    file = home.path / "else" / "uv.toml"
    arguments = ["--config", str(file)] if by == "option" else []
    environ = {"UV_SELF_UPDATE_CONFIG": str(file)} if by == "variable" else {}
    home.configure("broken")
    done = home.run("init", "--no-rehearse", f"{mirror.url}/uv/", *arguments, environ=environ)
    assert done.code == 0, done.err
    assert f"Written to {file}.\n" in done.out
    assert done.err == ""
    assert tomllib.loads(file.read_text()) == {
        "source": [{"kind": "listing", "url": f"{mirror.url}/uv/"}]
    }
    assert (mode(file), home.config.read_text()) == (0o600, "broken")


def test_init_keeps_the_rest(home: Home, mirror: Simulator) -> None:
    """Comments and other settings of the file stay."""
    home.configure(COMMENTED)
    done = home.run("init", "--no-rehearse", f"{mirror.url}/uv/")
    assert done.code == 0, done.err
    added = f'[[source]]\nkind = "listing"\nurl = "{mirror.url}/uv/"\n'
    assert home.config.read_text().strip().split("\n\n") == [
        *COMMENTED.strip().split("\n\n"),
        added.strip(),
    ]
    assert list(home.config.parent.iterdir()) == [home.config]


def test_init_refuses(home: Home, mirror: Simulator) -> None:
    """Sources that are configured already stay, byte for byte, and nobody is asked."""
    text = f'{COMMENTED}\n[[source]]\nurl = "https://{LOGIN}files.example.com/"  # ours\n'
    home.configure(text)
    home.config.chmod(0o600)
    before = home.snapshot()
    done = home.run("init", f"{mirror.url}/uv/")
    auto = "auto+https://***@files.example.com/"
    assert (done.code, done.out) == (3, "")
    assert done.err.splitlines() == [
        f"error: {home.config} was not changed: a source is already configured: {auto}",
        "hint: `--force` replaces it, and saves the file as config.toml.old.",
    ]
    assert home.snapshot() == before
    assert mirror.asked == []


def test_init_force(home: Home, mirror: Simulator) -> None:
    """With `--force` they are replaced; the rest stays, and so does a copy of the file."""
    sources = f'\n[[source]]\nkind = "index"\n\n[[source]]\nurl = "https://{LOGIN}e.com/"\n'
    home.configure(COMMENTED + sources)
    done = home.run("init", "--force", "--no-rehearse", f"{mirror.url}/uv/")
    assert done.code == 0, done.err
    assert configured(home) == [{"kind": "listing", "url": f"{mirror.url}/uv/"}]
    assert home.config.read_text().startswith(COMMENTED)
    copy = home.config.with_name("config.toml.old")
    assert copy.read_text() == COMMENTED + sources
    assert mode(copy) == 0o600


def test_init_force_and_no_uv_there(home: Home, web: Web) -> None:
    """With `--force` as well, nothing is replaced by what does not work."""
    home.configure('[[source]]\nkind = "index"\n')
    before = home.snapshot()
    assert home.run("init", "--force", f"{web.url}/uv/").code == 6
    assert home.snapshot() == before


def test_init_login(home: Home) -> None:
    """A login in the URL is written down for its owner only, and shown by nothing."""
    with serving(repositories.Nexus, setup=Setup(login=True)) as simulator:
        url = simulator.place.replace("://", f"://{USER}:{encoded((PASSWORD,))[1:]}@")
        done = home.run("init", "--no-rehearse", "--plaintext", url)
    assert done.code == 0, done.err
    assert configured(home) == [{"kind": "nexus", "url": url}]
    assert mode(home.config) == 0o600
    assert "s3cret" not in done.out + done.err
    assert "***@" in done.out
    assert done.err == ""


@pytest.mark.parametrize("form", ["http://{login}{host}/uv/", "nexus+http://{host}/uv/?sig=s3cret"])
def test_init_no_plaintext(form: str, home: Home, web: Web) -> None:
    """A secret in the URL is not written, and the server not even asked, unless that is wanted."""
    url = form.format(login=LOGIN, host=f"{web.url.removeprefix('http://')}/repository")
    done = home.run("init", url)
    assert (done.code, done.out) == (3, "")
    assert f"error: {home.config} was not changed: refusing to store a URL" in done.err
    for way in ("--username", "--password-env", "--token-env", "netrc", "--plaintext"):
        assert way in done.err
    assert "s3cret" not in done.err
    assert web.asked == []
    assert not home.config.exists()


def test_init_login_by_variables(home: Home) -> None:
    """The names of the variables are written down, and what they hold is used to examine."""
    with serving(repositories.Nexus, setup=Setup(login=True)) as simulator:
        done = home.run(
            "init",
            "--no-rehearse",
            f"--username={USER}",
            "--password-env=MIRROR_PASSWORD",
            "--header-env=X-Who=WHO",
            simulator.place,
            environ={"MIRROR_PASSWORD": PASSWORD, "WHO": "me"},
        )
    assert done.code == 0, done.err
    assert configured(home) == [
        {
            "kind": "nexus",
            "url": simulator.place,
            "username": USER,
            "password-env": "MIRROR_PASSWORD",
            "header-env": {"X-Who": "WHO"},
        }
    ]
    assert PASSWORD not in done.out + done.err + home.config.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--token-env=ghp_s3cret", "https://a.example/"],
            "invalid `--token-env`: invalid value: expected the name of",
        ),
        (
            ["--header-env=X", "https://a.example/"],
            "invalid `--header-env`: `X`: empty value: expected the name of",
        ),
        (["--password-env=P", "https://a.example/"], "invalid `--username`: missing key"),
        (["--token-env=T", "index"], "not a key of a source of kind `index`: uv queries the index"),
        (["--token-env=T", "/mnt"], "not a key of a source of kind `directory`"),
    ],
)
def test_init_login_that_cannot_be_used(arguments: list[str], said: str, home: Home) -> None:
    """A login that makes no sense is an error of the command line."""
    done = home.run("init", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "s3cret" not in done.err


def test_init_login_in_a_file_that_others_read(home: Home) -> None:
    """If the file is open to others, the person is warned."""
    home.configure(COMMENTED)
    home.config.chmod(0o644)
    with serving(listing.NginxHtml) as simulator:
        url = simulator.url.replace("://", f"://{LOGIN}")
        done = home.run("init", "--no-rehearse", "--plaintext", url)
        again = home.run("releases")
    assert done.code == 0, done.err
    assert done.err == again.err
    assert done.err == (
        f"warning: {home.config} contains a password or a token, and other users can read or "
        f"change it: run `chmod 600 {home.config}`\n"
    )


def test_init_not_for_this_machine(home: Home) -> None:
    """A source without this machine's archive is not configured."""
    releases = catalogue("0.10.0", "0.10.1", incomplete={"0.10.0", "0.10.1"})
    with serving(listing.NginxHtml, releases) as simulator:
        done = home.run("init", simulator.url)
    assert done.code == 7
    assert f"has no release of uv for this machine: {ARCHIVE} is missing from 0.10.1" in done.err
    assert not home.config.exists()


def test_init_archive_that_is_only_listed(home: Home) -> None:
    """Nor is one whose archive is listed and cannot be had."""
    with serving(github.Github, catalogue("0.10.1")) as simulator:
        simulator.fault = replaced(Page(status=404), file=ARCHIVE)
        done = home.run("init", simulator.place)
    assert done.code == 7
    assert f"has no uv 0.10.1 for this machine: {ARCHIVE} is missing from 0.10.1" in done.err
    assert not home.config.exists()


def test_init_pre_releases_only(home: Home) -> None:
    """Nor is one with nothing but pre-releases."""
    with serving(listing.NginxHtml, catalogue("1.0.0rc1")) as simulator:
        done = home.run("init", simulator.url)
    assert done.code == 7
    assert done.err.splitlines() == [
        f"error: {simulator.url} has no release of uv but pre-releases",
        "hint: The nearest versions are 1.0.0rc1.",
    ]
    assert not home.config.exists()


def test_init_down(home: Home) -> None:
    """Nor is one that nobody answers for."""
    done = home.run("init", "--plaintext", free_address().replace("://", f"://{LOGIN}"))
    assert (done.code, done.out) == (6, "")
    assert done.err.startswith("error: failed to fetch `http://***@127.0.0.1:")
    assert "s3cret" not in done.err
    assert not home.config.exists()


def test_init_nothing_there(home: Home, web: Web) -> None:
    """Nor is one that is none; what was tried is told, and what to write by hand."""
    done = home.run("init", "--plaintext", f"{web.url.replace('://', f'://{LOGIN}')}/uv/")
    assert (done.code, done.out) == (6, "")
    shown = web.url.replace("://", "://***@")
    lines = done.err.splitlines()
    assert lines[0] == f"error: no releases of uv found at {shown}/uv/"
    assert f"  {shown}/uv/: 404" in lines
    assert f'    latest = "{web.url}/uv/latest.txt"' in lines
    assert "s3cret" not in done.err
    assert not home.config.exists()


@pytest.mark.parametrize(
    "spec", ["foo", "foo/bar", "nexus+https://nexus.example.com/", "ftp://e.com/", ""]
)
def test_init_no_source(home: Home, spec: str) -> None:
    """What describes no source is an error of the command line."""
    done = home.run("init", spec)
    assert (done.code, done.out) == (2, "")
    assert not home.config.exists()


def test_init_broken_file(home: Home, mirror: Simulator) -> None:
    """A file that is broken already is left as it is."""
    home.configure("[[source]\n")
    done = home.run("init", "--force", "--no-rehearse", f"{mirror.url}/uv/")
    assert done.code == 3
    assert home.config.read_text() == "[[source]\n"


def test_init_no_uv(home: Home, mirror: Simulator) -> None:
    """Without any uv there is nothing to prove it with."""
    done = home.run("init", f"{mirror.url}/uv/", environ={"PATH": "/nowhere"})
    assert done.code == 4
    assert not home.config.exists()


def test_init_overridden(home: Home, mirror: Simulator) -> None:
    """If something else comes before the file, that is told."""
    environ = {"UV_SELF_UPDATE_SOURCE": "index"}
    done = home.run("init", "--no-rehearse", f"{mirror.url}/uv/", environ=environ)
    assert done.code == 0
    assert done.err == (
        f"warning: UV_SELF_UPDATE_SOURCE sets the source as well, and overrides {home.config}\n"
    )
    assert "From now on" not in done.out
    assert configured(home) == [{"kind": "listing", "url": f"{mirror.url}/uv/"}]


def test_init_rehearsal_fails(home: Home, web: Web) -> None:
    """If the copy cannot be updated, that is the error; the file stays, and that is told."""
    web.pages |= shelf([MIDDLE])
    web.pages[f"/uv/{MIDDLE}/{ARCHIVE}"] = Page(body=b"\x1f\x8b is no archive")
    done = home.run("init", f"{web.url}/uv/")
    assert done.code == 9
    kept = f"warning: {home.config} was written, but the trial update failed"
    assert kept in done.err.splitlines()
    assert "error: `uv self update` ended with code" in done.err
    assert "From now on" not in done.out
    assert configured(home) == [{"kind": "listing", "url": f"{web.url}/uv/"}]


def test_init_source_fails_in_the_rehearsal(home: Home, web: Web) -> None:
    """If the source fails as soon as it is configured, its own code is the exit code."""
    web.pages |= shelf([MIDDLE])
    page = web.pages["/uv/"]
    assert isinstance(page, Page)
    web.pages["/uv/"] = lambda _: Page(status=500) if home.config.exists() else page
    done = home.run("init", f"{web.url}/uv/")
    assert done.code == 6
    assert done.err.splitlines() == [
        f"warning: {home.config} was written, but the trial update failed",
        f"error: {web.url}/uv/ answered 500 Internal Server Error",
        "hint: The server failed: try again later.",
    ]
    assert home.config.exists()


def configure(home: Home, *urls: str) -> None:
    """Configure sources by their URLs, with their kinds if these stand before them."""
    home.environ["UV_SELF_UPDATE_SOURCE"] = " ".join(urls)


def test_releases(home: Home) -> None:
    """The releases of all sources are listed, the newest first, with what is known of each."""
    here = catalogue("0.10.0", OLD, "1.0.0rc1", "0.10.1", incomplete={"0.10.1"})
    with (
        serving(github.Github, here) as first,
        serving(listing.NginxHtml, catalogue("0.10.1", "0.9.9")) as second,
    ):
        configure(home, f"github+{first.place}", second.url)
        done = home.run("releases")
    assert (done.code, done.err) == (0, "")
    table = [line.split("  ") for line in done.out.splitlines()]
    assert [[cell.strip() for cell in row if cell] for row in table] == [
        ["version", "date", "this machine", "policy", "source"],
        ["1.0.0rc1", "2026-01-31", "yes", "pre-release", first.place],
        ["0.10.1", "2026-02-01", "no archive", "allowed", first.place],
        ["0.10.1", "-", "yes", "allowed", second.url],
        ["0.10.0", "2026-01-29", "yes", "allowed", first.place],
        ["0.9.9", "-", "yes", "allowed", second.url],
        [f"{OLD} (installed)", "2026-01-30", "yes", "allowed", first.place],
    ]
    # Columns are columns.
    assert len({line.index(line.split()[-1]) for line in done.out.splitlines()}) == 1


def triples(releases: Catalogue) -> dict[str, list[str]]:
    """Return the platforms of each release."""
    return {
        release.version: sorted(file.triple for file in release.files if file.archive)
        for release in releases.releases
    }


def test_releases_json(home: Home) -> None:
    """The same for programs."""
    releases = catalogue(OLD, "1.0.0rc1", incomplete={OLD})
    archive, platforms_of = releases["1.0.0rc1"][ARCHIVE], triples(releases)
    with serving(github.Github, releases) as simulator:
        configure(home, f"github+{simulator.place}")
        done = home.run("releases", "--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == [
        {
            "version": "1.0.0rc1",
            "source": simulator.place,
            "published": "2026-01-30T20:24:46Z",
            "complete": True,
            "allowed": False,
            "rule": "pre-release",
            "installed": False,
            "platforms": platforms_of["1.0.0rc1"],
            "size": len(archive.content),
            "sha256": archive.sha256,
        },
        {
            "version": OLD,
            "source": simulator.place,
            "published": "2026-01-29T20:24:46Z",
            "complete": False,
            "allowed": True,
            "rule": None,
            "installed": True,
            "platforms": platforms_of[OLD],
            "size": None,
            "sha256": None,
        },
    ]


def test_releases_unknown_files(home: Home) -> None:
    """Where a source does not list files, it is not known what is for this machine."""
    with serving(plain.UrlsText) as simulator:
        section = simulator.dialect.section(simulator.place)
        home.configure(
            f'[[source]]\nkind = "urls"\nlatest = "{section.latest}"\n'
            f'download = "{section.download}"\n'
        )
        done = home.run("releases")
        as_json = home.run("releases", "--json")
    assert done.out.splitlines()[1].split() == [
        *("0.9.9", "-", "unknown", "allowed"),
        str(section.latest),
    ]
    assert json.loads(as_json.out)[0]["complete"] is None


@pytest.mark.parametrize(("limit", "count"), [(["--limit", "2"], 2), (["--limit=1"], 1), ([], 4)])
def test_releases_limit(home: Home, mirror: Simulator, limit: list[str], count: int) -> None:
    """As many are listed as are asked for; no more folders are looked into than that."""
    configure(home, f"listing+{mirror.url}/uv/")
    done = home.run("releases", *limit)
    assert len(done.out.splitlines()) == 1 + count
    assert len(mirror.asked) == 1 + count


@pytest.mark.parametrize("limit", ["0", "-1", "many"])
def test_releases_bad_limit(home: Home, limit: str) -> None:
    """A limit is a number above zero."""
    assert home.run("releases", "--limit", limit).code == 2


def test_releases_of_the_index(home: Home, web: Web) -> None:
    """The index is asked through the real uv, and names what is for this machine."""
    web.pages |= mirrors.index_pages([MIDDLE, OLD, "0.5.0"])
    done = home.run("releases", environ={"UV_DEFAULT_INDEX": f"{web.url}/simple/"})
    assert (done.code, done.err) == (0, "")
    assert [line.split() for line in done.out.splitlines()[1:]] == [
        [MIDDLE, "-", "yes", "allowed", "the", "package", "index"],
        [OLD, "(installed)", "-", "yes", "allowed", "the", "package", "index"],
        ["0.5.0", "-", "yes", "allowed", "the", "package", "index"],
    ]


def test_releases_one_fails(home: Home, mirror: Simulator, web: Web) -> None:
    """One source that fails is a warning, without the password."""
    web.pages["/uv/"] = Page(status=500)
    login = web.url.replace("://", f"://{LOGIN}")
    configure(home, f"listing+{login}/uv/", f"{mirror.url}/uv/")
    done = home.run("releases")
    assert (done.code, len(done.out.splitlines())) == (0, 5)
    shown = web.url.replace("://", "://***@")
    assert done.err == f"warning: {shown}/uv/ answered 500 Internal Server Error\n"


def test_releases_all_fail(home: Home, web: Web) -> None:
    """All failing is one report with a line for each."""
    web.pages |= {"/a/": Page(status=500), "/b/": Page(status=401)}
    configure(home, f"listing+{web.url}/a/", f"listing+{web.url}/b/")
    done = home.run("releases")
    assert (done.code, done.out) == (6, "")
    assert done.err.splitlines()[:3] == [
        "error: all sources failed:",
        f"  {web.url}/a/ answered 500 Internal Server Error",
        f"  {web.url}/b/ answered 401 Unauthorized",
    ]


def test_releases_none(home: Home) -> None:
    """A source that works and has nothing is an error, and not an empty table."""
    (home.path / "share").mkdir()
    home.configure(f'[[source]]\npath = "{home.path}/share"\nkind = "directory"\n')
    done = home.run("releases")
    assert (done.code, done.out) == (7, "")
    assert done.err.startswith(f"error: {home.path}/share has no release of uv\n")


def failing(name: str, web: Web) -> tuple[str, str]:
    """Return a source that fails, and how that is told."""
    url = f"{web.url}/first/"
    match name:
        case "connection":
            nobody = free_address()
            return f"listing+{nobody}/", f"failed to fetch `{nobody}/`: "
        case "version":
            web.pages |= shelf([OLD], "/first")
            return f"listing+{url}", f"{url} has no uv {MIDDLE}"
        case "archive":
            web.pages |= shelf([MIDDLE], "/first", complete=False)
            return f"listing+{url}", f"{url} has no uv {MIDDLE} for this machine"
        case _:
            web.pages["/first/"] = Page(status=int(name))
            return f"listing+{url}", f"{url} answered {name}"


FAILURES = ("connection", "500", "401", "version", "archive")


@pytest.mark.parametrize("quiet", [[], ["-q"]], ids=["", "quiet"])
@pytest.mark.parametrize("name", FAILURES)
def test_order(home: Home, web: Web, name: str, quiet: list[str]) -> None:
    """A source that fails is noted, and the next one answers; with `-q` in silence."""
    spec, told = failing(name, web)
    with Web(shelf([MIDDLE], "/second")) as second:
        configure(home, spec, f"listing+{second.url}/second/")
        done = home.run(MIDDLE, *quiet)
        assert (done.code, home.version()) == (0, MIDDLE), done.err
    warnings = [line for line in done.err.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == (0 if quiet else 1)
    assert all(line.startswith(f"warning: {told}") for line in warnings)
    assert all(line.endswith("; trying the next source") for line in warnings)
    assert not quiet or done.err == ""


def test_order_all_fail(home: Home, web: Web) -> None:
    """All failing is one report with a line for each, and uv stays."""
    web.pages |= {"/a/": Page(status=500), "/b/": Page(status=401)}
    nobody = free_address()
    configure(home, *(f"listing+{url}/" for url in (f"{web.url}/a", f"{web.url}/b", nobody)))
    before = home.snapshot()
    done = home.run()
    assert done.code != 0
    report = done.err[done.err.index("error: all sources failed:") :].splitlines()
    assert report[1:3] == [
        f"  {web.url}/a/ answered 500 Internal Server Error",
        f"  {web.url}/b/ answered 401 Unauthorized",
    ]
    assert report[3].startswith(f"  failed to fetch `{nobody}/`: ")
    assert done.err.count("all sources failed") == 1
    assert home.snapshot() == before


def fetched(asked: list[Asked]) -> set[str]:
    """Return the names of the files that were asked for."""
    return {asked.path.rpartition("/")[2] for asked in asked} - {""}


@pytest.mark.parametrize("installer", ["release", "native"])
def test_order_is_not_mixed(home: Home, installer: str) -> None:
    """All files come from the source that the version was found at.

    The first has an installer of that version, and other versions; the third has all of it.
    """
    first_pages = shelf([OLD], "/uv") | shelf([MIDDLE], "/uv", complete=False)
    first_pages["/uv/"] = shelf([MIDDLE, OLD], "/uv")["/uv/"]
    with Web(first_pages) as first, Web(shelf([MIDDLE])) as second, Web(shelf([MIDDLE])) as third:
        configure(home, *(f"listing+{server.url}/uv/" for server in (first, second, third)))
        done = home.run(MIDDLE, "--installer", installer)
        assert (done.code, home.version()) == (0, MIDDLE), done.err
        # For our own installer, the digest is requested before the directory is listed.
        digest = set() if installer == "release" else {f"{ARCHIVE}.sha256"}
        assert fetched(first.asked) == digest
        expected = {ARCHIVE, "uv-installer.sh"} if installer == "release" else {ARCHIVE}
        assert fetched(second.asked) >= expected
        assert third.asked == []
    assert f"{ARCHIVE} is missing from {MIDDLE}" in done.err


def test_order_newer_behind(home: Home) -> None:
    """The first source that answers decides, also if one behind it has something newer."""
    with Web(shelf([MIDDLE])) as first, Web(shelf([NEW])) as second:
        configure(home, f"{first.url}/uv/", f"{second.url}/uv/")
        done = home.run()
        assert (done.code, home.version()) == (0, MIDDLE), done.err
        assert second.asked == []
