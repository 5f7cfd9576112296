"""Every check, side by side; the report is in one order, whichever ends first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from functools import partial
from typing import TYPE_CHECKING

from uv_self_update.errors import UvSelfUpdateError
from uv_self_update.sources.index.uv_pip import UvPip
from uv_self_update.sources.opened import OpenSources
from uv_self_update.uv.executable import version_of
from uv_self_update.uv.process import Signals
from uv_self_update.values import field, frozen, replace
from uv_self_update.workflow.doctor import machine, reach, surroundings
from uv_self_update.workflow.doctor.finding import Finding, problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from uv_self_update.config.settings import Settings
    from uv_self_update.uv.installation import Installation

_SIDE_BY_SIDE = 64
"""More checks than there are, unless so many sources are configured."""

_PATIENCE = 3.0
"""Seconds for the index to name a newer version of this program, after all other checks."""


@frozen
class Patient:
    """What is examined."""

    environ: Mapping[str, str] = field(repr=False)
    settings: Settings | UvSelfUpdateError
    """The settings, or why they are invalid."""

    installation: Installation | UvSelfUpdateError
    """The uv to update, or why none was found."""

    files: tuple[Path, ...]
    """The configuration files; they need not exist."""


def examine(patient: Patient) -> list[Finding]:
    """Run every check, and return what they find; nothing is changed.

    Raises:
        SignalReceived: A signal came meanwhile.
    """
    settings, installation, environ = patient.settings, patient.installation, patient.environ
    with Signals(), ThreadPoolExecutor(_SIDE_BY_SIDE) as pool, ExitStack() as stack:
        if isinstance(settings, UvSelfUpdateError) or isinstance(installation, UvSelfUpdateError):
            results = [*pool.map(_settled, _checks(patient, None))]
        else:
            uv = installation.uv
            opened = stack.enter_context(closing(OpenSources(settings, uv=uv, environ=environ)))
            programs = stack.enter_context(closing(UvPip(uv, environ)))
            newer = pool.submit(_settled, partial(reach.newer_program, programs))
            results = [*pool.map(_settled, _checks(patient, opened))]
            wait([newer], timeout=_PATIENCE)
            programs.close()
            results.append(newer.result())
    return _judged([finding for findings in results for finding in findings])


def _settled(check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    return [*check()]


def _checks(
    patient: Patient, opened: OpenSources | None
) -> Iterator[Callable[[], Iterator[Finding]]]:
    """Yield the checks in the order of the report."""
    settings, installation, environ = patient.settings, patient.installation, patient.environ
    installed = None
    yield machine.program
    if isinstance(installation, UvSelfUpdateError):
        yield partial(machine.missing, installation, environ)
    else:
        usable = None if isinstance(settings, UvSelfUpdateError) else settings
        adopt = usable is not None and usable.adopt
        choice = "auto" if usable is None else usable.installer
        installed = version_of(installation.uv, installation.environ)
        yield partial(machine.copies, installation, installed)
        yield partial(machine.receipt, installation, installed, adopt_it=adopt)
        yield partial(machine.directory, installation, usable)
        yield partial(machine.held_files, installation)
        yield partial(machine.scripts, installation, choice)
        yield partial(surroundings.files_of_downloaders, environ, choice)
    yield machine.loopback
    yield partial(surroundings.variables, environ)
    if isinstance(settings, UvSelfUpdateError):
        yield lambda: iter([problem("configuration", settings)])
        return
    yield partial(surroundings.files, patient.files)
    index = any(source.kind in {"auto", "index"} for source in settings.sources)
    yield partial(surroundings.uv_toml, environ, index=index)
    if opened is None:
        return
    for number, section in enumerate(settings.sources):
        if section.url is not None and section.url.scheme != "file":
            yield partial(reach.route, section.url, environ)
        yield partial(reach.source, number, opened, installed=installed)


def _judged(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings; a source that fails is a warning if another one works."""
    of_sources = [each for each in findings if each.topic.startswith("source.")]
    works = any(each.state == "ok" for each in of_sources)
    return [
        replace(each, state="warning", code=0)
        if works and each in of_sources and each.code
        else each
        for each in findings
    ]
