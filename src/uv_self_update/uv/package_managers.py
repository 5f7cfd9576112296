"""Who has installed a copy of uv, and so is the one to update it; nothing is read here."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath, PureWindowsPath


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a manager of programs has left on the disk about a copy."""

    manager: str
    """One of the keys of `_BY_RECORD`."""

    tool: str
    """What that manager calls it: mise knows a uv as `uv`, or as `aqua:astral-sh/uv`."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What lies around a copy of uv, as far as it tells who has installed it."""

    windows: bool = False
    names: frozenset[str] = frozenset()
    """The names of what lies in the folder above that of the executables."""

    record: Record | None = None

    conda: str = ""
    """The path of the environment in which conda has a record of uv."""

    installer: str = ""
    """What has installed the Python package that holds this very file: `pip`, `uv`."""

    python: str = ""
    """The version of the Python that this package was installed for: `3.12`."""

    crate: bool = False
    """Whether cargo has a record of uv there."""

    systems: tuple[str, ...] = ()
    """`ID` and `ID_LIKE` of the distribution, in order; none except on Linux."""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A copy of uv: how it was called, where it lies, what is around it."""

    path: str
    """As it was found on PATH."""

    resolved: str
    """Where it really lies."""

    around: Surroundings


@dataclass(frozen=True, kw_only=True)
class Owner:
    """What has installed a copy."""

    name: str
    command: str | None
    """What updates this copy; None where nobody knows which package manager a system has."""


_BY_RECORD = {
    "asdf": ("asdf", "asdf install {tool} latest && asdf set -u {tool} latest"),
    "mise": ("mise", "mise upgrade {tool}"),
    "pixi": ("pixi", "pixi global update {tool}"),
    "scoop": ("Scoop", "scoop update {tool}"),
    "scoop --global": ("Scoop", "scoop update {tool} --global"),
}
"""What each of these managers is called, and its command; their folders can lie anywhere."""

_BY_PROXY = {
    "aqua-proxy": Owner(name="aqua", command="aqua update uv"),
    "mise": Owner(name="mise", command="mise upgrade uv"),
}
"""Programs that a manager's links lead to, in the place of all that it manages."""

_BY_FOLDER = (
    (Owner(name="Homebrew", command="brew upgrade uv"), "Cellar/uv"),
    (
        Owner(name="winget", command="winget upgrade --id astral-sh.uv"),
        "WinGet/Packages",
        "WinGet/Links",
    ),
    (Owner(name="Scoop", command="scoop update uv"), "scoop/apps/uv", "scoop/shims"),
    (Owner(name="Chocolatey", command="choco upgrade uv"), "chocolatey/lib", "chocolatey/bin"),
    (Owner(name="mise", command="mise upgrade uv"), "mise/installs/uv", "mise/shims"),
    (
        Owner(name="asdf", command="asdf install uv latest && asdf set -u uv latest"),
        ".asdf/installs/uv",
        ".asdf/shims",
    ),
    (
        Owner(name="aqua", command="aqua update uv"),
        "aquaproj-aqua/bin",
        "pkgs/github_release/github.com/astral-sh/uv",
    ),
    (
        Owner(name="proto", command="proto install uv latest --pin global"),
        ".proto/tools/uv",
        ".proto/shims",
    ),
    (Owner(name="pixi", command="pixi global update uv"), ".pixi/bin"),
    (
        Owner(name="pyenv", command="pyenv exec python -m pip install --upgrade uv"),
        ".pyenv/shims",
        "pyenv/shims",
        "pyenv-win/shims",
    ),
)
"""Folders that a package manager has to itself, wherever on the machine they lie."""

_BY_ROOT = (
    (Owner(name="Nix", command="nix profile upgrade uv"), "/nix/store"),
    (Owner(name="Guix", command="guix upgrade uv"), "/gnu/store"),
    (Owner(name="snap", command="sudo snap refresh astral-uv"), "/snap"),
)
"""And folders of the whole machine that a package manager has to itself."""

_BY_SYSTEM = {
    "alpine": Owner(name="apk", command="sudo apk upgrade uv"),
    "arch": Owner(name="pacman", command="sudo pacman -Syu uv"),
    "debian": Owner(name="apt", command="sudo apt install --only-upgrade uv"),
    "fedora": Owner(name="dnf", command="sudo dnf upgrade uv"),
    "gentoo": Owner(name="portage", command="sudo emerge --update dev-python/uv"),
    "opensuse": Owner(name="zypper", command="sudo zypper update uv"),
    "rhel": Owner(name="dnf", command="sudo dnf upgrade uv"),
    "suse": Owner(name="zypper", command="sudo zypper update uv"),
    "ubuntu": Owner(name="apt", command="sudo apt install --only-upgrade uv"),
    "void": Owner(name="xbps", command="sudo xbps-install -Su uv"),
}


def owner_of(copy: Copy) -> Owner | None:
    """Return what has installed a copy of uv; None for the standalone installer, or by hand."""
    around = copy.around
    kind = PureWindowsPath if around.windows else PurePosixPath
    path, resolved = kind(copy.path), kind(copy.resolved)
    return (
        _of_record(around)
        or _BY_PROXY.get(resolved.stem)
        or _of_folder(path, resolved)
        or _of_environment(resolved, around)
        or _of_package(resolved, around)
        or (Owner(name="cargo", command="cargo install --locked uv") if around.crate else None)
        or _of_system(path, resolved, around)
    )


def _of_record(around: Surroundings) -> Owner | None:
    if around.record is None:
        return None
    name, command = _BY_RECORD[around.record.manager]
    return Owner(name=name, command=command.format(tool=_quoted(around.record.tool, around)))


def _of_folder(path: PurePath, resolved: PurePath) -> Owner | None:
    for owner, *folders in _BY_FOLDER:
        if any(_lies_in(file, folder) for file in (path, resolved) for folder in folders):
            return owner
    return None


def _lies_in(file: PurePath, folder: str) -> bool:
    """Return whether the names of a folder stand one after the other above a file."""
    names = type(file)(folder).parts
    # Paths of Windows are compared without regard to case, and those of Unix with it.
    return any(
        type(file)(*file.parent.parts[at : at + len(names)]) == type(file)(*names)
        for at in range(len(file.parent.parts))
    )


def _of_environment(resolved: PurePath, around: Surroundings) -> Owner | None:
    """Find an environment that has a bin folder of its own, and perhaps a tool that made it."""
    prefix = resolved.parent.parent
    name = _quoted(prefix.name, around)
    main = prefix.name == "uv"
    if around.conda:
        if ".pixi" in resolved.parts:
            return Owner(name="pixi", command="pixi update uv")
        return Owner(
            name="conda", command=f"conda update --prefix {_quoted(around.conda, around)} uv"
        )
    if "uv-receipt.toml" in around.names:
        return Owner(name="`uv tool`", command=f"uv tool upgrade {name}")
    if "pipx_metadata.json" in around.names:
        other = f"pipx runpip {name} install --upgrade uv"
        return Owner(name="pipx", command="pipx upgrade uv" if main else other)
    if "pyvenv.cfg" not in around.names:
        return None
    place = f"the virtual environment {prefix}"
    if around.installer == "uv":
        command = f"uv pip install --python {_quoted(prefix, around)} --upgrade uv"
        return Owner(name=place, command=command)
    python = resolved.parent / ("python.exe" if around.windows else "python")
    command = f"{_quoted(python, around)} -m pip install --upgrade uv"
    return Owner(name=place, command=command)


def _of_package(resolved: PurePath, around: Surroundings) -> Owner | None:
    """Find a Python outside of a virtual environment whose package uv is."""
    inside = {"site-packages", "dist-packages"} & {part.lower() for part in resolved.parts[:-1]}
    if not (around.installer or inside):
        return None
    python = f"python{around.python}"
    if around.windows:
        python = f"py -{around.python}" if around.python else "py"
    prefix = resolved.parent.parent
    own = prefix.name == ".local" or "appdata" in {part.lower() for part in resolved.parts}
    if around.installer == "uv" and not own:
        return Owner(name="uv pip", command="uv pip install --system --upgrade uv")
    user = "--user " if own else ""
    return Owner(name="pip", command=f"{python} -m pip install {user}--upgrade uv")


def _of_system(path: PurePath, resolved: PurePath, around: Surroundings) -> Owner | None:
    """Find a package manager of the whole system, by the folders that it has to itself."""
    if around.windows:
        return None
    for owner, root in _BY_ROOT:
        if path.is_relative_to(root) or resolved.is_relative_to(root):
            return owner
    if resolved.is_relative_to("/opt/local") and not around.systems:
        return Owner(name="MacPorts", command="sudo port upgrade uv")
    own = any(resolved.is_relative_to(folder) for folder in ("/usr", "/bin", "/sbin"))
    if not own or resolved.is_relative_to("/usr/local"):
        return None
    known = (_BY_SYSTEM[name] for name in around.systems if name in _BY_SYSTEM)
    return next(known, Owner(name="the operating system", command=None))


def _quoted(word: object, around: Surroundings) -> str:
    """Write a word as a shell of that system reads it."""
    text = str(word)
    if around.windows:
        return f'"{text}"' if " " in text else text
    return shlex.quote(text)
