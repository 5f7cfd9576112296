"""`uv-self-update mirror`: a directory of releases for other machines."""

from __future__ import annotations

import json
import re
from contextlib import closing
from typing import TYPE_CHECKING

import click

from uv_self_update.errors import UsageError
from uv_self_update.messages import shown
from uv_self_update.platforms import triple_of
from uv_self_update.releases.target import NEWEST, parse_target
from uv_self_update.sources.opened import OpenSources
from uv_self_update.uv.process import SignalReceived, Signals
from uv_self_update.workflow.check import UPDATE_DUE
from uv_self_update.workflow.mirror.fill import Filled, fill
from uv_self_update.workflow.mirror.record import Selection
from uv_self_update.workflow.mirror.store import Store
from uv_self_update.workflow.mirror.together import Together
from uv_self_update.workflow.mirror.verify import verify

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from uv_self_update.cli.invocation import Invocation

_URL = re.compile(r"https?://[A-Za-z0-9._~:\[\]-]+(?:/[A-Za-z0-9._~%+/-]*)?")
"""What installers and pages can contain without being escaped."""


def mirror(  # noqa: PLR0913 # one for each option
    invocation: Invocation,
    *,
    directory: Path,
    limit: int | None,
    versions: str | None,
    triples: Sequence[str],
    url: str | None,
    keep: int | None,
    no_wheels: bool,
    only_check: bool,
    as_json: bool,
) -> int:
    """Fill a directory with releases for other machines."""
    store = Store(root=directory.absolute())
    if only_check:
        return _checked(invocation, store, as_json=as_json)
    selection = Selection(
        wanted=NEWEST if versions is None else parse_target(versions),
        limit=limit or (1 if versions is None else None),
        triples=frozenset(map(_triple, triples)),
        url=None if url is None else _served_at(url),
        keep=keep,
        wheels=not no_wheels,
    )
    settings = invocation.unlocked_settings()
    uv = invocation.uv_or_name()
    progress = Together(invocation.progress)
    environ = invocation.environ
    try:
        with (
            Signals(),
            closing(OpenSources(settings, uv=uv, environ=environ, progress=progress)) as opened,
        ):
            filled = fill(opened, store, selection, progress)
    except SignalReceived as error:
        error.add_note("complete files were kept, and the next run fetches the others")
        raise
    if as_json:
        click.echo(json.dumps(vars(filled), indent=2))
    else:
        invocation.tell(_described(filled, directory))
    return 0


def _checked(invocation: Invocation, store: Store, *, as_json: bool) -> int:
    """Print what is wrong, and return the exit code."""
    problems = [*verify(store)]
    if as_json:
        versions = [held.version for held in store.record().newest_first]
        click.echo(json.dumps({"held": versions, "problems": problems}, indent=2))
    else:
        for problem in problems or [f"{store.root} is complete"]:
            invocation.tell(problem)
    return UPDATE_DUE if problems else 0


def _triple(text: str) -> str:
    if triple_of(f"uv-{text}.tar.gz") != text:
        message = f"invalid value `{shown(text)}` for `--platform`: expected a target triple"
        raise UsageError(message, hint="As in `x86_64-unknown-linux-gnu`.")
    return text


def _served_at(url: str) -> str:
    if not _URL.fullmatch(url):
        message = f"invalid value `{shown(url)}` for `--url`: expected the URL of a directory"
        raise UsageError(message, hint="As in `https://uv.example.com/`, without credentials.")
    return url.rstrip("/") + "/"


def _described(filled: Filled, directory: Path) -> str:
    lines = [f"+ uv {version}" for version in filled.added]
    lines += [f"- uv {version}" for version in filled.removed]
    count = len(filled.held)
    releases = "1 release" if count == 1 else f"{count} releases"
    lines.append(f"{directory} has {releases} ({filled.size / 1e6:.1f} MB fetched)")
    return "\n".join(lines)
