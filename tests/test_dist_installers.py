"""The real installers of releases, with `uv self update` without us beside it.

What happens without us is asserted as well: that is why we do not let them install by themselves.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from support import bare, binaries, namespaces
from support.bare import NEW, through_us, update_bare
from support.homes import Home
from support.missing import missing
from support.tools import tools
from uv_self_update.uv.receipt import new_receipt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from _pytest.mark.structures import ParameterSet

    from support.web import Web

pytestmark = pytest.mark.system

OLD = binaries.newest()


def cases(table: Mapping[str, object], *often: str) -> list[ParameterSet]:
    """Return a table's rows for a test; those that are not to be run often are slow."""
    return [
        pytest.param(row, id=name, marks=() if name in often else pytest.mark.slow)
        for name, row in table.items()
    ]


@pytest.fixture(scope="session")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the executables to update."""
    folder = tmp_path_factory.mktemp("old") / "bin"
    shutil.copytree(binaries.executables(OLD), folder)
    return folder


@pytest.fixture
def web(web: Web, tmp_path: Path) -> Web:
    """Serve the release."""
    bare.serve(web, tmp_path)
    return web


class Place(Home):
    """A home whose uv lies in any directory, and what its receipt says."""

    uv_directory: str = ".local/bin"

    @property
    def bin(self) -> Path:
        """The directory of the uv that is meant."""
        return self.path / self.uv_directory


@pytest.fixture
def make(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, old: Path
) -> Callable[..., Place]:
    """Make a home with a uv."""

    def make(
        *directories: str,
        prefix: str | None = None,
        name: str = "home",
        **fields: Any,  # noqa: ANN401
    ) -> Place:
        home = Place(
            path=tmp_path / name, environ={"UV_CACHE_DIR": str(tmp_path_factory.mktemp("uv-cache"))}
        )
        home.uv_directory, *others = directories or (".local/bin",)
        for directory in (home.uv_directory, *others):
            (home.path / directory).mkdir(parents=True, exist_ok=True)
            for program in ("uv", "uvx"):
                os.link(old / program, home.path / directory / program)
        said = f"{home.path}/{home.uv_directory if prefix is None else prefix}"
        document = new_receipt(prefix=home.path, version=OLD, executables=("uv", "uvx"))
        home.receipt.parent.mkdir(parents=True)
        home.receipt.write_text(json.dumps({**document, "install_prefix": said, **fields}))
        return home

    return make


def updated(home: Place) -> bool:
    """Return whether the uv that is meant, its uvx and the receipt are of the new version."""
    programs = (home.uv, home.bin / "uvx")
    contents = {program.read_bytes() for program in programs}
    new = contents == {bare.executable(program.name) for program in programs}
    version = json.loads(home.receipt.read_text())["version"]
    assert new == (version == NEW), (new, version)
    return new


def said_of(home: Place) -> dict[str, Any]:
    """Return what the receipt says beside the version."""
    document: dict[str, Any] = json.loads(home.receipt.read_text())
    del document["version"]
    return document


CARGO = {"prefix": ".cargo", "install_layout": "cargo-home"}
LAYOUTS: dict[str, tuple[tuple[str, ...], dict[str, str], dict[str, str], bool]] = {
    # What holds a uv, the receipt, variables, and whether uv alone updates the right one.
    "flat": ((".local/bin",), {}, {}, True),
    "cargo-home": ((".cargo/bin",), CARGO, {}, True),
    "another CARGO_HOME": ((".cargo/bin",), CARGO, {"CARGO_HOME": "/opt/cargo"}, False),
    "CARGO_HOME with a slash": ((".cargo/bin",), CARGO, {"CARGO_HOME": "{home}/.cargo/"}, False),
    "prefix with a slash": ((".cargo/bin",), {**CARGO, "prefix": ".cargo/"}, {}, False),
    "hierarchical": (
        ("opt/uv/bin",),
        {"prefix": "opt/uv", "install_layout": "hierarchical"},
        {},
        False,
    ),
    "flat, and in bin": (("opt/uv/bin",), {"prefix": "opt/uv"}, {}, False),
    "CARGO_HOME is flat": ((".cargo",), {"prefix": ".cargo"}, {}, False),
    "two, the one in bin": ((".cargo/bin", ".cargo"), {"prefix": ".cargo"}, {}, True),
    "two, the one in the prefix": ((".cargo", ".cargo/bin"), {"prefix": ".cargo"}, {}, False),
    "two elsewhere, in bin": (("opt/bin", "opt"), {"prefix": "opt"}, {}, False),
}


def environ_of(home: Place, variables: Mapping[str, str]) -> dict[str, str]:
    """Fill in the home."""
    return {name: value.format(home=home.path) for name, value in variables.items()}


OFTEN = ("another CARGO_HOME", "hierarchical", "two, the one in bin", "two, the one in the prefix")


@pytest.mark.parametrize("installer", ["native", "release"])
@pytest.mark.parametrize("case", cases(LAYOUTS, *OFTEN))
def test_layout(
    case: tuple[tuple[str, ...], dict[str, str], dict[str, str], bool],
    installer: str,
    make: Callable[..., Place],
    web: Web,
) -> None:
    """The uv that is meant is updated, and nothing else is written."""
    directories, receipt, variables, _ = case
    home = make(*directories, **receipt)
    home.configure("")
    said, rest = said_of(home), home.snapshot(leave_out=_changing(home))

    done = through_us(home, web, installer=installer, environ=environ_of(home, variables))

    assert done.code == 0, done.err
    assert updated(home)
    assert said_of(home) == said
    assert home.snapshot(leave_out=_changing(home)) == rest


@pytest.mark.parametrize("case", cases(LAYOUTS, "another CARGO_HOME", "hierarchical"))
def test_layout_without_us(
    case: tuple[tuple[str, ...], dict[str, str], dict[str, str], bool],
    make: Callable[..., Place],
    web: Web,
) -> None:
    """Uv reports success in all of them, and in some has updated another place."""
    directories, receipt, variables, right = case
    home = make(*directories, **receipt)

    done = update_bare(home, web, environ_of(home, variables))

    assert (done.code, "Upgraded" in done.err) == (0, True), done.err
    assert (home.uv.read_bytes() == bare.executable("uv")) is right


def _changing(home: Place) -> list[Path]:
    return [home.uv, home.bin / "uvx", home.receipt, home.config]


NAMES = ("a&b", 'a"b', "a,b", "a[b", "a'b", "a b", "a\\b", "a$b", "a*b")


@pytest.mark.parametrize("name", cases(dict(zip(NAMES, NAMES, strict=True)), "a&b", "a,b", "a\\b"))
def test_home_of_any_name(name: str, make: Callable[..., Place], web: Web) -> None:
    """The receipt says where uv lies, whatever is in the home's name."""
    home = make(name=name)

    done = through_us(home, web)

    assert done.code == 0, done.err
    assert updated(home)
    assert said_of(home)["install_prefix"] == str(home.bin)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES[:3])
def test_home_of_any_name_without_us(name: str, make: Callable[..., Place], web: Web) -> None:
    """By itself the installer leaves a receipt that nobody can use, or fails."""
    home = make(name=name)

    done = update_bare(home, web)

    try:
        right = said_of(home)["install_prefix"] == str(home.bin)
    except ValueError:
        right = False
    assert not (done.code == 0 and right)


PROFILES = (".profile", ".bashrc", ".bash_profile", ".zshrc", ".zshenv")
ENV = """\
#!/bin/sh
# add binaries to PATH if they aren't added yet
# affix colons on either side of $PATH to simplify matching
case ":${PATH}:" in
    *:"$HOME/.local/bin":*)
        ;;
    *)
        # Prepending path in case a system-installed binary needs to be overridden
        export PATH="$HOME/.local/bin:$PATH"
        ;;
esac
"""
"""What the installers of earlier releases have left beside uv, and profiles name."""

OWN = {
    "modify_path": True,
    "install_layout": "unspecified",
    "provider": {"source": "cargo-dist", "version": "0.28.0"},
    "future": [1],
}


def lived_in(make: Callable[..., Place]) -> Place:
    """Make a home as an earlier installer and its user have left it."""
    home = make(**OWN)
    (home.bin / "env").write_text(ENV)
    for profile in PROFILES:
        (home.path / profile).write_text('# mine\n. "$HOME/.local/bin/env"\n')
    for program in ("uv", "uvx"):
        # Files of this home alone, whose mode and owner are nobody else's.
        file = home.bin / program
        content = file.read_bytes()
        file.unlink()
        file.write_bytes(content)
        file.chmod(0o750)
        if os.geteuid() == 0:
            os.chown(file, 1234, 5678)
    return home


@pytest.mark.parametrize("installer", ["native", "release"])
def test_kept(installer: str, make: Callable[..., Place], web: Web) -> None:
    """The receipt's other fields, profiles, modes and owners are what they were."""
    home = lived_in(make)
    home.configure("")
    said, rest = said_of(home), home.snapshot(leave_out=_changing(home))
    before = [_mode_and_owner(home.bin / name) for name in ("uv", "uvx")]

    done = through_us(home, web, installer=installer)

    assert done.code == 0, done.err
    assert updated(home)
    assert said_of(home) == said
    assert home.snapshot(leave_out=_changing(home)) == rest
    assert [_mode_and_owner(home.bin / name) for name in ("uv", "uvx")] == before


def test_kept_without_us(make: Callable[..., Place], web: Web) -> None:
    """By itself the installer changes all of that."""
    home = lived_in(make)
    said, before = said_of(home), _mode_and_owner(home.uv)

    done = update_bare(home, web)

    assert done.code == 0, done.err
    assert not (home.bin / "env").exists()
    assert all(".config/uv/env.sh" in (home.path / name).read_text() for name in PROFILES)
    after = said_of(home)
    assert {name for name in said if after.get(name) != said[name]} == {
        *("future", "install_layout", "provider")
    }
    assert _mode_and_owner(home.uv) != before


def _mode_and_owner(file: Path) -> tuple[int, int, int]:
    found = file.stat()
    return found.st_mode, found.st_uid, found.st_gid


CURL, WGET = 'proxy = "{proxy}"\nnoproxy = ""\n', "http_proxy = {proxy}\nno_proxy =\n"
CONFIGURED: dict[str, tuple[str, str, str, dict[str, str]]] = {
    # The downloader, a file below the home, what is in it, and variables.
    "proxy for curl": ("curl", ".curlrc", CURL, {}),
    "curl's directory": ("curl", "c/.curlrc", CURL, {"CURL_HOME": "c"}),
    "curl's in .config": ("curl", ".config/curlrc", CURL, {}),
    "https for curl": ("curl", ".curlrc", 'proto = "=https"\n', {}),
    "interface for curl": ("curl", ".curlrc", 'interface = "192.0.2.1"\n', {}),
    "proxy for wget": ("wget", ".wgetrc", WGET, {}),
    "wget's file": ("wget", "w", WGET, {"WGETRC": "w"}),
    "wget's system file": ("wget", "w", WGET, {"SYSTEM_WGETRC": "w"}),
}


@pytest.mark.parametrize("case", cases(CONFIGURED, "proxy for curl", "proxy for wget"))
def test_configuration_of_the_downloader(
    case: tuple[str, str, str, dict[str, str]], make: Callable[..., Place], web: Web, tmp_path: Path
) -> None:
    """What curl and wget are configured with is not for loopback; without us it counts."""
    downloader, name, text, variables = case
    home = make()
    environ = {key: str(home.path / value) for key, value in variables.items()}
    environ["PATH"] = os.pathsep.join([str(home.bin), tools(tmp_path / "tools", downloader)])
    with type(web)() as proxy:
        file = home.path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text.format(proxy=proxy.url))
        home.configure("")
        before = home.snapshot(leave_out=_changing(home))

        alone = update_bare(home, web, environ)
        leaked = bool(proxy.paths())
        done = through_us(home, web, environ=environ)

        assert alone.code != 0
        assert leaked == ("{proxy}" in text)
        proxy.asked.clear()
        assert done.code == 0, done.err
        assert proxy.paths() == []
    assert updated(home)
    assert home.snapshot(leave_out=_changing(home)) == before


LACKING = {
    "curl": "INSTALLER_PRINT_QUIET",
    "tar": "UV_PRINT_QUIET",
    "awk": "UV_NO_PROGRESS",
    "gzip": "INSTALLER_PRINT_QUIET",
    "ldd": "UV_PRINT_QUIET",
    "mktemp": "INSTALLER_PRINT_QUIET",
    "sed": "UV_NO_PROGRESS",
}
"""Programs, and what is set to 1 beside it."""


@pytest.mark.parametrize(
    ("lacking", "quiet"),
    [
        pytest.param(*row, marks=() if row[0] in {"curl", "tar", "awk"} else pytest.mark.slow)
        for row in LACKING.items()
    ],
)
def test_lacking_a_program(
    lacking: str, quiet: str, make: Callable[..., Place], web: Web, tmp_path: Path
) -> None:
    """The program is named, and what does without it, however quiet the installer is to be."""
    home = make()
    path = tools(tmp_path / "tools", "curl")
    (tmp_path / "tools" / lacking).unlink()
    home.configure("")
    before = home.snapshot(leave_out=[home.config])

    done = through_us(home, web, environ={"PATH": f"{home.bin}:{path}", quiet: "1"})

    name = {"curl": "curl or wget"}.get(lacking, lacking)
    assert done.code != 0
    assert f"error: the installer of uv {NEW} failed: not on PATH: {name}\n" in done.err
    assert (f"need '{name}'" in done.err) == (lacking in {"curl", "mktemp", "tar"})
    assert "hint: `--installer native` installs uv without" in done.err
    assert home.snapshot(leave_out=[home.config]) == before


def test_quiet_without_us(make: Callable[..., Place], web: Web, tmp_path: Path) -> None:
    """Alone, uv has no reason to show."""
    home = make()
    path = tools(tmp_path / "tools")

    done = update_bare(home, web, {"PATH": path, "INSTALLER_PRINT_QUIET": "1"})

    assert done.code != 0
    assert done.err.rstrip().endswith("Output from the installer:")


_AS_SH = 'mount --bind "$1" /bin/sh && shift && exec "$@"'


def as_sh(shell: str) -> list[str]:
    """Return the start of a command for which /bin/sh is another shell."""
    found = shutil.which(shell)
    if found is None:
        missing(f"the tests need {shell}")
    return [*namespaces.unshare("--mount"), "sh", "-c", _AS_SH, "sh", found]


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "busybox", "ksh93", "mksh", "yash", "zsh"])
def test_shell(shell: str, make: Callable[..., Place], web: Web) -> None:
    """Whichever of these is sh, uv is updated."""
    home = make()

    done = through_us(home, web, before=as_sh(shell))

    assert done.code == 0, done.err
    assert updated(home)


def test_odd_shell(make: Callable[..., Place], web: Web) -> None:
    """Where sh cannot run the installer, the reason is told, and ours works as its hint says."""
    home = make()
    home.configure("")
    before = home.snapshot(leave_out=[home.config])

    done = through_us(home, web, before=as_sh("posh"))

    assert done.code != 0
    assert f"error: the installer of uv {NEW} failed\n" in done.err
    assert "hint: `--installer native` installs uv without" in done.err
    assert home.snapshot(leave_out=[home.config]) == before

    done = through_us(home, web, installer="native", before=as_sh("posh"))

    assert done.code == 0, done.err
    assert updated(home)


DOES_NOTHING = {
    "nothing": "",
    "elsewhere": 'mkdir -p "$HOME/elsewhere" && cp /bin/true "$HOME/elsewhere/uv"\n',
    "uvx alone": 'cp /bin/true "$UV_INSTALL_DIR/uvx"\n',
}


@pytest.mark.parametrize("what", DOES_NOTHING.values(), ids=DOES_NOTHING)
def test_success_is_not_believed(
    what: str, make: Callable[..., Place], web: Web, tmp_path: Path
) -> None:
    """An installer that ends well, and has not updated uv, is no success."""
    home = make()
    bare.serve(web, tmp_path, script=f"#!/bin/sh\n{what}".encode())

    done = through_us(home, web)

    assert done.code != 0
    assert "success:" not in done.err
    assert f"reported success without installing it: {home.uv} was not changed" in done.err
    assert not updated(home)


def test_success_is_believed_without_us(
    make: Callable[..., Place], web: Web, tmp_path: Path
) -> None:
    """Alone, uv believes it."""
    home = make()
    bare.serve(web, tmp_path, script=b"#!/bin/sh\n")

    done = update_bare(home, web)

    assert (done.code, "Upgraded" in done.err, updated(home)) == (0, True, False)


def test_what_a_later_release_brings(make: Callable[..., Place], web: Web, tmp_path: Path) -> None:
    """An executable that is not known yet is put in place too, and the receipt names it."""
    home = make()
    lines = [
        f'printf "#!/bin/sh\\necho {name} {NEW}\\n" >"$UV_INSTALL_DIR/{name}"'
        for name in ("uv", "uvx", "uvd")
    ]
    modes = 'chmod 755 "$UV_INSTALL_DIR"/*'
    bare.serve(web, tmp_path, script="\n".join(["#!/bin/sh", *lines, modes, ""]).encode())

    done = through_us(home, web)

    assert done.code == 0, done.err
    assert updated(home)
    assert (home.bin / "uvd").read_bytes() == bare.executable("uvd")
    assert (home.bin / "uvd").stat().st_mode & 0o777 == 0o755
    assert said_of(home)["binaries"] == ["uv", "uvx", "uvd"]
