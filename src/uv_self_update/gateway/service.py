"""The response to each request.

The service caches what it finds: uv requests the list of releases after `latest` failed, and a
server that did not answer is not queried again. Nothing here raises: errors are collected in
`failures`, to be explained once uv has exited.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from uv_self_update.errors import (
    NoDigest,
    NoInstaller,
    NoSuchVersion,
    ScriptsDisabled,
    StatusRefused,
    TooLarge,
    UnexpectedBody,
    UvSelfUpdateError,
    as_failure,
)
from uv_self_update.gateway import scripts
from uv_self_update.gateway.ahead import Ahead, Body
from uv_self_update.gateway.announcement import Announcement
from uv_self_update.gateway.replies import BrokenOff, Reply, with_keepalive
from uv_self_update.gateway.routes import File, Install, Metadata, Refused, route
from uv_self_update.network.limits import DEFAULTS, Limits
from uv_self_update.releases.policy import Policy
from uv_self_update.releases.release import INSTALLER_NAMES, Asset, github_document
from uv_self_update.releases.target import NEWEST, Wanted
from uv_self_update.sources.formats.documents import checked, describe
from uv_self_update.sources.interface import ArchiveSource
from uv_self_update.sources.order import find_in_order
from uv_self_update.values import field, frozen, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from uv_self_update.config.installers import InstallerChoice
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


@frozen
class Installing:
    """The installers, and the rules for them."""

    native: NativeInstaller
    """Our own installer."""

    release: ReleaseInstaller
    """The release's own."""

    choice: InstallerChoice
    """The installer whose script uv runs."""

    barred: Callable[[Script], ScriptsDisabled | None]
    """Returns why uv cannot run a script; None if it can."""

    digests: DigestRules
    """The digests that the files must have."""

    ahead: bool = False
    """Whether to download the archive before the release's own installer requests it."""

    installed: str | None = None
    """The version that uv's receipt names; uv may be another one, and install this one as well."""
    announcement: Announcement = field(default_factory=Announcement)
    """Is told what uv is told."""


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
        limits: Limits = DEFAULTS,
    ) -> None:
        """Create the service without querying a source.

        Args:
            address: The address that uv connects to.
            sources: The sources, in order.
            installing: The installers, and the rules for them.
            platform: The platform of the archives.
            policy: Returns the policy; called at the first request, because it may have to fetch
                a list of versions.
            limits: The size of a script, and how long uv waits for an answer.
        """
        self._limits = limits
        self._address = address
        self._sources = sources
        self._platform = platform
        self._with = installing
        self._ahead: dict[tuple[str, str], Ahead] = {}
        self._policy = policy
        self._newest = replace(NEWEST, installed=installing.installed)
        self._lock = threading.Lock()
        self._found: dict[Wanted, Found | UvSelfUpdateError] = {}
        self._broken_files: set[str] = set()
        self._installing: str | None = None
        self._ours = False
        self.failures: list[UvSelfUpdateError] = []
        self.told: list[UvSelfUpdateError] = []
        """The failures that the installer's output names, which uv prints."""

        self.transferred = 0
        """Bytes of archives that the gateway sent."""

        self.unrun: str | None = None
        """The version whose script uv was sent, and which has not requested the installation."""

        self.asked = False
        """Whether uv has sent a valid request."""

    def close(self) -> None:
        """Give up a download that was not requested."""
        for ahead in self._ahead.values():
            ahead.close()

    def answer(self, request: Request) -> Reply:
        """Answer a request; never raises."""
        asked = route(request, host=self._address.host, secret=self._address.secret)
        _log.debug("uv requests %s", request.target.replace(self._address.secret, "***"))
        self.asked = self.asked or not isinstance(asked, Refused)
        if not self._expected(asked):
            return Reply.of("Not Found\n", status=404)
        try:
            return self._answer(asked)
        except Exception as error:  # noqa: BLE001 # without a response, uv would report another error
            failure = as_failure(error)
            if isinstance(asked, Install):
                self.told.append(failure)
            return self._failed(failure)

    def _expected(self, asked: Route) -> bool:
        """Return whether uv can send this request at this stage.

        The secret path is public while a release's installer runs: it is an argument of curl,
        which every user of the machine can read. From then on, only the requests of that installer
        are answered, so that no other user can install another version, or read other files of the
        source with these credentials.
        """
        match asked:
            case Refused():
                return True
            case File(version=version, name=name) if name not in INSTALLER_NAMES:
                return version == self._installing and name.startswith("uv-")
            case Install(version=version, token=None):
                return version == self._installing and self._ours
            case Install(version=version, token=str(token)):
                known = self._with.release.token
                return (
                    version == self._installing
                    and known is not None
                    and hmac.compare_digest(token, known)
                )
            case _:
                return self._installing is None

    def _in_time(self, call: Callable[[], Reply], *, start: bytes = b"") -> Reply:
        return with_keepalive(call, start=start, limits=self._limits)

    def _answer(self, asked: Route) -> Reply:
        match asked:
            case Metadata():
                return self._in_time(lambda: self._release(asked))
            case File(version=version, name=name) if name in INSTALLER_NAMES:
                windows = name.endswith(".ps1")
                return self._in_time(
                    lambda: self._installer(version, name, windows=windows),
                    start=scripts.preamble(windows=windows),
                )
            case File(version=version, name=name):
                return self._file(version, name)
            case Install(version=version, token=token):
                self.unrun = None
                if token is None:
                    self._with.native.finish(version)
                else:
                    self._with.release.finish()
                return Reply.of(f"uv {version} is installed\n")
            case Refused(status=status, reason=reason, allow=allow):
                if allow is None:
                    return Reply.of(f"{reason}\n", status=status)
                # Without a body, which the reply to a HEAD must not have.
                return Reply(status=status, length=0, headers=(("Allow", allow),))

    def _release(self, asked: Metadata) -> Reply:
        wanted = self._newest if asked.version is None else Wanted(exact=asked.version)
        try:
            found = self._find(wanted)
        except UvSelfUpdateError as error:
            return self._failed(error)
        taken = self._with.native.expect(found) or wanted.exact is not None
        self._with.announcement.offered(found, taken=taken)
        names = (*INSTALLER_NAMES, self._platform.archive)
        document = github_document(
            found.release,
            base=self._address.base,
            repository=asked.repository,
            assets=[Asset(name=name) for name in names],
        )
        return Reply.of(json.dumps([document] if asked.listed else document), content_type=_JSON)

    def _find(self, wanted: Wanted) -> Found:
        """Query the sources, once for each wanted version."""
        with self._lock:
            known = self._found.get(wanted)
            if known is None:
                try:
                    # Our own installer needs nothing of a release but its archive, at once.
                    alone = self._with.choice == "native" and not self._with.announcement.dry_run
                    request = replace(wanted, policy=self._policy(), archive_only=alone)
                    known = find_in_order(self._sources, request)
                except UvSelfUpdateError as error:
                    known = error
                else:
                    # Its files are requested by version, and must come from the same source.
                    if wanted.may_install(known.release.version):
                        self._found[Wanted(exact=known.release.version)] = known
                self._found[wanted] = known
        if isinstance(known, UvSelfUpdateError):
            raise known
        return known

    def _installer(self, version: str, name: str, *, windows: bool) -> Reply:
        """Return a script, even after a failure: uv runs any body.

        If uv cannot run scripts at all, it would move itself aside before it fails. So the response
        is broken off, which ends uv before it changes anything.
        """
        self._installing = version
        try:
            self._refuse_barred("native")
            found = self._find(Wanted(exact=version))
            script = self._release_script(found, name)
            if script is None:
                self._ours = True
                self._with.announcement.requested()
                self._with.native.begin(found)
                script = scripts.native(f"install/{version}", windows=windows)
            else:
                script = self._with.release.begin(
                    found, script, noted=lambda: self._begin_ahead(found)
                )
            self.unrun = version
        except ScriptsDisabled as error:
            self._remember(error)
            return Reply(content_type=_BINARY, body=map(_break_off, (error,)))
        except UvSelfUpdateError as error:
            self._remember(error)
            if not windows or str(error).isascii():
                self.told.append(error)  # in the code page of PowerShell, uv prints less
            script = scripts.failing(str(error), windows=windows)
        return Reply.of(script, content_type=_BINARY)

    def _release_script(self, found: Found, name: str) -> bytes | None:
        """Return the release's own installer; None to use ours."""
        source, asset = found.source, found.release.asset(name)
        if self._with.choice == "native":
            return None
        if not isinstance(source, ArchiveSource) or asset is None:
            if self._with.choice == "auto":
                return None
            raise NoInstaller(source.name, found.release.version, name)
        try:
            self._refuse_barred("release")
            with source.open(found.release, asset) as download:
                return _read_script(download, asset, found, self._with.digests, self._limits)
        except (ScriptsDisabled, NoDigest):
            # Ours needs no script from the release, and so none without a digest.
            if self._with.choice == "auto":
                return None
            raise
        except StatusRefused as error:
            if self._with.choice == "auto" and error.gone:
                return None
            raise

    def _refuse_barred(self, script: Script) -> None:
        reason = self._with.barred(script)
        if reason is not None:
            raise reason

    def _file(self, version: str, name: str) -> Reply:
        found = self._find(Wanted(exact=version))
        source = found.source
        if not isinstance(source, ArchiveSource) or name in self._broken_files:
            return Reply.of("Not Found\n", status=404)
        archive = name == self._platform.archive
        if archive:
            self._with.announcement.requested()
        stack = contextlib.ExitStack()
        ahead = self._ahead.pop((version, name), None)
        download = stack.enter_context(
            self._fetched(source, found, name) if ahead is None else ahead.open()
        )
        if archive:
            self._with.announcement.opened(found, download.size)

        def body() -> Iterator[bytes]:
            with stack:
                try:
                    for chunk in download.chunks:
                        self.transferred += len(chunk)
                        self._with.release.refuse_changed()
                        yield chunk
                except UvSelfUpdateError as error:
                    # wget would retry twenty times.
                    self._broken_files.add(name)
                    self._remember(error)
                    raise BrokenOff from error

        return Reply(content_type=_BINARY, body=body(), length=download.size)

    def _begin_ahead(self, found: Found) -> None:
        source, name = found.source, self._platform.archive
        if self._with.ahead and isinstance(source, ArchiveSource):
            version = found.release.version
            self._ahead[version, name] = Ahead(lambda: self._fetched(source, found, name))

    @contextmanager
    def _fetched(self, source: ArchiveSource, found: Found, name: str) -> Iterator[Body]:
        """Open a file of a release, whose last chunk comes only if its digest matches."""
        release = found.release
        asset = release.asset(name) or Asset(name=name)
        with source.open(release, asset) as download:
            chunks = checked(download, asset, version=release.version, rules=self._with.digests)
            yield Body(size=download.size, chunks=chunks)

    def _failed(self, error: UvSelfUpdateError) -> Reply:
        self._remember(error)
        return Reply.of(f"{error}\n", status=404 if isinstance(error, NoSuchVersion) else 502)

    def _remember(self, error: UvSelfUpdateError) -> None:
        _log.debug("a request failed: %s", error)
        if error not in self.failures:
            self.failures.append(error)


def _break_off(error: UvSelfUpdateError) -> bytes:
    raise BrokenOff from error


def _read_script(
    download: Download, asset: Asset, found: Found, rules: DigestRules, limits: Limits
) -> bytes:
    """Read an installer, and check that it is a script before uv runs it."""
    body = bytearray()
    for chunk in checked(download, asset, version=found.release.version, rules=rules):
        body += chunk
        if len(body) > limits.script:
            raise TooLarge(download.url, limits.script)
    script = bytes(body)
    windows = asset.name.endswith(".ps1")
    if not scripts.looks_like_script(script, windows=windows):
        raise UnexpectedBody(download.url, "uv's installer", describe(script))
    return script
