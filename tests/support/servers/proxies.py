"""Real proxies: squid, and microsocks, which speaks SOCKS 5.

They listen on ports of their own choice, on every address: they are for a network of their own,
where nobody else does. The hosts that they know are those of a file, as in `/etc/hosts`.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

from support.missing import missing
from support.networks import knowing
from support.servers.running import program, running, work_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    import trustme

_CHECKER = Path("/usr/lib/squid/basic_ncsa_auth")


class Door(IntEnum):
    """The ports of squid: what it does with a request depends on where that came in."""

    OPEN = 3128
    OVER_TLS = 3129
    WITH_A_LOGIN = 3130
    CLOSED = 3131
    """Everybody is told 403."""


_SQUID = """\
http_port {open}
https_port {over_tls} tls-cert={work}/certificate.pem
http_port {with_a_login}
http_port {closed}
acl with_a_login localport {with_a_login}
acl closed localport {closed}
auth_param basic program {checker} {work}/users
auth_param basic children 1 startup=1
auth_param basic realm the company
acl known proxy_auth REQUIRED
http_access deny closed
http_access deny with_a_login !known
http_access allow all
hosts_file {hosts}
cache deny all
cache_mem 0
cache_log {work}/cache.log
access_log none
pid_filename none
coredump_dir none
pinger_enable off
shutdown_lifetime 0 seconds
visible_hostname squid.test
"""


@contextmanager
def squid(hosts: Path, login: tuple[str, str], certificate: trustme.LeafCert) -> Iterator[None]:
    """Run squid, which forwards requests and makes tunnels to any port.

    Args:
        hosts: The hosts that it knows.
        login: The user and the password that it asks for where it does.
        certificate: Who it is where it speaks TLS.
    """
    server = program("squid")
    if not _CHECKER.exists():
        missing(f"squid has no {_CHECKER}")
    user, password = login
    # The only digest among those that it reads which Python has as well.
    digest = hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()
    with work_folder() as work:
        (work / "users").write_text(f"{user}:{digest}\n")
        certificate.private_key_and_cert_chain_pem.write_to_path(work / "certificate.pem")
        ports = {door.name.lower(): door.value for door in Door}
        configuration = work / "squid.conf"
        configuration.write_text(_SQUID.format(**ports, work=work, hosts=hosts, checker=_CHECKER))
        command = (server, "-N", "-d", "1", "-f", str(configuration))
        # As root it becomes a user of its own, who may not read root's temporary folders.
        with running(*command, port=Door.OPEN.value, work=work, as_nobody=True):
            yield


@contextmanager
def microsocks(hosts: Path, port: int, login: tuple[str, str] | None = None) -> Iterator[None]:
    """Run microsocks, which makes connections to any host and port; it takes root.

    Args:
        hosts: The hosts that it knows.
        port: Where it listens.
        login: The user and the password that it asks for; None for nobody's.
    """
    server = program("microsocks")
    arguments = [] if login is None else ["-u", login[0], "-P", login[1]]
    with work_folder() as work:
        command = (*knowing(hosts), server, "-p", str(port), *arguments)
        with running(*command, port=port, work=work):
            yield
