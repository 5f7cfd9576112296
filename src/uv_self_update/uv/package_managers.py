"""Which package manager has installed a copy of uv, and so updates it; nothing is read here."""

from __future__ import annotations

import shlex
from pathlib import PurePath, PurePosixPath, PureWindowsPath

from uv_self_update.values import frozen


@frozen
class Record:
    """A package manager's own record of a copy."""

    manager: str
    """The `record` of one of `MANAGERS`."""

    tool: str
    """The manager's name of the copy: mise knows a uv as `uv`, or as `aqua:astral-sh/uv`."""


@frozen
class Evidence:
    """The facts on the disk that tell which package manager has installed a copy of uv."""

    windows: bool = False
    names: frozenset[str] = frozenset()
    """The names of files in the parent of the executables' directory."""

    record: Record | None = None

    conda: str = ""
    """The path of the environment in which conda has a record of uv."""

    installer: str = ""
    """The installer of the Python package that contains this very file: `pip`, `uv`."""

    python: str = ""
    """The version of the Python that this package was installed for: `3.12`."""

    crate: bool = False
    """Whether cargo has a record of uv there."""

    systems: tuple[str, ...] = ()
    """`ID` and `ID_LIKE` of the distribution, in order; empty except on Linux."""


@frozen
class Owner:
    """The package manager, or the environment, that a copy belongs to."""

    name: str
    command: str | None
    """What updates this copy; None if the package manager of a system is unknown."""


@frozen
class Manager:
    """A package manager that is known by a record, a path, or its operating system."""

    name: str
    command: str
    """What updates a copy; `{tool}` is the manager's name of it, `uv` without a record."""

    directories: tuple[str, ...] = ()
    """Parts of paths that only this manager uses, wherever they are."""

    root: str = ""
    """An absolute path that only this manager uses."""

    record: str = ""
    """Its name in a `Record`; its directories can be anywhere."""

    proxy: str = ""
    """The name of a program that its links lead to, in place of the programs that it manages."""

    systems: tuple[str, ...] = ()
    """The distributions whose package manager it is, by `ID` or `ID_LIKE`."""


MANAGERS = (
    Manager(name="Homebrew", command="brew upgrade uv", directories=("Cellar/uv",)),
    Manager(
        name="winget",
        command="winget upgrade --id astral-sh.uv",
        directories=("WinGet/Packages", "WinGet/Links"),
    ),
    Manager(
        name="Scoop",
        command="scoop update {tool}",
        directories=("scoop/apps/uv", "scoop/shims"),
        record="scoop",
    ),
    Manager(name="Scoop", command="scoop update {tool} --global", record="scoop --global"),
    Manager(
        name="Chocolatey",
        command="choco upgrade uv",
        directories=("chocolatey/lib", "chocolatey/bin"),
    ),
    Manager(
        name="mise",
        command="mise upgrade {tool}",
        directories=("mise/installs/uv", "mise/shims"),
        record="mise",
        proxy="mise",
    ),
    Manager(
        name="asdf",
        command="asdf install {tool} latest && asdf set -u {tool} latest",
        directories=(".asdf/installs/uv", ".asdf/shims"),
        record="asdf",
    ),
    Manager(
        name="aqua",
        command="aqua update uv",
        directories=("aquaproj-aqua/bin", "pkgs/github_release/github.com/astral-sh/uv"),
        proxy="aqua-proxy",
    ),
    Manager(
        name="proto",
        command="proto install uv latest --pin global",
        directories=(".proto/tools/uv", ".proto/shims"),
    ),
    Manager(
        name="pixi",
        command="pixi global update {tool}",
        directories=(".pixi/bin",),
        record="pixi",
    ),
    Manager(
        name="pyenv",
        command="pyenv exec python -m pip install --upgrade uv",
        directories=(".pyenv/shims", "pyenv/shims", "pyenv-win/shims"),
    ),
    Manager(name="Nix", command="nix profile upgrade uv", root="/nix/store"),
    Manager(name="Guix", command="guix upgrade uv", root="/gnu/store"),
    Manager(name="snap", command="sudo snap refresh astral-uv", root="/snap"),
    Manager(name="apk", command="sudo apk upgrade uv", systems=("alpine",)),
    Manager(name="pacman", command="sudo pacman -Syu uv", systems=("arch",)),
    Manager(
        name="apt",
        command="sudo apt install --only-upgrade uv",
        systems=("debian", "ubuntu"),
    ),
    Manager(name="dnf", command="sudo dnf upgrade uv", systems=("fedora", "rhel")),
    Manager(name="portage", command="sudo emerge --update dev-python/uv", systems=("gentoo",)),
    Manager(name="zypper", command="sudo zypper update uv", systems=("opensuse", "suse")),
    Manager(name="xbps", command="sudo xbps-install -Su uv", systems=("void",)),
)


def owner_of(path: str, resolved: str, evidence: Evidence) -> Owner | None:
    """Return the owner of a copy of uv; None for the standalone installer, or a manual copy.

    Args:
        path: The copy, as found on PATH.
        resolved: The same with links resolved.
        evidence: What has installed it.
    """
    kind = PureWindowsPath if evidence.windows else PurePosixPath
    named, file = kind(path), kind(resolved)
    return (
        _of_manager(named, file, evidence)
        or _of_environment(file, evidence)
        or _of_package(file, evidence)
        or (Owner(name="cargo", command="cargo install --locked uv") if evidence.crate else None)
        or _of_system(named, file, evidence)
    )


def _of_manager(path: PurePath, resolved: PurePath, evidence: Evidence) -> Owner | None:
    """Find a manager by its record, by its proxy, or by its directories, in this order."""
    if record := evidence.record:
        manager = next(one for one in MANAGERS if one.record == record.manager)
        return _owner(manager, _quoted(record.tool, evidence))
    for manager in MANAGERS:
        if manager.proxy == resolved.stem:
            return _owner(manager)
    for manager in MANAGERS:
        if any(_is_in(file, one) for file in (path, resolved) for one in manager.directories):
            return _owner(manager)
    return None


def _owner(manager: Manager, tool: str = "uv") -> Owner:
    return Owner(name=manager.name, command=manager.command.format(tool=tool))


def _is_in(file: PurePath, directory: str) -> bool:
    """Return whether a relative path is a part of the path of a file's directory."""
    names = type(file)(directory).parts
    # Paths of Windows are compared without regard to case, and those of Unix with it.
    return any(
        type(file)(*file.parent.parts[at : at + len(names)]) == type(file)(*names)
        for at in range(len(file.parent.parts))
    )


def _of_environment(resolved: PurePath, evidence: Evidence) -> Owner | None:
    """Find an environment with a `bin` directory of its own, and the tool that has made it."""
    prefix = resolved.parent.parent
    name = _quoted(prefix.name, evidence)
    main = prefix.name == "uv"
    if evidence.conda:
        if ".pixi" in resolved.parts:
            return Owner(name="pixi", command="pixi update uv")
        return Owner(
            name="conda", command=f"conda update --prefix {_quoted(evidence.conda, evidence)} uv"
        )
    if "uv-receipt.toml" in evidence.names:
        return Owner(name="`uv tool`", command=f"uv tool upgrade {name}")
    if "pipx_metadata.json" in evidence.names:
        other = f"pipx runpip {name} install --upgrade uv"
        return Owner(name="pipx", command="pipx upgrade uv" if main else other)
    if "pyvenv.cfg" not in evidence.names:
        return None
    named = f"the virtual environment {prefix}"
    if evidence.installer == "uv":
        command = f"uv pip install --python {_quoted(prefix, evidence)} --upgrade uv"
        return Owner(name=named, command=command)
    python = resolved.parent / ("python.exe" if evidence.windows else "python")
    command = f"{_quoted(python, evidence)} -m pip install --upgrade uv"
    return Owner(name=named, command=command)


def _of_package(resolved: PurePath, evidence: Evidence) -> Owner | None:
    """Find a Python, outside of a virtual environment, that has uv as a package."""
    inside = {"site-packages", "dist-packages"} & {part.lower() for part in resolved.parts[:-1]}
    if not (evidence.installer or inside):
        return None
    python = f"python{evidence.python}"
    if evidence.windows:
        python = f"py -{evidence.python}" if evidence.python else "py"
    prefix = resolved.parent.parent
    own = prefix.name == ".local" or "appdata" in {part.lower() for part in resolved.parts}
    if evidence.installer == "uv" and not own:
        return Owner(name="uv pip", command="uv pip install --system --upgrade uv")
    user = "--user " if own else ""
    return Owner(name="pip", command=f"{python} -m pip install {user}--upgrade uv")


def _of_system(path: PurePath, resolved: PurePath, evidence: Evidence) -> Owner | None:
    """Find a package manager of the whole system, by the directories that only it uses."""
    if evidence.windows:
        return None
    for manager in MANAGERS:
        if manager.root and any(file.is_relative_to(manager.root) for file in (path, resolved)):
            return _owner(manager)
    if resolved.is_relative_to("/opt/local") and not evidence.systems:
        return Owner(name="MacPorts", command="sudo port upgrade uv")
    own = any(resolved.is_relative_to(one) for one in ("/usr", "/bin", "/sbin"))
    if not own or resolved.is_relative_to("/usr/local"):
        return None
    known = (one for name in evidence.systems for one in MANAGERS if name in one.systems)
    return next(map(_owner, known), Owner(name="the operating system", command=None))


def _quoted(word: object, evidence: Evidence) -> str:
    text = str(word)
    if evidence.windows:
        return f'"{text}"' if " " in text else text
    return shlex.quote(text)
