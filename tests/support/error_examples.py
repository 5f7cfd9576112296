"""One of each error, as a user may see it, and the tree that they are drawn in."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update import errors
from uv_self_update.errors import Problem, UvSelfUpdateError
from uv_self_update.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = Path("/etc/config.toml")
URL = "https://h.example/a"

EXAMPLES = [
    errors.WheelsOnly(Url.parse("https://h.example/wheels/")),
    errors.UsageError("only one TARGET can be given"),
    errors.InvalidTarget("nonsense"),
    errors.InvalidSource("x", "expected `KIND+URL`"),
    errors.InvalidConfiguration([Problem(origin=str(FILE), key="a.b", reason="unknown key")]),
    errors.ConfigurationNotKept(FILE, "a comment would be lost", "Use an editor: `config edit`."),
    errors.NoHomeDirectory(),
    errors.InvalidRequirement(
        Problem(origin=str(FILE), key="required-version", reason="expected a specifier")
    ),
    errors.NothingRequired([str(FILE)]),
    errors.UvNotFound(None),
    errors.UvNotRunnable(Path("/usr/bin/uv"), "Permission denied"),
    errors.UvTooOld(Path("/usr/bin/uv"), "0.4.30"),
    errors.StartedThroughUvx(),
    errors.GatewayError("Operation not permitted"),
    errors.Unreachable(URL, "timed out"),
    errors.StatusRefused(URL, 404, "Not Found"),
    errors.NotFoundOrUnauthorized(
        errors.StatusRefused(URL, 404, ""),
        "such project",
        login=True,
        hint="Check the token's permissions.",
    ),
    errors.RateLimited(URL, 403, until="2026-01-29T20:24:46Z"),
    errors.TlsError(URL, "its certificate has expired", hint="Check the clock."),
    errors.ProxyRefused(
        URL,
        "http://proxy:3128 (HTTPS_PROXY)",
        "407",
        hint="Add credentials.",
    ),
    errors.RedirectRefused(URL, "http://127.0.0.1/"),
    errors.Interrupted(URL, 1000, 2000, "the connection was closed"),
    errors.ListingTimeout(URL, 300.0),
    errors.TooLarge(URL, 4 << 20),
    errors.Unreadable("/mnt/uv", "Permission denied"),
    errors.UnexpectedBody(URL, "JSON", "a web page"),
    errors.NoInstaller("the mirror", "0.12.3", "uv-installer.sh"),
    errors.NoLatest("the mirror", "release of uv"),
    errors.IndexFailed(
        "the package index",
        "uv pip compile",
        "error: Failed to fetch: `https://h.example/simple/uv/`",
    ),
    errors.IndexRefused(
        URL, 401, user="me", place="a netrc file", named_by="UV_INDEX", hint="Renew them."
    ),
    errors.NoSourceAnswered([errors.Unreachable(URL, "timed out")]),
    errors.NoSuchVersion("the mirror", "uv 9.9.9", ["0.12.3"]),
    errors.NoArchive("the mirror", "uv 9.9.9", "uv.zip", ["9.9.9"], []),
    errors.NotListed("the index", "uv 9.9.9", url=URL, named_by="UV_INDEX", others=True),
    errors.HiddenByCutoff("the index", "uv 9", "`UV_EXCLUDE_NEWER=1`", "no date", file="uv.toml"),
    errors.HiddenByPolicy("the mirror", "9.9.9", "it is a pre-release"),
    errors.InvalidApprovedList(URL, str(FILE), "it is a web page"),
    errors.NotDetected(URL, [f"{URL}: 404"], "Name the kind: `nexus+URL`."),
    errors.InstallationInterrupted("0.12.3"),
    errors.ScriptsDisabled(
        "the execution policy is AllSigned",
        "Group Policy",
        hint="Allow local scripts.",
    ),
    errors.ScriptNotRun("0.12.3", windows=True),
    errors.ReceiptError(FILE, "it is not JSON"),
    errors.NotStandalone(Path("/usr/bin/uv"), "there is no receipt uv-receipt.json"),
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
    errors.FileInUse(Path("/home/me/.local/bin/uvx.exe"), "it is used by another process"),
    errors.NotReplaced(Path("/usr/bin"), "Permission denied"),
    errors.NotRestored(Path("/usr/bin/uv"), Path("/usr/bin/old/uv"), "Permission denied"),
    errors.LockTimeout(Path("/usr/bin"), "process 7 of user alice"),
    errors.ChangedMeanwhile(Path("/etc/uv-receipt.json"), "0.12.3"),
    errors.PartiallyInstalled("0.12.3", Path("/usr/bin/uvx")),
    errors.NotConfigured(),
    errors.AmbiguousDistribution("a-1-py3-none-any.whl", URL, ["v1", "v2"]),
    errors.SameIndex("http://h.invalid/simple/", [URL, URL]),
    errors.IndexNotNamed(Path("uv.lock"), "http://h.invalid/simple/", "pyproject.toml"),
    errors.FileNotServed("https://h.example/a", "it is no wheel"),
    errors.DirectUrlsNotServed("`cryptography` is not installed", extra=True),
    errors.UnclaimedPackage("internal", [URL]),
    errors.NoSuchDistribution("a-1.tar.gz", "v1", URL, exists=True, others=["b-1.tar.gz"]),
    errors.StrangePackage(Path("uv.lock"), "internal", "99.0", URL),
    errors.ProxyKeys("/etc/uv/uv.toml", "http-proxy"),
    errors.ProxyUnusable("h.example", "it is a SOCKS proxy"),
    errors.NoPackages(URL),
    errors.NoProject(Path("/home/me")),
    errors.NotResolved("error: No solution found"),
    errors.NotStored(Path("/srv"), "Read-only file system"),
    errors.MirrorBusy(Path("/srv/uv")),
    errors.MirrorUnusable(Path("/srv/uv"), "No space left on device"),
    errors.NoFilesListed("https://h.example/uv/", "0.12.3"),
    errors.CommandNotRunnable("nvim", "No such file or directory"),
    errors.InternalError(ValueError("x")),
    errors.RehearsalError("the source has no older version to update from"),
]
"""One of each leaf."""


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
