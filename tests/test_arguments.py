"""The command line, taken apart."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uv_self_update.errors import UsageError
from uv_self_update.uv.arguments import (
    Arguments,
    arrange,
    level,
    misspelled,
    split,
    take,
    take_flags,
    value_of,
    values_of,
    without,
)

OWN = ("--source", "--config")
FLAGS = ("--adopt",)
COMMANDS = ("update", "config", "rehearse")


def arranged(arguments: list[str]) -> list[str]:
    """Take our options off a command line, and put the command in front of the rest."""
    values, flags, rest = take(arguments, OWN, flags=FLAGS)
    ours = [word for option, found in values.items() for one in found for word in (option, one)]
    return [*ours, *flags, *arrange(rest, COMMANDS, default="update")]


@pytest.mark.parametrize(
    ("line", "target", "before", "after"),
    [
        ("", None, "", ""),
        ("0.12.3", "0.12.3", "", ""),
        ("--dry-run", None, "", "--dry-run"),
        ("--dry-run 0.12.3 -q", "0.12.3", "--dry-run", "-q"),
        ("-qq -v --no-config", None, "", "-qq -v --no-config"),
        ("--token t0ken", None, "", "--token t0ken"),
        ("--token t0ken 0.12.3", "0.12.3", "--token t0ken", ""),
        ("0.12.3 --token t0ken", "0.12.3", "", "--token t0ken"),
        ("--token=t0ken 0.12.3", "0.12.3", "--token=t0ken", ""),
        ("--color never 0.12.3 --color always", "0.12.3", "--color never", "--color always"),
        ("--cache-dir c --config-file f 0.12", "0.12", "--cache-dir c --config-file f", ""),
        ("--directory d --project p", None, "", "--directory d --project p"),
        ("--allow-insecure-host h --trusted-host i <0.13", "<0.13", None, ""),
        ("--token --dry-run 0.12.3", "0.12.3", "--token --dry-run", ""),
        ("--color", None, "", "--color"),
        ("-", "-", "", ""),
        ("--unknown=value 0.12.3", "0.12.3", "--unknown=value", ""),
        ("-- 0.12.3", "0.12.3", "--", ""),
    ],
)
def test_split(line: str, target: str | None, before: str | None, after: str) -> None:
    """TARGET is the one word that is neither an option nor the value of one."""
    words = line.split()
    found = split(words)
    assert found.target == target
    assert found.after == tuple(after.split())
    if before is not None:
        assert found.before == tuple(before.split())
    assert sorted([*found.all, *([target] if target else [])]) == sorted(words)


@pytest.mark.parametrize("line", ["0.12 0.13", "0.12 -q 0.13", "--token t 0.12 0.13 0.14"])
def test_two_targets(line: str) -> None:
    """More than one word that could be TARGET is refused, and each is repeated."""
    with pytest.raises(UsageError, match=r"^expected one version at most, not `0\.12` and `0\.13`"):
        split(line.split())


def test_for_uv() -> None:
    """What uv is handed has an exact version where TARGET stood, and uv's options around it."""
    arguments = split(["-q", "<0.13", "--dry-run"])
    assert arguments.for_uv("0.12.3") == ("-q", "0.12.3", "--dry-run")
    assert arguments.for_uv(None) == ("-q", "--dry-run")
    assert arguments.all == ("-q", "--dry-run")
    assert Arguments().for_uv(None) == ()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("--token t0ken", ""),
        ("--token=t0ken", ""),
        ("--token=", ""),
        ("-q --token t0ken 0.12.3 --dry-run", "-q 0.12.3 --dry-run"),
        ("0.12.3 --token=a --token b -v", "0.12.3 -v"),
        ("--token --dry-run 0.12.3", "0.12.3"),
        ("--color --token -q", "--color --token -q"),
        ("--allow-insecure-host h --trusted-host=i", "--allow-insecure-host h --trusted-host=i"),
        ("--token-file x", "--token-file"),
        ("-q --token", "-q --token"),
    ],
)
def test_token_is_not_for_uv(line: str, expected: str) -> None:
    """A token is not handed on, in neither spelling; whatever looks like one is."""
    found = split(line.split())
    assert " ".join(found.for_uv(found.target)).removesuffix(" x") == expected


def test_token_is_not_shown() -> None:
    """What stands for the arguments in an error holds no token."""
    assert "t0ken" not in repr(split(["--token", "t0ken", "0.12.3", "--token=t0ken"]))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", "update"),
        ("0.12.3", "update 0.12.3"),
        ("--dry-run", "update --dry-run"),
        ("update 0.12.3", "update 0.12.3"),
        ("-q update 0.12.3", "update -q 0.12.3"),
        ("rehearse 0.12", "rehearse 0.12"),
        ("config get source", "config get source"),
        ("0.12.3 rehearse", "update 0.12.3 rehearse"),
        ("--token rehearse", "update --token rehearse"),
        ("--token rehearse rehearse", "rehearse --token rehearse"),
        ("--source index", "--source index update"),
        ("--source=index 0.12", "--source index update 0.12"),
        ("0.12 --source index -q", "--source index update 0.12 -q"),
        ("rehearse --source index", "--source index rehearse"),
        ("--source a --source b", "--source a --source b update"),
        ("--source rehearse", "--source rehearse update"),
        ("config path --config f", "--config f config path"),
        ("--source --dry-run", "--source --dry-run update"),
        ("--sources=index", "update --sources=index"),
        ("--help", "--help"),
        ("-h", "-h"),
        ("--version", "--version"),
        ("-V", "-V"),
        ("--source index --help", "--source index --help"),
        ("rehearse --help", "rehearse --help"),
        ("update --help", "update --help"),
        ("--help rehearse", "rehearse --help"),
        ("help", "--help"),
        ("-q help", "--help"),
        ("help update", "--help"),
        ("help rehearse", "rehearse --help"),
        ("--source a help config get", "--source a config get --help"),
        ("-- 0.12.3", "update -- 0.12.3"),
        ("-- --source=index", "update -- --source=index"),
        ("<0.13 --help", "--help"),
        ("--color never --version", "--version"),
        ("-q -- rehearse", "rehearse -q --"),
        ("0.12 -q --adopt", "--adopt update 0.12 -q"),
        ("rehearse --adopt", "--adopt rehearse"),
        ("-- --adopt", "update -- --adopt"),
        ("--source --adopt", "--source --adopt update"),
    ],
)
def test_arrange(line: str, expected: str) -> None:
    """Our own options come first, then the command, then the rest in order."""
    assert arranged(line.split()) == expected.split()


@pytest.mark.parametrize(
    ("line", "said", "hint"),
    [
        ("--source", "`--source` needs a value", None),
        ("rehearse --config", "`--config` needs a value", None),
        ("rehears", "there is no command `rehears`", "Did you mean `uv-self-update rehearse`? "),
        ("-q latest", "there is no command `latest`", "lists the commands"),
        ("list", "there is no command `list`", "Did you mean `uv-self-update releases`? "),
        ("LS", "there is no command `LS`", "Did you mean `uv-self-update releases`? "),
        ("check", "there is no command `check`", "Did you mean `uv-self-update --check`? "),
        ("dry-run", "there is no command `dry-run`", "Did you mean `uv-self-update --dry-run`? "),
        ("version", "there is no command `version`", "Did you mean `uv-self-update --version`? "),
        ("self update", "there is no command `self`", "Did you mean `uv-self-update`? "),
        ("self update 0.12.3", "there is no command `self`", "Did you mean `uv-self-update`? "),
        ("set network.timeout 3", "there is no command `set`", "`uv-self-update config set`? "),
        ("updaet", "there is no command `updaet`", "Did you mean `uv-self-update update`? "),
        ("hlep", "there is no command `hlep`", "Did you mean `uv-self-update help`? "),
        ("help rehears", "there is no command `rehears`", "`uv-self-update rehearse`? "),
        ("--sources index", "there is no command `index`", "lists the commands"),
    ],
)
def test_misunderstood(line: str, said: str, hint: str | None) -> None:
    """What can be no TARGET is taken for a mistake, before anything is done."""
    with pytest.raises(UsageError) as caught:
        arranged(line.split())
    assert str(caught.value) == said
    assert (hint or "") in (caught.value.hint or "")
    assert (hint is None) is (caught.value.hint is None)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("--chek", [("--chek", "--check")]),
        ("-q --sorce index 0.12", [("--sorce", "--source")]),
        ("--sorce=index", [("--sorce", "--source")]),
        ("--src index --CHECK", [("--src", "--source"), ("--CHECK", "--check")]),
        ("-check", [("-check", "--check")]),
        ("\N{EM DASH}check", [("\N{EM DASH}check", "--check")]),
        ("--check --source index --adopt --no-config -qq -vvv", []),
        ("--token --chek --source --chek --color=--chek", []),
        ("-- --chek", []),
        ("0.12.3 --dry-run --quite --config-file f --unknown", []),
    ],
)
def test_misspelled(line: str, found: list[tuple[str, str]]) -> None:
    """What is nearly one of our options is found, but not in the place of a value."""
    own = ("--source", "--config", "--check", "--adopt")
    assert [*misspelled(line.split(), own, ("--source", "--config"))] == found


WORDS = st.sampled_from(
    [
        *OWN,
        *COMMANDS,
        "--source=index",
        "--token",
        "--color",
        "--token=t",
        "--dry-run",
        "-q",
        "-qq",
        "--",
        "-",
        "",
        "0.12",
        "<0.13",
    ]
)
TYPED = st.lists(
    WORDS | st.text(max_size=5).filter(lambda word: word not in {"-h", "-V"}), max_size=8
)


@settings(deadline=None)
@given(TYPED)
def test_arrange_loses_nothing(arguments: list[str]) -> None:
    """Whatever is typed is refused or comes out again, each as often; the default may be added."""
    try:
        ordered = arranged(arguments)
    except UsageError:
        return
    # A value of ours may be a word of its own, or follow a `=`.
    typed, found = (
        Counter(" ".join(words).replace("=", " ").split()) for words in (arguments, ordered)
    )
    assert found - typed <= Counter(["update"])
    assert typed <= found


@settings(deadline=None)
@given(st.lists(WORDS.filter(lambda word: not word.isalpha()), max_size=8))
def test_arrange_keeps_the_order_of_uvs_options(arguments: list[str]) -> None:
    """What is uv's own stays in order."""
    ordered = arrange(arguments, (), default="default")
    assert [word for word in ordered if word != "default"] == arguments


@settings(deadline=None)
@given(TYPED)
def test_split_loses_nothing(arguments: list[str]) -> None:
    """Whatever is typed is handed on, in order, or refused."""
    try:
        found = split(arguments)
    except UsageError as error:
        assert error.exit_code == 2  # noqa: PT017 # one of two ways that are both right
    else:
        target = [] if found.target is None else [found.target]
        assert [*found.before, *target, *found.after] == arguments
        assert Counter(found.for_uv(found.target)) <= Counter(arguments)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", None),
        ("--token a", "a"),
        ("--token=a", "a"),
        ("--token=a=b", "a=b"),
        ("--token a --token=b", "b"),
        ("--token=a --token b", "b"),
        ("--token", None),
        ("--token=", ""),
        ("--tokens a", None),
    ],
)
def test_value_of(line: str, expected: str | None) -> None:
    """The value of an option is read in both spellings; the last one counts."""
    assert value_of(line.split(), "--token") == expected


def test_values_of() -> None:
    """The values of an option are read in order, whatever it is called."""
    line = "--host a -q --alias=b --host=c --hosts d --alias e"
    assert values_of(line.split(), "--host", "--alias") == ["a", "b", "c", "e"]
    assert values_of([], "--host") == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", 0),
        ("-q", 1),
        ("-qq", 2),
        ("-q -q", 2),
        ("--quiet", 1),
        ("--quiet -qv", 2),
        ("-v", 0),
        ("quiet q", 0),
        ("--quietly", 0),
    ],
)
def test_level(line: str, expected: int) -> None:
    """A flag counts as often as it is there."""
    assert level(line.split(), "quiet") == expected


def test_take() -> None:
    """Our options are taken from anywhere: values, those that take none, and what is left."""
    line = "--source a --adopt update --source=b 0.12 --config c -- --adopt"
    values, flags, rest = take(line.split(), OWN, flags=FLAGS)
    assert values == {"--source": ["a", "b"], "--config": ["c"]}
    assert flags == {"--adopt"}
    assert rest == ["update", "0.12", "--", "--adopt"]


@pytest.mark.parametrize(
    ("line", "found", "rest"),
    [
        ("", "", ""),
        ("0.12 -q", "", "0.12 -q"),
        ("--check", "--check", ""),
        ("--check 0.12 --json -q", "--check --json", "0.12 -q"),
        ("-q 0.12 --check --check", "--check", "-q 0.12"),
        ("--color --check 0.12", "", "--color --check 0.12"),
        ("--color never --check", "--check", "--color never"),
        ("--color=never --check", "--check", "--color=never"),
        ("--config-file", "", "--config-file"),
        ("-- --check", "", "-- --check"),
        ("--check -- --check", "--check", "-- --check"),
        ("--checks --chec", "", "--checks --chec"),
    ],
)
def test_take_flags(line: str, found: str, rest: str) -> None:
    """Flags of ours are taken from wherever they stand, but not where they are a value."""
    taken = take_flags(line.split(), ("--check", "--json"))
    assert taken == (frozenset(found.split()), rest.split())


@pytest.mark.parametrize("word", ["--check=", "--check=true"])
def test_flag_with_a_value(word: str) -> None:
    """A flag of ours that is given a value is a mistake, and none of uv's options."""
    with pytest.raises(UsageError, match=r"^`--check` takes no value$"):
        take_flags(["-q", word], ("--check",))


@settings(deadline=None)
@given(st.lists(WORDS | st.sampled_from(["--check", "--json"]), max_size=8))
def test_take_flags_loses_nothing(arguments: list[str]) -> None:
    """What is no flag of ours comes out in order, whatever is typed."""
    found, rest = take_flags(arguments, ("--check", "--json"))
    remaining = iter(arguments)
    assert all(word in remaining for word in rest)
    assert set(arguments) == found | set(rest)


def test_without() -> None:
    """An option of uv's is taken out in both spellings, with its value."""
    line = "--config-file a -q --config-file=b --color --config-file --directory c"
    left = "-q --color --config-file --directory c"
    assert " ".join(without(line.split(), "--config-file")) == left
