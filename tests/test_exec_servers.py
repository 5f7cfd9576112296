"""`[[releases]]` on real servers: web servers' listings, and an object store."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from support.package_kinds import NEW, OLD
from support.servers import listings, objects, small
from support.stand import Stand, done, locked

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    Start = Callable[[Path], AbstractContextManager[str]]

pytestmark = pytest.mark.system

LOGIN = ("jo", "a/b@c%")
SERVERS: dict[str, tuple[str, Start]] = {
    "nginx": ("listing", lambda share: listings.nginx(share, login=LOGIN)),
    "nginx-json": ("listing", lambda share: listings.nginx(share, listing="json")),
    "apache": ("listing", listings.apache),
    "lighttpd": ("listing", small.lighttpd),
    "rclone": ("listing", small.rclone),
    "moto": ("s3", lambda share: objects.moto(share, page=2)),
    "moto-signed": ("s3", lambda share: objects.moto(share, page=2, public=False)),
}


@pytest.mark.parametrize("name", SERVERS)
def test_real_server(name: str, stand: Stand, tmp_path: Path) -> None:
    """Packages in a directory for each version are locked by hash, and installed."""
    share = tmp_path / "share"
    for version, files in (("1.0.0", OLD), ("v1.1.0", NEW)):
        (share / version).mkdir(parents=True)
        for file, content in files.items():
            (share / version / file).write_bytes(content)
    kind, start = SERVERS[name]
    with start(share) as url:
        keys = f'username = "{LOGIN[0]}"\npassword-env = "PW"\n' if name == "nginx" else ""
        stand.home.configure(
            f'[[releases]]\nkind = "{kind}"\nurl = "{url}"\npackages = ["internal-*"]\n{keys}'
        )
        stand.home.environ["PW"] = LOGIN[1]
        stand.write()
        if name == "moto-signed":
            refused = stand.run("uv", "add", "internal-package")
            assert refused.code != 0
            assert "answered 403 Forbidden" in refused.err
            stand.home.environ |= objects.with_access_key(url)
        done(stand.run("uv", "add", "internal-package"))
        first = stand.lock.read_bytes()
        cold = {"UV_CACHE_DIR": str(tmp_path / "cold"), "XDG_CACHE_HOME": str(tmp_path / "other")}
        done(stand.run("uv", "lock", "--check", **cold))
        done(stand.run("uv", "sync", "--locked", **cold))

    assert stand.lock.read_bytes() == first
    assert locked(stand)["internal-package"].startswith("1.1.0 http://127.0.0.1.")
    (ours,) = (
        one for one in tomllib.loads(first.decode())["package"] if one["name"] == "internal-dep"
    )
    (file,) = ours["wheels"]
    assert file["hash"].startswith("sha256:")
    assert ("upload-time" in file) is (name in {"nginx-json", "moto", "moto-signed", "rclone"})
    ran = stand.plain("uv", "run", "python", "-c", "import internal_package as p; print(p.VERSION)")
    assert done(ran).out == "1.1.0\n"
