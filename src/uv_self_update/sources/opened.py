"""The sources of one run: created when first needed, closed together."""

from __future__ import annotations

import sys
import threading
from functools import cached_property
from typing import TYPE_CHECKING, cast

from uv_self_update import platforms
from uv_self_update.config.kinds import SourceSettings
from uv_self_update.home import cache_directory
from uv_self_update.network.deferred import deferred
from uv_self_update.network.progress import SILENT, Progress
from uv_self_update.sources.addresses import preconnect_to
from uv_self_update.sources.context import Context, build
from uv_self_update.sources.order import find_in_order

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import ModuleType

    from uv_self_update.auth.credentials import Credentials
    from uv_self_update.auth.programs import LoginPrograms
    from uv_self_update.config.settings import Network, Settings
    from uv_self_update.network.access import Access
    from uv_self_update.network.client import Upstream
    from uv_self_update.network.kept import Kept
    from uv_self_update.platforms import Platform
    from uv_self_update.releases.policy import Policy
    from uv_self_update.releases.target import Wanted
    from uv_self_update.sources.index.certificates import UvCertificates
    from uv_self_update.sources.interface import Source
    from uv_self_update.sources.order import Found
    from uv_self_update.url import Url


class OpenSources:
    """Every configured source, in order.

    Args:
        settings: The configuration.
        uv: The uv that reads package indexes.
        environ: The user's environment.
        temporary: The directory for temporary files; None for the default of the system.
        access: What `preconnect` has begun.
        progress: Is told of each download.
        keeps: Whether interrupted downloads are kept for the next run.
    """

    def __init__(  # noqa: PLR0913 # what a run has
        self,
        settings: Settings,
        *,
        uv: Path,
        environ: Mapping[str, str],
        temporary: Path | None = None,
        access: Access | None = None,
        progress: Progress = SILENT,
        keeps: bool = False,
    ) -> None:
        self._settings = settings
        self._uv = uv
        self._environ = environ
        self._temporary = temporary
        self._access = access
        self._progress = progress
        self._keeps = keeps
        self._lock = threading.Lock()

    @cached_property
    def platform(self) -> Platform:
        """The platform that uv runs on."""
        return platforms.current()

    @cached_property
    def all(self) -> tuple[Source, ...]:
        """The sources."""
        return tuple(build(section, self.context) for section in self._settings.sources)

    @cached_property
    def context(self) -> Context:
        """The context that each source is created with."""
        return Context(
            upstream=self._client,
            cautious=lambda section: self._client(section, guessed=True),
            platform=self.platform,
            uv=self._uv,
            digests=self._settings.digests,
            environ={
                **self._environ,
                **_options_of_uv(self._settings.network),
                **self._certificates_of_uv(),
            },
            temporary=self._temporary,
            progress=self._progress,
        )

    @cached_property
    def policy(self) -> Policy:
        """The configured rules, with the contents of their lists.

        Raises:
            InvalidApprovedList: A list cannot be read.
        """
        policy = self._settings.policy
        if not policy.unread:
            return policy
        from uv_self_update.sources.approved import with_lists  # noqa: PLC0415 # few policies have one

        return with_lists(policy, self._list_client)

    def prepare(self, wanted: Wanted, installed: str) -> None:
        """Begin to download what is newer than the installed version, if the first source can."""
        policy = self._settings.policy
        # A list of approved versions is read when uv asks for a release, not before.
        if self._settings.sources[0].kind == "index" and not policy.unread:
            self.all[0].prepare(wanted.under(policy), installed)

    def list_ahead(self) -> None:
        """Begin to request the list of the first source, which uv is about to ask for."""
        self.all[0].list_ahead()

    def find(self, wanted: Wanted) -> Found:
        """Return the wanted release that is allowed, from the first source that has one.

        Raises:
            SourceError: No source has one.
        """
        return find_in_order(self.all, wanted.under(self.policy))

    def deferred(self, section: SourceSettings) -> Upstream:
        """Return the HTTP client of a source, which is made by its first use.

        The connection for that is begun before the client is imported; without a use, there is
        neither.

        Raises:
            UvSelfUpdateError: Its credentials cannot be used, which is known now.
        """
        credentials = self._credentials(section, guessed=False)

        def made() -> Upstream:
            self.connect(section)
            with self._lock:
                return self._upstream.logged_in(credentials)

        return deferred(made)

    def connect(self, section: SourceSettings) -> None:
        """Begin the first connection of the deferred clients, unless one of them has begun it."""
        with self._lock:
            if self._access is None:
                self._access = preconnect_to(section, self._settings.network, self._environ)

    def close(self) -> None:
        """Stop running requests and remove temporary files."""
        if "all" in self.__dict__:
            for source in self.all:
                source.close()
        if "_upstream" in self.__dict__:
            self._upstream.close()
        if self._access is not None:
            self._access.close()
        if "_programs" in self.__dict__:
            self._programs.close()
        if "_certificates" in self.__dict__:
            self._certificates.close()

    @staticmethod
    def import_client() -> type[Upstream]:
        """Import the HTTP client, which is slow, and return it."""
        # httpx would import a command line of its own, and with it click, for nothing.
        sys.modules.setdefault("httpx._main", cast("ModuleType", None))
        from uv_self_update.network.client import Upstream  # noqa: PLC0415

        return Upstream

    @cached_property
    def _upstream(self) -> Upstream:
        from uv_self_update.auth.credentials import Credentials  # noqa: PLC0415

        return self.import_client()(
            self._settings.network,
            Credentials(),
            environ=self._environ,
            access=self._access,
            progress=self._progress,
            kept=self._kept,
        )

    @property
    def _kept(self) -> Kept | None:
        """Where interrupted downloads are kept: the cache of this user, in their own home."""
        directory = cache_directory(self._environ) if self._keeps else None
        if directory is None:
            return None
        from uv_self_update.network.kept import Kept  # noqa: PLC0415 # as above

        return Kept(directory / "downloads")

    def _client(self, section: SourceSettings, *, guessed: bool = False) -> Upstream:
        """Return the HTTP client with the credentials of one source only."""
        return self._upstream.logged_in(self._credentials(section, guessed=guessed))

    def _credentials(self, section: SourceSettings, *, guessed: bool) -> Credentials:
        from uv_self_update.sources.authentication import credentials_of  # noqa: PLC0415 # as above

        return credentials_of(
            section,
            self._environ,
            given=self._settings.token,
            guessed=guessed,
            programs=self._programs,
        )

    def _list_client(self, url: Url) -> Upstream:
        """Return the HTTP client for the URL of a list, with the credentials for its server."""
        return self._client(SourceSettings(kind="urls", download=url), guessed=True)

    @cached_property
    def _programs(self) -> LoginPrograms:
        from uv_self_update.auth.programs import LoginPrograms  # noqa: PLC0415 # as above

        return LoginPrograms(uv=self._uv, environ=self._environ, directory=self._temporary)

    def _certificates_of_uv(self) -> Mapping[str, str]:
        """Return the variables for configured certificates, if a source may be an index."""
        network = self._settings.network
        configured = network.ca_bundle is not None or network.client_cert is not None
        kinds = {section.kind for section in self._settings.sources}
        return self._certificates.environ if configured and kinds & {"auto", "index"} else {}

    @cached_property
    def _certificates(self) -> UvCertificates:
        from uv_self_update.sources.index.certificates import UvCertificates  # noqa: PLC0415 # as above

        return UvCertificates(self._settings.network, self._environ, self._temporary)


def _options_of_uv(network: Network) -> dict[str, str]:
    """Return our command line options as variables of uv, for an index."""
    found = {}
    if network.insecure_hosts:
        found["UV_INSECURE_HOST"] = " ".join(network.insecure_hosts)
    if network.system_certs:
        # Older versions of uv support the second name only.
        found |= {"UV_SYSTEM_CERTS": "true", "UV_NATIVE_TLS": "true"}
    return found
