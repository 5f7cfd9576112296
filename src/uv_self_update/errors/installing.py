"""Why the new version could not be put in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uv_self_update.errors.base import UvSelfUpdateError
from uv_self_update.wording import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = (
    "ChangedMeanwhile",
    "DigestMismatch",
    "HalfInstalled",
    "Halted",
    "InstallError",
    "NoDigest",
    "NoWheelDigest",
    "NotPinned",
    "NotReplaced",
    "NotRestored",
    "NotStandalone",
    "NothingInstalled",
    "Owned",
    "ReceiptError",
    "ReleaseInstallerFailed",
    "ScriptsBarred",
    "StagedUvBroken",
    "UnusableArchive",
    "UpdateUnderWay",
    "update_with",
)


_NATIVE = "`--installer native` installs uv without a shell script, curl, wget or tar."
_SET = "uv-self-update config set"


class InstallError(UvSelfUpdateError):
    """The new version could not be put in place; the old one stays."""

    exit_code = 8


class Halted(InstallError):
    """The installation was told to stop before anything was replaced."""

    def __init__(self, version: str) -> None:
        """Name the version."""
        super().__init__(f"uv {version} was not installed: interrupted")


class ScriptsBarred(InstallError):
    """Those who manage a Windows machine do not let PowerShell run uv's installer."""

    def __init__(self, reason: str, place: str, *, hint: str) -> None:
        """Name what is in its way, and what has set that."""
        super().__init__(
            f"PowerShell cannot run uv's installer: {reason}, set by {place}", hint=hint
        )


class ReceiptError(InstallError):
    """uv's receipt is missing, or cannot be understood."""

    def __init__(self, path: Path, reason: str) -> None:
        """Name the file and the reason."""
        super().__init__(
            f"uv's receipt {path} cannot be used: {reason}",
            hint="uv updates only what its standalone installer has installed.",
        )


class NotStandalone(InstallError):
    """A uv has no receipt of its own, so that it does not update itself."""

    def __init__(
        self,
        uv: Path,
        reason: str,
        *,
        other: Path | None = None,
        owner: tuple[str, str | None] | None = None,
    ) -> None:
        """Name the uv and what its receipt lacks.

        Args:
            uv: The uv.
            reason: What its receipt lacks.
            other: The uv that the receipt is about.
            owner: What has installed the uv, and the command that updates it.
        """
        hints = []
        if owner is not None:
            name, command = owner
            hints.append(f"It belongs to {name}. {update_with(command)}")
        if other is not None:
            hints.append(f"To update the uv that the receipt is about, say `--uv {other}`.")
        if owner is None:
            hints.append("With `--adopt` this one is updated too, and is given a receipt.")
        super().__init__(
            f"{uv} was not installed by uv's standalone installer: {reason}",
            hint="\n".join(hints),
        )


class Owned(InstallError):
    """A uv is not adopted, since a package manager has installed it, and would not know."""

    def __init__(self, uv: Path, owner: str, command: str | None) -> None:
        """Name the uv, what has installed it, and the command that updates it."""
        super().__init__(f"{uv} belongs to {owner}", hint=update_with(command))


def update_with(command: str | None) -> str:
    """Advise the command of a package manager; None where nobody knows which one it is."""
    return f"Update it with {f'`{command}`' if command else 'its package manager'}."


class DigestMismatch(InstallError):
    """A file is not the one that its source describes."""

    def __init__(
        self,
        name: str,
        source: str,
        *,
        expected: str,
        got: str,
        pinned: str = "",
        algorithm: str = "sha256",
    ) -> None:
        """Name the file, the source, both digests, and where the one that counts stands.

        That is the file in which it is pinned; empty where the source has published it.
        """
        what = f"the one that {pinned} names" if pinned else "the file that was published"
        super().__init__(
            f"{name} from {source} is not {what}: expected {algorithm} {expected}, got {got}",
            hint=(
                "The pin is of another file, or the mirror was changed: compare it with what the "
                "release publishes."
                if pinned
                else "A damaged download or a changed mirror: try again, then ask whoever runs it."
            ),
        )


class NoDigest(InstallError):
    """A file cannot be checked, and has to be."""

    def __init__(self, name: str, source: str, required_by: str) -> None:
        """Name the file, the source, and what requires it."""
        super().__init__(
            f"{name} from {source} was not taken: nothing says which sha256 it has to have, and "
            f"`policy.require-digest` in {required_by} requires it",
            hint="Put `sha256.sum` beside the archives, or pin it in `policy.digests`.",
        )


class NoWheelDigest(NoDigest):
    """The index gives no digest for a wheel, or only a weak one."""

    def __init__(
        self, wheel: str, source: str, required_by: str, *, version: str, weak: str | None
    ) -> None:
        """Name the wheel, the source, what requires a digest, and the weak one's algorithm."""
        super().__init__(wheel, source, required_by)
        given = f"only {weak} as its digest" if weak else "no digest that uv can check"
        self.message = printable(
            f"{wheel} from {source} was not taken: the index gives {given}, and "
            f"`policy.require-digest` in {required_by} requires one"
        )
        pin = f"policy.digests.{version}.FILE SHA256"
        self.hint = (
            f"Pin the wheel: `{_SET} {pin}`. FILE is the name of the wheel for this machine, such "
            f"as uv-{version}-py3-none-manylinux_2_17_x86_64.whl, and SHA256 is the sha256 of that "
            f"file; `python -m pip download --no-deps uv=={version}` fetches it."
        )


class NotPinned(NoDigest):
    """A file is not among those of its version that the configuration pins."""

    def __init__(self, name: str, source: str, version: str, pinned_by: str) -> None:
        """Name the file, the source, the version, and where the others are pinned."""
        super().__init__(name, source, pinned_by)
        self.message = printable(
            f"{name} from {source} was not taken: `policy.digests` in {pinned_by} pins files of "
            f"uv {version}, and not this one"
        )
        self.hint = "Pin this one as well, or let the release come from where the others are."


class UnusableArchive(InstallError):
    """A file that should hold uv does not."""

    def __init__(self, name: str, source: str, reason: str) -> None:
        """Name the file, the source and the reason."""
        super().__init__(
            f"{name} from {source} cannot be used: {reason}",
            hint="Does the source really hold uv's own release files?",
        )


class StagedUvBroken(InstallError):
    """The new uv does not run on this machine, or is not the version it should be."""

    def __init__(self, version: str, source: str, reason: str) -> None:
        """Name the version, the source and the reason."""
        super().__init__(
            f"uv {version} was fetched from {source} but does not work here: {reason}",
            hint="The uv that you have was left as it is.",
        )


class NothingInstalled(InstallError):
    """A release's own installer says that it has installed uv, and has not."""

    def __init__(self, version: str, uv: Path) -> None:
        """Name the version and the uv that is still the old one."""
        super().__init__(
            f"the installer of uv {version} reported success without installing it: {uv} was not "
            "changed",
            hint=_NATIVE,
        )


class ReleaseInstallerFailed(InstallError):
    """A release's own installer was run, and has failed."""

    def __init__(self, version: str, missing: Sequence[str], *, native: bool) -> None:
        """Name the version, the programs that it lacks, and what does without.

        Args:
            version: The release's.
            missing: Programs that are not on PATH.
            native: Whether our own installer could do it.
        """
        self.missing = tuple(missing)
        reason = f": not on PATH: {', '.join(missing)}" if missing else ""
        super().__init__(
            f"the installer of uv {version} failed{reason}", hint=_NATIVE if native else None
        )


class ChangedMeanwhile(InstallError):
    """Another program has changed uv, or its receipt, since this update began."""

    def __init__(self, path: Path, version: str) -> None:
        """Name the file that was changed, and the version that was to be installed."""
        super().__init__(
            f"uv {version} was not installed: {path} was changed while it was downloaded",
            hint="Is another installer at work? Nothing was replaced: run the update again.",
        )


class HalfInstalled(InstallError):
    """A release's own installer has ended between its steps."""

    def __init__(self, version: str, place: Path) -> None:
        """Name the version, and an executable that is still the old one."""
        super().__init__(
            f"uv {version} was not installed: its installer has ended before it replaced {place}",
            hint="The uv that you had was put back. With `--installer native` all of it is "
            "replaced, or nothing.",
        )


class NotReplaced(InstallError):
    """The file system does not let the new version be put in place."""

    def __init__(self, place: Path, reason: str) -> None:
        """Name the folder, or the receipt, and the reason."""
        super().__init__(
            f"the new version cannot be put into {place}: {reason}",
            hint="The uv that you have was left as it is. Is the folder writable, and is there "
            "space?",
        )


class NotRestored(InstallError):
    """The old version could not be put back in place, and is kept elsewhere."""

    def __init__(self, place: Path, kept: Path | None, reason: str) -> None:
        """Name the file, where the old one is kept (None if there was none), and the reason."""
        if kept is None:
            what, old = f"{place} could not be removed, which was not there before", ""
        else:
            what, old = f"{place} could not be put back", f"The old one is kept as {kept}. "
        super().__init__(
            f"{what}: {reason}", hint=f"{old}The next run of uv-self-update tries again."
        )


class UpdateUnderWay(InstallError):
    """Another update of the same uv does not end."""

    def __init__(self, folder: Path, who: str = "") -> None:
        """Name the directory and who is at work there; empty if that is unknown."""
        other = f"another uv-self-update ({who})" if who else "another uv-self-update"
        super().__init__(
            f"timed out waiting for {other} in {folder}",
            hint="See what it waits for, or end it; then try again.",
        )
