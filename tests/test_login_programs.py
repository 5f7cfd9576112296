"""The real uv with its real store, the real `keyring` with a file behind it, and a stub of `gh`."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from support import binaries
from support.catalogue import catalogue
from support.homes import base_environment
from support.missing import missing
from support.simulator.dialect import PASSWORD, USER, Setup
from support.simulator.rows import ROWS, fetch, published
from support.simulator.server import credentials_in
from uv_self_update.auth.credentials import Login
from uv_self_update.auth.programs import Found, LoginPrograms, Question
from uv_self_update.config.settings import Network, Settings
from uv_self_update.redaction import Secret
from uv_self_update.releases.target import Wanted
from uv_self_update.sources.opened import OpenSources
from uv_self_update.uv.executable import renamed

if TYPE_CHECKING:
    from collections.abc import Mapping

URL = "https://mirror.example/repository/uv/"
UVS = ("newest", "0.8.24")
"""With the helper that tells users too, and without."""

WITHOUT = "0.5.0"
"""A uv without a store."""

STORE, KEYRING, GH = "uv's credential store", "keyring", "gh"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a new user, whose PATH has nothing on it yet."""
    (tmp_path / "bin").mkdir()
    return {
        **base_environment(),
        "HOME": str(tmp_path),
        "PATH": str(tmp_path / "bin"),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
    }


def uv_of(name: str) -> Path:
    """Return a real uv."""
    return binaries.executables(binaries.version(name)) / "uv"


def log_in(environ: Mapping[str, str], service: str, *user: str, stored: str = "s3cret") -> None:
    """Put a login into uv's store; nothing is contacted for that."""
    subprocess.run(
        [uv_of("newest"), "auth", "login", service, *user],
        input=stored,
        env=environ,
        capture_output=True,
        check=True,
        text=True,
    )


def asked(
    environ: Mapping[str, str],
    *urls: str,
    uv: Path | None = None,
    user: str | None = None,
    github: str | None = None,
    timeout: float = 30,
) -> tuple[str, str] | None:
    """Return what the programs know and where it is; a token stands alone."""
    question = Question(urls=urls, username=user, github=github)
    found = LoginPrograms(uv=uv, environ=environ, timeout=timeout).find(question)
    if found is None:
        return None
    what = found.what
    text = what.reveal() if isinstance(what, Secret) else f"{what.user}:{what.password.reveal()}"
    return text, found.place


def program(environ: Mapping[str, str], name: str, *lines: str) -> Path:
    """Put a program on PATH that does what the lines of shell say, and return its record."""
    folder = Path(environ["PATH"].split(os.pathsep)[0])
    record = folder / f"{name}.txt"
    script = ["#!/bin/sh", f'echo "$@" "in $PWD" >> {record}', *lines]
    (folder / name).write_text("\n".join([*script, ""]))
    (folder / name).chmod(0o755)
    return record


@pytest.mark.parametrize("name", UVS)
@pytest.mark.parametrize(
    ("service", "url", "there"),
    [
        (URL, URL, True),
        (URL, URL.rstrip("/"), True),
        (URL.rstrip("/"), URL, True),
        ("mirror.example", URL, True),
        (URL, "https://mirror.example/repository/", False),
        (URL, "https://mirror.example/repository/uvx/", False),
        (URL, "https://other.example/repository/uv/", False),
        (URL, "https://mirror.example:8443/repository/uv/", False),
        ("http://127.0.0.1:81/uv/", "http://127.0.0.1:81/uv/", True),
    ],
)
def test_store(environ: dict[str, str], name: str, service: str, url: str, *, there: bool) -> None:
    """The store of uv has a password for a user, for all that is below its URL."""
    log_in(environ, service, "--username", "me", "--password", "-", stored="pä ss:w")
    uv = uv_of(name)

    expected = ("me:pä ss:w", STORE) if there else None
    assert asked(environ, url, uv=uv, user="me") == expected
    assert asked(environ, url, uv=uv, user="someone") is None
    # Only the newer one knows for whom a password is.
    assert asked(environ, url, uv=uv) == (expected if name == "newest" else None)


def test_store_of_a_uv_that_has_moved_renamed(environ: dict[str, str], tmp_path: Path) -> None:
    """While uv is replaced on Windows, it is asked under the name that it has meanwhile."""
    log_in(environ, URL, "--username", "me", "--password", "-")
    uv = tmp_path / "uv.exe"
    renamed(uv).symlink_to(uv_of("newest"))

    assert asked(environ, URL, uv=uv, user="me") == ("me:s3cret", STORE)


@pytest.mark.parametrize("name", UVS)
def test_token_in_store(environ: dict[str, str], name: str) -> None:
    """What was stored as a token is one, and belongs to no user."""
    log_in(environ, URL, "--token", "-")

    assert asked(environ, URL, uv=uv_of(name)) == ("s3cret", STORE)
    assert asked(environ, URL, uv=uv_of(name), user="me") is None


def test_each_url_is_asked_for(environ: dict[str, str]) -> None:
    """Each URL that the person has configured may have the login."""
    log_in(environ, URL, "--username", "me", "--password", "-")

    assert asked(environ, "https://mirror.example/a", URL, uv=uv_of("newest")) == (
        "me:s3cret",
        STORE,
    )


@pytest.mark.extra
def test_uv_without_store(environ: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    """A uv that has no store yet has no login, and nobody is bothered with that."""
    assert asked(environ, URL, uv=uv_of(WITHOUT)) is None
    assert asked(environ, URL, uv=uv_of(WITHOUT), user="me") is None
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


def test_project_has_no_say(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The uv.toml of the folder that the person stands in is not read by the uv that is asked."""
    log_in(environ, URL, "--username", "me", "--password", "-")
    (tmp_path / "uv.toml").write_text("this would be an error")
    monkeypatch.chdir(tmp_path)

    assert asked(environ, URL, uv=uv_of("newest")) == ("me:s3cret", STORE)


@pytest.mark.parametrize("text", ['required-version = ">=999"', "link-mode = 5", "[pip]\nx = 1"])
def test_uv_toml_that_the_uv_refuses(environ: dict[str, str], text: str) -> None:
    """What the user's uv.toml says about packages does not keep uv from its store."""
    log_in(environ, URL, "--username", "me", "--password", "-")
    path = Path(environ["HOME"], ".config", "uv", "uv.toml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)

    assert asked(environ, URL, uv=uv_of("newest")) == ("me:s3cret", STORE)
    path.write_text("[broken")
    assert asked(environ, URL, uv=uv_of("newest")) is None


def test_relative_store(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that is named by a relative path is the one that the person means."""
    monkeypatch.chdir(tmp_path)
    environ["UV_CREDENTIALS_DIR"] = "store"
    log_in(environ, URL, "--username", "me", "--password", "-")
    assert (tmp_path / "store").is_dir()

    assert asked(environ, URL, uv=uv_of("newest")) == ("me:s3cret", STORE)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "neither JSON",
        "[]",
        '{"headers":{}}',
        '{"headers":{"Authorization":[]}}',
        '{"headers":{"Authorization":[1]}}',
        '{"headers":{"Authorization":["Bearer abc"]}}',
        '{"headers":{"Authorization":["Basic !"]}}',
        '{"headers":{"Authorization":["Basic /w=="]}}',
        '{"headers":{"Authorization":["Basic bWU6"]}}',
    ],
)
def test_strange_answers(environ: dict[str, str], answer: str) -> None:
    """A helper that answers with something else has no login."""
    program(environ, "uv", f"echo '{answer}'")

    assert asked(environ, URL, uv=Path(environ["PATH"], "uv")) is None


@pytest.fixture
def keyring(environ: dict[str, str], tmp_path: Path) -> Path:
    """Put the real `keyring` on PATH, which keeps what it is given in a plain file."""
    found = shutil.which("keyring", path=Path(sys.executable).parent)
    if found is None:
        missing("keyring: python -m pip install keyring keyrings.alt")
    Path(environ["PATH"], "keyring").symlink_to(found)
    environ["PYTHON_KEYRING_BACKEND"] = "keyrings.alt.file.PlaintextKeyring"
    environ["XDG_DATA_HOME"] = str(tmp_path / "data")
    environ["UV_KEYRING_PROVIDER"] = "subprocess"
    return Path(found)


def keep(
    environ: Mapping[str, str], keyring: Path, service: str, password: str, user: str = "me"
) -> None:
    """Put a password into the keyring."""
    command = [str(keyring), "set", service, user]
    subprocess.run(command, input=password, env=environ, capture_output=True, check=True, text=True)


@pytest.mark.parametrize(
    ("service", "url", "there"),
    [
        (URL, URL, True),
        ("mirror.example", URL, True),
        ("mirror.example:8443", "https://mirror.example:8443/uv/", True),
        ("mirror.example", "https://mirror.example:8443/uv/", False),
        ("other.example", URL, False),
    ],
)
def test_keyring(
    environ: dict[str, str], keyring: Path, service: str, url: str, *, there: bool
) -> None:
    """`keyring` is asked for the URL, then for the host, as uv asks it."""
    keep(environ, keyring, service, "pä ss:w")

    assert asked(environ, url, user="me") == (("me:pä ss:w", KEYRING) if there else None)
    assert asked(environ, url, user="someone") is None


def test_url_before_host(environ: dict[str, str], keyring: Path) -> None:
    """A password for the URL is better than one for the whole host."""
    keep(environ, keyring, "mirror.example", "host")
    keep(environ, keyring, URL, "url")

    assert asked(environ, URL, user="me") == ("me:url", KEYRING)


def test_keyring_in_another_encoding(environ: dict[str, str], keyring: Path) -> None:
    """A password arrives as it is, whatever the encoding of the console."""
    keep(environ, keyring, URL, "pä")
    environ["PYTHONIOENCODING"] = "latin-1"

    assert asked(environ, URL, user="me") == ("me:pä", KEYRING)


@pytest.mark.parametrize("provider", ["disabled", "", None])
def test_keyring_is_not_wanted(
    environ: dict[str, str], keyring: Path, provider: str | None
) -> None:
    """`keyring` is asked only where uv's own configuration wants it."""
    keep(environ, keyring, URL, "s3cret")
    del environ["UV_KEYRING_PROVIDER"]
    if provider is not None:
        environ["UV_KEYRING_PROVIDER"] = provider

    assert asked(environ, URL, user="me") is None


def test_keyring_by_uv_toml(environ: dict[str, str], keyring: Path, tmp_path: Path) -> None:
    """`keyring` is asked where the user's uv.toml wants it."""
    keep(environ, keyring, URL, "s3cret")
    del environ["UV_KEYRING_PROVIDER"]
    (tmp_path / ".config" / "uv").mkdir(parents=True)
    (tmp_path / ".config" / "uv" / "uv.toml").write_text('keyring-provider = "subprocess"')

    assert asked(environ, URL, user="me") == ("me:s3cret", KEYRING)


def test_keyring_tells_the_user(environ: dict[str, str]) -> None:
    """A keyring that knows for whom a password is, as those of clouds do, tells both."""
    environ["UV_KEYRING_PROVIDER"] = "subprocess"
    record = program(environ, "keyring", '[ "$2" = mirror.example ] && printf "aws\\n s3 cret\\n"')

    assert asked(environ, URL) == ("aws: s3 cret", KEYRING)
    assert record.read_text().splitlines() == [
        f"get {URL} --mode creds in /",
        "get mirror.example --mode creds in /",
    ]


GH_STUB = (
    '[ "$1 $2 $3" = "auth token --hostname" ] || exit 1',
    'for token in "$GH_TOKEN" "$GITHUB_TOKEN" "$GH_ENTERPRISE_TOKEN" "$GITHUB_ENTERPRISE_TOKEN"',
    'do [ -z "$token" ] || { echo "$token"; exit; }; done',
    'case "$4" in github.com) echo gho_1;; ghes.example) echo gho_2;;',
    '*) echo "no oauth token" >&2; exit 1;; esac',
)
"""What gh 2.23 does: variables come before what is stored for the host."""


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("github.com", ("gho_1", GH)),
        ("ghes.example", ("gho_2", GH)),
        ("ghes.example:8443", None),
        ("other.example", None),
        (None, None),
    ],
)
def test_gh(environ: dict[str, str], host: str | None, expected: tuple[str, str] | None) -> None:
    """`gh` is asked for the host, and only where a GitHub is."""
    record = program(environ, "gh", *GH_STUB)

    assert asked(environ, "https://ghes.example/o/r", github=host) == expected
    assert record.exists() is (host is not None)


def test_gh_hands_out_no_variables(environ: dict[str, str]) -> None:
    """A token in the environment is for its own host, which `gh` would not look at."""
    program(environ, "gh", *GH_STUB)
    for name in ("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"):
        environ[name] = "t0ken"

    assert asked(environ, "https://evil.example/o/r", github="evil.example") is None
    assert asked(environ, "https://github.com/o/r", github="github.com") == ("gho_1", GH)


def test_order(environ: dict[str, str], keyring: Path) -> None:
    """The store of uv comes first, then the keyring, then `gh`."""
    url = "https://github.com/o/r"
    uv = uv_of("newest")
    program(environ, "gh", *GH_STUB)
    assert asked(environ, url, uv=uv, user="me", github="github.com") == ("gho_1", GH)

    keep(environ, keyring, "github.com", "kept")
    assert asked(environ, url, uv=uv, user="me", github="github.com") == ("me:kept", KEYRING)

    log_in(environ, url, "--username", "me", "--password", "-", stored="stored")
    assert asked(environ, url, uv=uv, user="me", github="github.com") == ("me:stored", STORE)


def test_asked_once(environ: dict[str, str]) -> None:
    """The same question is put to a program once in a run, also where it had no answer."""
    record = program(environ, "gh", "exit 1")
    programs = LoginPrograms(uv=None, environ=environ)
    for _ in range(3):
        programs.find(Question(urls=("https://github.com/o/r",), github="github.com"))
    programs.find(Question(urls=("https://ghes.example/o/r",), github="ghes.example"))

    assert len(record.read_text().splitlines()) == 2


@pytest.mark.parametrize("name", ["uv", "keyring", "gh"])
def test_failures(environ: dict[str, str], name: str, caplog: pytest.LogCaptureFixture) -> None:
    """A program that fails, is none, or is not there has no login, and nothing else happens."""
    caplog.set_level(logging.DEBUG)
    environ["UV_KEYRING_PROVIDER"] = "subprocess"
    path = Path(environ["PATH"], name)
    uv = path if name == "uv" else None
    assert asked(environ, URL, uv=uv, user="me", github="github.com") is None

    program(environ, name, "echo https://me:s3cret@mirror.example/ >&2", "exit 3")
    assert asked(environ, URL, uv=uv, user="me", github="github.com") is None
    assert f"no credentials from `{name}`: exit code 3" in caplog.text

    path.write_bytes(b"\x7fELF")
    assert asked(environ, URL, uv=uv, user="me", github="github.com") is None
    assert f"failed to run {name}: Exec format error" in caplog.text
    assert "s3cret" not in caplog.text


def test_not_from_the_current_folder(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A program that a project has in its folder is not run, though PATH names that folder."""
    caplog.set_level(logging.DEBUG)
    record = program(environ, "gh", *GH_STUB)
    monkeypatch.chdir(environ["PATH"])
    environ["PATH"] = "."

    assert asked(environ, "https://github.com/o/r", github="github.com") is None
    assert not record.exists()
    assert caplog.records == []


def test_patience(environ: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    """A program that does not answer is ended, and that is said."""
    program(environ, "gh", "exec /bin/sleep 600")

    assert asked(environ, "https://github.com/o/r", github="github.com", timeout=0.1) is None
    assert "no credentials from `gh`: no answer within 0.1 seconds" in caplog.text


def test_close(environ: dict[str, str], tmp_path: Path) -> None:
    """Whoever waits for a program waits no longer once all is closed, and none is started."""
    os.mkfifo(tmp_path / "started")
    record = program(environ, "gh", f"echo > {tmp_path / 'started'}", "exec /bin/sleep 600")
    programs = LoginPrograms(uv=None, environ=environ)
    question = Question(urls=("https://github.com/o/r",), github="github.com")
    answers: list[Found | None] = []
    thread = threading.Thread(target=lambda: answers.append(programs.find(question)))
    thread.start()
    with (tmp_path / "started").open() as pipe:
        pipe.read()

    programs.close()
    thread.join(20)
    assert answers == [None]
    assert programs.find(Question(urls=(), github="ghes.example")) is None
    assert len(record.read_text().splitlines()) == 1


def test_no_secret_among_the_arguments(environ: dict[str, str], tmp_path: Path) -> None:
    """Programs are told URLs, hosts and users; what they are told by uv's helper goes by stdin."""
    store = tmp_path / "store"
    store.mkdir()
    (store / "credentials.toml").touch()
    directory = f'[ "$2" = dir ] && echo "{store}" && exit'
    record = program(environ, "uv", directory, "cat", "exit 2")

    assert asked(environ, URL, uv=Path(environ["PATH"], "uv")) is None
    assert record.read_text().splitlines() == [
        "auth dir in /",
        "auth helper --protocol bazel get --preview-features auth-helper in /",
        f"auth token {URL} in /",
    ]


def test_store_that_is_not_there(environ: dict[str, str], tmp_path: Path) -> None:
    """Where there is no store, uv is not asked for a login: that alone would make its folder."""
    record = program(environ, "uv", f'echo "{tmp_path / "missing"}"')

    assert asked(environ, URL, uv=Path(environ["PATH"], "uv")) is None
    assert record.read_text().splitlines() == ["auth dir in /"]


def test_store_of_the_system(environ: dict[str, str]) -> None:
    """A uv that tries out the system's keyring has no file that could be missing."""
    record = program(environ, "uv", "exit 2")

    assert asked(environ | {"UV_PREVIEW": "1"}, URL, uv=Path(environ["PATH"], "uv")) is None
    path = Path(environ["HOME"], ".config", "uv", "uv.toml")
    path.parent.mkdir(parents=True)
    path.write_text('preview-features = ["native-auth"]\n')
    assert asked(environ, URL, uv=Path(environ["PATH"], "uv")) is None
    assert "auth dir in /" not in record.read_text().splitlines()
    assert len(record.read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("name", "place"),
    [
        *product(
            ("listing-nginx", "nexus", "artifactory", "gitea-packages", "gitlab-packages"),
            ("uv", "keyring", "netrc", "default"),
        ),
        ("github-private", "gh"),
    ],
)
def test_on_the_wire(
    environ: dict[str, str],
    keyring: Path,
    tmp_path: Path,
    name: str,
    place: str,
) -> None:
    """A server that wants a login gets it from where the person keeps it, with nothing configured.

    The first request shows none that nobody has asked for, but for one that netrc has for the host.
    """
    releases = catalogue("0.10.1")
    row = next(row for row in ROWS if row.name == name)
    with row.simulator(releases, Setup(login=True)) as simulator:
        section = simulator.dialect.section(simulator.place)
        netrc = tmp_path / ".netrc"
        if place == "uv":
            log_in(environ, simulator.url, "--username", USER, "--password", "-", stored=PASSWORD)
        elif place == "keyring":
            keep(environ, keyring, urlsplit(simulator.url).netloc, PASSWORD, user=USER)
            section = replace(section, username=USER)
        elif place == "gh":
            program(environ, "gh", f"echo '{PASSWORD}'")
        else:
            machine = "default" if place == "default" else "machine 127.0.0.1"
            netrc.write_text(f"{machine} login {USER} password {PASSWORD}")
        environ["NO_PROXY"] = "*"
        settings = Settings(sources=(section,), network=Network(timeout=10, retries=0))
        with closing(OpenSources(settings, uv=uv_of("newest"), environ=environ)) as opened:
            found = opened.find(Wanted(exact="0.10.1"))
            assert fetch(found, tmp_path) == published(row, releases, "0.10.1")
    sent = [bool(credentials_in(asked)) for asked in simulator.asked]
    assert sent == sorted(sent)
    assert sent.count(False) == (0 if place == "netrc" else 1)


def test_nothing_shows() -> None:
    """What is found says nothing of itself."""
    login = Found(what=Login(user="s3cret", password=Secret("s3cret")), place=STORE)
    assert "s3cret" not in repr(login) + repr(Found(what=Secret("s3cret"), place=GH))
