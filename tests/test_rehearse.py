"""Rehearsals, end to end, with real uvs; the home they are held in stays as it was."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors, namespaces
from support.web import Page, Web
from uv_self_update.config.kinds import parse_source
from uv_self_update.config.settings import Settings
from uv_self_update.uv.executable import renamed
from uv_self_update.uv.installation import Installation
from uv_self_update.workflow.rehearse import hold

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.homes import Done, Home

    Spoil = Callable[[Web], None]

OLD, NEW = binaries.FIRST, binaries.newest()


@pytest.fixture
def temporary(tmp_path: Path, home: Home) -> Path:
    """Return the folder for whatever is temporary."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    home.environ["TMPDIR"] = str(folder)
    return folder


@pytest.fixture
def bare(home: Home) -> Home:
    """Return a home whose uv is not a standalone one: it has no receipt."""
    home.install(OLD)
    home.receipt.unlink()
    return home


def serve_index(web: Web, home: Home, *versions: str) -> None:
    """Make an index of these versions the home's own."""
    web.pages |= mirrors.index_pages(versions, real=True)
    home.environ["UV_DEFAULT_INDEX"] = f"{web.url}/simple/"


def serve_urls(web: Web, home: Home, *versions: str, latest: bool = True) -> None:
    """Make a mirror of these versions, the newest first, the home's source."""
    web.pages |= mirrors.urls_pages(versions, real=True)
    named = f'latest = "{web.url}/latest.json"\n' if latest else ""
    home.configure(
        f'[[source]]\nkind = "urls"\n{named}download = "{web.url}/files/{{tag}}/{{asset}}"\n'
    )


def facts(done: Done) -> dict[str, str]:
    """Read what a rehearsal has printed."""
    assert done.code == 0, done.err
    head, *lines = done.out.splitlines()
    assert head == "A temporary copy of uv was updated, and runs."
    return {name: value for name, _, value in (line.strip().partition(" ") for line in lines)}


def told(done: Done) -> tuple[str, str, str]:
    """Return the source, the version before and the version after."""
    found = {name: value.strip() for name, value in facts(done).items()}
    assert int(found["bytes"].replace(",", "")) > 1_000_000
    assert float(found["seconds"]) > 0
    return found["source"], found["from"], found["to"]


def test_standalone_uv(home: Home, web: Web, temporary: Path) -> None:
    """A standalone uv is what is copied; it, its receipt and all else stay as they were."""
    home.install(OLD)
    serve_index(web, home, NEW, OLD)
    before = home.snapshot()
    done = home.run("rehearse")
    assert told(done) == ("the package index", OLD, NEW)
    assert not [path for path in web.paths() if f"uv-{OLD}-" in path]
    assert home.snapshot() == before
    assert list(temporary.iterdir()) == []


def test_no_standalone_uv(bare: Home, web: Web, temporary: Path) -> None:
    """With no standalone uv, the copy is an older version from the source."""
    bare.install(NEW)
    bare.receipt.unlink()
    serve_index(web, bare, NEW, OLD)
    before = bare.snapshot()
    assert told(bare.run("rehearse")) == ("the package index", OLD, NEW)
    assert bare.snapshot() == before
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("installer", ["release", "native"])
def test_one_version_only(bare: Home, web: Web, temporary: Path, installer: str) -> None:
    """With nothing older at the source, the copy is of the uv that there is."""
    serve_urls(web, bare, NEW)
    before = bare.snapshot()
    done = bare.run("rehearse", "--installer", installer)
    assert told(done) == (f"{web.url}/latest.json", OLD, NEW)
    assert bare.snapshot() == before
    assert list(temporary.iterdir()) == []


def test_uv_that_has_renamed_itself(bare: Home, web: Web) -> None:
    """While uv is replaced on Windows, the copy is of what it is called meanwhile."""
    serve_urls(web, bare, NEW)
    bare.uv.rename(renamed(bare.uv))
    source = parse_source(f"urls+{web.url}/files/{{tag}}/{{asset}}")
    rehearsal = hold(
        Settings(sources=(source,)),
        Installation(uv=bare.uv, environ=bare.full_environ()),
        target=NEW,
        start=None,
    )
    assert (rehearsal.start, rehearsal.end) == (OLD, NEW)
    assert not bare.uv.exists()


@pytest.mark.parametrize("installer", ["release", "native"])
def test_programs_cannot_be_run_from_the_temporary_folder(
    home: Home, web: Web, temporary: Path, installer: str
) -> None:
    """Then the copy lies elsewhere for as long as it is needed."""
    home.install(OLD)
    serve_urls(web, home, NEW)
    before = home.snapshot()
    noexec = namespaces.mounted(temporary, options="noexec")
    done = home.run("rehearse", "--installer", installer, before=noexec)
    assert told(done) == (f"{web.url}/latest.json", OLD, NEW)
    assert home.snapshot() == before


def test_programs_can_be_run_beside_uv_only(bare: Home, web: Web, temporary: Path) -> None:
    """Where that is so, what comes from the source is tried there, and so is its update."""
    bare.install(NEW)
    bare.receipt.unlink()
    serve_index(web, bare, NEW, OLD)
    home = temporary / "home"
    home.mkdir()
    before = bare.snapshot()
    noexec = namespaces.mounted(temporary, options="noexec")
    make = ["sh", "-c", 'mkdir "$HOME"; exec "$@"', "sh"]
    done = bare.run("rehearse", before=[*noexec, *make], environ={"HOME": str(home)})
    assert told(done) == ("the package index", OLD, NEW)
    assert bare.snapshot() == before


def test_programs_can_be_run_from_no_folder(home: Home, web: Web, temporary: Path) -> None:
    """Where nothing can be written beside uv either, that is said, and what would help."""
    home.install(OLD)
    serve_urls(web, home, NEW)
    noexec = namespaces.mounted(temporary, options="noexec")
    done = home.run("rehearse", before=[*noexec, *namespaces.read_only(home.path)])
    assert done.code == 9
    assert done.err == (
        f"error: no temporary directory allows programs to be run, and neither does {home.bin}\n"
        "hint: Set TMPDIR to a directory that programs can be run from.\n"
    )


def test_no_latest(bare: Home, web: Web, temporary: Path) -> None:
    """A mirror without a list can be rehearsed with too, to an exact version."""
    serve_urls(web, bare, NEW, latest=False)
    source = f"{web.url}/files/{{tag}}/{{asset}}"
    assert told(bare.run("rehearse", NEW)) == (source, OLD, NEW)
    assert list(temporary.iterdir()) == []


def test_second_source(bare: Home, web: Web, temporary: Path) -> None:
    """A source that does not answer does not end a rehearsal that another one can serve."""
    serve_urls(web, bare, NEW)
    text = bare.config.read_text()
    missing = text.replace("latest.json", "missing.json").replace("/files/", "/missing/")
    bare.configure(missing + text)
    assert told(bare.run("rehearse")) == (f"{web.url}/latest.json", OLD, NEW)
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("pinned", [True, False])
def test_pin_of_what_it_begins_with(home: Home, web: Web, temporary: Path, *, pinned: bool) -> None:
    """What is pinned is not even run for a rehearsal, unless it is that."""
    home.install(NEW)
    serve_urls(web, home, NEW, OLD)
    name = binaries.archive(OLD).name
    policy = f'[policy.digests."{OLD}"]\n"{name}" = "{"0" * 64}"\n'
    home.configure(home.config.read_text() + (policy if pinned else ""))

    done = home.run("rehearse", "--from", OLD)

    assert (done.code == 0) != pinned, done.err
    if pinned:
        assert f"{name} from " in done.err
        assert f"expected sha256 {'0' * 64} (pinned in {home.config})" in done.err
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("start", [OLD, f"v{OLD}", f"<{NEW}"])
def test_from(home: Home, web: Web, temporary: Path, start: str) -> None:
    """The version to begin with can be named."""
    home.install(NEW)
    serve_index(web, home, NEW, OLD)
    assert told(home.run("rehearse", "--from", start)) == ("the package index", OLD, NEW)
    assert list(temporary.iterdir()) == []


@pytest.mark.extra
@pytest.mark.parametrize(
    ("arguments", "start", "end"),
    [
        (["0.8"], "0.5.31", "0.8.24"),
        (["<0.8"], "0.5.0", "0.5.31"),
        (["0.5.31"], "0.5.0", "0.5.31"),
        (["0.5.31", "--from", "0.11.13"], "0.11.13", "0.5.31"),
    ],
)
def test_target(
    home: Home, web: Web, temporary: Path, arguments: list[str], start: str, end: str
) -> None:
    """A TARGET is rehearsed, upwards and downwards."""
    home.install("0.5.31")
    serve_index(web, home, "0.11.13", "0.8.24", "0.5.31", "0.5.0")
    before = home.snapshot()
    assert told(home.run("rehearse", *arguments)) == ("the package index", start, end)
    assert home.snapshot() == before
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("versions", "arguments", "code", "said"),
    [
        ([OLD], ["--from", OLD], 9, f"an update from uv {OLD} to uv {OLD} changes nothing"),
        ([OLD], ["--from", "0.5.7"], 7, "the package index has no uv 0.5.7"),
        ([OLD], ["--from", "nonsense"], 2, "`nonsense` is not a version of uv"),
        ([OLD], ["0.7.7"], 7, "the package index has no uv 0.7.7"),
        ([OLD], ["nonsense"], 2, "`nonsense` is not a version of uv"),
        ([], [], 6, "http://"),
    ],
)
def test_cannot_be_held(  # noqa: PLR0913, PLR0917 # a table of cases, and what they need
    home: Home,
    web: Web,
    temporary: Path,
    tmp_path: Path,
    versions: list[str],
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    """A rehearsal that cannot be held says why, and leaves nothing behind."""
    home.install(OLD)
    serve_index(web, home, *versions)
    if not versions:
        web.pages.clear()
    # uv's credential store is asked after a refusal, and uv makes the directory of its lock.
    home.environ["UV_CREDENTIALS_DIR"] = str(tmp_path / "credentials")
    before = home.snapshot()
    done = home.run("rehearse", *arguments)
    assert done.code == code, done.err
    assert done.err.startswith(f"error: {said}")
    assert done.out == ""
    assert home.snapshot() == before
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(("serve", "standalone"), [(serve_index, True), (serve_urls, False)])
def test_up_to_date(
    home: Home,
    web: Web,
    temporary: Path,
    serve: Callable[[Web, Home, str], None],
    *,
    standalone: bool,
) -> None:
    """With the only version of the source installed, that one is fetched, checked and run."""
    home.install(NEW)
    if not standalone:
        home.receipt.unlink()
    serve(web, home, NEW)
    before = home.snapshot()
    done = home.call("rehearse")
    assert done.code == 0, done.err
    head, source, version, size, _ = done.out.splitlines()
    assert head == f"A temporary copy of uv {NEW} from the source runs, and is up to date."
    assert source.startswith("  source   ")
    assert version == f"  version  {NEW}"
    assert int(size.split()[1].replace(",", "")) > 1_000_000
    assert "pgraded" not in done.out + done.err
    assert home.snapshot() == before
    assert list(temporary.iterdir()) == []


def test_mirror_that_is_behind(home: Home, web: Web, temporary: Path) -> None:
    """Where the only version of the source is older, a copy of the user's uv goes back to it."""
    home.install(NEW)
    serve_urls(web, home, OLD)
    done = home.call("rehearse")
    assert told(done) == (f"{web.url}/latest.json", NEW, OLD)
    assert done.err == ""
    assert home.version() == NEW
    assert list(temporary.iterdir()) == []


def test_up_to_date_and_damaged(home: Home, web: Web, temporary: Path) -> None:
    """A file that is not what was published is found out with nothing to update as well."""
    home.install(NEW)
    serve_urls(web, home, NEW)
    _wrong_version(web)
    done = home.call("rehearse")
    assert done.code == 8, done.err
    assert "sha256" in done.err
    assert list(temporary.iterdir()) == []


def test_words_of_uv(home: Home, web: Web) -> None:
    """What uv says of the copy is shown where more words are asked for."""
    home.install(OLD)
    serve_urls(web, home, NEW)
    done = home.call("rehearse", "-v")
    assert done.code == 0, done.err
    assert done.err.count("success: Upgraded uv") == 1


def test_words_of_a_uv_that_fails(home: Home, web: Web) -> None:
    """Where uv itself says why the copy was not updated, its words are in the error."""
    home.bin.mkdir(parents=True)
    home.uv.write_text(
        '#!/bin/sh\n[ "$1" = self ] && { echo "no luck" >&2; exit 3; }\necho uv 0.5.31'
    )
    home.uv.chmod(0o755)
    serve_urls(web, home, NEW)
    done = home.call("rehearse")
    assert done.code == 9
    assert "error: `uv self update` ended with code 3 on the copy\n  no luck\n" in done.err


def _wrong_version(web: Web) -> None:
    archive = binaries.archive(OLD)
    web.pages[f"/files/{NEW}/{archive.name}"] = Page(body=archive)


def _no_archive(web: Web) -> None:
    del web.pages[f"/files/{NEW}/{binaries.archive(NEW).name}"]


def _web_page(web: Web) -> None:
    for path in list(web.pages):
        if path.startswith("/files/"):
            web.pages[path] = Page(body=b"<!DOCTYPE html>Sign in")


def _breaks_off(web: Web) -> None:
    archive = binaries.archive(NEW)
    body = archive.read_bytes()
    web.pages[f"/files/{NEW}/{archive.name}"] = Page(body=body[: 1 << 20], length=len(body))


@pytest.mark.parametrize("installer", ["auto", "native"])
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_wrong_version, "sha256"),
        (_no_archive, "404"),
        (_web_page, "a web page"),
        (_breaks_off, "was interrupted"),
    ],
)
def test_source_that_fails(
    home: Home, web: Web, temporary: Path, *, installer: str, spoil: Spoil, said: str
) -> None:
    """If the copy cannot be updated, the real reason is told, and nothing is left behind."""
    home.install(OLD)
    serve_urls(web, home, NEW)
    spoil(web)
    before = home.snapshot()
    done = home.run("rehearse", "--installer", installer)
    assert done.code == 9, done.err
    error = done.err[done.err.index("error: `uv self update` ended with code ") :]
    assert said in error
    assert done.out == ""
    assert home.snapshot() == before
    assert list(temporary.iterdir()) == []


def test_no_uv(home: Home, temporary: Path) -> None:
    """Without any uv there is nobody to ask, and nothing to copy."""
    done = home.run("rehearse", environ={"PATH": "/nowhere"})
    assert (done.code, done.err.splitlines()[0]) == (4, "error: no uv found on PATH")
    assert list(temporary.iterdir()) == []


def test_installer_that_writes_elsewhere(home: Home, web: Web, temporary: Path) -> None:
    """What an installer does to the home that it is told of, it does to a throwaway one."""
    home.install(OLD)
    serve_urls(web, home, NEW)
    extra = (
        b'\nfor home in "$HOME" "$XDG_CONFIG_HOME"; do echo "export X=1" >>"$home/.profile"; done\n'
    )
    script = mirrors.installer(NEW).replace(b"\nset -u\n", b"\nset -u\n" + extra)
    assert extra in script
    web.pages[f"/files/{NEW}/uv-installer.sh"] = Page(body=script)
    document = mirrors.github_json(NEW, digests=False, real=True)
    web.pages["/latest.json"] = Page(body=json.dumps(document).encode())
    before = home.snapshot()
    done = home.run("rehearse", "--installer", "release")
    assert told(done) == (f"{web.url}/latest.json", OLD, NEW)
    assert home.snapshot() == before
    assert list(temporary.iterdir()) == []


def test_copy_that_claims_to_be_updated(home: Home, web: Web, temporary: Path) -> None:
    """That uv says it has been updated is not enough: the copy is asked."""
    home.install(OLD)
    serve_urls(web, home, NEW)
    web.pages[f"/files/{NEW}/uv-installer.sh"] = Page(body=b"#!/bin/sh\nexit 0\n")
    document = mirrors.github_json(NEW, digests=False, real=True)
    web.pages["/latest.json"] = Page(body=json.dumps(document).encode())
    done = home.run("rehearse", "--installer", "release")
    assert done.code == 9
    assert f"the installer of uv {NEW} reported success without installing it" in done.err
    assert list(temporary.iterdir()) == []


def test_copy_without_its_receipt(home: Home, web: Web, temporary: Path) -> None:
    """A receipt that an installer removes is put back, and names the new version."""
    home.install(OLD)
    serve_urls(web, home, NEW)
    end = b'\ndownload_binary_and_run_installer "$@" || exit 1\n'
    script = mirrors.installer(NEW).replace(
        end, end + b'rm "$XDG_CONFIG_HOME/uv/uv-receipt.json"\n'
    )
    assert b"\nrm " in script
    web.pages[f"/files/{NEW}/uv-installer.sh"] = Page(body=script)
    document = mirrors.github_json(NEW, digests=False, real=True)
    web.pages["/latest.json"] = Page(body=json.dumps(document).encode())
    done = home.run("rehearse", "--installer", "release")
    assert told(done) == (f"{web.url}/latest.json", OLD, NEW)
    assert list(temporary.iterdir()) == []
