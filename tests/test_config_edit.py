"""Changes of a configuration file: what is changed, and all that is not."""

from __future__ import annotations

import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.urls import source_settings
from uv_self_update.config import edit as config_edit
from uv_self_update.config import load as config
from uv_self_update.config.toml_text import KeyPath, with_value, without
from uv_self_update.errors import ConfigurationNotKept, InvalidConfiguration, UsageError

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


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("network.timeout", 30),
        ("network", {"timeout": 30}),
        ("network.ca-bundle", None),
        ("source", [{"kind": "index"}, {"kind": "github", "url": "https://a.example"}]),
        ("source.1", {"kind": "github", "url": "https://a.example"}),
        ("source.kind", "index"),
        ("source.0.kind", "index"),
        ("source.1.url", "https://a.example"),
        ("source.2.url", None),
        ("install", None),
    ],
)
def test_get(key: str, expected: object) -> None:
    """A dotted key finds its value; a key without a value is None."""
    document = {
        "source": [{"kind": "index"}, {"kind": "github", "url": "https://a.example"}],
        "network": {"timeout": 30},
    }
    assert config_edit.get(document, key) == expected


@pytest.mark.parametrize(
    "key",
    ["", "netwrk", "network.timout", "network.timeout.x", "source.0.0", "source.0.uri", "a.b"],
)
def test_get_unknown_key(key: str) -> None:
    """A key that cannot exist is refused."""
    with pytest.raises(UsageError, match="unknown key"):
        config_edit.get({}, key)


LAID_OUT = """\
# About this file.

[[source]]   # the mirror
  kind = 'urls'   # a kind
  download = "https://a.example/{asset}#x"# tight

[network] # wires
# timeout = 1
timeout   =   5   # seconds

# About nothing.
[install]
"""


@pytest.mark.parametrize(
    ("assignments", "old", "new"),
    [
        ({"network.timeout": "2.5"}, "timeout   =   5 ", "timeout   =   2.5 "),
        ({"install.installer": "native"}, "[install]\n", '[install]\ninstaller = "native"\n'),
        (
            {"source.download": "file:///{asset}"},
            '"https://a.example/{asset}#x"#',
            '"file:///{asset}"#',
        ),
        (
            {"source.0.latest": "https://a.example/l"},
            "# tight\n",
            '# tight\n  latest = "https://a.example/l"\n',
        ),
        (
            {"source.1.kind": "github", "source.1.url": "https://a.example/o/r"},
            "[install]\n",
            f"[install]\n\n{GITHUB}",
        ),
        (
            {"source.kind": "index"},
            "  kind = 'urls'   # a kind\n  download = \"https://a.example/{asset}#x\"# tight\n",
            '  kind = "index"   # a kind\n# tight\n',
        ),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_assign_keeps_layout(
    file: Path, assignments: dict[str, str], old: str, new: str, newline: str
) -> None:
    """A change touches its own line, and nothing else in the file."""
    assert LAID_OUT.count(old) == 1
    file.write_bytes(LAID_OUT.replace("\n", newline).encode())
    config_edit.assign(file, assignments)
    assert file.read_bytes().decode() == LAID_OUT.replace(old, new).replace("\n", newline)


def test_assign_to_a_line_without_end(file: Path) -> None:
    """A file whose last line does not end is continued on a line of its own."""
    file.write_text("[install] # here")
    config_edit.assign(file, {"install.installer": "native", "network.timeout": "9"})
    expected = '[install] # here\ninstaller = "native"\n\n[network]\ntimeout = 9\n'
    assert file.read_text() == expected


def test_assign_makes_the_file(tmp_path: Path) -> None:
    """A file that is missing is made, directory and all, for its owner's eyes only."""
    file = tmp_path / "a" / "b" / "config.toml"
    config_edit.assign(file, {"source.kind": "github", "source.url": "https://a.example/o/r"})
    assert file.read_text() == GITHUB
    if sys.platform != "win32":
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.parent.stat().st_mode & 0o777 == 0o700


def test_assign_keeps_mode_and_link(file: Path, tmp_path: Path) -> None:
    """A file that was there keeps its mode, and a link to it stays a link."""
    file.write_text("")
    file.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    config_edit.assign(link, {"network.timeout": "9"})
    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
    assert file.read_text() == "[network]\ntimeout = 9\n"


def test_assign_change_of_kind(file: Path) -> None:
    """A source that changes its kind starts anew with what is set in the same step."""
    file.write_text(GITHUB)
    config_edit.assign(
        file,
        {"source.download": "file:///{asset}", "source.kind": "urls"},
    )
    assert config.load(file).values["source"] == (
        source_settings(kind="urls", download="file:///{asset}"),
    )


@pytest.mark.parametrize(
    ("assignments", "reason"),
    [
        ({"network.timout": "3"}, "did you mean `network.timeout`?"),
        ({"network": "3"}, "it cannot be set"),
        ({"source": "index"}, "it cannot be set"),
        ({"source.0": "index"}, "it cannot be set"),
        ({"source.0.x.url": "index"}, "it cannot be set"),
        ({"source.2.kind": "index"}, "without a gap"),
        ({"source.12345.kind": "index"}, "it cannot be set"),
    ],
)
def test_assign_refuses_key(file: Path, assignments: dict[str, str], reason: str) -> None:
    """A key that cannot be set is refused, and the file is not changed."""
    file.write_text(GITHUB)
    with pytest.raises(UsageError) as caught:
        config_edit.assign(file, assignments)
    assert reason in str(caught.value)
    assert file.read_text() == GITHUB


@pytest.mark.parametrize(
    ("before", "assignments", "key"),
    [
        ("", {"network.timeout": "soon"}, "network.timeout"),
        ("", {"network.ca-bundle": "no.pem"}, "network.ca-bundle"),
        ("", {"source.path": "/mnt/uv"}, "source[0].kind"),
        ("", {"source.kind": "urls"}, "source[0].download"),
        (GITHUB, {"source.kind": "urls"}, "source[0].download"),
    ],
)
def test_assign_refuses_value(
    file: Path, before: str, assignments: dict[str, str], key: str
) -> None:
    """A value that would be a problem is refused as what it is: it does not stand in the file."""
    file.write_text(before)
    with pytest.raises(ConfigurationNotKept) as caught:
        config_edit.assign(file, assignments)
    assert f"{file} was not changed: the change is refused: {key}: " in str(caught.value)
    assert file.read_text() == before


def test_assign_refuses_several_values(file: Path) -> None:
    """All that is wrong with a change is said at once, a line for each value."""
    with pytest.raises(ConfigurationNotKept) as caught:
        config_edit.assign(file, {"network.timeout": "soon", "install.installer": "ours"})
    assert str(caught.value) == (
        f"{file} was not changed: the change is refused:\n"
        "  network.timeout: invalid value `soon`: expected a number of seconds above 0 and at most "
        "86400\n"
        "  install.installer: invalid value `ours`: expected `auto`, `release` or `native`"
    )


@pytest.mark.parametrize(
    ("before", "assignments", "key"),
    [
        ("[polcy]\n", {"network.timeout": "3"}, "polcy"),
        ("[polcy]\n", {"network.timeout": "soon"}, "polcy"),
        ("network = 3\n", {"network.timeout": "3"}, "network"),
        ("source = 3\n", {"source.kind": "index"}, "source"),
        ("source = 'index'\n", {"source.0.kind": "index"}, "source"),
        ("[source]\n", {"source.0.kind": "index"}, "source"),
    ],
)
def test_change_of_a_file_with_a_problem(
    file: Path, before: str, assignments: dict[str, str], key: str
) -> None:
    """A change that leaves a problem in the file is refused for that, and the file stays."""
    file.write_text(before)
    with pytest.raises(InvalidConfiguration) as caught:
        config_edit.assign(file, assignments)
    assert [problem.key for problem in caught.value.problems] == [key]
    assert file.read_text() == before


def test_assign_refusal_makes_no_file(file: Path) -> None:
    """A change that is refused makes no file."""
    with pytest.raises(ConfigurationNotKept):
        config_edit.assign(file, {"network.timeout": "0"})
    assert not file.exists()


def test_assign_mends(file: Path) -> None:
    """A value that is wrong can be replaced by one that is right."""
    file.write_text('[network]\ntimeout = "soon" # at last\n')
    config_edit.assign(file, {"network.timeout": "3"})
    assert file.read_text() == "[network]\ntimeout = 3 # at last\n"


@pytest.mark.parametrize(
    "before",
    [
        "network = { timeout = 5 }\n",
        "network.timeout = 5\ninstall.installer = 'auto'\n",
        "network.ca-bundle = '{ca}'\n",
        "[network]\n\"ca-bundle\" = '{ca}'\n",
        "[network]\ntimeout = '''\n5'''\n",
    ],
)
def test_unusual_layout(file: Path, before: str) -> None:
    """However TOML writes a table, a key in it can be set, and the others stay."""
    ca_bundle = file.with_name("ca.pem")
    ca_bundle.touch()
    file.write_text(before.replace("{ca}", "ca.pem"))
    expected: dict[str, Any] = tomllib.loads(file.read_text())
    expected["network"]["timeout"] = 7
    config_edit.assign(file, {"network.timeout": "7"})
    assert tomllib.loads(file.read_text()) == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("network = { timeout = 5 } # wires\n", "network = { timeout = 7 } # wires\n"),
        (
            "network = { ca-bundle = 'ca.pem' } # wires\n",
            'network = { ca-bundle = "ca.pem", timeout = 7 } # wires\n',
        ),
        (
            "network.ca-bundle = 'ca.pem' # wires\n",
            "network.ca-bundle = 'ca.pem' # wires\nnetwork.timeout = 7\n",
        ),
    ],
)
def test_unusual_layout_is_kept(file: Path, before: str, after: str) -> None:
    """A table on one line, or keys with dots, stay what they are, and so do comments."""
    file.with_name("ca.pem").touch()
    file.write_text(before)
    config_edit.assign(file, {"network.timeout": "7"})
    assert file.read_text() == after


NEXUS = '[[source]] # ours\nkind = "nexus"\nurl = "https://a.example/repository/uv/"\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (NEXUS, NEXUS + 'header-env = { PRIVATE-TOKEN = "CI_TOKEN" }\n'),
        (
            NEXUS + "header-env = {X-A='A'} # why\n",
            NEXUS + 'header-env = { X-A = "A", PRIVATE-TOKEN = "CI_TOKEN" } # why\n',
        ),
        (
            NEXUS + "header-env = {PRIVATE-TOKEN='A'} # why\n",
            NEXUS + 'header-env = { PRIVATE-TOKEN = "CI_TOKEN" } # why\n',
        ),
        (
            NEXUS + "  header-env.X-A = 'A' # why\n",
            NEXUS + "  header-env.X-A = 'A' # why\n  header-env.PRIVATE-TOKEN = \"CI_TOKEN\"\n",
        ),
        (
            NEXUS + "header-env.PRIVATE-TOKEN = 'A' # why\n",
            NEXUS + 'header-env.PRIVATE-TOKEN = "CI_TOKEN" # why\n',
        ),
        (
            NEXUS + "[source.header-env] # why\nX-A = 'A'\n\n[install]\n",
            NEXUS
            + "[source.header-env] # why\nX-A = 'A'\nPRIVATE-TOKEN = \"CI_TOKEN\"\n\n[install]\n",
        ),
    ],
)
@pytest.mark.parametrize("others", ["", GITHUB])
def test_header_is_set(file: Path, before: str, after: str, others: str) -> None:
    """A header is added or changed in whichever way its table is written."""
    file.write_text(others + before)
    number = 1 if others else 0
    config_edit.assign(file, {f"source.{number}.header-env.PRIVATE-TOKEN": "CI_TOKEN"})
    assert file.read_text() == others + after
    assert config.load(file).values["source"][number].header_env[-1] == (
        "PRIVATE-TOKEN",
        "CI_TOKEN",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("header-env = {X-A='A'} # why\n", "# why\n"),
        ("header-env = {X-A='A', X-B='B'} # why\n", 'header-env = { X-B = "B" } # why\n'),
        ("header-env.X-A='A' # why\n", "# why\n"),
        ("header-env.X-A='A'\nheader-env.X-B='B'\n", "header-env.X-B='B'\n"),
        ("[source.header-env] # why\nX-A='A'\n", "# why\n"),
        ("[source.header-env] # why\nX-A='A'\nX-B='B'\n", "[source.header-env] # why\nX-B='B'\n"),
    ],
)
def test_header_is_removed(file: Path, before: str, after: str) -> None:
    """A header goes in whichever way its table is written; with the last, the table goes."""
    file.write_text(NEXUS + before)
    config_edit.remove(file, ["source.header-env.X-A"])
    assert file.read_text() == NEXUS + after
    assert config.load(file).values["source"][0].token_env is None


def test_every_header_is_removed(file: Path) -> None:
    """Several headers can go at once, and with the last of them the table."""
    file.write_text(NEXUS + 'header-env = { A = "A", B = "B" }\n')
    config_edit.remove(file, ["source.header-env.A", "source.0.header-env.B"])
    assert file.read_text() == NEXUS


def test_header_with_dots(file: Path) -> None:
    """What follows `header-env` is the name of a header, dots and all."""
    file.write_text(NEXUS)
    config_edit.assign(file, {"source.header-env.X.Y#": "Z", "source.header-env.A": "B"})
    assert file.read_text() == NEXUS + 'header-env = { "X.Y#" = "Z", A = "B" }\n'
    document = tomllib.loads(file.read_text())
    assert config_edit.get(document, "source.header-env.X.Y#") == "Z"
    assert dict(config_edit.flatten(document))["source.0.header-env.X.Y#"] == "Z"


def test_header_of_a_new_source(file: Path) -> None:
    """A source can begin with its header."""
    keys = {"header-env.A": "B", "kind": "nexus", "url": "https://a.example/repository/uv/"}
    config_edit.assign(file, {f"source.{key}": value for key, value in keys.items()})
    assert config.load(file).values["source"] == (
        source_settings(
            kind="nexus", url="https://a.example/repository/uv/", header_env=(("A", "B"),)
        ),
    )


def test_change_of_kind_takes_the_login(file: Path) -> None:
    """A source that changes its kind keeps no login but what is given in the same step."""
    file.write_text(NEXUS + 'token-env = "OLD"\nheader-env = { A = "B" }\n')
    config_edit.assign(
        file, {"source.header-env.C": "D", "source.kind": "listing", "source.url": "https://a.b/"}
    )
    assert config.load(file).values["source"] == (
        source_settings(kind="listing", url="https://a.b/", header_env=(("C", "D"),)),
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://robot:s3cret@a.example/repository/uv/",
        "https://s3cret@a.example/repository/uv/",
        "https://a.example/repository/uv/?sig=s3cret",
    ],
)
def test_secret_is_not_written(file: Path, url: str) -> None:
    """A URL that holds a secret is written only if that is wanted; else it is told what to do."""
    file.write_text(NEXUS)
    with pytest.raises(ConfigurationNotKept) as caught:
        config_edit.assign(file, {"network.timeout": "7", "source.url": url})
    assert "`source.url`" in str(caught.value)
    assert "s3cret" not in f"{caught.value} {caught.value.hint}"
    for way in ("`source.username`", "`source.password-env`", "`source.token-env`", "netrc"):
        assert way in str(caught.value.hint)
    assert "`--plaintext`" in str(caught.value.hint)
    assert file.read_text() == NEXUS
    config_edit.assign(file, {"source.url": url}, plaintext=True)
    assert url in file.read_text()


@pytest.mark.parametrize(
    "key", ["source.token", "source.1.password", "source.header-env", "source.token-env"]
)
def test_secret_in_place_of_a_variable(file: Path, key: str) -> None:
    """A secret that is typed where a variable is due is neither written nor repeated."""
    file.write_text(NEXUS)
    with pytest.raises((UsageError, ConfigurationNotKept)) as caught:
        config_edit.assign(file, {key: "s3cret-a1b2c3d4e5f6g7h8"})
    assert "s3cret" not in f"{caught.value} {caught.value.hint}"
    assert file.read_text() == NEXUS


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("network", {"network": 1}),
        ("source", {"source": 1}),
        ("source.1", {"source": [1]}),
        ("source.header-env", {"source": [{"header-env": 1}]}),
    ],
)
def test_within(key: str, expected: object) -> None:
    """A value is put where its key says, with nothing around it."""
    assert config_edit.within(key, 1) == expected


@pytest.mark.parametrize("before", ["[network]\ntimeout = [\n5, # wires\n]\n"])
def test_comment_that_cannot_be_kept(file: Path, before: str) -> None:
    """Rather than lose a comment, a change is refused, and the file is not changed."""
    file.with_name("ca.pem").touch()
    file.write_text(before)
    with pytest.raises(ConfigurationNotKept, match="its comments would be lost"):
        config_edit.assign(file, {"network.timeout": "7"})
    assert file.read_text() == before


def test_removed_comment_within_a_value(file: Path) -> None:
    """A value with a comment between its lines is not taken out either."""
    before = "[network]\ntimout = [\n5, # wires\n]\n"
    file.write_text(before)
    with pytest.raises(ConfigurationNotKept):
        config_edit.remove(file, ["network.timout"])
    assert file.read_text() == before


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["network.timeout"], "# top\n[network] # wires\n# seconds\n"),
        (["network"], "# top\n# wires\n# seconds\n"),
        (["network.timeout", "network"], "# top\n# wires\n# seconds\n"),
    ],
)
def test_remove(file: Path, keys: list[str], expected: str) -> None:
    """What is taken out leaves its comments behind."""
    file.write_text(f"# top\n[network] # wires\ntimeout = 3 # seconds\n\n{GITHUB}")
    config_edit.remove(file, keys)
    assert file.read_text() == f"{expected}\n{GITHUB}"


@pytest.mark.parametrize(
    ("keys", "kept"),
    [
        (["source.0"], [1, 2]),
        (["source.1"], [0, 2]),
        (["source.2", "source.0"], [1]),
        (["source.0", "source.1", "source.0"], [2]),
        (["source"], []),
        (["source.0", "source.1", "source.2"], []),
    ],
)
def test_remove_sources(file: Path, keys: list[str], kept: list[int]) -> None:
    """Sources are counted as they were before the first of them is taken out."""
    sources = [f'[[source]]\nkind = "index"\nurl = "https://{n}.example/"\n' for n in range(3)]
    file.write_text("\n".join(sources))
    config_edit.remove(file, keys)
    assert file.read_text() == "\n".join(sources[n] for n in kept)


def test_remove_unknown_key(file: Path) -> None:
    """A misspelt key, which makes the file unusable, can be taken out."""
    file.write_text("[network]\ntimout = 3\n")
    config_edit.remove(file, ["network.timout"])
    assert file.read_text() == "[network]\n"


@pytest.mark.parametrize("key", ["network.timeout", "source.1", "install", "source.kind.x"])
def test_remove_what_is_not_set(file: Path, key: str) -> None:
    """A key that the file does not have cannot be taken out of it."""
    file.write_text(GITHUB)
    with pytest.raises(UsageError, match="is not set in"):
        config_edit.remove(file, [key])


def test_remove_what_is_needed(file: Path) -> None:
    """A key that its source needs cannot be taken out alone."""
    file.write_text(GITHUB)
    with pytest.raises(ConfigurationNotKept, match=r"the change is refused: source\[0\]\.url: "):
        config_edit.remove(file, ["source.url"])
    assert file.read_text() == GITHUB


@pytest.mark.parametrize("change", [config_edit.assign, config_edit.remove])
def test_change_of_a_broken_file(file: Path, change: Any) -> None:  # noqa: ANN401 # two signatures
    """A file that is not TOML is not changed."""
    file.write_text("[network")
    with pytest.raises(InvalidConfiguration, match="invalid TOML"):
        change(file, {"network.timeout": "3"})
    assert file.read_text() == "[network"


def test_change_of_a_folder(tmp_path: Path) -> None:
    """What cannot be read is not changed."""
    with pytest.raises(InvalidConfiguration, match="failed to read the file"):
        config_edit.assign(tmp_path, {"network.timeout": "3"})


def test_write_where_nothing_can_be_written(tmp_path: Path) -> None:
    """A file that cannot be written is an error that names it."""
    (tmp_path / "file").touch()
    file = tmp_path / "file" / "config.toml"
    with pytest.raises(ConfigurationNotKept, match=r"config\.toml was not changed"):
        config_edit.write(file, "")


# Words that are easy to mistake for something else than a comment.
COMMENT = st.text("ab #'\"[]={}\\,.\t\u2028é", max_size=12).map(lambda text: f"#{text}")
GAP = st.lists(st.one_of(st.just(""), COMMENT), max_size=2)
SPACE = st.sampled_from(["", " ", "\t"])
NAMES = st.sampled_from(["a", "b#", "c d", "{asset}"])


@st.composite
def quoted(draw: st.DrawFn, value: str) -> str:
    """Write a string without quotes in it in one of TOML's ways."""
    marks = draw(st.sampled_from(['"', "'", '"""', "'''"]))
    return f"{marks}{value}{marks}"


@st.composite
def tables(draw: st.DrawFn) -> list[tuple[str, list[tuple[str, str]]]]:
    """Draw the tables of a valid file: head, and pairs of key and value."""
    found = []
    if draw(st.booleans()):
        timeout = st.sampled_from(["1", "2.5", "0x10", "1_000"])
        found.append(("[network]", [("timeout", draw(timeout))] if draw(st.booleans()) else []))
    if draw(st.booleans()):
        installer = quoted("release")
        found.append(("[install]", [("installer", draw(installer))] if draw(st.booleans()) else []))
    for _ in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(["index", "github", "urls"]))
        pairs = [("kind", draw(quoted(kind)))]
        if kind == "urls":
            name = draw(st.sampled_from(["#", "%20", "x"]))
            pairs.append(("download", draw(quoted(f"https://a.example/{name}/{{asset}}"))))
        elif kind == "github" or draw(st.booleans()):
            pairs.append(("url", draw(quoted(f"https://a.example/o/{draw(st.integers(0, 9))}"))))
        found.append(("[[source]]", draw(st.permutations(pairs))))
    return draw(st.permutations(found))


@st.composite
def laid_out(draw: st.DrawFn) -> str:
    """Draw a valid file, with comments and blanks in all places that TOML allows."""
    lines = draw(GAP)
    for head, pairs in draw(tables()):
        lines.append(draw(SPACE) + head + draw(SPACE) + draw(st.one_of(st.just(""), COMMENT)))
        lines += draw(GAP)
        for key, value in pairs:
            name = draw(st.sampled_from([key, f'"{key}"', f"'{key}'"]))
            pair = f"{draw(SPACE)}{name}{draw(SPACE)}={draw(SPACE)}{value}{draw(SPACE)}"
            lines.append(pair + draw(st.one_of(st.just(""), COMMENT)))
            lines += draw(GAP)
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    return newline.join(lines) + draw(st.sampled_from(["", newline]))


def comments(text: str) -> list[str]:
    """Return the comments of a file whose values hold at most one `#`, right after a slash."""
    found = []
    for line in text.split("\n"):
        _, mark, rest = line.replace("/#/", "/-/").partition("#")
        found += [mark + rest.rstrip()] if mark else []
    return sorted(found)


@settings(deadline=None)  # each example writes a file, and a disk may be slow
@given(text=laid_out(), timeout=st.integers(1, 999), release=st.booleans())
def test_assign_keeps_everything_else(text: str, *, timeout: int, release: bool) -> None:
    """Whatever the layout, a key that is set is the only thing that changes."""
    installer = "release" if release else "native"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "config.toml")
        file.write_bytes(text.encode())
        config_edit.assign(file, {"network.timeout": str(timeout), "install.installer": installer})
        after = file.read_bytes().decode()
    expected: dict[str, Any] = tomllib.loads(text)
    expected.setdefault("network", {})["timeout"] = timeout
    expected.setdefault("install", {})["installer"] = installer
    assert tomllib.loads(after) == expected
    assert comments(after) == comments(text)
    assert ("\r\n" in after) == ("\r\n" in text)


@settings(deadline=None)  # each example writes a file, and a disk may be slow
@given(text=laid_out(), data=st.data())
def test_remove_keeps_everything_else(text: str, data: st.DataObject) -> None:
    """Whatever the layout, what is taken out is the only thing that goes, without its comments."""
    expected: dict[str, Any] = tomllib.loads(text)
    sources = expected.pop("source", [])
    present = [*expected, *(f"source.{index}" for index in range(len(sources)))]
    chosen = data.draw(st.sets(st.sampled_from(present)) if present else st.just(set()))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "config.toml")
        file.write_bytes(text.encode())
        config_edit.remove(file, chosen)
        after = file.read_bytes().decode()
    left = [table for index, table in enumerate(sources) if f"source.{index}" not in chosen]
    expected = {key: table for key, table in expected.items() if key not in chosen}
    assert tomllib.loads(after) == expected | ({"source": left} if left else {})
    assert comments(after) == comments(text)


@settings(deadline=None)  # each example writes a file, and a disk may be slow
@given(text=laid_out(), name=NAMES)
def test_assign_and_remove_a_source(text: str, name: str) -> None:
    """A source that is added and taken out again leaves the file as it was, but for blank lines."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "config.toml")
        file.write_bytes(text.encode())
        number = len(tomllib.loads(text).get("source", []))
        url = f"https://a.example/{name.replace(' ', '')}/{{asset}}"
        keys = {"kind": "urls", "download": url}
        config_edit.assign(file, {f"source.{number}.{key}": value for key, value in keys.items()})
        added = tomllib.loads(file.read_bytes().decode())["source"][number]
        config_edit.remove(file, [f"source.{number}"])
        after = file.read_bytes().decode()
    assert added == keys
    assert after.rstrip("\r\n") == text.rstrip("\r\n")


ARRAY = (
    "# mine\n[[releases]]\nurl = 'a' # first\n\n[[source]]\nurl = 'b'\n\n[[releases]]\nurl = 'c'\n"
)


@pytest.mark.parametrize(
    ("keys", "old", "new"),
    [
        (("releases", 0, "url"), "'a'", '"x"'),
        (("releases", 1, "url"), "'c'", '"x"'),
        (("source", 0, "url"), "'b'", '"x"'),
    ],
)
def test_array_of_tables_of_any_name(keys: KeyPath, old: str, new: str) -> None:
    """The tables of each array are counted by themselves, and every other line is kept."""
    assert with_value(ARRAY, keys, "x") == ARRAY.replace(old, new)
    line = f"url = {old}\n" if f"{old}\n" in ARRAY else f"url = {old} "
    assert without(ARRAY, keys) == ARRAY.replace(line, "")
