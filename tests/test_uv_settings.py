"""Which of the user's settings of uv count for us: the rule, and real uvs under it."""

from __future__ import annotations

import hashlib
import inspect
import io
import re
import subprocess
import tomllib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import binaries, names_of_uv, settings_of_uv
from support.urls import parsed
from support.web import Asked, Page, Web
from uv_self_update.errors import IndexFailed, NoSuchVersion
from uv_self_update.releases.target import NEWEST
from uv_self_update.sources.index.source import IndexSource
from uv_self_update.sources.index.uv_pip import UvPip
from uv_self_update.uv import configuration as uv_toml
from uv_self_update.uv import settings as uv_settings
from uv_self_update.uv.configuration import UnusableFile
from uv_self_update.uv.settings import UvSettings, combined, counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from support.homes import Home
    from support.settings_of_uv import Setting

PROGRAM = b"#!/bin/sh\necho uv 0.10.1\n"
VERSIONS = ("0.9.9", "0.10.1", "1.0.0rc1")
NEWEST_OF_THESE = "0.10.1"
UVS = ("0.5.0", "0.8.24", "newest")

KEYS = [
    one
    for one in (*settings_of_uv.keys().values(), *settings_of_uv.keys("pip").values())
    if one.value
]
VARIABLES = [one for one in settings_of_uv.variables().values() if one.value]


def uv_of(name: str) -> Path:
    """Return a real uv."""
    return binaries.executables(binaries.version(name)) / "uv"


@pytest.fixture(scope="session")
def newest() -> Path:
    """Return the newest uv."""
    return uv_of("newest")


@pytest.fixture(autouse=True)
def _no_system(tmp_path: Path, home: Home) -> None:
    """Keep the system's configuration of uv out."""
    home.environ["XDG_CONFIG_DIRS"] = str(tmp_path / "system")


def wheel(version: str) -> tuple[str, bytes]:
    """Return the name and the content of a wheel with a small program in the place of uv."""
    file, info = io.BytesIO(), f"uv-{version}.dist-info"
    with zipfile.ZipFile(file, "w") as packed:
        metadata = f"Metadata-Version: 2.1\nName: uv\nVersion: {version}\n"
        packed.writestr(f"{info}/METADATA", metadata)
        tags = "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        packed.writestr(f"{info}/WHEEL", tags)
        program = zipfile.ZipInfo(f"uv-{version}.data/scripts/uv")
        program.external_attr = 0o100755 << 16  # one that is not executable is never linked
        packed.writestr(program, PROGRAM)
        names = [f"{info}/METADATA", f"{info}/WHEEL", f"uv-{version}.data/scripts/uv"]
        record = "".join(f"{name},," + "\n" for name in [*names, f"{info}/RECORD"])
        packed.writestr(f"{info}/RECORD", record)
    return f"uv-{version}-py3-none-any.whl", file.getvalue()


def index(web: Web, *, prefix: str = "/simple", versions: Iterable[str] = VERSIONS) -> str:
    """Let a server be an index, and return its URL."""
    links = ""
    for version in versions:
        name, content = wheel(version)
        digest = hashlib.sha256(content).hexdigest()
        links += f'<a href="../{name}#sha256={digest}">{name}</a><br>'
        web.pages[f"{prefix}/{name}"] = Page(body=content)
    html = {"Content-Type": "text/html"}
    web.pages[f"{prefix}/uv/"] = Page(body=f"<!DOCTYPE html>{links}".encode(), headers=html)
    return f"{web.url}{prefix}/"


def flat(directory: Path) -> Path:
    """Fill a directory with wheels."""
    directory.mkdir(parents=True)
    for version in VERSIONS:
        name, content = wheel(version)
        (directory / name).write_bytes(content)
    return directory


def config(home: Home, text: str) -> Path:
    """Write the user's uv.toml."""
    path = home.path / ".config" / "uv" / "uv.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def source(
    uv: Path, home: Home, environ: Mapping[str, str] | None = None, url: str | None = None
) -> IndexSource:
    """Return the index that a user asks."""
    environ = {"UV_HTTP_RETRIES": "0", **(environ or {})}
    return IndexSource(UvPip(uv, home.full_environ(environ), url=parsed(url)))


def prove(
    uv: Path,
    home: Home,
    folder: Path,
    environ: Mapping[str, str] | None = None,
    url: str | None = None,
) -> None:
    """Let uv be asked for both: a version, and its wheel; and see that it writes nothing else."""
    before = home.snapshot()
    asked = source(uv, home, environ, url)

    found = asked.find(NEWEST)
    program = asked.unpack(found, folder) / "uv"

    assert found.version == NEWEST_OF_THESE
    assert not program.is_symlink()
    assert program.read_bytes().replace(b"\r\n", b"\n") == PROGRAM
    assert home.snapshot() == before


def read(environ: Mapping[str, str], *, url: str | None = None) -> UvSettings:
    """Read settings as on Unix."""
    return UvSettings.read(environ, windows=False, url=url)


# The tables


def known_variables() -> set[str]:
    """Return the variables that have a decision, as they are called in a program."""
    names = set(settings_of_uv.variables())
    patterns = {"UV_INDEX_NAME_USERNAME", "UV_INDEX_NAME_PASSWORD"}
    return names - patterns | {"UV_INDEX_"}


def test_every_key(newest: Path, tmp_path: Path) -> None:
    """Each key of uv.toml that the newest uv knows has a decision, and no other has."""
    assert names_of_uv.keys(newest, tmp_path) - {"pip"} == set(settings_of_uv.keys())
    assert names_of_uv.keys(newest, tmp_path, table="pip") == set(settings_of_uv.keys("pip"))
    assert names_of_uv.fields_of_index(newest, tmp_path) == set(settings_of_uv.keys("index"))


def test_every_preview(newest: Path) -> None:
    """Each preview of the newest uv has a decision, and no other has."""
    assert names_of_uv.features(newest) == set(settings_of_uv.features())


@pytest.mark.extra
def test_every_variable(newest: Path) -> None:
    """Each variable that the newest uv knows has a decision; and each is known to some uv."""
    known = known_variables()
    program = newest.read_bytes()
    assert names_of_uv.unexplained(names_of_uv.words(program), known) == set()
    assert names_of_uv.variables_in_help(newest) - known == set()
    programs = [program, *(uv_of(name).read_bytes() for name in ("0.5.0", "0.8.24", "0.11.13"))]
    unknown = {name for name in known if not any(name.encode() in program for program in programs)}
    assert unknown == set()


def test_new_variable_is_noticed(newest: Path) -> None:
    """The test above would name any variable that has no decision.

    But for one that is another and some letters; there is one like that.
    """
    words, known = names_of_uv.words(newest.read_bytes()), known_variables()
    there = {name for name in known if any(word.startswith(name) for word in words)}
    missed = {name for name in there if not names_of_uv.unexplained(words, known - {name})}
    assert missed == {"UV_WORKING_DIRECTORY"}


def test_decisions_are_those_of_the_rule() -> None:
    """What the tables say is what is done."""

    def counting(settings: Mapping[str, Setting]) -> set[str]:
        return {name for name, one in settings.items() if one.counts}

    assert counting(settings_of_uv.keys()) == uv_settings.KEYS
    assert counting(settings_of_uv.keys("pip")) == uv_settings.KEYS_OF_PIP
    assert counting(settings_of_uv.keys("index")) == uv_settings.FIELDS_OF_INDEX
    assert counting(settings_of_uv.features()) == uv_settings.FEATURES
    variables = settings_of_uv.variables()
    handed_on = {name for name in variables if counts(name)}
    in_part = {name for name, one in variables.items() if one.decision == "counts in part"}
    read_here = {
        name
        for module in (uv_settings, uv_toml)
        for name in re.findall(r'environ\.get\("(UV_\w+)"', inspect.getsource(module))
    }
    assert handed_on | read_here == counting(variables) | in_part
    assert handed_on & read_here == set()


def test_page() -> None:
    """The page shows the tables as they are."""
    page = settings_of_uv.PAGE.read_text(encoding="utf-8")
    assert page == settings_of_uv.renewed(page), f"run {settings_of_uv.COMMAND}"


def test_previews_are_those_of_uv(newest: Path, tmp_path: Path) -> None:
    """A preview that counts is called what uv calls it."""
    environ = {"HOME": str(tmp_path), "UV_PREVIEW_FEATURES": ",".join(uv_settings.FEATURES)}
    done = subprocess.run(
        [newest, "cache", "dir"], env=environ, capture_output=True, check=True, text=True
    )
    assert done.stderr == ""


# Real uvs


def toml(settings: Iterable[Setting], home: Home) -> str:
    """Return a uv.toml with settings."""
    top: list[str] = []
    pip: list[str] = []
    for one in settings:
        key, value = one.name.removeprefix("pip."), one.value.replace("{home}", str(home.path))
        (top if key == one.name else pip).append(f"{key} = {value}\n")
    return "".join([*top, "[pip]\n", *pip])


def variables(settings: Iterable[Setting], home: Home) -> dict[str, str]:
    """Return an environment with settings, and what they name."""
    home.path.joinpath("constraints.txt").write_text("uv==0.9.9\n")
    home.path.joinpath("project").mkdir()
    (home.path / "project" / "pyproject.toml").write_text('[tool.uv]\nindex-url = "http://[/"\n')
    return {one.name: one.value.replace("{home}", str(home.path)) for one in settings}


def test_values_are_valid(newest: Path, home: Home) -> None:
    """The uv.toml of these tests is one that uv takes, so that it is the rule that is tested."""
    # Neither goes together with the rest.
    out = {"preview", "required-version"}
    path = config(home, toml([one for one in KEYS if one.name not in out], home))
    done = subprocess.run(
        [newest, "cache", "dir", "--config-file", path],
        env=home.full_environ(),
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("name", UVS)
def test_every_setting_at_once(
    name: str, home: Home, web: Web, tmp_path: Path, *, given: bool
) -> None:
    """With all keys that do not count in uv.toml, and all variables, an update is as without."""
    url = index(web)
    told = "" if given else f'index-url = "{url}"\n'
    config(home, told + toml(KEYS, home))
    environ = {**variables(VARIABLES, home), "FORCE_COLOR": "1", "RUST_LOG": "uv=trace"}
    prove(uv_of(name), home, tmp_path, environ, url if given else None)


@pytest.mark.sampled(16)
@pytest.mark.slow
@pytest.mark.parametrize("one", KEYS, ids=lambda one: str(one.name))
def test_every_key_by_itself(
    one: Setting, newest: Path, home: Home, web: Web, tmp_path: Path
) -> None:
    """No key that does not count changes anything."""
    config(home, f'index-url = "{index(web)}"\n' + toml([one], home))
    prove(newest, home, tmp_path)


@pytest.mark.sampled(16)
@pytest.mark.slow
@pytest.mark.parametrize("one", VARIABLES, ids=lambda one: str(one.name))
def test_every_variable_by_itself(
    one: Setting, newest: Path, home: Home, web: Web, tmp_path: Path
) -> None:
    """No variable that does not count changes anything."""
    environ = {**variables([one], home), "UV_DEFAULT_INDEX": index(web)}
    prove(newest, home, tmp_path, environ)


@pytest.mark.parametrize("name", UVS)
@pytest.mark.parametrize(
    "text",
    [
        'index-url = "{url}"',
        '[pip]\nindex-url = "{url}"',
        'index-url = "{empty}"\nextra-index-url = ["{url}"]',
        '[pip]\nno-index = true\nfind-links = ["{flat}"]',
        'no-index = true\nfind-links = ["wheels"]',
        'offline = true\nno-index = true\nfind-links = ["./wheels"]',
        '[[index]]\nurl = "{empty}"\nexplicit = true\nname = "x"\n[[index]]\nurl = "{url}"\n',
    ],
)
def test_where_the_index_is(text: str, name: str, home: Home, web: Web, tmp_path: Path) -> None:
    """Each key that says where the index is counts, for every uv."""
    path = config(home, "")
    directory = flat(path.parent / "wheels")
    url, empty = index(web), index(web, prefix="/empty", versions=())
    # An index that has no page for uv is passed over; one that has an empty page is not.
    del web.pages["/empty/uv/"]
    path.write_text(text.format(url=url, empty=empty, flat=directory))
    prove(uv_of(name), home, tmp_path)


@pytest.mark.parametrize(
    ("text", "environ"),
    [
        ('[[index]]\nurl = "wheels"\nformat = "flat"\ndefault = true', {}),
        ('offline = true\n[[index]]\nurl = "wheels"\nformat = "flat"\ndefault = true', {}),
        ('[[index]]\nurl = "wheels"\nformat = "flat"\ndefault = true', {"UV_OFFLINE": "1"}),
        ("no-index = true", {"UV_OFFLINE": "true", "UV_FIND_LINKS": "{flat}"}),
    ],
)
def test_flat_index(
    text: str, environ: dict[str, str], newest: Path, home: Home, tmp_path: Path
) -> None:
    """A directory of wheels is an index as well, without the network too."""
    path = config(home, text)
    directory = str(flat(path.parent / "wheels"))
    prove(newest, home, tmp_path, {key: one.format(flat=directory) for key, one in environ.items()})


@pytest.mark.parametrize("name", UVS)
@pytest.mark.parametrize(
    ("text", "environ"),
    [
        ("offline = true\n", {}),
        ("", {"UV_OFFLINE": "1"}),
        ("offline = false\n", {"UV_OFFLINE": "t"}),
    ],
)
def test_offline(text: str, environ: dict[str, str], name: str, home: Home, web: Web) -> None:
    """Where uv has to do without the network, that is what it says of an index."""
    config(home, f'{text}index-url = "{index(web)}"\n')
    with pytest.raises(IndexFailed) as caught:
        source(uv_of(name), home, environ).find(NEWEST)
    assert "the network was disabled" in " ".join(str(caught.value).split())
    assert web.asked == []


def test_not_offline(newest: Path, home: Home, web: Web, tmp_path: Path) -> None:
    """The variable comes before the file."""
    config(home, f'offline = true\nindex-url = "{index(web)}"\n')
    prove(newest, home, tmp_path, {"UV_OFFLINE": "0"})


def test_credentials_of_a_named_index(newest: Path, home: Home, web: Web, tmp_path: Path) -> None:
    """A name in uv.toml, and the variables that hold its credentials, belong together."""
    url = index(web)
    open_pages = dict(web.pages)

    def asked(request: Asked) -> Page:
        if request.headers.get("Authorization") != "Basic bWU6czNjcmV0":
            return Page(status=401)
        page = open_pages[request.path]
        assert isinstance(page, Page)
        return page

    web.pages |= dict.fromkeys(open_pages, asked)
    config(home, f'[[index]]\nname = "corp"\nurl = "{url}"\ndefault = true\n')
    environ = {"UV_INDEX_CORP_USERNAME": "me", "UV_INDEX_CORP_PASSWORD": "s3cret"}
    prove(newest, home, tmp_path, environ)


@pytest.mark.parametrize("name", UVS)
def test_proxy(name: str, home: Home, web: Web, tmp_path: Path) -> None:
    """A proxy in uv.toml counts, also for a uv that is older than that key."""
    index(web)
    config(
        home,
        f'index-url = "http://nowhere.invalid/simple/"\nhttp-proxy = "{web.url}"\n'
        f'https-proxy = "{web.url}"\nno-proxy = ["a.example", "b.example"]\nsystem-certs = true\n',
    )
    prove(uv_of(name), home, tmp_path)


def test_what_an_older_uv_does_not_know(place: Path) -> None:
    """What an older uv refuses is told by variables, one after another; nothing else is."""
    (place / ".config" / "uv" / "uv.toml").write_text(
        'no-proxy = ["a", "b"]\nsystem-certs = false\nexclude-newer-package = { uv = false }\n'
    )
    settings = read({"HOME": str(place), "NO_PROXY": "c"})
    assert settings.for_older("error: unknown field `exclude-newer-package`, expected") is None
    assert settings.for_older("error: unknown field `http-proxy`, expected") is None
    assert settings.for_older("error: no index") is None
    told = settings.for_older("error: unknown field `no-proxy`, expected one of `index`")
    assert told is not None
    told = told.for_older("unknown field `system-certs`")
    assert told is not None
    assert told.table == {"exclude-newer-package": {"uv": False}}
    expected = {"NO_PROXY": "a,b", "no_proxy": "a,b", "UV_NATIVE_TLS": "false"}
    assert told.environ == {**settings.environ, **expected}


def test_policy_of_the_user(newest: Path, home: Home, web: Web) -> None:
    """`exclude-newer` counts, wherever it is."""
    url = index(web)  # without dates, and so all too new
    for text, environ in (
        ('exclude-newer = "2020-01-01T00:00:00Z"\n', {}),
        ('[pip]\nexclude-newer = "2020-01-01T00:00:00Z"\n', {}),
        ("", {"UV_EXCLUDE_NEWER": "2020-01-01T00:00:00Z"}),
    ):
        config(home, text)
        with pytest.raises(NoSuchVersion):
            source(newest, home, environ, url).find(NEWEST)


def test_cache(newest: Path, home: Home, web: Web, tmp_path: Path) -> None:
    """Versions are looked up with the user's cache, and the wheel does not go there."""
    cache = tmp_path / "cache-of-a-user"
    config(home, f'index-url = "{index(web)}"\ncache-dir = "{cache}"\n')
    del home.environ["UV_CACHE_DIR"]
    prove(newest, home, tmp_path)
    assert list(cache.rglob("*.rkyv"))
    assert not [path for path in cache.rglob("uv") if path.is_file()]


def test_without_a_cache(newest: Path, home: Home, web: Web, tmp_path: Path) -> None:
    """Where uv must not keep anything, it does not."""
    config(home, f'index-url = "{index(web)}"\nno-cache = true\n')
    prove(newest, home, tmp_path)
    assert not list(Path(home.environ["UV_CACHE_DIR"]).rglob("*.rkyv"))


def test_other_indexes_beside_a_url(newest: Path, home: Home, web: Web, tmp_path: Path) -> None:
    """An index that is configured here is neither replaced nor joined by one of uv.toml."""
    path = config(home, "")
    directory = flat(path.parent / "wheels")
    name, content = wheel("0.10.7")
    (directory / name).write_bytes(content)
    path.write_text(
        'no-index = true\nfind-links = ["wheels"]\nindex-url = "http://127.0.0.1:9/"\n'
        '[[index]]\nurl = "wheels"\nformat = "flat"\n[pip]\nfind-links = ["wheels"]\n'
    )
    prove(newest, home, tmp_path, {"UV_FIND_LINKS": str(directory)}, index(web))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("offline = 5\n", "invalid type: integer `5`, expected a boolean"),
        ('index-url = "http://[me:s3cret@"\n', ""),
        ("[broken\n", "it is not TOML (at line 1, column 8)"),
    ],
)
def test_configuration_that_cannot_be_used(text: str, said: str, newest: Path, home: Home) -> None:
    """An error about the configuration names the user's file, and quotes no credentials."""
    path = config(home, text)
    with pytest.raises(IndexFailed) as caught:
        source(newest, home).find(NEWEST)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)
    assert "uv-self-update-" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_update(home: Home) -> None:
    """A whole update, offline, from a directory of wheels that uv.toml names."""
    version = binaries.newest()
    home.install("0.8.24")
    path = config(
        home,
        'offline = true\nno-index = true\nfind-links = ["wheels"]\nlink-mode = "symlink"\n'
        f'required-version = ">={version}"\nresolution = "lowest"\n'
        '[pip]\noutput-file = "written.txt"\ntarget = "target"\nrequire-hashes = true\n',
    )
    wheels = path.parent / "wheels"
    wheels.mkdir()
    (wheels / binaries.wheel(version).name).symlink_to(binaries.wheel(version))
    before = home.rest()

    done = home.run()

    assert done.code == 0, done.err
    assert (home.version(), home.receipt_version()) == (version, version)
    assert home.rest() == before


def test_update_without_the_network(home: Home, web: Web) -> None:
    """An update that needs the network is refused where that is switched off, in uv's words."""
    home.install("0.8.24")
    config(home, f'index-url = "{index(web)}"\n')

    done = home.run(environ={"UV_OFFLINE": "1"})

    assert done.code == 2
    assert "the network was disabled" in " ".join(done.err.split())
    assert web.asked == []


# What is handed over


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home without a uv, and without a system around it."""
    monkeypatch.setattr(uv_toml, "_ETC", tmp_path / "etc")
    path = tmp_path / "place"
    (path / ".config" / "uv").mkdir(parents=True)
    return path


def test_files_of_user_and_system(place: Path, tmp_path: Path) -> None:
    """Both files count, as uv joins them; a path is relative to the file that names it."""
    system = tmp_path / "system" / "uv" / "uv.toml"
    system.parent.mkdir(parents=True)
    system.write_text(
        'find-links = ["theirs", "https://h.example/", "file:///x"]\noffline = true\n'
        'http-proxy = "http://p"\n[pip]\ntarget = "t"\nextra-index-url = ["/abs"]\n'
        '[[index]]\nurl = "sys"\n'
    )
    user = place / ".config" / "uv" / "uv.toml"
    user.write_text(
        'find-links = ["mine"]\noffline = false\ncache-dir = "relative"\nlink-mode = "symlink"\n'
        'no-such-key = 1\n[[index]]\nname = "a"\nurl = "./a"\nhash-algorithm = "sha512"\n'
        'authenticate = "always"\nignore-error-codes = [401]\ncache-control = { api = "x" }\n'
        '[exclude-newer-package]\nuv = false\n[pip]\nindex-url = "pip"\n'
    )
    environ = {"HOME": str(place), "XDG_CONFIG_DIRS": str(tmp_path / "system")}

    found = read(environ)

    assert found.files == (user, system)
    assert found.table == {
        "find-links": [
            str(user.parent / "mine"),
            str(system.parent / "theirs"),
            "https://h.example/",
            "file:///x",
        ],
        "offline": False,
        "http-proxy": "http://p",
        "exclude-newer-package": {"uv": False},
        "index": [
            {
                "name": "a",
                "url": str(user.parent / "a"),
                "authenticate": "always",
                "ignore-error-codes": [401],
                "cache-control": {"api": "x"},
            },
            {"url": str(system.parent / "sys")},
        ],
        "pip": {"index-url": str(user.parent / "pip"), "extra-index-url": ["/abs"]},
    }


def test_wrong_types(place: Path) -> None:
    """What has the wrong type is for uv to complain of, where it counts."""
    (place / ".config" / "uv" / "uv.toml").write_text(
        'pip = 5\nindex = "x"\nfind-links = "y"\nindex-url = 1\n'
        "preview-features = 2\ncache-dir = 3\n"
    )
    table = read({"HOME": str(place)}).table
    assert table == {"index": "x", "find-links": "y", "index-url": 1}
    (place / ".config" / "uv" / "uv.toml").write_text("index = [1, { url = 2 }]\n")
    assert read({"HOME": str(place)}).table == {"index": [1, {"url": 2}]}
    url = "http://h.example/simple/"
    assert read({"HOME": str(place)}, url=url).table == {"index": [1, {"url": 2}]}


@pytest.mark.parametrize(
    ("text", "environ", "expected"),
    [
        ("", {}, None),
        ("preview = true", {}, uv_settings.FEATURES),
        ("preview-features = true", {}, uv_settings.FEATURES),
        ("preview = false", {}, None),
        ('preview-features = ["native-auth", "malware-check"]', {}, {"native-auth"}),
        ('preview-features = ["malware-check"]', {}, None),
        ("", {"UV_PREVIEW": "1"}, uv_settings.FEATURES),
        ("preview = true", {"UV_PREVIEW": "0"}, None),
        ("", {"UV_PREVIEW_FEATURES": "pylock, s3-endpoint"}, {"s3-endpoint"}),
        ("preview = true", {"UV_PREVIEW_FEATURES": "pylock"}, None),
    ],
)
def test_previews(
    text: str, environ: dict[str, str], expected: set[str] | None, place: Path
) -> None:
    """Of the previews those count that say how to reach an index; the variables come first."""
    (place / ".config" / "uv" / "uv.toml").write_text(text)
    found = read({"HOME": str(place), **environ})
    named = found.environ.get("UV_PREVIEW_FEATURES")
    assert (None if named is None else set(named.split(","))) == expected
    assert found.features == (expected is not None)
    assert "UV_PREVIEW" not in found.environ
    assert found.table == {}


def test_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts is handed on, with paths that do not depend on the directory."""
    (tmp_path / "ca.pem").touch()
    (tmp_path / "wheels").mkdir()
    monkeypatch.chdir(tmp_path)
    environ = {
        "HOME": str(tmp_path),
        "SSL_CERT_FILE": "ca.pem",
        "UV_CACHE_DIR": "new",
        "UV_CONSTRAINT": "c.txt",
        "UV_DEFAULT_INDEX": "a=wheels",
        "UV_EXTRA_INDEX_URL": "https://extra.example",
        "UV_FIND_LINKS": "wheels,https://h.example/?a=b,missing",
        "UV_INDEX": "b=https://me:pw@h.example/ wheels",
        "UV_INDEX_B_PASSWORD": "pw",
        "UV_INDEX_OF_THE_FUTURE": "x",
        "UV_PROJECT": "project",
    }
    always = {"UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never"}
    kept = {
        "HOME": str(tmp_path),
        "SSL_CERT_FILE": str(tmp_path / "ca.pem"),
        "UV_CACHE_DIR": str(tmp_path / "new"),
        "UV_INDEX_B_PASSWORD": "pw",
    }
    assert read(environ).environ == {
        **kept,
        **always,
        "UV_DEFAULT_INDEX": f"a={tmp_path / 'wheels'}",
        "UV_EXTRA_INDEX_URL": "https://extra.example",
        "UV_FIND_LINKS": f"{tmp_path / 'wheels'},https://h.example/?a=b,missing",
        "UV_INDEX": f"b=https://me:pw@h.example/ {tmp_path / 'wheels'}",
    }
    url = "https://me:pw@h.example/simple/"
    assert read(environ, url=url).environ == {
        **kept,
        **always,
        "UV_INDEX": url,
        "UV_DEFAULT_INDEX": url,
        "UV_INDEX_STRATEGY": "first-index",
    }


def test_copy_is_private(place: Path, tmp_path: Path) -> None:
    """What is handed over can be read by nobody else, and is removed whatever happens."""
    text = 'required-version = "0.9.0"\n[[index]]\nurl = "https://me:s3cret@h.example/"\n'
    (place / ".config" / "uv" / "uv.toml").write_text(text)
    copies = tmp_path / "copies"
    copies.mkdir()
    settings = read({"HOME": str(place)})

    def interrupted() -> None:
        with settings.handed_over(copies) as environ:
            copy = Path(environ["UV_CONFIG_FILE"])
            assert copy.parent.parent == copies
            assert tomllib.loads(copy.read_text()) == {
                "index": [{"url": "https://me:s3cret@h.example/"}]
            }
            assert (copy.stat().st_mode & 0o077, copy.parent.stat().st_mode & 0o077) == (0, 0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert "s3cret" not in repr(settings)
    assert not list(copies.iterdir())


@pytest.mark.parametrize("text", ["", 'required-version = ">=0.8"', "link-mode = 5"])
def test_no_copy_of_nothing(text: str, place: Path, tmp_path: Path) -> None:
    """Where no setting counts there is no copy, and none of the user's files is read by uv."""
    (place / ".config" / "uv" / "uv.toml").write_text(text)
    with read({"HOME": str(place), "UV_CONFIG_FILE": ""}).handed_over(tmp_path) as environ:
        assert environ["UV_NO_CONFIG"] == "1"
        assert "UV_CONFIG_FILE" not in environ


def test_broken_file(place: Path) -> None:
    """A file that is no TOML is an error that names it."""
    path = place / ".config" / "uv" / "uv.toml"
    path.write_text("[br")
    with pytest.raises(UnusableFile, match=rf"^{re.escape(str(path))}: it is not TOML"):
        read({"HOME": str(place)})
    with pytest.raises(UnusableFile, match=r"^missing\.toml: it cannot be read: No such file"):
        read({"HOME": str(place), "UV_CONFIG_FILE": "missing.toml"})


def test_combined() -> None:
    """The first file's values win, tables are joined key by key, and arrays one after another."""
    first = {"a": 1, "t": {"x": 1, "l": ["1"]}, "l": [1], "m": [1], "only": 1}
    second = {"a": 2, "t": {"x": 2, "y": 2, "l": ["2"]}, "l": [2], "m": "2", "other": 2}

    assert combined(first, second) == {
        "a": 1,
        "t": {"x": 1, "y": 2, "l": ["1", "2"]},
        "l": [1, 2],
        "m": [1],
        "only": 1,
        "other": 2,
    }
