"""What a request asks for, and which requests are refused; without a server."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from uv_self_update.gateway.routes import (
    File,
    Install,
    Metadata,
    Refused,
    Request,
    Route,
    route,
)

SECRET = "Sec-ret_0123456789abcdef"  # noqa: S105 # of no gateway
HOST = "127.0.0.1:4321"
RELEASES = f"/{SECRET}/api/v3/repos/astral-sh/uv/releases"
DOWNLOAD = f"/{SECRET}/astral-sh/uv/releases/download"

NOT_FOUND = Refused(status=404, reason="Not Found")
NOT_ALLOWED = Refused(status=405, reason="Method Not Allowed", allow="GET")
MISDIRECTED = Refused(status=421, reason="Misdirected Request")

ANSWERED: dict[str, Route] = {
    f"{RELEASES}/latest": Metadata(repository="astral-sh/uv"),
    RELEASES: Metadata(repository="astral-sh/uv", listed=True),
    f"{RELEASES}?page=2&per_page=100": Metadata(repository="astral-sh/uv", listed=True),
    f"{RELEASES}?": Metadata(repository="astral-sh/uv", listed=True),
    f"{RELEASES}/tags/0.12.3": Metadata(repository="astral-sh/uv", version="0.12.3"),
    f"{RELEASES}/tags/v0.12.3": Metadata(repository="astral-sh/uv", version="0.12.3"),
    f"{RELEASES}/tags/1.0.0rc1": Metadata(repository="astral-sh/uv", version="1.0.0rc1"),
    f"{DOWNLOAD}/0.12.3/uv-installer.sh": File(version="0.12.3", name="uv-installer.sh"),
    f"{DOWNLOAD}/v0.12.3/uv-installer.ps1": File(version="0.12.3", name="uv-installer.ps1"),
    f"/{SECRET}//astral-sh/uv/releases/download/0.12.3/uv-x86_64-unknown-linux-gnu.tar.gz": File(
        version="0.12.3", name="uv-x86_64-unknown-linux-gnu.tar.gz"
    ),
    f"/{SECRET}//api/v3/repos/astral-sh/uv/releases/latest": Metadata(repository="astral-sh/uv"),
    f"/{SECRET}/api/v3/repos/My.Fork/uv_2/releases/latest": Metadata(repository="My.Fork/uv_2"),
    f"/{SECRET}/My.Fork/uv_2/releases/download/1/x": File(version="1", name="x"),
    f"/{SECRET}/install/0.12.3": Install(version="0.12.3", token=None),
}

NOT_ANSWERED = [
    "",
    "/",
    "*",
    "//",
    "/api/v3/repos/astral-sh/uv/releases/latest",
    "/astral-sh/uv/releases/download/0.12.3/uv-installer.sh",
    f"/{SECRET}",
    f"/{SECRET}/",
    f"/{SECRET}?/api/v3/repos/astral-sh/uv/releases/latest",
    f"/{SECRET}x/api/v3/repos/astral-sh/uv/releases/latest",
    f"/{SECRET[:-1]}/api/v3/repos/astral-sh/uv/releases/latest",
    f"/{SECRET[1:]}/api/v3/repos/astral-sh/uv/releases/latest",
    f"/{SECRET.upper()}/api/v3/repos/astral-sh/uv/releases/latest",
    f"/{SECRET.lower()}/api/v3/repos/astral-sh/uv/releases/latest",
    f"/%53{SECRET[1:]}/api/v3/repos/astral-sh/uv/releases/latest",
    f"//{SECRET}/api/v3/repos/astral-sh/uv/releases/latest",
    f"/./{SECRET}/api/v3/repos/astral-sh/uv/releases/latest",
    f"/x/../{SECRET}/api/v3/repos/astral-sh/uv/releases/latest",
    f"{SECRET}/api/v3/repos/astral-sh/uv/releases/latest",
    f"http://{HOST}{RELEASES}/latest",
    f"http://{HOST}/",
    f"{HOST}{RELEASES}/latest",
    "/wrong/api/v3/repos/astral-sh/uv/releases/latest",
    "/ü/api/v3/repos/astral-sh/uv/releases/latest",
    f"{RELEASES}/",
    f"{RELEASES}/latest/",
    f"{RELEASES}/Latest",
    f"{RELEASES}/latest\0",
    f"{RELEASES}/latest\n",
    f"{RELEASES}/latest#fragment",
    f"{RELEASES}//latest",
    f"{RELEASES}/tags/",
    f"{RELEASES}/tags/..",
    f"{RELEASES}/tags/0.12.3/..",
    f"{RELEASES}/tags/../latest",
    f"{RELEASES}/tags/%2e%2e",
    f"{RELEASES}/tags/0.12.3%2f..",
    f"{RELEASES}/tags/0.12.3%00",
    f"{RELEASES}/tags/0.12.3 ",
    f"{RELEASES}/tags/-r",
    f"{RELEASES}/tags/0.12.3\r\nX: y",
    f"{RELEASES}/tags/٣",
    f"{DOWNLOAD}/0.12.3/",
    f"{DOWNLOAD}/0.12.3/..",
    f"{DOWNLOAD}/../latest.json",
    f"{DOWNLOAD}/0.12.3/../0.12.4/uv-installer.sh",
    f"{DOWNLOAD}/0.12.3/%2e%2e/uv-installer.sh",
    f"{DOWNLOAD}/0.12.3/..%2fuv-installer.sh",
    f"{DOWNLOAD}/0.12.3/..\\uv-installer.sh",
    f"{DOWNLOAD}/0.12.3\\uv-installer.sh",
    f"{DOWNLOAD}/0.12.3/.hidden",
    f"{DOWNLOAD}/0.12.3/a/b",
    f"{DOWNLOAD}/0.12.3/uv\x7f",
    f"{DOWNLOAD}/latest",
    f"/{SECRET}/../../etc/passwd",
    f"/{SECRET}/api/v3/repos/../uv/releases/latest",
    f"/{SECRET}/api/v3/repos/astral-sh/uv/x/releases/latest",
    f"/{SECRET}/api/v3/repos/astral-sh/uv/tags",
    f"/{SECRET}/API/v3/repos/astral-sh/uv/releases/latest",
    f"/{SECRET}/install/",
    f"/{SECRET}//install/0.12.3",
    f"/{SECRET}/install/0.12.3/",
    f"/{SECRET}/install/../0.12.3",
]


def ask(target: str, *, host: str = HOST, method: str = "GET") -> Route:
    """Route a request to this gateway."""
    return route(Request(method=method, target=target, host=host), host=HOST, secret=SECRET)


@pytest.mark.parametrize("target", ANSWERED)
def test_answered(target: str) -> None:
    """Each path that uv and the installers ask for has a meaning."""
    assert ask(target) == ANSWERED[target]


@pytest.mark.parametrize("target", NOT_ANSWERED)
def test_not_found(target: str) -> None:
    """Whatever is not exactly one of those paths, below the secret, is not found."""
    assert ask(target) == NOT_FOUND


@pytest.mark.parametrize(
    "host",
    [
        "",
        "127.0.0.1",
        "127.0.0.1:4322",
        "localhost:4321",
        "evil.example",
        "evil.example:4321",
        "127.0.0.1:4321.evil.example",
        "127.0.0.1:4321,127.0.0.1:4321",
        "127.0.0.1:4321,evil.example",
        "127.0.0.1:4321 ",
        "[::1]:4321",
        "127.1:4321",
    ],
)
def test_foreign_host(host: str) -> None:
    """A `Host` that is foreign, missing or doubled is refused, whatever is asked for."""
    assert {ask(target, host=host) for target in (*ANSWERED, *NOT_ANSWERED)} == {MISDIRECTED}


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD", "OPTIONS", "DELETE", "CONNECT", "get"])
def test_other_methods(method: str) -> None:
    """Any method but GET is not allowed, and the answer says which is."""
    assert {ask(target, method=method) for target in ANSWERED} == {NOT_ALLOWED}


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD", "OPTIONS", "DELETE"])
def test_other_methods_without_secret(method: str) -> None:
    """Without the secret, no method finds out that there is anything."""
    assert ask("/api/v3/repos/astral-sh/uv/releases/latest", method=method) == NOT_FOUND


PATHS = st.one_of(st.text(), st.sampled_from([target.split(SECRET)[1] for target in ANSWERED]))


@given(
    before=st.one_of(st.text(max_size=3), st.sampled_from(["", "/", "//", f"http://{HOST}/"])),
    secret=st.one_of(
        st.text(), st.builds(lambda end: SECRET[:end], st.integers(0, len(SECRET) - 1))
    ),
    path=PATHS,
    method=st.sampled_from(["GET", "POST", "HEAD"]),
)
@example(before="/", secret="", path="/install/1", method="GET")
@example(before="/", secret=SECRET.swapcase(), path="/install/1", method="GET")
def test_nothing_without_the_secret(before: str, secret: str, path: str, method: str) -> None:
    """No target that does not begin with the exact secret is anything but refused."""
    target = before + secret + path
    if target.startswith(f"/{SECRET}"):
        return
    assert isinstance(ask(target, method=method), Refused)


@given(target=st.text(), host=st.text(), method=st.text())
def test_never_raises(target: str, host: str, method: str) -> None:
    """Any text at all is answered, here with a refusal."""
    assert isinstance(ask(target, host=host, method=method), Refused)
    assert isinstance(ask(f"/{SECRET}/{target}", method=method), Route)
