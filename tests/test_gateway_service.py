"""What each request is answered with; the sources are in memory, and there are no sockets."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import socket
import subprocess
import threading
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.raw import connect, get, read_all, request
from support.web import Page
from uv_self_update.auth.credentials import Credentials
from uv_self_update.config.settings import Network
from uv_self_update.errors import (
    DigestMismatch,
    Interrupted,
    NoDigest,
    NoInstaller,
    NoSuchVersion,
    NotPinned,
    ScriptsDisabled,
    SourceError,
    StatusRefused,
    TooLarge,
    UnexpectedBody,
    Unreachable,
    UvSelfUpdateError,
)
from uv_self_update.gateway import scripts
from uv_self_update.gateway.address import Address, listen
from uv_self_update.gateway.loopback import Loopback
from uv_self_update.gateway.replies import BrokenOff, Reply, with_keepalive
from uv_self_update.gateway.routes import Request
from uv_self_update.gateway.service import Installing, Service
from uv_self_update.installer.native import NativeInstaller
from uv_self_update.installer.release import ReleaseInstaller
from uv_self_update.installer.workspace import Workspace
from uv_self_update.network.client import Upstream
from uv_self_update.network.limits import Limits
from uv_self_update.network.responses import Document, Download
from uv_self_update.platforms import Platform
from uv_self_update.releases.digests import DigestRules, Pin
from uv_self_update.releases.release import INSTALLER_NAMES, Asset, Release
from uv_self_update.sources.formats.documents import read_release
from uv_self_update.sources.interface import ArchiveSource, WheelSource
from uv_self_update.uv.adoption import Adoption
from uv_self_update.uv.installation import Installation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from support.web import Asked, Web
    from uv_self_update.config.installers import InstallerChoice
    from uv_self_update.gateway.script_policy import Script
    from uv_self_update.releases.target import Wanted
    from uv_self_update.sources.interface import Source
    from uv_self_update.sources.order import Found

LINUX = Platform(triple="x86_64-unknown-linux-gnu")
INSTALLATION = Installation(uv=Path("/uv"), environ={}, platform=LINUX)
UNCLAIMED = Workspace(Path("/"), None, None, refused=OSError("not here"))
SCRIPT = b"#!/bin/sh\necho the release's own\n"
INSTALLER = "uv-installer.sh"
TOKEN = "token"  # noqa: S105 # of no gateway
ARCHIVE = LINUX.archive

REPOSITORY = "api/v3/repos/astral-sh/uv/releases"
DOWNLOAD = "/astral-sh/uv/releases/download"


class Archives(ArchiveSource):
    """Archives in memory."""

    name = "the archives"

    def __init__(
        self,
        release: Release | UvSelfUpdateError,
        files: Mapping[str, list[bytes] | UvSelfUpdateError] | None = None,
        *,
        document: object = None,
    ) -> None:
        """Keep what there is: one release, or JSON to read it from."""
        self._release = release
        self._files = files or {}
        self._document = document
        self.asked: list[str] = []
        self.wanted: Wanted | None = None
        self.closed: list[str] = []

    def find(self, wanted: Wanted) -> Release:
        """Return the one release there is; see Source."""
        self.asked.append(str(wanted))
        self.wanted = wanted
        if isinstance(self._release, UvSelfUpdateError):
            raise self._release
        if self._document is not None:
            body = json.dumps(self._document).encode()
            return read_release(Document(url="x:", content_type="", body=body, links={}))
        if wanted.exact not in {None, self._release.version}:
            raise NoSuchVersion(self.name, str(wanted), [self._release.version])
        return self._release

    def releases(self, limit: int) -> tuple[Release, ...]:
        """Is not asked."""
        raise NotImplementedError

    @contextmanager
    def open(self, release: Release, asset: Asset) -> Iterator[Download]:
        """Yield the chunks of a file; see ArchiveSource."""
        self.asked.append(f"{asset.name} of {release.version}")
        file = self._files.get(asset.name, StatusRefused("x:", 404, "Not Found"))
        if isinstance(file, UvSelfUpdateError):
            raise file
        try:
            yield Download(url="x:", size=sum(map(len, file)), chunks=iter(file))
        finally:
            self.closed.append(asset.name)


class Wheels(WheelSource):
    """A wheel in memory."""

    name = "the wheels"

    def find(self, wanted: Wanted) -> Release:
        """Return a release; see Source."""
        version = wanted.exact or "1.2.3"
        return Release(version=version, tag=version, assets=())

    def releases(self, limit: int) -> tuple[Release, ...]:
        """Is not asked."""
        raise NotImplementedError

    def unpack(self, release: Release, folder: Path) -> Path:
        """Do nothing: nothing is installed here."""
        raise NotImplementedError

    def unpack_for(self, release: Release, platform: Platform, folder: Path) -> Path:
        """Is not asked."""
        raise NotImplementedError

    def digest_algorithm(self, release: Release) -> str | None:
        """Is not asked."""
        raise NotImplementedError

    def dated(self, release: Release) -> bool:
        """Is not asked."""
        raise NotImplementedError


class Watching(ReleaseInstaller):
    """What only lets the release's installer go on."""

    def __init__(self) -> None:
        super().__init__(Adoption(INSTALLATION), UNCLAIMED, run_by=scripts.staged)

    def begin(self, found: Found, script: bytes, *, noted: Callable[[], None]) -> bytes:  # noqa: ARG002
        """Keep nothing, and run nothing before or after."""
        noted()
        self.token = TOKEN
        return script

    def finish(self) -> None:
        """Note that the release was to be put in place."""
        self.finished += 1

    finished = 0


class Native(NativeInstaller):
    """An installer that only says what it was told."""

    def __init__(self, error: UvSelfUpdateError | None = None) -> None:
        super().__init__(Adoption(INSTALLATION), UNCLAIMED, digests=DigestRules())
        self._error = error
        self.told: list[str] = []
        self.expected: list[str] = []

    def expect(self, found: Found) -> bool:
        """Note which release was found."""
        self.expected.append(found.release.version)
        return False

    def begin(self, found: Found) -> None:
        """Note which release was to be staged."""
        self.told.append(f"begin {found.release.version}")

    def finish(self, version: str) -> None:
        """Note which release was to be put in place."""
        self.told.append(f"finish {version}")
        if self._error is not None:
            raise self._error


class Gateway:
    """A service, asked without a server."""

    def __init__(
        self,
        *sources: Source,
        native: Native | None = None,
        choice: InstallerChoice = "auto",
        address: Address | None = None,
        barred: Callable[[Script], ScriptsDisabled | None] = lambda _: None,
        digests: DigestRules | None = None,
        ahead: bool = False,
    ) -> None:
        """Make the service."""
        self.address = address or ADDRESS
        self.native = native or Native()
        self.watching = Watching()
        self.service = Service(
            self.address,
            sources,
            Installing(
                native=self.native,
                release=self.watching,
                choice=choice,
                barred=barred,
                digests=digests or DigestRules(),
                ahead=ahead,
            ),
            platform=LINUX,
        )

    def get(self, path: str, *, method: str = "GET", host: str | None = None) -> Reply:
        """Ask for a path below the base URL."""
        target = f"/{self.address.secret}/{path}"
        return self.service.answer(
            Request(method=method, target=target, host=host or self.address.host)
        )

    def text(self, path: str) -> str:
        """Ask for a path, and return the whole body."""
        return b"".join(self.get(path).body).decode()

    def file(self, name: str, version: str = "1.2.3") -> Reply:
        """Ask for a file as uv's installer does, which uv has asked for before."""
        if name not in INSTALLER_NAMES:
            self.get(f"{DOWNLOAD}/{version}/{INSTALLER}")
        return self.get(f"{DOWNLOAD}/{version}/{name}")


class Nowhere(Address):
    """An address that nobody listens at."""

    @property
    def host(self) -> str:
        """Some host."""
        return "127.0.0.1:4321"


with socket.socket() as closed:
    ADDRESS = Nowhere(listener=closed, keeper=None, secret="secret")  # noqa: S106 # of no gateway


@contextmanager
def serving(
    answering: Callable[[Address], Callable[[Request], Reply]],
) -> Iterator[tuple[Address, int]]:
    """Serve over real sockets, and return where."""
    address = listen()
    loopback = Loopback(address, answering(address))
    try:
        yield address, int(address.listener.getsockname()[1])
    finally:
        loopback.close()


def release(*assets: Asset) -> Release:
    """Return a release with the given files."""
    return Release(version="1.2.3", tag="v1.2.3", assets=assets)


WITH_INSTALLER = release(Asset(name=INSTALLER), Asset(name=ARCHIVE))
FILES = {INSTALLER: [SCRIPT], ARCHIVE: [b"abc", b"def"]}


def strings(value: object) -> Iterator[str]:
    """Yield every string of a JSON document; there must be no null in it."""
    assert value is not None
    if isinstance(value, str):
        yield value
    if isinstance(value, dict):
        for key, entry in value.items():
            yield key
            yield from strings(entry)
    if isinstance(value, list):
        for entry in value:
            yield from strings(entry)


def assert_complete(document: Any) -> None:  # noqa: ANN401 # JSON
    """Make sure that uv can read a release, and that it leads nowhere but to the gateway."""
    for field in ("tag_name", "name", "url"):
        assert isinstance(document[field], str), field
        assert document[field], field
    assert isinstance(document["prerelease"], bool)
    names = [asset["name"] for asset in document["assets"]]
    assert names == [INSTALLER, "uv-installer.ps1", ARCHIVE]
    for asset in document["assets"]:
        assert asset["url"].startswith(ADDRESS.base)
        assert asset["browser_download_url"].endswith(f"/{document['tag_name']}/{asset['name']}")
    for text in strings(document):
        if re.search(r"[:/\\]", text):
            assert text.startswith(ADDRESS.base)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just("https://evil.example/x"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
HOSTILE = st.sampled_from(["https://evil.example/", "//evil.example/", "../../x", "", None, "uv"])
INCOMING = st.fixed_dictionaries(
    {"tag_name": st.sampled_from(["1.2.3", "v1.2.3", " 1.2.3rc1\n"]) | HOSTILE | JSON},
    optional={
        "name": HOSTILE | JSON,
        "url": HOSTILE | JSON,
        "html_url": HOSTILE,
        "upload_url": HOSTILE,
        "draft": JSON,
        "prerelease": JSON,
        "assets": JSON
        | st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "name": st.sampled_from([INSTALLER, ARCHIVE, "../../evil"]) | HOSTILE | JSON,
                    "url": HOSTILE,
                    "browser_download_url": HOSTILE,
                    "digest": HOSTILE | JSON,
                },
            ),
            max_size=4,
        ),
    },
)


@given(incoming=INCOMING, path=st.sampled_from(["/latest", "", "/tags/1.2.3", "/tags/v1.2.3"]))
def test_json_is_complete_and_points_back(incoming: object, path: str) -> None:
    """Whatever JSON comes in, what goes out is complete, non-null, and about the gateway only."""
    gateway = Gateway(Archives(WITH_INSTALLER, document=incoming))

    reply = gateway.get(REPOSITORY + path)

    body = b"".join(reply.body)
    if reply.status != 200:
        assert (reply.status, [type(error) for error in gateway.service.failures]) == (
            502,
            [UnexpectedBody],
        )
        return
    assert reply.content_type == "application/json"
    document = json.loads(body)
    (found,) = document if path == "" else [document]
    assert_complete(found)


def test_repository_of_the_receipt() -> None:
    """The URLs name the repository that uv asked about."""
    gateway = Gateway(Archives(WITH_INSTALLER))
    document = json.loads(gateway.text("api/v3/repos/A.B/c_d/releases/latest"))
    assert document["url"] == f"{ADDRESS.base}api/v3/repos/A.B/c_d/releases/tags/1.2.3"
    assert document["assets"][0]["browser_download_url"] == (
        f"{ADDRESS.base}A.B/c_d/releases/download/1.2.3/{INSTALLER}"
    )


def test_failure_is_not_repeated() -> None:
    """A source that could not name the newest is not asked again when uv asks for the list."""
    source = Archives(Unreachable("x:", "it is asleep"))
    gateway = Gateway(source)

    replies = [gateway.get(f"{REPOSITORY}/latest"), gateway.get(REPOSITORY)]

    assert [reply.status for reply in replies] == [502, 502]
    assert source.asked == ["release of uv"]
    assert [str(error) for error in gateway.service.failures] == [
        "failed to fetch `x:`: it is asleep"
    ]


class Mistaken(Archives):
    """A source with a mistake in it."""

    def find(self, wanted: Wanted) -> Release:
        """Fail in a way that nobody has thought of."""
        raise ZeroDivisionError(str(wanted))


def test_mistake(caplog: pytest.LogCaptureFixture) -> None:
    """A mistake in this package is told as one; uv gets an answer all the same."""
    gateway = Gateway(Mistaken(WITH_INSTALLER))

    with caplog.at_level(logging.DEBUG):
        assert gateway.get(f"{REPOSITORY}/latest").status == 502
    (failure,) = gateway.service.failures
    said = r"unexpected error: ZeroDivisionError in test_gateway_service\.py, line \d+"
    assert re.fullmatch(said, str(failure))
    assert "in find\n    raise ZeroDivisionError(" in caplog.text


def test_found_is_not_asked_again() -> None:
    """What was found as the newest is not asked for again by its version."""
    source = Archives(WITH_INSTALLER, FILES)
    gateway = Gateway(source)
    gateway.text(f"{REPOSITORY}/latest")
    gateway.text(f"{REPOSITORY}/tags/1.2.3")
    b"".join(gateway.file(ARCHIVE).body)
    assert source.asked == ["release of uv", f"{INSTALLER} of 1.2.3", f"{ARCHIVE} of 1.2.3"]


def test_sources_in_order() -> None:
    """The first source that has a release is the one that its files come from."""
    empty, full = Archives(Unreachable("x:", "asleep")), Archives(WITH_INSTALLER, FILES)
    gateway = Gateway(empty, full)
    assert json.loads(gateway.text(f"{REPOSITORY}/latest"))["tag_name"] == "1.2.3"
    assert b"".join(gateway.file(ARCHIVE).body) == b"abcdef"
    assert gateway.service.failures == []


def test_unknown_version() -> None:
    """A version that the source does not have is not found, and the failure says so."""
    gateway = Gateway(Archives(WITH_INSTALLER))
    assert gateway.get(f"{REPOSITORY}/tags/9.9.9").status == 404
    (failure,) = gateway.service.failures
    assert isinstance(failure, NoSuchVersion)
    assert failure.nearest == ("1.2.3",)


@pytest.mark.parametrize(
    "path",
    [
        f"{REPOSITORY}/latest",
        REPOSITORY,
        f"{REPOSITORY}/tags/1.2.2",
        f"{DOWNLOAD}/1.2.2/{INSTALLER}",
        f"{DOWNLOAD}/1.2.2/{ARCHIVE}",
        f"{DOWNLOAD}/1.2.3/notes.txt",
        "install/1.2.2",
        "install/1.2.3",
    ],
)
def test_only_one_version_is_installed(path: str) -> None:
    """Once uv has its installer, who reads the secret over its shoulder gets nothing else."""
    source = Archives(WITH_INSTALLER, FILES)
    gateway = Gateway(source)
    gateway.file(INSTALLER)
    asked = list(source.asked)

    assert gateway.get(path).status == 404
    assert source.asked == asked
    assert gateway.native.told == []


@pytest.mark.parametrize("path", [f"{DOWNLOAD}/1.2.3/{ARCHIVE}", "install/1.2.3"])
def test_nothing_is_installed_before_its_installer(path: str) -> None:
    """Before uv has asked for an installer, it has no use for what that will need."""
    gateway = Gateway(Archives(WITH_INSTALLER, FILES))
    gateway.text(f"{REPOSITORY}/latest")

    assert gateway.get(path).status == 404
    assert gateway.native.told == []


@pytest.mark.parametrize("path", [f"{REPOSITORY}/latest", f"{REPOSITORY}/tags/1.2.3"])
@pytest.mark.parametrize("choice", ["auto", "native", "release"])
def test_files_that_are_used(choice: InstallerChoice, path: str) -> None:
    """Only our own installer uses nothing of a release but its archive."""
    source = Archives(WITH_INSTALLER, FILES)

    Gateway(source, choice=choice).get(path)

    assert source.wanted is not None
    assert source.wanted.archive_only == (choice == "native")


def test_installer_that_only_fails_installs_nothing() -> None:
    """Where uv gets a script that says why it fails, nothing is put in place either."""
    gateway = Gateway(Archives(release(Asset(name=ARCHIVE))), choice="release")
    assert SCRIPT not in b"".join(gateway.file(INSTALLER).body)

    assert gateway.get("install/1.2.3").status == 404
    assert gateway.native.told == []


def test_only_its_script_ends_a_release_installer() -> None:
    """Whoever reads the secret from curl's arguments has nothing installed: there is a token."""
    gateway = Gateway(Archives(WITH_INSTALLER, FILES), choice="release")
    early = gateway.get(f"install/1.2.3/{TOKEN}")
    gateway.file(INSTALLER)
    wrong = [gateway.get(f"install/1.2.3{token}") for token in ("", "/", "/tokem", "/é")]

    assert [reply.status for reply in (early, *wrong)] == [404] * 5
    assert (gateway.watching.finished, gateway.native.told) == (0, [])

    assert gateway.text(f"install/1.2.3/{TOKEN}") == "uv 1.2.3 is installed\n"
    assert (gateway.watching.finished, gateway.native.told) == (1, [])


def test_ours_has_no_token() -> None:
    """Ours is not asked for with one: its secret is in no argument."""
    gateway = Gateway(Wheels())
    gateway.file(INSTALLER)

    assert gateway.get(f"install/1.2.3/{TOKEN}").status == 404
    assert gateway.native.told == ["begin 1.2.3"]


def test_refusals() -> None:
    """What is refused is refused by its status, and is not what uv has asked."""
    gateway = Gateway(Archives(WITH_INSTALLER))
    replies = [
        gateway.get("nowhere"),
        gateway.get(f"{REPOSITORY}/latest", host="evil.example"),
        gateway.get(f"{REPOSITORY}/latest", method="POST"),
    ]
    assert [reply.status for reply in replies] == [404, 421, 405]
    assert replies[2].headers == (("Allow", "GET"),)
    assert not gateway.service.asked


def test_archive() -> None:
    """An archive comes as it is, with its length, and is counted."""
    digest = hashlib.sha256(b"abcdef").hexdigest()
    source = Archives(release(Asset(name=ARCHIVE, sha256=digest)), FILES)
    gateway = Gateway(source)

    reply = gateway.file(ARCHIVE)

    assert (reply.status, reply.length) == (200, 6)
    assert b"".join(reply.body) == b"abcdef"
    assert gateway.service.transferred == 6
    assert source.closed == [ARCHIVE]


def test_digest_mismatch() -> None:
    """An archive with another digest breaks off before its last byte, and is not sent again."""
    source = Archives(release(Asset(name=ARCHIVE, sha256="0" * 64)), FILES)
    gateway = Gateway(source)

    reply = gateway.file(ARCHIVE)
    body = iter(reply.body)

    assert reply.length == 6
    assert next(body) == b"abc"
    with pytest.raises(BrokenOff):
        next(body)
    assert source.closed == [ARCHIVE]
    assert [type(error) for error in gateway.service.failures] == [DigestMismatch]
    assert gateway.file(ARCHIVE).status == 404
    assert source.asked.count(f"{ARCHIVE} of 1.2.3") == 1


def test_digest_mismatch_over_the_wire() -> None:
    """A client never receives the whole of an archive with another digest."""
    source = Archives(release(Asset(name=ARCHIVE, sha256="0" * 64)), FILES)
    gateway = partial(Gateway, source)
    with serving(lambda address: gateway(address=address).service.answer) as (address, port):
        get(port, f"/{address.secret}{DOWNLOAD}/1.2.3/{INSTALLER}")
        answer = get(port, f"/{address.secret}{DOWNLOAD}/1.2.3/{ARCHIVE}")
    assert len(answer.body) < 6
    assert answer.end == "reset"


def test_archive_that_cannot_be_opened() -> None:
    """An archive that the source refuses is an error with the reason."""
    gateway = Gateway(Archives(WITH_INSTALLER))
    reply = gateway.file(ARCHIVE)
    assert (reply.status, list(reply.body)) == (502, [b"x: answered 404 Not Found\n"])


def test_archive_is_fetched_ahead() -> None:
    """A release's own installer gets the archive that was opened when it was sent itself."""
    opened = threading.Event()

    class Opened(Archives):
        @contextmanager
        def open(self, release: Release, asset: Asset) -> Iterator[Download]:
            with super().open(release, asset) as download:
                if asset.name == ARCHIVE:
                    opened.set()
                yield download

    source = Opened(WITH_INSTALLER, FILES)
    gateway = Gateway(source, choice="release", ahead=True)
    b"".join(gateway.get(f"{DOWNLOAD}/1.2.3/{INSTALLER}").body)
    assert opened.wait(60)

    reply = gateway.get(f"{DOWNLOAD}/1.2.3/{ARCHIVE}")
    assert (reply.status, reply.length, b"".join(reply.body)) == (200, 6, b"abcdef")
    assert gateway.service.transferred == 6
    assert source.asked.count(f"{ARCHIVE} of 1.2.3") == 1

    # A second request is another download.
    assert b"".join(gateway.get(f"{DOWNLOAD}/1.2.3/{ARCHIVE}").body) == b"abcdef"
    assert source.asked.count(f"{ARCHIVE} of 1.2.3") == 2
    gateway.service.close()


def test_other_archive_than_was_fetched_ahead() -> None:
    """An installer may choose another archive, such as one for musl."""
    other = "uv-x86_64-unknown-linux-musl.tar.gz"
    gateway = Gateway(
        Archives(WITH_INSTALLER, {**FILES, other: [b"other"]}), choice="release", ahead=True
    )
    assert b"".join(gateway.file(other).body) == b"other"
    gateway.service.close()


def test_digest_mismatch_ahead() -> None:
    """What was fetched ahead is checked as well: it breaks off before its last byte."""
    assets = (Asset(name=INSTALLER), Asset(name=ARCHIVE, sha256="0" * 64))
    gateway = Gateway(Archives(release(*assets), FILES), choice="release", ahead=True)
    body = iter(gateway.file(ARCHIVE).body)
    assert next(body) == b"abc"
    with pytest.raises(BrokenOff):
        next(body)
    assert [type(error) for error in gateway.service.failures] == [DigestMismatch]
    assert gateway.file(ARCHIVE).status == 404


def test_archive_that_cannot_be_opened_ahead() -> None:
    """That a file cannot be had is said when it is requested, and only then."""
    files = {name: body for name, body in FILES.items() if name != ARCHIVE}
    gateway = Gateway(Archives(WITH_INSTALLER, files), choice="release", ahead=True)
    b"".join(gateway.get(f"{DOWNLOAD}/1.2.3/{INSTALLER}").body)
    assert gateway.service.failures == []
    reply = gateway.get(f"{DOWNLOAD}/1.2.3/{ARCHIVE}")
    assert (reply.status, list(reply.body)) == (502, [b"x: answered 404 Not Found\n"])


def test_no_archive_of_a_wheel() -> None:
    """A source of wheels has no archives."""
    gateway = Gateway(Wheels())
    assert gateway.file(ARCHIVE).status == 404


OTHER = Archives(release(Asset(name=ARCHIVE)), FILES)
UNLISTED = Archives(Release(version="1.2.3", tag="1.2.3"), {})
REFUSED = Archives(WITH_INSTALLER, {INSTALLER: StatusRefused("x:", 403, "Forbidden")})


@pytest.mark.parametrize(
    ("choice", "source", "expected"),
    [
        ("auto", Archives(WITH_INSTALLER, FILES), "release"),
        ("auto", OTHER, "native"),
        ("auto", UNLISTED, "native"),
        ("auto", Wheels(), "native"),
        ("auto", REFUSED, "failing"),
        ("release", Archives(WITH_INSTALLER, FILES), "release"),
        ("release", OTHER, "failing"),
        ("release", UNLISTED, "failing"),
        ("release", Wheels(), "failing"),
        ("native", Archives(WITH_INSTALLER, FILES), "native"),
        ("native", Wheels(), "native"),
    ],
)
def test_choice_of_installer(choice: InstallerChoice, source: Source, expected: str) -> None:
    """`auto` takes the release's installer where there is one; the others are what they say."""
    gateway = Gateway(source, choice=choice)

    script = b"".join(gateway.file(INSTALLER).body)

    native = scripts.native("install/1.2.3", windows=False)
    assert {SCRIPT: "release", native: "native"}.get(script, "failing") == expected
    assert gateway.native.told == (["begin 1.2.3"] if expected == "native" else [])
    assert bool(gateway.service.failures) == (expected == "failing")


PINNED = DigestRules(
    pinned=(Pin(version="1.2.3", name=ARCHIVE, sha256="0" * 64, origin="/etc/site.toml"),)
)


@pytest.mark.parametrize("digests", [PINNED, DigestRules(required=True)], ids=["pins", "required"])
def test_installer_that_nobody_vouches_for(digests: DigestRules) -> None:
    """A release's installer that is not pinned, as its archive is, is not run: ours does without.

    It could fetch anything from anywhere.
    """
    ours = Gateway(Archives(WITH_INSTALLER, FILES), digests=digests)
    assert ours.file(INSTALLER).length == len(scripts.native("install/1.2.3", windows=False))
    assert (ours.native.told, ours.service.failures) == (["begin 1.2.3"], [])

    theirs = Gateway(Archives(WITH_INSTALLER, FILES), choice="release", digests=digests)
    assert SCRIPT not in b"".join(theirs.file(INSTALLER).body)
    (failure,) = theirs.service.failures
    assert isinstance(failure, NotPinned if digests is PINNED else NoDigest)


def test_native_begins_with_the_installer() -> None:
    """The installer is told what was found, and stages it when uv asks for it at the latest."""
    gateway = Gateway(Wheels())
    gateway.text(f"{REPOSITORY}/latest")
    gateway.text(f"{REPOSITORY}/tags/1.2.3")
    assert gateway.native.told == []
    assert gateway.native.expected == ["1.2.3", "1.2.3"]

    gateway.file(INSTALLER)
    assert gateway.native.told == ["begin 1.2.3"]

    assert gateway.text("install/1.2.3") == "uv 1.2.3 is installed\n"
    assert gateway.native.told == ["begin 1.2.3", "finish 1.2.3"]


def test_native_fails() -> None:
    """An installation that fails is an answer with the reason, which the script prints."""
    error = Unreachable("x:", "it is asleep")
    gateway = Gateway(Wheels(), native=Native(error))
    gateway.file(INSTALLER)
    reply = gateway.get("install/1.2.3")
    assert (reply.status, list(reply.body)) == (502, [b"failed to fetch `x:`: it is asleep\n"])
    assert gateway.service.failures == [error]


@pytest.mark.parametrize(
    "body",
    [
        [b"<!DOCTYPE html><title>Login</title>"],
        [b"{}"],
        [b""],
        [b"#!/bin/sh\n\0"],
        [b"#!/bin/sh\n", bytes(1 << 20)],
        [b"#!/bin/sh\n", *[b"#" * (1 << 20)] * 5],
    ],
    ids=["page", "json", "empty", "binary", "large binary", "too large"],
)
def test_no_installer_in_its_place(body: list[bytes]) -> None:
    """Whatever is no script is not run: the script in its place says what it is, and fails."""
    source = Archives(WITH_INSTALLER, {INSTALLER: body})
    gateway = Gateway(source)

    script = b"".join(gateway.file(INSTALLER).body)

    done = subprocess.run(["/bin/sh"], input=script, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    (failure,) = gateway.service.failures
    assert isinstance(failure, TooLarge if len(b"".join(body)) > (4 << 20) else UnexpectedBody)
    assert done.stderr.decode().strip() == str(failure)


@pytest.mark.parametrize(
    "error", [StatusRefused("x:", 404, "Not Found"), NoInstaller("x", "1", "y")]
)
def test_installer_that_is_missing(error: SourceError) -> None:
    """With `release`, an installer that is missing fails with its reason, and is not replaced."""
    gateway = Gateway(Archives(WITH_INSTALLER, {INSTALLER: error}), choice="release")
    done = subprocess.run(
        ["/bin/sh"],
        input=gateway.text(f"{DOWNLOAD}/1.2.3/{INSTALLER}").encode(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr.decode()) == (1, f"{error}\n")


@pytest.mark.parametrize(
    "message",
    [
        'it\'s "quoted" and \\escaped\\ \\n \\0',
        "first line\nsecond 'line'\n\nfourth",
        "$(touch executed) `touch executed` ${HOME} $HOME $$",
        "'; touch executed; '",
        "'\"$(touch executed)\"'",
        "%s %d %n",
        "--help",
        "-n",
        "ünïcödé 日本",
        "! # & * ? [a] ~ | > executed < /dev/null",
    ],
)
def test_failing_script_prints_its_reason(message: str, tmp_path: Path) -> None:
    """The reason of a failure is printed as it is, and nothing in it is executed."""
    gateway = Gateway(Archives(UvSelfUpdateError(message)))

    script = b"".join(gateway.file(INSTALLER).body)

    path = tmp_path / "script"
    path.write_bytes(script)
    path.chmod(0o755)
    done = subprocess.run([path], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.decode(errors="surrogateescape") == f"{message}\n"
    assert list(tmp_path.iterdir()) == [path]


HURRIED = Limits(first_byte=0, keepalive=0.001)


def wait(
    made: Callable[[], Reply], *, fillers: int, start: bytes = b""
) -> tuple[Reply, list[bytes]]:
    """Return a reply that was late, and its body, begun before it was known."""
    known = threading.Event()

    def call() -> Reply:
        known.wait()
        return made()

    reply = with_keepalive(call, start=start, limits=HURRIED)
    body = iter(reply.body)
    chunks = [next(body) for _ in range(1 + fillers)]
    known.set()
    return reply, [*chunks, *body]


def test_quick_answer() -> None:
    """An answer that comes in time is what it is, with its status."""
    reply = Reply.of("no\n", status=404)
    assert with_keepalive(lambda: reply, limits=Limits(first_byte=600)) is reply


def test_slow_json() -> None:
    """A late answer begins with white space, and is the same JSON in the end."""
    reply, body = wait(lambda: Reply.of('{"a": [1]}', content_type="application/json"), fillers=3)
    assert (reply.status, reply.length) == (200, None)
    assert body[:4] == [b"", b"\n", b"\n", b"\n"]
    assert json.loads(b"".join(body)) == {"a": [1]}


@pytest.mark.parametrize("windows", [False, True])
def test_slow_script(windows: bool) -> None:  # noqa: FBT001 # a parameter of the test
    """A late script begins as scripts do, once, and holds nothing else than empty lines."""
    script = scripts.failing("the reason", windows=windows)
    preamble = scripts.preamble(windows=windows)
    _, body = wait(lambda: Reply.of(script), fillers=3, start=preamble)
    start, *fillers, rest = body
    assert start == preamble
    # One more may slip in before the end is seen.
    assert (len(fillers) >= 3, set(fillers)) == (True, {b"\n"})
    assert preamble + rest == script


def test_slow_script_is_run(tmp_path: Path) -> None:
    """A late script does what it would have done in time."""
    script = scripts.failing("it's $late", windows=False)
    _, body = wait(lambda: Reply.of(script), fillers=20, start=scripts.preamble(windows=False))
    path = tmp_path / "script"
    path.write_bytes(b"".join(body))
    path.chmod(0o755)
    done = subprocess.run([path], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"it's $late\n")


def test_late_body_reaches_the_client() -> None:
    """What a late answer begins with is sent at once, long before the rest is known."""
    known = threading.Event()

    def answer(_: Request) -> Reply:
        def call() -> Reply:
            known.wait()
            return Reply.of("start of the answer")

        return with_keepalive(call, start=b"start", limits=HURRIED)

    with serving(lambda _: answer) as (address, port), connect(port) as connection:
        connection.sendall(request("/", host=address.host))
        received = bytearray()
        while not received.endswith(b"\r\n1\r\n\n\r\n"):
            received += connection.recv(1 << 16)
        known.set()
        received += read_all(connection).raw

    head, _, body = bytes(received).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body.startswith(b"5\r\nstart\r\n1\r\n\n\r\n")
    assert body.endswith(b"e\r\n of the answer\r\n0\r\n\r\n")


LARGE = 3 << 20


def upstream(*, timeout: float = 60) -> Upstream:
    """Return a client."""
    return Upstream(Network(timeout=timeout, retries=0), Credentials(), environ={})


def test_large_archive(web: Web) -> None:
    """A large archive of a real server is read past the HTTP client, to its last byte."""
    body = bytes(range(256)) * (LARGE // 256)
    web.pages["/archive"] = Page(body=body)
    with upstream().open(f"{web.url}/archive") as download:
        assert download.size == LARGE
        assert b"".join(download.chunks) == body


def test_large_archive_breaks_off(web: Web) -> None:
    """A large archive that is shorter than announced is said to have broken off, and where."""
    web.pages["/archive"] = Page(body=bytes(LARGE), length=LARGE + 1)
    with (
        upstream().open(f"{web.url}/archive") as download,
        pytest.raises(Interrupted, match=r"after 3,145,728 of 3,145,729 bytes: the server closed"),
    ):
        b"".join(download.chunks)


def test_large_archive_stalls() -> None:
    """A server that sends no more in the middle of a large archive is waited for only so long."""
    stalled = threading.Event()

    def answer(_: Request) -> Reply:
        def body() -> Iterator[bytes]:
            yield bytes(LARGE - 1)
            stalled.wait()

        return Reply(body=body(), length=LARGE)

    with serving(lambda _: answer) as (address, _):
        with (
            upstream(timeout=1).open(f"{address.base}archive") as download,
            pytest.raises(Interrupted, match=r"of 3,145,728 bytes: no data for 1 seconds"),
        ):
            b"".join(download.chunks)
        stalled.set()


def test_small_files_leave_the_connection_open(web: Web) -> None:
    """After a small file its connection is used again: a handshake costs more than the file."""
    connections = set()

    def page(_: Asked) -> Page:
        connections.add(threading.current_thread())  # each has its own
        return Page(body=b"small")

    web.pages["/small"] = page
    client = upstream()
    for _ in range(3):
        with client.open(f"{web.url}/small") as download:
            assert b"".join(download.chunks) == b"small"
    client.close()
    assert len(connections) == 1
