"""Wherever uv lies and whatever lies around it: it is updated, and everything else stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from support import binaries, mirrors, namespaces
from support.homes import Done, Home
from support.missing import missing
from uv_self_update.uv.receipt import NAME, new_receipt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

OLD, NEW = "0.8.24", "0.11.13"
BOTH = ("uv", "uvx")


@dataclass(kw_only=True)
class Place(Home):
    """A home whose uv lies in a folder of choice."""

    folder: str = ".local/bin"
    """What holds the executables, below the home."""

    prefix: str | None = None
    """What the receipt says, below the home; None for the folder."""

    layout: str = "flat"
    configured: str = ".config/uv"
    """What holds the receipt, below the home."""

    @property
    def bin(self) -> Path:
        """The folder that uv is installed in, and the first on PATH."""
        return self.path / self.folder

    @property
    def receipt(self) -> Path:
        """The receipt of that uv."""
        return self.path / self.configured / NAME

    def install(self, version: str, **fields: Any) -> None:  # noqa: ANN401 # of a receipt
        """Install a uv as its standalone installer does, with more fields in its receipt."""
        super().install(version)
        prefix = self.path / (self.folder if self.prefix is None else self.prefix)
        document = new_receipt(prefix=prefix, version=version, executables=BOTH)
        document |= {"install_layout": self.layout, **fields}
        self.receipt.write_text(json.dumps(document))

    def update(
        self,
        *arguments: str,
        before: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> Done:
        """Update to the new version, and make sure that nothing but the version changes."""
        rest, document = self.rest(), json.loads(self.receipt.read_text())
        done = self.run(*arguments, before=before, environ=environ)
        assert done.code == 0, done.err
        assert self.version() == NEW
        for name in BOTH:
            assert content(self.bin / name) == content(binaries.executables(NEW) / name)
        assert json.loads(self.receipt.read_text()) == document | {"version": NEW}
        assert self.rest() == rest
        return done


def content(path: Path) -> str:
    """Return the digest of a file that may change."""
    return mirrors.sha256.__wrapped__(path)


@pytest.fixture
def make(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Place]]:
    """Make a home, and offer it the new version in a folder."""
    mirror = tmp_path / "mirror" / NEW
    mirror.mkdir(parents=True)
    (mirror / "uv-installer.sh").write_bytes(mirrors.installer(NEW))
    (mirror / binaries.archive(NEW).name).symlink_to(binaries.archive(NEW))

    def make(*, name: str = "home", **fields: str) -> Place:
        place = Place(path=tmp_path / name, **fields)  # type: ignore[arg-type]
        place.path.mkdir(parents=True)
        place.environ |= {
            "UV_CACHE_DIR": str(tmp_path_factory.mktemp("uv-cache")),
            "UV_SELF_UPDATE_SOURCE": f"directory+{mirror.parent}",
            "TMPDIR": str(temporary),
        }
        return place

    temporary = tmp_path / "temporary"
    temporary.mkdir()
    yield make
    assert list(temporary.iterdir()) == []


@pytest.fixture
def home(make: Callable[..., Place]) -> Place:
    """Return a home with a flat installation."""
    place = make()
    place.install(OLD)
    return place


FLAT = {
    "flat": {},
    "cargo-home, flat": {"folder": ".cargo/bin"},
    "any folder": {"folder": "programs"},
}
NESTED = {
    "bin below the prefix": {"folder": "opt/uv/bin", "prefix": "opt/uv", "layout": "hierarchical"},
    "cargo-home": {"folder": ".cargo/bin", "prefix": ".cargo", "layout": "cargo-home"},
    "bin, and no layout": {"folder": "opt/uv/bin", "prefix": "opt/uv", "layout": "unspecified"},
    "bin itself as the prefix": {"folder": "opt/uv/bin", "layout": "hierarchical"},
}


@pytest.mark.parametrize("fields", FLAT.values(), ids=FLAT)
@pytest.mark.parametrize("installer", ["native", "release"])
def test_flat(installer: str, fields: dict[str, str], make: Callable[..., Place]) -> None:
    """Executables that lie in the receipt's prefix."""
    place = make(**fields)
    place.install(OLD)
    place.update("--installer", installer)


@pytest.mark.parametrize("fields", NESTED.values(), ids=NESTED)
def test_nested(fields: dict[str, str], make: Callable[..., Place]) -> None:
    """Executables that lie in `bin` below the receipt's prefix, or in one that is called so."""
    place = make(**fields)
    place.install(OLD)
    place.update("--installer", "native")


@pytest.mark.parametrize("installer", ["native", "release"])
def test_xdg(installer: str, make: Callable[..., Place]) -> None:
    """Folders that XDG's variables name."""
    place = make(folder="xdg/bin", configured="xdg/config/uv")
    place.environ["XDG_BIN_HOME"] = str(place.bin)
    place.environ["XDG_CONFIG_HOME"] = str(place.path / "xdg/config")
    place.environ["XDG_DATA_HOME"] = str(place.path / "xdg/data")
    place.install(OLD)
    place.update("--installer", installer)


# Links


@pytest.mark.parametrize("installer", ["native", "release"])
def test_uv_is_a_link(installer: str, make: Callable[..., Place]) -> None:
    """Links on PATH lead to a folder that the receipt names: they stay."""
    place = make(folder="apps/uv")
    place.install(OLD)
    links = place.path / ".local" / "bin"
    links.mkdir(parents=True)
    for name in BOTH:
        (links / name).symlink_to(place.bin / name)
    place.update("--installer", installer, environ={"PATH": f"{links}:/usr/bin:/bin"})


def test_receipt_names_the_folder_of_a_link(make: Callable[..., Place]) -> None:
    """Such a receipt is another's: that is said, and that the uv can be adopted, which works."""
    place = make(folder="versions/bin", prefix=".local/bin")
    place.install(OLD)
    links = place.path / ".local" / "bin"
    links.mkdir(parents=True)
    for name in BOTH:
        (links / name).symlink_to(place.bin / name)
    path = {"PATH": f"{links}:/usr/bin:/bin"}
    before = place.snapshot()

    refused = place.run(environ=path)

    assert refused.code != 0
    assert f"is about {links}, where there is only a link to it, and uv compares its own: " in (
        refused.err
    )
    assert "--uv" not in refused.err
    assert "`--adopt`" in refused.err
    assert place.snapshot() == before

    adopted = place.run("--adopt", environ=path)

    assert adopted.code == 0, adopted.err
    assert place.version() == NEW
    assert (links / "uv").is_symlink()
    assert "warning" not in adopted.err
    assert place.run("--dry-run", environ=path).code == 0


@pytest.mark.parametrize("installer", ["native", "release"])
@pytest.mark.parametrize("named", ["the link", "the folder"])
def test_folder_is_a_link(named: str, installer: str, make: Callable[..., Place]) -> None:
    """The folder on PATH is a link, and the receipt names either end of it."""
    place = make(prefix=".local/bin" if named == "the link" else "disk/uv")
    (place.path / "disk" / "uv").mkdir(parents=True)
    (place.path / ".local").mkdir()
    place.bin.symlink_to("../disk/uv")
    place.install(OLD)
    rest = place.rest()
    inside = ("disk/uv/uv", "disk/uv/uvx")

    done = place.run("--installer", installer)

    assert (done.code, place.version(), place.receipt_version()) == (0, NEW, NEW), done.err
    assert content(place.bin / "uvx") == content(binaries.executables(NEW) / "uvx")
    assert {**place.rest(), **{name: rest[name] for name in inside}} == rest


@pytest.mark.parametrize("target", ["../../elsewhere/uvx", "{home}/elsewhere/uvx"])
def test_uvx_alone_is_a_link(target: str, home: Place) -> None:
    """It stays a link, and what it leads to is of the same version as uv."""
    uvx, real = home.bin / "uvx", home.path / "elsewhere" / "uvx"
    real.parent.mkdir()
    uvx.rename(real)
    uvx.symlink_to(target.format(home=home.path))
    left_out = [home.uv, home.receipt, real]
    before = home.snapshot(leave_out=left_out)

    done = home.run("--installer", "native")

    assert (done.code, home.version(), home.receipt_version()) == (0, NEW, NEW), done.err
    assert content(real) == content(binaries.executables(NEW) / "uvx")
    assert home.snapshot(leave_out=left_out) == before


# Names

NAMES = {
    "blanks": "a  b",
    "quotes": "it's \"so\" `or` 'so'",
    "dollar": "$HOME $(touch x)",
    "semicolon": "a;touch x&|<>*?[!]#",
    "backslash": "a\\b\\n\\",
    "dash": "-rf",
    "percent": "100%25",
    "other letters": "ünï日本🙂",
    "line": "a\nb",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_name_of_home(name: str, make: Callable[..., Place]) -> None:
    """Whatever the home is called."""
    place = make(name=name)
    place.install(OLD)
    place.update("--installer", "native")


NO_TEXT = os.fsdecode(b"caf\xe9")


def test_home_whose_name_is_no_text(make: Callable[..., Place]) -> None:
    """A home whose name is not UTF-8, with uv outside of it, and its receipt where uv is told."""
    place = make(name=NO_TEXT, folder="../apps", configured="../config/uv")
    # In such a home uv does not even look into the folder that XDG_CONFIG_HOME names.
    place.environ["AXOUPDATER_CONFIG_PATH"] = str(place.path.parent / "config" / "uv")
    place.environ["PATH"] = f"{place.path.parent / 'apps'}:/usr/bin:/bin"
    place.install(OLD, install_prefix=str(place.path.parent / "apps"))
    place.update("--installer", "native")


@pytest.mark.parametrize("options", [(), ("--adopt",)])
@pytest.mark.parametrize("folder", [".local/bin", "../apps"])
def test_receipt_whose_path_is_no_text(
    folder: str, options: tuple[str, ...], make: Callable[..., Place]
) -> None:
    """No uv takes such a receipt: that is said, with the reason, and nothing changes."""
    place = make(name=NO_TEXT, folder=folder)
    place.install(OLD, install_prefix=str((place.path / folder).resolve()))
    before = place.snapshot()

    done = place.run("--installer", "native", *options)

    assert done.code != 0
    assert "UTF-8" in done.err
    assert "Traceback" not in done.err
    assert place.snapshot() == before


def test_long_path(make: Callable[..., Place], tmp_path: Path) -> None:
    """A folder whose path has 240 characters."""
    missing_length = 240 - len(str(tmp_path / "x" / ".local" / "bin")) + 1
    place = make(name="x" * missing_length)
    assert len(str(place.bin)) == 240
    place.install(OLD)
    place.update("--installer", "native")


# Modes, owners, receipts


@pytest.mark.parametrize("mode", [0o700, 0o750, 0o755, 0o555])
def test_modes_stay(mode: int, home: Place) -> None:
    """The executables keep their modes, each its own, also where nobody may write to them."""
    home.uv.chmod(mode)
    (home.bin / "uvx").chmod(0o711)
    home.update("--installer", "native", before=namespaces.obeying_modes())
    modes = [(home.bin / name).stat().st_mode & 0o7777 for name in BOTH]
    assert modes == [mode, 0o711]


def test_strict_umask(home: Place) -> None:
    """Neither a strict umask nor a loose one changes a mode."""
    for path in (home.uv, home.bin / "uvx", home.receipt):
        path.chmod(0o755)
    home.update("--installer", "native", before=["sh", "-c", 'umask 077; exec "$@"', "sh"])
    for path in (home.uv, home.bin / "uvx", home.receipt):
        assert path.stat().st_mode & 0o7777 == 0o755, path


def test_owners_stay(home: Place) -> None:
    """Updated by root, the files stay with whom they belong to."""
    if os.geteuid() != 0:
        missing("only root can give files away")
    paths = [home.uv, home.bin / "uvx", home.receipt]
    for number, path in enumerate(paths):
        os.chown(path, 1234 + number, 4321)
    home.update("--installer", "native")
    owners = [(path.stat().st_uid, path.stat().st_gid) for path in paths]
    assert owners == [(1234, 4321), (1235, 4321), (1236, 4321)]


PROVIDER = {"source": "cargo-dist", "version": "0.99.0"}


def test_receipt_keeps_what_is_unknown(home: Place) -> None:
    """Fields that this package does not know, and the mode, stay."""
    home.install(OLD, future={"a": [1, None]}, provider={**PROVIDER, "more": True})
    home.receipt.chmod(0o640)
    home.update("--installer", "native")
    assert home.receipt.stat().st_mode & 0o7777 == 0o640


def test_receipt_is_a_link(home: Place) -> None:
    """A receipt that is kept elsewhere stays there."""
    real = home.path / "dotfiles" / "receipt.json"
    real.parent.mkdir()
    home.receipt.rename(real)
    home.receipt.symlink_to(real)
    rest = home.snapshot(leave_out=[home.uv, home.bin / "uvx", real])

    done = home.run("--installer", "native")

    assert (done.code, home.version(), home.receipt_version()) == (0, NEW, NEW), done.err
    assert home.snapshot(leave_out=[home.uv, home.bin / "uvx", real]) == rest


# Temporary folders


@pytest.mark.parametrize("options", ["noexec", "mode=755", "ro"])
def test_temporary_folder(options: str, home: Place, tmp_path: Path) -> None:
    """One that nothing can run from, on another file system, or that cannot be written."""
    folder = tmp_path / "other-disk"
    folder.mkdir()
    home.update(
        "--installer",
        "native",
        before=namespaces.mounted(folder, options=options),
        environ={"TMPDIR": str(folder)},
    )


def test_rehearsal_where_nothing_can_run(home: Place, tmp_path: Path) -> None:
    """A rehearsal takes another folder for its copy where programs cannot run from that one."""
    folder = tmp_path / "other-disk"
    folder.mkdir()
    before = home.snapshot()

    done = home.run(
        "rehearse",
        before=namespaces.mounted(folder, options="noexec"),
        environ={"TMPDIR": str(folder)},
    )

    assert done.code == 0, done.err
    assert f"to       {NEW}" in done.out
    assert home.snapshot() == before


def test_temporary_folder_is_missing(home: Place) -> None:
    """One that is not there."""
    home.update("--installer", "native", environ={"TMPDIR": str(home.path / "missing")})


# Others


def updated_meanwhile(home: Place, command: Sequence[str], installer: str) -> tuple[int, str]:
    """Update while a program runs that is ready and waits, and return how that has ended."""
    with subprocess.Popen(
        command,
        env=home.full_environ(),
        cwd=home.path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        home.update("--installer", installer)
        out, _ = running.communicate("done\n")
    return running.returncode, out


@pytest.mark.parametrize("installer", ["native", "release"])
def test_running_uv(installer: str, home: Place) -> None:
    """A uv that runs meanwhile goes on, and ends well."""
    command = [
        str(home.uv),
        "run",
        "--offline",
        "--no-project",
        "--python",
        sys.executable,
        "python",
    ]
    command += ["-c", "print('ready', flush=True); print(input())"]
    assert updated_meanwhile(home, command, installer) == (0, "done\n")


@pytest.mark.parametrize("installer", ["native", "release"])
def test_open_uvx(installer: str, home: Place) -> None:
    """A uvx that the system holds busy, as it does while it runs, is no obstacle."""
    # uvx itself becomes uv at once: it is held at its very beginning, by a tracer of its own.
    stopped = [sys.executable, "-c", HOLD, str(home.bin / "uvx"), "--version"]
    code, out = updated_meanwhile(home, stopped, installer)
    # Its first word is another in some versions.
    assert (code, out.split()[1]) == (0, NEW)


HOLD = """
import ctypes, os, sys
child = os.fork()
if child == 0:
    ctypes.CDLL(None).ptrace(0, 0, None, None)
    os.execv(sys.argv[1], sys.argv[1:])
os.waitpid(child, 0)
print("ready", flush=True)
sys.stdin.readline()
ctypes.CDLL(None).ptrace(17, child, None, None)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.parametrize("installer", ["native", "release"])
@pytest.mark.parametrize("place", ["first", "second"])
def test_two_on_path(place: str, installer: str, home: Place) -> None:
    """Only the one that the receipt is about is updated, wherever it stands on PATH."""
    other = home.path / "other"
    other.mkdir()
    for name in BOTH:
        (other / name).write_bytes((home.bin / name).read_bytes())
        (other / name).chmod(0o755)
    folders = [home.bin, other] if place == "first" else [other, home.bin]
    named = [] if place == "first" else ["--uv", str(home.uv)]
    environ = {"PATH": os.pathsep.join([*map(str, folders), "/usr/bin", "/bin"])}
    home.update("--installer", installer, *named, environ=environ)


PROFILES = (
    *(".profile", ".bashrc", ".bash_profile", ".bash_login", ".zshrc", ".zshenv", ".zprofile"),
    *(".config/fish/config.fish", ".config/fish/conf.d/uv.env.fish", ".local/bin/env"),
)


@pytest.mark.parametrize("installer", ["native", "release"])
@pytest.mark.parametrize("there", [True, False])
def test_profiles_stay(there: bool, installer: str, home: Place) -> None:  # noqa: FBT001
    """No shell's profile is written to or made, even where the receipt allows it."""
    home.install(OLD, modify_path=installer == "native")
    for name in PROFILES if there else ():
        path = home.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("# mine")
    home.update("--installer", installer, environ={"SHELL": "/bin/bash"})
