"""netrc: the file that curl, pip, git and uv find logins in."""

from __future__ import annotations

import io
import logging
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.auth.credentials import Login
from uv_self_update.home import home_directory
from uv_self_update.redaction import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


_log = logging.getLogger(__name__)

_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class LoginFile:
    """The logins of a netrc file."""

    path: Path

    logins: Mapping[str, Login] = field(default_factory=dict)
    """Host in lower case -> its login."""

    default: Login | None = None
    """The login for every host that is not named.

    curl, pip and uv use it as well. It is for a server that has asked for one, and that nothing
    else is known for: by tradition it is the `anonymous` of FTP, which others may refuse.
    """


def read(environ: Mapping[str, str]) -> LoginFile | None:
    """Return what the user's netrc file holds; None if there is none, or none that can be read.

    The file is `NETRC`, or else the first that there is of `~/.netrc` and `~/_netrc`
    (https://curl.se/libcurl/c/CURLOPT_NETRC.html). Of several entries for one host the last counts.

    Args:
        environ: The user's environment.
    """
    path = _locate(environ)
    if path is None:
        return None
    import netrc  # noqa: PLC0415 # most people have no such file

    try:
        hosts = _parsed(path.read_bytes())
    except netrc.NetrcParseError as error:
        # Its own words would quote whatever stands in the wrong place, such as a password.
        _log.warning("%s is not used: line %s cannot be understood", path, error.lineno)
        return None
    except OSError as error:
        _log.warning("%s is not used: %s", path, error.strerror or type(error).__name__)
        return None
    damaged = [host for host, entry in hosts.items() if not _is_text(host, *entry)]
    if damaged and len(damaged) == len(hosts):
        _log.warning("%s is not used: it is not UTF-8", path)
        return None
    if damaged:
        _log.warning("some entries of %s are not used: they are not UTF-8", path)
    logins = {
        host.lower(): Login(user=user or account, password=Secret(password))
        for host, (user, account, password) in hosts.items()
        if password and host not in damaged
    }
    return LoginFile(path=path, default=logins.pop("default", None), logins=logins)


def _parsed(content: bytes) -> Mapping[str, tuple[str, str, str]]:
    """Return host -> user, account, password; `default` for all others.

    What is not UTF-8 is kept as lone surrogates.

    Raises:
        NetrcParseError: It cannot be understood.
    """
    import netrc  # noqa: PLC0415 # as above

    class Text(netrc.netrc):
        """Python's module reads paths only, and less than uv and curl do."""

        def __init__(self, text: str) -> None:
            self.hosts = {}
            self.macros = {}
            self._parse("", io.StringIO(text), default_netrc=False)

        _parse: Callable[..., None]

    text = content.decode(errors="surrogateescape").replace("\r\n", "\n")
    # A line that begins with `#` is a comment, whatever follows; a macro may come last.
    end = "\n\n" if "macdef" in text else ""
    return Text(_COMMENT.sub("#", text) + end).hosts


def _is_text(*words: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for word in words for sign in word)


def _locate(environ: Mapping[str, str]) -> Path | None:
    if named := environ.get("NETRC"):
        candidates = [Path(named)]
    else:
        # On Windows HOME is rare, but counts where it is set, as in curl.
        windows = [Path(environ["USERPROFILE"])] if environ.get("USERPROFILE") else []
        homes = windows if windows and not environ.get("HOME") else [home_directory(environ)]
        candidates = [home / name for home in homes if home for name in (".netrc", "_netrc")]
    return next((path for path in candidates if _is_there(path)), None)


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()  # a pipe would be waited for
    except OSError:
        # It is in a folder that may not be entered.
        return False
