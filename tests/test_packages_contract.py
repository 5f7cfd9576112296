"""What every kind of `[[releases]]` promises, asked of each.

A new kind is one row in `ROWS`: the server that simulates it.
"""

from __future__ import annotations

import re
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.simulator.dialect import PASSWORD
from support.simulator.packages import Packages, ReleaseOf, wheel
from uv_self_update.auth.credentials import Credential, Credentials, origin_of
from uv_self_update.config.kinds import KINDS as SOURCE_KINDS
from uv_self_update.config.kinds import SourceSettings
from uv_self_update.config.releases import KINDS, RELEASES_KEYS, ReleasesSettings
from uv_self_update.config.settings import Network
from uv_self_update.errors import SourceError
from uv_self_update.network.client import Upstream
from uv_self_update.redaction import Secret
from uv_self_update.sources.packages.registry import build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from uv_self_update.sources.packages.interface import PackageRepository

PAGE = Path(__file__).parents[1] / "docs" / "packages.md"

WHEEL = wheel("internal", "2.0")
SDIST = ("internal-1.0.tar.gz", b"a source archive")
RELEASES = [
    ReleaseOf(tag="v2", files={**dict([WHEEL]), "notes.txt": b"no package"}),
    ReleaseOf(tag="v1", files=dict([SDIST])),
    ReleaseOf(tag="v3rc1", files=dict([wheel("internal", "3.0rc1")]), prerelease=True),
]

ROWS: Mapping[str, Callable[..., Packages]] = {"github": Packages}
"""Kind -> the server, with the releases and the token `PASSWORD`."""

every = pytest.mark.parametrize("kind", ROWS)


@pytest.fixture
def repository(kind: str) -> Iterator[PackageRepository]:
    """Return the repository of a server, with its token."""
    with ROWS[kind](releases=RELEASES) as server:
        token = {"Authorization": Secret(f"Bearer {PASSWORD}")}
        known = {origin_of(server.url): Credential(headers=token, place="a test")}
        with opened(kind, server, Credentials(known)) as found:
            yield found


@contextmanager
def opened(kind: str, server: Packages, credentials: Credentials) -> Iterator[PackageRepository]:
    """Open the repository of a server, with some credentials."""
    upstream = Upstream(Network(timeout=10, retries=0), credentials, environ={})
    with closing(upstream):
        settings = ReleasesSettings(source=SourceSettings(kind=kind, url=server.place))
        yield build(settings, upstream)


def test_every_kind_has_a_row() -> None:
    """Each kind that can be configured is here, and no other."""
    assert set(ROWS) == set(KINDS)


def test_every_kind_and_key_is_on_the_page() -> None:
    """The page for users has each key in its table, and each kind as a value of `kind`."""
    text = PAGE.read_text(encoding="utf-8")
    table = re.search(r"^\| key of `\[\[releases\]\]`.*?\n\n", text, re.DOTALL | re.MULTILINE)
    assert table is not None
    (row,) = re.findall(r"^\| `kind` \| (.*) \|$", table[0], re.MULTILINE)
    keys = {"kind", *RELEASES_KEYS[-2:]}.union(*(SOURCE_KINDS[kind].fields for kind in KINDS))

    assert keys <= {*RELEASES_KEYS}
    assert [key for key in sorted(keys) if f"`{key}`" not in table[0]] == []
    assert [kind for kind in KINDS if f"`{kind}`" not in row] == []


@every
def test_distributions(repository: PackageRepository) -> None:
    """Wheels and source archives are listed with their release and digest; other files are not."""
    found = {file.filename: file for file in repository.distributions()}

    assert set(found) == {WHEEL[0], SDIST[0]}
    assert [str(found[name].version) for name in (WHEEL[0], SDIST[0])] == ["2.0", "1.0"]
    assert {file.tag for file in found.values()} == {"v1", "v2"}
    assert all(file.sha256 for file in found.values())


@every
def test_one_release(repository: PackageRepository) -> None:
    """The files of one release are found by its tag."""
    assert [file.filename for file in repository.of_tag("v1")] == [SDIST[0]]


@every
def test_content(repository: PackageRepository) -> None:
    """A file is sent as it was uploaded."""
    (file,) = repository.of_tag("v2")
    with repository.open(file) as download:
        assert b"".join(download.chunks) == WHEEL[1]


@every
def test_refused(kind: str) -> None:
    """Without credentials, the error names the repository."""
    with (
        ROWS[kind](releases=RELEASES) as server,
        opened(kind, server, Credentials()) as repository,
        pytest.raises(SourceError, match="acme/tools"),
    ):
        repository.distributions()
