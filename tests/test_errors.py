"""The tree of errors, and what each of them says."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from uv_self_update import errors
from uv_self_update.errors import Problem, UvSelfUpdateError

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = Path("/etc/config.toml")
URL = "https://h.example/a"

EXAMPLES = [
    errors.WheelsOnly("https://h.example/wheels/", url="https://h.example/wheels/"),
    errors.UsageError("only one TARGET can be given"),
    errors.InvalidTarget("nonsense"),
    errors.InvalidSource("x", "it is none"),
    errors.InvalidConfiguration([Problem(origin=str(FILE), key="a.b", reason="unknown key")]),
    errors.ConfigurationNotKept(FILE, "a comment would be lost", "Make it by hand."),
    errors.NoHomeDirectory(),
    errors.InvalidRequirement(Problem(origin=str(FILE), key="required-version", reason="no")),
    errors.NothingRequired([str(FILE)]),
    errors.UvNotFound("on PATH"),
    errors.UvNotRunnable(Path("/usr/bin/uv"), "Permission denied"),
    errors.UvTooOld(Path("/usr/bin/uv"), "0.4.30"),
    errors.StartedThroughUvx(),
    errors.GatewayError("cannot listen on 127.0.0.1: Operation not permitted"),
    errors.Unreachable(URL, "timed out"),
    errors.StatusRefused(URL, 404, "Not Found"),
    errors.NotFoundOrUnauthorized(
        errors.StatusRefused(URL, 404, ""), "such project", login=True, hint="Look."
    ),
    errors.RateLimited(URL, 403, until="2026-01-29T20:24:46Z"),
    errors.TlsError(URL, "its certificate has expired", hint="Check the clock."),
    errors.ProxyRefused(URL, "http://proxy:3128 (HTTPS_PROXY)", "407", hint="Log in."),
    errors.RedirectRefused(URL, "http://127.0.0.1/"),
    errors.Interrupted(URL, 1000, 2000, "the connection was closed"),
    errors.ListingTimeout(URL, 300.0),
    errors.TooLarge(URL, 4 << 20),
    errors.Unreadable("/mnt/uv", "Permission denied"),
    errors.UnexpectedBody(URL, "JSON", "a web page"),
    errors.NoInstaller("the mirror", "0.12.3", "uv-installer.sh"),
    errors.NoLatest("the mirror", "release of uv"),
    errors.IndexFailed("the package index", "uv pip compile", "error: no"),
    errors.IndexRefused(
        URL, 401, user="me", place="a netrc file", named_by="UV_INDEX", hint="Renew them."
    ),
    errors.NoSourceAnswered([errors.Unreachable(URL, "timed out")]),
    errors.NoSuchVersion("the mirror", "uv 9.9.9", ["0.12.3"]),
    errors.NoArchive("the mirror", "uv 9.9.9", "uv.zip", ["9.9.9"], []),
    errors.NotListed("the index", "uv 9.9.9", url=URL, named_by="UV_INDEX", others=True),
    errors.HiddenByCutoff("the index", "uv 9", "`UV_EXCLUDE_NEWER=1`", "no date", file="uv.toml"),
    errors.HiddenByPolicy("the mirror", "9.9.9", "it is a pre-release, and no more is known"),
    errors.InvalidApprovedList(URL, str(FILE), "it is a web page"),
    errors.NotDetected(URL, [f"{URL}: 404"], "Say what it is."),
    errors.InstallationInterrupted("0.12.3"),
    errors.ScriptsDisabled("the execution policy is AllSigned", "Group Policy", hint="Ask."),
    errors.ReceiptError(FILE, "it is not JSON"),
    errors.NotStandalone(Path("/usr/bin/uv"), "there is none"),
    errors.ManagedByPackageManager(
        Path("/usr/bin/uv"), "apt", "sudo apt install --only-upgrade uv"
    ),
    errors.DigestMismatch("uv.zip", "the mirror", expected="aa", got="bb"),
    errors.UnusableArchive("uv.zip", "the mirror", "it is damaged"),
    errors.NothingInstalled("0.12.3", Path("/usr/bin/uv")),
    errors.ReleaseInstallerFailed("0.12.3", ["curl or wget"], native=True),
    errors.StagedUvBroken("0.12.3", "the mirror", "it does not run"),
    errors.NoDigest("uv.zip", "the mirror", "/etc/site.toml"),
    errors.NoWheelDigest("the wheel", "the index", "/etc/x.toml", version="0.13.9", weak="md5"),
    errors.NotPinned("uv.zip", "the mirror", "0.12.3", "/etc/site.toml"),
    errors.NotReplaced(Path("/usr/bin"), "Permission denied"),
    errors.NotRestored(Path("/usr/bin/uv"), Path("/usr/bin/old/uv"), "Permission denied"),
    errors.LockTimeout(Path("/usr/bin"), "process 7 of user alice"),
    errors.ChangedMeanwhile(Path("/etc/uv-receipt.json"), "0.12.3"),
    errors.PartiallyInstalled("0.12.3", Path("/usr/bin/uvx")),
    errors.NotConfigured(),
    errors.AmbiguousDistribution("a-1-py3-none-any.whl", URL, ["v1", "v2"]),
    errors.UnclaimedPackage("internal", [URL]),
    errors.NoSuchDistribution("a-1.tar.gz", "v1", URL, exists=True, others=["b-1.tar.gz"]),
    errors.StrangePackage(Path("uv.lock"), "internal", "99.0", URL),
    errors.ProxyKeys("/etc/uv/uv.toml", "http-proxy"),
    errors.FileNotServed("https://h.example/a", "it is no wheel"),
    errors.DirectUrlsNotServed("`cryptography` is not installed", extra=True),
    errors.ProxyUnusable("h.example", "it is a SOCKS proxy"),
    errors.NoPackages(URL),
    errors.NoProject(Path("/home/me")),
    errors.NotResolved("error: no solution"),
    errors.NotStored(Path("/srv"), "Read-only file system"),
    errors.CommandNotRunnable("nvim", "No such file or directory"),
    errors.InternalError(ValueError("x")),
    errors.RehearsalError("there is nothing to update"),
]
"""One of each leaf."""

WITHOUT_HINT = {"UsageError", "InstallationInterrupted", "RehearsalError"}
"""Those that are given one where they are raised, or that need none."""


def classes() -> dict[str, type[UvSelfUpdateError]]:
    """Return every error that the module has."""
    return {
        name: value
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, UvSelfUpdateError)
    }


def drawn() -> Iterator[tuple[str, str | None, int | None]]:
    """Read the tree out of the docstring: class, parent, exit code."""
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.fullmatch(
            r"((?:[│ ]   )*)(?:[├└]── )?([A-Z]\w+)(?: +([0-9]{1,2}|127)\b)?.*", line
        )
        if match is None or (not above and match[2] != "UvSelfUpdateError"):
            continue
        depth = len(match[1]) // 4 + ("── " in line)
        above[depth:] = [match[2]]
        yield match[2], above[depth - 1] if depth else None, int(match[3]) if match[3] else None


def test_tree() -> None:
    """The tree that is drawn is the tree that there is."""
    assert {name: parent for name, parent, _ in drawn()} == {
        name: None if cls is UvSelfUpdateError else cls.__bases__[0].__name__
        for name, cls in classes().items()
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
    assert error.exit_code in {*range(2, 11), 12, 127}


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
    error = errors.NotStandalone(Path("/usr/bin/uv"), "no", other=Path("/home/me/.local/bin/uv"))
    assert "`--uv /home/me/.local/bin/uv`" in (error.hint or "")
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
