"""The user's environment, proxies and tools do not come between uv and the gateway."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import trustme

from support import binaries, mirrors
from support.proxy import HOST, Proxy, trust
from support.tools import tools
from uv_self_update.uv.environment import environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.homes import Done, Home
    from support.web import Web

BASE = "http://127.0.0.1:4711/secret/"
STARTS = ("0.5.0", "0.8.24", "newest-but-one")
SOURCES = ("index", "urls", "github")
UPPER = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
LOWER = ("http_proxy", "https_proxy", "all_proxy")
TLS = ("HTTPS_PROXY", "https_proxy")


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Return a certificate authority that nobody trusts unless told to."""
    return trustme.CA()


@pytest.fixture
def proxy(web: Web, authority: trustme.CA) -> Iterator[Proxy]:
    """Run a proxy that reaches `web` by the name of `mirror.test`, and nothing else."""
    with Proxy(web, authority) as server:
        yield server


def serve(home: Home, web: Web, source: str, *, at: str | None = None) -> str:
    """Offer the newest uv by a source, which the home is configured for; return its version."""
    version = binaries.newest()
    base = at or web.url
    if source == "index":
        web.pages |= mirrors.index_pages([version])
        home.configure(f'[[source]]\nkind = "index"\nurl = "{base}/simple/"\n')
    elif source == "urls":
        web.pages |= mirrors.urls_pages([version])
        home.configure(
            f'[[source]]\nkind = "urls"\nlatest = "{base}/latest.json"\n'
            f'download = "{base}/files/{{tag}}/{{asset}}"\n'
        )
    else:
        web.pages |= mirrors.github_pages([version], prefix="/base")
        home.configure(f'[[source]]\nkind = "github"\nurl = "{base}/base/astral-sh/uv"\n')
    return version


def outcome(home: Home, done: Done) -> tuple[int, str, str]:
    """Return all that says whether an update has worked, and show stderr if it has not."""
    if done.code != 0:
        print(done.err)  # noqa: T201 # pytest shows it with a failure
    return done.code, home.version(), home.receipt_version()


def files_asked(web: Web) -> set[str]:
    """Return the last part of each path that was asked for."""
    return {path.rpartition("/")[2] for path in web.paths()}


# Proxies


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("source", SOURCES)
def test_every_proxy_variable_at_once_leads_to_the_source_only(
    source: str, start: str, home: Home, web: Web, proxy: Proxy
) -> None:
    """The source is reached through the proxy, and nobody asks the proxy for the gateway."""
    end = serve(home, web, source, at=f"http://{HOST}")
    home.install(binaries.version(start))
    before = home.rest()

    done = home.run(environ=dict.fromkeys((*UPPER, *LOWER), proxy.url))

    assert outcome(home, done) == (0, end, end)
    assert proxy.hosts() == {HOST}
    assert len(proxy.asked) == len(web.asked)
    assert home.rest() == before


@pytest.mark.parametrize("variable", [*UPPER, *LOWER])
@pytest.mark.parametrize("source", SOURCES)
def test_proxy_variable_is_honoured(
    source: str, variable: str, home: Home, web: Web, proxy: Proxy, authority: trustme.CA
) -> None:
    """Each variable by itself leads to the source, in a tunnel where that speaks TLS."""
    tls = variable in TLS
    end = serve(home, web, source, at=f"{'https' if tls else 'http'}://{HOST}")
    home.install("0.8.24")
    pem = trust(authority, home.path.parent)
    before = home.rest()

    done = home.run(environ={variable: proxy.url, "SSL_CERT_FILE": str(pem)})

    assert outcome(home, done) == (0, end, end)
    assert proxy.hosts() == {f"{HOST}:443" if tls else HOST}
    assert home.rest() == before


@pytest.mark.parametrize("tool", ["curl", "wget"])
def test_release_installer_downloads_past_the_proxy(
    tool: str, tmp_path: Path, home: Home, web: Web, proxy: Proxy
) -> None:
    """Curl and wget, each of which reads the variables in its own way, ask the gateway itself."""
    end = serve(home, web, "urls", at=f"http://{HOST}")
    home.install("0.8.24")
    path = os.pathsep.join([str(home.bin), tools(tmp_path / "tools", tool)])

    done = home.run(environ={**dict.fromkeys((*UPPER, *LOWER), proxy.url), "PATH": path})

    assert outcome(home, done) == (0, end, end)
    assert proxy.hosts() == {HOST}


@pytest.mark.parametrize("start", ["0.11.13", "newest-but-one"])
@pytest.mark.parametrize("source", ["index", "urls", "github"])
def test_proxy_in_uv_toml_is_not_asked_for_the_gateway(
    source: str, start: str, home: Home, web: Web, proxy: Proxy
) -> None:
    """A proxy in the user's uv.toml is for what leaves the machine, and for nothing else."""
    end = serve(home, web, source, at=f"http://{HOST}")
    home.install(binaries.version(start))
    toml = home.receipt.with_name("uv.toml")
    toml.write_text(f'http-proxy = "{proxy.url}"\nhttps-proxy = "{proxy.url}"\n')
    before = home.rest()

    done = home.run()

    assert outcome(home, done) == (0, end, end)
    assert proxy.hosts() == {HOST}
    assert home.rest() == before


# Variables that would lead uv elsewhere


def hostile_environ(home: Home, hostile: Web) -> dict[str, str]:
    """Return every variable that leads uv or its installer elsewhere, or keeps it from updating."""
    elsewhere = str(home.path.parent / "elsewhere")
    return {
        "CARGO_DIST_FORCE_INSTALL_DIR": elsewhere,
        "INSTALLER_DOWNLOAD_URL": hostile.url,
        "UV_ASTRAL_MIRROR_URL": hostile.url,
        "UV_DISABLE_UPDATE": "1",
        "UV_DOWNLOAD_URL": hostile.url,
        "UV_INSTALLER_GHE_BASE_URL": hostile.url,
        "UV_INSTALLER_GITHUB_BASE_URL": hostile.url,
        "UV_INSTALL_DIR": elsewhere,
        "UV_UNMANAGED_INSTALL": elsewhere,
    }


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize(
    ("source", "installer"),
    [
        ("index", "native"),
        ("urls", "release"),
        ("urls", "native"),
        ("github", "release"),
        ("github", "native"),
    ],
)
def test_variables_that_lead_elsewhere_do_not(
    source: str, installer: str, start: str, home: Home, web: Web
) -> None:
    """Whatever the environment says about uv's own updates, the gateway is what uv uses."""
    end = serve(home, web, source)
    home.install(binaries.version(start))
    before = home.rest()
    with type(web)() as hostile:
        environ = hostile_environ(home, hostile)
        if source != "index":
            environ["UV_OFFLINE"] = "1"

        done = home.run("--installer", installer, environ=environ)

        assert outcome(home, done) == (0, end, end)
        assert hostile.paths() == []
    assert home.rest() == before
    assert not (home.path.parent / "elsewhere").exists()


# Tools


@pytest.mark.parametrize("tool", ["curl", "wget"])
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("source", ["urls", "github"])
def test_release_installer_needs_curl_or_wget_only(
    source: str, start: str, tool: str, tmp_path: Path, home: Home, web: Web
) -> None:
    """The release's own installer downloads with whichever of the two there is."""
    end = serve(home, web, source)
    home.install(binaries.version(start))
    path = os.pathsep.join([str(home.bin), tools(tmp_path / "tools", tool)])

    done = home.run("--installer", "release", environ={"PATH": path})

    assert outcome(home, done) == (0, end, end)
    assert {"uv-installer.sh", f"uv-{mirrors.triple()}.tar.gz"} <= files_asked(web)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("installer", ["auto", "native"])
@pytest.mark.parametrize("source", SOURCES)
def test_neither_curl_nor_wget_is_needed(
    source: str, installer: str, start: str, home: Home, web: Web
) -> None:
    """With no program at all on PATH but uv, our own installer does the work."""
    end = serve(home, web, source)
    home.install(binaries.version(start))

    done = home.run("--installer", installer, environ={"PATH": str(home.bin)})

    assert outcome(home, done) == (0, end, end)
    assert "uv-installer.sh" not in files_asked(web)


# The child's environment


def test_environment_extends_each_no_proxy() -> None:
    """What either case of NO_PROXY says stays, and loopback is added to it."""
    result = environment({"NO_PROXY": "a.test", "no_proxy": "b.test,.c.test"}, BASE)

    assert (result["NO_PROXY"], result["no_proxy"]) == (
        "a.test,127.0.0.1",
        "b.test,.c.test,127.0.0.1",
    )


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT"])
def test_environment_has_no_certificates(variable: str) -> None:
    """The update speaks no TLS to the gateway, and is not told of certificates to stumble on."""
    assert variable not in environment({variable: "/nowhere"}, BASE)


@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_environment_gives_one_no_proxy_to_both_cases(variable: str) -> None:
    """A program that reads the other case gets the same exceptions."""
    result = environment({variable: "a.test"}, BASE)

    assert (result["NO_PROXY"], result["no_proxy"]) == ("a.test,127.0.0.1", "a.test,127.0.0.1")


@pytest.mark.parametrize("environ", [{}, {"NO_PROXY": "", "no_proxy": ""}])
def test_environment_has_no_proxy_for_loopback(environ: dict[str, str]) -> None:
    """Without a NO_PROXY, or with an empty one, loopback alone is in both."""
    result = environment(environ, BASE)

    assert (result["NO_PROXY"], result["no_proxy"]) == ("127.0.0.1", "127.0.0.1")


def test_environment_keeps_what_is_not_about_updates() -> None:
    """Proxies, folders and settings of uv that lead nowhere stay as they are."""
    kept = {"PATH": "/bin", "HTTPS_PROXY": "http://proxy.test", "UV_CACHE_DIR": "/c", "LANG": "C"}

    result = environment(kept, BASE)

    assert {name: result[name] for name in kept} == kept


@pytest.mark.parametrize(
    "variable",
    [
        "CARGO_DIST_FORCE_INSTALL_DIR",
        "INSTALLER_DOWNLOAD_URL",
        "UV_ASTRAL_MIRROR_URL",
        "UV_CONFIG_FILE",
        "UV_DISABLE_UPDATE",
        "UV_DOWNLOAD_URL",
        "UV_GITHUB_TOKEN",
        "UV_INSTALLER_GITHUB_BASE_URL",
        "UV_INSTALLER_OF_THE_FUTURE",
        "UV_INSTALL_DIR",
        "UV_OFFLINE",
        "UV_UNMANAGED_INSTALL",
        "uv_download_url",
    ],
)
def test_environment_drops_what_leads_elsewhere(variable: str) -> None:
    """A variable that leads uv elsewhere is gone, in whatever case Windows hands it over."""
    result = environment({variable: "http://elsewhere.test"}, BASE)

    assert variable not in result
    assert "http://elsewhere.test" not in result.values()


def test_environment_names_the_gateway_and_turns_configuration_off() -> None:
    """The gateway is the one base URL, whatever the environment said before."""
    result = environment({"UV_INSTALLER_GHE_BASE_URL": "http://elsewhere.test"}, BASE)

    assert result["UV_INSTALLER_GHE_BASE_URL"] == BASE
    assert (result["UV_NO_CONFIG"], result["UV_NO_MODIFY_PATH"]) == ("1", "1")
