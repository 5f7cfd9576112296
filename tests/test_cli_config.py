"""`uv-self-update config`, as a user types it."""

from __future__ import annotations

import os
import re
import shlex
import sys
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from uv_self_update.cli.config_commands import config
from uv_self_update.cli.invocation import Invocation
from uv_self_update.config import load as files
from uv_self_update.config.credential_fields import CREDENTIAL_FIELDS
from uv_self_update.config.document import as_table
from uv_self_update.config.kinds import KINDS
from uv_self_update.config.settings import FIELDS, Options
from uv_self_update.config.template import template
from uv_self_update.errors import (
    ConfigurationError,
    ConfigurationNotKept,
    InvalidConfiguration,
    UsageError,
)

if sys.platform != "win32":
    import pwd

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
        "credentials of source.0: uv's own, as for packages\n"
        "\n"
        f"user file: {person.file} (does not exist)\n"
        f"system file: {person.folder / 'site.toml'} (does not exist)\n"
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
        "credentials of source.0: uv's own, as for packages",
        "credentials of source.1: none",
        "",
        f"user file: {person.file}",
        f"system file: {person.folder / 'site.toml'}",
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
    assert f"\ncredentials of source.0: {login}\n" in shown
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
    assert "\ncredentials of source.0: `token-env` TOKEN for https://a.example\n" in shown
    assert "\ncredentials of source.1: `header-env` KEY for https://b.example\n" in shown
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
    """A file in a directory that may not be entered counts as one that does not exist."""

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
    """The keys of credentials can be set, shown, read and taken out; a header's as any other."""
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


@pytest.mark.parametrize(
    ("pairs", "told"),
    [
        (("policy.min-age", "3 days"), True),
        (("policy.min-age", "0 days"), False),
        (("policy.yanked", "true"), False),
        (("policy.min-age", "3 days", "source.kind", "github"), False),
    ],
)
def test_set_min_age(pairs: tuple[str, ...], *, told: bool, person: Person) -> None:
    """A minimum age for releases of an index is warned of at once, as few servers give dates."""
    github = ("source.url", "https://github.example/a/uv") if "github" in pairs else ()
    result = person.types("set", *pairs, *github)
    assert result.exception is None
    assert ("index without upload times, such as devpi" in result.stderr) is told


def test_set_relative_path(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is that of the current directory, wherever the file is."""
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
    assert person.reads("set", "--plaintext", "source.url", url) == f"Written to {person.file}.\n"
    assert person.reads("get", "source.url") == f"{url}\n"
    if sys.platform != "win32":
        assert person.file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_set_system(person: Person, monkeypatch: pytest.MonkeyPatch, umask: int) -> None:
    """`--system` writes the system file, which all users can read whatever the umask is."""
    system = person.folder / "etc" / "xdg" / "uv-self-update" / "config.toml"
    monkeypatch.setattr(files, "site_file", lambda: system)
    before = os.umask(umask)
    try:
        said = person.reads("set", "--system", "network.timeout", "60")
        assert said == f"Written to {system}.\n"
        person.reads("set", "network.timeout", "50", "--system")
    finally:
        os.umask(before)

    assert person.reads("path", "--system") == f"{system}\n"
    assert system.read_text() == "[network]\ntimeout = 50\n"
    assert system.stat().st_mode & 0o777 == 0o644
    for directory in list(system.parents)[:3]:
        assert directory.stat().st_mode & 0o777 == 0o755
    assert not person.file.exists()
    assert person.reads("get", "network.timeout") == "50\n"
    assert person.reads("unset", "--system", "network") == f"Written to {system}.\n"
    assert system.read_text() == ""


def test_set_system_makes_readable(person: Person) -> None:
    """A system file that only its owner could read becomes readable, as every user needs it."""
    system = person.folder / "site.toml"
    system.touch(mode=0o600)

    person.reads("set", "--system", "network.timeout", "60")

    assert system.stat().st_mode & 0o777 == 0o644


def test_system_file_holds_no_secret(person: Person) -> None:
    """A secret in the file that all users read is refused, with `--plaintext` too."""
    url = "https://robot:s3cret@a.example/uv/"
    result = person.types("set", "--system", "source.url", url)
    assert isinstance(result.exception, ConfigurationNotKept)
    result = person.types("set", "--system", "--plaintext", "source.url", url)
    assert isinstance(result.exception, UsageError)
    assert not (person.folder / "site.toml").exists()


def test_system_and_config(person: Person) -> None:
    """Only one file can be changed at once."""
    options = Options(config=person.folder / "named.toml")
    for command in (["set", "network.timeout", "9"], ["path"], ["edit"], ["unset", "network"]):
        result = person.types(*command, "--system", options=options)
        assert isinstance(result.exception, UsageError), command


@pytest.mark.parametrize("by", ["--config", "UV_SELF_UPDATE_CONFIG"])
@pytest.mark.parametrize(
    ("place", "value", "mode"),
    [
        ("etc/config.toml", "https://a.example/uv/", 0o644),
        ("etc/config.toml", "https://robot:s3cret@a.example/uv/", 0o600),
        ("home/me/config.toml", "https://a.example/uv/", 0o600),
    ],
)
def test_mode_of_a_named_file(  # a table
    person: Person,
    monkeypatch: pytest.MonkeyPatch,
    by: str,
    place: str,
    value: str,
    mode: int,
) -> None:
    """A new file outside of the home is for others to read, unless a secret is in it."""
    monkeypatch.undo()  # the real `user_file`
    file = person.folder / place
    environ = {"HOME": str(person.folder / "home" / "me")}
    options = Options()
    if by == "--config":
        options = Options(config=file)
    else:
        environ[by] = str(file)
    person.environ.update(environ)

    person.reads("set", "--plaintext", "source.url", value, options=options)
    assert file.stat().st_mode & 0o777 == mode
    file.chmod(0o640)
    person.types("set", "network.timeout", "50", options=options)
    assert file.stat().st_mode & 0o777 == 0o640


def test_check(person: Person) -> None:
    """A file is validated before it is rolled out: all of its problems, and an exit code."""
    good, bad = person.folder / "good.toml", person.folder / "bad.toml"
    good.write_text("[network]\ntimeout = 60\n[policy]\nversions = '<1'\n")
    bad.write_text("[network]\ntimeout = 0\n[policy]\nversion = '<1'\n")

    assert (
        person.reads("check", str(good)) == f"{good} is valid: network.timeout, policy.versions\n"
    )
    for file, count in ((bad, 2), (person.folder / "missing.toml", 1), (person.folder, 1)):
        result = person.types("check", str(file))
        assert isinstance(result.exception, InvalidConfiguration)
        assert result.exception.exit_code == 3
        assert len(result.exception.problems) == count
        assert all(problem.origin == str(file) for problem in result.exception.problems)


def test_check_what_applies(person: Person) -> None:
    """Without a file, those that apply are validated, each by itself."""
    assert not person.reads("check")
    person.file.write_text("[network]\ntimeout = 60\n")
    system = person.folder / "site.toml"
    system.write_text("[broken")
    result = person.types("check")
    assert result.stdout == f"{person.file} is valid: network.timeout\n"
    assert isinstance(result.exception, InvalidConfiguration)
    assert str(system) in str(result.exception)


@pytest.mark.parametrize("text", ["[broken", "[policy]\nmin-age = 3\n", "[polcy]\n"])
@pytest.mark.parametrize("writable", [True, False])
def test_broken_system_file(
    person: Person, monkeypatch: pytest.MonkeyPatch, text: str, *, writable: bool
) -> None:
    """A broken system file is named with who can change it, and the user's is not suggested."""
    system = person.folder / "site.toml"
    system.write_text(text)
    monkeypatch.setattr(os, "access", lambda _path, _mode: writable)

    result = person.types("show")

    assert isinstance(result.exception, InvalidConfiguration)
    assert str(system) in str(result.exception)
    hint = str(result.exception.hint)
    assert f"opens {person.file}" not in hint
    assert "user file" not in hint
    if writable:
        assert "config edit --system" in hint
    else:
        assert f"{pwd.getpwuid(os.getuid()).pw_name} can change it" in hint
        assert "config check FILE" in hint


def test_get_unknown_key(person: Person) -> None:
    """A key that does not exist is an error."""
    assert isinstance(person.types("get", "network.timout").exception, UsageError)


def test_set_and_unset(person: Person) -> None:
    """What is set is in the file, and what is unset is not."""
    pairs = ("source.kind", "urls", "source.latest", "https://a.example/l")
    written = f"Written to {person.file}.\n"
    assert person.reads("set", *pairs, "source.download", "https://a.example/{asset}") == written
    assert person.reads("set", "network.timeout", "60") == written
    assert person.file.read_text() == (
        '[[source]]\nkind = "urls"\nlatest = "https://a.example/l"\n'
        'download = "https://a.example/{asset}"\n\n[network]\ntimeout = 60\n'
    )
    assert person.reads("unset", "source.latest", "network") == written
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
    """The path of the user configuration file is printed whether or not it can be read."""
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
    assert values.keys() == {*files.ARRAYS, *FIELDS}
    shown = {name for source in values["source"] for name in as_table(source)}
    assert set(CREDENTIAL_FIELDS) <= shown


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("command", [None, *config.commands])
def test_help(person: Person, flag: str, command: str | None) -> None:
    """Every command explains itself, with the short flag too."""
    output = person.reads(*([command] if command else []), flag)
    assert output.startswith("Usage: ")
    assert output.count("\n  ") > 1


class TestReleases:
    """`[[releases]]`, as `[[source]]`."""

    def test_set_get_and_show(self, tmp_path: Path) -> None:
        """Keys are set in their types, and shown with their file and their credentials."""
        person = Person(
            folder=tmp_path, environ={"UV_SELF_UPDATE_CONFIG": str(tmp_path / "config.toml")}
        )
        person.reads(
            "set",
            *("releases.kind", "gitlab", "releases.url", "https://git.example/a/b"),
            *("releases.packages", "Internal.* tools", "releases.token-env", "MY_TOKEN"),
        )
        person.reads("set", "releases.1.path", "/mnt/share", "releases.1.kind", "directory")

        assert tomllib.loads(person.reads("get", "releases.packages")) == {
            "releases": [{"packages": ["internal-*", "tools"]}]
        }
        assert person.reads("get", "releases.1.path") == "/mnt/share\n"
        shown = person.types("show").stdout
        assert "releases.0.packages   = internal-*, tools" in re.sub(" +=", "   =", shown)
        assert f"({person.file})" in next(
            line for line in shown.splitlines() if line.startswith("releases.0.url")
        )
        assert "credentials of releases.0: none" in shown
        assert "credentials of releases.1: none" in shown
        assert "is valid: releases" in person.reads("check")

    def test_changed_kind(self, tmp_path: Path) -> None:
        """A changed kind removes the keys of the former one."""
        person = Person(
            folder=tmp_path, environ={"UV_SELF_UPDATE_CONFIG": str(tmp_path / "config.toml")}
        )
        person.reads(
            *("set", "releases.kind", "github", "releases.url", "https://github.com/a/b"),
            *("releases.prereleases", "true"),
        )
        person.reads("set", "releases.kind", "directory", "releases.path", "/mnt/share")
        assert person.file.read_text() == (
            '[[releases]]\nkind = "directory"\npath = "/mnt/share"\n'
        )
        person.reads("unset", "releases")
        assert "releases" not in person.file.read_text()

    def test_refused(self, tmp_path: Path) -> None:
        """A secret in its URL is refused by the name of its own keys, as is a wrong value."""
        person = Person(
            folder=tmp_path, environ={"UV_SELF_UPDATE_CONFIG": str(tmp_path / "config.toml")}
        )
        error = person.types("set", "releases.url", "https://u:pw@github.com/a/b").exception
        assert isinstance(error, ConfigurationNotKept)
        assert "`releases.token-env`" in str(error.hint)
        error = person.types(
            "set", "releases.url", "https://github.com/a/b", "releases.prereleases", "maybe"
        ).exception
        assert "expected `true` or `false`" in str(error)

    def test_exposed_secret_is_warned_of(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A file that others can read, with a password in the URL of releases, is warned of."""
        person = Person(
            folder=tmp_path, environ={"UV_SELF_UPDATE_CONFIG": str(tmp_path / "config.toml")}
        )
        person.file.write_text('[[releases]]\nurl = "https://u:pw@git.example/a/b"\n')
        person.file.chmod(0o644)
        person.types("show")
        assert "contains a password or a token" in caplog.text

    def test_named_variable_is_known(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A variable that only `[[releases]]` names is no misspelt setting."""
        environ = {
            "UV_SELF_UPDATE_CONFIG": str(tmp_path / "config.toml"),
            "UV_SELF_UPDATE_HUB": "t",
        }
        person = Person(folder=tmp_path, environ=environ)
        person.file.write_text(
            '[[releases]]\nurl = "https://github.com/a/b"\ntoken-env = "UV_SELF_UPDATE_HUB"\n'
        )
        person.file.chmod(0o600)
        shown = person.types("show").stdout
        assert "`token-env` UV_SELF_UPDATE_HUB for https://api.github.com" in shown
        assert "unknown environment variable" not in caplog.text
