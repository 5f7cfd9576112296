"""Configuration files: read, checked, changed and kept."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
import pytest

from support.urls import source_settings
from uv_self_update.config import load as config
from uv_self_update.config.document import as_document, as_table
from uv_self_update.config.edit import as_toml
from uv_self_update.config.settings import Network, Settings
from uv_self_update.errors import InvalidConfiguration

GITHUB = '[[source]]\nkind = "github"\nurl = "https://a.example/o/r"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of a configuration file that is not there yet."""
    return tmp_path / "config.toml"


def problems(file: Path) -> list[tuple[str, str]]:
    """Load a file and return its problems: key, reason."""
    with pytest.raises(InvalidConfiguration) as caught:
        config.load(file)
    assert {problem.origin for problem in caught.value.problems} == {str(file)}
    return [(problem.key, problem.reason) for problem in caught.value.problems]


def test_load(file: Path) -> None:
    """A file with everything in it gives every value, checked and converted."""
    file.with_name("ca.pem").touch()
    file.write_text(
        '[[source]]\nkind = "urls"\nlatest = "https://a.example/l"\n'
        'release = "https://a.example/{tag}.json"\ndownload = "file:///d/{version}/{asset}"\n'
        f"{GITHUB}"
        '[install]\ninstaller = "native"\n[network]\ntimeout = 5\nca-bundle = "ca.pem"\n'
    )
    assert config.load(file).values == {
        "source": (
            source_settings(
                kind="urls",
                latest="https://a.example/l",
                release="https://a.example/{tag}.json",
                download="file:///d/{version}/{asset}",
            ),
            source_settings(kind="github", url="https://a.example/o/r"),
        ),
        "install.installer": "native",
        "network.timeout": 5.0,
        "network.ca-bundle": file.with_name("ca.pem"),
    }


def test_load_with_byte_order_mark(file: Path) -> None:
    """A byte order mark, which editors on Windows write, does no harm."""
    file.write_bytes(b"\xef\xbb\xbf[network]\r\ntimeout = 5\r\n")
    assert config.load(file).values == {"network.timeout": 5.0}


def test_ca_bundle_in_home(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path may begin with the home directory."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "ca.pem").touch()
    file.write_text('[network]\nca-bundle = "~/ca.pem"\n')
    assert config.load(file).values == {"network.ca-bundle": tmp_path / "ca.pem"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"[network]\ntimeout = \n", "(at line 2, column 11)"),
        (b'[network]\ntimeout = "', "(at line 2, column 12, the end of the file)"),
        (b"[network]\n\xff\xfe", "invalid UTF-8 in line 2"),
        (b"x = " + b"[" * 100_000, "invalid TOML"),
        (b"x = " + b"1" * 5_000, "invalid TOML"),
    ],
)
def test_unreadable_text(file: Path, content: bytes, expected: str) -> None:
    """A file that is not TOML is refused with the place where it breaks."""
    file.write_bytes(content)
    [(key, reason)] = problems(file)
    assert not key
    assert expected in reason


def test_unreadable_file(tmp_path: Path) -> None:
    """A file that cannot be read is refused with the system's reason."""
    [(key, reason)] = problems(tmp_path)
    assert not key
    assert reason.startswith("failed to read the file: ")


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ("polcy = 1", "polcy", "unknown key"),
        ("[policy]\nversion = '<1'", "policy.version", "did you mean `policy.versions`?"),
        ("[policy]\nversions = '0.13'", "policy.versions", "a version specifier such as"),
        ("[policy]\nversions = ''", "policy.versions", "empty value"),
        ("[policy]\nversions = 1", "policy.versions", "invalid type (a number)"),
        ("[policy]\nversions = '===0.13.9'", "policy.versions", "a version specifier such as"),
        ("[policy]\nmin-age = 3", "policy.min-age", "invalid type (a number)"),
        ("[policy]\nmin-age = '3 fortnights'", "policy.min-age", "`12 hours`"),
        ("[policy]\nmin-age = 'P1M'", "policy.min-age", "`P3D`"),
        ("[policy]\nprerelease = 'no'", "policy.prerelease", "expected `true` or `false`"),
        ("[policy]\nyanked = 0", "policy.yanked", "expected `true` or `false`"),
        ("[policy]\nrequire-digest = 1", "policy.require-digest", "expected `true` or `false`"),
        ("[policy]\napproved = []", "policy.approved", "empty list"),
        (
            "[policy]\napproved = ['0.13.x']",
            "policy.approved",
            "invalid value `0.13.x` in the list",
        ),
        ("[policy]\napproved = [1]", "policy.approved", "invalid type (a number) in the list"),
        ("[policy]\napproved = ''", "policy.approved", "empty value"),
        (
            "[policy]\napproved = 'ftp://a.example/l'",
            "policy.approved",
            "does not start with `http://`",
        ),
        ("[policy]\ndigests = 1", "policy.digests", "invalid type (a number)"),
        ("[policy.digests]\nnext = {}", "policy.digests", "invalid version `next`"),
        ("[policy.digests]\n'0.13.9' = 1", "policy.digests", "invalid type (a number) for 0.13.9"),
        ("[policy.digests.'0.13.9']\n'a/b' = 'x'", "policy.digests", "invalid file name `a/b`"),
        ("[policy.digests.'0.13.9']\na = 'x'", "policy.digests", "64 hexadecimal digits"),
        ("[netwrk]\ntimeout = 3", "netwrk", "did you mean `network`?"),
        ("timeout = 3", "timeout", "did you mean `network.timeout`?"),
        ("url = 'https://a.example'", "url", "did you mean `source.url`?"),
        ("[network]\ntimout = 3", "network.timout", "did you mean `network.timeout`?"),
        ("install = 3", "install", "expected a table `[install]`"),
        ("[[install]]\ninstaller = 'auto'", "install", "invalid type (an array)"),
        ("[install]\ninstaller = 'nativ'", "install.installer", "did you mean `native`?"),
        ("[install]\ninstaller = 3", "install.installer", "invalid type (a number)"),
        ("[network]\ntimeout = 0", "network.timeout", "above 0"),
        ("[network]\ntimeout = -1.5", "network.timeout", "above 0"),
        ("[network]\ntimeout = nan", "network.timeout", "above 0"),
        ("[network]\ntimeout = inf", "network.timeout", "at most 86400"),
        (f"[network]\ntimeout = 0x{'f' * 5000}", "network.timeout", "at most 86400"),
        ("[network]\ntimeout = true", "network.timeout", "invalid type (a boolean)"),
        ("[network]\ntimeout = '3'", "network.timeout", "invalid value `3`"),
        ("[network]\ntimeout = 2026-01-01", "network.timeout", "invalid type (a date or a time)"),
        ("[network]\nretries = 11", "network.retries", "from 0 to 10"),
        ("[network]\nretries = -1", "network.retries", "from 0 to 10"),
        ("[network]\nretries = 3.0", "network.retries", "a whole number"),
        ("[network]\nretries = true", "network.retries", "invalid type (a boolean)"),
        ("[network]\nconnect-timeout = 0", "network.connect-timeout", "above 0"),
        ("[network]\nclient-cert = 'no.pem'", "network.client-cert", "is not a file"),
        ("[network]\nclient-key = 1", "network.client-key", "invalid type (a number)"),
        ("[network]\nca-bundle = 1", "network.ca-bundle", "invalid type (a number)"),
        ("[network]\nca-bundle = ''", "network.ca-bundle", "empty value"),
        ("[network]\nca-bundle = 'no.pem'", "network.ca-bundle", "is not a file"),
        ("[network]\nca-bundle = '~nobody-there/x'", "network.ca-bundle", "the path of a PEM"),
        (f"[network]\nca-bundle = '{'x' * 5000}'", "network.ca-bundle", "the path of a PEM"),
        ("source = []", "source", "empty array"),
        ("source = ['index']", "source", "begins with `[[source]]`"),
        ("[source]\nkind = 'index'", "source", "begins with `[[source]]`"),
        ("[[source]]\npath = '/mnt/uv'", "source[0].kind", "missing key"),
        ("[[source]]\nkind = 'nexsus'", "source[0].kind", "`directory` or `auto`"),
        ("[[source]]\nkind = 'gihub'", "source[0].kind", "did you mean `github`?"),
        ("[[source]]\nkind = 'github'", "source[0].url", "required for a source of kind `github`"),
        (f"{GITHUB}uri = 1", "source[0].uri", "did you mean `url`?"),
        (
            f"{GITHUB}latest = 'https://a.example'",
            "source[0].latest",
            "not a key of a source of kind `github`",
        ),
        (f"{GITHUB}[[source]]\nkind = 'urls'", "source[1].download", "missing key"),
    ],
)
def test_problem(file: Path, text: str, key: str, reason: str) -> None:
    """Whatever is wrong is named with its key, and with what is due there."""
    file.write_text(text)
    [(got_key, got_reason)] = problems(file)
    assert got_key == key
    assert reason in got_reason


def test_every_problem_at_once(file: Path) -> None:
    """All the problems of a file are reported together."""
    file.write_text(
        "[[source]]\nkind = 'github'\nurl = 3\n[[source]]\nkind = 'urls'\nlatest = 'x'\n"
        "[install]\nadopted = true\nadopt = 1\ninstaller = ''\n[network]\ntimeout = 0\n"
        "[policy]\nversions = 1\nmin-age = 1\nprerelease = 1\nyanked = 1\napproved = 1\n"
        "require-digest = 1\ndigests = 1\nage = 1\n[polcy]\n"
    )
    assert [key for key, _ in problems(file)] == [
        "source[0].url",
        "source[1].latest",
        "source[1].download",
        "install.adopted",
        "install.adopt",
        "install.installer",
        "network.timeout",
        "policy.versions",
        "policy.min-age",
        "policy.prerelease",
        "policy.yanked",
        "policy.approved",
        "policy.require-digest",
        "policy.digests",
        "policy.age",
        "polcy",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[[source]]\nkind = 'github'\nurl = 'ftp://user:secret@a.example/'",
        "[[source]]\nkind = 'github'\nurl = 'user:secret@a.example/'",
        "[[source]]\nkind = 'github'\nurl = 'https://user:secret/more@a.example/'",
        "[[source]]\nkind = 'urls'\ndownload = 'https://user:secret@a.example/{x}?key=secret'",
        "[[source]]\nkind = 'https://user:secret@a.example/'",
        "[install]\ninstaller = 'https://user:secret@a.example/'",
        "'https://user:secret@a.example/' = 1",
        "[[source]]\nkind = 'github'\nurl = 'https://user:secret@a.example/",
    ],
)
def test_no_password_in_messages(file: Path, text: str) -> None:
    """No message repeats a password, whatever is wrong with the URL that holds it."""
    file.write_text(text)
    assert "secret" not in str(problems(file))


def test_platform_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The user file is the one that the environment names, else the platform's, in one folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    user, site = config.user_file({}), config.site_file()
    assert user is not None
    assert config.user_file({"UV_SELF_UPDATE_CONFIG": "/some.toml"}) == Path("/some.toml")
    assert (user.parent.name, user.name) == ("uv-self-update", "config.toml")
    assert (site.parent.name, site.name) == ("uv-self-update", "config.toml")
    assert user.parent.parent.name != "uv-self-update"
    assert user != site


def test_user_file_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On Linux the user configuration file lies below XDG_CONFIG_HOME."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config.user_file({}) == tmp_path / "uv-self-update" / "config.toml"


def test_relative_directories_are_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A directory that depends on the current one is not used, even if platformdirs names it."""
    directories = os.pathsep.join(["etc", str(tmp_path)])
    monkeypatch.setattr(platformdirs, "user_config_dir", lambda *_, **__: "etc")
    monkeypatch.setattr(platformdirs, "site_config_dir", lambda *_, **__: directories)

    assert config.user_file({}) is None
    assert config.site_file() == tmp_path / "config.toml"


@pytest.mark.parametrize("there", [0, 1])
def test_site_file_follows_xdg(there: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On Linux the site file is the first that there is below one of XDG_CONFIG_DIRS."""
    files = [tmp_path / name / "uv-self-update" / "config.toml" for name in ("desktop", "xdg")]
    monkeypatch.setenv("XDG_CONFIG_DIRS", f"{tmp_path / 'desktop'}:{tmp_path / 'xdg'}")
    assert config.site_file() == files[0]
    files[there].parent.mkdir(parents=True)
    files[there].touch()
    assert config.site_file() == files[there]


def test_as_document() -> None:
    """Settings in the shape of a file leave out what is not set."""
    settings = Settings(network=Network(timeout=2.5, ca_bundle=Path("ca.pem")))
    assert as_document(Settings()) == {
        "source": [{"kind": "index"}],
        "install": {"installer": "auto", "adopt": False},
        "policy": {"yanked": False, "require-digest": False},
        "network": {"timeout": 30, "connect-timeout": 10, "retries": 3},
    }
    assert as_document(settings)["network"] == {
        "timeout": 2.5,
        "connect-timeout": 10,
        "retries": 3,
        "ca-bundle": "ca.pem",
    }


def test_login(file: Path) -> None:
    """The keys of credentials are read, and written as they were."""
    text = (
        '[[source]]\nkind = "nexus"\nurl = "https://a.example/repository/uv/"\n'
        'username = "robot"\npassword-env = "MIRROR_PASSWORD"\n'
        'header-env = { PRIVATE-TOKEN = "CI_TOKEN", "X.Y" = "Z" }\n'
    )
    file.write_text(text)
    (source,) = config.load(file).values["source"]
    assert source == source_settings(
        kind="nexus",
        url="https://a.example/repository/uv/",
        username="robot",
        password_env="MIRROR_PASSWORD",  # noqa: S106 # a name
        header_env=(("PRIVATE-TOKEN", "CI_TOKEN"), ("X.Y", "Z")),
    )
    assert as_toml({"source": [as_table(source)]}) == text
