"""Real updates from nginx with a login that stands wherever people keep theirs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.missing import missing
from support.servers import listings

if TYPE_CHECKING:
    from support.homes import Home

pytestmark = pytest.mark.system

USER, PASSWORD = "jo", "a/b@c%"


def keep(place: str, url: str, home: Home) -> str:
    """Put the login of a server into a place; return what the source says of it."""
    host = url.removeprefix("http://")
    match place:
        case "netrc":
            netrc = home.path / ".netrc"
            netrc.write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
            netrc.chmod(0o600)
        case "password-env":
            home.environ["MIRROR_PASSWORD"] = PASSWORD
            return f'username = "{USER}"\npassword-env = "MIRROR_PASSWORD"\n'
        case "uv":
            uv = binaries.executables(binaries.newest()) / "uv"
            store(home, str(uv), "auth", "login", url, "--username", USER, "--password", "-")
        case "keyring":
            keyring = shutil.which("keyring", path=Path(sys.executable).parent)
            if keyring is None:
                missing("keyring: python -m pip install keyring keyrings.alt")
            home.environ["PYTHON_KEYRING_BACKEND"] = "keyrings.alt.file.PlaintextKeyring"
            home.environ["UV_KEYRING_PROVIDER"] = "subprocess"
            (home.bin / "keyring").symlink_to(keyring)
            store(home, keyring, "set", host, USER)
            return f'username = "{USER}"\n'
    return ""


def store(home: Home, *command: str) -> None:
    """Tell a program the password."""
    environ = home.full_environ()
    subprocess.run(command, input=PASSWORD, env=environ, capture_output=True, check=True, text=True)


@pytest.mark.extra
@pytest.mark.parametrize("place", ["netrc", "password-env", "uv", "keyring"])
def test_update_with_a_stored_login(place: str, home: Home, tmp_path: Path) -> None:
    """An update comes from a server that wants a login; nothing shows it, and its place is told."""
    start, end = binaries.newest_but_one(), binaries.newest()
    folder = tmp_path / "share" / end
    folder.mkdir(parents=True)
    shutil.copy2(binaries.archive(end), folder)
    (folder / "uv-installer.sh").write_bytes(mirrors.installer(end))
    home.install(start)

    with listings.nginx(folder.parent, login=(USER, PASSWORD)) as url:
        refused = home.run("--source", f"listing+{url}/")
        before = home.version()
        told = keep(place, url, home)
        home.configure(f'[[source]]\nkind = "listing"\nurl = "{url}/"\n{told}')
        done = home.run("-v")

    assert ("answered 401" in refused.err, before) == (True, start)
    assert (done.code, home.version(), home.receipt_version()) == (0, end, end), done.err
    names = {"uv": "uv's credential store", "password-env": "`password-env` MIRROR_PASSWORD"}
    assert f"(credentials: {names.get(place, place)}" in done.err
    assert PASSWORD not in done.err + done.out
