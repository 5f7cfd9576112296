"""`exec` with direct URLs of release files, as in uv#15731, through a real uv."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.direct import WHEEL, url_stand
from support.homes import PROGRAM
from support.package_kinds import ENVIRON, NEW, ROWS, holding
from support.simulator.dialect import PASSWORD
from support.simulator.packages import wheel
from support.stand import done, locked, newest_and

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.direct import UrlStand
    from support.homes import Home

slow = pytest.mark.slow


@pytest.fixture
def stand(home: Home) -> Iterator[UrlStand]:
    """Return a project that names files of a private release by their URLs."""
    with url_stand(home) as made:
        yield made


@newest_and("0.5.0", "0.8.24", "0.11.13")
def test_urls_as_they_are_written_today(version: str, stand: UrlStand, tmp_path: Path) -> None:
    """uv#15731's project fails with 404 without us, and locks, syncs and runs with us."""
    stand.use(version)
    check = "--locked" if version == "0.5.0" else "--check"
    failed = stand.plain("uv", "lock", "--no-cache")
    assert failed.code != 0
    assert "404 Not Found" in failed.err

    done(stand.run("uv", "lock"))
    first = stand.lock.read_bytes()
    cold = {"UV_CACHE_DIR": str(tmp_path / "cold")}
    done(stand.run("uv", "lock", check, **cold))
    done(stand.run("uv", "sync", "--locked", **cold))

    assert stand.lock.read_bytes() == first
    assert stand.packages.release_file("internal_src-0.1.12.tar.gz").encode() in first
    assert locked(stand)["internal-package"].startswith("1.1.0")
    # What uv has cached, it needs nobody for.
    done(stand.plain("uv", "lock", check, **cold))
    program = "import internal_package, internal_src; print(internal_src.VERSION)"
    assert done(stand.plain("uv", "run", "python", "-c", program, **cold)).out == "0.1.12\n"


SHAPES = {
    "gitea-releases": "{place}/releases/download/{tag}/{name}",
    "gitlab-releases": "{place}/-/releases/{tag}/downloads/{name}",
    "gitlab-links": "{place}/-/releases/{tag}/downloads/bin/{name}",
}
FORGES = {row.name: row for row in ROWS if row.name in SHAPES}


@pytest.mark.parametrize(
    "forge",
    ["gitea-releases", "gitlab-releases", pytest.param("gitlab-links", marks=slow)],
)
def test_urls_of_other_forges(forge: str, stand: UrlStand, tmp_path: Path) -> None:
    """Files of GitLab and Gitea are served at the URLs that their pages have for them."""
    row = FORGES[forge]
    stand.home.environ |= ENVIRON
    name = next(iter(NEW))
    with row.simulator(holding(), tmp_path, context=stand.packages.context) as simulator:
        stand.home.configure(row.table(simulator, 'packages = ["internal-*"]'))
        url = SHAPES[forge].format(place=simulator.place, tag="1.1.0", name=name)
        stand.write(f"internal-package @ {url}")
        assert stand.plain("uv", "lock", "--no-cache").code != 0

        done(stand.run("uv", "sync"))
        first = stand.lock.read_bytes()
        cold = {"UV_CACHE_DIR": str(tmp_path / "cold"), "XDG_CACHE_HOME": str(tmp_path / "other")}
        done(stand.run("uv", "sync", "--locked", **cold))

        stand.write(f"internal-package @ {url.replace('1.1.0/', '9.9.9/', 1)}")
        missing = stand.run("uv", "lock")

    assert f'url = "{url}"'.encode() in first
    assert PASSWORD.encode() not in first
    assert missing.code != 0
    # A page to sign in at, which GitLab redirects to, would have been taken for the file.
    assert "It has: 1.0.0, 1.1.0." in missing.err
    assert simulator.dialect.poisoned == []


@pytest.mark.parametrize(
    "command",
    [
        ["uvx", "--from", "URL", "python", "-c", "import internal_package"],
        pytest.param(
            [
                "uv",
                "run",
                "--no-project",
                "--with",
                "URL",
                "python",
                "-c",
                "import internal_package",
            ],
            marks=slow,
        ),
        pytest.param(
            ["sh", "-c", "uv venv -q && uv pip install 'a @ URL' || uv pip install URL"], marks=slow
        ),
        pytest.param(["sh", "-c", "uv venv -q && uv pip install -r requirements.txt"], marks=slow),
        pytest.param(["uv", "pip", "compile", "requirements.txt"], marks=slow),
        pytest.param(["uv", "add", "internal-package @ URL"], marks=slow),
        pytest.param(["uv", "run", "script.py"], marks=slow),
        pytest.param(["uv", "export"], marks=slow),
        pytest.param(
            ["sh", "-c", "uv tool install URL && uv tool upgrade internal-package"], marks=slow
        ),
    ],
    ids=lambda command: " ".join(command[:4]),
)
@newest_and("0.8.24")
def test_commands(version: str, command: list[str], stand: UrlStand) -> None:
    """Every command that takes a URL takes one of a private release."""
    stand.use(version)
    url = stand.packages.release_file(WHEEL[0])
    (stand.project / "requirements.txt").write_text(f"internal-package @ {url}\n")
    (stand.project / "script.py").write_text(
        f'# /// script\n# dependencies = ["internal-package @ {url}"]\n# ///\n'
        "import internal_package\n"
    )
    if "add" in command:
        stand.write()

    done(stand.run(*(word.replace("URL", url) for word in command)))

    assert stand.packages.calls("/assets/")


def test_public_file_and_others_pass_through(stand: UrlStand) -> None:
    """A public release beside it is fetched as without us: by the site, and its redirect."""
    name, content = wheel("elsewhere", "2.0")
    path = f"/other/public/releases/download/v2/{name}"
    stand.packages.public[path] = content
    urls = f"elsewhere @ {stand.packages.url}{path}"
    stand.write_urls()
    text = (stand.project / "pyproject.toml").read_text()
    changed = text.replace('"internal-src"', f'"internal-src", "{urls}"')
    (stand.project / "pyproject.toml").write_text(changed)

    done(stand.run("uv", "lock"))

    assert locked(stand)["elsewhere"].startswith("2.0")
    assert stand.packages.calls("/other/public/") == [path]


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("tag", "has no release v9, which should hold internal_package-1.1.0-py3-none-any.whl"),
        ("file", "does not hold internal_package-1.1.0-py3-none-any.whl"),
        ("token", "GitHub answers 404 for a private repository that the token cannot read"),
        ("limit", "2100-01-01T00:00:00Z"),
        ("claim", "`packages` of this repository does not cover internal-package"),
    ],
)
def test_what_is_missing_is_explained(what: str, expected: str, stand: UrlStand) -> None:
    """After uv's own 404 follows the reason, and what exists instead."""
    environ = {}
    if what == "tag":
        url = stand.packages.release_file(WHEEL[0], "v9")
        stand.write("internal-package", more=f'[tool.uv.sources.internal-package]\nurl = "{url}"\n')
    elif what == "file":
        del stand.packages.releases[0].files[WHEEL[0]]
    elif what == "token":
        environ = {"UV_GITHUB_TOKEN": "ghp_wrong0123456789"}
    elif what == "limit":
        stand.packages.limited = True
    else:
        stand.configure('packages = ["other-*"]')
        # Alone: uv ends with the first of two files that fail.
        url = stand.packages.release_file(WHEEL[0])
        stand.write("internal-package", more=f'[tool.uv.sources.internal-package]\nurl = "{url}"\n')

    answer = stand.run("uv", "lock", **environ)

    assert answer.code != 0
    assert expected in " ".join(answer.err.split())
    assert not stand.lock.exists()


def test_extra_is_missing(stand: UrlStand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, nothing changes for https, and a failure says what to install."""
    monkeypatch.setitem(sys.modules, "cryptography", None)

    answer = stand.run("uv", "lock")

    assert answer.code != 0
    assert "`cryptography` is not installed" in answer.err
    assert "uv tool install 'uv-self-update[exec]'" in answer.err
    stand.write()
    failed = stand.run("sh", "-c", "exit 3")
    assert (failed.code, failed.err) == (3, "")


def test_proxy_that_cannot_be_used(stand: UrlStand) -> None:
    """Behind a proxy that we do not speak to, https stays the user's own affair."""
    answer = stand.run("uv", "lock", HTTPS_PROXY="https://127.0.0.1:9")

    assert answer.code != 0
    assert "URLs of release files are not served: uv-self-update cannot send https" in answer.err


@pytest.mark.parametrize("urls", [True, False])
@newest_and("0.8.24")
def test_variables_of_the_command(version: str, stand: UrlStand, *, urls: bool) -> None:
    """TLS and trust change only where URLs are used; proxies only where uv has no keys."""
    stand.use(version)
    if not urls:
        stand.write()
    program = (
        "import json, os, pathlib, sys; e = dict(os.environ); f = pathlib.Path(e['SSL_CERT_FILE']);"
        "e['mode'] = oct(f.stat().st_mode); e['pem'] = f.read_text(); print(json.dumps(e))"
    )
    proxies = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1,intranet"}
    answer = stand.run("uv", "run", "--no-project", "python", "-c", program, **proxies)

    seen = json.loads(done(answer).out)
    users = stand.home.environ["SSL_CERT_FILE"]
    if not urls:
        assert (seen["SSL_CERT_FILE"], seen["HTTPS_PROXY"]) == (users, "http://127.0.0.1:9")
        return
    assert seen["SSL_CERT_FILE"] != users
    assert not os.path.lexists(seen["SSL_CERT_FILE"])
    assert seen["mode"].endswith("600")
    assert seen["pem"].count("BEGIN CERTIFICATE") == 2
    assert Path(users).read_text().splitlines()[1] in seen["pem"]
    assert "PRIVATE" not in seen["pem"]
    if version == "newest":
        assert (seen["HTTPS_PROXY"], seen["NO_PROXY"]) == tuple(proxies.values())
    else:
        assert re.fullmatch(r"http://uv:[0-9a-f]{48}@127\.0\.0\.1:\d+", seen["HTTPS_PROXY"])
        assert seen["HTTPS_PROXY"] == seen["https_proxy"] == seen["HTTP_PROXY"]
        assert seen["NO_PROXY"] == "intranet"


def test_nothing_of_the_run_is_left(stand: UrlStand, tmp_path: Path) -> None:
    """No file, message or lock holds the token, the secret of the run, its port or a key."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    answer = stand.home.start(
        *(*PROGRAM, "exec", "--", "uv", "sync", "-vv"),
        environ=stand.environ(TMPDIR=str(temporary)),
    )

    done(answer)
    assert [path.name for path in temporary.iterdir() if "uv-self-update" in path.name] == []
    written = answer.err + answer.out + stand.lock.read_text()
    assert PASSWORD not in written
    assert "PRIVATE KEY" not in written
    assert not re.search(r"uv:[0-9a-f]{48}@", written)
    ports = {stand.packages.url.rpartition(":")[2], stand.public.url.rpartition(":")[2]}
    assert set(re.findall(r"127\.0\.0\.1:(\d+)", stand.lock.read_text())) <= ports
