"""The sources of one run, made when they are first needed, closed together."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import TYPE_CHECKING, cast

from uv_self_update import platforms
from uv_self_update.config.kinds import SourceSettings
from uv_self_update.sources import registry as sources
from uv_self_update.sources.approved import with_lists
from uv_self_update.sources.context import Context
from uv_self_update.sources.order import find_in_order

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import ModuleType

    from uv_self_update.auth.programs import LoginPrograms
    from uv_self_update.config.settings import Network, Settings
    from uv_self_update.network.client import Upstream
    from uv_self_update.platforms import Platform
    from uv_self_update.releases.policy import Policy
    from uv_self_update.releases.target import Wanted
    from uv_self_update.sources.interface import Source
    from uv_self_update.sources.order import Found
    from uv_self_update.uv.without_required_version import Unrequired


class OpenSources:
    """Every configured source, in order."""

    def __init__(
        self,
        settings: Settings,
        *,
        uv: Path,
        environ: Mapping[str, str],
        folder: Path | None = None,
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            settings: What is configured.
            uv: The uv that an index is asked through.
            environ: The user's environment.
            folder: Where to put what is temporary; None for where the system puts it.
        """
        self._settings = settings
        self._uv = uv
        self._environ = environ
        self._folder = folder

    @cached_property
    def platform(self) -> Platform:
        """Where uv runs."""
        return platforms.current()

    @cached_property
    def all(self) -> tuple[Source, ...]:
        """The sources."""
        return tuple(sources.build(section, self.around) for section in self._settings.sources)

    @cached_property
    def around(self) -> Context:
        """What each source works with."""
        return Context(
            build=sources.build,
            upstream=self._client,
            cautious=lambda section: self._client(section, guessed=True),
            platform=self.platform,
            uv=self._uv,
            digests=self._settings.digests,
            environ={**self._unrequired.environ, **_options_of_uv(self._settings.network)},
        )

    @cached_property
    def policy(self) -> Policy:
        """The rules that are configured, with the lists that they name.

        Raises:
            ListUnusable: One of them cannot be read.
        """
        return with_lists(self._settings.policy, self._list_client)

    def find(self, wanted: Wanted) -> Found:
        """Return what is wanted, and allowed, from the first source that has it.

        Raises:
            SourceError: None has.
        """
        return find_in_order(self.all, wanted.under(self.policy))

    def find_any(self, wanted: Wanted) -> Found:
        """Return what is wanted whether it is allowed or not: to begin a rehearsal with.

        Raises:
            SourceError: No source has it.
        """
        return find_in_order(self.all, wanted)

    def close(self) -> None:
        """End whatever is under way."""
        if "all" in self.__dict__:
            for source in self.all:
                source.close()
        if "_upstream" in self.__dict__:
            self._upstream.close()
        if "_programs" in self.__dict__:
            self._programs.close()
        if "_unrequired" in self.__dict__:
            self._unrequired.close()

    @cached_property
    def _upstream(self) -> Upstream:
        # httpx would import a command line of its own, and with it click, for nothing.
        sys.modules.setdefault("httpx._main", cast("ModuleType", None))
        # It is slow to import by itself, and an index does without.
        from uv_self_update.auth.credentials import Credentials  # noqa: PLC0415
        from uv_self_update.network.client import Upstream  # noqa: PLC0415

        return Upstream(self._settings.network, Credentials(), environ=self._environ)

    def _client(self, section: SourceSettings, *, guessed: bool = False) -> Upstream:
        """Return the client with the logins of one source, and of no other."""
        from uv_self_update.sources.authentication import credentials_of  # noqa: PLC0415 # as above

        credentials = credentials_of(
            section,
            self._environ,
            given=self._settings.token,
            guessed=guessed,
            programs=self._programs,
        )
        return self._upstream.logged_in(credentials)

    def _list_client(self, url: str) -> Upstream:
        """Return a client with the logins for the server of a list, as for any other URL."""
        return self._client(SourceSettings(kind="urls", download=url), guessed=True)

    @cached_property
    def _programs(self) -> LoginPrograms:
        from uv_self_update.auth.programs import LoginPrograms  # noqa: PLC0415 # as above

        return LoginPrograms(uv=self._uv, environ=self._unrequired.environ)

    @cached_property
    def _unrequired(self) -> Unrequired:
        from uv_self_update.uv.without_required_version import Unrequired  # noqa: PLC0415 # as above

        return Unrequired(self._uv, self._environ, self._folder)


def _options_of_uv(network: Network) -> dict[str, str]:
    """Return what was said to us on the command line as uv understands it for an index."""
    found = {}
    if network.insecure_hosts:
        found["UV_INSECURE_HOST"] = " ".join(network.insecure_hosts)
    if network.system_certs:
        # Older versions of uv know the second name only.
        found |= {"UV_SYSTEM_CERTS": "true", "UV_NATIVE_TLS": "true"}
    return found
