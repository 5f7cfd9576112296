"""What somebody has changed between uv's publisher and this machine: named, and not installed."""

from __future__ import annotations

import hashlib
import io
import json
import random
import re
import shutil
import zipfile
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.web import Page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.homes import Done, Home
    from support.web import Web

OLD, NEW = binaries.FIRST, "0.9.30"
SUMS, SCRIPT = "sha256.sum", "uv-installer.sh"
FEW, MANY = 12, 60


def flipped(body: bytes, *, seed: int, count: int) -> list[tuple[str, bytes]]:
    """Change one bit of a body, at places all over it; return what was changed, and the outcome."""
    chance = random.Random(seed)  # noqa: S311 # the same places each time
    changed = []
    for part in range(count):
        place = min(int((part + chance.random()) / count * len(body)), len(body) - 1)
        bit = 1 << chance.randrange(8)
        text = body[:place] + bytes([body[place] ^ bit]) + body[place + 1 :]
        changed.append((f"byte {place}, bit {bit}", text))
    return changed


COUNTS = pytest.mark.parametrize(
    ("seed", "count"), [(0, FEW), *(pytest.param(n, MANY, marks=pytest.mark.slow) for n in (1, 2))]
)


class Mirror:
    """A folder with a release, and a home whose uv is updated from it."""

    def __init__(self, home: Home, folder: Path) -> None:
        """Lay everything as it was published."""
        self.home = home
        self.archive = binaries.archive(NEW, real=False)
        self.folder = folder / NEW
        self.folder.mkdir(parents=True)
        shutil.copy(self.archive, self.folder)
        (self.folder / SCRIPT).write_bytes(mirrors.installer(NEW, real=False))
        names = (self.archive.name, SCRIPT)
        self.sums = "".join(
            f"{hashlib.sha256((self.folder / name).read_bytes()).hexdigest()} *{name}\n"
            for name in names
        )
        (self.folder / SUMS).write_text(self.sums)
        home.install(OLD)
        home.environ["UV_SELF_UPDATE_SOURCE"] = f"directory+{folder}"
        self.before = home.snapshot()

    def refused(self, *arguments: str, name: str) -> Done:
        """Update, and make sure that nothing came of it, and that the file is named."""
        done = self.home.run(*arguments)
        assert done.code != 0
        assert name in done.err
        assert self.home.snapshot() == self.before
        return done

    def harmless_or_refused(self, *names: str) -> bool:
        """Update, and make sure that what is installed then is what was published, or was there."""
        done = self.home.run()
        if done.code == 0 and self.home.version() == NEW:
            published = (binaries.scripts(NEW) / "uv").read_bytes()
            assert self.home.uv.read_bytes() == published
            self.home.install(OLD)
            return True
        assert self.home.snapshot() == self.before
        # Without a version that it can read, it may just as well be that there is nothing newer.
        assert done.code == 0 or any(name in done.err for name in names), done.err
        return False


@pytest.fixture
def mirror(home: Home, tmp_path: Path) -> Mirror:
    """Return a mirror."""
    return Mirror(home, tmp_path / "mirror")


@pytest.mark.sampled(1)
@COUNTS
def test_bit_of_the_archive(mirror: Mirror, seed: int, count: int) -> None:
    """Wherever one bit of it is changed, the archive is refused and named, with both digests."""
    file = mirror.folder / mirror.archive.name
    right = mirror.archive.read_bytes()
    for what, text in flipped(right, seed=seed, count=count):
        file.write_bytes(text)
        done = mirror.refused(name=file.name)
        assert hashlib.sha256(right).hexdigest() in done.err, what
        assert hashlib.sha256(text).hexdigest() in done.err, what


@pytest.mark.sampled(1)
@COUNTS
def test_bit_of_the_installer(mirror: Mirror, seed: int, count: int) -> None:
    """The same holds for the release's own installer, which is not run then."""
    file = mirror.folder / SCRIPT
    for _, text in flipped(file.read_bytes(), seed=seed, count=count):
        file.write_bytes(text)
        mirror.refused("--installer", "release", name=SCRIPT)


@pytest.mark.sampled(1)
@COUNTS
def test_bit_of_the_digests(mirror: Mirror, seed: int, count: int) -> None:
    """A changed file of digests makes the update fail, or changes nothing that matters."""
    outcomes = set()
    for _, text in flipped(mirror.sums.encode(), seed=seed, count=count):
        (mirror.folder / SUMS).write_bytes(text)
        outcomes.add(mirror.harmless_or_refused(SUMS, mirror.archive.name))
    assert outcomes == {True, False}


@pytest.mark.sampled(1)
@COUNTS
def test_bit_of_the_json(mirror: Mirror, web: Web, seed: int, count: int) -> None:
    """A changed description of a release makes the update fail, or changes nothing that counts."""
    web.pages |= mirrors.urls_pages([NEW])
    del mirror.home.environ["UV_SELF_UPDATE_SOURCE"]
    mirror.home.configure(
        f'[[source]]\nkind = "urls"\nlatest = "{web.url}/latest.json"\n'
        f'download = "{web.url}/files/{{tag}}/{{asset}}"\n'
    )
    mirror.before = mirror.home.snapshot()
    outcomes = set()
    text = json.dumps(mirrors.github_json(NEW)).encode()
    for _, changed in flipped(text, seed=seed, count=count):
        web.pages["/latest.json"] = Page(body=changed)
        outcomes.add(mirror.harmless_or_refused(web.url))
    assert True in outcomes


def _no_sums(mirror: Mirror) -> None:
    (mirror.folder / SUMS).unlink()


def _wrong_archive(mirror: Mirror) -> None:
    (mirror.folder / SUMS).unlink()
    file = mirror.folder / mirror.archive.name
    file.write_bytes(file.read_bytes()[:-1] + b"\1")


@pytest.mark.parametrize(
    ("happens", "policy", "said"),
    [
        (_no_sums, "require-digest = true", r"has no published sha256, .* in .*config\.toml"),
        (
            _no_sums,
            '[policy.digests."{new}"]\n"{name}" = "{zeros}"',
            r"pinned in .*config\.toml\), got",
        ),
        (
            _wrong_archive,
            '[policy.digests."{new}"]\n"{name}" = "{right}"',
            r"pinned in .*config\.toml",
        ),
        (
            lambda _: None,
            '[policy.digests."{new}"]\n"{name}" = "{zeros}"',
            r"pinned in .*config\.toml",
        ),
    ],
    ids=["required", "pin of another", "archive of another", "pin against what is published"],
)
def test_digest_that_the_configuration_asks_for(
    mirror: Mirror, happens: Callable[[Mirror], None], policy: str, said: str
) -> None:
    """What is required and is not there, or is pinned and is another, is refused by its reason."""
    happens(mirror)
    mirror.home.configure("[policy]\n" + filled(policy, mirror))
    mirror.before = mirror.home.snapshot()
    done = mirror.refused(name=mirror.archive.name)
    assert re.search(said, done.err)


@pytest.mark.parametrize(
    "policy",
    [
        'require-digest = true\n[policy.digests."{new}"]\n"{name}" = "{right}"',
        '[policy.digests."{new}"]\n"{name}" = "{right}"',
        '[policy.digests."0.5.30"]\n"{name}" = "{zeros}"',
    ],
)
def test_pin_that_holds(mirror: Mirror, policy: str) -> None:
    """A pin is a digest like any other, and those of other versions do not matter."""
    _no_sums(mirror)
    mirror.home.configure("[policy]\n" + filled(policy, mirror))
    done = mirror.home.run()
    assert (done.code, mirror.home.version()) == (0, NEW), done.err


def test_other_file_than_the_pinned_one(mirror: Mirror, web: Web) -> None:
    """Where a version's archive is pinned, its wheel is not taken in its place."""
    web.pages |= mirrors.index_pages([NEW])
    policy = '[policy.digests."{new}"]\n"{name}" = "{right}"\n'
    mirror.home.configure(filled(policy, mirror))
    before = mirror.home.snapshot()

    done = mirror.home.run("--source", f"index+{web.url}/simple/")

    said = f"the wheel of uv {NEW} from the index .* is not pinned, but .*config\\.toml pins other"
    assert re.search(said, done.err)
    assert (done.code != 0, mirror.home.snapshot()) == (True, before)


def packed_anew(wheel: Path) -> bytes:
    """Return a wheel that holds the same, and is another file: only the digest can tell."""
    made = io.BytesIO()
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return made.getvalue()


def filled(policy: str, mirror: Mirror) -> str:
    """Fill in names and digests."""
    right = hashlib.sha256(mirror.archive.read_bytes()).hexdigest()
    for name, value in {
        "new": NEW,
        "name": mirror.archive.name,
        "right": right,
        "zeros": "0" * 64,
    }.items():
        policy = policy.replace(f"{{{name}}}", value)
    return policy


@pytest.mark.parametrize("start", ["0.5.0", OLD, "0.11.13", "newest-but-one"])
@pytest.mark.parametrize("told", ["", "UV_NO_VERIFY_HASHES", "verify-hashes"])
def test_wheel_that_was_changed(home: Home, web: Web, start: str, told: str) -> None:
    """Every uv compares a wheel with what the index says, also those that would not unasked.

    Nor does it help to have told uv, for other packages, not to.
    """
    if told == "verify-hashes":
        home.receipt.parent.mkdir(parents=True, exist_ok=True)
        home.receipt.with_name("uv.toml").write_text("[pip]\nverify-hashes = false\n")
    elif told:
        home.environ[told] = "1"
    home.install(binaries.version(start))
    new = binaries.newest()
    web.pages |= mirrors.index_pages([new])
    wheel = binaries.wheel(new, real=False)
    changed = packed_anew(wheel)
    web.pages[f"/wheels/{wheel.name}"] = Page(body=changed)
    before = home.snapshot()

    done = home.run("--source", f"index+{web.url}/simple/")

    assert done.code != 0
    digests = mirrors.sha256(wheel), hashlib.sha256(changed).hexdigest()
    assert (
        f"digest mismatch for the wheel of uv {new} from the index {web.url}/simple/: "
        f"expected sha256 {digests[0]}, got {digests[1]}\n"
    ) in done.err
    assert home.snapshot() == before


@pytest.mark.parametrize("start", ["0.5.0", OLD, "newest-but-one"])
@pytest.mark.parametrize("pins", [1, 5])
def test_wheel_that_is_not_the_pinned_one(start: str, pins: int, home: Home, web: Web) -> None:
    """Where it is pinned is said, and what is expected: of many digests, some."""
    home.install(binaries.version(start))
    new = binaries.newest()
    web.pages |= mirrors.index_pages([new])
    digests = [f"{number}" * 64 for number in range(pins)]
    named = "".join(f'"uv-{digest[0]}.whl" = "{digest}"\n' for digest in digests)
    home.configure(f'[policy.digests."{new}"]\n{named}')
    before = home.snapshot()

    done = home.run("--source", f"index+{web.url}/simple/")

    assert done.code != 0
    some = " or ".join(digests[:3]) + (" or one of 2 more" if pins == 5 else "")
    got = mirrors.sha256(binaries.wheel(new, real=False))
    said = f"expected sha256 {some} (pinned in {home.config}), got {got}\n"
    assert said in done.err
    assert home.snapshot() == before


@pytest.mark.parametrize("start", ["0.5.0", OLD, "newest-but-one"])
@pytest.mark.parametrize("published", [True, False])
def test_wheel_without_a_digest(home: Home, web: Web, start: str, *, published: bool) -> None:
    """An index without digests is enough, unless one is required."""
    home.install(binaries.version(start))
    new = binaries.newest()
    web.pages |= mirrors.index_pages([new])
    if not published:
        page = web.pages["/simple/uv/"]
        assert isinstance(page, Page)
        assert isinstance(page.body, bytes)
        body = re.sub(rb"#sha256=[0-9a-f]+", b"", page.body)
        web.pages["/simple/uv/"] = Page(body=body, headers=page.headers)
    source = ("--source", f"index+{web.url}/simple/")
    required = home.run(*source, environ={"UV_SELF_UPDATE_REQUIRE_DIGEST": "true"})
    assert (required.code == 0) == published, required.err
    assert published or "UV_SELF_UPDATE_REQUIRE_DIGEST" in required.err
    home.install(binaries.version(start))
    done = home.run(*source)
    assert (done.code, home.version()) == (0, new), done.err


@pytest.mark.parametrize("start", ["0.5.0", OLD, "newest-but-one"])
def test_wheel_beside_constraints(home: Home, web: Web, start: str) -> None:
    """What the person's uv.toml says of other packages is in nobody's way."""
    home.install(binaries.version(start))
    new = binaries.newest()
    web.pages |= mirrors.index_pages([new])
    constraints = 'constraint-dependencies = ["a<9"]\noverride-dependencies = ["b<9"]\n'
    home.receipt.with_name("uv.toml").write_text(constraints)
    done = home.run("--source", f"index+{web.url}/simple/")
    assert (done.code, home.version()) == (0, new), done.err
