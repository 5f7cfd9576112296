"""What each value has to be, and which of several places decides it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.urls import source_settings
from uv_self_update.config import load as config
from uv_self_update.config.kinds import (
    KINDS,
    SOURCE_FIELDS,
    SourceSettings,
    check_source,
    parse_source,
)
from uv_self_update.config.settings import Network, Options, Settings
from uv_self_update.errors import InvalidConfiguration, InvalidSource
from uv_self_update.messages import shown
from uv_self_update.redaction import Secret, is_like_a_token
from uv_self_update.url import Url

if TYPE_CHECKING:
    from collections.abc import Mapping


class Machine:
    """A user file, a system configuration file and an environment, all of them a test's own."""

    def __init__(self, folder: Path) -> None:
        """Begin with nothing."""
        self.user_file = folder / "user.toml"
        self.site_file = folder / "site.toml"

    def resolve(
        self, options: Options | None = None, environ: Mapping[str, str] | None = None
    ) -> Settings:
        """Decide the settings on this machine."""
        return config.resolve(
            options=options or Options(),
            environ=environ or {},
            user_file=self.user_file,
            site_file=self.site_file,
        )

    def problems(
        self, options: Options | None = None, environ: Mapping[str, str] | None = None
    ) -> list[tuple[str, str]]:
        """Return where each problem is: origin, key."""
        with pytest.raises(InvalidConfiguration) as caught:
            self.resolve(options, environ)
        return [(problem.origin, problem.key) for problem in caught.value.problems]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine on which nothing is configured."""
    return Machine(tmp_path)


def test_defaults(machine: Machine) -> None:
    """With nothing configured, everything has its default, and no origin."""
    assert machine.resolve() == Settings()


def test_order_of_layers(machine: Machine) -> None:
    """Command line beats environment beats user file beats system configuration file."""
    machine.site_file.write_text("[network]\ntimeout = 1\n[install]\ninstaller = 'release'\n")
    user = str(machine.user_file)
    site = str(machine.site_file)
    first = machine.resolve()
    machine.user_file.write_text("[network]\ntimeout = 2\n")
    second = machine.resolve()
    environ = {"UV_SELF_UPDATE_TIMEOUT": "3", "UV_SELF_UPDATE_INSTALLER": "auto"}
    third = machine.resolve(environ=environ)
    fourth = machine.resolve(Options(installer="native"), environ)
    assert [each.network.timeout for each in (first, second, third, fourth)] == [1, 2, 3, 3]
    assert [each.installer for each in (first, third, fourth)] == ["release", "auto", "native"]
    assert first.origins == {"network.timeout": site, "install.installer": site}
    assert second.origins == {"network.timeout": user, "install.installer": site}
    assert fourth.origins == {
        "network.timeout": "UV_SELF_UPDATE_TIMEOUT",
        "install.installer": "command line",
    }


def test_sources_replace_those_of_lower_layers(machine: Machine) -> None:
    """The sources of one layer take the place of all those of a lower one."""
    machine.site_file.write_text('[[source]]\nkind = "index"\n[[source]]\nkind = "index"\n')
    machine.user_file.write_text('[[source]]\nkind = "github"\nurl = "https://a.example/o/r"\n')
    environ = {"UV_SELF_UPDATE_SOURCE": " index+https://b.example/\tgithub+http://c.example/o/r "}
    by_user = machine.resolve()
    by_environ = machine.resolve(environ=environ)
    by_options = machine.resolve(Options(sources=("index",)), environ)
    assert by_user.sources == (source_settings(kind="github", url="https://a.example/o/r"),)
    assert by_environ.sources == (
        source_settings(kind="index", url="https://b.example/"),
        source_settings(kind="github", url="http://c.example/o/r"),
    )
    assert by_environ.origins == {"source": "UV_SELF_UPDATE_SOURCE"}
    assert by_options.sources == (source_settings(kind="index"),)
    assert by_options.origins == {"source": "command line"}


@pytest.mark.parametrize(
    "name",
    [
        "LATEST_RELEASE_URL",
        "RELEASES_DOWNLOAD_URL",
        "UV_INSECURE_HOST",
        "UV_SELF_UPDATE_APPROVED",
        "UV_SELF_UPDATE_CA_BUNDLE",
        "UV_SELF_UPDATE_CLIENT_CERT",
        "UV_SELF_UPDATE_CLIENT_KEY",
        "UV_SELF_UPDATE_CLIENT_KEY_PASSPHRASE",
        "UV_SELF_UPDATE_CONFIG",
        "UV_SELF_UPDATE_CONNECT_TIMEOUT",
        "UV_SELF_UPDATE_INSTALLER",
        "UV_SELF_UPDATE_MIN_AGE",
        "UV_SELF_UPDATE_PRERELEASE",
        "UV_SELF_UPDATE_REQUIRE_DIGEST",
        "UV_SELF_UPDATE_RETRIES",
        "UV_SELF_UPDATE_SOURCE",
        "UV_SELF_UPDATE_TIMEOUT",
        "UV_SELF_UPDATE_VERSIONS",
        "UV_SELF_UPDATE_YANKED",
    ],
)
def test_empty_variable(machine: Machine, name: str) -> None:
    """An empty variable counts as one that is not set."""
    assert machine.resolve(environ={name: ""}) == Settings()


def test_blank_list_of_sources(machine: Machine) -> None:
    """A variable with nothing but white space holds no sources."""
    assert machine.resolve(environ={"UV_SELF_UPDATE_SOURCE": " \t"}) == Settings()


def test_ca_bundle_from_environment(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path in the environment is relative to the working directory."""
    (tmp_path / "ca.pem").touch()
    monkeypatch.chdir(tmp_path)
    settings = machine.resolve(environ={"UV_SELF_UPDATE_CA_BUNDLE": "ca.pem"})
    assert settings.network == Network(ca_bundle=tmp_path / "ca.pem")


def test_network_from_environment(machine: Machine, tmp_path: Path) -> None:
    """Every setting of the network has a variable."""
    for name in ("me.pem", "me.key"):
        (tmp_path / name).touch()
    settings = machine.resolve(
        environ={
            "UV_SELF_UPDATE_CONNECT_TIMEOUT": "2.5",
            "UV_SELF_UPDATE_RETRIES": "0",
            "UV_SELF_UPDATE_CLIENT_CERT": str(tmp_path / "me.pem"),
            "UV_SELF_UPDATE_CLIENT_KEY": str(tmp_path / "me.key"),
            "UV_SELF_UPDATE_CLIENT_KEY_PASSPHRASE": "s3cret word",
            "UV_INSECURE_HOST": " a.example  https://b.example:8443 ",
        }
    )
    assert settings.network == Network(
        connect_timeout=2.5,
        retries=0,
        client_cert=tmp_path / "me.pem",
        client_key=tmp_path / "me.key",
        passphrase=Secret("s3cret word"),
        insecure_hosts=("a.example", "https://b.example:8443"),
    )
    assert "s3cret" not in repr(settings)


def test_options_of_the_run(machine: Machine) -> None:
    """A token and hosts of the command line are part of the settings; hosts are added up."""
    options = Options(token=Secret("t0ken"), insecure_hosts=("a.example",))
    settings = machine.resolve(options, {"UV_INSECURE_HOST": "b.example"})
    assert settings.token == Secret("t0ken")
    assert settings.network.insecure_hosts == ("a.example", "b.example")


def test_key_without_certificate(machine: Machine, tmp_path: Path) -> None:
    """A client key is of no use alone; the certificate may stand in another place."""
    for name in ("me.pem", "me.key"):
        (tmp_path / name).touch()
    machine.user_file.write_text("[network]\nclient-key = 'me.key'\n")
    assert machine.problems() == [(str(machine.user_file), "network.client-key")]
    environ = {"UV_SELF_UPDATE_CLIENT_CERT": str(tmp_path / "me.pem")}
    assert machine.resolve(environ=environ).network.client_key == tmp_path / "me.key"


LOGGED_IN_URL = "https://robot:s3cret@a.example/uv/"
OPEN = f"[[source]]\nurl = '{LOGGED_IN_URL}'\n"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o604])
def test_secret_that_others_can_read(
    machine: Machine, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A file with a password that others may read or change is warned of, with what to do."""
    machine.user_file.write_text(OPEN)
    machine.user_file.chmod(mode)
    machine.resolve()
    machine.user_file.chmod(0o600)
    machine.resolve()
    (message,) = caplog.messages
    assert message == (
        f"{machine.user_file} contains a password or a token, and other users can read or change "
        f"it: run `chmod 600 {machine.user_file}`"
    )


def test_secret_in_the_site_file(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    """The system configuration file has to be open to everybody, so a secret has no place there."""
    machine.site_file.write_text(OPEN)
    machine.site_file.chmod(0o644)
    machine.resolve()
    (message,) = caplog.messages
    assert str(machine.site_file) in message
    assert "`password-env` or `token-env`" in message
    assert "chmod" not in message


def test_no_warning_without_secret(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    """A file that only names variables may be open to everybody."""
    url = "https://a.example/uv/?list-type=2"
    machine.user_file.write_text(
        f"[[source]]\nurl = '{url}'\nusername = 'robot'\npassword-env = 'MIRROR_PASSWORD'\n"
    )
    machine.user_file.chmod(0o644)
    machine.resolve()
    assert caplog.messages == []


def test_reprs_hold_no_secret() -> None:
    """What stands for settings in an error holds neither password nor token."""
    section = source_settings(
        kind="urls",
        url=LOGGED_IN_URL,
        latest="https://s3cret@a.example/",
        release="https://a.example/?sig=s3cret",
        download="https://u:1/s3cret@a.example/{asset}",
        token_env="MIRROR_TOKEN",  # noqa: S106 # a name
    )
    options = Options(sources=(LOGGED_IN_URL,), token=Secret("s3cret"))
    assert "s3" not in repr((section, options, Settings(sources=(section,))))
    assert "'https://***@a.example/uv/'" in repr(section)
    assert "token_env='MIRROR_TOKEN'" in repr(section)


def test_every_problem_at_once(machine: Machine) -> None:
    """The problems of both files and of the environment are reported together."""
    machine.site_file.write_text("[network]\ntimeout = 0\n")
    machine.user_file.write_text("[install]\ninstaller = 1\n")
    environ = {
        "UV_SELF_UPDATE_TIMEOUT": "soon",
        "UV_SELF_UPDATE_INSTALLER": "fast",
        "UV_SELF_UPDATE_CA_BUNDLE": "/no/such.pem",
        "UV_SELF_UPDATE_SOURCE": "index nexsus+https://a.example/ b.example",
    }
    assert machine.problems(environ=environ) == [
        (str(machine.site_file), "network.timeout"),
        (str(machine.user_file), "install.installer"),
        ("UV_SELF_UPDATE_SOURCE", ""),
        ("UV_SELF_UPDATE_SOURCE", ""),
        ("UV_SELF_UPDATE_INSTALLER", ""),
        ("UV_SELF_UPDATE_TIMEOUT", ""),
        ("UV_SELF_UPDATE_CA_BUNDLE", ""),
    ]


def test_named_file(machine: Machine, tmp_path: Path) -> None:
    """A file named on the command line beats one in the environment beats the user file."""
    for number, name in enumerate(("user", "variable", "option"), start=1):
        (tmp_path / f"{name}.toml").write_text(f"[network]\ntimeout = {number}\n")
    environ = {"UV_SELF_UPDATE_CONFIG": str(tmp_path / "variable.toml")}
    options = Options(config=tmp_path / "option.toml")
    assert machine.resolve().network.timeout == 1
    assert machine.resolve(environ=environ).network.timeout == 2
    assert machine.resolve(options, environ).network.timeout == 3


def test_named_file_must_exist(machine: Machine, tmp_path: Path) -> None:
    """A file that was named has to be there, unlike the one that nobody named."""
    missing = tmp_path / "missing.toml"
    environ = {"UV_SELF_UPDATE_CONFIG": str(missing)}
    assert machine.problems(environ=environ) == [(str(missing), "")]
    assert machine.problems(Options(config=missing)) == [(str(missing), "")]


def test_folder_in_place_of_default_file(machine: Machine) -> None:
    """A file that is there but cannot be read is a problem even if nobody named it."""
    machine.user_file.mkdir()
    assert machine.problems() == [(str(machine.user_file), "")]


def test_file_in_place_of_the_folder(machine: Machine, tmp_path: Path) -> None:
    """Where the directory of the default file is a file, there is no configuration."""
    (tmp_path / "folder").touch()
    machine.user_file = tmp_path / "folder" / "config.toml"
    assert machine.resolve() == Settings()


@pytest.mark.parametrize(
    ("environ", "expected", "origin"),
    [
        (
            {"LATEST_RELEASE_URL": "https://a.example/l", "RELEASES_DOWNLOAD_URL": "file:///d/"},
            source_settings(
                kind="urls", latest="https://a.example/l", download="file:///d/{tag}/{asset}"
            ),
            "RELEASES_DOWNLOAD_URL and LATEST_RELEASE_URL",
        ),
        (
            {"RELEASES_DOWNLOAD_URL": "https://a.example/{version}/{asset}"},
            source_settings(kind="urls", download="https://a.example/{version}/{asset}"),
            "RELEASES_DOWNLOAD_URL",
        ),
    ],
)
def test_variables_of_the_script(
    machine: Machine, environ: Mapping[str, str], expected: SourceSettings, origin: str
) -> None:
    """The two variables of the script are a `urls` source, with tag and file added if need be."""
    settings = machine.resolve(environ=environ)
    assert settings.sources == (expected,)
    assert settings.origins == {"source": origin}


def test_variables_of_the_script_come_last(machine: Machine) -> None:
    """The variables of the script are not even looked at when a source is configured."""
    machine.site_file.write_text('[[source]]\nkind = "index"\n')
    environ = {"LATEST_RELEASE_URL": "nonsense"}
    assert machine.resolve(environ=environ).sources == (source_settings(kind="index"),)


def test_variables_of_the_script_need_a_download(machine: Machine) -> None:
    """The URL of the newest release is of no use without that of the files."""
    environ = {"LATEST_RELEASE_URL": "https://a.example/latest"}
    with pytest.raises(InvalidConfiguration, match="RELEASES_DOWNLOAD_URL is required with it"):
        machine.resolve(environ=environ)


def test_unfit_variables_of_the_script(machine: Machine) -> None:
    """An unfit variable of the script is a problem that names the variable."""
    environ = {"LATEST_RELEASE_URL": "a.example/l", "RELEASES_DOWNLOAD_URL": "https://a.ex/{tag}"}
    expected = [("RELEASES_DOWNLOAD_URL", ""), ("LATEST_RELEASE_URL", "")]
    assert machine.problems(environ=environ) == expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("index", source_settings(kind="index")),
        ("index+file:///wheels/", source_settings(kind="index", url="file:///wheels/")),
        (
            "github+https://u:p@a.example/o/r+s",
            source_settings(kind="github", url="https://u:p@a.example/o/r+s"),
        ),
        (
            "urls+https://a.example/{tag}/{asset}",
            source_settings(kind="urls", download="https://a.example/{tag}/{asset}"),
        ),
        ("https://a.example/x+y", source_settings(kind="auto", url="https://a.example/x+y")),
        ("http://u:p@a.example", source_settings(kind="auto", url="http://u:p@a.example")),
        (
            "nexus+https://a.example/repository/uv/",
            source_settings(kind="nexus", url="https://a.example/repository/uv/"),
        ),
        ("/mnt/uv+new", source_settings(kind="directory", path="/mnt/uv+new")),
        ("directory+/mnt/uv", source_settings(kind="directory", path="/mnt/uv")),
        ("file:///mnt/a%20b", source_settings(kind="directory", path="file:///mnt/a%20b")),
        ("./uv", source_settings(kind="directory", path=str(Path.cwd() / "uv"))),
    ],
)
def test_parse_source(spec: str, expected: SourceSettings) -> None:
    """A source is written as its kind, or as its kind, a plus sign and its URL."""
    assert parse_source(spec) == expected


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", "it is not a kind, a URL or a path"),
        ("u:secret@a.example", "it is not a kind, a URL or a path"),
        ("githup", "did you mean `github`"),
        ("githup+https://a.example/", "did you mean `github`"),
        ("github", "expected a URL after it"),
        (
            "directory",
            "expected the absolute path of a directory after it: `directory+/mnt/share/uv`",
        ),
        ("directory+", "empty value: expected the absolute path"),
        ("ftp://a.example/", "does not start with `http://` or `https://`"),
        ("nexus+https://a.example/uv/", "must contain `/repository/NAME`"),
        ("artifactory+https://a.example/", "must contain `/artifactory/REPOSITORY`"),
        ("gitlab+https://a.example/project", "must end with `/GROUP/PROJECT`"),
        ("gitea+https://a.example/", "must end with `/OWNER/REPO`"),
        ("github+", "empty value: expected a URL"),
        ("github+file:///folder", "does not start with `http://` or `https://`"),
        ("github+https://u:sec/ret@a.example/", "in a password"),
        ("urls+https://u:secret@a.example/{tag}", "has no placeholder `{asset}`"),
        ("listing+https://u:12/secret@a.example/", "misplaced credentials"),
        ("https://secret/x@a.example/", "misplaced credentials"),
        ("listing+https://u:12#secret@a.example/", "misplaced credentials"),
    ],
)
def test_parse_source_refuses(spec: str, message: str) -> None:
    """Anything else is refused with a reason, and no part of a password is repeated."""
    with pytest.raises(InvalidSource) as caught:
        parse_source(spec)
    assert message in str(caught.value)
    assert "sec" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        ({}, ["kind"]),
        ({"kind": "index", "url": "https://a.example"}, []),
        ({"kind": ["index"]}, ["kind"]),
        ({"kind": "nexsus", "url": 1}, ["kind", "url"]),
        ({"url": "https://a.example/"}, []),
        ({"url": "https://a.example/", "package": "uv"}, ["package"]),
        ({"kind": "gitlab", "url": "https://a.example/g/p", "package": "uv"}, []),
        ({"kind": "gitlab", "url": "https://a.example/g/p", "package": "a/b"}, ["package"]),
        ({"kind": "directory", "path": "mirror"}, ["path"]),
        ({"kind": "directory", "path": 5}, ["path"]),
        ({"kind": "directory", "path": "C:\\mirror"}, []),
        ({"kind": "directory", "path": "\\\\server\\share\\uv"}, []),
        ({"kind": "directory", "path": "~/uv"}, []),
        ({"kind": "index", "latest": "https://a.example"}, ["latest"]),
        ({"kind": "index", "uri": "https://a.example"}, ["uri"]),
        ({"kind": "urls"}, ["download"]),
        ({"kind": "github", "url": ""}, ["url"]),
        ({"kind": "github", "url": "https://a.example/ b"}, ["url"]),
        ({"kind": "github", "url": "https://a.example\n"}, ["url"]),
        ({"kind": "github", "url": "a.example"}, ["url"]),
        ({"kind": "github", "url": "https:a.example"}, ["url"]),
        ({"kind": "github", "url": "https:///path"}, ["url"]),
        ({"kind": "github", "url": "https://[::1/"}, ["url"]),
        ({"kind": "github", "url": "https://a.example:port/"}, ["url"]),
        ({"kind": "index", "url": "file://"}, ["url"]),
        ({"kind": "index", "url": "https://a.example/{tag}"}, ["url"]),
        ({"kind": "urls", "download": "https://a/{asset}/{"}, ["download"]),
        ({"kind": "urls", "download": "https://a/{os}/{arch}"}, ["download"] * 3),
        (
            {"kind": "urls", "download": "https://a/{asset}", "latest": "https://a/{tag}"},
            ["latest"],
        ),
        (
            {"kind": "urls", "download": "https://a/{asset}", "release": "https://a/{asset}"},
            ["release"],
        ),
    ],
)
def test_check_source(table: Mapping[str, object], keys: list[str]) -> None:
    """Each thing that is wrong with a source is found, under its key."""
    assert [key for key, _ in check_source(table)[1]] == keys


def test_every_field_of_a_kind_is_known() -> None:
    """What a kind may have is a key with a check, and a field of the settings."""
    for kind in KINDS.values():
        for name in kind.fields:
            assert name in SOURCE_FIELDS
            assert hasattr(source_settings(), name.replace("-", "_"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("native", "native"),
        ("https://a.example/x?token=secret", "https://a.example/x?token=***"),
        ("https://u:secret@a.example/x", "https://***@a.example/x"),
        ("https://u:sec/ret@a.example/x", "https://***@a.example/x"),
        ("https://u:sec#ret@a.example/x", "https://***@a.example/x"),
        ("u:secret@a.example/x", "***@a.example/x"),
        ("https:/u:secret@a.example", "***@a.example"),
        ("two\nlines\x1b", "two_lines_"),
    ],
)
def test_shown(text: str, expected: str) -> None:
    """What is repeated in a message is on one line, and without a password wherever it stands."""
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/uv/", False),
        ("https://u:p@a.example/", True),
        ("https://token@a.example/", True),
        ("https://:p@a.example/", True),
        ("https://@a.example/", False),
        ("https://a.example/@scope/", False),
        ("https://a.example/?sig=x", True),
        ("https://a.example/?a=1&X-Amz-Signature=x", True),
        ("https://a.example/?X-Goog-Credential=x", True),
        ("https://a.example/?private_token=x", True),
        ("https://a.example/?Key=x", True),
        ("https://a.example/?api-key=x", True),
        ("https://a.example/?token=", False),
        ("https://a.example/?restype=container&comp=list&list-type=2&keys=1", False),
        ("/mnt/share/uv", False),
        ("60", False),
    ],
)
def test_holds_secret(url: str, *, expected: bool) -> None:
    """Credentials count as a secret, also a user name alone, and a signature in a query."""
    assert Url.parse(url).holds_secret == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MIRROR_TOKEN", False),
        ("nexus_password_2024", False),
        ("ARTIFACTORY2_KEY", False),
        ("COMPANYARTIFACTORYTOKEN", False),
        ("glad_TOKEN", False),
        ("ghp_x", True),
        ("github_pat_x", True),
        ("glpat-x", True),
        ("gldt-x", True),
        ("a1b2c3d4e5f6a7b8c9d0", True),
        ("AKCp8abcdefghijklmnopq", True),
    ],
)
def test_is_like_a_token(text: str, *, expected: bool) -> None:
    """A token of a server is distinguished from the name of a variable."""
    assert is_like_a_token(text) == expected


LOGGED_IN = {"kind": "nexus", "url": "https://a.example/repository/uv/"}


@pytest.mark.parametrize(
    ("keys", "problem", "reason"),
    [
        ({"password-env": "P"}, "username", "required with `password-env`"),
        ({"username": ""}, "username", "empty value"),
        ({"username": 3}, "username", "invalid type (a number)"),
        ({"username": "a:b"}, "username", "cannot contain a colon"),
        ({"username": "a\n"}, "username", "control characters"),
        ({"token-env": ""}, "token-env", "empty value"),
        ({"token-env": 3}, "token-env", "invalid type (a number)"),
        ({"token-env": "s3cret word"}, "token-env", "that holds the token (such as"),
        ({"token-env": "1x"}, "token-env", "that holds the token (such as"),
        ({"token-env": "ghp_s3cret"}, "token-env", "not the token itself"),
        ({"token-env": "s3creta1b2c3d4e5f6"}, "token-env", "not the token itself"),
        ({"username": "a", "password-env": "s3cret!"}, "password-env", "not the password itself"),
        ({"header-env": "s3cret"}, "header-env", "expected a table such as"),
        ({"header-env": {"X Y": "V"}}, "header-env", "invalid header name `X Y`"),
        ({"header-env": {"": "V"}}, "header-env", "invalid header name ``"),
        (
            {"header-env": {"X": "s3 cret"}},
            "header-env",
            "`X`: invalid value: expected the name of",
        ),
        ({"header-env": {"X": 3}}, "header-env", "`X`: invalid type (a number)"),
        ({"token": "s3cret"}, "token", "`token-env`"),
        ({"password": "s3cret"}, "password", "`uv auth login`"),
        ({"Private_Token": "s3cret"}, "Private_Token", "`header-env`"),
        ({"headers": {"X": "s3cret"}}, "headers", "`header-env`"),
        ({"user": "robot"}, "user", "did you mean `username`?"),
    ],
)
def test_login_that_cannot_be_used(keys: dict[str, object], problem: str, reason: str) -> None:
    """A problem with credentials is reported with what is expected, and without the secret."""
    [(key, got)] = check_source({**LOGGED_IN, **keys})[1]
    assert key == problem
    assert reason in got
    assert "s3" not in got


def test_header_that_is_there_twice() -> None:
    """In the names of headers, case makes no difference."""
    found = check_source({**LOGGED_IN, "header-env": {"X-A": "A", "x-a": "B"}})[1]
    assert [reason.partition(":")[0] for _, reason in found] == [
        "duplicate header `X-A`",
        "duplicate header `x-a`",
    ]


@pytest.mark.parametrize(
    "header", ["Host", "content-length", "Transfer-Encoding", "Connection", "RANGE", "Accept"]
)
def test_header_of_the_client(header: str) -> None:
    """A header that says how the request itself is to be read is not a source's to set."""
    found = check_source({**LOGGED_IN, "header-env": {header: "KEY", "X-Key": "KEY"}})[1]
    assert found == [("header-env", f"the header `{header}` cannot be set: uv-self-update sets it")]


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_with_a_login(kind: str) -> None:
    """Every kind that this package asks itself can have credentials; the others say what to do."""
    keys = {"token-env": "T", "username": "u", "password-env": "P", "header-env": {"X": "V"}}
    found = {key: reason for key, reason in check_source({"kind": kind, **keys})[1] if key in keys}
    if kind == "index":
        assert set(found) == set(keys)
        assert "`uv auth login`" in found["token-env"]
    elif kind == "directory":
        assert set(found) == set(keys)
    else:
        assert found == {}


def test_login_of_another() -> None:
    """Credentials are copied as a whole, and nothing else."""
    header = (("X-A", "A"),)
    first = source_settings(kind="auto", url="https://a.example/", username="u", header_env=header)
    second = source_settings(kind="nexus", url="https://b.example/", token_env="T")  # noqa: S106
    assert second.with_login_of(first) == source_settings(
        kind="nexus", url="https://b.example/", username="u", header_env=header
    )


def test_nothing_configured_needs_no_parser(tmp_path: Path) -> None:
    """With no file and no variable, neither a TOML parser nor anything else slow is imported."""
    code = (
        "import sys; before = set(sys.modules)\n"
        "from pathlib import Path; from uv_self_update.config import load as config\n"
        f"missing = Path({str(tmp_path / 'missing.toml')!r})\n"
        "config.resolve(options=config.Options(), environ={}, user_file=missing,"
        " site_file=missing)\n"
        "slow = {'tomllib', 'tomli_w', 'platformdirs', 'difflib', 'click', 'httpx', 'packaging',"
        " 'tempfile'}\n"
        "print(sorted(slow & (sys.modules.keys() - before)))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("UV_SELF_UPDATE_TIMEOT", "; did you mean `UV_SELF_UPDATE_TIMEOUT`?"),
        ("UV_SELF_UPDATE_VERSION", "; did you mean `UV_SELF_UPDATE_VERSIONS`?"),
        ("UV_SELF_UPDATE_SOURCES", "; did you mean `UV_SELF_UPDATE_SOURCE`?"),
        ("UV_SELF_UPDATE_QQQ", ""),
        ("UV_SELF_UPDATE_", ""),
    ],
)
def test_unknown_variable(
    machine: Machine, caplog: pytest.LogCaptureFixture, name: str, meant: str
) -> None:
    """A misspelt variable is ignored, and that is said, without its value."""
    assert machine.resolve(environ={name: "s3cret"}) == Settings()
    assert caplog.messages == [
        f"Ignoring unknown environment variable `{name}`{meant}",
    ]


def test_variables_that_are_known(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    """What anything reads is known: our own variables, and those that a source names."""
    machine.user_file.write_text(
        "[[source]]\nurl = 'https://a.example/'\ntoken-env = 'UV_SELF_UPDATE_A'\n"
        "[[source]]\nurl = 'https://b.example/'\nusername = 'me'\n"
        "password-env = 'UV_SELF_UPDATE_B'\nheader-env = { X = 'UV_SELF_UPDATE_C' }\n"
    )
    machine.user_file.chmod(0o600)
    names = [f"UV_SELF_UPDATE_{letter}" for letter in "ABC"]
    own = {"UV_SELF_UPDATE_UV": "/bin/uv", "UV_SELF_UPDATE_CLIENT_KEY_PASSPHRASE": "x"}
    own |= {"UV_SELF_UPDATE_CONFIG": str(machine.user_file), "UV_SELF_UPDATE_TIMEOUT": "5"}
    machine.resolve(environ={**dict.fromkeys(names, "x"), **own, "UV_SELF_UPDATE_EMPTY": ""})
    assert caplog.messages == []
