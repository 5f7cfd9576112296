"""What each request is answered with.

The service remembers what it has found: uv asks for the list of releases where `latest` has
failed, and a server that did not answer is not asked again. Nothing here raises: whatever goes
wrong is kept in `failures`, for the one who explains it when uv has ended.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uv_self_update.errors import (
    NoDigest,
    NoInstaller,
    NoSuchVersion,
    ScriptsBarred,
    StatusRefused,
    TooLarge,
    UnexpectedBody,
    Unforeseen,
    UvSelfUpdateError,
)
from uv_self_update.gateway import scripts
from uv_self_update.gateway.replies import BrokenOff, Reply, patiently
from uv_self_update.gateway.routes import File, Install, Latest, Listing, Refused, Tag, route
from uv_self_update.releases.policy import Policy
from uv_self_update.releases.release import INSTALLER_NAMES, Asset, github_document
from uv_self_update.releases.target import NEWEST, Wanted
from uv_self_update.sources.formats.documents import checked, describe
from uv_self_update.sources.interface import ArchiveSource
from uv_self_update.sources.order import find_in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from uv_self_update.config.settings import InstallerChoice
    from uv_self_update.gateway.address import Address
    from uv_self_update.gateway.installers import NativeInstaller, ReleaseInstaller
    from uv_self_update.gateway.routes import Request, Route
    from uv_self_update.gateway.script_policy import Script
    from uv_self_update.network.responses import Download
    from uv_self_update.platforms import Platform
    from uv_self_update.releases.digests import DigestRules
    from uv_self_update.sources.interface import Source
    from uv_self_update.sources.order import Found


_log = logging.getLogger(__name__)

_JSON = "application/json"
_BINARY = "application/octet-stream"
_LARGEST_SCRIPT = 4 << 20  # bytes; uv's own have less than 100 KiB


@dataclass(frozen=True, kw_only=True)
class Installing:
    """How uv is to be replaced."""

    native: NativeInstaller
    """Our own installer."""

    release: ReleaseInstaller
    """The release's own."""

    choice: InstallerChoice
    """Whose script uv is to run."""

    barred: Callable[[Script], ScriptsBarred | None]
    """Says why uv could not run a script."""

    digests: DigestRules
    """Which digests the files have to have."""


class Service:
    """Answers the requests of one run of uv."""

    def __init__(
        self,
        address: Address,
        sources: Sequence[Source],
        installing: Installing,
        *,
        platform: Platform,
        policy: Callable[[], Policy] = Policy,
    ) -> None:
        """Prepare; nothing is asked of a source yet.

        Args:
            address: Where uv asks.
            sources: What is asked in turn, in order.
            installing: How uv is to be replaced.
            platform: Whose archives uv is offered.
            policy: Says what may be taken; asked when that is first needed, since it may have to
                read a list.
        """
        self._address = address
        self._sources = sources
        self._native = installing.native
        self._release_installer = installing.release
        self._platform = platform
        self._choice = installing.choice
        self._barred = installing.barred
        self._digests = installing.digests
        self._policy = policy
        self._lock = threading.Lock()
        self._found: dict[Wanted, Found | UvSelfUpdateError] = {}
        self._broken_files: set[str] = set()
        self._installing: str | None = None
        self.failures: list[UvSelfUpdateError] = []
        self.told: list[UvSelfUpdateError] = []
        """Those that an installer's output names, which uv prints."""

        self.transferred = 0
        """Bytes of archives that went through the gateway."""

        self.asked = False
        """Whether uv has asked for anything."""

    def answer(self, request: Request) -> Reply:
        """Answer a request; never raises."""
        asked = route(request, host=self._address.host, secret=self._address.secret)
        _log.debug("uv asks for %s", request.target.replace(self._address.secret, "***"))
        self.asked = self.asked or not isinstance(asked, Refused)
        if not self._expected(asked):
            return Reply.of("Not Found\n", status=404)
        try:
            return self._answer(asked)
        except Exception as error:  # noqa: BLE001 # without an answer, uv would say something else
            failure = error if isinstance(error, UvSelfUpdateError) else Unforeseen(error)
            if isinstance(failure, Unforeseen):
                _log.debug("%s", failure.trace)
            if isinstance(asked, Install):
                self.told.append(failure)
            return self._failed(failure)

    def _expected(self, asked: Route) -> bool:
        """Return whether uv can ask for this by now.

        The secret is none while a release's installer runs: it stands among the arguments of curl,
        which every user of the machine can read. From then on only what that installer needs is
        answered, so that nobody can have another version installed, or read other files of the
        source with a login that is not theirs.
        """
        match asked:
            case Refused():
                return True
            case File(version=version, name=name) if name not in INSTALLER_NAMES:
                return version == self._installing and name.startswith("uv-")
            case Install(version=version):
                return version == self._installing
            case _:
                return self._installing is None

    def _answer(self, asked: Route) -> Reply:
        match asked:
            case Latest(repository=repository):
                return patiently(lambda: self._release(NEWEST, repository))
            case Listing(repository=repository):
                return patiently(lambda: self._release(NEWEST, repository, listing=True))
            case Tag(repository=repository, version=version):
                return patiently(lambda: self._release(Wanted(exact=version), repository))
            case File(version=version, name=name) if name in INSTALLER_NAMES:
                windows = name.endswith(".ps1")
                return patiently(
                    lambda: self._installer(version, name, windows=windows),
                    start=scripts.preamble(windows=windows),
                )
            case File(version=version, name=name):
                return self._file(version, name)
            case Install(version=version):
                self._native.finish(version)
                return Reply.of(f"uv {version} is installed\n")
            case Refused(status=status, reason=reason, allow=allow):
                if allow is None:
                    return Reply.of(f"{reason}\n", status=status)
                # Without a body, which the reply to a HEAD must not have.
                return Reply(status=status, length=0, headers=(("Allow", allow),))

    def _release(self, wanted: Wanted, repository: str, *, listing: bool = False) -> Reply:
        try:
            found = self._find(wanted)
        except UvSelfUpdateError as error:
            return self._failed(error)
        document = github_document(
            found.release,
            base=self._address.base,
            repository=repository,
            assets=(*INSTALLER_NAMES, self._platform.archive),
        )
        return Reply.of(f"[{document}]" if listing else document, content_type=_JSON)

    def _find(self, wanted: Wanted) -> Found:
        """Ask the sources, once for each thing that is wanted."""
        with self._lock:
            known = self._found.get(wanted)
            if known is None:
                try:
                    known = find_in_order(self._sources, wanted.under(self._policy()))
                except UvSelfUpdateError as error:
                    known = error
                else:
                    # Its files are asked for by version, and have to come from where it was found.
                    self._found[Wanted(exact=known.release.version)] = known
                self._found[wanted] = known
        if isinstance(known, UvSelfUpdateError):
            raise known
        return known

    def _installer(self, version: str, name: str, *, windows: bool) -> Reply:
        """Return a script in any case: uv runs whatever it gets.

        Except where it cannot run any: it would move itself aside first. So the answer is broken
        off, which ends uv while nothing has been touched.
        """
        self._installing = version
        try:
            self._refuse_barred("native")
            found = self._find(Wanted(exact=version))
            script = self._release_script(found, name)
            if script is None:
                self._native.begin(found)
                script = scripts.native(f"install/{version}", windows=windows)
            else:
                self._release_installer.begin(found)
        except ScriptsBarred as error:
            self._remember(error)
            return Reply(content_type=_BINARY, body=map(_break_off, (error,)))
        except UvSelfUpdateError as error:
            self._remember(error)
            self.told.append(error)
            script = scripts.failing(str(error), windows=windows)
        return Reply.of(script, content_type=_BINARY)

    def _release_script(self, found: Found, name: str) -> bytes | None:
        """Return the release's own installer, or None where ours is to be used."""
        source, asset = found.source, found.release.asset(name)
        if self._choice == "native":
            return None
        if not isinstance(source, ArchiveSource) or asset is None:
            if self._choice == "auto":
                return None
            raise NoInstaller(source.name, found.release.version, name)
        try:
            self._refuse_barred("release")
            with source.open(found.release, asset) as download:
                return _read_script(download, asset, found, self._digests)
        except (ScriptsBarred, NoDigest):
            # Ours needs none, and no script has to be let run for it that nobody has vouched for.
            if self._choice == "auto":
                return None
            raise
        except StatusRefused as error:
            if self._choice == "auto" and error.gone:
                return None
            raise

    def _refuse_barred(self, script: Script) -> None:
        reason = self._barred(script)
        if reason is not None:
            raise reason

    def _file(self, version: str, name: str) -> Reply:
        found = self._find(Wanted(exact=version))
        source = found.source
        if not isinstance(source, ArchiveSource) or name in self._broken_files:
            return Reply.of("Not Found\n", status=404)
        asset = found.release.asset(name) or Asset(name=name)
        stack = contextlib.ExitStack()
        download = stack.enter_context(source.open(found.release, asset))

        def body() -> Iterator[bytes]:
            with stack:
                try:
                    for chunk in checked(download, asset, version=version, rules=self._digests):
                        self.transferred += len(chunk)
                        yield chunk
                except UvSelfUpdateError as error:
                    # wget would try again twenty times what has failed for a reason.
                    self._broken_files.add(name)
                    self._remember(error)
                    raise BrokenOff from error

        return Reply(content_type=_BINARY, body=body(), length=download.size)

    def _failed(self, error: UvSelfUpdateError) -> Reply:
        self._remember(error)
        return Reply.of(f"{error}\n", status=404 if isinstance(error, NoSuchVersion) else 502)

    def _remember(self, error: UvSelfUpdateError) -> None:
        _log.debug("uv cannot be answered: %s", error)
        if error not in self.failures:
            self.failures.append(error)


def _break_off(error: UvSelfUpdateError) -> bytes:
    raise BrokenOff from error


def _read_script(download: Download, asset: Asset, found: Found, rules: DigestRules) -> bytes:
    """Read an installer, and make sure that it is one before uv runs it."""
    body = bytearray()
    for chunk in checked(download, asset, version=found.release.version, rules=rules):
        body += chunk
        if len(body) > _LARGEST_SCRIPT:
            raise TooLarge(download.url, _LARGEST_SCRIPT)
    script = bytes(body)
    windows = asset.name.endswith(".ps1")
    if not scripts.looks_like_script(script, windows=windows):
        raise UnexpectedBody(download.url, "uv's installer", describe(script))
    return script
