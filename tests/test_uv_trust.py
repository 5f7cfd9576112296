"""Which authorities uv trusts: our rules, and real versions of uv."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import trustme

from support.homes import base_environment
from support.stand import uv_of
from support.web import Page, Web
from uv_self_update.network import roots
from uv_self_update.network.authorities import blocks_in
from uv_self_update.uv.trust import UvTrust

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = (0, 8, 24), (0, 9, 23)

ROWS: list[tuple[dict[str, str], str, str]] = [
    ({}, "", ""),
    ({"FILE": "right.pem"}, "yes", "yes"),
    ({"FILE": "other.pem"}, "", ""),
    ({"FILE": "other.pem", "DIR": "right"}, "yes", "yes"),
    ({"FILE": "right.pem", "DIR": "other"}, "yes", "yes"),
    ({"DIR": "right"}, "", "yes"),
    ({"DIR": "other:right"}, "", "yes"),
    ({"FILE": "bad.pem", "DIR": "right"}, "yes", "yes"),
    ({"FILE": "missing.pem", "DIR": "right"}, "", "yes"),
    ({"FILE": "right.pem", "UV_NATIVE_TLS": "1"}, "yes", "yes"),
    ({"FILE": "", "DIR": ""}, "", ""),
]
"""Variables, and whether a server of `right` is trusted: before 0.9.23, and from then on."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a directory with authorities as files and directories."""
    for name in ("right", "other"):
        authority = trustme.CA()
        authority.cert_pem.write_to_path(tmp_path / f"{name}.pem")
        (tmp_path / name).mkdir()
        digest = subprocess.run(
            [
                shutil.which("openssl") or "",
                "x509",
                "-hash",
                "-noout",
                "-in",
                str(tmp_path / f"{name}.pem"),
            ],
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        shutil.copy(tmp_path / f"{name}.pem", tmp_path / name / f"{digest}.0")
        if name == "right":
            authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
                tmp_path / "server.pem"
            )
    (tmp_path / "bad.pem").write_text("nothing")
    return tmp_path


def named(row: dict[str, str], place: Path) -> dict[str, str]:
    """Return the variables of a row."""
    names = {"FILE": "SSL_CERT_FILE", "DIR": "SSL_CERT_DIR"}
    return {
        names.get(name, name): ":".join(
            str(place / part) if part not in {"", "1"} else part for part in value.split(":")
        )
        for name, value in row.items()
    }


@pytest.mark.parametrize(("row", "before", "since"), ROWS)
def test_rules(row: dict[str, str], before: str, since: str, place: Path) -> None:
    """What we merge is what real versions of uv trust."""
    right = {block.der for block in blocks_in((place / "right.pem").read_bytes())}
    for numbers, expected in ((OLD, before), (NEW, since), ((), since)):
        trust = UvTrust.of(named(row, place), numbers=numbers, options=[], directory=place)
        merged = roots.of_paths(trust.named) if trust.named else roots.of_mozilla()
        found = {block.der for block in blocks_in(merged)}
        assert (right <= found) == bool(expected)


@pytest.mark.slow
@pytest.mark.parametrize("version", ["0.5.0", "0.8.24", "0.11.13", "newest"])
def test_real_uv(version: str, place: Path) -> None:
    """A real uv trusts what the table says."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place / "server.pem")

    def asked(row: dict[str, str]) -> str:
        with Web(context=context) as web:
            web.pages["/simple/nothing/"] = Page(headers={"Content-Type": "text/html"})
            common = {"HOME": str(place), "PATH": "/usr/bin:/bin", "UV_HTTP_RETRIES": "0"}
            index = f"{web.url}/simple/"
            subprocess.run(
                [uv_of(version), "pip", "compile", "-q", "--no-cache", "--index-url", index, "-"],
                env={**base_environment(), **common, **named(row, place)},
                input=b"nothing",
                capture_output=True,
                timeout=60,
                check=False,
            )
            return "yes" if web.asked else ""

    with ThreadPoolExecutor(len(ROWS)) as pool:  # uv 0.5.0 waits before it tries again
        found = list(pool.map(asked, [row for row, _, _ in ROWS]))

    old = version in {"0.5.0", "0.8.24"}
    assert found == [before if old else since for _, before, since in ROWS]


@pytest.mark.parametrize(
    ("environ", "options", "file", "expected"),
    [
        ({}, [], "", False),
        ({"UV_NATIVE_TLS": "true"}, [], "", True),
        ({"UV_SYSTEM_CERTS": "1"}, [], "", True),
        ({"UV_SYSTEM_CERTS": "0", "UV_NATIVE_TLS": "1"}, [], "", False),
        ({}, ["sync", "--native-tls"], "", True),
        ({"UV_SYSTEM_CERTS": "1"}, ["--no-system-certs"], "", False),
        ({}, [], "native-tls = true", True),
        ({}, [], "system-certs = true", True),
        ({"UV_NATIVE_TLS": "false"}, [], "native-tls = true", False),
        ({"UV_NO_CONFIG": "1"}, [], "native-tls = true", False),
    ],
)
def test_system_certificates(
    environ: dict[str, str], options: list[str], file: str, *, expected: bool, tmp_path: Path
) -> None:
    """Options come before variables, and variables before files."""
    (tmp_path / "uv.toml").write_text(file)
    given = {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path / "none"), **environ}

    trust = UvTrust.of(given, numbers=NEW, options=options, directory=tmp_path)

    assert (trust.named, trust.system) == ((), expected)


def test_system_and_mozilla_are_not_empty() -> None:
    """Both are lists of many authorities, which OpenSSL reads."""
    for pem in (roots.of_mozilla(), roots.of_system()):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=pem.decode())
        assert context.cert_store_stats()["x509_ca"] > 20


def test_what_is_no_certificate_is_left_out(tmp_path: Path) -> None:
    """A damaged block, a file that is missing and a file twice change nothing."""
    pem = trustme.CA().cert_pem.bytes()
    (tmp_path / "a.pem").write_bytes(pem + b"-----BEGIN CERTIFICATE-----\nxx\n" + pem)
    merged = roots.of_paths([tmp_path / "a.pem", tmp_path, tmp_path / "missing"])

    assert merged.count(b"BEGIN CERTIFICATE") == 1
