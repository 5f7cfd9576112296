"""Users without a home directory, and homes that cannot be used."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import binaries, namespaces
from uv_self_update import platforms
from uv_self_update.cli import main as cli
from uv_self_update.config.load import site_file, user_file
from uv_self_update.home import home_directory
from uv_self_update.uv.receipt import NAME, read

if TYPE_CHECKING:
    from support.homes import Home

pytestmark = pytest.mark.system

UV = "#!/bin/sh\necho uv 0.12.0\n"


@pytest.fixture
def unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the user database have no entry for who runs this."""

    def refuse(uid: int) -> pwd.struct_passwd:
        message = f"getpwuid(): uid not found: {uid}"
        raise KeyError(message)

    monkeypatch.setattr(pwd, "getpwuid", refuse)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Return a directory with a uv, a mirror of a newer one, and a directory to be in."""
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(UV)
    uv.chmod(0o755)
    newer = tmp_path / "mirror" / "0.13.0"
    newer.mkdir(parents=True)
    (newer / f"uv-{platforms.current().triple}.tar.gz").write_bytes(b"")
    (tmp_path / "project").mkdir()
    (tmp_path / "file").touch()
    return tmp_path


HOMES: dict[str, str | None] = {
    "unset": None,
    "empty": "",
    "relative": "rel",
    "current directory": ".",
    "file": "{0}/file",
    "missing": "{0}/missing",
    "a loop": "{0}/loop",
    "too long": "/" + "x" * 300,
}
COMMANDS = {
    "config show": 0,
    "config get network.timeout": 0,
    "config check": 0,
    "--check": 11,
    "releases": 0,
    "config path": None,
    "config set network.timeout 5": None,
    "config unset network.timeout": None,
    "init {0}/mirror --no-rehearse": None,
}
"""Each command -> its exit code where it needs no home; None where it may be refused."""


@pytest.mark.usefixtures("unknown")
@pytest.mark.parametrize("home", HOMES)
def test_no_command_breaks(
    home: str,
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever HOME is, what needs none works, and the rest says why it does not."""
    (files / "loop").symlink_to("loop")
    environ = {"PATH": str(files / "bin"), "UV_SELF_UPDATE_SOURCE": f"{files}/mirror"}
    value = HOMES[home]
    if value is not None:
        environ["HOME"] = value.format(files)
    for name in os.environ:
        monkeypatch.delenv(name)
    for name, text in environ.items():
        monkeypatch.setenv(name, text)
    monkeypatch.chdir(files / "project")

    for command, expected in COMMANDS.items():
        code = cli.main(command.format(files).split())
        said = capsys.readouterr()
        assert "unexpected error" not in said.err, (command, said.err)
        assert code == expected or (expected is None and code in {0, 2, 3}), (command, said.err)
        if home in {"unset", "empty", "relative", "current directory"} and expected is None:
            assert code == 3
            assert "no home directory" in said.err
            assert "--config FILE" in said.err
    assert not list((files / "project").iterdir())


@pytest.mark.parametrize("command", ["config show", "init {0}", "config set network.timeout 5"])
def test_home_that_may_not_be_entered(command: str, home: Home, tmp_path: Path) -> None:
    """As after `sudo -u`: the file that cannot be read is named, and HOME."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0)

    done = home.run(
        *command.format(tmp_path).split(),
        environ={"HOME": str(locked)},
        before=namespaces.obeying_modes(),
    )

    assert done.code == 3
    assert f"{locked}/.config/uv-self-update/config.toml: failed to read the file: " in done.err
    assert "whether HOME is your own home directory" in done.err
    assert not done.err.count("unexpected error")


RELATIVE = {
    "XDG_CONFIG_HOME": [".", "rel", "..", "~", "rel:/etc"],
    "XDG_CONFIG_DIRS": [".", ":{0}", "rel:{0}", "::", "rel"],
    "HOME": [".", "rel", ""],
}


@pytest.mark.usefixtures("unknown")
@pytest.mark.parametrize(
    ("variable", "value"), [(name, value) for name, values in RELATIVE.items() for value in values]
)
def test_relative_directories_are_ignored(
    variable: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The directory that the user happens to be in never says where uv comes from."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("XDG_CONFIG_DIRS", raising=False)
    monkeypatch.setenv(variable, value.format(tmp_path / "etc"))

    user, system = user_file({}), site_file()

    assert user in {None, tmp_path / "home" / ".config" / "uv-self-update" / "config.toml"}
    assert (user is None) == (variable == "HOME")
    root = tmp_path / "etc" if "{0}" in value else Path("/etc/xdg")
    assert system == root / "uv-self-update" / "config.toml"


@pytest.mark.parametrize("place", ["./uv-self-update", "uv-self-update", ""])
def test_whatever_platformdirs_says(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not absolute is ignored by us, whatever the version of platformdirs."""
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_args, **_named: place)
    monkeypatch.setattr("platformdirs.site_config_dir", lambda *_args, **_named: place)

    assert user_file({}) is None
    assert site_file() == Path("/etc/xdg/uv-self-update/config.toml")


def test_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """HOME counts where it is absolute, and else the user database."""
    entry = list(pwd.getpwuid(os.getuid()))
    entry[5] = "/database"
    monkeypatch.setattr(pwd, "getpwuid", lambda _uid: pwd.struct_passwd(entry))

    assert home_directory({"HOME": "/h"}) == Path("/h")
    for environ in ({}, {"HOME": ""}, {"HOME": "."}):
        assert home_directory(environ) == Path("/database")
    entry[5] = "relative"
    assert home_directory({}) is None


def directory_source(folder: Path, version: str) -> str:
    """Lay a release into a directory, and return the source that it is."""
    archive = binaries.archive(version)
    place = folder / version
    place.mkdir(parents=True)
    (place / archive.name).symlink_to(archive)
    return f"directory+{folder.as_uri()}"


@pytest.mark.parametrize("place", ["XDG_CONFIG_HOME", "nowhere"])
def test_adopted_without_a_home(place: str, home: Home, tmp_path: Path) -> None:
    """A user ID that nobody knows updates uv, whose receipt is where its installer puts it."""
    start, end = binaries.newest_but_one(), binaries.newest()
    home.install(start)
    home.receipt.unlink()
    home.receipt.parent.rmdir()
    source = directory_source(tmp_path / "mirror", end)
    environ = {"UV_SELF_UPDATE_SOURCE": source, "UV_SELF_UPDATE_ADOPT": "true"}
    if place == "XDG_CONFIG_HOME":
        environ[place] = str(tmp_path / "xdg")

    done = home.run(environ=environ, before=[*namespaces.unknown_user(), "env", "-u", "HOME"])

    assert done.code == 0, done.err
    assert home.version() == end
    assert "unexpected error" not in done.err
    assert not (home.path / ".config" / "uv").exists()
    if place == "XDG_CONFIG_HOME":
        found = read(tmp_path / "xdg" / "uv" / NAME)
        assert found.is_about(home.uv)
        assert found.document["version"] == end
        assert "warning" not in done.err
    else:
        assert "this user has no home directory" in done.err


def test_adopted_in_a_home_that_is_read_only(home: Home, tmp_path: Path) -> None:
    """With XDG_CONFIG_HOME elsewhere, nothing is written into the home."""
    start, end = binaries.newest_but_one(), binaries.newest()
    home.install(start)
    tools = tmp_path / "tools"
    home.bin.rename(tools)
    before = home.snapshot()
    environ = {
        "XDG_CONFIG_HOME": str(tmp_path / "xdg"),
        "UV_SELF_UPDATE_SOURCE": directory_source(tmp_path / "mirror", end),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
    }

    done = home.run(
        *("--adopt", "--uv", str(tools / "uv")),
        environ=environ,
        before=namespaces.read_only(home.path),
    )

    assert done.code == 0, done.err
    assert read(tmp_path / "xdg" / "uv" / NAME).is_about(tools / "uv")
    assert home.snapshot() == before
