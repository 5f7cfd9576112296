"""netrc, the file with credentials that curl, pip, git and uv read."""

from __future__ import annotations

import io
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.auth.credentials import Login
from uv_self_update.files import strerror
from uv_self_update.home import home_directory
from uv_self_update.redaction import Secret
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


_log = logging.getLogger(__name__)

_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)


@frozen
class LoginFile:
    """The credentials of a netrc file."""

    path: Path

    logins: Mapping[str, Login] = field(default_factory=dict)
    """Host in lower case -> its credentials."""

    default: Login | None = None
    """The credentials for all other hosts, as in curl, pip and uv.

    They are the last resort for a server that requires credentials: traditionally they are the
    `anonymous` of FTP.
    """


def read(environ: Mapping[str, str]) -> LoginFile | None:
    """Read the netrc file of the user; return None, with a warning, if it is invalid.

    The file is `NETRC`, or else the first existing one of `~/.netrc` and `~/_netrc`
    (https://curl.se/libcurl/c/CURLOPT_NETRC.html). The last entry of a host takes precedence.
    """
    path = _locate(environ)
    if path is None:
        return None
    import netrc  # noqa: PLC0415 # most users have no such file

    try:
        hosts = _parsed(path.read_bytes())
    except netrc.NetrcParseError as error:
        # The message of the error may quote a password.
        _log.warning("%s is not used: syntax error in line %s", path, error.lineno)
        return None
    except OSError as error:
        _log.warning("%s is not used: %s", path, strerror(error))
        return None
    damaged = [host for host, entry in hosts.items() if not _is_text(host, *entry)]
    if damaged and len(damaged) == len(hosts):
        _log.warning("%s is not used: invalid UTF-8", path)
        return None
    if damaged:
        _log.warning("some entries of %s are not used: invalid UTF-8", path)
    logins = {
        host.lower(): Login(user=user or account, password=Secret(password))
        for host, (user, account, password) in hosts.items()
        if password and host not in damaged
    }
    return LoginFile(path=path, default=logins.pop("default", None), logins=logins)


def _parsed(content: bytes) -> Mapping[str, tuple[str, str, str]]:
    """Return host -> user, account, password; `default` for all other hosts.

    Invalid UTF-8 becomes lone surrogates.

    Raises:
        NetrcParseError: There is a syntax error.
    """
    import netrc  # noqa: PLC0415 # as above

    class Text(netrc.netrc):
        """Parses text: the module itself only reads paths, and rejects what uv and curl accept."""

        def __init__(self, text: str) -> None:
            self.hosts = {}
            self.macros = {}
            self._parse("", io.StringIO(text), default_netrc=False)

        _parse: Callable[..., None]

    text = content.decode(errors="surrogateescape").replace("\r\n", "\n")
    # A line that starts with `#` is a comment. A macro needs an empty line at its end.
    end = "\n\n" if "macdef" in text else ""
    return Text(_COMMENT.sub("#", text) + end).hosts


def _is_text(*words: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for word in words for char in word)


def _locate(environ: Mapping[str, str]) -> Path | None:
    if named := environ.get("NETRC"):
        candidates = [Path(named)]
    else:
        # On Windows, HOME is rare but takes precedence, as in curl.
        windows = [Path(environ["USERPROFILE"])] if environ.get("USERPROFILE") else []
        homes = windows if windows and not environ.get("HOME") else [home_directory(environ)]
        candidates = [home / name for home in homes if home for name in (".netrc", "_netrc")]
    return next((path for path in candidates if _exists(path)), None)


def _exists(path: Path) -> bool:
    try:
        return path.is_file()  # not a named pipe, which would block
    except OSError:
        # The directory may be inaccessible.
        return False
