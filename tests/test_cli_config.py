"""`uv-self-update config`, as a person types it."""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from uv_self_update.cli.config import config, template
from uv_self_update.cli.invocation import Invocation
from uv_self_update.config import load as files
from uv_self_update.config.credential_keys import LOGIN_FIELDS
from uv_self_update.config.document import as_table
from uv_self_update.config.kinds import KINDS
from uv_self_update.config.settings import KEYS, Options
from uv_self_update.errors import (
    ConfigurationError,
    ConfigurationNotKept,
    InvalidConfiguration,
    UsageError,
)

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody at a terminal, with an environment and a user file of their own."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The user file."""
        return self.folder / "config.toml"

    def types(self, *args: str, options: Options | None = None) -> Result:
        """Run `uv-self-update config`."""
        context = Invocation(options=options or Options(), environ=self.environ)
        return CliRunner().invoke(config, args, obj=context)

    def reads(self, *args: str, options: Options | None = None) -> str:
        """Run `uv-self-update config`, which has to succeed, and return what it prints."""
        result = self.types(*args, options=options)
        assert result.exception is None
        assert not result.stderr
        return result.stdout


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    """Return somebody who has configured nothing."""
    found = Person(folder=tmp_path)
    monkeypatch.setattr(files, "user_file", lambda _environ: found.file)
    monkeypatch.setattr(files, "site_file", lambda: tmp_path / "site.toml")
    return found


def test_show_defaults(person: Person) -> None:
    """With nothing configured, every setting is shown with its default, and both files."""
    assert person.reads("show") == (
        "source.0.kind           = index   (default)\n"
        "install.installer       = auto    (default)\n"
        "install.adopt           = false   (default)\n"
        "policy.versions         = (none)  (default)\n"
        "policy.min-age          = (none)  (default)\n"
        "policy.prerelease       = (none)  (default)\n"
        "policy.yanked           = false   (default)\n"
        "policy.approved         = (none)  (default)\n"
        "policy.require-digest   = false   (default)\n"
        "policy.digests          = (none)  (default)\n"
        "network.timeout         = 30      (default)\n"
        "network.connect-timeout = 10      (default)\n"
        "network.retries         = 3       (default)\n"
        "network.ca-bundle       = (none)  (default)\n"
        "network.client-cert     = (none)  (default)\n"
        "network.client-key      = (none)  (default)\n"
        "\n"
        "login of source.0: uv's own, as for packages\n"
        "\n"
        f"user file: {person.file} (does not exist)\n"
        f"site file: {person.folder / 'site.toml'} (does not exist)\n"
    )


def test_show_origins(person: Person) -> None:
    """Each setting is shown with the place that has decided it."""
    person.file.write_text("[network]\ntimeout = 2.5\n")
    (person.folder / "site.toml").write_text("[install]\ninstaller = 'native'\n")
    person.environ["UV_SELF_UPDATE_SOURCE"] = "index github+https://a.example/o/r"
    lines = person.reads("show").splitlines()
    assert [re.sub(" +", " ", line) for line in lines] == [
        "source.0.kind = index (UV_SELF_UPDATE_SOURCE)",
        "source.1.kind = github (UV_SELF_UPDATE_SOURCE)",
        "source.1.url = https://a.example/o/r (UV_SELF_UPDATE_SOURCE)",
        f"install.installer = native ({person.folder / 'site.toml'})",
        "install.adopt = false (default)",
        "policy.versions = (none) (default)",
        "policy.min-age = (none) (default)",
        "policy.prerelease = (none) (default)",
        "policy.yanked = false (default)",
        "policy.approved = (none) (default)",
        "policy.require-digest = false (default)",
        "policy.digests = (none) (default)",
        f"network.timeout = 2.5 ({person.file})",
        "network.connect-timeout = 10 (default)",
        "network.retries = 3 (default)",
        "network.ca-bundle = (none) (default)",
        "network.client-cert = (none) (default)",
        "network.client-key = (none) (default)",
        "",
        "login of source.0: uv's own, as for packages",
        "login of source.1: none",
        "",
        f"user file: {person.file}",
        f"site file: {person.folder / 'site.toml'}",
    ]


def test_show_command_line(person: Person) -> None:
    """What the command line says is shown too."""
    options = Options(sources=("index",), installer="native")
    assert person.reads("show", options=options).count("(command line)") == 2


def test_show_no_password(person: Person) -> None:
    """What is shown holds neither passwords nor the values of a query."""
    url = "https://user:secret@a.example/{asset}?key=secret"
    person.environ["UV_SELF_UPDATE_SOURCE"] = f"urls+{url}"
    shown = person.reads("show")
    assert "https://***@a.example/{asset}?key=***" in shown
    assert "secret" not in shown
    assert person.reads("get", "source.download") == f"{url}\n"


@pytest.mark.parametrize(
    ("source", "environ", "login"),
    [
        ("directory+/mnt/uv", {}, "none"),
        ("nexus+https://a.example/repository/uv/", {}, "none"),
        (
            "nexus+https://u:s3cret@a.example:8443/repository/uv/",
            {},
            "the URL for https://a.example:8443",
        ),
        ("listing+http://u:s3cret@[::1]:80/", {}, "the URL for http://[::1]"),
        (
            "github+https://github.com/o/r",
            {"GH_TOKEN": "s3cret"},
            "GH_TOKEN for https://api.github.com",
        ),
        ("https://github.com/o/r", {"GH_TOKEN": "s3cret"}, "GH_TOKEN for https://api.github.com"),
        ("https://a.example/uv/", {"GH_TOKEN": "s3cret"}, "none"),
        ("https://nexus.example/repository/pypi/simple/", {}, "uv's own, as for packages"),
    ],
)
def test_show_login(person: Person, source: str, environ: dict[str, str], login: str) -> None:
    """For each source it is told whose login would be used, and at which server; not its value."""
    person.environ.update(environ, UV_SELF_UPDATE_SOURCE=source, PATH="/nowhere", HOME="/nowhere")
    shown = person.reads("show")
    assert f"\nlogin of source.0: {login}\n" in shown
    assert "s3cret" not in shown


def test_show_login_of_keys(person: Person) -> None:
    """The variables that a source names are told, and each source has its own line."""
    person.environ.update(
        PATH="/nowhere", HOME="/nowhere", **dict.fromkeys(["TOKEN", "KEY"], "s3cret")
    )
    person.file.write_text(
        "[[source]]\nurl = 'https://a.example/'\ntoken-env = 'TOKEN'\n"
        "[[source]]\nurl = 'https://b.example/'\nheader-env = { X-Key = 'KEY' }\n"
    )
    shown = person.reads("show")
    assert "\nlogin of source.0: `token-env` TOKEN for https://a.example\n" in shown
    assert "\nlogin of source.1: `header-env` KEY for https://b.example\n" in shown
    assert "s3cret" not in shown


def test_show_broken(person: Person) -> None:
    """A file with problems is not shown; the problems are left to the main command."""
    person.file.write_text("[polcy]\n")
    result = person.types("show")
    assert isinstance(result.exception, InvalidConfiguration)
    assert not result.output


def test_show_folder_that_may_not_be_entered(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in a folder that may not be entered counts as one that does not exist."""

    def refuse(_self: Path) -> bool:
        raise PermissionError

    monkeypatch.setattr(type(person.file), "exists", refuse)
    assert f"{person.file} (does not exist)" in person.reads("show")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("network.timeout", "30\n"),
        ("network.ca-bundle", ""),
        ("source.kind", "github\n"),
        ("network", "[network]\ntimeout = 30\nconnect-timeout = 10\nretries = 3\n"),
        ("source", '[[source]]\nkind = "github"\nurl = "https://a.example/o/r"\n'),
        ("source.0", '[[source]]\nkind = "github"\nurl = "https://a.example/o/r"\n'),
    ],
)
def test_get(person: Person, key: str, expected: str) -> None:
    """A single value is printed plain, a table as TOML, and nothing where there is nothing."""
    person.environ["UV_SELF_UPDATE_SOURCE"] = "github+https://a.example/o/r"
    assert person.reads("get", key) == expected


def test_login(person: Person) -> None:
    """The keys of a login can be set, shown, read and taken out; a header's as any other."""
    url = "https://a.example/repository/uv/"
    person.environ.update({"TOKEN": "t", "CI_TOKEN": "t"})
    person.reads("set", "source.kind", "nexus", "source.url", url, "source.token-env", "TOKEN")
    person.reads("set", "source.header-env.PRIVATE-TOKEN", "CI_TOKEN")
    table = (
        f'[[source]]\nkind = "nexus"\nurl = "{url}"\ntoken-env = "TOKEN"\n'
        'header-env = { PRIVATE-TOKEN = "CI_TOKEN" }\n'
    )
    assert person.file.read_text() == table
    shown = re.sub(" +", " ", person.reads("show"))
    assert f"source.0.token-env = TOKEN ({person.file})\n" in shown
    assert f"source.0.header-env.PRIVATE-TOKEN = CI_TOKEN ({person.file})\n" in shown
    assert person.reads("get", "source.header-env.PRIVATE-TOKEN") == "CI_TOKEN\n"
    headers = '[[source]]\nheader-env = { PRIVATE-TOKEN = "CI_TOKEN" }\n'
    assert person.reads("get", "source.header-env") == headers
    assert person.reads("get", "source.0") == table
    person.reads("unset", "source.header-env.PRIVATE-TOKEN", "source.token-env")
    assert person.file.read_text() == f'[[source]]\nkind = "nexus"\nurl = "{url}"\n'


def test_set_into_a_file_that_others_read(person: Person, caplog: pytest.LogCaptureFixture) -> None:
    """A secret that goes into a file which others can read is warned of at once."""
    person.file.write_text("# mine\n")
    person.file.chmod(0o644)

    person.types("set", "--plaintext", "source.url", "https://robot:s3cret@a.example/uv/")

    assert "chmod 600" in caplog.text
    assert "s3cret" not in caplog.text


def test_set_relative_path(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is that of the folder that the person stands in, wherever the file is."""
    folder = person.folder / "elsewhere"
    folder.mkdir()
    (folder / "company.pem").touch()
    monkeypatch.chdir(folder)

    person.reads("set", "network.ca-bundle", "company.pem")

    assert person.reads("get", "network.ca-bundle") == f"{folder / 'company.pem'}\n"


def test_set_plaintext(person: Person) -> None:
    """A URL with a password is written with `--plaintext` only, and the file is its owner's."""
    url = "https://robot:s3cret@a.example/uv/"
    result = person.types("set", "source.url", url)
    assert isinstance(result.exception, ConfigurationNotKept)
    assert "s3cret" not in str(result.exception)
    assert not person.file.exists()
    assert not person.reads("set", "--plaintext", "source.url", url)
    assert person.reads("get", "source.url") == f"{url}\n"
    if sys.platform != "win32":
        assert person.file.stat().st_mode & 0o777 == 0o600


def test_get_unknown_key(person: Person) -> None:
    """A key that does not exist is an error."""
    assert isinstance(person.types("get", "network.timout").exception, UsageError)


def test_set_and_unset(person: Person) -> None:
    """What is set is in the file, and what is unset is not."""
    pairs = ("source.kind", "urls", "source.latest", "https://a.example/l")
    assert not person.reads("set", *pairs, "source.download", "https://a.example/{asset}")
    assert not person.reads("set", "network.timeout", "60")
    assert person.file.read_text() == (
        '[[source]]\nkind = "urls"\nlatest = "https://a.example/l"\n'
        'download = "https://a.example/{asset}"\n\n[network]\ntimeout = 60\n'
    )
    assert not person.reads("unset", "source.latest", "network")
    assert person.file.read_text() == (
        '[[source]]\nkind = "urls"\ndownload = "https://a.example/{asset}"\n'
    )


def test_set_named_file(person: Person) -> None:
    """The file that `--config` names is the one that is changed, even if it is not there yet."""
    named = person.folder / "named.toml"
    options = Options(config=named)
    person.reads("set", "network.timeout", "60", options=options)
    assert person.reads("path", options=options) == f"{named}\n"
    assert named.read_text() == "[network]\ntimeout = 60\n"
    assert not person.file.exists()


def test_set_without_value(person: Person) -> None:
    """A key without a value is an error, and nothing is written."""
    result = person.types("set", "network.timeout", "60", "install.installer")
    assert isinstance(result.exception, UsageError)
    assert str(result.exception) == "`install.installer` has no value"
    assert not person.file.exists()


def test_path(person: Person) -> None:
    """The path of the user file is printed whether or not it can be read."""
    person.file.write_text("[broken")
    assert person.reads("path") == f"{person.file}\n"


def editor(person: Person, code: str) -> str:
    """Write an editor that does `code` with the text of a file, and return its command."""
    script = person.folder / "editor.py"
    script.write_text(
        "import pathlib, sys\n"
        "file = pathlib.Path(sys.argv[1])\n"
        f"text = file.read_text()\n{code}\nfile.write_text(text)\n"
    )
    return shlex.join([sys.executable, str(script)])


@pytest.mark.parametrize("variable", ["VISUAL", "EDITOR"])
def test_edit(person: Person, variable: str) -> None:
    """The file is opened in the editor of the environment, and begins with what can be set."""
    person.environ[variable] = editor(person, "text += '[network]\\ntimeout = 60\\n'")
    assert not person.reads("edit")
    assert person.file.read_text() == template() + "[network]\ntimeout = 60\n"
    if sys.platform != "win32":
        assert person.file.stat().st_mode & 0o777 == 0o600


def test_edit_existing(person: Person) -> None:
    """A broken file is opened as it is, and checked once the editor has ended."""
    person.file.write_text("[broken")
    person.environ["EDITOR"] = "false"
    person.environ["VISUAL"] = editor(person, "text = text.replace('broken', 'network]')")
    assert not person.reads("edit")
    assert person.file.read_text() == "[network]"


def test_edit_leaves_a_problem(person: Person) -> None:
    """A problem that the editor leaves is reported, and the text is kept."""
    person.environ["EDITOR"] = editor(person, "text = '[polcy]'")
    assert isinstance(person.types("edit").exception, InvalidConfiguration)
    assert person.file.read_text() == "[polcy]"


@pytest.mark.parametrize("command", ["/no/such/editor", f"{sys.executable} -c exit(1) --", "'"])
def test_edit_without_editor(person: Person, command: str) -> None:
    """An editor that cannot be run, or fails, is an error of ours."""
    person.environ["EDITOR"] = command
    result = person.types("edit")
    assert isinstance(result.exception, ConfigurationError)
    assert str(person.file) in str(result.exception)


def test_template_sets_nothing(person: Person) -> None:
    """The text that a new file begins with is all comments."""
    person.file.write_text(template())
    assert files.load(person.file).values == {}


def test_template_is_right(person: Person) -> None:
    """With its settings uncommented, the text shows every kind and every key, and is valid."""
    for name in ("company.pem", "me.pem", "me.key"):
        (person.folder / name).touch()
    person.file.write_text(re.sub("^#(?=[^ ])", "", template(), flags=re.MULTILINE))
    values = files.load(person.file).values
    assert {source.kind for source in values["source"]} == set(KINDS)
    assert values.keys() == {"source", *KEYS}
    shown = {name for source in values["source"] for name in as_table(source)}
    assert set(LOGIN_FIELDS) <= shown


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("command", [None, *config.commands])
def test_help(person: Person, flag: str, command: str | None) -> None:
    """Every command explains itself, with the short flag too."""
    output = person.reads(*([command] if command else []), flag)
    assert output.startswith("Usage: ")
    assert output.count("\n  ") > 1
