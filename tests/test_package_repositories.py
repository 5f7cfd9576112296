"""What repositories of packages read of servers, and which digests are computed."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from support.urls import source_settings
from support.web import Page
from uv_self_update.config.releases import ReleasesSettings
from uv_self_update.errors import AmbiguousDistribution, StatusRefused, TooLarge, UnexpectedBody
from uv_self_update.gateway.package_index import Served
from uv_self_update.network.responses import Download
from uv_self_update.releases.distribution import Claim, Distribution, parse_filename
from uv_self_update.sources.formats.entry import Entry
from uv_self_update.sources.packages import tree as trees
from uv_self_update.sources.packages.computed import ComputedDigests
from uv_self_update.sources.packages.forge import yanked_by
from uv_self_update.sources.packages.interface import PackageRepository, build
from uv_self_update.sources.packages.tree import TreeRepository
from uv_self_update.sources.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from support.web import Web
    from uv_self_update.network.client import Upstream
    from uv_self_update.sources.tree import Names

NAME = "pkg-1.0-py3-none-any.whl"


@dataclass(kw_only=True)
class Held(PackageRepository):
    """A repository of one file, which counts how often it is read."""

    content: bytes = b"content"
    validator: str | None = None
    published: str | None = None
    """The digest in the server's header."""

    files: tuple[Distribution, ...] = ()
    name: str = "held"
    host: str = "host"
    path: str = ""
    opened: int = 0
    read: int = 0

    def __post_init__(self) -> None:
        """Prepare as every repository does."""
        super().__init__()

    def listed(self) -> Iterable[Distribution]:
        """Return what it holds."""
        return self.files

    @contextmanager
    def open(self, file: Distribution) -> Iterator[Download]:
        """Hand the file out."""
        del file
        self.opened += 1
        yield Download(
            url="url",
            size=len(self.content),
            chunks=self._chunks(),
            sha256=self.published,
            validator=self.validator,
        )

    def _chunks(self) -> Iterator[bytes]:
        self.read += 1
        yield self.content


def distribution(uploaded: str | None = None, *, tag: str = "", where: str = "a") -> Distribution:
    """Return a file whose digest is not published."""
    parsed = parse_filename(NAME)
    assert parsed is not None
    return Distribution(
        project=parsed[0],
        version=parsed[1],
        filename=NAME,
        tag=tag,
        where=where,
        uploaded=uploaded,
    )


DATE = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("uploaded", "validator", "opened", "read"),
    [
        (DATE, None, 1, 1),
        (None, '"etag"', 2, 1),
        (None, None, 2, 2),
    ],
)
def test_digest_is_kept(
    uploaded: str | None, validator: str | None, opened: int, read: int, tmp_path: Path
) -> None:
    """A later run reads a file again only if nothing says that it is the same."""
    held = Held(validator=validator)
    expected = hashlib.sha256(held.content).hexdigest()
    for _ in range(2):
        run = ComputedDigests(directory=tmp_path / "digests")
        for _ in range(2):
            assert run.of(held, [distribution(uploaded)]) == [expected]

    assert (held.opened, held.read) == (opened, read)


@pytest.mark.parametrize("uploaded", [DATE, None])
def test_digest_of_a_changed_file(uploaded: str | None, tmp_path: Path) -> None:
    """A changed date or entity tag makes a kept digest void."""
    held = Held(validator='"one"')
    first = ComputedDigests(directory=tmp_path).of(held, [distribution(uploaded)])
    held.content, held.validator = b"changed", '"two"'
    later = distribution("2026-02-01T00:00:00Z" if uploaded else None)

    assert ComputedDigests(directory=tmp_path).of(held, [later]) != first


def test_digest_of_the_server(tmp_path: Path) -> None:
    """A digest in the server's header is taken, and the file is not read."""
    held = Held(published="f" * 64)

    assert ComputedDigests(directory=tmp_path).of(held, [distribution()]) == ["f" * 64]
    assert held.read == 0


def test_equal_files_are_one(tmp_path: Path) -> None:
    """Two files of one name are compared by their contents where no digest is published."""
    held = Held(files=(distribution(tag="a"), distribution(tag="b", where="b")))
    served = Served(repository=held, claim=Claim())
    digests = ComputedDigests(directory=tmp_path)

    assert [file.tag for file in served.files_of("pkg", digests)] == ["a"]
    digests._found["held", "b"] = "0" * 64  # noqa: SLF001 # as if it were another file
    with pytest.raises(AmbiguousDistribution, match="in the releases a and b"):
        served.files_of("pkg", digests)


@dataclass
class Listed(Tree):
    """Directories, by their paths; those of `refused` cannot be listed."""

    directories: Mapping[str, list[Entry]]
    refused: Mapping[str, Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    name: str = "tree"

    def entries(self, path: Names) -> list[Entry]:
        """List a directory."""
        joined = "/".join(path)
        self.asked.append(joined)
        if joined in self.refused:
            raise self.refused[joined]
        return self.directories.get(joined, [])

    def open(self, path: Names) -> object:  # type: ignore[override] # never called
        """Open nothing."""
        raise AssertionError(path)


def wheel(project: str = "pkg", version: str = "1.0") -> Entry:
    """Return the entry of a wheel."""
    return Entry(name=f"{project}-{version}-py3-none-any.whl", is_directory=False)


def directory(name: str, *, is_directory: bool | None = True) -> Entry:
    """Return the entry of a directory."""
    return Entry(name=name, is_directory=is_directory)


def found(tree: Listed) -> set[tuple[str, str]]:
    """Return the tag and the name of every distribution."""
    repository = TreeRepository(tree, host="host", path="p")
    return {(file.tag, file.filename) for file in repository.distributions()}


def test_layouts() -> None:
    """The base, a directory for each version, and one for each project hold releases."""
    tree = Listed(
        {
            "": [wheel(), directory("v2"), directory(".git"), directory("pkg")],
            "v2": [wheel(version="2.0"), Entry(name="notes.txt", is_directory=False)],
            "pkg": [directory("3.0")],
            "pkg/3.0": [wheel(version="3.0")],
        }
    )

    assert found(tree) == {
        ("", "pkg-1.0-py3-none-any.whl"),
        ("v2", "pkg-2.0-py3-none-any.whl"),
        ("pkg/3.0", "pkg-3.0-py3-none-any.whl"),
    }
    assert ".git" not in tree.asked


def test_entries_that_may_be_files() -> None:
    """Where a page does not tell files from directories, a file is not asked for twice."""
    tree = Listed(
        {
            "": [
                directory("1.0", is_directory=None),
                directory("LICENSE", is_directory=None),
                directory("notes.txt", is_directory=None),
            ],
            "1.0": [
                Entry(name=NAME, is_directory=None),
                directory("SHA256SUMS", is_directory=None),
            ],
        },
        refused={"LICENSE": UnexpectedBody("url", "a directory listing", "text")},
    )

    assert found(tree) == {("1.0", NAME)}
    assert tree.asked == ["", "1.0", "LICENSE"]


def test_directory_that_is_gone() -> None:
    """A directory that was removed meanwhile is empty; any other refusal is an error."""
    gone = StatusRefused("url", HTTPStatus.NOT_FOUND)
    assert found(Listed({"": [wheel(), directory("old")]}, {"old": gone})) == {("", NAME)}
    for path, status in (("", HTTPStatus.NOT_FOUND), ("old", HTTPStatus.FORBIDDEN)):
        tree = Listed({"": [wheel(), directory("old")]}, {path: StatusRefused("url", status)})
        with pytest.raises(StatusRefused):
            found(tree)


def test_depth_and_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deep tree is cut off, and a wide one is an error, not half a list."""
    deep = {"/".join("abcdef"[:depth]): [directory("abcdef"[depth])] for depth in range(6)}
    tree = Listed(deep)
    assert found(tree) == set()
    assert tree.asked[-1] == "a/b/c/d"
    monkeypatch.setattr(trees, "_MOST", 3)
    with pytest.raises(TooLarge):
        found(Listed({"": [directory(str(number)) for number in range(3)]}))


@pytest.mark.parametrize(
    ("release", "reason"),
    [
        ({"name": "1.0 [YANKED]", "body": "\nBroken.\nMore."}, "Broken."),
        ({"name": "[yanked] 1.0", "description": None}, "yanked"),
        ({"name": "1.0", "body": "[YANKED]"}, None),
        ({"name": None}, None),
    ],
)
def test_yanked(release: dict[str, object], reason: str | None) -> None:
    """A title says that a release is yanked, and its description why."""
    assert yanked_by(release) == reason


@pytest.mark.parametrize(
    "name",
    [
        "../pkg-1.0.tar.gz",
        "a/pkg-1.0-py3-none-any.whl",
        "pkg 1-1.0.tar.gz",
        "pkg-1.0.tar.gz\n",
        "uv-x86_64-unknown-linux-gnu.tar.gz",
        "pkg-1.0.tar.xz",
        "",
    ],
)
def test_names_that_are_none(name: str) -> None:
    """A path, white space or another archive is no distribution."""
    assert parse_filename(name) is None


def test_owner_without_a_repository(web: Web, upstream: Upstream) -> None:
    """The packages of an owner are read without a request for the releases of a repository."""
    versions = [{"name": "wheels", "version": "1.0", "created_at": "2026-09-01T12:00:00Z"}]
    web.pages["/api/v1/packages/acme"] = Page(body=json.dumps(versions).encode())
    files = [{"name": NAME, "size": 7, "sha256": "0" * 64}]
    path = "/api/v1/packages/acme/generic/wheels/1.0/files"
    web.pages[path] = Page(body=json.dumps(files).encode())
    source = source_settings(kind="gitea", url=f"{web.url}/acme", package="wheels")
    (file,) = build(ReleasesSettings(source=source), upstream).distributions()

    assert (file.filename, file.tag, file.size) == (NAME, "1.0", 7)
    assert file.where == f"{web.url}/api/packages/acme/generic/wheels/1.0/{NAME}"
    assert file.uploaded == "2026-09-01T12:00:00Z"
    assert len(web.asked) == 2
