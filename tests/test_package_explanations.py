"""Why a package is not served: each reason is named, with what exists instead."""

from __future__ import annotations

import shutil
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from support.package_kinds import ROWS, PackageKind, holding
from support.simulator.dialect import PASSWORD, json_page
from support.simulator.gitlab import GitlabLinks
from support.simulator.packages import Packages, ReleaseOf
from support.simulator.server import replaced
from support.stand import FILES
from support.web import Page, Web
from uv_self_update.config.load import check
from uv_self_update.config.settings import Network, Settings
from uv_self_update.gateway.routes import Request
from uv_self_update.workflow.packages_job import PackagesJob
from uv_self_update.workflow.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.simulator.server import Simulator
    from uv_self_update.gateway.package_index import Failure
    from uv_self_update.gateway.replies import Reply
    from uv_self_update.workflow.serving import Serving

LOCKED = "/releases/download/{tag}/{name}"
WHEEL = "internal_package-1.1.0-py3-none-any.whl"
GONE = "internal_package-9.0-py3-none-any.whl"


@dataclass(frozen=True, kw_only=True)
class Index:
    """The index of one repository."""

    serving: Serving

    def get(self, path: str) -> tuple[int, str]:
        """Return the status of a reply, and all that is said about it."""
        (served,) = self.serving.served
        target = served.path.rstrip("/") + path
        reply = self.serving.index.answer(Request(method="GET", target=target, host=served.host))
        status = reply.status if reply.status != 200 else _read(reply)
        return status, "\n".join(f"{one.error}\n{one.error.hint}" for one in self.failures)

    @property
    def failures(self) -> list[Failure]:
        """What was refused."""
        return self.serving.index.failures


def _read(reply: Reply) -> int:
    for _ in reply.body:
        pass
    return reply.status


@contextmanager
def index(text: str, tmp_path: Path, **environ: str) -> Iterator[Index]:
    """Serve what a configuration says."""
    values = check(tomllib.loads(text), tmp_path / "config.toml").values
    job = PackagesJob(
        settings=Settings(network=Network(retries=0, timeout=10)),
        releases=values["releases"],
        uv=tmp_path / "no-uv",
        directory=tmp_path,
        environ={"HOME": str(tmp_path), "PATH": "", **environ},
    )
    with serving(job) as active:
        yield Index(serving=active)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep digests in a directory of the test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def github() -> Iterator[Packages]:
    """Serve a private repository."""
    with Packages(releases=[ReleaseOf(tag="v1.1.0", files=dict(FILES))]) as server:
        yield server


SSO = {"X-GitHub-SSO": "required; url=https://github.com/orgs/acme/sso?authorization_request=A1"}
LIMIT = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "4102444800"}


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (
            Page(status=401),
            ["answered 401", "does not accept the credentials from UV_GITHUB_TOKEN"],
        ),
        (
            Page(status=403, headers=SSO),
            ["answered 403", "open https://github.com/orgs/acme/sso to authorize"],
        ),
        (Page(status=403, headers=LIMIT), ["rate limit exceeded until 2100-01-01T00:00:00Z"]),
        (Page(status=429, headers={"Retry-After": "86400"}), ["rate limit exceeded until 20"]),
        (
            Page(status=404),
            ["no such repository", "The token is from UV_GITHUB_TOKEN", "read access", "SSO"],
        ),
        (Page(status=500), ["answered 500", "try again later"]),
        (json_page({"message": "moved"}), ["expected"]),
    ],
    ids=["expired", "sso", "limited", "too many", "not readable", "failing", "other"],
)
@pytest.mark.parametrize("path", ["/simple/internal-package/", LOCKED])
def test_github(page: Page, words: list[str], path: str, github: Packages, tmp_path: Path) -> None:
    """Each refusal of GitHub's is named, for a page as for a locked file, and is never a 404."""
    github.refused = page
    table = f'[[releases]]\nurl = "{github.place}"\npackages = ["internal-*"]'
    with index(table, tmp_path, UV_GITHUB_TOKEN=PASSWORD) as made:
        status, said = made.get(path.format(tag="v1.1.0", name=WHEEL))

    assert status in {424, 503}
    assert [word for word in words if word not in said] == []
    assert PASSWORD not in said


def test_github_without_a_token(github: Packages, tmp_path: Path) -> None:
    """Without a token, the variables are named that could hold one."""
    with index(f'[[releases]]\nurl = "{github.place}"', tmp_path) as made:
        _, said = made.get("/simple/internal-package/")

    assert "not visible without credentials" in said
    assert "GH_TOKEN or GITHUB_TOKEN, or the key `token-env`" in said


def test_github_of_another_tag(github: Packages, tmp_path: Path) -> None:
    """A missing tag is said with those that exist, and a missing file with the other ones."""
    table = f'[[releases]]\nurl = "{github.place}"'
    with index(table, tmp_path, UV_GITHUB_TOKEN=PASSWORD) as made:
        status, said = made.get(LOCKED.format(tag="v2", name=WHEEL))
        assert (status, "has no release v2" in said, "It has: v1.1.0" in said) == (404, True, True)
        status, said = made.get(LOCKED.format(tag="v1.1.0", name=GONE))
        assert status == 404
        assert "release v1.1.0" in said
        assert all(name in said for name in FILES)


def row_of(name: str) -> PackageKind:
    """Return a kind by the name of its row."""
    return next(row for row in ROWS if row.name == name)


NAMES = ["gitlab-releases", "gitea-releases", "listing-versions", "s3-path", "directory-versions"]


@contextmanager
def kind(name: str, tmp_path: Path, token: str = PASSWORD) -> Iterator[tuple[Index, Simulator]]:
    """Serve one kind of repository, and its index."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    row = row_of(name)
    with (
        row.simulator(holding(), folder) as simulator,
        index(row.table(simulator), tmp_path, FORGE_TOKEN=token) as made,
    ):
        yield made, simulator


@pytest.mark.parametrize("name", NAMES)
def test_missing_release_and_file(name: str, tmp_path: Path) -> None:
    """Each kind says which releases exist, and which files a release holds."""
    with kind(name, tmp_path) as (made, _):
        status, said = made.get(LOCKED.format(tag="2.0.0", name=WHEEL))
        assert status == 404
        assert "has no release 2.0.0" in said
        assert "It has: 1.0.0, 1.1.0" in said
        status, said = made.get(LOCKED.format(tag="1.1.0", name=GONE))
        assert status == 404
        assert f"release 1.1.0 of {made.serving.served[0].repository.name} does not hold" in said
        assert f"It has: {WHEEL}" in said
        assert made.get(LOCKED.format(tag="1.1.0", name=WHEEL))[0] == 200


@pytest.mark.parametrize(
    ("name", "token", "words"),
    [
        ("gitlab-releases", "wrong", ["answered 401", "credentials from `token-env` FORGE_TOKEN"]),
        ("gitlab-releases", "", ["no such project", "Set CI_JOB_TOKEN, or the key `token-env`"]),
        (
            "gitea-releases",
            "wrong",
            ["no such repository or owner", "from `token-env` FORGE_TOKEN: it needs the scope"],
        ),
        ("gitea-releases", "", ["not visible without credentials", "`token-env`"]),
    ],
)
def test_token_that_does_not_suffice(
    name: str, token: str, words: list[str], tmp_path: Path
) -> None:
    """A forge's refusal names the origin of the token, or where one could be."""
    with kind(name, tmp_path, token) as (made, _):
        status, said = made.get("/simple/internal-package/")

    assert status == 424
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize(
    ("name", "page", "words"),
    [
        ("gitlab-releases", Page(status=429, headers={"Retry-After": "90000"}), ["rate limit"]),
        ("gitea-releases", Page(status=403), ["answered 403", "check the credentials"]),
        ("listing-versions", Page(status=401), ["answered 401", "requires credentials"]),
        ("listing-versions", Page(status=404), ["answered 404"]),
        ("s3-path", Page(status=403), ["answered 403", "denies access"]),
    ],
)
def test_refusals(name: str, page: Page, words: list[str], tmp_path: Path) -> None:
    """What a server refuses is an error, and no page without the package."""
    with kind(name, tmp_path) as (made, simulator):
        simulator.fault = replaced(page)
        _, said = made.get("/simple/internal-package/")
        assert [failure.page for failure in made.failures] == [True]

    assert [word for word in words if word not in said] == []


def test_link_to_another_server(tmp_path: Path) -> None:
    """A link of a release to another server is fetched without the token; its refusal is said."""
    with kind("gitlab-links", tmp_path) as (made, simulator):
        assert isinstance(simulator.dialect, GitlabLinks)
        with Web() as other:
            simulator.dialect.elsewhere = lambda _: f"{other.url}/files/{WHEEL}"
            status, said = made.get(LOCKED.format(tag="1.1.0", name=WHEEL))
            assert "Private-Token" not in {name.title() for name in other.asked[-1].headers}

    assert status == 424
    assert f"{other.url}/files/{WHEEL} answered 404" in said
    assert "links to another server, which gets no credentials" in said


def test_removed_directory(tmp_path: Path) -> None:
    """A directory that is not mounted is said, and no package is taken for absent."""
    with kind("directory-versions", tmp_path) as (made, _):
        shutil.rmtree(tmp_path / "wheels")
        _, said = made.get("/simple/internal-package/")

    assert f"{tmp_path / 'wheels'}" in said
    assert "No such file or directory" in said
