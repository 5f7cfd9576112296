"""A private repository over TLS, and a project that names its release files by their URLs."""

from __future__ import annotations

import io
import ssl
import tarfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import trustme

from support.proxy import trust
from support.simulator.packages import Packages, PublicIndex, ReleaseOf, wheel
from support.simulator.server import Storage
from support.stand import Stand
from support.web import Asked, Page, Web

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.homes import Home

_BACKEND = """\
import pathlib, zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    name = "{module}-{version}-py3-none-any.whl"
    info = "{module}-{version}.dist-info"
    with zipfile.ZipFile(pathlib.Path(directory, name), "w") as file:
        file.writestr("{module}.py", "VERSION = '{version}'")
        metadata = "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n"
        file.writestr(info + "/METADATA", metadata)
        tags = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        file.writestr(info + "/WHEEL", tags)
        file.writestr(info + "/RECORD", "")
    return name
"""


def sdist(name: str, version: str) -> tuple[str, bytes]:
    """Return the file name and the bytes of a source archive, which is built without an index."""
    module = name.replace("-", "_")
    head = f'[project]\nname = "{name}"\nversion = "{version}"\n'
    files = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "pyproject.toml": f'{head}[build-system]\nrequires = []\nbuild-backend = "backend"\n'
        'backend-path = ["."]\n',
        "backend.py": _BACKEND.format(name=name, module=module, version=version),
    }
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz") as archive:
        for path, text in files.items():
            info = tarfile.TarInfo(f"{module}-{version}/{path}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return f"{module}-{version}.tar.gz", body.getvalue()


WHEEL = wheel("internal-package", "1.1.0")
SDIST = sdist("internal-src", "0.1.12")


@dataclass(kw_only=True)
class SecurePackages(Packages):
    """The private repository, over TLS; its site answers 404 to everyone, as GitHub's does."""

    context: ssl.SSLContext
    storage: Storage = field(init=False)
    public: dict[str, bytes] = field(default_factory=dict)
    """The files of a public repository by their paths: the site redirects to their storage."""

    def __post_init__(self) -> None:
        """Take a free port."""
        Web.__init__(self, context=self.context)
        self.storage = Storage(context=self.context)
        self.storage.ranges = True

    @property
    def index(self) -> str:
        """The stable URL of its index."""
        host = urlsplit(self.url).netloc.replace(":", ".")
        return f"http://{host}.uv-self-update.invalid/acme/tools/simple/"

    def page_for(self, asked: Asked) -> Page:
        """Answer as GitHub does: the site as well as the API."""
        path = urlsplit(asked.path).path
        if path in self.public:
            location = self.storage.signed(Page(body=self.public[path]))
            return Page(status=302, headers={"Location": location})
        if not path.startswith("/api/") and "Authorization" not in asked.headers:
            return Page(status=404, body=b"Not Found")
        return super().page_for(asked)

    def release_file(self, name: str, tag: str = "v1.1.0") -> str:
        """Return the URL that GitHub gives a file."""
        return f"{self.place}/releases/download/{quote(tag)}/{name}"


@dataclass(kw_only=True)
class UrlStand(Stand):
    """A project whose packages are named by URLs."""

    packages: SecurePackages

    def write_urls(self, *, more: str = "") -> None:
        """Write the project of uv#15731: a wheel and a source archive by URL."""
        wheel_url = self.packages.release_file(WHEEL[0])
        archive_url = self.packages.release_file(SDIST[0])
        self.write(
            "internal-package",
            "internal-src",
            more=f'[tool.uv.sources]\ninternal-package = {{ url = "{wheel_url}" }}\n'
            f'internal-src = {{ url = "{archive_url}" }}\n{more}',
        )


@contextmanager
def url_stand(home: Home) -> Iterator[UrlStand]:
    """Make a project that names files of a private release by their URLs."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    home.environ["SSL_CERT_FILE"] = str(trust(authority, home.path))
    with ExitStack() as stack:
        releases = [ReleaseOf(tag="v1.1.0", files=dict([WHEEL, SDIST]))]
        packages = stack.enter_context(SecurePackages(releases=releases, context=context))
        public = stack.enter_context(PublicIndex([wheel("iniconfig", "2.0.0")]))
        stand = UrlStand(home=home, packages=packages, public=public)
        home.bin.mkdir(parents=True)
        stand.use("newest")
        stand.write_urls()
        stand.configure('packages = ["internal-*"]')
        yield stand
