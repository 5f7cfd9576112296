"""Wherever a secret comes from, and whatever a server does with it, nothing shows it.

Secrets are random, and so is where each is put: a seed makes the same ones again.
"""

from __future__ import annotations

import traceback
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from support import binaries, mirrors
from support.gossip import MANNERS
from support.secret_places import KINDS, PLACES, Scene, misspelt
from support.secrets_planted import Planted, toml
from support.tracing import traced
from support.web import Web
from uv_self_update.auth.credentials import login_of
from uv_self_update.cli import main as cli
from uv_self_update.cli.invocation import Invocation
from uv_self_update.config.load import load
from uv_self_update.config.settings import Network, Options, Settings
from uv_self_update.errors import UvSelfUpdateError
from uv_self_update.network import system_authorities
from uv_self_update.network.proxies import Proxies
from uv_self_update.redaction import Secret
from uv_self_update.releases.target import NEWEST
from uv_self_update.sources import context as sources
from uv_self_update.sources.authentication import credentials_of
from uv_self_update.sources.opened import OpenSources
from uv_self_update.url import Url
from uv_self_update.uv.arguments import split
from uv_self_update.uv.configuration import UvToml
from uv_self_update.uv.installation import Installation
from uv_self_update.workflow.update_job import Job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.homes import Done, Home
    from uv_self_update.network.client import Upstream

SEEDS = 25
EACH = 40
"""Secrets of each seed, at least."""

SOURCES = 6

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("update", "-v"),
    ("-vv", "--token", "SECRET"),
    ("releases",),
    ("releases", "--json"),
    ("--token=SECRET", "-v"),
    ("rehearse", "-v"),
    ("init",),
    ("--dry-run", "-v"),
    ("config", "show"),
    ("-q",),
    ("releases", "--token", "SECRET"),
    ("0.11.13", "-v"),
    ("rehearse", "-q", "--token=SECRET"),
)
"""What is typed; SECRET stands for a token."""


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Return an authority that nobody trusts."""
    return trustme.CA()


@pytest.fixture
def scene(home: Home, authority: trustme.CA, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """Return a home with a uv in it, and as yet no secret; the parameter is the seed."""
    home.install("0.8.24")
    temporary = home.path.parent / "temporary"
    temporary.mkdir()
    home.environ |= {"TMPDIR": str(temporary), "UV_HTTP_RETRIES": "0"}
    home.environ |= {"UV_SELF_UPDATE_RETRIES": "0", "UV_SELF_UPDATE_TIMEOUT": "10"}
    with ExitStack() as stack:
        planted = Planted(getattr(request, "param", 0))
        yield Scene(home=home, planted=planted, stack=stack, authority=authority)


@pytest.mark.parametrize(
    ("scene", "seed"), [(seed, seed) for seed in range(SEEDS)], indirect=["scene"]
)
def test_commands(scene: Scene, seed: int, tmp_path: Path) -> None:
    """No command shows a secret of any place, whatever the servers do."""
    planted = scene.planted
    urls = configure(scene, seed)
    command = COMMANDS[seed % len(COMMANDS)]
    calls = [[word.replace("SECRET", planted.token()) for word in command]]
    if command == ("init",):
        init = ["init", "--force", "--plaintext", "--token-env", scene.variable(planted.token())]
        calls = [[*init, url] for url in urls if "{" not in url]
    record = tmp_path / "calls"
    before = [*traced(record), "-s", "4096"] if seed % 3 == 1 else []

    shown = [said(scene.home.run(*call, environ=scene.environ, before=before)) for call in calls]

    assert planted.count >= EACH
    assert planted.found_in(*scene.told()) or command == ("config", "show")
    shown += [started(record)] if before else []
    assert leaks(planted, *shown, *written(scene)) == []


def test_there_are_enough() -> None:
    """A thousand secrets are looked for at least."""
    assert SEEDS * EACH >= 1_000


def configure(scene: Scene, seed: int) -> list[str]:
    """Configure sources, and all that is around them; return their URLs."""
    urls = [scene.add("urls", "403", "header-env", encrypted=False)]
    urls.append(scene.add("index", "401", "URL", encrypted=False))
    for number in range(seed * SOURCES, (seed + 1) * SOURCES):
        kind, manner, place = ([*table][number % len(table)] for table in (KINDS, MANNERS, PLACES))
        urls.append(scene.add(kind, manner, place))
    if seed % 2:
        scene.through_proxies()
    if seed % 3:
        hosts = [server.netloc.partition(":")[0] for server in scene.servers]
        scene.environ["UV_INSECURE_HOST"] = " ".join(hosts)
    if seed % 5 == 1:
        scene.present_identity()
    scene.surround()
    if seed % 4 == 0:
        good = scene.stack.enter_context(Web(mirrors.github_pages([binaries.newest()])))
        scene.sources.append(f'kind = "github"\nurl = "{good.url}/astral-sh/uv"')
    scene.configure()
    return urls


def said(done: Done) -> str:
    """Return all that a command has said."""
    return f"{done.out}\n{done.err}"


def started(record: Path) -> str:
    """Return the arguments of every program that was started, but for the command itself.

    The user that stands in an index's URL, which may be a token, is handed to keyring by uv itself;
    this package names keyring by its path.
    """
    lines = record.read_text(errors="replace").splitlines()
    calls = [line for line in lines if "execve(" in line]
    assert calls
    return "\n".join(call for call in calls[1:] if '["keyring", "get"' not in call)


def written(scene: Scene) -> Iterator[str]:
    """Yield what stands in the files that were written, each after its name."""
    given = {*scene.given, scene.home.config.with_name("config.toml.old")}
    for root in (str(scene.home.path), *map(scene.home.environ.get, ("TMPDIR", "UV_CACHE_DIR"))):
        for path in Path(root or "").rglob("*"):
            if path.is_file() and path not in given and path.parent != scene.home.bin:
                yield f"{path}\n{path.read_bytes().decode(errors='replace')}"


def leaks(planted: Planted, *shown: str) -> list[str]:
    """Return the lines that give a secret away."""
    if not planted.found_in(*shown):
        return []
    lines = [line for text in shown for line in text.splitlines() if planted.found_in(line)]
    return lines or ["a secret goes over several lines"]


@pytest.mark.parametrize("manner", MANNERS)
def test_errors(
    scene: Scene, manner: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No error of any kind of source holds a secret: not its repr, nor what has caused it."""
    caplog.set_level("DEBUG", "uv_self_update")
    for kind in (kind for kind in KINDS if kind != "index"):
        scene.add(kind, manner, "URL and query", encrypted=False)
    scene.configure()
    monkeypatch.setenv("HOME", str(scene.home.path))
    settings = Settings(
        sources=load(scene.home.config).values["source"], network=Network(retries=0, timeout=5)
    )
    opened = OpenSources(settings, uv=scene.home.uv, environ=scene.home.full_environ())
    seen = []
    for section in settings.sources:
        source = sources.build(section, opened.context)
        for call in (partial(source.find, NEWEST), partial(source.releases, 5)):
            try:
                seen.append(repr(call()))
            except UvSelfUpdateError as error:
                seen.append(everything_of(error))
    opened.close()
    messages = [record.getMessage() for record in caplog.records]

    assert scene.planted.found_in(*scene.told())
    assert leaks(scene.planted, *seen, *messages) == []


@pytest.mark.parametrize("method", ["read", "lines", "open", "look", "status"])
def test_urls_that_are_none(
    upstream: Upstream, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A URL that cannot be asked, whoever has named it, is not shown with its login."""
    caplog.set_level("DEBUG", "uv_self_update")
    planted = Planted(0)
    seen = []
    for url in misspelt(planted):
        if not url.startswith("https://") or "[" in url:
            continue  # nobody takes it for a URL in the first place
        with pytest.raises(UvSelfUpdateError) as caught:
            asked(upstream, method, url)
        seen.append(everything_of(caught.value))

    assert leaks(planted, *seen, *(record.getMessage() for record in caplog.records)) == []


def asked(upstream: Upstream, method: str, url: str) -> None:
    """Ask for a URL, and for the first that comes of it."""
    answer = getattr(upstream, method)(url)
    if method in {"lines", "open"}:
        with answer as opened:
            list(opened)


def everything_of(error: UvSelfUpdateError) -> str:
    """Return whatever could be shown of an error by anybody."""
    notes = getattr(error, "__notes__", ())
    parts = (str(error), repr(error), error.args, error.hint, vars(error), notes)
    return "\n".join([*map(str, parts), *traceback.format_exception(error)])


TYPED: tuple[tuple[str, ...], ...] = (
    ("URL",),
    ("update", "URL"),
    ("URL", "URL"),
    ("--source", "URL", "URL"),
    ("--source", "URL", "releases"),
    ("--source=URL", "config", "show"),
    ("config", "show", "--allow-insecure-host", "URL"),
    ("--config", "/nowhere", "--token", "SECRET"),
    ("rehearse", "URL"),
    ("rehearse", "--from", "URL"),
    ("releases", "URL"),
    ("init", "URL"),
    ("init", "nexus", "URL"),
    ("init", "--rehearse", "URL", "--token-env", "SECRET"),
    ("init", "https://127.0.0.1:9/", "--token-env", "SECRET"),
    ("init", "https://127.0.0.1:9/", "--username", "me", "--password-env", "SECRET"),
    ("init", "https://127.0.0.1:9/", "--username", "me:SECRET"),
    ("init", "https://127.0.0.1:9/", "--header-env", "X-JFrog-Art-Api=SECRET"),
    ("init", "https://127.0.0.1:9/", "--header-env", "X-JFrog-Art-Api: SECRET"),
    ("init", "https://127.0.0.1:9/", "--header-env", "SECRET"),
    ("config", "show", "URL"),
    ("config", "get", "URL"),
    ("config", "unset", "URL"),
    ("config", "set", "URL"),
    ("config", "set", "source.kind", "auto", "source.url", "URL"),
    ("config", "set", "source.url", "URL"),
    ("config", "set", "source.kind", "URL"),
    ("config", "set", "source.kind", "urls", "source.download", "URL"),
    ("config", "set", "URL", "x"),
    ("config", "set", "source.password", "SECRET"),
    ("config", "set", "source.token", "SECRET"),
    ("config", "set", "source.token-env", "SECRET"),
    ("config", "set", "source.header-env.PRIVATE-TOKEN", "SECRET"),
    ("config", "set", "source.header-env", "SECRET"),
)
"""What is typed by mistake; URL and SECRET stand for what has a secret in it."""


@pytest.mark.parametrize("typed", TYPED, ids=" ".join)
def test_mistakes(
    scene: Scene,
    typed: tuple[str, ...],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A secret that is typed in the wrong place, or in a URL that is none, is not repeated.

    Nor is it written to a file, unless that is asked for.
    """
    planted = scene.planted
    kept: list[str] = []
    live_in(scene.home, monkeypatch)
    for url in misspelt(planted):
        secret = planted.token()
        words = [word.replace("SECRET", secret) for word in typed]
        words = [word if secret in word else word.replace("URL", url) for word in words]
        cli.main(words)
        if scene.home.config.exists():
            kept.append(scene.home.config.read_text())
            scene.home.config.unlink()

    assert leaks(planted, *capfd.readouterr(), *kept) == []


VARIABLES = {
    "HTTPS_PROXY": ("--source", "https://127.0.0.1:9/uv/", "releases"),
    "LATEST_RELEASE_URL": ("config", "show"),
    "RELEASES_DOWNLOAD_URL": ("config", "show"),
    "UV_DEFAULT_INDEX": ("releases",),
    "UV_INDEX_URL": ("releases",),
    "UV_SELF_UPDATE_SOURCE": ("config", "show"),
}
"""What may hold a URL -> what to type for it to be read."""


@pytest.mark.parametrize("variable", VARIABLES)
def test_mistakes_in_variables(
    scene: Scene,
    variable: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A variable with a secret is not repeated, right or wrong."""
    live_in(scene.home, monkeypatch)
    for url in misspelt(scene.planted):
        monkeypatch.setenv(variable, url)
        cli.main(VARIABLES[variable])

    assert leaks(scene.planted, *capfd.readouterr()) == []


@pytest.mark.parametrize(
    "variable", ["SSL_CLIENT_CERT", "UV_SELF_UPDATE_CLIENT_CERT", "UV_SELF_UPDATE_CLIENT_KEY"]
)
def test_key_in_place_of_its_file(
    scene: Scene,
    variable: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A private key that stands in a variable for the path of its file is not repeated."""
    live_in(scene.home, monkeypatch)
    lines = [scene.planted.plain() * 2 for _ in range(20)]
    key = "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----", ""])
    monkeypatch.setenv("UV_SELF_UPDATE_SOURCE", "https://127.0.0.1:9/uv/")
    for text in (key, key.replace("\n", " ")):
        monkeypatch.setenv(variable, text)
        cli.main(["releases"])

    assert leaks(scene.planted, *capfd.readouterr()) == []


def test_mistakes_in_files(
    scene: Scene, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file with secrets in all the wrong places is complained of, and nothing of it is shown."""
    planted = scene.planted
    live_in(scene.home, monkeypatch)
    monkeypatch.setenv("EDITOR", "true")
    keys = ("password", "token", "api-key", "Private_Token", "username", "password-env")
    tables = [f"{key} = {toml(f':{planted.token()}')}" for key in (*keys, "token-env")]
    tables += [f"header-env = {{ PRIVATE-TOKEN = {toml(planted.token())} }}"]
    tables += [f"header-env = {{ {toml(planted.token())} = 'VARIABLE' }}"]
    tables += [f"header-env = {toml(planted.token())}"]
    tables = [f"url = 'https://127.0.0.1:9/'\n{table}" for table in tables]
    for kind in ("auto", "directory", "github", "urls", "unknown"):
        places = ("url", "latest", "release", "download", "path", "package", "username")
        tables += [
            "\n".join([f"kind = {toml(kind)}", *(f"{key} = {toml(url)}" for key in places)])
            for url in misspelt(planted)
        ]
    texts = ["".join(f"[[source]]\n{table}\n" for table in tables)]
    texts += [f"[[source]]\nurl = {toml(url)[:-1]}" for url in misspelt(planted)]
    texts += [f"[[source]]\nurl = {url}" for url in misspelt(planted)]
    texts += [f"[[source]]\n{toml(url)} = 1\n{toml(url)} = 2" for url in misspelt(planted)]
    for text in texts:
        scene.home.configure(text)
        cli.main(["config", "show"])
    scene.home.configure(texts[0])
    cli.main(["config", "edit"])

    assert leaks(planted, *capfd.readouterr()) == []


def live_in(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process have the environment of a home."""
    index = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple/"}
    for name, value in home.full_environ(index).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.chdir(home.path)
    # Those of the machine would be read for each command: 20 ms, hundreds of times.
    monkeypatch.setattr(system_authorities, "load", lambda *_: None)


def test_representations(scene: Scene) -> None:
    """What holds a secret can be looked at in a debugger, or in a log, without showing it."""
    planted = scene.planted
    url = f"https://{planted.login()}@mirror.test/repository/uv/?{planted.query()}"
    scene.write(scene.home.config, f"[[source]]\nkind = 'nexus'\nurl = {toml(url)}\n")
    settings = Settings(
        sources=load(scene.home.config).values["source"],
        network=Network(passphrase=Secret(planted.password())),
        token=Secret(planted.token()),
    )
    options = Options(sources=(url,), token=Secret(planted.token()))
    environ = {"GH_TOKEN": planted.token(), "HTTPS_PROXY": f"http://{planted.login()}@p.test:1"}
    toml_of_uv = UvToml(
        http_proxy=f"http://{planted.login()}@p.test:1", origins={"http-proxy": "uv.toml"}
    )
    proxies = Proxies.collect(environ, toml_of_uv)
    arguments = split(["--token", planted.token(), f"--token={planted.token()}"])
    values = {
        "Settings": settings,
        "Options": options,
        "UvToml": toml_of_uv,
        "Proxies": proxies,
        "Proxy": proxies.for_url(Url.parse("https://mirror.test/")),
        "Arguments": arguments,
        "Invocation": Invocation(options=options, environ=environ),
        "Credentials": credentials_of(settings.sources[0], environ, given=settings.token),
        "Login": login_of(Url.parse(url)),
        "Job": Job(
            installation=Installation(uv=Path("uv"), environ=environ),
            arguments=arguments,
            settings=settings,
        ),
        "Surroundings": OpenSources(settings, uv=Path("uv"), environ=environ).context,
    }

    shown = {name: planted.found_in(repr(value), str(value)) for name, value in values.items()}

    assert {name: words for name, words in shown.items() if words} == {}
