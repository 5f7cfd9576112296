"""`uv-self-update mirror`: a directory of releases for other machines."""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from uv_self_update.cli.help import Command
from uv_self_update.cli.options import OF_UV
from uv_self_update.cli.passphrase import with_passphrase
from uv_self_update.cli.terminal import Terminal
from uv_self_update.errors import UsageError
from uv_self_update.messages import shown
from uv_self_update.platforms import triple_of
from uv_self_update.releases.target import NEWEST, parse_target
from uv_self_update.sources.opened import OpenSources
from uv_self_update.uv.process import Signals
from uv_self_update.workflow.check import UPDATE_DUE
from uv_self_update.workflow.mirror.fill import Filled, Selection, fill
from uv_self_update.workflow.mirror.store import Store
from uv_self_update.workflow.mirror.verify import verify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.cli.invocation import Invocation

_URL = re.compile(r"https?://[A-Za-z0-9._~:\[\]-]+(?:/[A-Za-z0-9._~%+/-]*)?")
"""What installers and pages can contain without being escaped."""


@click.command(
    cls=Command,
    options=OF_UV,
    examples=(
        "uv-self-update mirror /srv/uv --url https://uv.example.com/",
        "uv-self-update mirror /srv/uv --limit 5 --keep 10 --platform x86_64-unknown-linux-gnu",
        "uv-self-update mirror /srv/uv --versions '>=0.12'",
        "uv-self-update mirror /srv/uv --check",
    ),
)
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(1),
    help="Mirror the newest N releases. The default is 1, and all with `--versions`.",
)
@click.option("--versions", metavar="SPECIFIER", help="Mirror these releases, such as `>=0.12`.")
@click.option(
    "--platform",
    "triples",
    metavar="TRIPLE",
    multiple=True,
    help="Mirror this platform, such as `x86_64-unknown-linux-gnu`; can be repeated. The default "
    "is all platforms.",
)
@click.option(
    "--url",
    metavar="URL",
    help="Where the directory will be served; needed once, for plain uv with "
    "`UV_INSTALLER_GHE_BASE_URL`.",
)
@click.option(
    "--keep", metavar="N", type=click.IntRange(1), help="Remove all but the newest N releases."
)
@click.option("--no-wheels", is_flag=True, help="Do not make a package index of wheels.")
@click.option(
    "--check",
    "only_check",
    is_flag=True,
    help="Verify every file, and change nothing. "
    f"The exit code is {UPDATE_DUE} if anything is missing or changed.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
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
) -> None:
    """Fill a directory with releases for other machines.

    Any web server, share or bucket can serve it. uv updates from it with UV_ASTRAL_MIRROR_URL or
    UV_INSTALLER_GHE_BASE_URL, uv-self-update with `--source`, and uv and pip install from its
    package index. A later run fetches only what is new.
    """
    store = Store(root=directory.absolute())
    if only_check:
        click.get_current_context().exit(_checked(invocation, store, as_json=as_json))
    selection = Selection(
        wanted=NEWEST if versions is None else parse_target(versions),
        limit=limit or (1 if versions is None else None),
        triples=frozenset(map(_triple, triples)),
        url=None if url is None else _served_at(url),
        keep=keep,
        wheels=not no_wheels,
    )
    Terminal(["-q"] * invocation.quiet + ["-v"] * invocation.verbose, invocation.environ)
    settings = with_passphrase(invocation.settings(), invocation.environ)
    uv = invocation.uv_or_name()
    with (
        Signals(),
        closing(OpenSources(settings, uv=uv, environ=invocation.environ)) as opened,
    ):
        filled = fill(opened, store, selection)
    if as_json:
        click.echo(json.dumps(vars(filled), indent=2))
    else:
        invocation.tell(_described(filled, directory))


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
