"""Every kind of `[[releases]]`, through a real uv: one row each."""

from __future__ import annotations

import json
import tomllib
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from support.package_kinds import ENVIRON, FILES, ROWS, PackageKind, holding
from support.simulator.dialect import PASSWORD
from support.stand import done, locked, standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from support.homes import Home
    from support.simulator.server import Simulator
    from support.stand import Stand


def _parameters(rows: Iterable[PackageKind]) -> pytest.MarkDecorator:
    marks = {True: (pytest.mark.slow,), False: ()}
    found = [pytest.param(row, id=row.name, marks=marks[row.slow]) for row in rows]
    return pytest.mark.parametrize("row", found)


by_row = _parameters(ROWS)


@pytest.fixture
def stand(home: Home) -> Iterator[Stand]:
    """Return a project that needs internal packages."""
    with standing(home) as made:
        made.home.environ |= ENVIRON
        yield made


@contextmanager
def configured(row: PackageKind, stand: Stand) -> Iterator[Simulator]:
    """Serve the packages by one kind, and configure it."""
    folder = stand.home.path / "share" / "wheels"
    folder.mkdir(parents=True)
    with row.simulator(holding(), folder) as simulator:
        stand.home.configure(row.table(simulator, 'packages = ["internal-*"]'))
        yield simulator


@by_row
def test_contract(row: PackageKind, stand: Stand, tmp_path: Path) -> None:
    """`uv add`, `lock` and `sync --locked` take ours from it, by the same lock on each machine."""
    stand.write()
    with configured(row, stand) as simulator:
        index = row.index_of(simulator)
        done(stand.run("uv", "add", "internal-package"))
        first = stand.lock.read_bytes()
        cold = {"UV_CACHE_DIR": str(tmp_path / "cold"), "XDG_CACHE_HOME": str(tmp_path / "other")}
        done(stand.run("uv", "lock", "--check", **cold))
        stand.lock.unlink()
        done(stand.run("uv", "lock", **cold))
        assert stand.lock.read_bytes() == first
        done(stand.run("uv", "sync", "--locked", **cold))

    project = tomllib.loads((stand.project / "pyproject.toml").read_text())
    assert project["tool"]["uv"]["index"][0] == {"url": index}
    assert locked(stand) == {
        "iniconfig": f"2.0.0 {stand.public.index}",
        "internal-dep": f"1.0.0 {index}",
        "internal-package": f"1.1.0 {index}",
    }
    ours = [
        package
        for package in tomllib.loads(first.decode())["package"]
        if package["name"].startswith("internal-")
    ]
    assert all(wheel["hash"].startswith("sha256:") for one in ours for wheel in one["wheels"])
    assert PASSWORD.encode() not in first
    ran = stand.plain("uv", "run", "python", "-c", "import internal_package as p; print(p.VERSION)")
    assert done(ran).out == "1.1.0\n"
    assert simulator.dialect.poisoned == []


@_parameters(row for row in ROWS if row.detectable)
def test_init_recognizes(row: PackageKind, stand: Stand) -> None:
    """`init --releases URL` finds the kind, the packages and their versions by itself."""
    folder = stand.home.path / "share" / "wheels"
    folder.mkdir(parents=True)
    with row.simulator(holding(), folder) as simulator:
        _, _, place = row.spec(simulator).partition("+")
        stand.home.config.unlink()
        options = ["--token-env", "FORGE_TOKEN"] if "login" in row.setup else []
        options += ["--plaintext"] if "?" in place else []
        answer = done(stand.home.run("init", "--releases", place, *options))

    assert f"Kind: {row.kind}.\n" in answer.out
    assert "internal-package: 1.1.0, 1.0.0 (any)\n" in answer.out
    (table,) = tomllib.loads(stand.home.config.read_text())["releases"]
    assert table["kind"] == row.kind
    assert table["packages"] == ["internal-dep", "internal-package"]


@by_row
def test_list(row: PackageKind, stand: Stand) -> None:
    """`releases --packages` lists every version of each kind."""
    with configured(row, stand):
        answer = done(stand.home.run("releases", "--packages", "--json"))

    assert {(found["project"], found["version"]) for found in json.loads(answer.out)} == {
        ("internal-package", "1.1.0"),
        ("internal-package", "1.0.0"),
        ("internal-dep", "1.0.0"),
    }
    assert len(FILES) == 3


@by_row
def test_fetch(row: PackageKind, stand: Stand, tmp_path: Path) -> None:
    """`fetch` lays the packages of each kind beside the project, and uv syncs without us."""
    with configured(row, stand):
        printed = done(stand.home.run("fetch", environ=stand.environ())).out
        again = done(stand.home.run("fetch", environ=stand.environ())).out
    stand.write("internal-package", more=printed[printed.index("[[tool.uv.index]]") :])
    done(stand.plain("uv", "lock"))

    done(stand.plain("uv", "sync", "--locked", UV_CACHE_DIR=str(tmp_path / "cold")))

    assert "(0 fetched)" in again
    names = {path.name for path in (stand.project / "packages").glob("*.whl")}
    assert names == {
        "internal_dep-1.0.0-py3-none-any.whl",
        "internal_package-1.1.0-py3-none-any.whl",
    }
    assert done(stand.home.run("fetch", "--check")).out == ""
