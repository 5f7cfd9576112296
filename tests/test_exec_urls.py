"""`exec` with direct URLs of release files, as in uv#15731, through a real uv."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.direct import url_stand
from support.stand import done, locked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.direct import UrlStand
    from support.homes import Home

slow = pytest.mark.slow


@pytest.fixture
def stand(home: Home) -> Iterator[UrlStand]:
    """Return a project that names files of a private release by their URLs."""
    with url_stand(home) as made:
        yield made


@pytest.mark.parametrize(
    "version",
    [
        pytest.param("0.5.0", marks=slow),
        pytest.param("0.8.24", marks=slow),
        pytest.param("0.11.13", marks=slow),
        "newest",
    ],
)
def test_urls_as_they_are_written_today(version: str, stand: UrlStand, tmp_path: Path) -> None:
    """uv#15731's project fails with 404 without us, and locks, syncs and runs with us."""
    stand.use(version)
    check = "--locked" if version == "0.5.0" else "--check"
    failed = stand.plain("uv", "lock", "--no-cache")
    assert failed.code != 0
    assert "404 Not Found" in failed.err

    done(stand.run("uv", "lock"))
    first = stand.lock.read_bytes()
    cold = {"UV_CACHE_DIR": str(tmp_path / "cold")}
    done(stand.run("uv", "lock", check, **cold))
    done(stand.run("uv", "sync", "--locked", **cold))

    assert stand.lock.read_bytes() == first
    assert stand.packages.release_file("internal_src-0.1.12.tar.gz").encode() in first
    assert locked(stand)["internal-package"].startswith("1.1.0")
    # What uv has cached, it needs nobody for.
    done(stand.plain("uv", "lock", check, **cold))
    program = "import internal_package, internal_src; print(internal_src.VERSION)"
    assert done(stand.plain("uv", "run", "python", "-c", program, **cold)).out == "0.1.12\n"
