"""The sources of one run, made when they are first needed, closed together."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import TYPE_CHECKING, cast

from uv_self_update import platforms, sources
from uv_self_update.credentials import Credentials, github_token
from uv_self_update.sources.github import api_of
from uv_self_update.sources.order import find_in_order

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import ModuleType

    from uv_self_update.platforms import Platform
    from uv_self_update.policy import Wanted
    from uv_self_update.settings import Settings
    from uv_self_update.sources.interface import Source
    from uv_self_update.sources.order import Found
    from uv_self_update.upstream import Upstream

__all__ = ("OpenSources",)


class OpenSources:
    """Every configured source, in order."""

    def __init__(
        self,
        settings: Settings,
        *,
        uv: Path,
        environ: Mapping[str, str],
        token: str | None = None,
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            settings: What is configured.
            uv: The uv that an index is asked through.
            environ: The user's environment.
            token: A GitHub token that was given for this run, as in `--token`.
        """
        self._settings = settings
        self._uv = uv
        self._environ = environ
        self._token = token

    @cached_property
    def platform(self) -> Platform:
        """Where uv runs."""
        return platforms.current()

    @cached_property
    def all(self) -> tuple[Source, ...]:
        """The sources."""
        return tuple(
            sources.build(
                section,
                upstream=lambda: self._upstream,
                platform=self.platform,
                uv=self._uv,
                environ=self._environ,
            )
            for section in self._settings.sources
        )

    def find(self, wanted: Wanted) -> Found:
        """Return what is wanted from the first source that has it.

        Raises:
            SourceError: None has.
        """
        return find_in_order(self.all, wanted)

    def close(self) -> None:
        """End whatever is under way."""
        if "all" in self.__dict__:
            for source in self.all:
                source.close()
        if "_upstream" in self.__dict__:
            self._upstream.close()

    @cached_property
    def _upstream(self) -> Upstream:
        # httpx would import a command line of its own, and with it click, for nothing.
        sys.modules.setdefault("httpx._main", cast("ModuleType", None))
        # It is slow to import by itself, and an index does without.
        from uv_self_update.upstream import Upstream  # noqa: PLC0415

        sections = self._settings.sources
        urls = [
            url
            for section in sections
            for url in (section.url, section.latest, section.release, section.download)
            if url is not None
        ]
        repositories = [
            section.url
            for section in sections
            if section.kind == "github" and section.url is not None
        ]
        tokens = {
            api_of(url): token
            for url in repositories
            if (token := github_token(url, self._environ, given=self._token)) is not None
        }
        # github.com has its API on a host of its own, and a login that is given is for both.
        urls += map(api_of, repositories)
        return Upstream(
            self._settings.network,
            Credentials.collect(urls, tokens=tokens),
            environ=self._environ,
        )
