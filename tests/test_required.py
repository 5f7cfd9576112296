"""`--required`: the version that uv's own configuration asks for."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.web import Asked, Page, Web
from uv_self_update.errors import InvalidRequirement, NothingRequired, UsageError
from uv_self_update.uv import workspace as projects
from uv_self_update.uv.required_version import (
    Place,
    Requirement,
    find,
    permit,
    requirements,
    target,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from support.homes import Home

REFUSED = "Required uv version `==0.0.1"
ALL, NONE = ">=0.0.1", "==0.0.1"
"""What every uv satisfies, and what none does."""

PROJECT = '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.11"\n'
KEY = 'required-version = "{}"\n'
TOOL = f"[tool.uv]\n{KEY}"
USER, SYSTEM = "home/.config/uv/uv.toml", "system/uv/uv.toml"


def workspace(members: str, more: str = "") -> str:
    """Return the root of a workspace."""
    return f"{PROJECT}{TOOL}[tool.uv.workspace]\nmembers = {members}\n{more}"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Files, and which of them uv heeds."""

    files: Mapping[str, str]
    """Path -> text, with `{}` for what is asked for."""

    heeded: Sequence[str]
    """What comes first wins in an older uv; a newer one has to satisfy all."""

    folder: str = "p"
    options: Sequence[str] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    """With `@` for the folder of all."""

    only_new: bool = False
    """Whether older versions of uv do not know of that."""


LAYOUTS = {
    "uv.toml": Layout(files={"p/uv.toml": KEY}, heeded=["p/uv.toml"]),
    "pyproject": Layout(files={"p/pyproject.toml": TOOL}, heeded=["p/pyproject.toml"]),
    "both": Layout(files={"p/uv.toml": KEY, "p/pyproject.toml": TOOL}, heeded=["p/uv.toml"]),
    "empty beside": Layout(files={"p/uv.toml": "", "p/pyproject.toml": TOOL}, heeded=[]),
    "above": Layout(
        files={"p/pyproject.toml": TOOL, "p/a/pyproject.toml": "[tool.x]\n"},
        folder="p/a/b",
        heeded=["p/pyproject.toml"],
    ),
    "nearest": Layout(
        files={"p/pyproject.toml": TOOL, "p/a/uv.toml": KEY}, folder="p/a/b", heeded=["p/a/uv.toml"]
    ),
    "nearest without": Layout(
        files={"p/pyproject.toml": TOOL, "p/a/pyproject.toml": "[tool.uv]\n"},
        folder="p/a",
        heeded=[],
    ),
    "below the project": Layout(
        files={"p/pyproject.toml": PROJECT + TOOL, "p/a/uv.toml": KEY},
        folder="p/a",
        heeded=["p/pyproject.toml"],
    ),
    "below an unmanaged one": Layout(
        files={"p/pyproject.toml": f"{PROJECT}{TOOL}managed = false\n", "p/a/uv.toml": KEY},
        folder="p/a",
        heeded=["p/a/uv.toml"],
    ),
    "user and system": Layout(files={USER: KEY, SYSTEM: KEY}, heeded=[USER, SYSTEM]),
    "all": Layout(
        files={"p/uv.toml": KEY, USER: KEY, SYSTEM: KEY}, heeded=["p/uv.toml", USER, SYSTEM]
    ),
    "no config": Layout(files={"p/uv.toml": KEY, USER: KEY}, options=["--no-config"], heeded=[]),
    "no config by variable": Layout(
        files={"p/uv.toml": KEY, USER: KEY}, environ={"UV_NO_CONFIG": "true"}, heeded=[]
    ),
    "named": Layout(
        files={"p/uv.toml": KEY, USER: KEY, "c.toml": KEY, "d.toml": KEY},
        options=["--config-file", "../c.toml", "--no-config"],
        environ={"UV_CONFIG_FILE": "@/d.toml"},
        heeded=["c.toml"],
    ),
    "named by variable": Layout(
        files={"p/uv.toml": KEY, USER: KEY, "c.toml": KEY},
        environ={"UV_CONFIG_FILE": "../c.toml", "UV_NO_CONFIG": "1"},
        heeded=["c.toml"],
    ),
    "directory": Layout(
        files={"p/uv.toml": KEY, "q/uv.toml": KEY, "q/c.toml": KEY},
        options=["--directory=../q"],
        heeded=["q/uv.toml"],
    ),
    "directory and a file": Layout(
        files={"p/c.toml": KEY, "q/c.toml": KEY},
        options=["--directory", "../q", "--config-file=c.toml"],
        heeded=["q/c.toml"],
    ),
    "directory and project": Layout(
        files={"p/uv.toml": KEY, "q/uv.toml": KEY, "q/r/uv.toml": KEY},
        options=["--project", "r", "--directory", "../q"],
        environ={"UV_PROJECT": "@/p"},
        heeded=["q/r/uv.toml"],
    ),
    "project by variable": Layout(
        files={"p/uv.toml": KEY, "q/uv.toml": KEY},
        environ={"UV_PROJECT": "../q"},
        heeded=["q/uv.toml"],
    ),
    "directory by variable": Layout(
        files={"p/uv.toml": KEY, "q/uv.toml": KEY},
        environ={"UV_WORKING_DIR": "../q"},
        heeded=["q/uv.toml"],
        only_new=True,
    ),
    "member": Layout(
        files={
            "p/pyproject.toml": workspace('["a", "packages/*"]'),
            "p/packages/a/pyproject.toml": PROJECT.replace('"p"', '"a"') + TOOL,
            "p/packages/a/uv.toml": KEY,
            "p/packages/uv.toml": KEY,
        },
        folder="p/packages/a/src",
        heeded=["p/pyproject.toml"],
    ),
    "member without": Layout(
        files={
            "p/pyproject.toml": workspace('["./a/**/b"]'),
            "p/uv.toml": KEY,
            "p/a/b/pyproject.toml": PROJECT.replace('"p"', '"b"'),
        },
        folder="p/a/b",
        heeded=["p/uv.toml"],
    ),
    "member of one without": Layout(
        files={
            "p/pyproject.toml": '[tool.uv.workspace]\nmembers = ["a"]\n',
            "p/a/pyproject.toml": PROJECT + TOOL,
        },
        folder="p/a",
        heeded=[],
    ),
    "no member": Layout(
        files={
            "p/pyproject.toml": workspace('["b*"]'),
            "p/a/pyproject.toml": PROJECT.replace('"p"', '"a"') + TOOL,
        },
        folder="p/a",
        heeded=["p/a/pyproject.toml"],
    ),
    "no member without": Layout(
        files={
            "p/pyproject.toml": workspace('["b*"]'),
            "p/a/pyproject.toml": PROJECT.replace('"p"', '"a"'),
        },
        folder="p/a",
        heeded=["p/pyproject.toml"],
    ),
    "excluded": Layout(
        files={
            "p/pyproject.toml": workspace('["*"]', 'exclude = ["a"]\n'),
            "p/a/pyproject.toml": PROJECT.replace('"p"', '"a"') + TOOL,
        },
        folder="p/a",
        heeded=["p/a/pyproject.toml"],
    ),
    "another project between": Layout(
        files={
            "p/pyproject.toml": workspace('["a/b"]'),
            "p/a/pyproject.toml": "[tool.x]\n",
            "p/a/b/pyproject.toml": PROJECT.replace('"p"', '"b"') + TOOL,
        },
        folder="p/a/b",
        heeded=["p/a/b/pyproject.toml"],
    ),
    "star is one folder": Layout(
        files={
            "p/pyproject.toml": workspace('["a/*/c"]'),
            "p/a/x/c/pyproject.toml": PROJECT.replace('"p"', '"c"'),
            "p/a/x/y/c/pyproject.toml": PROJECT.replace('"p"', '"d"') + TOOL,
        },
        folder="p/a/x/y/c",
        heeded=["p/a/x/y/c/pyproject.toml"],
        only_new=True,
    ),
}


def write(root: Path, files: Mapping[str, str], *, unfit: str | None = None) -> None:
    """Write files, one of which asks for what no uv satisfies."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("{}", NONE if name == unfit else ALL))


def environment(root: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment whose configuration lies in a folder."""
    given = {name: value.replace("@", str(root)) for name, value in (extra or {}).items()}
    return {
        "HOME": str(root / "home"),
        "PATH": "/usr/bin:/bin",
        "XDG_CONFIG_DIRS": str(root / "system"),
        **given,
    }


def ask(version: str, folder: Path, environ: Mapping[str, str], *options: str) -> str:
    """Let a real uv read its configuration, and return what it says on stderr."""
    uv = binaries.executables(version) / "uv"
    done = subprocess.run(
        [uv, *options, "cache", "dir"],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 2}, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("name", "version"),
    [
        *((name, "newest") for name in LAYOUTS),
        *((name, "0.8.24") for name, layout in LAYOUTS.items() if not layout.only_new),
    ],
)
def test_found_as_uv_finds_it(name: str, version: str, tmp_path: Path) -> None:
    """The files that are obeyed are those for which a real uv refuses to run."""
    layout, root = LAYOUTS[name], tmp_path.resolve()
    folder, environ = root / layout.folder, environment(root, layout.environ)
    folder.mkdir(parents=True)
    write(root, layout.files)
    place = Place.of(layout.options, environ, folder, windows=False)
    try:
        found = [os.path.normpath(one.path) for one in find(place)]
    except NothingRequired:
        found = []
    assert found == [str(root / path) for path in layout.heeded]

    refusing = []
    for path in layout.files:
        write(root, layout.files, unfit=path)
        if REFUSED in ask(binaries.version(version), folder, environ, *layout.options):
            refusing.append(path)
    heeded = layout.heeded if version == "newest" else layout.heeded[:1]
    assert sorted(refusing) == sorted(heeded)


def of(*specifiers: str) -> list[Requirement]:
    """Return requirements of several files."""
    return [Requirement(specifier=one, path=Path(str(n))) for n, one in enumerate(specifiers)]


@pytest.mark.parametrize(
    ("value", "specifier"),
    [
        ("0.12.3", "==0.12.3"),
        (" v0.12.3 ", "==0.12.3"),
        ("==0.12.3 ", "==0.12.3"),
        ("0.12", "==0.12"),
        ("==0.12.*", "==0.12.*"),
        (">=0.0.1", ">=0.0.1"),
        ("~=0.5", "~=0.5"),
        ("!=0.12.3", "!=0.12.3"),
        (">=0.0.1, <0.0.9", "<0.0.9,>=0.0.1"),
        ("===0.0.1", "===0.0.1"),
        ("0.12.*", None),
        ("0.12.3,<2", None),
        ("*", None),
        ("nonsense", None),
    ],
)
def test_value_as_uv_reads_it(value: str, specifier: str | None, tmp_path: Path) -> None:
    """What is a version, or a specifier, is what a real uv takes for one, and means the same."""
    path = tmp_path / "uv.toml"
    path.write_text(f"required-version = '{value}'\n")
    version = binaries.newest()
    said = ask(version, tmp_path, environment(tmp_path))

    if specifier is None:
        with pytest.raises(InvalidRequirement) as caught:
            requirements([path])
        assert f"{path}: required-version: it is `{value}`, but expected a version (" in str(
            caught.value
        )
        assert "Failed to parse" in said
        return
    (found,) = requirements([path])
    assert found == Requirement(specifier=specifier, path=path)
    assert permit([found], version) == ("Required uv version" not in said)
    assert "Failed to parse" not in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("required-version = 5", "required-version: it is a number, but expected a version ("),
        (
            "required-version = ['0.12.3']",
            "required-version: it is an array, but expected a version (",
        ),
        ("[br oken", "it is not TOML (at line 1, column 5)"),
    ],
)
def test_what_is_wrong(text: str, said: str, tmp_path: Path) -> None:
    """A mistake is told with its file and its key, and so is a file that cannot be read."""
    path = tmp_path / "uv.toml"
    path.write_text(text)
    project = tmp_path / "pyproject.toml"
    project.write_text(f"[tool.uv]\n{text}")

    with pytest.raises(InvalidRequirement) as ours:
        requirements([path])
    with pytest.raises(InvalidRequirement) as theirs:
        requirements([project])

    assert f"invalid configuration of uv: {path}: {said}" in str(ours.value)
    in_project = f"tool.uv.{said}" if said.startswith("required") else "it is not TOML (at line 2"
    assert f"{project}: {in_project}" in str(theirs.value)


def test_project_that_cannot_be_read(tmp_path: Path) -> None:
    """The nearest project decides even if it cannot be read: no other one is taken for it."""
    write(tmp_path, {"pyproject.toml": TOOL, "a/pyproject.toml": "[br oken"})
    place = Place.of((), environment(tmp_path), tmp_path / "a", windows=False)

    with pytest.raises(InvalidRequirement, match="it is not TOML"):
        find(place)


def test_nothing_is_asked_for(tmp_path: Path) -> None:
    """Where nothing is asked for, all the places are named, whether there is a file or not."""
    write(tmp_path, {SYSTEM: "offline = false\n", "p/uv.toml": 'required-version = ""\n'})
    (tmp_path / "q").mkdir()
    environ = environment(tmp_path)
    user, system = tmp_path / USER, tmp_path / SYSTEM

    for folder, first in (("p", tmp_path / "p" / "uv.toml"), ("q", "its parent directories")):
        with pytest.raises(NothingRequired) as caught:
            find(Place.of((), environ, tmp_path / folder, windows=False))
        assert f"{first}, {user}, {system}, /etc/uv/uv.toml" in str(caught.value)
    with pytest.raises(NothingRequired, match="UV_NO_CONFIG disables it"):
        find(Place.of(["--no-config"], environ, tmp_path, windows=False))
    with pytest.raises(NothingRequired) as caught:
        find(Place.of(["--config-file", "p/uv.toml"], environ, tmp_path, windows=False))
    assert str(caught.value).endswith(f"searched {tmp_path / 'p' / 'uv.toml'}")


@pytest.mark.parametrize("option", ["--directory", "--project"])
def test_folder_that_is_not_there(option: str, tmp_path: Path) -> None:
    """A folder that is named and not there is a mistake of the command line."""
    with pytest.raises(UsageError, match=r"the directory .*none does not exist$"):
        Place.of([option, "none"], {}, tmp_path, windows=False)


@pytest.mark.parametrize(
    ("specifiers", "expected"),
    [
        (["==0.12.3"], "0.12.3"),
        (["==0.12"], "==0.12"),
        (["==0.12.*"], "==0.12.*"),
        (["==0.12.3", "==0.12.3"], "0.12.3"),
        (["==0.12.3", ">=0.11"], "0.12.3"),
        ([">=0.11", "==0.12.3"], "0.12.3"),
        (["==0.12.3", ">=0.13"], "==0.12.3,>=0.13"),
        (["==0.13.0rc1", "<0.14"], "0.13.0rc1"),
        (["<0.14,>=0.12", ">=0.12", ">=0.12"], "<0.14,>=0.12,>=0.12"),
        (["===0.12.3"], "===0.12.3"),
        (["==0.12.3+local"], "==0.12.3+local"),
        (["==1!0.12.3"], "==1!0.12.3"),
    ],
)
def test_target(specifiers: list[str], expected: str) -> None:
    """TARGET is what suits every file: a version where one is named, else all that they say."""
    assert target(of(*specifiers)) == expected


@pytest.fixture
def mirror(home: Home, web: Web) -> str:
    """Configure a mirror with three versions, and return what it is called."""
    web.pages |= mirrors.github_pages(["0.11.13", "0.8.24", "0.5.31"])
    home.environ["UV_SELF_UPDATE_SOURCE"] = f"github+{web.url}/astral-sh/uv"
    return f"{web.url}/astral-sh/uv"


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize(
    ("value", "end"), [("0.8.24", "0.8.24"), ("<0.8", "0.5.31"), (">=0.8", "0.11.13")]
)
def test_real_uv_becomes_the_required_one(value: str, end: str, home: Home) -> None:
    """A real uv that refuses to run in a project is updated to one that does not."""
    home.install(binaries.newest())
    write(home.path, {"pyproject.toml": f'{PROJECT}[tool.uv]\nrequired-version = "{value}"\n'})
    before = home.rest()

    due = home.run("--required", "--check")
    done = home.run("--required")
    again = home.run("--required", "--check")

    assert (due.code, done.code, again.code) == (11, 0, 0), done.err
    assert due.out.startswith(f"uv {end} is available from ")
    assert again.out == f"uv {end} is installed, as requested\n"
    assert home.version() == home.receipt_version() == end
    assert home.rest() == before


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("start", ["0.8.24", "newest"])
def test_named_file(start: str, home: Home) -> None:
    """A file that is named replaces all others, and does not keep uv from being updated."""
    home.install(binaries.version(start))
    write(home.path, {"uv.toml": KEY, ".config/uv/uv.toml": KEY})
    (home.path / "c.toml").write_text('required-version = "0.11.13"')

    done = home.run("--required", "--config-file", "c.toml")

    assert done.code == 0, done.err
    assert home.version() == "0.11.13"


def test_what_cannot_be_had(home: Home, mirror: str) -> None:
    """What nobody has, or what contradicts itself, is the error that it is for a TARGET."""
    home.install("0.8.24")
    write(home.path, {"uv.toml": 'required-version = "<0.5"'})
    lacking = home.run("--required", "--check")
    write(home.path, {".config/uv/uv.toml": 'required-version = ">=0.8"'})
    both = home.run("--required", "-v")

    user, project = home.receipt.with_name("uv.toml"), home.path / "uv.toml"
    assert (lacking.code, both.code) == (7, 7)
    assert f"error: {mirror} has no uv <0.5\n" in lacking.err
    assert (
        f"error: {mirror} has no uv <0.5,>=0.8; required are\n"
        f"  <0.5 by {project}\n  >=0.8 by {user}\n"
    ) in both.err
    for specifier, path in (("<0.5", project), (">=0.8", user)):
        assert f"DEBUG uv {specifier} is required by {path}\n" in both.err
    assert home.version() == "0.8.24"


def test_exact_version_that_nobody_has(home: Home, mirror: str) -> None:
    """The files are named also where it is through uv that the version turns out to be missing."""
    home.install("0.8.24")
    write(
        home.path,
        {
            "uv.toml": 'required-version = "==0.9.1"',
            ".config/uv/uv.toml": 'required-version = ">0.5"',
        },
    )

    done = home.run("--required")

    user, project = home.receipt.with_name("uv.toml"), home.path / "uv.toml"
    assert done.code != 0
    assert (
        f"error: {mirror} has no uv 0.9.1; required are\n  ==0.9.1 by {project}\n  >0.5 by {user}\n"
    ) in done.err


@pytest.mark.parametrize("check", [True, False])
def test_contradiction_where_one_version_can_be_asked_for(
    home: Home, web: Web, *, check: bool
) -> None:
    """The files are named too where a source cannot be asked for more than an exact version."""
    home.install("0.8.24")
    write(
        home.path,
        {
            "uv.toml": 'required-version = "<1"',
            ".config/uv/uv.toml": 'required-version = ">=9"',
        },
    )
    source = f"urls+{web.url}/{{asset}}"

    done = home.run("--required", "--source", source, *(["--check"] if check else []))

    assert done.code == 6
    assert f"\n  >=9 by {home.receipt.with_name('uv.toml')}\n" in done.err


@pytest.mark.extra
def test_nothing_but_the_version_is_read(home: Home, web: Web) -> None:
    """A project decides which version, and never from where it comes."""
    start, end = binaries.newest_but_one(), binaries.newest()
    home.install(start)
    web.pages |= mirrors.index_pages([end, start])
    home.environ["UV_DEFAULT_INDEX"] = f"{web.url}/simple/"
    with Web(mirrors.index_pages([end, start])) as theirs:
        index = f'[[tool.uv.index]]\nurl = "{theirs.url}/simple/"\ndefault = true\n'
        config = f'[[source]]\nkind = "index"\nurl = "{theirs.url}/simple/"\n'
        required = f'[tool.uv]\nrequired-version = "{end}"\n'
        write(home.path, {"pyproject.toml": f"{required}{index}", "config.toml": config})
        done = home.run("--required")

    assert done.code == 0, done.err
    assert home.version() == end
    assert theirs.asked == []
    assert web.asked != []


@pytest.mark.parametrize("start", ["0.5.0", "0.8.24", "newest-but-one"])
@pytest.mark.parametrize("split", [False, True])
def test_required_by_the_person(start: str, home: Home, web: Web, *, split: bool) -> None:
    """A uv that refuses to do anything for its user is asked for the index all the same.

    The index stands in the same file, or in that of the machine.
    """
    end = binaries.newest()
    home.install(binaries.version(start))
    web.pages |= mirrors.index_pages([end, binaries.version(start)])
    required = f'required-version = ">={end}"\n'
    index = f'[[index]]\nurl = "{web.url}/simple/"\ndefault = true\n'
    system, temporary = home.path / "system", home.path / "tmp"
    temporary.mkdir()
    home.environ |= {"XDG_CONFIG_DIRS": str(system), "TMPDIR": str(temporary)}
    user = home.receipt.with_name("uv.toml")
    user.write_text(required if split else required + index)
    if split:
        write(system, {"uv/uv.toml": index})
    before = home.rest()
    refusing = home.run("pip", "compile", "-", program=(str(home.uv),))
    page, copies = web.pages["/simple/uv/"], set[Path]()

    def asked(_: Asked) -> Page:
        copies.update(home.path.rglob("uv-self-update-*/uv.toml"))
        assert isinstance(page, Page)
        return page

    web.pages["/simple/uv/"] = asked

    done = home.run("--required")

    assert refusing.code == 2
    assert done.code == 0, done.err
    assert home.version() == home.receipt_version() == end
    assert home.rest() == before  # with no copy left behind
    # Where the next run removes what one that was killed has left.
    assert copies
    assert {home.uv.parent / ".uv-self-update"} <= set.intersection(
        *(set(copy.parents) for copy in copies)
    )


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("a/b", "a", False),
        ("a", "a/b", False),
        ("a/b", "*/b", True),
        ("a/b", "a*/?", True),
        ("a/b/c", "**", True),
        ("a/b/c", "**/c", True),
        ("a/b/c", "a/**/c", True),
        ("a/c", "a/**/c", True),
        ("a", "a/**", True),
        ("a/b/c", "a/**/b", False),
        ("a/b/c", "**/b/**", True),
        ("a/b/c", "x/**", False),
        ("a/b/c", "**/**/c/**", True),
    ],
)
def test_pattern(path: str, pattern: str, *, expected: bool) -> None:
    """A pattern is compared with a path folder by folder."""
    assert projects._fits(path.split("/"), pattern.split("/")) == expected  # noqa: SLF001 # a table


def test_pattern_that_takes_forever() -> None:
    """A project cannot keep the program busy with its patterns."""
    looked = 0

    class Counted(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            nonlocal looked
            looked += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    pattern = [*[Counted("**"), Counted("a")] * 20, Counted("b")]
    assert not projects._fits(["a"] * 40, pattern)  # noqa: SLF001 # as above
    assert looked < 10_000


@pytest.mark.parametrize("text", [f">={'9' * 5000}", "9" * 5000, ">=0.1," * 100])
def test_specifier_without_end(tmp_path: Path, text: str) -> None:
    """What is far too long for a version is refused, and is not repeated."""
    (tmp_path / "uv.toml").write_text(f'required-version = "{text}"\n')
    with pytest.raises(
        InvalidRequirement, match=r"it is longer than 200 characters, but"
    ) as caught:
        requirements([tmp_path / "uv.toml"])
    assert len(str(caught.value)) < 300 + len(str(tmp_path))
