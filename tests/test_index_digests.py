"""The digests of an index, in every algorithm, compared by real uvs from 0.5.0 on."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from support import binaries
from support.web import Page
from support.wheels import small_wheel
from uv_self_update.errors import DigestMismatch, NoWheelDigest
from uv_self_update.releases.digests import DigestRules
from uv_self_update.releases.release import Release
from uv_self_update.sources.index.source import IndexSource
from uv_self_update.sources.index.uv_pip import UvPip
from uv_self_update.sources.index.wheel_installer import strongest
from uv_self_update.url import Url

if TYPE_CHECKING:
    from pathlib import Path

    from support.homes import Home
    from support.web import Web

NAME = "uv-0.10.1-py3-none-any.whl"
RELEASE = Release(version="0.10.1", tag="0.10.1", assets=())
WHEEL = small_wheel("0.10.1")
OTHER = b"another file"
REQUIRED = DigestRules(required=True, required_by="/etc/x.toml")


def digest(algorithm: str, content: bytes) -> str:
    """Return a digest as indexes write it; uv's blake2b is that of 32 bytes."""
    if algorithm == "blake2b":
        return hashlib.blake2b(content, digest_size=32).hexdigest()
    return hashlib.new(algorithm, content).hexdigest()


def index(
    version: str, home: Home, web: Web, hashes: dict[str, str], *, rules: DigestRules | None = None
) -> IndexSource:
    """Return an index of one wheel with these digests: HTML where that can hold them, else JSON."""
    web.pages["/files/" + NAME] = Page(body=WHEEL)
    if len(hashes) < 2:
        fragment = "".join(f"#{name}={value}" for name, value in hashes.items())
        body = f'<!DOCTYPE html><a href="/files/{NAME}{fragment}">{NAME}</a>'
        content_type = "text/html"
    else:
        file = {"filename": NAME, "url": "/files/" + NAME, "hashes": hashes}
        body = json.dumps({"meta": {"api-version": "1.0"}, "name": "uv", "files": [file]})
        content_type = "application/vnd.pypi.simple.v1+json"
    web.pages["/simple/uv/"] = Page(body=body.encode(), headers={"Content-Type": content_type})
    uv = binaries.executables(binaries.version(version)) / "uv"
    environ = home.full_environ({"UV_HTTP_RETRIES": "0"})
    return IndexSource(UvPip(uv, environ, url=Url.parse(f"{web.url}/simple/")), rules)


UVS = ("0.5.0", "0.8.24", "0.11.13", "newest")
UNDERSTOOD = ("md5", "sha384", "sha512")  # sha256 is in test_tampering


@pytest.mark.parametrize(
    ("version", "algorithm"),
    [
        *((version, algorithm) for version in UVS for algorithm in UNDERSTOOD),
        ("0.11.13", "blake2b"),
        ("newest", "blake2b"),
    ],
)
def test_wrong_digest(version: str, algorithm: str, home: Home, web: Web, tmp_path: Path) -> None:
    """Whatever the algorithm and the uv, a wheel with another digest is refused; both are shown."""
    expected, got = digest(algorithm, OTHER), digest(algorithm, WHEEL)
    source = index(version, home, web, {algorithm: expected})
    with pytest.raises(DigestMismatch) as caught:
        source.unpack(RELEASE, tmp_path)
    assert str(caught.value) == (
        f"digest mismatch for the wheel of uv 0.10.1 from the index {web.url}/simple/: "
        f"expected {algorithm} {expected}, got {got}"
    )
    assert not (tmp_path / "wheel" / "bin").exists()


@pytest.mark.parametrize(
    ("version", "algorithm"), [*zip(UVS, ("md5", "sha512", "md5", "sha384"), strict=True)]
)
def test_right_digest(version: str, algorithm: str, home: Home, web: Web, tmp_path: Path) -> None:
    """A wheel that has its digest is installed, be it the strongest or the weakest."""
    source = index(version, home, web, {algorithm: digest(algorithm, WHEEL)})
    assert (source.unpack(RELEASE, tmp_path) / "uv").is_file()
    assert source.digest_algorithm(RELEASE) == algorithm


@pytest.mark.parametrize(
    ("version", "weaker"),
    [("0.5.0", {"md5"}), ("0.8.24", {"md5"}), ("newest", {"sha256", "md5"})],
)
def test_strongest_counts(
    version: str, weaker: set[str], home: Home, web: Web, tmp_path: Path
) -> None:
    """Of several digests the strongest decides; uv itself is content with any of them."""
    strong = "sha512" if "sha256" in weaker else "sha256"
    hashes = {strong: digest(strong, OTHER)}
    hashes |= {name: digest(name, WHEEL) for name in weaker}
    with pytest.raises(DigestMismatch, match=f"expected {strong} {hashes[strong]}, got"):
        index(version, home, web, hashes).unpack(RELEASE, tmp_path)


@pytest.mark.parametrize(
    ("algorithm", "said"),
    [
        (None, "has no digest that uv can verify"),
        ("md5", "has only an md5 digest"),
        ("sha384", None),
    ],
)
def test_required(
    algorithm: str | None, said: str | None, home: Home, web: Web, tmp_path: Path
) -> None:
    """A digest that is required must be a secure one; the hint tells how to pin the wheel."""
    hashes = {} if algorithm is None else {algorithm: digest(algorithm, WHEEL)}
    source = index("newest", home, web, hashes, rules=REQUIRED)
    if said is None:
        assert (source.unpack(RELEASE, tmp_path) / "uv").is_file()
        return
    with pytest.raises(NoWheelDigest) as caught:
        source.unpack(RELEASE, tmp_path)
    assert f"{said}, but `policy.require-digest` in /etc/x.toml requires sha256" in str(
        caught.value
    )
    assert "config set policy.digests.0.10.1.FILE SHA256" in str(caught.value.hint)
    assert "sha256.sum" not in str(caught.value.hint)


@pytest.mark.parametrize(
    ("hashes", "expected"),
    [
        ([], (None, ())),
        (["md5:aa", "md5:bb"], ("md5", ("aa", "bb"))),
        (["md5:aa", "sha256:bb", "sha256:cc"], ("sha256", ("bb", "cc"))),
        (["sha384:aa", "sha256:bb", "blake2b:cc"], ("sha384", ("aa",))),
        (["sha1:aa"], (None, ())),
    ],
)
def test_strongest(hashes: list[str], expected: tuple[str | None, tuple[str, ...]]) -> None:
    """Only the strongest algorithm that any file has counts."""
    lines = " \\\n    ".join(["uv==0.10.1", *(f"--hash={value}" for value in hashes)])
    assert strongest(lines) == expected
