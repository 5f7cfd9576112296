"""The tree of errors, and what each of them says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from support.error_examples import EXAMPLES, URL, classes, drawn
from uv_self_update import errors
from uv_self_update.errors import Problem, UvSelfUpdateError

WITHOUT_HINT = {"UsageError", "InstallationInterrupted", "RehearsalError"}
"""Those that are given one where they are raised, or that need none."""


def test_tree() -> None:
    """The tree that is drawn has every branch of the errors, and every class with an exit code."""
    assert {name: parent for name, parent, _ in drawn()} == {
        name: None if cls is UvSelfUpdateError else cls.__bases__[0].__name__
        for name, cls in classes().items()
        if cls.__subclasses__() or "exit_code" in vars(cls)
    }


def test_exit_codes() -> None:
    """The exit codes that are drawn are those that there are, on the classes that set them."""
    assert {name: code for name, _, code in drawn() if code is not None} == {
        name: cls.exit_code
        for name, cls in classes().items()
        if "exit_code" in vars(cls) and cls is not UvSelfUpdateError
    }


def test_every_leaf_has_an_example() -> None:
    """Each error that is raised is looked at below."""
    leaves = {name for name, cls in classes().items() if not cls.__subclasses__()}
    assert {type(error).__name__ for error in EXAMPLES} == leaves | {
        *("IndexFailed", "NoDigest", "NoSuchVersion", "StatusRefused", "UsageError")
    }


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_message(error: UvSelfUpdateError) -> None:
    """A message is a plain sentence, with no full stop, and the advice stands apart from it."""
    message, hint = str(error), error.hint
    assert message == error.message
    assert message == message.strip()
    assert not message.endswith(".")
    assert "None" not in f"{message} {hint or ''}"
    assert not re.search(r"[{}]|<class|Path\(", message)
    assert (hint is None) is (type(error).__name__ in WITHOUT_HINT)
    if hint is not None:
        assert hint == hint.strip()
        assert re.search(r"[.?]$", hint)
        assert hint not in message


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_exit_code(error: UvSelfUpdateError) -> None:
    """Every error ends the command with a code of its own kind, never with success."""
    assert error.exit_code in {*range(2, 11), 12, 13, 127}


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_json(error: UvSelfUpdateError) -> None:
    """Every error is an object with the same three facts for a program."""
    assert "\n" not in error.as_json()
    assert json.loads(error.as_json()) == {
        "error": str(error),
        "code": error.exit_code,
        "hint": error.hint,
    }


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.Interrupted(URL, 1000, 2000, "x"), "was interrupted after 1,000 of 2,000 bytes: x"),
        (errors.Interrupted(URL, 0, None, "x"), "was interrupted after 0 bytes: x"),
        (errors.TooLarge(URL, 4 << 20), "exceeds the limit of 4,194,304 bytes"),
        (errors.StatusRefused(URL, 404, ""), "answered 404"),
        (errors.StatusRefused(URL, 404, "Not Found"), "answered 404 Not Found"),
        (errors.NothingRequired(["/a/uv.toml", "/b"]), "searched /a/uv.toml, /b"),
        (errors.NothingRequired([]), "`--no-config` or UV_NO_CONFIG disables it"),
        (errors.IndexFailed("s", "uv pip compile", "a\nb"), "`uv pip compile` failed for s:\na\nb"),
    ],
)
def test_wording(error: UvSelfUpdateError, expected: str) -> None:
    """Figures are grouped, and what is not known leaves no gap."""
    assert expected in str(error)
    assert not str(error).endswith(" ")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_transient_status(status: int) -> None:
    """After these statuses, the request is repeated."""
    assert errors.StatusRefused(URL, status).passing


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 501])
def test_permanent_status(status: int) -> None:
    """After these, it is not: the answer would be the same."""
    assert not errors.StatusRefused(URL, status).passing


def test_limit_of_a_list() -> None:
    """A list beyond its limits ends the run with a code of its own, the URL and the limit."""
    error = errors.TooLarge(URL, 75_000, unit="entries")

    assert error.exit_code == 6
    assert str(error) == f"{URL} exceeds the limit of 75,000 entries"


def test_problem() -> None:
    """A problem names the file and the key, if it is not about the whole file."""
    assert str(Problem(origin="a.toml", key="b.c", reason="wrong")) == "a.toml: b.c: wrong"
    assert str(Problem(origin="a.toml", key="", reason="wrong")) == "a.toml: wrong"


def test_every_problem_is_told() -> None:
    """All problems of a configuration come at once, one a line."""
    problems = [Problem(origin="a.toml", key=key, reason="wrong") for key in ("b", "c")]
    assert str(errors.InvalidConfiguration(problems)).splitlines()[1:] == [
        "  a.toml: b: wrong",
        "  a.toml: c: wrong",
    ]


def test_no_controls() -> None:
    """What a server says does not reach a terminal's controls; only lines are kept."""
    error = errors.StatusRefused(URL, 404, "\x1b[31mNot\r\nFound\u202e")
    assert str(error) == f"{URL} answered 404 _[31mNot_\nFound_"
    assert UvSelfUpdateError("a", hint="\x07b").hint == "_b"


def test_uv_of_another_installation() -> None:
    """Where the receipt is about another uv, that one is named."""
    other = Path("/home/me/.local/bin/uv")
    error = errors.NotStandalone(Path("/usr/bin/uv"), "no", other=other)
    assert f"`--uv {other}`" in (error.hint or "")
    assert "`--uv" not in (errors.NotStandalone(Path("/usr/bin/uv"), "no").hint or "")


def test_uv_of_somebody_else() -> None:
    """Where a package manager has installed a uv, its command is named, or at least that it is."""
    brew = ("Homebrew", "brew upgrade uv")
    known = errors.NotStandalone(Path("/x/uv"), "no", owner=brew)
    free = errors.NotStandalone(Path("/x/uv"), "no")
    assert known.hint == "It is managed by Homebrew. Update it with `brew upgrade uv`."
    assert free.hint == "To update this uv and write its receipt, use `--adopt`."
    assert (
        errors.ManagedByPackageManager(Path("/x/uv"), *brew).hint
        == "Update it with `brew upgrade uv`."
    )
    system = errors.ManagedByPackageManager(Path("/x/uv"), "the operating system", None)
    assert system.hint == "Update it with its package manager."


def test_advice_of_several_is_given_once() -> None:
    """If several sources fail alike, their advice comes once."""
    failure = errors.StatusRefused(URL, 401, "")
    several = errors.NoSourceAnswered([failure, failure, errors.StatusRefused(URL, 418, "")])
    assert several.hint == failure.hint
    assert errors.NoSourceAnswered([errors.StatusRefused(URL, 418, "")]).hint is None
