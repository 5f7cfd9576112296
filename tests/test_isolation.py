"""Nothing leaves for anywhere but the configured source: told by the kernel, not by this package.

Every address that any process of an update names is written down by strace. Which programs these
are is known as well, so that each can be held to what it may talk to.
"""

from __future__ import annotations

import errno
import os
import shlex
import shutil
import socket
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.networks import OUTSIDE, WebAt, networks
from support.tools import tools
from support.tracing import contacts, traced
from support.web import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.homes import Home
    from support.tracing import Contact
    from support.web import Web

pytestmark = pytest.mark.system

STARTS = ("0.5.0", "newest-but-one")
FILES = ("urls", "github", "listing")
UPDATES = [*((source, choice) for source in FILES for choice in ("release", "native"))]
UPDATES.append(("index", "native"))

SOURCE = "127.0.0.2"
"""Where the source is: at another address than the gateway."""

STRANGER = "127.0.0.9"
"""Where nobody is, and nobody has any business."""

NSCD = "unix:/var/run/nscd/socket"
"""The cache of the system's databases, of users and groups among them.

The C library looks there first when a program wants to know a name: curl its user's home folder,
tar whom it unpacks for. It is on this machine, and where it does not run, as mostly, it is not
there. Allowed to what uv starts; this package and uv itself have no use for it.
"""


@pytest.fixture
def source() -> Iterator[WebAt]:
    """Serve the source."""
    with WebAt(SOURCE) as server:
        yield server


def offer(home: Home, web: Web, kind: str) -> str:
    """Offer the newest uv by a source, which the home is configured for; return its version."""
    version = binaries.newest()
    key, place = "url", f"{web.url}/"
    if kind == "index":
        web.pages |= mirrors.index_pages([version])
        place += "simple/"
    elif kind == "urls":
        web.pages |= mirrors.urls_pages([version])
        place += f'files/{{tag}}/{{asset}}"\nlatest = "{web.url}/latest.json'
        key = "download"
    elif kind == "github":
        web.pages |= mirrors.github_pages([version], prefix="/base")
        place += "base/astral-sh/uv"
    else:
        web.pages |= mirrors.file_pages(version, f"/{version}")
        web.pages |= {"/": links(f"{version}/"), f"/{version}/": links(*asset_names(version))}
    home.configure(f'[[source]]\nkind = "{kind}"\n{key} = "{place}"\n')
    return version


def asset_names(version: str) -> tuple[str, str]:
    """Return what a release has."""
    return "uv-installer.sh", binaries.archive(version).name


def links(*names: str) -> Page:
    """Return a folder as web servers show it."""
    body = "".join(f'<a href="{name}">{name}</a>\n' for name in names)
    return Page(body=f"<pre>{body}</pre>".encode(), headers={"Content-Type": "text/html"})


def hostile(kind: str) -> dict[str, str]:
    """Return every variable that could lead somebody to the stranger; the source is excepted."""
    proxies = ("http_proxy", "https_proxy", "all_proxy")
    urls = ("INSTALLER_DOWNLOAD_URL", "UV_ASTRAL_MIRROR_URL", "UV_DOWNLOAD_URL")
    bases = ("UV_INSTALLER_GHE_BASE_URL", "UV_INSTALLER_GITHUB_BASE_URL")
    stranger = dict.fromkeys((*proxies, *map(str.upper, proxies), *urls, *bases))
    offline = {} if kind == "index" else {"UV_OFFLINE": "1"}
    excepted = dict.fromkeys(("no_proxy", "NO_PROXY"), SOURCE)
    return {**dict.fromkeys(stranger, f"http://{STRANGER}:9"), **offline, **excepted}


def role(contact: Contact) -> str:
    """Return whom a contact is to be put down to."""
    program = contact.program
    if program.is_part_of("self", "update"):
        return "update"
    if program.is_part_of("pip"):
        return "index"
    if program.arguments[1:3] == ("-m", "uv_self_update"):
        return "package"
    return "unknown"


def parties(found: list[Contact]) -> dict[str, set[str]]:
    """Return everybody's addresses."""
    addresses = defaultdict(set)
    for contact in found:
        name = Path(contact.program.arguments[0]).name
        if (contact.address, role(contact)) != (NSCD, "update") or name == "uv":
            addresses[role(contact)].add(contact.address)
    return dict(addresses)


def gateway(found: list[Contact]) -> str:
    """Return the one address that was bound, by way of any free port."""
    bound = {contact.address for contact in found if contact.call == "bind"}
    (address,) = bound - {"127.0.0.1:0"}
    assert address.startswith("127.0.0.1:")
    return address


def askers(found: list[Contact]) -> set[str]:
    """Return the programs that have asked the gateway for something."""
    address = gateway(found)
    return {
        Path(contact.program.arguments[0]).name
        for contact in found
        if contact.address == address and role(contact) == "update"
    }


def expected(kind: str, found: list[Contact], web: WebAt) -> dict[str, set[str]]:
    """Return who may talk to whom, and does so."""
    own = {"127.0.0.1:0", gateway(found)}  # it tries its own socket out
    if kind == "index":
        return {"package": own, "update": {gateway(found)}, "index": {web.netloc}}
    return {"package": {*own, web.netloc}, "update": {gateway(found)}}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize(("kind", "installer"), UPDATES)
def test_everybody_talks_to_the_one_that_is_meant(
    kind: str, installer: str, start: str, tmp_path: Path, home: Home, source: WebAt
) -> None:
    """What uv starts talks to the gateway, as it does; this package, or its uv, to the source."""
    before = traced(tmp_path / "trace")
    end = offer(home, source, kind)
    home.install(binaries.version(start))

    done = home.run("--installer", installer, before=before, environ=hostile(kind))

    assert (done.code, home.version()) == (0, end), done.err
    found = contacts(tmp_path / "trace")
    assert parties(found) == expected(kind, found, source)
    # Our Python, which an installer's script ends with, asks for what is left to be done.
    downloader = {"curl"} if installer == "release" else set()
    assert askers(found) == {"uv", Path(sys.executable).name, *downloader}


def test_wget_talks_to_the_gateway_only(tmp_path: Path, home: Home, source: WebAt) -> None:
    """The other program that an installer may download with stays here as well."""
    before = traced(tmp_path / "trace")
    end = offer(home, source, "urls")
    home.install(binaries.newest_but_one())
    path = os.pathsep.join([str(home.bin), tools(tmp_path / "tools", "strace", "wget")])

    environ = {**hostile("urls"), "PATH": path}
    done = home.run("--installer", "release", before=before, environ=environ)

    assert (done.code, home.version()) == (0, end), done.err
    found = contacts(tmp_path / "trace")
    assert parties(found) == expected("urls", found, source)
    assert askers(found) == {"uv", "wget", Path(sys.executable).name}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize(("kind", "installer"), UPDATES)
def test_nothing_else_has_to_be_there(kind: str, installer: str, start: str, home: Home) -> None:
    """On a machine that has no route to anything but the source, uv is updated."""
    home.install(binaries.version(start))
    with networks() as both:
        with both.outside.inside():
            web = WebAt(OUTSIDE)
        with web, both.machine.inside():
            end = offer(home, web, kind)
            with socket.socket() as elsewhere:
                assert elsewhere.connect_ex(("192.0.2.1", 80)) == errno.ENETUNREACH

            done = home.run("--installer", installer)

    assert (done.code, home.version()) == (0, end), done.err


# That the above would have seen it


CONNECT = "socket.socket().connect_ex(('127.0.0.9', 9))"
DATAGRAM = "socket.socket(type=socket.SOCK_DGRAM)"
STRAYS = {
    "connect": (CONNECT, f"{STRANGER}:9"),
    "a name server": (f"{DATAGRAM}.sendto(b'', ('127.0.0.9', 53))", f"{STRANGER}:53"),
    "sendmsg": (f"{DATAGRAM}.sendmsg([b''], [], 0, ('127.0.0.9', 53))", f"{STRANGER}:53"),
    "IPv6": ("socket.socket(socket.AF_INET6).connect_ex(('::1', 9))", "[::1]:9"),
    "a file": ("socket.socket(socket.AF_UNIX).connect_ex('/no/such')", "unix:/no/such"),
    "no file": (r"socket.socket(socket.AF_UNIX).connect_ex('\0no such')", "unix:@no such"),
    "the kernel": ("socket.socket(socket.AF_NETLINK, 3).bind((0, 0))", "AF_NETLINK"),
    "a thread": (f"threading.Thread(target=lambda: {CONNECT}).start()", f"{STRANGER}:9"),
    "an orphan": (f"os.fork() or os.setsid() or os.fork() or {CONNECT}", f"{STRANGER}:9"),
}
"""What a program does in Python, and the address that it names with that."""


def python(code: str) -> str:
    """Return the command that does something in Python."""
    return shlex.join([sys.executable, "-c", f"import os, socket, threading; {code}"])


@pytest.mark.parametrize("name", STRAYS)
def test_stray_contact_of_any_kind_is_seen(name: str, tmp_path: Path, home: Home) -> None:
    """Whatever a program names is told, and which program it was, and who has started that."""
    code, address = STRAYS[name]

    home.run("-c", f"{python(code)}; :", program=("sh",), before=traced(tmp_path / "trace"))

    (found,) = contacts(tmp_path / "trace")
    assert found.address == address
    assert found.program.arguments[:2] == (sys.executable, "-c")
    assert found.program.starter is not None
    assert found.program.starter.arguments[:2] == ("sh", "-c")


def test_contact_that_is_cut_short_is_seen(tmp_path: Path) -> None:
    """A program that is killed while it waits for a connection has named the address before."""
    (tmp_path / "trace").write_text(
        '7 execve("/bin/nc", ["nc"], 0x7ffd2f3c /* 9 vars */ <unfinished ...>\n'
        "8 +++ exited with 0 +++\n"
        "7 <... execve resumed>) = 0\n"
        "7 connect(3, {sa_family=AF_INET, sin_port=htons(9), "
        'sin_addr=inet_addr("127.0.0.9")}, 16 <unfinished ...>\n'
        "7 +++ killed by SIGKILL +++\n"
    )

    (found,) = contacts(tmp_path / "trace")

    assert (found.program.arguments, found.call, found.address) == (
        ("nc",),
        "connect",
        f"{STRANGER}:9",
    )


@pytest.mark.parametrize("name", ["connect", "a name server", "a file", "an orphan"])
def test_stray_contact_in_an_update_is_seen(
    name: str, tmp_path: Path, home: Home, source: WebAt
) -> None:
    """An installer that tells somebody else of what it does is found out by the same means."""
    before = traced(tmp_path / "trace")
    code, address = STRAYS[name]
    stray = tmp_path / "stray"
    stray.mkdir()
    (stray / "curl").write_text(f'#!/bin/sh\n{python(code)}\nexec {shutil.which("curl")} "$@"\n')
    (stray / "curl").chmod(0o755)
    end = offer(home, source, "urls")
    home.install(binaries.newest_but_one())
    path = os.pathsep.join([str(home.bin), str(stray), "/usr/bin", "/bin"])

    done = home.run("--installer", "release", before=before, environ={"PATH": path})

    assert (done.code, home.version()) == (0, end), done.err
    found = contacts(tmp_path / "trace")
    meant = expected("urls", found, source)
    assert parties(found) == {**meant, "update": {*meant["update"], address}}
