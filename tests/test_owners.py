"""The path of a uv, and files near it, tell which package manager has installed it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from support import binaries
from support.homes import base_environment
from uv_self_update.uv.install_source import find_evidence, find_package_manager
from uv_self_update.uv.package_managers import (
    MANAGERS,
    Evidence,
    Manager,
    Record,
    owner_of,
)

ADOPTING = Path(__file__).parents[1] / "docs" / "adopt.md"
PLAIN = Evidence()
WINDOWS = Evidence(windows=True)


def evidence(base: Evidence = PLAIN, *names: str, **facts: object) -> Evidence:
    """Return evidence with some names, and other facts."""
    return replace(base, names=frozenset(names), **facts)  # type: ignore[arg-type]


def recorded(manager: str, tool: str = "uv") -> Evidence:
    """Return evidence with a package manager's record."""
    return replace(PLAIN, windows="scoop" in manager, record=Record(manager=manager, tool=tool))


ASDF = "asdf install uv latest && asdf set -u uv latest"

VENV, PIPX, TOOL = (
    ("pyvenv.cfg",),
    ("pyvenv.cfg", "pipx_metadata.json"),
    ("pyvenv.cfg", "uv-receipt.toml"),
)
DEBIAN = evidence(systems=("debian",))

OWNED = [
    # virtual environments
    ("/p/.venv/bin/uv", evidence(PLAIN, *VENV), "/p/.venv/bin/python -m pip install --upgrade uv"),
    (
        "/p/.venv/bin/uv",
        evidence(PLAIN, *VENV, installer="pip"),
        "/p/.venv/bin/python -m pip install --upgrade uv",
    ),
    (
        "/p/.venv/bin/uv",
        evidence(PLAIN, *VENV, installer="uv"),
        "uv pip install --python /p/.venv --upgrade uv",
    ),
    (
        "/my p/.venv/bin/uv",
        evidence(PLAIN, *VENV, installer="uv"),
        "uv pip install --python '/my p/.venv' --upgrade uv",
    ),
    (
        r"C:\my p\.venv\Scripts\uv.exe",
        evidence(WINDOWS, *VENV),
        r'"C:\my p\.venv\Scripts\python.exe" -m pip install --upgrade uv',
    ),
    (
        r"C:\p\.venv\Scripts\uv.exe",
        evidence(WINDOWS, *VENV, installer="uv"),
        r"uv pip install --python C:\p\.venv --upgrade uv",
    ),
    # tools in environments of their own
    ("/home/me/.local/share/pipx/venvs/uv/bin/uv", evidence(PLAIN, *PIPX), "pipx upgrade uv"),
    (
        "/home/me/.local/share/pipx/venvs/hatch/bin/uv",
        evidence(PLAIN, *PIPX),
        "pipx runpip hatch install --upgrade uv",
    ),
    (r"C:\Users\me\pipx\venvs\uv\Scripts\uv.exe", evidence(WINDOWS, *PIPX), "pipx upgrade uv"),
    ("/home/me/.local/share/uv/tools/uv/bin/uv", evidence(PLAIN, *TOOL), "uv tool upgrade uv"),
    ("/home/me/.local/share/uv/tools/nox/bin/uv", evidence(PLAIN, *TOOL), "uv tool upgrade nox"),
    (
        r"C:\Users\me\AppData\Roaming\uv\tools\uv\Scripts\uv.exe",
        evidence(WINDOWS, *TOOL),
        "uv tool upgrade uv",
    ),
    # packages of a Python
    (
        "/home/me/.local/bin/uv",
        evidence(installer="pip", python="3.12"),
        "python3.12 -m pip install --user --upgrade uv",
    ),
    (
        "/usr/local/bin/uv",
        evidence(DEBIAN, installer="pip", python="3.11"),
        "python3.11 -m pip install --upgrade uv",
    ),
    (
        "/usr/local/bin/uv",
        evidence(DEBIAN, installer="uv", python="3.11"),
        "uv pip install --system --upgrade uv",
    ),
    (
        "/home/me/.pyenv/versions/3.12.1/bin/uv",
        evidence(installer="pip", python="3.12"),
        "python3.12 -m pip install --upgrade uv",
    ),
    ("/opt/x/lib/python3.12/site-packages/uv/uv", PLAIN, "python -m pip install --upgrade uv"),
    ("/usr/lib/python3/dist-packages/bin/uv", DEBIAN, "python -m pip install --upgrade uv"),
    (
        r"C:\Python312\Scripts\uv.exe",
        evidence(WINDOWS, installer="pip"),
        "py -m pip install --upgrade uv",
    ),
    (
        r"C:\Users\me\AppData\Roaming\Python\Python312\Scripts\uv.exe",
        evidence(WINDOWS, installer="pip"),
        "py -m pip install --user --upgrade uv",
    ),
    (
        r"C:\Python312\Lib\SITE-PACKAGES\bin\uv.exe",
        WINDOWS,
        "py -m pip install --upgrade uv",
    ),
    # package managers with folders of their own
    ("/opt/homebrew/Cellar/uv/0.12.3/bin/uv", PLAIN, "brew upgrade uv"),
    ("/usr/local/Cellar/uv/0.12.3/bin/uv", PLAIN, "brew upgrade uv"),
    ("/home/linuxbrew/.linuxbrew/Cellar/uv/0.12.3/bin/uv", DEBIAN, "brew upgrade uv"),
    ("/opt/local/bin/uv", PLAIN, "sudo port upgrade uv"),
    (
        r"C:\Users\me\AppData\Local\Microsoft\WinGet\Packages\astral-sh.uv_x\uv.exe",
        WINDOWS,
        "winget upgrade --id astral-sh.uv",
    ),
    (
        r"c:\users\me\appdata\local\microsoft\winget\links\UV.EXE",
        WINDOWS,
        "winget upgrade --id astral-sh.uv",
    ),
    (
        "C:/Program Files/WinGet/Links/uv.exe",
        WINDOWS,
        "winget upgrade --id astral-sh.uv",
    ),
    (r"C:\Users\me\scoop\apps\uv\current\uv.exe", WINDOWS, "scoop update uv"),
    (r"D:\Scoop\Shims\uv.exe", WINDOWS, "scoop update uv"),
    (r"C:\ProgramData\chocolatey\bin\uv.exe", WINDOWS, "choco upgrade uv"),
    (r"C:\ProgramData\Chocolatey\lib\uv\tools\uv.exe", WINDOWS, "choco upgrade uv"),
    ("/home/me/.local/share/mise/installs/uv/0.12.3/uv", PLAIN, "mise upgrade uv"),
    ("/home/me/.local/share/mise/shims/uv", PLAIN, "mise upgrade uv"),
    (r"C:\Users\me\AppData\Local\mise\shims\uv.exe", WINDOWS, "mise upgrade uv"),
    ("/home/me/.asdf/installs/uv/0.12.3/bin/uv", PLAIN, ASDF),
    ("/home/me/.asdf/shims/uv", PLAIN, ASDF),
    ("/home/me/.local/share/aquaproj-aqua/bin/uv", PLAIN, "aqua update uv"),
    (
        "/opt/aqua/pkgs/github_release/github.com/astral-sh/uv/0.12.3/uv.tar.gz/uv/uv",
        PLAIN,
        "aqua update uv",
    ),
    ("/home/me/.proto/tools/uv/0.12.3/uv", PLAIN, "proto install uv latest --pin global"),
    ("/home/me/.proto/shims/uv", PLAIN, "proto install uv latest --pin global"),
    # those that have left a record, wherever their folders lie
    ("/opt/m/installs/x/0.12.3/uv", recorded("mise", "ubi:a/uv"), "mise upgrade ubi:a/uv"),
    ("/opt/a/shims/uv", recorded("asdf"), ASDF),
    ("/opt/p/envs/my tools/bin/uv", recorded("pixi", "my tools"), "pixi global update 'my tools'"),
    (r"D:\Apps\shims\uv.exe", recorded("scoop"), "scoop update uv"),
    (r"D:\All\apps\uv\0.1\uv.exe", recorded("scoop --global"), "scoop update uv --global"),
    (
        "/home/me/.pyenv/shims/uv",
        PLAIN,
        "pyenv exec python -m pip install --upgrade uv",
    ),
    (
        r"C:\Users\me\.pyenv\pyenv-win\shims\uv.bat",
        WINDOWS,
        "pyenv exec python -m pip install --upgrade uv",
    ),
    (
        "/opt/miniconda3/bin/uv",
        evidence(conda="/opt/miniconda3"),
        "conda update --prefix /opt/miniconda3 uv",
    ),
    (
        r"C:\mini conda\Library\bin\uv.exe",
        evidence(WINDOWS, conda=r"C:\mini conda"),
        r'conda update --prefix "C:\mini conda" uv',
    ),
    ("/p/.pixi/envs/default/bin/uv", evidence(conda="/p/.pixi/envs/default"), "pixi update uv"),
    ("/home/me/.pixi/bin/uv", PLAIN, "pixi global update uv"),
    ("/home/me/.cargo/bin/uv", evidence(crate=True), "cargo install --locked uv"),
    ("/nix/store/abc-uv-0.12.3/bin/uv", PLAIN, "nix profile upgrade uv"),
    ("/gnu/store/abc-uv-0.12.3/bin/uv", PLAIN, "guix upgrade uv"),
    ("/snap/astral-uv/12/bin/uv", DEBIAN, "sudo snap refresh astral-uv"),
    ("/snap/bin/uv", DEBIAN, "sudo snap refresh astral-uv"),
    # the system's own
    ("/usr/bin/uv", evidence(systems=("debian",)), "sudo apt install --only-upgrade uv"),
    (
        "/bin/uv",
        evidence(systems=("mint", "ubuntu", "debian")),
        "sudo apt install --only-upgrade uv",
    ),
    ("/usr/bin/uv", evidence(systems=("fedora",)), "sudo dnf upgrade uv"),
    ("/usr/bin/uv", evidence(systems=("rocky", "rhel", "centos", "fedora")), "sudo dnf upgrade uv"),
    ("/usr/bin/uv", evidence(systems=("arch",)), "sudo pacman -Syu uv"),
    (
        "/usr/bin/uv",
        evidence(systems=("opensuse-leap", "opensuse", "suse")),
        "sudo zypper update uv",
    ),
    ("/usr/bin/uv", evidence(systems=("alpine",)), "sudo apk upgrade uv"),
    ("/usr/bin/uv", evidence(systems=("gentoo",)), "sudo emerge --update dev-python/uv"),
    ("/usr/bin/uv", evidence(systems=("void",)), "sudo xbps-install -Su uv"),
    ("/usr/sbin/uv", evidence(systems=("plan9",)), None),
]

FREE = [
    ("/home/me/.local/bin/uv", PLAIN),
    ("/home/me/.cargo/bin/uv", PLAIN),
    ("/usr/local/bin/uv", DEBIAN),
    ("/opt/uv/uv", DEBIAN),
    ("/opt/local/bin/uv", DEBIAN),
    ("/home/conda-meta-lover/.local/bin/uv", PLAIN),
    ("/home/site-packages-user/.local/bin/uv", PLAIN),
    ("/home/pipx/venvs/uv", PLAIN),
    ("/home/me/uv/tools/uv/uv", PLAIN),
    ("/home/me/cellar/uv/bin/uv", PLAIN),
    ("/home/me/Cellar/uv-backup/uv", PLAIN),
    ("/home/me/mise/uv", PLAIN),
    ("/home/me/scoop/uv", PLAIN),
    ("/home/me/my.asdf/shims/uv", PLAIN),
    ("/home/me/proto/tools/uv/uv", PLAIN),
    ("/home/me/aqua-proxy/uv", PLAIN),
    ("/home/nix/store/uv", PLAIN),
    ("/usrlocal/bin/uv", DEBIAN),
    ("/snapshots/uv", DEBIAN),
    (r"C:\Users\me\.local\bin\uv.exe", WINDOWS),
    (r"C:\Users\chocolatey\.local\bin\uv.exe", WINDOWS),
    (r"C:\Users\scoop\.local\bin\uv.exe", WINDOWS),
    (r"C:\usr\bin\uv.exe", WINDOWS),
]


@pytest.mark.parametrize(("path", "found", "command"), OWNED)
def test_owned(path: str, found: Evidence, command: str | None) -> None:
    """The owner of a copy is known, and the command that updates it."""
    owner = owner_of(path, path, found)
    assert owner is not None
    assert owner.command == command


@pytest.mark.parametrize("manager", MANAGERS, ids=lambda one: one.command)
def test_every_manager_is_shown(manager: Manager) -> None:
    """Each row of the table has a copy above that it owns; the page names it, or its directory."""
    page = ADOPTING.read_text(encoding="utf-8")
    commands = {command for _, _, command in OWNED}

    assert manager.command.format(tool="uv") in commands
    assert manager.systems or manager.name in page


@pytest.mark.parametrize(("path", "found"), FREE)
def test_free(path: str, found: Evidence) -> None:
    """What only looks like somebody's copy is nobody's."""
    assert owner_of(path, path, found) is None


@pytest.mark.parametrize(
    ("called", "path", "name"),
    [
        ("/usr/local/bin/uv", "/usr/local/Cellar/uv/0.12.3/bin/uv", "Homebrew"),
        ("/home/me/.local/share/mise/shims/uv", "/usr/bin/mise", "mise"),
        ("/opt/data/shims/uv", "/usr/bin/mise", "mise"),
        ("/opt/aqua/bin/uv", "/opt/aqua/internal/pkgs/aqua-proxy", "aqua"),
        ("/home/me/.proto/bin/uv", "/home/me/.proto/tools/uv/0.12.3/uv", "proto"),
        ("/home/me/.nix-profile/bin/uv", "/nix/store/abc-uv/bin/uv", "Nix"),
        ("/snap/bin/uv", "/usr/bin/snap", "snap"),
    ],
)
def test_links(called: str, path: str, name: str) -> None:
    """Both the path that a copy is called by and the one where it lies tell."""
    owner = owner_of(called, path, DEBIAN)
    assert owner is not None
    assert owner.name == name


def run_uv(*arguments: str, home: Path) -> None:
    """Run a real uv, which takes uv from a wheel."""
    subprocess.run(
        [binaries.uv_command(), *arguments],
        env={
            **base_environment(),
            "HOME": str(home),
            "PATH": os.environ["PATH"],
            "UV_CACHE_DIR": str(home / "cache"),
            "UV_NO_CONFIG": "1",
            "UV_NO_INDEX": "1",
            "UV_PYTHON": sys.executable,
        },
        cwd=home,
        capture_output=True,
        check=True,
    )


def command_for(uv: Path) -> str | None:
    """Return the command that updates a copy."""
    owner = find_package_manager(uv)
    assert owner is not None
    return owner.command


WHEEL = "0.8.24"


def test_real_virtual_environment(tmp_path: Path) -> None:
    """A uv that uv has installed into a virtual environment is updated by uv."""
    run_uv("venv", ".venv", home=tmp_path)
    run_uv("pip", "install", "-p", ".venv", str(binaries.wheel(WHEEL)), home=tmp_path)
    expected = f"uv pip install --python {tmp_path}/.venv --upgrade uv"
    assert command_for(tmp_path / ".venv" / "bin" / "uv") == expected


def test_real_tool(tmp_path: Path) -> None:
    """A uv that `uv tool install` has installed is found behind its link."""
    run_uv("tool", "install", str(binaries.wheel(WHEEL)), home=tmp_path)
    assert command_for(tmp_path / ".local" / "bin" / "uv") == "uv tool upgrade uv"


def test_real_package_of_a_user(tmp_path: Path) -> None:
    """What a package's record names is the package's; what was put over it later is not."""
    home = tmp_path / ".local"
    run_uv("pip", "install", "--prefix", str(home), str(binaries.wheel(WHEEL)), home=tmp_path)
    uv = home / "bin" / "uv"
    python = f"python3.{sys.version_info.minor}"
    assert command_for(uv) == f"{python} -m pip install --user --upgrade uv"

    shutil.copy2(binaries.executables(binaries.newest()) / "uv", uv)
    assert find_package_manager(uv) is None


def test_other_programs_beside(tmp_path: Path) -> None:
    """A uv by hand is nobody's, whatever pip, cargo and conda have installed beside it."""
    bin_folder = tmp_path / ".local" / "bin"
    packages = tmp_path / ".local" / "lib" / "python3.12" / "site-packages"
    records = {
        packages / "ruff-0.1.dist-info" / "RECORD": "../../../bin/ruff,sha256=x,2\n",
        packages / "uv-0.8.24.dist-info" / "RECORD": "../../../bin/uv,sha256=x,99\n",
        tmp_path / ".local" / ".crates.toml": '[v1]\n"uv-like 0.1.0 (x)" = ["uv-like"]\n',
        tmp_path / ".local" / "conda-meta" / "uv-like-1.json": "{}",
        bin_folder / "uv": "uv",
    }
    for path, text in records.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert find_package_manager(bin_folder / "uv") is None


@pytest.mark.parametrize(
    ("record", "text", "expected"),
    [
        (".crates.toml", '[v1]\n"uv 0.9.1 (registry+x)" = ["uv", "uvx"]\n', {"crate": True}),
        ("conda-meta/uv-0.12.3-0.json", "{}", {"conda": "{prefix}"}),
        ("pyvenv.cfg", "", {"names": frozenset({"pyvenv.cfg"})}),
        (
            "lib/python3/dist-packages/uv-1.dist-info/RECORD",
            "../../../bin/uv,sha256=x,2\n",
            {"installer": "pip"},
        ),
        (
            "Lib/site-packages/uv-1.dist-info/RECORD",
            "..\\..\\bin\\uv,sha256=x,2\n",
            {"installer": "pip"},
        ),
    ],
)
def test_records(record: str, text: str, expected: dict[str, object], tmp_path: Path) -> None:
    """What the tools leave behind is found."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "uv").write_text("uv")
    (tmp_path / record).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / record).write_text(text)
    facts = {
        key: value.format(prefix=tmp_path) if isinstance(value, str) else value
        for key, value in expected.items()
    }
    found = replace(find_evidence(tmp_path / "bin" / "uv", windows=False), systems=())
    assert found == replace(PLAIN, **facts)  # type: ignore[arg-type]


MISE = 'short = "{}"\nfull = "aqua:astral-sh/uv"\n'
SHIM = (
    '#!/usr/bin/env bash\n# asdf-plugin: ruff 0.1\n# asdf-plugin: {} 0.9\nexec asdf exec "uv" "$@"'
)
TRAMPOLINE = '{{"exe": "/opt/pixi/envs/{}/bin/uv"}}'
SCOOP = ("apps/uv/1/install.json", "apps/uv/1/manifest.json")


@pytest.mark.parametrize(
    ("uv", "files", "command"),
    [
        (
            "installs/uv/1/uv",
            {"installs/uv/.mise.backend.toml": MISE.format("uv")},
            "mise upgrade uv",
        ),
        (
            "installs/aqua-astral-sh-uv/1/uv-x86_64/uv",
            {
                "installs/aqua-astral-sh-uv/.mise.backend.toml": MISE.format("aqua:astral-sh/uv"),
                "plugins/uv/x": "",
            },
            "mise upgrade aqua:astral-sh/uv",
        ),
        (
            "installs/ubi-astral-sh-uv/1/bin/uv",
            {"installs/ubi-astral-sh-uv/.mise.backend": "ubi:astral-sh/uv\nubi:astral-sh/uv"},
            "mise upgrade ubi:astral-sh/uv",
        ),
        (
            "installs/uv-hlencrst/uv",
            {"installs/uv-hlencrst/.mise-install.toml": 'requested_as = "uv"\n'},
            "mise upgrade uv",
        ),
        (
            "installs/python/3/bin/uv",
            {"installs/python/.mise.backend.toml": MISE.format("python")},
            None,
        ),
        ("installs/uv/1/bin/uv", {"plugins/uv/bin/install": ""}, ASDF),
        ("installs/uv/1/bin/uv", {"plugins/ruff/bin/install": ""}, None),
        ("shims/uv", {"shims/uv": SHIM.format("uv")}, ASDF),
        ("shims/uv", {"shims/uv": SHIM.format("python")}, None),
        ("apps/uv/1/uv", dict.fromkeys((*SCOOP, "apps/scoop/x"), ""), "scoop update uv"),
        ("apps/uv/1/uv", dict.fromkeys(SCOOP, ""), "scoop update uv --global"),
        ("apps/uv/1/uv", {"apps/uv/1/manifest.json": "", "apps/scoop/x": ""}, None),
        (
            "shims/uv",
            {"shims/uv.shim": r'path = "D:\Apps\apps\uv\current\uv.exe"', "apps/scoop/x": ""},
            "scoop update uv",
        ),
        ("shims/uv", {"shims/uvx.shim": r"path = D:\Apps\apps\uv\current\uvx.exe"}, None),
        (
            "envs/tools/bin/uv",
            {"manifests/pixi-global.toml": "", "envs/tools/conda-meta/uv-1-0.json": ""},
            "pixi global update tools",
        ),
        (
            "bin/uv",
            {"bin/trampoline_configuration/uv.json": TRAMPOLINE.format("tools")},
            "pixi global update tools",
        ),
    ],
)
def test_records_of_managers(
    uv: str, files: dict[str, str], command: str | None, tmp_path: Path
) -> None:
    """Managers of programs are known by what they leave behind, whatever folder they are given."""
    for name, text in {uv: "uv", **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    owner = find_package_manager(tmp_path / uv)
    assert (None if owner is None else owner.command) == command


def test_link_to_an_environment_of_pixi(tmp_path: Path) -> None:
    """What is found behind a link is told by what lies there."""
    (tmp_path / "envs" / "uv" / "bin").mkdir(parents=True)
    (tmp_path / "envs" / "uv" / "bin" / "uv").touch()
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "pixi-global.toml").touch()
    (tmp_path / "uv").symlink_to("envs/uv/bin/uv")
    assert command_for(tmp_path / "uv") == "pixi global update uv"
