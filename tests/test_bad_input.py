"""Whatever goes wrong is named, uv's own exit code is handed on, and uv stays as it was."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import socket
import tarfile
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors, namespaces, release_installers
from support.tools import tools
from support.web import Page
from uv_self_update import platforms
from uv_self_update.errors import GatewayError
from uv_self_update.gateway.address import listen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.homes import Done, Home
    from support.web import Web

START, END = "0.8.24", "0.11.13"
ARCHIVE = platforms.current().archive
METADATA = "/latest.json"
INSTALLER = f"/files/{END}/uv-installer.sh"
FILE = f"/files/{END}/{ARCHIVE}"
HTML = Page(
    body=b"<!DOCTYPE html>\n<html><head><title>Log in</title></head></html>",
    headers={"Content-Type": "text/html"},
)
HALF = 1 << 20  # bytes of an archive
REPLY = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 500: "Internal Server Error"}

FAILED = 2
"""What the uv of these tests ends with when an update has failed."""


@pytest.fixture(autouse=True)
def _once(home: Home) -> None:
    """Try once: what is tried again is looked at elsewhere."""
    home.environ["UV_SELF_UPDATE_RETRIES"] = "0"


def configure(home: Home, base: str, *, files: str | None = None) -> None:
    """Configure a `urls` source."""
    home.configure(
        f'[[source]]\nkind = "urls"\nlatest = "{base}{METADATA}"\n'
        f'download = "{files or base}/files/{{tag}}/{{asset}}"\n'
    )


def prepare(home: Home, web: Web, *, digests: bool = True) -> dict[str, str]:
    """Install a uv, and offer it a newer one that nothing is wrong with; return the home."""
    home.install(START)
    web.pages |= mirrors.urls_pages([END])
    document = mirrors.github_json(END, digests=digests)
    web.pages[METADATA] = Page(body=json.dumps(document).encode())
    if not digests and release_installers.available():
        # The real one embeds the archive's checksum, which counts as well.
        script = release_installers.script(END, checksums=False)
        web.pages[f"/files/{END}/uv-installer.sh"] = Page(body=script)
    configure(home, web.url)
    return home.snapshot()


def prepare_index(home: Home, web: Web) -> dict[str, str]:
    """The same with a package index; return the home."""
    home.install(START)
    web.pages |= mirrors.index_pages([END])
    home.configure(f'[[source]]\nkind = "index"\nurl = "{web.url}/simple/"\n')
    # uv keeps a lock there while it looks for a login, also where it finds none.
    home.environ["UV_CREDENTIALS_DIR"] = str(home.path.parent / "credentials")
    home.environ["UV_HTTP_RETRIES"] = "0"
    return home.snapshot()


def wheel() -> str:
    """Return the path of the wheel that the index offers."""
    return f"/wheels/{binaries.wheel(END, real=False).name}"


def message(done: Done) -> str:
    """Return the last error on stderr, without the advice that follows it.

    What an installer says is printed by uv, behind words of its own. Which release it is may be
    said before or after that.
    """
    lines = (
        line for line in done.err.splitlines(keepends=True) if not line.startswith("info: uv ")
    )
    err = "".join(lines)
    said = err.partition("Output from the installer: \n")[2] or err
    return said.rpartition("\nerror: ")[2].removeprefix("error: ").partition("\nhint: ")[0].strip()


def hint(done: Done) -> str:
    """Return the advice at the end of stderr."""
    return done.err.rpartition("hint: ")[2].strip()


def pack(**files: bytes) -> bytes:
    """Return an archive with executables of any content."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{ARCHIVE.removesuffix('.tar.gz')}/{name}")
            member.size, member.mode = len(content), 0o755
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def closed_server() -> str:
    """Return the address of a server that does not listen any more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


# Configuration

URLS = '[[source]]\nkind = "urls"\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[[source]\nkind = "urls"\n', "invalid TOML: "),
        (
            "[network]\ntimeuot = 5\n",
            "network.timeuot: unknown key; did you mean `network.timeout`?",
        ),
        ("[netwrok]\n", "netwrok: unknown key; did you mean `network`?"),
        (
            '[network]\ntimeout = "long"\n',
            "network.timeout: invalid value `long`: expected a number of seconds",
        ),
        (
            "source = 5\n",
            (
                "source: invalid type: expected an array of tables, each of which begins with "
                "`[[source]]`"
            ),
        ),
        (
            '[[source]]\nkind = "urs"\n',
            (
                "source[0].kind: invalid value `urs`: expected `index`, `urls`, `github`, "
                "`astral`, `listing`, `nexus`, `artifactory`, `gitlab`, `gitea`, `s3`, `directory` "
                "or `auto`; did you mean `urls`?"
            ),
        ),
        (f"{URLS}download = 5\n", "source[0].download: invalid type (a number): expected a URL"),
        (
            f'{URLS}latest = "https://mirror.test/latest.json"\n',
            "source[0].download: missing key, required for a source of kind `urls`",
        ),
        (
            '[[source]]\nkind = "github"\n',
            "source[0].url: missing key, required for a source of kind `github`",
        ),
    ],
    ids=[
        *("broken TOML", "unknown key", "unknown table", "wrong type", "no list"),
        *("unknown kind", "wrong type of a URL", "no download", "no url"),
    ],
)
def test_configuration_that_cannot_be_used(text: str, problem: str, home: Home) -> None:
    """Each mistake is named with its file and key, and uv is not even started."""
    home.install(START)
    home.configure(text)
    before = home.snapshot()

    done = home.run()

    assert done.code == 3
    assert f"error: invalid configuration:\n  {home.config}: {problem}" in done.err
    assert "Checking for updates" not in done.err
    assert home.snapshot() == before


# Sources that cannot be used


def test_nobody_answers_for_metadata(home: Home) -> None:
    """A server that is not there is named with the URL that was asked for."""
    home.install(START)
    server = closed_server()
    configure(home, server)
    before = home.snapshot()

    done = home.run()

    assert (done.code, message(done)) == (
        FAILED,
        f"failed to fetch `{server}{METADATA}`: Connection refused",
    )
    assert home.snapshot() == before


@pytest.mark.parametrize(
    ("installer", "path"), [("auto", FILE), ("release", INSTALLER), ("native", FILE)]
)
def test_nobody_answers_for_files(installer: str, path: str, home: Home, web: Web) -> None:
    """A second server that is not there is named with the file that was asked for."""
    prepare(home, web)
    server = closed_server()
    configure(home, web.url, files=server)
    before = home.snapshot()

    done = home.run("--installer", installer)

    assert (done.code, message(done)) == (
        FAILED,
        f"failed to fetch `{server}{path}`: Connection refused",
    )
    assert home.snapshot() == before


PLACES = {
    "metadata": (METADATA, "auto"),
    "installer": (INSTALLER, "release"),
    "archive, release installer": (FILE, "release"),
    "archive, native installer": (FILE, "native"),
}


@pytest.mark.parametrize("status", REPLY)
@pytest.mark.parametrize("place", PLACES)
def test_status_is_refused(place: str, status: int, home: Home, web: Web) -> None:
    """A status other than 200 is named with its URL, wherever it comes up."""
    before = prepare(home, web)
    path, installer = PLACES[place]
    web.pages[path] = Page(status=status, body=b"no\n")

    done = home.run("--installer", installer)

    assert (done.code, message(done)) == (
        FAILED,
        f"{web.url}{path} answered {status} {REPLY[status]}",
    )
    assert hint(done) != ""
    assert home.snapshot() == before


@pytest.mark.parametrize("digests", [True, False], ids=["digests", "no digests"])
@pytest.mark.parametrize("place", PLACES)
def test_web_page_with_status_200(place: str, digests: bool, home: Home, web: Web) -> None:  # noqa: FBT001 # a parameter of the test
    """A login page is called one, whether or not a digest would have told."""
    before = prepare(home, web, digests=digests)
    path, installer = PLACES[place]
    web.pages[path] = HTML

    done = home.run("--installer", installer)

    expected = {METADATA: "GitHub's JSON, Astral's ndjson or a version"}
    due = expected.get(path, "a file of uv's release")
    assert (done.code, message(done)) == (
        FAILED,
        f"unexpected response from {web.url}{path}: expected {due}, got a web page",
    )
    assert hint(done) == (
        "The server may have sent a login page or an error page with status 200: open the URL in "
        "a browser."
    )
    assert home.snapshot() == before


@pytest.mark.parametrize("status", [401, 403, 500])
def test_github_layout_refuses(status: int, home: Home, web: Web) -> None:
    """A server that is laid out like GitHub's fails with the URL of its API."""
    home.install(START)
    path = "/api/v3/repos/astral-sh/uv/releases"
    web.pages[path] = Page(status=status)
    home.configure(f'[[source]]\nkind = "github"\nurl = "{web.url}/astral-sh/uv"\n')
    before = home.snapshot()

    done = home.run()

    assert (done.code, message(done)) == (
        FAILED,
        f"{web.url}{path}?per_page=*** answered {status} {REPLY[status]}",
    )
    assert home.snapshot() == before


def test_github_layout_has_a_web_page_for_json(home: Home, web: Web) -> None:
    """A web page in place of the API's JSON is called one."""
    home.install(START)
    path = "/api/v3/repos/astral-sh/uv/releases"
    web.pages[path] = HTML
    home.configure(f'[[source]]\nkind = "github"\nurl = "{web.url}/astral-sh/uv"\n')
    before = home.snapshot()

    done = home.run()

    assert (done.code, message(done)) == (
        FAILED,
        (
            f"unexpected response from {web.url}{path}?per_page=***: "
            "expected GitHub's JSON for a list of releases, got a web page"
        ),
    )
    assert home.snapshot() == before


@pytest.mark.parametrize(
    ("target", "status", "code", "says"),
    [
        ("nonsense", 200, 2, "there is no command `nonsense`"),
        ("1.x", 200, 2, "`1.x` is not a version of uv"),
        ("<1", 500, 6, "{url}/latest.json answered 500 Internal Server Error"),
        ("<0.4", 200, 7, "{url}/latest.json has no uv <0.4"),
    ],
)
def test_failure_before_uv_is_started(
    target: str, status: int, code: int, says: str, home: Home, web: Web
) -> None:
    """What fails while TARGET is resolved ends with a code of our own."""
    before = prepare(home, web)
    if status != 200:
        web.pages[METADATA] = Page(status=status)

    done = home.run(target)

    assert (done.code, message(done)) == (code, says.format(url=web.url))
    assert "Checking for updates" not in done.err
    assert home.snapshot() == before


# The package index


@pytest.mark.parametrize("status", REPLY)
def test_index_refuses(status: int, home: Home, web: Web) -> None:
    """An index that refuses is named, with what uv says about it."""
    before = prepare_index(home, web)
    web.pages["/simple/uv/"] = Page(status=status)

    done = home.run()

    assert done.code == FAILED
    # A server that fails is no refusal, and uv's own words say it.
    failing = f"error: `uv pip compile` failed for the index {web.url}/simple/:\n"
    assert (failing if status >= 500 else f"error: {web.url}/simple/uv/ ") in done.err
    assert status >= 500 or f"({status} " in done.err
    assert home.snapshot() == before


def test_nobody_answers_for_the_index(home: Home, web: Web) -> None:
    """An index that is not there is named with the URL that uv has asked for."""
    prepare_index(home, web)
    server = closed_server()
    home.configure(f'[[source]]\nkind = "index"\nurl = "{server}/simple/"\n')
    before = home.snapshot()

    done = home.run()

    assert done.code == FAILED
    assert f"failed for the index {server}/simple/:" in done.err
    assert "Connection refused" in done.err
    assert home.snapshot() == before


def test_index_is_a_web_page(home: Home, web: Web) -> None:
    """A web page without links is an index without uv, and the URL is to be checked."""
    before = prepare_index(home, web)
    web.pages["/simple/uv/"] = HTML

    done = home.run()

    assert (done.code, message(done), hint(done)) == (
        FAILED,
        (
            f"the index {web.url}/simple/ has no release of uv: {web.url}/simple/uv/ (index from "
            "the configuration of uv-self-update) lists no wheel of uv for this machine, or only "
            "yanked ones"
        ),
        (
            "Open the URL in a browser: it must list wheels of uv. A login page means that uv "
            "needs credentials."
        ),
    )
    assert home.snapshot() == before


@pytest.mark.parametrize(
    "page",
    [
        Page(status=403),
        Page(status=404),
        Page(status=500),
        HTML,
        Page(body=bytes(HALF)),
        Page(body=bytes(HALF), length=2 * HALF),
    ],
    ids=["403", "404", "500", "html", "damaged", "truncated"],
)
def test_wheel_cannot_be_used(page: Page, home: Home, web: Web) -> None:
    """A wheel that uv cannot install is named by uv, and the index by us."""
    before = prepare_index(home, web)
    web.pages[wheel()] = page

    done = home.run()

    assert (done.code, message(done).split("\n")[0]) == (
        FAILED,
        f"`uv pip install` failed for the index {web.url}/simple/:",
    )
    assert f"uv=={END}" in message(done)
    assert home.snapshot() == before


# Archives


@pytest.mark.parametrize("installer", ["release", "native"])
def test_archive_breaks_off(installer: str, home: Home, web: Web) -> None:
    """A connection that ends too early is named with how far it came."""
    before = prepare(home, web)
    archive = binaries.archive(END, real=False).read_bytes()
    web.pages[FILE] = Page(body=archive[:HALF], length=len(archive))

    done = home.run("--installer", installer)

    assert done.code == FAILED
    assert message(done).startswith(
        f"{web.url}{FILE} was interrupted after {HALF:,} of {len(archive):,} bytes: "
    )
    assert home.snapshot() == before


@pytest.mark.parametrize("installer", ["release", "native"])
def test_archive_is_shorter_than_published(installer: str, home: Home, web: Web) -> None:
    """A file that ends too early, but says it is whole, has the wrong digest."""
    before = prepare(home, web)
    archive = binaries.archive(END, real=False)
    part = archive.read_bytes()[:HALF]
    web.pages[FILE] = Page(body=part)

    done = home.run("--installer", installer)

    assert (done.code, message(done)) == (
        FAILED,
        (
            f"digest mismatch for {ARCHIVE} from {web.url}{FILE}: expected sha256 "
            f"{mirrors.sha256(archive)}, got {hashlib.sha256(part).hexdigest()}"
        ),
    )
    assert home.snapshot() == before


OTHER = "0.5.0"
"""A version that is not the one it is said to be."""


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (
            lambda: binaries.archive(END, real=False).read_bytes()[:HALF],
            (
                f"{ARCHIVE} from {{url}} can't be used: it is damaged (unexpected end of "
                "compressed data)"
            ),
        ),
        (lambda: b"text\n", f"{ARCHIVE} from {{url}} can't be used: it is not an archive"),
        (lambda: b"", f"{ARCHIVE} from {{url}} can't be used: it is an empty file"),
        (
            lambda: b'{"errors": []}',
            f"{ARCHIVE} from {{url}} can't be used: it is JSON with other contents",
        ),
        (
            lambda: pack(README=b"Here be dragons.\n"),
            f"{ARCHIVE} from {{url}} can't be used: it contains no uv",
        ),
        (
            lambda: pack(uv=b"not a program\n"),
            f"uv {END} from {{source}} does not work on this machine: Exec format error",
        ),
        (
            lambda: pack(uv=b"#!/bin/sh\necho sorry >&2\nexit 3\n"),
            (
                f"uv {END} from {{source}} does not work on this machine: "
                "it exited with code 3: sorry"
            ),
        ),
        (
            lambda: pack(uv=(binaries.scripts(OTHER) / "uv").read_bytes()),
            (
                f"uv {END} from {{source}} does not work on this machine: "
                f"it reports its version as `uv {OTHER}`"
            ),
        ),
    ],
    ids=["short", "text", "empty", "json", "without uv", "no program", "failing", "other version"],
)
def test_archive_without_digest(make: Callable[[], bytes], says: str, home: Home, web: Web) -> None:
    """Where no digest tells, an archive that holds no working uv of that version is found out."""
    before = prepare(home, web, digests=False)
    web.pages[FILE] = Page(body=make())

    done = home.run("--installer", "native")

    expected = says.format(url=f"{web.url}{FILE}", source=f"{web.url}{METADATA}")
    assert (done.code, message(done)) == (FAILED, expected)
    assert home.snapshot() == before


# The uv that is to be updated


def test_no_uv_on_path(home: Home, tmp_path: Path) -> None:
    """Without a uv there is nothing to do."""
    done = home.run(environ={"PATH": str(tmp_path)})

    assert (done.code, message(done)) == (4, "no uv found on PATH")
    assert hint(done) == "Add uv to PATH, or name it with `--uv PATH` or `UV_SELF_UPDATE_UV`."


@pytest.mark.parametrize("how", ["option", "variable"])
def test_no_uv_where_it_is_named(how: str, home: Home, tmp_path: Path) -> None:
    """A uv that is named but not there is named in the message."""
    home.install(START)
    missing = str(tmp_path / "uv")

    done = home.run(
        *(["--uv", missing] if how == "option" else []),
        environ={"UV_SELF_UPDATE_UV": missing} if how == "variable" else {},
    )

    assert (done.code, message(done)) == (
        4,
        f"no uv executable found at {missing}",
    )


def test_uv_is_no_program(home: Home, web: Web) -> None:
    """A file that the system cannot run is named with the system's reason."""
    prepare(home, web)
    home.uv.write_text("not a program\n")
    before = home.snapshot()

    done = home.run()

    assert (done.code, message(done)) == (4, f"failed to run {home.uv}: Exec format error")
    assert home.snapshot() == before


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "it is not JSON: Expecting property name enclosed in double quotes: "),
        ("[]", "`install_prefix` is missing"),
    ],
)
def test_receipt_is_broken(text: str, reason: str, home: Home, web: Web) -> None:
    """A receipt that is broken is named with its file, whatever uv says about it."""
    prepare(home, web)
    home.receipt.write_text(text)
    before = home.snapshot()

    done = home.run()

    assert done.code == FAILED
    assert message(done).startswith(f"uv's receipt {home.receipt} can't be used: {reason}")
    assert home.snapshot() == before


def test_uv_without_a_receipt(home: Home, web: Web) -> None:
    """A uv without a receipt is said not to be a standalone one, and that it can be adopted."""
    prepare(home, web)
    home.receipt.unlink()
    before = home.snapshot()

    done = home.run()

    assert (done.code, message(done)) == (
        FAILED,
        (
            f"{home.uv} was not installed by uv's standalone installer: there is no receipt "
            f"{home.receipt}"
        ),
    )
    assert "To update this uv and write its receipt, use `--adopt`" in hint(done)
    assert home.snapshot() == before


def test_receipt_of_another_uv(home: Home, web: Web, tmp_path: Path) -> None:
    """A receipt for another folder is named with both folders."""
    prepare(home, web)
    other = tmp_path / "other"
    other.mkdir()
    document = json.loads(home.receipt.read_text())
    home.receipt.write_text(json.dumps({**document, "install_prefix": str(other)}))
    before = home.snapshot()

    done = home.run()

    assert (done.code, message(done)) == (
        FAILED,
        (
            f"{home.uv} was not installed by uv's standalone installer: the receipt "
            f"{home.receipt} is about {other}"
        ),
    )
    assert home.snapshot() == before


def test_release_installer_without_curl_and_wget(home: Home, web: Web, tmp_path: Path) -> None:
    """The programs that the release's own installer lacks are named, and what does without."""
    before = prepare(home, web)
    path = os.pathsep.join([str(home.bin), tools(tmp_path / "tools")])

    done = home.run("--installer", "release", environ={"PATH": path})

    assert done.code == FAILED
    assert message(done).endswith("failed: not on PATH: curl or wget")
    assert "`--installer native`" in done.err
    assert home.snapshot() == before


# Disks


@pytest.mark.parametrize("installer", ["release", "native"])
@pytest.mark.parametrize("what", ["folder", "home"])
def test_folder_cannot_be_written(what: str, installer: str, home: Home, web: Web) -> None:
    """A folder that is read-only, by itself or with the whole home, is named."""
    before = prepare(home, web)
    place = home.bin if what == "folder" else home.path

    done = home.run("--installer", installer, before=namespaces.read_only(place))

    assert done.code == FAILED
    assert str(home.bin) in message(done)
    assert message(done).endswith(": Read-only file system")
    assert home.snapshot() == before


@pytest.mark.parametrize("installer", ["release", "native"])
def test_folder_may_not_be_written(installer: str, home: Home, web: Web) -> None:
    """So is one whose mode forbids to write into it."""
    prepare(home, web)
    home.bin.chmod(0o555)
    before = home.snapshot()

    done = home.run("--installer", installer, before=namespaces.obeying_modes())

    assert done.code == FAILED
    assert str(home.bin) in message(done)
    assert message(done).endswith(": Permission denied")
    assert home.snapshot() == before


@pytest.mark.parametrize("what", ["folder", "home"])
def test_folder_cannot_be_written_by_way_of_the_index(what: str, home: Home, web: Web) -> None:
    """The same where uv itself fetches the release."""
    before = prepare_index(home, web)
    place = home.bin if what == "folder" else home.path

    done = home.run(before=namespaces.read_only(place))

    assert (done.code, message(done)) == (
        FAILED,
        f"failed to write the new version to {home.bin}: Read-only file system",
    )
    assert home.snapshot() == before


def test_receipt_cannot_be_written(home: Home, web: Web) -> None:
    """Where the receipt cannot follow, the executables are put back, and it is named."""
    before = prepare(home, web)

    done = home.run("--installer", "native", before=namespaces.read_only(home.receipt.parent))

    assert (done.code, message(done)) == (
        FAILED,
        f"failed to write the new version to {home.receipt}: Read-only file system",
    )
    assert home.snapshot() == before


def test_disk_is_full(home: Home, web: Web, tmp_path: Path) -> None:
    """A disk with no room for the executables keeps the old uv.

    uv itself may be the first to find it full: it writes the installer meanwhile.
    """
    prepare(home, web)
    report = tmp_path / "report"

    done = home.run(
        "--installer", "native", before=namespaces.full(home.bin, spare=1 << 20, report=report)
    )

    assert done.code == FAILED
    assert str(home.bin) in message(done)
    assert "No space left on device" in message(done)
    digests = [mirrors.sha256(binaries.executables(START) / name) for name in ("uv", "uvx")]
    assert report.read_text() == f"uv\nuvx\n{digests[0]}  uv\n{digests[1]}  uvx\n"


def test_disk_is_full_for_a_wheel(home: Home, web: Web, tmp_path: Path) -> None:
    """A disk with no room for the wheel's executables keeps the old uv."""
    prepare_index(home, web)
    report = tmp_path / "report"

    done = home.run(before=namespaces.full(home.bin, spare=1 << 20, report=report))

    assert done.code == FAILED
    assert str(home.bin) in message(done)
    assert "No space left on device" in message(done)
    digests = [mirrors.sha256(binaries.executables(START) / name) for name in ("uv", "uvx")]
    assert report.read_text() == f"uv\nuvx\n{digests[0]}  uv\n{digests[1]}  uvx\n"


# Loopback

FORBIDDEN = (
    "uv is updated through a server on loopback; a security product or a sandbox may block it."
)


def test_no_port_is_left(home: Home, web: Web) -> None:
    """Where no port on loopback can be bound, uv is not even started."""
    before = prepare(home, web)

    done = home.run(before=namespaces.portless())

    assert (done.code, message(done), hint(done)) == (
        5,
        "failed to listen on 127.0.0.1: Address already in use",
        FORBIDDEN,
    )
    assert "Checking for updates" not in done.err
    assert home.snapshot() == before


def test_loopback_leads_nowhere(home: Home, web: Web) -> None:
    """Where a port can be bound but not reached, uv is not even started."""
    before = prepare(home, web)

    done = home.run(before=namespaces.unreachable())

    assert (done.code, message(done), hint(done)) == (
        5,
        "failed to connect to 127.0.0.1: Network is unreachable",
        FORBIDDEN,
    )
    assert "Checking for updates" not in done.err
    assert home.snapshot() == before


def test_loopback_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that refuses to bind is quoted."""

    def refuse(*_: object, **__: object) -> socket.socket:
        raise PermissionError(errno.EPERM, "Operation not permitted (while trying)")

    monkeypatch.setattr(socket, "create_server", refuse)

    with pytest.raises(GatewayError) as caught:
        listen()

    assert str(caught.value) == ("failed to listen on 127.0.0.1: Operation not permitted")


def test_listening_leaves_nothing_in_the_queue() -> None:
    """That the port was tried does not show: the first to connect is the first to be served."""
    address = listen()
    with closing(address), socket.create_connection(address.listener.getsockname()) as client:
        connection, peer = address.listener.accept()
        with connection:
            assert peer == client.getsockname()
