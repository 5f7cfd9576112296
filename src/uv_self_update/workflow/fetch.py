"""The packages of private releases that a project needs, fetched into a directory beside it.

1. uv resolves the project through the index of the releases (`uv pip compile --universal`). It
   keeps the versions that `uv.lock` has.
2. Every file of the versions that come from the releases is fetched, for all platforms, unless the
   directory has it already. A file is only put there once its sha256 is right.
3. A page is written that uv reads as a flat index. Nothing of ours runs when it is installed from.

`check` needs neither uv nor a network: it compares the directory, its page and `uv.lock`.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uv_self_update.errors import DigestMismatch, NoProject, NotResolved, NotStored
from uv_self_update.files import content_of, write_atomically
from uv_self_update.releases import flat_index
from uv_self_update.uv import lock
from uv_self_update.uv.configuration import UnusableFile, load
from uv_self_update.uv.proxies import environment_through
from uv_self_update.workflow.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from uv_self_update.errors import UvSelfUpdateError
    from uv_self_update.releases.distribution import Distribution
    from uv_self_update.sources.packages.interface import PackageRepository
    from uv_self_update.workflow.serving import PackagesJob, Serving

DEFAULT = "packages"
"""The directory, beside pyproject.toml."""

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;]+)", re.MULTILINE)
_PART = ".part"
_READ = 1 << 20  # bytes at a time


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What has changed."""

    page: Path
    files: int
    """How many files the directory holds."""

    added: Sequence[str]
    removed: Sequence[str]
    configuration: str | None
    """What pyproject.toml lacks; None if it names the page already."""

    errors: Sequence[UvSelfUpdateError] = ()


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project, and the directory of its packages."""

    root: Path
    directory: Path

    @classmethod
    def find(cls, current: Path, directory: Path | None) -> Project:
        """Return the project that a directory belongs to.

        Args:
            current: The current directory.
            directory: Where its packages are, relative to the current directory; None for
                `packages` beside pyproject.toml.

        Raises:
            NoProject: There is no pyproject.toml.
        """
        for place in (current, *current.parents):
            if (place / "pyproject.toml").is_file():
                named = place / DEFAULT if directory is None else current / directory
                return cls(root=place, directory=Path(os.path.normpath(named)))
        raise NoProject(current)

    @property
    def page(self) -> Path:
        """The page."""
        return self.directory / flat_index.PAGE

    @property
    def url(self) -> str:
        """The page as pyproject.toml and uv.lock name it."""
        with suppress(ValueError):  # on Windows, from one drive to another
            return Path(os.path.relpath(self.page, self.root)).as_posix()
        return self.page.as_posix()

    def listed(self) -> dict[str, str]:
        """Return what the page lists: file name -> sha256."""
        return flat_index.parse(content_of(self.page) or b"")

    def table(self) -> Mapping[str, Any]:
        """Return what is in pyproject.toml.

        Raises:
            NoProject: It cannot be read.
        """
        try:
            return load(self.root / "pyproject.toml")
        except UnusableFile as error:
            raise NoProject(self.root, str(error)) from error

    def configuration(self) -> str | None:
        """Return the lines that pyproject.toml lacks; None if it has them."""
        tool = self.table().get("tool")
        uv = tool.get("uv") if isinstance(tool, dict) else None
        indexes = uv.get("index") if isinstance(uv, dict) else None
        for index in indexes if isinstance(indexes, list) else []:
            url = index.get("url") if isinstance(index, dict) else None
            if isinstance(url, str) and os.path.normpath(self.root / url) == str(self.page):
                return None
        return f'[[tool.uv.index]]\nurl = "{self.url}"\nformat = "flat"\n'


def check(project: Project) -> list[str]:
    """Return what is missing, or not as it was fetched, a line each."""
    listed = project.listed()
    if not project.page.is_file():
        return [f"{project.page} is missing"]
    found = []
    for name, sha256 in listed.items():
        held = _sha256(project.directory / name)
        if held != sha256:
            found.append(f"{name} is {'missing' if held is None else 'changed'}")
    locked = lock.flat_files(project.root / lock.NAME, project.url)
    for name, expected in locked.items():
        if name not in listed:
            found.append(f"{name} is in uv.lock, and not in {flat_index.PAGE}")
        elif expected not in {None, listed[name]}:
            found.append(f"{name} has another hash in uv.lock")
    return found


def fetch(job: PackagesJob, project: Project, *, upgrade: bool) -> Fetched:
    """Fetch what the project needs.

    Args:
        job: Where packages come from.
        project: The project.
        upgrade: Whether newer versions are taken than those in uv.lock.

    Raises:
        NotConfigured: No releases are configured.
        NotResolved: uv finds no versions that go together.
        NotStored: The directory cannot be written.
        SourceError: A file cannot be fetched.
    """
    before = project.listed()
    with serving(job) as active:
        try:
            if not project.page.is_file():
                # uv refuses an index without its page, which pyproject.toml may name already.
                project.directory.mkdir(parents=True, exist_ok=True)
                write_atomically(project.page, flat_index.render({}))
            pins = _resolved(job, project, active, upgrade=upgrade)
            files = dict(_needed(active, pins))
            added = [
                name
                for name, (repository, file, sha256) in files.items()
                if _fetch(project.directory / name, repository, file, sha256)
            ]
            page = {name: sha256 for name, (_, _, sha256) in files.items()}
            write_atomically(project.page, flat_index.render(page))
            removed = [name for name in before if name not in files]
            for name in removed:
                (project.directory / name).unlink(missing_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise NotStored(project.directory, reason) from error
        strangers = active.strangers(lock.files(project.root))
    return Fetched(
        page=project.page,
        files=len(files),
        added=added,
        removed=removed,
        configuration=project.configuration(),
        errors=strangers,
    )


def _resolved(
    job: PackagesJob, project: Project, active: Serving, *, upgrade: bool
) -> set[tuple[str, str]]:
    """Return every name and version that uv takes for the project, on all platforms."""
    environ = environment_through(active.variables(job.environ), active.proxy, active.hosts)
    groups = project.table().get("dependency-groups")
    names = [word for name in (groups or ()) for word in ("--group", str(name))]
    with tempfile.TemporaryDirectory(prefix="uv-self-update-") as place:
        output = Path(place, "requirements.txt")
        pins = () if upgrade else lock.pins(project.root / lock.NAME)
        output.write_text("".join(f"{name}=={version}\n" for name, version in pins))
        command = [str(job.uv), "pip", "compile", "pyproject.toml", "--universal", "--all-extras"]
        command += [*names, "--quiet", "--no-header", "--no-annotate", "-o", str(output)]
        done = subprocess.run(  # noqa: S603 # the user's own uv
            command, env=environ, cwd=project.root, capture_output=True, check=False
        )
        if done.returncode != 0:
            reasons = [failure.error for failure in active.index.failures]
            if reasons:
                raise reasons[0]
            raise NotResolved(done.stderr.decode(errors="replace").strip())
        return set(_PIN.findall(output.read_text(encoding="utf-8")))


def _needed(
    active: Serving, pins: set[tuple[str, str]]
) -> Iterator[tuple[str, tuple[PackageRepository, Distribution, str]]]:
    """Yield every file of the versions that the releases hold, by its name, with its sha256."""
    from packaging.utils import canonicalize_name  # noqa: PLC0415 # slow, and few commands need it
    from packaging.version import Version  # noqa: PLC0415 # as above

    wanted = {(canonicalize_name(name), Version(version)) for name, version in pins}
    for project in sorted({name for name, _ in wanted}):
        for served in active.served:
            covered = served.claim.covers(project)
            files = served.files_of(project, active.digests) if covered else []
            if files:
                needed = [file for file in files if (project, file.version) in wanted]
                digests = active.digests.of(served.repository, needed)
                for file, sha256 in zip(needed, digests, strict=True):
                    yield file.filename, (served.repository, file, sha256)
                break


def _fetch(path: Path, repository: PackageRepository, file: Distribution, sha256: str) -> bool:
    """Put a file in its place, unless it is there; return whether it was fetched."""
    if _sha256(path) == sha256:
        return False
    part = path.with_name(path.name + _PART)
    digest = hashlib.sha256()
    try:
        with repository.open(file) as download, part.open("wb") as opened:
            for chunk in download.chunks:
                digest.update(chunk)
                opened.write(chunk)
        if digest.hexdigest() != sha256:
            raise DigestMismatch(
                file.filename, repository.name, expected=sha256, got=digest.hexdigest()
            )
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return True


def _sha256(path: Path) -> str | None:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_READ):
                digest.update(chunk)
    except OSError:
        return None
    return digest.hexdigest()
