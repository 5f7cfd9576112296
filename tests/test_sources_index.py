"""The source that is a package index, asked through real uvs, the oldest and the newest."""

from __future__ import annotations

import io
import os
import threading
import zipfile
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.urls import parsed
from support.web import Asked, Page, Web
from uv_self_update.background import Background
from uv_self_update.errors import IndexFailed, NoSuchVersion, UnusableArchive, UvNotRunnable
from uv_self_update.releases.release import Release
from uv_self_update.releases.target import NEWEST, Wanted, parse_target
from uv_self_update.sources.index import watched
from uv_self_update.sources.index.source import IndexSource
from uv_self_update.sources.index.uv_pip import UvPip
from uv_self_update.uv.environment import neutral_directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from support.homes import Home

WAIT = 30.0  # seconds that an event may take on a busy machine
VERSIONS = ("0.9.9", "0.10.0", "0.10.1", "1.0.0rc1")


@pytest.fixture(params=["0.5.0", "0.8.24", "newest"])
def uv(request: pytest.FixtureRequest) -> Path:
    """Return a uv that asks the index."""
    return binaries.executables(binaries.version(request.param)) / "uv"


@pytest.fixture(scope="module")
def newest_uv() -> Path:
    """Return the newest uv, where one is enough."""
    return binaries.executables(binaries.newest()) / "uv"


def source(uv: Path, home: Home, url: str | None = None, **environ: str) -> IndexSource:
    """Return the index that somebody at this home would use."""
    # A uv that tries again takes seconds to say that an index is broken.
    return IndexSource(
        UvPip(uv, home.full_environ({"UV_HTTP_RETRIES": "0", **environ}), url=parsed(url))
    )


def pages(
    versions: Iterable[str] = VERSIONS, *, prefix: str = "/simple", yanked: Iterable[str] = ()
) -> dict[str, Page]:
    """Return an index of wheels that hold no more than a name and a version."""
    found = {}
    links = ""
    for version in versions:
        name = f"uv-{version}-py3-none-any.whl"
        found[f"{prefix}/files/{name}"] = Page(body=_wheel(version))
        mark = ' data-yanked="broken"' if version in yanked else ""
        links += f'<a href="../files/{name}"{mark}>{name}</a><br>'
    html = {"Content-Type": "text/html"}
    found[f"{prefix}/uv/"] = Page(body=f"<!DOCTYPE html>{links}".encode(), headers=html)
    return found


def _wheel(version: str, **more: bytes) -> bytes:
    file = io.BytesIO()
    info = f"uv-{version}.dist-info"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: uv\nVersion: {version}\n"
        )
        wheel = "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        packed.writestr(f"{info}/WHEEL", wheel)
        packed.writestr(f"{info}/RECORD", "")
        for name, content in more.items():
            packed.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (None, "0.10.1"),
        ("0.10", "0.10.1"),
        ("0.9", "0.9.9"),
        ("0", "0.10.1"),
        ("<0.10.1", "0.10.0"),
        ("~=0.9.1", "0.9.9"),
        ("!=0.10.1", "0.10.0"),
        ("0.10.0", "0.10.0"),
        ("1.0.0rc1", "1.0.0rc1"),
        (">=1.0.0rc1", "1.0.0rc1"),
    ],
)
def test_find(uv: Path, home: Home, web: Web, target: str | None, expected: str) -> None:
    """The newest version that is wanted is taken; a pre-release only if it is named."""
    web.pages |= pages()
    wanted = NEWEST if target is None else parse_target(target)
    found = source(uv, home, f"{web.url}/simple/").find(wanted)
    assert found == Release(version=expected, tag=expected, assets=())


@pytest.mark.parametrize("where", ["url", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "uv.toml"])
def test_which_index(uv: Path, home: Home, web: Web, where: str) -> None:
    """The user's own index is asked unless a URL is given, which comes before all of theirs."""
    theirs, given = f"{web.url}/theirs/", f"{web.url}/simple/"
    web.pages |= pages(["0.9.9"], prefix="/theirs") | pages(["0.10.0"])
    environ = {}
    if where.startswith("UV_"):
        environ[where] = theirs
    else:
        (home.path / ".config" / "uv").mkdir(parents=True)
        text = f'[[index]]\nname = "theirs"\nurl = "{theirs}"\ndefault = true\n'
        (home.path / ".config" / "uv" / "uv.toml").write_text(text)
    if where == "url":
        environ = {"UV_INDEX_URL": theirs, "UV_EXTRA_INDEX_URL": theirs, "UV_NO_INDEX": "1"}
    found = source(uv, home, given if where == "url" else None, **environ).find(NEWEST)
    assert found.version == ("0.10.0" if where == "url" else "0.9.9")
    assert {path.split("/")[1] for path in web.paths()} == {
        "simple" if where == "url" else "theirs"
    }


@pytest.mark.parametrize(
    ("target", "nearest"),
    [
        ("0.10.7", ("0.10.1", "0.10.0", "0.9.9")),
        ("0.9.1", ("0.10.1", "0.10.0", "0.9.9")),
        ("0.9.10", ("0.10.1", "0.10.0", "0.9.9")),
        ("1.0", ("0.10.1", "0.10.0", "0.9.9")),
        ("<0.5", ("0.10.1", "0.10.0", "0.9.9")),
        (">0.10.1", ("0.10.1", "0.10.0", "0.9.9")),
    ],
)
def test_unknown_version(
    uv: Path, home: Home, web: Web, target: str, nearest: tuple[str, ...]
) -> None:
    """What the index does not have is an error with the nearest versions that it has."""
    web.pages |= pages()
    wanted = parse_target(target)
    with pytest.raises(NoSuchVersion) as caught:
        source(uv, home, f"{web.url}/simple/").find(wanted)
    assert str(caught.value) == f"the index {web.url}/simple/ has no {wanted}"
    assert caught.value.nearest == nearest


def test_nearest_of_many(uv: Path, home: Home, web: Web) -> None:
    """An index with many versions names those next to the missing one, not the newest."""
    versions = [f"0.{minor}.{patch}" for minor in (9, 10, 11) for patch in (1, 2, 8, 9)]
    web.pages |= pages(versions)
    with pytest.raises(NoSuchVersion) as caught:
        source(uv, home, f"{web.url}/simple/").find(parse_target("0.10.3"))
    assert caught.value.nearest == ("0.10.8", "0.10.2", "0.10.1")


def test_yanked(uv: Path, home: Home, web: Web) -> None:
    """A version that was yanked is not chosen."""
    web.pages |= pages(yanked=["0.10.1"])
    assert source(uv, home, f"{web.url}/simple/").find(NEWEST).version == "0.10.0"


@pytest.mark.parametrize("environ", [{}, {"UV_PRERELEASE": "allow"}])
def test_nothing_but_prereleases(uv: Path, home: Home, web: Web, environ: dict[str, str]) -> None:
    """Where there are only pre-releases, or where they are welcome elsewhere, none is taken."""
    web.pages |= pages(["1.0.0rc1"])
    with pytest.raises(NoSuchVersion):
        source(uv, home, f"{web.url}/simple/", **environ).find(NEWEST)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "refuses user `me` (401 Unauthorized, credentials from the URL in "),
        (403, "refuses user `me` (403 Forbidden, credentials from the URL in "),
        (404, "does not show uv to user `me` (404 Not Found, credentials from the URL in "),
        (500, "500"),
    ],
)
def test_refused(uv: Path, home: Home, web: Web, status: int, said: str) -> None:
    """An index that refuses is an error that names the page and the user, without the password."""
    web.pages["/simple/uv/"] = Page(status=status)
    url = web.url.replace("//", "//me:s3cret@") + "/simple/"
    with pytest.raises(IndexFailed) as caught:
        source(uv, home, url).find(NEWEST)
    if status == 500:
        shown = web.url.replace("//", "//***@")
        first, _, rest = str(caught.value).partition("\n")
        assert first == f"`uv pip compile` failed for the index {shown}/simple/:"
        assert said in rest
    else:
        assert str(caught.value).startswith(f"{web.url}/simple/uv/ {said}")
    assert "s3cret" not in f"{caught.value}{caught.value.hint}"


def test_unreachable(newest_uv: Path, home: Home) -> None:
    """An index that is not there is an error in uv's own words."""
    with pytest.raises(IndexFailed, match=r"(?s)failed for the index .*:\n.*nowhere\.invalid"):
        source(newest_uv, home, "http://nowhere.invalid/simple/").find(NEWEST)


def test_web_page(uv: Path, home: Home, web: Web) -> None:
    """A page to log in, with status 200, is no version of uv."""
    html = {"Content-Type": "text/html"}
    web.pages["/simple/uv/"] = Page(body=b"<!DOCTYPE html><title>Sign in</title>", headers=html)
    with pytest.raises((IndexFailed, NoSuchVersion)):
        source(uv, home, f"{web.url}/simple/").find(NEWEST)


@pytest.mark.parametrize("file", ["uv.toml", "pyproject.toml"])
@pytest.mark.parametrize("how", ["in it", "UV_PROJECT", "UV_WORKING_DIR", "UV_WORKING_DIRECTORY"])
def test_project_has_no_say(  # noqa: PLR0913 # a table of cases, and what they need
    newest_uv: Path,
    home: Home,
    web: Web,
    *,
    file: str,
    how: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The project that somebody stands in, or names, does not decide where uv comes from."""
    web.pages |= pages(["0.9.9"]) | pages(["6.6.6"], prefix="/evil")
    project = tmp_path / "project"
    project.mkdir()
    head = "[[tool.uv.index]]" if file == "pyproject.toml" else "[[index]]"
    text = f'{head}\nname = "evil"\nurl = "{web.url}/evil/"\ndefault = true\n'
    (project / file).write_text(text)
    environ = {"UV_DEFAULT_INDEX": f"{web.url}/simple/"}
    if how == "in it":
        monkeypatch.chdir(project)
    else:
        environ[how] = str(project)
    assert source(newest_uv, home, **environ).find(NEWEST).version == "0.9.9"
    assert "/evil/uv/" not in web.paths()


@pytest.mark.parametrize("version", ["0.5.0", "0.8.24"])
def test_project_of_an_old_uv(
    version: str, home: Home, web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old uv does not read the project it stands in either."""
    web.pages |= pages(["0.9.9"]) | pages(["6.6.6"], prefix="/evil")
    (tmp_path / "uv.toml").write_text(f'index-url = "{web.url}/evil/"\n')
    (home.path / ".config" / "uv").mkdir(parents=True)
    (home.path / ".config" / "uv" / "uv.toml").write_text(f'index-url = "{web.url}/simple/"\n')
    monkeypatch.chdir(tmp_path)
    old = binaries.executables(version) / "uv"
    assert source(old, home).find(NEWEST).version == "0.9.9"


def test_login_is_in_no_argument(uv: Path, home: Home, web: Web) -> None:
    """A login reaches the index, but no user of the machine can read it off a command line."""
    seen: list[str] = []

    def answer(_: Asked) -> Page:
        for process in Path("/proc").glob("[0-9]*"):
            # Others end meanwhile, and belong to other tests.
            with suppress(OSError):
                if os.fsencode(home.path) in (process / "environ").read_bytes():
                    seen.append((process / "cmdline").read_text(errors="replace"))
        return listing

    found = pages(["0.9.9"])
    listing = found["/simple/uv/"]
    web.pages |= found
    web.pages["/simple/uv/"] = answer
    url = web.url.replace("//", "//me:s3cret@") + "/simple/"

    assert source(uv, home, url).find(NEWEST).version == "0.9.9"

    assert any(str(uv) in line for line in seen)
    assert not [line for line in seen if "s3cret" in line]


def test_close(uv: Path, home: Home, web: Web) -> None:
    """Closing ends a uv that waits for its index, and no other is started."""
    asked, over = threading.Event(), threading.Event()

    def wait(_: Asked) -> Page:
        asked.set()
        over.wait(WAIT)
        return Page()

    web.pages["/simple/uv/"] = wait
    index = source(uv, home, f"{web.url}/simple/")
    search = Background(lambda: index.find(NEWEST))
    assert asked.wait(WAIT)
    assert not search.wait(0)
    index.close()
    try:
        assert search.wait(WAIT)
    finally:
        over.set()
    with pytest.raises(IndexFailed):
        search.result()
    count = len(web.asked)
    with pytest.raises(IndexFailed, match="interrupted"):
        index.find(NEWEST)
    assert len(web.asked) == count


def test_unpack(uv: Path, home: Home, web: Web, tmp_path: Path) -> None:
    """The wheel's executables are laid into a folder as files of their own, and run."""
    web.pages |= mirrors.index_pages(["0.5.31"])
    with closing(source(uv, home, f"{web.url}/simple/")) as index:
        folder = index.unpack(index.find(NEWEST), tmp_path)
    assert folder.is_relative_to(tmp_path)
    assert {"uv", "uvx"} <= {file.name for file in folder.iterdir()}
    assert home.run("--version", program=[str(folder / "uv")]).out.startswith("uv 0.5.31")
    assert (folder / "uv").stat().st_nlink == 1


def test_unpack_something_else(newest_uv: Path, home: Home, web: Web, tmp_path: Path) -> None:
    """A wheel that holds no executable is no uv."""
    web.pages |= pages()
    index = source(newest_uv, home, f"{web.url}/simple/")
    with pytest.raises(UnusableArchive, match=r"^the wheel of uv 0\.10\.1 from the index "):
        index.unpack(index.find(NEWEST), tmp_path)


BOMBS = {
    "a file": (10 << 20, {"uv-0.10.1.data/scripts/uv": bytes(20 << 20)}),
    "folders": (4 << 20, {f"uv-0.10.1.data/scripts/{number}/": b"" for number in range(2000)}),
}


@pytest.mark.parametrize(("limit", "more"), BOMBS.values(), ids=BOMBS)
def test_unpack_a_bomb(  # noqa: PLR0913, PLR0917 # a row, and what a test of uv needs
    limit: int,
    more: dict[str, bytes],
    uv: Path,
    home: Home,
    web: Web,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A wheel that is far larger than it looks is refused, and its cache goes."""
    monkeypatch.setattr(watched, "LARGEST_UNPACKED", limit)
    web.pages |= pages(["0.10.1"])
    (name,) = (name for name in web.pages if name.endswith(".whl"))
    body = _wheel("0.10.1", **more)
    web.pages[name] = Page(body=body)
    assert len(body) < 1 << 20
    index = source(uv, home, f"{web.url}/simple/")
    with pytest.raises(UnusableArchive, match="it contains more than"):
        index.unpack(index.find(NEWEST), tmp_path)
    assert not (tmp_path / "cache").exists()


def test_unpack_without_an_end(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A uv that goes on and on unpacking is ended."""
    monkeypatch.setattr(watched, "LARGEST_UNPACKED", 1 << 20)
    # It has an end all the same, for a uv that nothing stops.
    writing = 'n=0; while [ $((n += 1)) -lt 300 ]; do head -c 100000 /dev/zero >>"$TMPDIR/file"'
    script = _script(tmp_path / "uv", f'test "$2" = compile && exit; {writing}; sleep 0.01; done')
    folder = tmp_path / "new"
    folder.mkdir()
    index = source(script, home, "http://127.0.0.1:9/")
    with pytest.raises(UnusableArchive, match="it contains more than"):
        index.unpack(Release(version="0.10.7", tag="0.10.7", assets=()), folder)


@pytest.mark.parametrize("more", [{}, {"UV_NO_CACHE": "1"}], ids=["a cache", "no cache"])
def test_unpack_leaves_the_cache_alone(
    newest_uv: Path, home: Home, web: Web, tmp_path: Path, more: Mapping[str, str]
) -> None:
    """The person's own cache gets no wheel of uv, and that it is not to be used is no obstacle."""
    web.pages |= mirrors.index_pages(["0.5.31"])
    cache = tmp_path / "cache-of-a-person"
    environ = {"UV_CACHE_DIR": str(cache), **more}
    with closing(source(newest_uv, home, f"{web.url}/simple/", **environ)) as index:
        folder = index.unpack(index.find(NEWEST), tmp_path)
    assert (folder / "uv").is_file()
    assert not [path for path in cache.rglob("uv") if path.is_file()]


def test_unpack_what_is_gone(uv: Path, home: Home, web: Web, tmp_path: Path) -> None:
    """A version that the index does not have any more is an error in uv's own words."""
    web.pages |= pages()
    index = source(uv, home, f"{web.url}/simple/")
    with pytest.raises(IndexFailed, match=r"(?s)`uv pip compile` failed .*uv==0\.10\.7"):
        index.unpack(Release(version="0.10.7", tag="0.10.7", assets=()), tmp_path)


def _script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("uv==0.12.3", "0.12.3"),
        ("# a comment\nuv==0.12.3 \\\n    --hash=sha256:00", "0.12.3"),
        ("uv==0.12.3 ; python_version < '4'", "0.12.3"),
        ("", None),
        ("uvx==0.12.3", None),
        ("uv @ file:///uv.whl", None),
        ("uv==nonsense", None),
    ],
)
def test_what_uv_answers(home: Home, tmp_path: Path, output: str, expected: str | None) -> None:
    """The version is read out of uv's answer, whatever its user's settings add; or it is none."""
    uv = _script(tmp_path / "uv", f"cat <<'END'\n{output}\nEND")
    if expected is None:
        with pytest.raises(IndexFailed, match="unexpected output"):
            source(uv, home).find(NEWEST)
    else:
        assert source(uv, home).find(NEWEST).version == expected


def test_long_explanation(home: Home, tmp_path: Path) -> None:
    """However much uv has to say, it is understood as a whole, and quoted in part."""
    text = "\n".join(["No solution found", *(f"line {number}" for number in range(40))])
    lacking = _script(tmp_path / "uv", f"cat >&2 <<'END'\n{text}\nEND\nexit 1")
    with pytest.raises(NoSuchVersion, match=r"^the package index has no uv 0\.12\.3$"):
        source(lacking, home).find(Wanted(exact="0.12.3"))
    broken = _script(tmp_path / "uv2", f"cat >&2 <<'END'\n{text.lower()}\nEND\nexit 2")
    with pytest.raises(IndexFailed) as caught:
        source(broken, home).find(NEWEST)
    lines = str(caught.value).splitlines()
    assert lines[1:] == [f"line {number}" for number in range(28, 40)]


def test_login_in_what_uv_says(home: Home, tmp_path: Path) -> None:
    """A login that uv repeats, as it does of some proxies, is not repeated here."""
    uv = _script(tmp_path / "uv", "echo 'error: http://me:s3cret@proxy:3128 refused' >&2; exit 2")
    with pytest.raises(IndexFailed) as caught:
        source(uv, home).find(NEWEST)
    assert str(caught.value).splitlines()[1:] == ["error: http://***@proxy:3128 refused"]


def test_no_uv(home: Home, tmp_path: Path) -> None:
    """A uv that is not there, or that the system does not run, is an error that names it."""
    missing = tmp_path / "uv"
    with pytest.raises(UvNotRunnable, match=f"^failed to run {missing}: No such file"):
        source(missing, home).find(NEWEST)
    missing.write_text("nonsense")
    with pytest.raises(UvNotRunnable, match="Permission denied"):
        source(missing, home).find(NEWEST)


def test_uv_that_has_moved_aside(home: Home, tmp_path: Path) -> None:
    """While uv is replaced on Windows, it can be asked under the name that it has meanwhile."""
    _script(tmp_path / "uv.exe.previous.exe", "echo uv==0.12.3")
    assert source(tmp_path / "uv.exe", home).find(NEWEST).version == "0.12.3"


@pytest.mark.parametrize(
    ("environ", "windows", "expected"),
    [
        ({}, False, "/"),
        ({}, True, "C:\\"),
        ({"SYSTEMDRIVE": "D:"}, True, "D:\\"),
    ],
)
def test_neutral_folder(environ: dict[str, str], *, windows: bool, expected: str) -> None:
    """The index is asked from a root that only an administrator can write to."""
    assert neutral_directory(environ, windows=windows) == expected


def test_name_shows_no_login(home: Home, newest_uv: Path) -> None:
    """What the source is called in messages has no password in it."""
    assert source(newest_uv, home).name == "the package index"
    named = source(newest_uv, home, "https://me:pw@h.example/simple/")
    assert named.name == "the index https://***@h.example/simple/"
