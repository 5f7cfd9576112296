"""`[policy]`: read from files and variables, put together, shown and changed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from uv_self_update.cli.config_commands import config
from uv_self_update.cli.invocation import Invocation
from uv_self_update.config import load as files
from uv_self_update.config.settings import Options
from uv_self_update.errors import ConfigurationNotKept, InvalidConfiguration, UsageError
from uv_self_update.releases.digests import DigestRules, Pin
from uv_self_update.releases.policy import (
    DEFAULT,
    Approved,
    MinimumAge,
    Prereleases,
    Versions,
    Yanked,
)
from uv_self_update.releases.release import Release

if TYPE_CHECKING:
    from pathlib import Path

    from uv_self_update.config.settings import Settings

DIGEST, OTHER = "0" * 64, "ab" * 32
ARCHIVE = "uv-x86_64-unknown-linux-gnu.tar.gz"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine with a system configuration file, a user file and an environment."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def site(self) -> Path:
        """The administrator's file."""
        return self.folder / "site.toml"

    @property
    def user(self) -> Path:
        """The user's file."""
        return self.folder / "user.toml"

    def resolve(self, options: Options | None = None) -> Settings:
        """Decide the settings."""
        return files.resolve(
            options=options or Options(),
            environ=self.environ,
            user_file=self.user,
            site_file=self.site,
        )

    def rules(self, options: Options | None = None) -> list[tuple[str, str]]:
        """Return each rule as it is written, and the name of its place."""
        found = self.resolve(options).policy.rules
        return [(str(rule), rule.origin.rpartition("/")[2]) for rule in found]

    def config(self, *args: str) -> str:
        """Run `uv-self-update config`, which has to succeed, and return what it prints."""
        result = CliRunner().invoke(
            config, args, obj=Invocation(options=Options(), environ=self.environ)
        )
        if result.exception is not None:
            raise result.exception
        return result.stdout


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Return a machine on which nothing is configured."""
    found = Machine(folder=tmp_path)
    monkeypatch.setattr(files, "user_file", lambda _environ: found.user)
    monkeypatch.setattr(files, "site_file", lambda: found.site)
    return found


def test_nothing_is_configured(machine: Machine) -> None:
    """Without a rule only what was yanked is hidden, and no digest is asked for."""
    settings = machine.resolve()
    assert (settings.policy, settings.digests) == (DEFAULT, DigestRules())


def test_every_key(machine: Machine) -> None:
    """Each key makes a rule that knows its file, whatever way it is written."""
    machine.user.write_text(
        '[policy]\nversions = " >=0.11,<0.14 "\nmin-age = "12 hours"\nprerelease = true\n'
        'yanked = true\napproved = ["0.12.24", "0.13.9"]\nrequire-digest = true\n'
        f'[policy.digests."0.13.9"]\n"{ARCHIVE}" = "{OTHER.upper()}"\n'
    )
    settings = machine.resolve()
    origin = str(machine.user)
    assert settings.policy.rules == (
        Versions(specifiers=">=0.11,<0.14", origin=origin),
        Prereleases(allowed=True, origin=origin),
        Yanked(allowed=True, origin=origin),
        Approved(versions=("0.12.24", "0.13.9"), origin=origin),
        MinimumAge(seconds=43_200, text="12 hours", origin=origin),
    )
    assert settings.digests == DigestRules(
        required=True,
        required_by=origin,
        pinned=(Pin(version="0.13.9", name=ARCHIVE, sha256=OTHER, origin=origin),),
    )


def test_variables(machine: Machine) -> None:
    """Variables say the same, and come before the user's file."""
    machine.user.write_text('[policy]\nmin-age = "1 day"\nversions = "<9"\n')
    machine.environ.update(
        UV_SELF_UPDATE_VERSIONS="<0.14",
        UV_SELF_UPDATE_PRERELEASE="true",
        UV_SELF_UPDATE_YANKED="1",
        UV_SELF_UPDATE_APPROVED="0.12.24, 0.13.9",
        UV_SELF_UPDATE_REQUIRE_DIGEST="true",
    )
    assert machine.rules() == [
        ('policy.versions = "<0.14"', "UV_SELF_UPDATE_VERSIONS"),
        ("policy.prerelease = true", "UV_SELF_UPDATE_PRERELEASE"),
        ("policy.yanked = true", "UV_SELF_UPDATE_YANKED"),
        ('policy.approved = ["0.12.24", "0.13.9"]', "UV_SELF_UPDATE_APPROVED"),
        ('policy.min-age = "1 day"', "user.toml"),
    ]
    assert machine.resolve().digests.required_by == "UV_SELF_UPDATE_REQUIRE_DIGEST"
    machine.environ["UV_SELF_UPDATE_MIN_AGE"] = "P2D"
    assert machine.rules()[-1] == ('policy.min-age = "P2D"', "UV_SELF_UPDATE_MIN_AGE")


def test_problems_of_variables(machine: Machine) -> None:
    """What is wrong in variables and in both files is reported at once, each with its place."""
    machine.site.write_text(f"[policy]\nversions = '>={'9' * 5000}'\n")
    machine.user.write_text("[policy]\nyanked = 3\n")
    machine.environ.update(UV_SELF_UPDATE_MIN_AGE="soon", UV_SELF_UPDATE_PRERELEASE="perhaps")
    with pytest.raises(InvalidConfiguration) as caught:
        machine.resolve()
    assert [(problem.origin, problem.key) for problem in caught.value.problems] == [
        (str(machine.site), "policy.versions"),
        (str(machine.user), "policy.yanked"),
        ("UV_SELF_UPDATE_MIN_AGE", ""),
        ("UV_SELF_UPDATE_PRERELEASE", ""),
    ]
    assert "versions: value longer than 200 characters: expected a version specifier" in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("https://a.example/list.txt", "https://a.example/list.txt"),
        ("file:///srv/list.txt", "file:///srv/list.txt"),
        ("list.txt", "file://{folder}/list.txt"),
        ("../list.txt", "file://{folder}/../list.txt"),
        ("/srv/my list.txt", "file:///srv/my%20list.txt"),
    ],
)
def test_place_of_a_list(machine: Machine, written: str, url: str) -> None:
    """The list of approved versions stands at a URL, or in a file, seen from the file's folder."""
    machine.user.write_text(f'[policy]\napproved = "{written}"\n')
    (rule,) = machine.resolve().policy.unread
    assert rule.url == url.format(folder=machine.folder)


def test_password_of_a_list_is_not_shown(machine: Machine) -> None:
    """Credentials in the URL of a list are shown only by `config get`."""
    machine.user.write_text('[policy]\napproved = "https://me:s3cret@a.example/list.txt"\n')
    (rule, _) = machine.resolve().policy.rules
    assert "s3cret" not in str(rule)
    assert "s3cret" not in machine.config("show")
    assert "s3cret" in machine.config("get", "policy.approved")


LOOSE = (
    '[policy]\nversions = ">0"\nmin-age = "0 days"\nprerelease = true\nyanked = true\n'
    'approved = ["0.14.0", "0.13.9"]\nrequire-digest = false\n'
    f'[policy.digests."0.13.9"]\n"{ARCHIVE}" = "{OTHER}"\n'
)
STRICT = (
    '[policy]\nversions = "<0.14"\nmin-age = "3 days"\nprerelease = false\nyanked = false\n'
    'approved = ["0.13.9", "0.12.24"]\nrequire-digest = true\n'
    f'[policy.digests."0.13.9"]\n"{ARCHIVE}" = "{DIGEST}"\n'
)
VARIABLES = {
    "UV_SELF_UPDATE_VERSIONS": ">0",
    "UV_SELF_UPDATE_MIN_AGE": "0 days",
    "UV_SELF_UPDATE_PRERELEASE": "true",
    "UV_SELF_UPDATE_YANKED": "true",
    "UV_SELF_UPDATE_APPROVED": "0.14.0 0.13.9",
    "UV_SELF_UPDATE_REQUIRE_DIGEST": "false",
}


@pytest.mark.parametrize("way", ["user file", "variables", "--config", "UV_SELF_UPDATE_CONFIG"])
def test_site_file_is_not_loosened(machine: Machine, way: str) -> None:
    """Nothing that a user sets loosens the rules of the system configuration file."""
    machine.site.write_text(STRICT)
    other = machine.folder / "other.toml"
    other.write_text(LOOSE)
    options = Options(config=other) if way == "--config" else None
    if way == "user file":
        machine.user.write_text(LOOSE)
    elif way == "variables":
        machine.environ.update(VARIABLES)
    elif way == "UV_SELF_UPDATE_CONFIG":
        machine.environ[way] = str(other)
    settings = machine.resolve(options)
    policy, day = settings.policy, 86_400
    strict = [rule for rule in policy.rules if rule.origin == str(machine.site)]
    assert len(strict) == 5
    assert len(policy.rules) == 10

    def hides(version: str, *, age: float = 9) -> str | None:
        """Return the file of the rule that hides a version of an age in days."""
        release = Release(version=version, tag=version, published="1970-01-01T00:00:00Z")
        objection = policy.objection_to(release, now=age * day)
        return None if objection is None else objection.rule.origin.rpartition("/")[2]

    assert hides("0.13.9") is None
    assert hides("0.14.0") == "site.toml"
    assert hides("0.13.9", age=2) == "site.toml"
    assert policy.against_yanked is not None
    assert policy.against_yanked.origin == str(machine.site)
    assert hides("0.13.9rc1") == "site.toml"
    assert hides("0.12.24") is not None
    assert policy.prereleases is False
    assert policy.approved == frozenset({"0.13.9"})
    assert (settings.digests.required, settings.digests.required_by) == (True, str(machine.site))
    assert DIGEST in [pin.sha256 for pin in settings.digests.pinned]


def test_person_can_be_stricter(machine: Machine) -> None:
    """What a user forbids is forbidden, though the system configuration file allows it."""
    machine.site.write_text(LOOSE)
    machine.user.write_text(STRICT)
    settings = machine.resolve()
    assert settings.policy.prereleases is False
    assert settings.policy.against_yanked is not None
    assert settings.policy.approved == frozenset({"0.13.9"})
    assert settings.policy.specifiers == ">0,<0.14"
    assert (age := settings.policy.longest_age) is not None
    assert age.seconds == 259_200
    assert settings.digests.required_by == str(machine.user)
    assert {pin.sha256 for pin in settings.digests.pinned} == {DIGEST, OTHER}


def test_broken_site_file_is_not_passed_over(machine: Machine) -> None:
    """A system configuration file that cannot be read does not count as one that says nothing."""
    machine.site.mkdir()
    with pytest.raises(InvalidConfiguration, match="failed to read the file"):
        machine.resolve()


def test_show_both_places(machine: Machine) -> None:
    """Where two places have a rule, both are shown, each with its place."""
    machine.site.write_text('[policy]\nmin-age = "3 days"\nrequire-digest = true\n')
    machine.user.write_text(
        '[policy]\nmin-age = "1 day"\napproved = ["0.12.24", "0.13.9"]\n'
        f'[policy.digests."0.13.9"]\n"{ARCHIVE}" = "{DIGEST}"\n'
    )
    shown = [re.sub(" +", " ", line) for line in machine.config("show").splitlines()]
    assert [line for line in shown if line.startswith("policy.")] == [
        "policy.versions = (none) (default)",
        f"policy.min-age = 3 days ({machine.site})",
        f"policy.min-age = 1 day ({machine.user})",
        "policy.prerelease = (none) (default)",
        "policy.yanked = false (default)",
        f"policy.approved = 0.12.24, 0.13.9 ({machine.user})",
        f"policy.require-digest = true ({machine.site})",
        f"policy.digests.0.13.9.{ARCHIVE} = {DIGEST} ({machine.user})",
    ]


PIN = f"policy.digests.0.13.9.{ARCHIVE}"
PINNED = f'[policy.digests."0.13.9"]\n"{ARCHIVE}" = "{DIGEST}"\n'


def test_set_get_unset(machine: Machine) -> None:
    """Every key can be set, read and taken out, and comments stay."""
    machine.user.write_text("# mine\n")
    machine.config("set", "policy.min-age", "3 days", "policy.approved", "0.12.24 0.13.9")
    machine.config("set", "policy.prerelease", "false", "policy.versions", "<0.14")
    machine.config("set", "policy.yanked", "true", "policy.require-digest", "true")
    machine.config("set", PIN, DIGEST)
    text = machine.user.read_text()
    assert text == (
        '# mine\n\n[policy]\nmin-age = "3 days"\napproved = [\n    "0.12.24",\n    "0.13.9",\n]\n'
        'prerelease = false\nversions = "<0.14"\nyanked = true\nrequire-digest = true\n\n' + PINNED
    )
    assert machine.config("get", "policy.min-age") == "3 days\n"
    assert machine.config("get", "policy.prerelease") == "false\n"
    assert machine.config("get", PIN) == f"{DIGEST}\n"
    assert machine.config("get", "policy.digests") == PINNED
    assert machine.config("get", "policy.digests.0.13.9") == PINNED
    assert "0.12.24" in machine.config("get", "policy.approved")
    machine.config("unset", "policy.min-age", "policy.approved", PIN)
    assert machine.config("get", "policy.min-age") == ""
    assert machine.resolve().digests.pinned == ()
    machine.config("unset", "policy")
    assert machine.user.read_text().strip() == "# mine"


@pytest.mark.parametrize(
    "key",
    [
        "policy.digests",
        "policy.digests.0.13.9",
        'policy.digests."0.13.9"',
        "policy.digests.'0.13.9'",
    ],
)
@pytest.mark.parametrize("rest", ["", "[policy]\nyanked = true\n", "[network]\nretries = 1\n"])
def test_unset_the_digests_of_a_version(machine: Machine, key: str, rest: str) -> None:
    """All digests of a version go at once, with quotes around it or without; comments stay."""
    machine.user.write_text(f"# mine\n{PINNED}{rest}")
    machine.config("unset", key)
    assert machine.user.read_text() == f"# mine\n{rest}"


def test_get_of_two_places(machine: Machine) -> None:
    """Of two origins, `get` prints the value of the user, else that of the system."""
    machine.site.write_text('[policy]\nmin-age = "3 days"\nversions = "<0.14"\n')
    machine.user.write_text('[policy]\nmin-age = "1 day"\n')
    assert machine.config("get", "policy.min-age") == "1 day\n"
    assert machine.config("get", "policy.versions") == "<0.14\n"


def test_set_the_place_of_a_list(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is written so that it means the same from the file's directory; a URL as it is."""
    elsewhere = machine.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "list.txt").touch()
    monkeypatch.chdir(elsewhere)
    machine.config("set", "policy.approved", "list.txt")
    assert machine.config("get", "policy.approved") == f"{elsewhere / 'list.txt'}\n"
    machine.config("set", "policy.approved", "https://a.example/list.txt")
    assert machine.config("get", "policy.approved") == "https://a.example/list.txt\n"


@pytest.mark.parametrize("value", ["0.13.9;0.13.8", "newest", "list.txt", "~/list.txt", ".", "a\0"])
def test_list_that_is_not_there(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """What is neither a list of versions nor the path of one is not taken for a path."""
    monkeypatch.setenv("HOME", str(machine.folder))
    machine.user.write_text("# mine\n")
    with pytest.raises(
        UsageError, match=r"invalid `policy\.approved`: `.*` is not a version, a URL, or an"
    ):
        machine.config("set", "policy.approved", value)
    assert machine.user.read_text() == "# mine\n"


@pytest.mark.parametrize(
    "key",
    ["policy", "policy.digests", "policy.digests.0.13.9", "policy.digests.next.uv.zip", "policy.x"],
)
def test_key_that_cannot_be_set(machine: Machine, key: str) -> None:
    """What is no single value is not set, and the file is not made."""
    with pytest.raises((UsageError, ConfigurationNotKept)):
        machine.config("set", key, "1")
    assert not machine.user.exists()


def test_set_refuses_what_is_wrong(machine: Machine) -> None:
    """A value that is no value of its key is refused, and the file is not changed."""
    machine.user.write_text('[policy]\nmin-age = "3 days"\n')
    for key, value in (("policy.min-age", "soon"), (PIN, "abc"), ("policy.prerelease", "x")):
        with pytest.raises(ConfigurationNotKept, match="the change is refused"):
            machine.config("set", key, value)
    assert machine.user.read_text() == '[policy]\nmin-age = "3 days"\n'


def test_rule_is_written_as_in_a_file() -> None:
    """A rule in a message looks as it does in a file."""
    written = {
        'policy.versions = "<1"': Versions(specifiers="<1"),
        "policy.prerelease = false": Prereleases(allowed=False),
        'policy.approved = ["1.0.0", "2.0.0"]': Approved(versions=("1.0.0", "2.0.0")),
        'policy.min-age = "P3D"': MinimumAge(seconds=259_200, text="P3D"),
        "policy.yanked = true": Yanked(allowed=True),
    }
    assert [str(rule) for rule in written.values()] == list(written)
