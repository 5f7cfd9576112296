"""netrc: the file that curl, pip, git and uv find logins in."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.auth.credentials import Login
from uv_self_update.redaction import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping


_log = logging.getLogger(__name__)


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
        hosts = netrc.netrc(str(path)).hosts
    except netrc.NetrcParseError as error:
        # Its own words would quote whatever stands in the wrong place, such as a password.
        _log.warning("%s is not used: line %s cannot be understood", path, error.lineno)
        return None
    except OSError as error:
        _log.warning("%s is not used: %s", path, error.strerror or type(error).__name__)
        return None
    except ValueError:
        _log.warning("%s is not used: it is not UTF-8", path)
        return None
    logins = {
        host.lower(): Login(user=user or account, password=Secret(password))
        for host, (user, account, password) in hosts.items()
        if password
    }
    return LoginFile(path=path, default=logins.pop("default", None), logins=logins)


def _locate(environ: Mapping[str, str]) -> Path | None:
    if named := environ.get("NETRC"):
        candidates = [Path(named)]
    elif home := environ.get("HOME") or environ.get("USERPROFILE"):
        candidates = [Path(home, ".netrc"), Path(home, "_netrc")]
    else:
        return None
    return next((path for path in candidates if _is_there(path)), None)


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()  # a pipe would be waited for
    except OSError:
        # It is in a folder that may not be entered.
        return False
