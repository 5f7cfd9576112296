"""`doctor`: broken machines, each built for real, named with a remedy that cures it."""

from __future__ import annotations

import io
import json
import re
import shutil
import signal
import socket
import sys
import time
import zipfile
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from support import binaries, mirrors, namespaces
from support.processes import Running, Stuck
from support.web import Asked, Page, Web
from uv_self_update import platforms
from uv_self_update.installer.workspace import claim
from uv_self_update.uv.receipt import new_receipt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from support.homes import Done, Home

OLD, NEW = "0.8.24", "0.11.13"
ARCHIVE = platforms.current().archive
_TIMEOUT_OF_UV = 30  # seconds for an answer, and it tries again
API = "/api/v3/repos/astral-sh/uv/releases"


@pytest.fixture
def mirror(home: Home, web: Web) -> Web:
    """Give the home a uv, with a script in its place, and a mirror that has a newer one."""
    place(home, OLD)
    web.pages |= mirrors.github_pages([NEW, OLD])
    home.environ["UV_SELF_UPDATE_SOURCE"] = f"github+{web.url}/astral-sh/uv"
    return web


def place(home: Home, version: str, *, directory: Path | None = None) -> Path:
    """Install a uv that is a script, with a receipt if it is the standalone one."""
    target = directory or home.bin
    target.mkdir(parents=True, exist_ok=True)
    for name in ("uv", "uvx"):
        shutil.copy2(binaries.scripts(version) / name, target / name)
    if directory is None:
        home.receipt.parent.mkdir(parents=True, exist_ok=True)
        document = new_receipt(prefix=target, version=version, executables=("uv", "uvx"))
        home.receipt.write_text(json.dumps(document))
    return target / "uv"


def report(done: Done) -> dict[str, Any]:
    """Return the report of `doctor --json`."""
    found: dict[str, Any] = json.loads(done.out)
    assert found["exit_code"] == done.code
    assert found["works"] is (done.code == 0)
    return found


def troubles(home: Home, *arguments: str) -> list[tuple[str, str, str]]:
    """Return the state, the text and the remedy of what is not as it should be."""
    findings = report(home.call("doctor", "--json", *arguments))["findings"]
    return [
        (each["state"], each["text"], each["remedy"] or "")
        for each in findings
        if each["state"] != "ok"
    ]


def test_healthy(home: Home, mirror: Web) -> None:
    """A machine on which an update works: no warning, exit code 0, and nothing is changed."""
    before = home.snapshot()

    done = home.call("doctor")

    assert (done.code, done.err) == (0, "")
    assert "✗" not in done.out
    assert "!" not in done.out
    assert f"✓ uv {OLD} at {home.uv}, from the standalone installer" in done.out
    assert f"newest uv {NEW}, {ARCHIVE}, sha256" in done.out
    assert f"an update would install uv {NEW} (installed: {OLD})" in done.out
    assert f"{mirror.url}/astral-sh/uv is reached directly" in done.out
    assert done.out.endswith("\nAn update would work.\n")
    assert home.snapshot() == before


def test_healthy_with_an_index(home: Home, web: Web) -> None:
    """An index works as well: its wheels and their digests are named."""
    home.install("0.8.24")
    web.pages |= mirrors.index_pages([NEW])
    home.environ["UV_DEFAULT_INDEX"] = f"{web.url}/simple/"

    done = home.call("doctor")

    assert done.code == 0
    assert f"newest uv {NEW}, wheels with sha256" in done.out


def test_newer_program(home: Home, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer uv-self-update on the index is a warning with the command that installs it."""
    monkeypatch.setattr("uv_self_update.workflow.doctor.examine._PATIENCE", 60.0)
    home.install("0.8.24")
    name = "uv_self_update-99.0-py3-none-any.whl"
    web.pages |= mirrors.index_pages([NEW])
    web.pages["/simple/uv-self-update/"] = Page(
        body=f'<a href="/{name}">{name}</a>'.encode(), headers={"Content-Type": "text/html"}
    )
    metadata = b"Metadata-Version: 2.1\nName: uv-self-update\nVersion: 99.0\n"
    web.pages[f"/{name}"] = Page(body=wheel("uv_self_update-99.0", metadata))
    home.environ["UV_DEFAULT_INDEX"] = f"{web.url}/simple/"

    (trouble,) = troubles(home)

    assert trouble[0] == "warning"
    assert trouble[1].startswith("uv-self-update 99.0 is available")
    assert trouble[2] == "Run `uv tool upgrade uv-self-update`."


def test_index_that_does_not_answer(
    home: Home, mirror: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index of packages is waited for no longer than a moment, as it is not the source."""
    monkeypatch.setattr("uv_self_update.workflow.doctor.examine._PATIENCE", 0.5)
    home.install(OLD)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        home.environ["UV_DEFAULT_INDEX"] = f"http://127.0.0.1:{silent.getsockname()[1]}/simple/"
        begin = time.monotonic()
        done = home.call("doctor")

    assert done.code == 0
    assert time.monotonic() - begin < _TIMEOUT_OF_UV
    assert f"{mirror.url}/astral-sh/uv is reached directly" in done.out


@pytest.mark.usefixtures("mirror")
def test_uv_is_run_once(home: Home) -> None:
    """The checks share one answer of `uv --version`."""
    log = home.path / "log"
    home.uv.write_text(f'#!/bin/sh\necho "$@" >> {log}\necho uv {OLD}\n')

    assert home.call("doctor").code == 0
    assert log.read_text().splitlines().count("--version") == 1


def wheel(name: str, metadata: bytes) -> bytes:
    """Return a wheel with nothing in it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{name}.dist-info/METADATA", metadata)
        archive.writestr(f"{name}.dist-info/WHEEL", b"Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{name}.dist-info/RECORD", b"")
    return file.getvalue()


def test_quiet(home: Home, mirror: Web) -> None:
    """With `-q`, only what is not as it should be is printed."""
    assert home.call("doctor", "-q").out == ""

    mirror.pages.clear()
    done = home.call("doctor", "-q")

    assert done.code != 0
    assert done.out.startswith("✗ ")


@pytest.mark.parametrize("encoding", ["cp437", "cp1252"])
def test_marks_of_a_poor_terminal(home: Home, mirror: Web, encoding: str) -> None:
    """A terminal without a check mark gets words, and no error."""
    del mirror

    done = home.start(
        *(sys.executable, "-m", "uv_self_update", "doctor"),
        environ={"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
    )

    assert done.code == 0, done.err
    assert done.out.startswith("ok uv-self-update ")


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A machine that is broken in one way."""

    spoil: Callable[[Home, Web], object]
    said: str
    """A pattern in the text of the trouble."""

    remedy: str
    """A pattern in its remedy."""

    cure: Callable[[Home, Web], object]
    """What the remedy says to do."""


def fix(home: Home, _: Web) -> None:
    """Type what the report says is possible."""
    done = home.call("doctor", "--fix", "--yes")
    assert done.code == 0, done.out + done.err


def set_variable(name: str, value: str) -> Callable[[Home, Web], None]:
    """Set a variable."""

    def run(home: Home, _: Web) -> None:
        home.environ[name] = value

    return run


def unset(*names: str) -> Callable[[Home, Web], None]:
    """Remove variables."""

    def run(home: Home, _: Web) -> None:
        for name in names:
            home.environ.pop(name, None)

    return run


def source(template: str) -> Callable[[Home, Web], None]:
    """Name another source; `{}` is the server's URL."""

    def run(home: Home, web: Web) -> None:
        home.environ["UV_SELF_UPDATE_SOURCE"] = template.format(web.url)

    return run


right = source("github+{}/astral-sh/uv")


def configured(text: str) -> Callable[[Home, Web], None]:
    """Write the configuration file."""

    def run(home: Home, _: Web) -> None:
        home.configure(text)

    return run


def answer(
    status: int, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Callable[[Home, Web], None]:
    """Let the mirror answer everything so."""

    def run(_: Home, web: Web) -> None:
        page = Page(body=body, status=status, headers=headers or {})
        web.pages.update(dict.fromkeys(list(web.pages), page))

    return run


def mend(_: Home, web: Web) -> None:
    """Let the mirror work again."""
    web.pages |= mirrors.github_pages([NEW, OLD])


def broken_receipt(text: str) -> Callable[[Home, Web], None]:
    """Write a receipt."""

    def run(home: Home, _: Web) -> None:
        home.receipt.write_text(text.replace("{bin}", str(home.bin)))

    return run


def about_another(home: Home, _: Web) -> None:
    """Let the receipt be about a directory that is gone."""
    document = json.loads(home.receipt.read_text())
    home.receipt.write_text(json.dumps(document | {"install_prefix": "/nonexistent/bin"}))


def behind_pip(home: Home, _: Web) -> None:
    """Put a uv of pip's first on PATH."""
    environment = home.path / "venv"
    uv = place(home, NEW, directory=environment / "bin")
    info = environment / "lib" / "python3.12" / "site-packages" / f"uv-{NEW}.dist-info"
    info.mkdir(parents=True)
    (info / "INSTALLER").write_text("pip\n")
    (info / "RECORD").write_text(f"../../../bin/uv,sha256=x,{uv.stat().st_size}\n")
    home.environ["PATH"] = f"{uv.parent}:{home.bin}:/usr/bin:/bin"


def off_path(home: Home, _: Web) -> None:
    """Take uv from PATH."""
    home.environ["PATH"] = "/usr/bin:/bin"


def not_a_program(home: Home, _: Web) -> None:
    """Let uv be a program for another machine."""
    home.uv.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(57))


def too_old(home: Home, _: Web) -> None:
    """Let uv be one that cannot be led to a mirror."""
    home.uv.write_text("#!/bin/sh\necho uv 0.4.30\n")
    document = new_receipt(prefix=home.bin, version="0.4.30", executables=("uv", "uvx"))
    home.receipt.write_text(json.dumps(document))


def renewed(home: Home, _: Web) -> None:
    """Install uv anew."""
    place(home, OLD)


def exposed(home: Home, web: Web) -> None:
    """Let others read a configuration file with a password."""
    url = web.url.replace("//", "//user:s3cret@")
    home.configure(f'[[source]]\nkind = "github"\nurl = "{url}/astral-sh/uv"\n')
    home.config.chmod(0o644)
    del home.environ["UV_SELF_UPDATE_SOURCE"]


def exposed_packages(home: Home, web: Web) -> None:
    """Let others read a configuration file with a password of a repository of packages."""
    url = web.url.replace("//", "//user:s3cret@")
    home.configure(f'[[releases]]\nkind = "github"\nurl = "{url}/acme/tools"\n')
    home.config.chmod(0o644)


def login_page(_: Home, web: Web) -> None:
    """Let a proxy answer the archive with its own page."""
    for path in [path for path in web.pages if path.endswith(ARCHIVE)]:
        web.pages[path] = Page(body=b"<!DOCTYPE html><title>Sign in</title>")


def no_archive(_: Home, web: Web) -> None:
    """Let the release lack this machine's archive."""
    for path, page in web.pages.items():
        if path.startswith(API) and isinstance(page, Page) and isinstance(page.body, bytes):
            body = page.body.replace(ARCHIVE.encode(), b"uv-riscv64-unknown-none.tar.gz")
            web.pages[path] = Page(body=body)


def needs_token(_: Home, web: Web) -> None:
    """Let the mirror want a token."""
    pages = dict(web.pages)

    def guarded(path: str) -> Callable[[Asked], Page]:
        def run(asked: Asked) -> Page:
            if asked.headers.get("Authorization") != "Bearer s3cret":
                return Page(status=401)
            page = pages[path]
            return page if isinstance(page, Page) else page(asked)

        return run

    web.pages.update({path: guarded(path) for path in pages})


def with_token(home: Home, web: Web) -> None:
    """Name the token in the configuration, as the remedy says."""
    home.environ["MIRROR_TOKEN"] = "s3cret"  # noqa: S105 # of this test
    del home.environ["UV_SELF_UPDATE_SOURCE"]
    url = f"{web.url}/astral-sh/uv"
    home.configure(f'[[source]]\nkind = "github"\nurl = "{url}"\ntoken-env = "MIRROR_TOKEN"\n')


def empty_directory(home: Home, _: Web) -> None:
    """Configure a directory without releases."""
    (home.path / "share").mkdir()
    home.environ["UV_SELF_UPDATE_SOURCE"] = str(home.path / "share")


def interrupted(home: Home, _: Web) -> None:
    """Leave what an update leaves that was killed before it replaced anything."""
    left = home.bin / ".uv-self-update"
    left.mkdir()
    journal = {"state": "preparing", "version": NEW, "rewrites": [], "steps": []}
    (left / "journal.json").write_text(json.dumps(journal))


HELP = r"--adopt"
MACHINES = {
    "no receipt": Broken(
        spoil=lambda home, _: home.receipt.unlink(),
        said="was not installed by uv's standalone installer: there is no receipt",
        remedy=HELP,
        cure=fix,
    ),
    "the receipt of another uv": Broken(
        spoil=about_another, said="the receipt .* is about /nonexistent", remedy=HELP, cure=fix
    ),
    "a receipt with bare backslashes": Broken(
        spoil=broken_receipt(r'{"install_prefix": "C:\Users\me", "version": "1"}'),
        said="receipt.*it is not JSON",
        remedy=HELP,
        cure=fix,
    ),
    "a receipt without a prefix": Broken(
        spoil=broken_receipt("{}"), said="`install_prefix` is missing", remedy=HELP, cure=fix
    ),
    "an empty receipt": Broken(
        spoil=broken_receipt(""), said="receipt.*it is not JSON", remedy=HELP, cure=fix
    ),
    "a receipt of another version": Broken(
        spoil=broken_receipt('{"install_prefix": "{bin}", "version": "0.1.0"}'),
        said=f"says uv 0.1.0, but this uv is {OLD}",
        remedy="The next update corrects it",
        cure=renewed,
    ),
    "no uv on PATH": Broken(
        spoil=off_path, said="no uv found on PATH", remedy="--uv", cure=unset("PATH")
    ),
    "a uv of pip's before it": Broken(
        spoil=behind_pip, said="venv/bin/uv was not", remedy="pip install", cure=unset("PATH")
    ),
    "a uv that does not run": Broken(
        spoil=not_a_program, said=r"failed to run .*uv", remedy=".", cure=renewed
    ),
    "a uv that is not executable": Broken(
        spoil=lambda home, _: home.uv.chmod(0o644),
        said="uv cannot be run",
        remedy="chmod",
        cure=lambda home, _: home.uv.chmod(0o755),
    ),
    "a uv that is too old": Broken(
        spoil=too_old, said=r"uv 0.4.30.*0\.5\.0", remedy=".", cure=renewed
    ),
    "an interrupted update": Broken(
        spoil=interrupted, said="was interrupted", remedy="uv-self-update", cure=fix
    ),
    "a configuration file that is not TOML": Broken(
        spoil=configured("network = {"), said="config.toml", remedy=".", cure=configured("")
    ),
    "a mistyped key": Broken(
        spoil=configured("[network]\ntimeot = 3\n"),
        said="timeot",
        remedy="",
        cure=configured("[network]\ntimeout = 3\n"),
    ),
    "an invalid value": Broken(
        spoil=configured('[policy]\nmin-age = "soon"\n'),
        said="min-age",
        remedy="",
        cure=configured('[policy]\nmin-age = "0 days"\n'),
    ),
    "an invalid variable": Broken(
        spoil=set_variable("UV_SELF_UPDATE_TIMEOUT", "soon"),
        said="UV_SELF_UPDATE_TIMEOUT",
        remedy="",
        cure=unset("UV_SELF_UPDATE_TIMEOUT"),
    ),
    "a password that others can read": Broken(
        spoil=exposed, said="other users can read it", remedy="chmod 600", cure=fix
    ),
    "a password of packages that others can read": Broken(
        spoil=exposed_packages, said="other users can read it", remedy="chmod 600", cure=fix
    ),
    "a source at the wrong path": Broken(
        spoil=source("github+{}/wrong/path"), said="404", remedy=".", cure=right
    ),
    "a server that does not run": Broken(
        spoil=source("github+http://127.0.0.1:9/a/uv"), said="refused", remedy="", cure=right
    ),
    "a name that does not resolve": Broken(
        spoil=source("github+http://mirror.invalid/a/uv"),
        said="failed to fetch .http://mirror.invalid",
        remedy="",
        cure=right,
    ),
    "a server that speaks no TLS": Broken(
        spoil=lambda home, web: home.environ.update(
            UV_SELF_UPDATE_SOURCE=f"github+{web.url.replace('http', 'https')}/astral-sh/uv"
        ),
        said="TLS|SSL|https",
        remedy=".",
        cure=right,
    ),
    "a mirror that wants a token": Broken(
        spoil=needs_token, said="401", remedy="token", cure=with_token
    ),
    "a mirror that refuses": Broken(spoil=answer(403), said="403", remedy=".", cure=mend),
    "a mirror that is down": Broken(spoil=answer(503), said="503", remedy="", cure=mend),
    "a rate limit": Broken(
        spoil=answer(
            403, headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1769718286"}
        ),
        said="rate limit",
        remedy="GH_TOKEN",
        cure=mend,
    ),
    "a login page for the list": Broken(
        spoil=answer(200, b"<html>Sign in</html>"), said="expected", remedy=".", cure=mend
    ),
    "a login page for the archive": Broken(
        spoil=login_page, said="expected an archive, got a web page", remedy="browser", cure=mend
    ),
    "a release without this archive": Broken(spoil=no_archive, said=ARCHIVE, remedy="", cure=mend),
    "a share that is not mounted": Broken(
        spoil=source("/nonexistent/share"),
        said="failed to read the directory",
        remedy="mounted",
        cure=right,
    ),
    "a directory without releases": Broken(
        spoil=empty_directory, said="has no release of uv", remedy="", cure=right
    ),
    "an invalid proxy": Broken(
        spoil=set_variable("HTTP_PROXY", "ftp://proxy.example:21"),
        said="HTTP_PROXY",
        remedy="http://HOST:PORT",
        cure=unset("HTTP_PROXY"),
    ),
    "a proxy that does not run": Broken(
        spoil=set_variable("HTTP_PROXY", "http://127.0.0.1:9"),
        said="proxy",
        remedy="",
        cure=set_variable("NO_PROXY", "127.0.0.1"),
    ),
    "a policy that hides everything": Broken(
        spoil=configured('[policy]\nversions = ">=1"\n'),
        said='policy.versions = ">=1"',
        remedy="Relax",
        cure=configured('[policy]\nversions = ">=0.1"\n'),
    ),
    "a policy that hides the newest": Broken(
        spoil=configured(f'[policy]\nversions = "<{NEW}"\n'),
        said=f"uv {NEW} of .* is hidden",
        remedy="",
        cure=configured(""),
    ),
    "an age without dates": Broken(
        spoil=configured('[policy]\nmin-age = "3 days"\n'),
        said="min-age",
        remedy=".",
        cure=configured(""),
    ),
    "a CA bundle that is missing": Broken(
        spoil=configured('[network]\nca-bundle = "missing.pem"\n'),
        said="missing.pem",
        remedy=".",
        cure=configured(""),
    ),
}
NOT_FATAL = {
    "a receipt of another version",
    "an interrupted update",
    "a password that others can read",
    "a password of packages that others can read",
    "a policy that hides the newest",
    "a uv that is not executable",
}


@pytest.mark.parametrize("name", MACHINES)
def test_broken_machine(name: str, home: Home, mirror: Web) -> None:
    """The cause is named with a remedy, and the remedy cures it; nothing is changed before."""
    machine = MACHINES[name]
    home.environ["UV_SELF_UPDATE_RETRIES"] = "0"
    machine.spoil(home, mirror)
    before = home.snapshot()

    found = troubles(home)

    assert home.snapshot() == before
    matching = [each for each in found if re.search(machine.said, each[1], re.DOTALL)]
    assert matching, found
    assert re.search(machine.remedy, matching[0][2]), found
    assert matching[0][0] == ("warning" if name in NOT_FATAL else "problem")
    assert all("s3cret" not in text + remedy for _, text, remedy in found)

    machine.cure(home, mirror)

    assert not [each for each in troubles(home) if re.search(machine.said, each[1], re.DOTALL)]
    assert home.call("doctor", "-q").code == 0


def test_another_source_works(home: Home, mirror: Web) -> None:
    """A source that fails is a warning where another one works."""
    home.configure(
        '[[source]]\nkind = "github"\nurl = "http://127.0.0.1:9/a/uv"\n\n'
        f'[[source]]\nkind = "github"\nurl = "{mirror.url}/astral-sh/uv"\n[network]\nretries = 0\n'
    )
    del home.environ["UV_SELF_UPDATE_SOURCE"]

    (trouble,) = troubles(home)

    assert trouble[0] == "warning"
    assert "127.0.0.1:9" in trouble[1]


def test_variables_that_are_ignored(home: Home, mirror: Web) -> None:
    """Variables that would lead uv elsewhere are named, and are no trouble."""
    del mirror
    home.environ |= {"UV_INSTALLER_GITHUB_BASE_URL": "https://x.example", "UV_OFFLINE": "1"}

    done = home.call("doctor")

    assert done.code == 0
    assert "UV_INSTALLER_GITHUB_BASE_URL is set, and is ignored here" in done.out
    assert "UV_OFFLINE is set, and is ignored here" in done.out


def test_fix_asks(home: Home, mirror: Web) -> None:
    """Without `--yes` and without an answer, nothing is changed."""
    del mirror
    home.receipt.unlink()
    before = home.snapshot()

    done = home.call("doctor", "--fix")

    assert "stdin is not a terminal" in done.err
    assert "--yes" in done.err
    assert home.snapshot() == before


def test_code_is_that_of_the_update(home: Home, mirror: Web) -> None:
    """The exit code is the one that an update would end with."""
    mirror.pages.clear()

    assert home.call("doctor").code == home.call("--check").code == 6


def test_archive_is_not_downloaded(home: Home, mirror: Web) -> None:
    """Of the archive, only the beginning is read, and nothing is asked twice."""
    home.call("doctor")

    paths = [asked.path.partition("?")[0] for asked in mirror.asked]
    assert len(paths) == len(set(paths)) == 2


@pytest.mark.usefixtures("mirror")
def test_update_at_work(home: Home) -> None:
    """An update that is running is no interrupted one."""
    with closing(claim(home.bin)) as work:
        (work.path / "journal.json").write_text("{}")
        found = troubles(home)
        (work.path / "journal.json").unlink()

    assert [text for _, text, _ in found] == [f"another `uv-self-update` is updating {home.uv}"]
    assert troubles(home) == []


@pytest.mark.system
def test_interrupted(home: Home, mirror: Web) -> None:
    """A signal ends it at once, though a source does not answer."""
    stuck = Stuck(Page(status=404))
    mirror.pages = {path: stuck for path in mirror.pages if path.startswith(API)}
    with Running(home, "doctor") as running:
        stuck.wait()
        running.process.send_signal(signal.SIGINT)
        code = running.wait()
    stuck.release()

    assert code == -signal.SIGINT


@pytest.mark.system
@pytest.mark.parametrize(
    ("before", "said"),
    [
        (lambda home: namespaces.read_only(home.bin), "the directory is not writable"),
        (
            lambda home: namespaces.full(home.bin, spare=0, report=home.path / "report"),
            "0 MiB are free, and an update needs",
        ),
        (lambda _: namespaces.portless(), "127.0.0.1"),
    ],
    ids=["read-only", "full", "no loopback"],
)
def test_broken_system(
    home: Home, mirror: Web, before: Callable[[Home], list[str]], said: str
) -> None:
    """A directory that cannot hold a new uv, or a machine without loopback, is a problem."""
    del mirror

    done = home.run("doctor", before=before(home))

    assert done.code != 0
    assert said in done.out
