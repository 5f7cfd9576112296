"""`mirror`: a directory of releases, filled from a source, and what real uvs do with it."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.catalogue import catalogue
from support.processes import Stuck
from support.simulator import gitea, github
from support.simulator.dialect import Setup
from support.simulator.rows import SERVERS
from support.simulator.server import Simulator
from support.web import Page, Web
from uv_self_update import platforms
from uv_self_update.config.settings import Network, Settings
from uv_self_update.network.progress import SILENT
from uv_self_update.sources.opened import OpenSources
from uv_self_update.workflow.mirror import wheels as made
from uv_self_update.workflow.mirror.fill import fill
from uv_self_update.workflow.mirror.record import Selection
from uv_self_update.workflow.mirror.store import Store
from uv_self_update.workflow.mirror.together import Together
from uv_self_update.workflow.mirror.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.homes import Done, Home
    from support.simulator.dialect import Dialect
    from support.web import Asked

OLD, NEW, NEWER = "0.11.1", "0.12.1", "0.12.2"
PLATFORM = platforms.current()
DOWNLOADS = "github/uv/releases/download"


class Served(Web):
    """A web server whose root is a directory."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root

    def page_for(self, asked: Asked) -> Page:
        """Return a file; for a directory, its `index.html`."""
        path = self.root / asked.path.partition("?")[0].lstrip("/")
        if path.is_dir():
            path /= "index.html"
        if not path.is_file():
            return Page(status=404)
        kind = "text/html" if path.suffix == ".html" else "application/octet-stream"
        return Page(body=path, headers={"Content-Type": kind})


@dataclass(kw_only=True)
class Mirror:
    """A mirror, its source, and the home in which both are used."""

    home: Home
    web: Web
    root: Path

    @property
    def source(self) -> str:
        """The source, as `--source` has it."""
        return f"github+{self.web.url}/astral-sh/uv"

    def fill(self, *arguments: str, source: str | None = None) -> Done:
        """Run the command."""
        return self.home.run(
            "mirror", str(self.root), "--source", source or self.source, *arguments
        )

    def filled(self, *arguments: str, source: str | None = None) -> Done:
        """Run the command, which works."""
        done = self.fill(*arguments, source=source)
        assert done.code == 0, done.err
        return done

    def files(self) -> dict[str, tuple[int, int, int]]:
        """Return every path with what changes when it is written."""
        return {
            path.relative_to(self.root).as_posix(): (stat.st_ino, stat.st_mtime_ns, stat.st_size)
            for path in self.root.rglob("*")
            if path.is_file() and (stat := path.stat())
        }

    def versions(self) -> set[str]:
        """Return the versions that have a directory."""
        return {path.name for path in (self.root / DOWNLOADS).iterdir() if path.is_dir()}


def zipped(work: Path) -> bytes:
    """Return an archive for Windows."""
    platform = platforms.Platform(triple="x86_64-pc-windows-msvc")
    for name in platform.executables:
        (work / name).write_bytes(b"MZ")
    made.write_archive(work, platform, work / "archive.zip")
    return (work / "archive.zip").read_bytes()


@pytest.fixture
def mirror(home: Home, tmp_path: Path) -> Iterator[Mirror]:
    """Return an empty mirror, with a GitHub that has three releases."""
    with Web(mirrors.github_pages([NEWER, NEW, OLD])) as web:
        yield Mirror(home=home, web=web, root=tmp_path / "mirror")


def test_newest_release_is_mirrored_in_every_layout(mirror: Mirror) -> None:
    """Archives, sums, GitHub's JSON, Astral's manifest, an index and pages are there."""
    done = mirror.filled("--url", "https://uv.example.com/m")

    root, archive = mirror.root, binaries.archive(NEWER, real=False)
    name, digest = archive.name, mirrors.sha256(archive)
    assert f"+ uv {NEWER}" in done.out
    for place in (DOWNLOADS, "astral-sh/uv/releases/download"):
        assert (root / place / NEWER / name).read_bytes() == archive.read_bytes()
        assert f"{digest} *{name}" in (root / place / NEWER / "sha256.sum").read_text()
        assert (root / place / NEWER / "uv-installer.sh").exists()
    latest = json.loads((root / "api/v3/repos/astral-sh/uv/releases/latest").read_text())
    assert latest["tag_name"] == NEWER
    url = f"https://uv.example.com/m/astral-sh/uv/releases/download/{NEWER}/{name}"
    assert {"url": url, "digest": f"sha256:{digest}"}.items() <= next(
        asset for asset in latest["assets"] if asset["name"] == name
    ).items()
    (line,) = (root / "github/versions/main/v1/uv.ndjson").read_text().splitlines()
    artifact = json.loads(line)["artifacts"][0]
    assert (artifact["platform"], artifact["sha256"]) == (PLATFORM.triple, digest)
    assert re.search(
        r'href="uv-0.12.2-[^"]+\.whl#sha256=', (root / "simple/uv/index.html").read_text()
    )
    assert NEWER in (root / "index.html").read_text()
    checked = subprocess.run(
        ["/usr/bin/sha256sum", "--check", "--quiet", "sha256.sum"],
        cwd=root,
        check=False,
        capture_output=True,
    )
    assert checked.returncode == 0, checked.stderr


def test_second_run_asks_once_and_writes_nothing(mirror: Mirror) -> None:
    """Without anything new, a run costs one request, and no file changes."""
    mirror.filled("--url", "https://uv.example.com/", "--limit", "2", "--keep", "2")
    before, mirror.web.asked[:] = mirror.files(), []

    mirror.filled("--url", "https://uv.example.com/", "--limit", "2", "--keep", "2")

    assert len(mirror.web.asked) == 1, mirror.web.paths()
    assert mirror.files() == before


def test_next_release_arrives_while_one_is_packed(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is in use while wheels are made; a failure there stops the download."""
    path = next(path for path in mirror.web.pages if path.endswith(f"{OLD}/{PLATFORM.archive}"))
    page = mirror.web.pages[path]
    assert isinstance(page, Page)
    stuck = Stuck(page)
    mirror.web.pages[path] = stuck

    def fail(*_: object) -> None:
        stuck.wait()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(made, "write_wheel", fail)
        failed = mirror.fill("--versions", f"!={NEWER}")
    stuck.release()

    assert failed.code == 13, failed.err
    assert "No space left on device" in failed.err
    assert not (mirror.root / "simple").exists()
    assert "2 releases" in mirror.filled("--versions", f"!={NEWER}").out


def test_old_releases_are_pruned(mirror: Mirror) -> None:
    """`--keep` removes the oldest from lists, directories and the index."""
    mirror.filled("--versions", ">=0.11", "--url", "https://uv.example.com/")
    assert mirror.versions() == {NEWER, NEW, OLD}

    done = mirror.filled("--keep", "2")

    assert f"- uv {OLD}" in done.out
    assert mirror.versions() == {NEWER, NEW}
    assert not [path for path in mirror.files() if OLD in path]
    assert OLD not in (mirror.root / "github/versions/main/v1/uv.ndjson").read_text()
    assert mirror.fill("--check").code == 0


def test_platforms_can_be_added(mirror: Mirror) -> None:
    """Further platforms are fetched later; what the mirror has is not fetched again."""
    name = "uv-x86_64-pc-windows-msvc.zip"
    other = zipped(mirror.home.path)
    page = mirror.web.pages["/api/v3/repos/astral-sh/uv/releases"]
    assert isinstance(page, Page)
    assert isinstance(page.body, bytes)
    newest, *rest = json.loads(page.body)
    url = f"https://github.com/astral-sh/uv/releases/download/{NEWER}/{name}"
    newest["assets"].append({"name": name, "url": url, "browser_download_url": url})
    mirror.web.pages |= {
        "/api/v3/repos/astral-sh/uv/releases": Page(body=json.dumps([newest, *rest]).encode()),
        f"/astral-sh/uv/releases/download/{NEWER}/{name}": Page(body=other),
    }
    mirror.filled("--platform", PLATFORM.triple)
    assert not (mirror.root / DOWNLOADS / NEWER / name).exists()
    mirror.web.asked.clear()

    mirror.filled("--platform", "x86_64-pc-windows-msvc")

    assert (mirror.root / DOWNLOADS / NEWER / name).read_bytes() == other
    assert not [path for path in mirror.web.paths() if path.endswith(PLATFORM.archive)]
    index = (mirror.root / "simple/uv/index.html").read_text()
    assert {"win_amd64", "manylinux_2_17"} <= {*re.findall("win_amd64|manylinux_2_17", index)}
    assert mirror.fill("--check").code == 0


def test_wrong_digest_is_refused(mirror: Mirror) -> None:
    """A file that is not what its digest says is not mirrored, and neither is its release."""
    path = f"/astral-sh/uv/releases/download/{NEWER}/{PLATFORM.archive}"
    mirror.web.pages[path] = Page(body=b"\x1f\x8bother")

    done = mirror.fill()

    assert done.code == 8
    assert "sha256" in done.err
    assert not (mirror.root / DOWNLOADS).exists()


def test_page_instead_of_archive_is_refused(mirror: Mirror) -> None:
    """Without a digest, a web page does not become an archive."""
    root = mirror.home.path / "share" / NEWER
    root.mkdir(parents=True)
    (root / PLATFORM.archive).write_text("<!DOCTYPE html><html><body>Sign in</body></html>")

    done = mirror.fill("--no-wheels", source=str(root.parent))

    assert done.code == 8
    assert f"{PLATFORM.archive} from" in done.err
    assert "it is a web page" in done.err


def test_policy_applies(mirror: Mirror) -> None:
    """A release that the policy hides is not mirrored."""
    mirror.home.configure('[policy]\nversions = "<0.12.2"\n')

    mirror.filled("--limit", "5")

    assert mirror.versions() == {NEW, OLD}


def test_pinned_digest_applies(mirror: Mirror) -> None:
    """A digest of the configuration overrides what the source publishes."""
    mirror.home.configure(f'[policy.digests."{NEWER}"]\n"{PLATFORM.archive}" = "{"0" * 64}"\n')

    assert mirror.fill().code == 8


def test_second_source_is_used(mirror: Mirror) -> None:
    """A source that fails is passed over, with a warning."""
    mirror.home.configure("[network]\nretries = 0\n")
    done = mirror.home.run(
        *("mirror", str(mirror.root), "--source", "github+http://127.0.0.1:9/astral-sh/uv"),
        *("--source", mirror.source),
    )

    assert done.code == 0, done.err
    assert "trying the next source" in done.err


def test_two_runs_at_once(mirror: Mirror) -> None:
    """A second run ends at once while the first one holds the lock."""
    with Store(root=mirror.root).locked():
        done = mirror.fill()

    assert done.code == 13
    assert "another `uv-self-update mirror` fills" in done.err


@pytest.mark.parametrize(
    "path",
    [
        f"{DOWNLOADS}/{NEWER}/{PLATFORM.archive}",
        f"astral-sh/uv/releases/download/{NEWER}/sha256.sum",
        "github/versions/main/v1/uv.ndjson",
        "index.html",
    ],
)
@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_check_finds_damage(mirror: Mirror, path: str, damage: str) -> None:
    """`--check` names what is missing or changed, and changes nothing; a run puts it right."""
    mirror.filled("--no-wheels")
    file = mirror.root / path
    content = file.read_bytes()
    file.unlink()
    if damage == "changed":
        file.write_bytes(content[:-1])
    before = mirror.files()

    done = mirror.fill("--check")

    assert done.code == 11
    assert f"{path} is {damage}" in done.out
    assert mirror.files() == before
    mirror.filled("--no-wheels")
    assert mirror.fill("--check").code == 0
    assert file.read_bytes() == content


def test_verified_file_is_not_fetched_again(mirror: Mirror) -> None:
    """What a run that failed has verified waits for the next one, and no reader sees it."""
    installer = f"/astral-sh/uv/releases/download/{NEWER}/uv-installer.sh"
    page = mirror.web.pages[installer]
    arrived = threading.Event()

    def fails(_: Asked) -> Page:
        arrived.wait(10)
        return Page(status=403)

    def archive(_: Asked) -> Page:
        arrived.set()
        return Page(body=binaries.archive(NEWER, real=False))

    mirror.web.pages[installer] = fails
    mirror.web.pages[f"/astral-sh/uv/releases/download/{NEWER}/{PLATFORM.archive}"] = archive
    assert mirror.fill("--no-wheels").code == 6
    assert not (mirror.root / DOWNLOADS).exists()
    waiting = mirror.root / ".mirror/new" / NEWER / PLATFORM.archive
    if not waiting.exists():  # the failure was faster than the rest of the archive
        waiting.parent.mkdir(parents=True, exist_ok=True)
        waiting.write_bytes(binaries.archive(NEWER, real=False).read_bytes())
    mirror.web.pages[installer] = page
    mirror.web.asked.clear()

    mirror.filled("--no-wheels")

    assert not [path for path in mirror.web.paths() if path.endswith(PLATFORM.archive)]
    assert mirror.fill("--check").code == 0


def test_files_of_a_version_that_is_not_wanted_any_more(mirror: Mirror) -> None:
    """What a killed run has verified is kept until a run succeeds without it."""
    waiting = mirror.root / ".mirror/new" / OLD / PLATFORM.archive
    waiting.parent.mkdir(parents=True)
    waiting.write_bytes(b"verified")
    pages = dict(mirror.web.pages)
    mirror.web.pages.clear()
    assert mirror.fill("--no-wheels").code == 6
    assert waiting.exists()
    mirror.web.pages.update(pages)

    mirror.filled("--no-wheels")

    assert [*(mirror.root / ".mirror/new").iterdir()] == []


def test_web_server_can_read_it(mirror: Mirror) -> None:
    """Whatever the umask, everyone may read what is served."""
    before = os.umask(0o077)
    try:
        mirror.filled("--no-wheels")
    finally:
        os.umask(before)

    served = [path for path in mirror.root.rglob("*") if ".mirror" not in path.parts]
    assert {path.stat().st_mode & 0o777 for path in served} == {0o644, 0o755}


def test_directory_that_cannot_be_used(mirror: Mirror) -> None:
    """A directory that cannot be made is named with the reason; a missing one has no release."""
    mirror.root.write_text("a file")
    below = str(mirror.root / "mirror")
    done = mirror.home.run("mirror", below, "--source", mirror.source)
    checked = mirror.home.run("mirror", below, "--check")

    assert done.code == 13
    assert f"the mirror {below} cannot be used: Not a directory" in done.err
    assert checked.code == 13
    mirror.root.unlink()
    assert mirror.fill("--check").out == f"{mirror.root} has no release\n"


def test_json(mirror: Mirror) -> None:
    """`--json` tells what was added and what the mirror has."""
    told = json.loads(mirror.filled("--json", "--no-wheels", "--limit", "2").out)

    assert told["added"] == told["held"] == [NEWER, NEW]
    assert told["removed"] == []
    assert json.loads(mirror.fill("--check", "--json").out) == {
        "held": [NEWER, NEW],
        "problems": [],
    }


def test_quiet_run_prints_nothing(mirror: Mirror) -> None:
    """With `-q`, cron has nothing to send."""
    done = mirror.filled("-q", "--no-wheels")

    assert (done.out, done.err) == ("", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--platform", "linux"],
        ["--url", "https://me:secret@uv.example.com/"],
        ["--url", "https://uv.example.com/$(id)"],
        ["--url", "uv.example.com"],
        ["--versions", "newest"],
        ["--keep", "0"],
    ],
)
def test_bad_values_are_refused(mirror: Mirror, arguments: list[str]) -> None:
    """A value that cannot work is refused before anything is asked or written."""
    done = mirror.fill(*arguments)

    assert done.code == 2
    assert "secret" not in done.err
    assert mirror.web.asked == []
    assert not mirror.root.exists()


def test_source_that_lists_no_files_needs_platforms(mirror: Mirror) -> None:
    """A source of kind `urls` says that platforms have to be named, and works with them."""
    with Web(mirrors.urls_pages([NEWER])) as web:
        web.pages["/latest.json"] = Page(body=NEWER.encode())
        mirror.home.configure(
            f'[[source]]\nkind = "urls"\nlatest = "{web.url}/latest.json"\n'
            f'download = "{web.url}/files/{{tag}}/{{asset}}"\n'
        )

        refused = mirror.home.run("mirror", str(mirror.root))
        done = mirror.home.run("mirror", str(mirror.root), "--platform", PLATFORM.triple)

    assert refused.code == 13
    assert "--platform" in refused.err
    assert done.code == 0, done.err
    assert (mirror.root / DOWNLOADS / NEWER / PLATFORM.archive).exists()


def test_same_executables_give_the_same_wheel(mirror: Mirror, tmp_path: Path) -> None:
    """A wheel depends on nothing but the archive, so that two mirrors agree."""
    other = Mirror(home=mirror.home, web=mirror.web, root=tmp_path / "other")
    mirror.filled()
    os.utime(mirror.root)
    other.filled()

    index = "simple/uv/index.html"
    assert (mirror.root / index).read_bytes() == (other.root / index).read_bytes()


@pytest.fixture
def old(mirror: Mirror) -> Mirror:
    """Return a mirror of the newest release, and a home with the uv before it."""
    version = binaries.newest()
    mirror.web.pages = mirrors.github_pages([version])
    mirror.home.install(binaries.newest_but_one())
    return mirror


@pytest.mark.parametrize("way", ["UV_INSTALLER_GHE_BASE_URL", "UV_ASTRAL_MIRROR_URL"])
@pytest.mark.extra
def test_plain_uv_updates_from_it(old: Mirror, way: str) -> None:
    """`uv self update` itself updates from a mirror, with one variable."""
    with Served(old.root) as served:
        old.filled("--url", f"{served.url}/", "--no-wheels")
        done = old.home.start(str(old.home.uv), "self", "update", environ={way: f"{served.url}/"})

    assert done.code == 0, done.err
    assert old.home.version() == binaries.newest()
    assert old.home.receipt_version() == binaries.newest()


@pytest.mark.extra
def test_own_command_updates_from_it(old: Mirror) -> None:
    """This package updates from a mirror by its pages, without a server's listing."""
    with Served(old.root) as served:
        old.filled("--no-wheels")
        done = old.home.run("--source", f"listing+{served.url}/")

    assert done.code == 0, done.err
    assert old.home.version() == binaries.newest()


@pytest.mark.extra
def test_uv_installs_from_its_index(old: Mirror) -> None:
    """`uv pip install uv` takes the wheel that was made from an archive, and compares its hash."""
    target = old.home.path / "target"
    with Served(old.root) as served:
        old.filled()
        done = old.home.start(
            *(str(old.home.uv), "pip", "install", "uv", "--target", str(target)),
            *("--default-index", f"{served.url}/simple/", "--python", sys.executable),
        )

    assert done.code == 0, done.err
    version = subprocess.run([target / "bin" / "uv", "--version"], capture_output=True, check=True)
    assert version.stdout.split()[1].decode() == binaries.newest()


@pytest.fixture
def indexed(mirror: Mirror) -> Mirror:
    """Return a mirror whose source is a package index, with wheels for two platforms."""
    version = binaries.newest()
    mirror.home.install(binaries.newest_but_one())
    work = mirror.home.path / "work"
    work.mkdir()
    windows = platforms.Platform(triple="x86_64-pc-windows-msvc")
    zipped(work)
    wheel = work / str(made.wheel_name(version, windows))
    made.write_wheel(work, version, windows, wheel)
    mirror.web.pages = mirrors.index_pages([version])
    page = mirror.web.pages["/simple/uv/"]
    assert isinstance(page, Page)
    assert isinstance(page.body, bytes)
    link = f'<a href="../../wheels/{wheel.name}#sha256={mirrors.sha256(wheel)}">{wheel.name}</a>'
    mirror.web.pages |= {
        "/simple/uv/": Page(body=page.body + link.encode(), headers=page.headers),
        f"/wheels/{wheel.name}": Page(body=wheel),
    }
    return mirror


TWO_PLATFORMS = ("--platform", PLATFORM.triple, "--platform", "x86_64-pc-windows-msvc")


@pytest.mark.extra
def test_index_becomes_archives_and_installers(indexed: Mirror) -> None:
    """Wheels of an index become archives for each platform, with small installers and sums."""
    index = f"index+{indexed.web.url}/simple/"
    indexed.filled(*TWO_PLATFORMS, "--platform", "s390x-unknown-linux-gnu", source=index)

    directory = indexed.root / DOWNLOADS / binaries.newest()
    names = {path.name for path in directory.iterdir() if path.suffix != ".sha256"}
    assert names == {
        *(PLATFORM.archive, "uv-x86_64-pc-windows-msvc.zip", "uv-installer.sh"),
        *("uv-installer.ps1", "sha256.sum", "index.html"),
    }
    with zipfile.ZipFile(directory / "uv-x86_64-pc-windows-msvc.zip") as packed:
        assert packed.namelist() == ["uv.exe", "uvw.exe", "uvx.exe"]
    digest = mirrors.sha256(directory / "uv-x86_64-pc-windows-msvc.zip")
    assert f'"x86_64-pc-windows-msvc" = "{digest}"' in (directory / "uv-installer.ps1").read_text()
    before = indexed.files()
    indexed.filled(*TWO_PLATFORMS, source=index)
    assert indexed.files() == before


@pytest.mark.parametrize("way", ["UV_INSTALLER_GHE_BASE_URL", "UV_ASTRAL_MIRROR_URL"])
@pytest.mark.extra
def test_plain_uv_updates_by_a_small_installer(indexed: Mirror, way: str) -> None:
    """`uv self update` runs the small installer, which writes uv and its receipt."""
    with Served(indexed.root) as served:
        indexed.filled(
            *("--url", f"{served.url}/", "--no-wheels", "--platform", PLATFORM.triple),
            source=f"index+{indexed.web.url}/simple/",
        )
        environ = {way: f"{served.url}/"}
        done = indexed.home.start(str(indexed.home.uv), "self", "update", environ=environ)

    assert done.code == 0, done.err
    assert indexed.home.version() == binaries.newest()
    assert indexed.home.receipt_version() == binaries.newest()


def test_small_installer_is_a_script() -> None:
    """The file that it is made from is a valid script itself, for editors and linters."""
    script = Path(made.__file__).with_name("uv-installer.sh")

    subprocess.run(["/bin/sh", "-n", script], check=True)


@pytest.mark.extra
def test_small_installer_in_every_shell(indexed: Mirror) -> None:
    """The small installer works in common shells, and refuses an archive with another digest."""
    version = binaries.newest()
    with Served(indexed.root) as served:
        indexed.filled(
            *("--url", f"{served.url}/", "--no-wheels", "--platform", PLATFORM.triple),
            source=f"index+{indexed.web.url}/simple/",
        )
        script = str(indexed.root / DOWNLOADS / version / "uv-installer.sh")
        for shell in (["dash"], ["bash"], ["mksh"], ["busybox", "sh"]):
            if shutil.which(shell[0]) is None:
                continue
            home = indexed.home.path / shell[0]
            home.mkdir()
            done = indexed.home.start(*shell, script, environ={"HOME": str(home)})
            assert done.code == 0, done.err
            assert (home / ".local/bin/uv").exists()
            receipt = json.loads((home / ".config/uv/uv-receipt.json").read_text())
            assert receipt["install_prefix"] == str(home / ".local/bin")
        archive = indexed.root / DOWNLOADS / version / PLATFORM.archive
        archive.write_bytes(archive.read_bytes() + b"x")
        home = indexed.home.path / "refused"
        refused = indexed.home.start("sh", script, environ={"HOME": str(home)})

    assert refused.code == 1
    assert "another sha256" in refused.err
    assert not (home / ".local").exists()


KINDS = (*SERVERS, gitea.GiteaPackages, github.GithubWithoutDigests)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_source(kind: type[Dialect], home: Home, tmp_path: Path) -> None:
    """A mirror of any kind of server has every archive of the release, and then asks little."""
    releases = catalogue(OLD, NEW)
    root = tmp_path / "mirror"
    with Simulator(kind(releases, Setup())) as simulator:
        settings = Settings(
            sources=(simulator.dialect.section(simulator.place),),
            network=Network(timeout=5, retries=0),
        )
        asked = []
        for _ in range(2):
            before = len(simulator.asked)
            with closing(OpenSources(settings, uv=home.uv, environ=home.full_environ())) as opened:
                filled = fill(opened, Store(root=root), Selection(), Together(SILENT))
            asked.append(len(simulator.asked) - before)

    assert filled.added == []
    assert filled.held == [NEW]
    assert asked[1] <= 2 < asked[0]  # some kinds have two places for a list
    for file in releases[NEW].files:
        if file.archive:
            assert (root / DOWNLOADS / NEW / file.name).read_bytes() == file.content
    assert [*verify(Store(root=root))] == []
