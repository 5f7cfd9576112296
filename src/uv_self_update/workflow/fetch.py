"""The packages of private releases that a project needs, fetched into a directory beside it.

1. uv resolves the project, or all of its workspace, through the index of the releases
   (`uv pip compile --universal`). It keeps the versions that `uv.lock` has.
2. Every file of the versions that come from the releases is fetched, for all platforms, unless the
   directory has it already. A file is only put there once its sha256 is right.
3. A page is written that uv reads as a flat index. Nothing of ours runs when it is installed from.

A run that was interrupted leaves whole files only, and the next one goes on after them. `check`
needs neither uv nor a network: it compares the directory, its page and `uv.lock`.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.errors import DigestMismatch, NoProject, NotConfigured, NotResolved, NotStored
from uv_self_update.files import content_of, strerror, write_atomically
from uv_self_update.releases import flat_index
from uv_self_update.temporary import private_directory, remove_abandoned
from uv_self_update.uv import lock
from uv_self_update.uv.configuration import UnusableFile
from uv_self_update.uv.proxies import environment_through
from uv_self_update.uv.workspace import Workspace
from uv_self_update.values import frozen
from uv_self_update.workflow.serving import refuse_unreachable, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from uv_self_update.errors import UvSelfUpdateError
    from uv_self_update.releases.distribution import Claim, Distribution
    from uv_self_update.sources.packages.interface import PackageRepository
    from uv_self_update.workflow.packages_job import PackagesJob
    from uv_self_update.workflow.serving import Serving

DEFAULT = "packages"
"""The directory, beside pyproject.toml."""

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;]+)", re.MULTILINE)
_PART = ".uv-self-update-part"


@frozen
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


@frozen
class Project:
    """A project, and the directory of its packages."""

    workspace: Workspace
    directory: Path

    @classmethod
    def find(cls, current: Path, directory: Path | None) -> Project:
        """Return the project that a directory belongs to: the root of its workspace.

        Args:
            current: The current directory.
            directory: Where its packages are, relative to the current directory; None for
                `packages` beside pyproject.toml.

        Raises:
            NoProject: There is no pyproject.toml, or it cannot be read.
        """
        try:
            workspace = Workspace.find(current)
        except UnusableFile as error:
            raise NoProject(current, str(error)) from error
        if workspace is None:
            raise NoProject(current)
        named = workspace.root / DEFAULT if directory is None else current / directory
        return cls(workspace=workspace, directory=Path(os.path.normpath(named)))

    @property
    def root(self) -> Path:
        """The directory of its pyproject.toml."""
        return self.workspace.root

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

    def configuration(self) -> str | None:
        """Return the lines that pyproject.toml lacks; None if it has them."""
        tool = self.workspace.table.get("tool")
        uv = tool.get("uv") if isinstance(tool, dict) else None
        indexes = uv.get("index") if isinstance(uv, dict) else None
        for index in indexes if isinstance(indexes, list) else []:
            url = index.get("url") if isinstance(index, dict) else None
            if isinstance(url, str) and os.path.normpath(self.root / url) == str(self.page):
                return None
        return f'[[tool.uv.index]]\nurl = "{self.url}"\nformat = "flat"\n'


def check(project: Project, claims: Sequence[Claim]) -> list[str]:
    """Return what is missing, or not as it was fetched, a line each.

    Raises:
        NotConfigured: Nothing was fetched, and no releases are configured to fetch from.
    """
    listed = project.listed()
    if not project.page.is_file():
        if not claims:
            raise NotConfigured
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
    named = [claim for claim in claims if claim.named]
    strangers = lock.strangers(
        project.root / lock.NAME,
        ours=lambda name: any(claim.covers(name) for claim in named),
        registries=(),
    )
    found += [f"{one.name} {one.version} is from {one.registry} in uv.lock" for one in strangers]
    return found


def fetch(job: PackagesJob, project: Project, *, upgrade: bool) -> Fetched:
    """Fetch what the project needs.

    Args:
        job: Where packages come from.
        project: The project.
        upgrade: Whether newer versions are taken than those in uv.lock.

    Raises:
        NotConfigured: No releases are configured.
        ProxyKeys: uv takes its proxies from a file.
        ProxyUnusable: An index of the user's is behind a proxy that cannot be used.
        NotResolved: uv finds no versions that go together.
        NotStored: The directory cannot be written.
        SourceError: A file cannot be fetched.
    """
    refuse_unreachable(job, project.root)
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
            for part in project.directory.glob(f"*{_PART}"):  # of a run that was killed
                part.unlink()
        except OSError as error:
            raise NotStored(project.directory, strerror(error)) from error
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
    workspace = project.workspace
    command = [str(job.uv), "pip", "compile", *workspace.sources(), "--universal", "--quiet"]
    command += ["--no-header", "--no-annotate"]
    if python := workspace.python():
        # Otherwise the interpreter's version is the lowest, and older ones are left out.
        command += ["--python-version", python]
    pins = [] if upgrade else [*lock.pins(project.root / lock.NAME)]
    found: set[tuple[str, str]] = set()
    remove_abandoned()
    with private_directory() as place:
        for number, selection in enumerate(workspace.selections()):
            output = place / f"{number}.txt"
            output.write_text("".join(f"{name}=={version}\n" for name, version in pins))
            done = subprocess.run(  # noqa: S603 # the user's own uv
                [*command, *selection, "-o", str(output)],
                env=environ,
                cwd=project.root,
                capture_output=True,
                check=False,
            )
            if done.returncode != 0:
                reasons = [failure.error for failure in active.index.failures]
                if reasons:
                    raise reasons[0]
                raise NotResolved(done.stderr.decode(errors="replace").strip())
            found |= set(_PIN.findall(output.read_text(encoding="utf-8")))
    return found


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
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
