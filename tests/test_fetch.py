"""`fetch`: packages of private releases beside a project, which uv then installs by itself."""

from __future__ import annotations

import shutil
import tomllib
from typing import TYPE_CHECKING

import pytest

from support.simulator.dialect import PASSWORD
from support.simulator.packages import Packages, ReleaseOf, wheel
from support.stand import FILES, done, locked
from uv_self_update.releases import flat_index

if TYPE_CHECKING:
    from pathlib import Path

    from support.homes import Done, Home
    from support.stand import Stand

DUE = 11
OTHER = "another/token"


def fetch(stand: Stand, *options: str) -> Done:
    """Run `fetch` with the token."""
    return stand.home.run("fetch", *options, environ=stand.environ())


def adopt(stand: Stand, *dependencies: str) -> None:
    """Write into pyproject.toml what `fetch` has printed."""
    printed = done(fetch(stand)).out
    lines = printed[printed.index("[[tool.uv.index]]") :]
    assert len(lines.splitlines()) == 3
    stand.write(*(dependencies or ("internal-package",)), more=lines)


def test_project_is_installed_without_us(stand: Stand, tmp_path: Path) -> None:
    """Plain uv locks by hash and syncs from the directory, and a public 99.0 loses."""
    adopt(stand)
    asked = len(stand.packages.asked)

    done(stand.plain("uv", "lock"))
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(stand.project, elsewhere, symlinks=True)
    stand.home.path = elsewhere
    done(stand.plain("uv", "sync", "--locked", UV_CACHE_DIR=str(tmp_path / "cold")))

    found = {name: version.split()[0] for name, version in locked(stand).items()}
    assert found == {"iniconfig": "2.0.0", "internal-dep": "1.0.0", "internal-package": "1.1.0"}
    text = stand.lock.read_text()
    hashes = flat_index.parse((elsewhere / "packages" / "index.html").read_bytes())
    assert {*hashes} == {*FILES}
    assert all(f"sha256:{sha256}" in text for sha256 in hashes.values())
    assert str(tmp_path) not in text
    assert PASSWORD not in text
    assert ".invalid" not in text
    assert len(stand.packages.asked) == asked
    assert done(fetch(stand, "--check")).out == ""


@pytest.mark.slow
@pytest.mark.parametrize("version", ["0.8.24", "0.11.13"])
def test_older_uv_syncs(version: str, stand: Stand, tmp_path: Path) -> None:
    """What the newest uv locks, an older one installs."""
    adopt(stand)
    done(stand.plain("uv", "lock"))

    stand.use(version)

    done(stand.plain("uv", "sync", "--frozen", UV_CACHE_DIR=str(tmp_path / "cold")))


def test_only_what_is_missing_is_fetched(stand: Stand) -> None:
    """A second run fetches no file; a removed, a changed and a new one are fetched."""
    adopt(stand)
    stand.packages.asked.clear()
    assert "(0 fetched)" in done(fetch(stand)).out
    metadata = len(stand.packages.calls("/assets/"))
    directory = stand.project / "packages"
    first, second = sorted(FILES)
    (directory / first).unlink()
    (directory / second).write_bytes(b"changed")

    checked = fetch(stand, "--check")
    assert checked.code == DUE
    assert checked.out == f"{first} is missing\n{second} is changed\n"
    again = done(fetch(stand))

    assert "(2 fetched)" in again.out
    assert "[[tool.uv.index]]" not in again.out
    assert {path.name: path.read_bytes() for path in directory.glob("*.whl")} == FILES
    assert metadata <= 2


def test_versions_of_the_lock_are_kept(stand: Stand) -> None:
    """Newer versions are fetched with `--upgrade` only, and the old ones are removed then."""
    adopt(stand)
    done(stand.plain("uv", "lock"))
    name, content = wheel("internal-dep", "1.5")
    stand.packages.releases.insert(0, ReleaseOf(tag="v1.5", files={name: content}))

    assert name not in done(fetch(stand)).out
    assert (
        f"+ {name}\n- internal_dep-1.0.0-py3-none-any.whl\n" in done(fetch(stand, "--upgrade")).out
    )
    checked = fetch(stand, "--check")
    assert (
        checked.out == "internal_dep-1.0.0-py3-none-any.whl is in uv.lock, and not in index.html\n"
    )
    assert not (stand.project / "packages" / "internal_dep-1.0.0-py3-none-any.whl").exists()


def test_groups_extras_and_platforms(stand: Stand) -> None:
    """What any group or extra needs is fetched, for every platform, and no other version."""
    stand.packages.releases.insert(
        0,
        ReleaseOf(
            tag="more",
            files=dict(
                [
                    wheel("internal-dev", "1.0", tag="cp311-cp311-win_amd64"),
                    wheel("internal-dev", "1.0", tag="cp311-cp311-manylinux_2_17_x86_64"),
                    wheel("internal-dev", "0.9"),
                    wheel("internal-extra", "2.0"),
                    wheel("internal-other", "1.0"),
                ]
            ),
        ),
    )
    stand.write(
        more='[project.optional-dependencies]\nx = ["internal-extra"]\n'
        '[dependency-groups]\ndev = ["internal-dev"]\n'
    )

    done(fetch(stand, "--directory", "vendor/wheels"))

    names = {path.name for path in (stand.project / "vendor" / "wheels").glob("*.whl")}
    assert names == {
        "internal_dev-1.0-cp311-cp311-win_amd64.whl",
        "internal_dev-1.0-cp311-cp311-manylinux_2_17_x86_64.whl",
        "internal_extra-2.0-py3-none-any.whl",
    }


def test_changed_file_is_not_kept(stand: Stand) -> None:
    """A file that is not the published one is an error, and not left in the directory."""
    stand.packages.releases[0].served = {
        name: content + b"x" for name, content in FILES.items() if "package" in name
    }

    answer = fetch(stand)

    assert answer.code == 8
    assert "expected sha256" in answer.err
    assert [*(stand.project / "packages").glob("*package*")] == []


def test_failures(stand: Stand, home: Home) -> None:
    """What cannot be fetched is said: no access, no versions that fit, no project."""
    stand.packages.limited = True
    assert "2100-01-01" in fetch(stand).err
    stand.packages.limited = False
    stand.write("internal-package>5")
    unresolved = fetch(stand)
    assert unresolved.code == 12
    assert "`uv pip compile` failed" in unresolved.err
    (home.path / "pyproject.toml").unlink()
    assert "no pyproject.toml can be read" in fetch(stand).err


def test_page_is_read_as_it_was_written() -> None:
    """Odd names come back; a name that leads elsewhere is none."""
    files = {'a b"<&+1.0.whl': "0" * 64, "b-1.tar.gz": "f" * 64}
    page = flat_index.render(files)

    assert flat_index.parse(page) == files
    assert flat_index.render(dict(reversed(files.items()))) == page
    assert flat_index.parse(flat_index.render({"../x": "0" * 64})) == {}


def test_lock_has_paths_only(stand: Stand) -> None:
    """The index is a path in the lock, relative to the project."""
    adopt(stand)
    done(stand.plain("uv", "lock"))

    packages = tomllib.loads(stand.lock.read_text())["package"]
    (ours,) = [package for package in packages if package["name"] == "internal-dep"]
    assert ours["source"] == {"registry": "packages/index.html"}


PROJECT = """\
[project]
name = "app"
version = "0"
requires-python = ">=3.8"
dependencies = [{dependencies}]
"""


def files_in(stand: Stand) -> set[str]:
    """Return the names of the fetched packages."""
    return {path.name for path in (stand.project / "packages").glob("*.whl")}


def release(stand: Stand, *names: str) -> None:
    """Publish wheels without dependencies, of version 1.0."""
    files = dict(wheel(name, "1.0") for name in names)
    stand.packages.releases.insert(0, ReleaseOf(tag="-".join(names), files=files))


def test_older_python_than_ours(stand: Stand) -> None:
    """What only an older Python needs, as `requires-python` allows, is fetched as uv locks it."""
    release(stand, "internal-backport")
    text = PROJECT.format(dependencies="\"internal-backport; python_version < '3.9'\"")
    (stand.project / "pyproject.toml").write_text(text)

    printed = done(fetch(stand)).out

    assert files_in(stand) == {"internal_backport-1.0-py3-none-any.whl"}
    lines = printed[printed.index("[[tool.uv.index]]") :]
    (stand.project / "pyproject.toml").write_text(f"{text}\n{lines}")
    done(stand.plain("uv", "lock"))
    assert done(fetch(stand, "--check")).out == ""


def test_members_of_a_workspace(stand: Stand) -> None:
    """What any member needs is fetched beside the root, also from the directory of a member."""
    release(stand, "internal-member", "internal-group", "internal-out")
    (stand.project / "pyproject.toml").write_text(
        '[tool.uv.workspace]\nmembers = ["./libs/*"]\nexclude = ["libs/out"]\n'
    )
    for name, more in (
        ("one", '[dependency-groups]\ndev = ["internal-group"]\n'),
        ("out", ""),
    ):
        member = stand.project / "libs" / name
        member.mkdir(parents=True)
        dependency = "internal-out" if name == "out" else "internal-member"
        text = PROJECT.replace('"app"', f'"{name}"').format(dependencies=f'"{dependency}"')
        (member / "pyproject.toml").write_text(f"{text}\n{more}")
    root, stand.home.path = stand.home.path, stand.project / "libs" / "one"
    stand.home.environ |= {"HOME": str(root), "PATH": f"{root / '.local/bin'}:/usr/bin:/bin"}

    done(fetch(stand))

    stand.home.path = root
    assert files_in(stand) == {
        "internal_member-1.0-py3-none-any.whl",
        "internal_group-1.0-py3-none-any.whl",
    }


def test_extras_that_conflict(stand: Stand) -> None:
    """Extras that cannot be installed together, as `tool.uv.conflicts` says, are all fetched."""
    versions = dict(wheel("internal-x", version) for version in ("1.0", "2.0"))
    stand.packages.releases.insert(0, ReleaseOf(tag="x", files=versions))
    (stand.project / "pyproject.toml").write_text(
        PROJECT.format(dependencies="")
        + '[project.optional-dependencies]\nold = ["internal-x<2"]\nnew = ["internal-x>=2"]\n'
        + '[tool.uv]\nconflicts = [[{ extra = "old" }, { extra = "new" }]]\n'
    )

    done(fetch(stand))

    assert files_in(stand) == {*versions}


def test_several_repositories(stand: Stand, tmp_path: Path) -> None:
    """Each repository gets its own token, and a package is fetched that only another one needs."""
    share = tmp_path / "share"
    share.mkdir()
    name, content = wheel("shared-base", "3.0")
    (share / name).write_bytes(content)
    outer = wheel("team-outer", "1.0", requires=["internal-package", "shared-base"])
    with Packages(releases=[ReleaseOf(tag="1", files=dict([outer]))], token=OTHER) as other:
        stand.home.configure(
            f'[[releases]]\nurl = "{stand.packages.place}"\npackages = ["internal-*"]\n'
            f'[[releases]]\nurl = "{other.place}"\npackages = ["team-*"]\n'
            f'token-env = "OTHER_TOKEN"\n[[releases]]\npath = "{share}"\npackages = ["shared-*"]'
        )
        stand.home.environ["OTHER_TOKEN"] = OTHER
        stand.write("team-outer")
        done(fetch(stand))

        assert files_in(stand) == {*FILES, outer[0], name}
        for server, token in ((stand.packages, PASSWORD), (other, OTHER)):
            assert {asked.headers["Authorization"] for asked in server.asked} == {f"Bearer {token}"}


def test_interrupted_fetch_goes_on(stand: Stand) -> None:
    """A run that fails keeps the files that it has, and the next one fetches the rest only."""
    first, second = sorted(FILES)
    stand.packages.releases[0].served = {second: FILES[second] + b"x"}
    assert fetch(stand).code != 0
    assert files_in(stand) == {first}
    stand.packages.releases[0].served = {}
    # As a run leaves it that was killed.
    (stand.project / "packages" / f"{second}.uv-self-update-part").write_bytes(b"half")

    assert "(1 fetched)" in done(fetch(stand)).out
    assert {path.name for path in (stand.project / "packages").iterdir()} == {*FILES, "index.html"}


def test_check_finds_a_stranger(stand: Stand) -> None:
    """A claimed name that uv.lock takes from an index is reported."""
    done(stand.plain("uv", "lock"))
    (stand.project / "packages").mkdir()
    (stand.project / "packages" / "index.html").write_bytes(flat_index.render({}))

    checked = fetch(stand, "--check")

    assert checked.code == DUE
    assert checked.out.startswith("internal-package 99.0 is from http://127.0.0.1:")


def test_proxy_keys_are_refused(stand: Stand) -> None:
    """Where uv takes its proxies from a file, it would not ask us: that is said beforehand."""
    stand.write("internal-package", more='[tool.uv]\nhttp-proxy = "http://127.0.0.1:9"\n')

    answer = fetch(stand)

    assert answer.code == 12
    assert "pyproject.toml (`http-proxy`)" in answer.err
