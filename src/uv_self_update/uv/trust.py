"""Which certificate authorities uv trusts.

`SSL_CERT_FILE` and `SSL_CERT_DIR` replace uv's own, and add up. From 0.9.23 on, each does so by
itself, and a file that is missing is ignored; before that, the directory counts beside a file only
(measured with 0.5.0, 0.8.24, 0.11.13 and 0.13.9).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.uv.configuration import TRUE
from uv_self_update.uv.workspace import tables
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_EACH_SINCE = (0, 9, 23)
_NAMES = ("system-certs", "native-tls")
"""uv's names of one setting; the first is known from 0.11 on."""


@frozen
class UvTrust:
    """Where authorities come from."""

    named: tuple[Path, ...] = ()
    """Files and directories; no other authority counts beside them."""

    system: bool = False
    """Whether, without these, those of the operating system count, and not uv's own."""

    @classmethod
    def of(
        cls,
        environ: Mapping[str, str],
        *,
        numbers: tuple[int, ...],
        options: Sequence[str],
        directory: Path,
    ) -> UvTrust:
        """Read the variables, the options and the files of uv.

        Args:
            environ: The user's environment.
            numbers: The numbers of uv's version; empty if it is not known.
            options: uv's own options.
            directory: Where uv looks for a project.
        """
        file = Path(environ.get("SSL_CERT_FILE") or os.devnull)
        named = [file] if file.is_file() else []
        if named or not numbers or numbers >= _EACH_SINCE:
            places = environ.get("SSL_CERT_DIR", "").split(os.pathsep)
            named += [Path(place) for place in places if place and Path(place).is_dir()]
        if named:
            return cls(named=tuple(named))
        return cls(system=_system(environ, options, directory))


def _system(environ: Mapping[str, str], options: Sequence[str], directory: Path) -> bool:
    """Return the setting: options before variables before files."""
    for option in reversed(options):
        for name in _NAMES:
            if option in {f"--{name}", f"--no-{name}"}:
                return option == f"--{name}"
    for name in _NAMES:
        if value := environ.get(f"UV_{name.replace('-', '_').upper()}"):
            return value.lower() in TRUE
    for _, table in tables(environ, directory, windows=os.name == "nt"):
        for name in _NAMES:
            if isinstance(found := table.get(name), bool):
                return found
    return False
