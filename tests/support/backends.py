"""A source archive whose backend an index of the intranet has, and asks the intranet itself."""

from __future__ import annotations

import io
import tarfile

BACKEND = """
import pathlib, urllib.request, zipfile
SEEN = urllib.request.urlopen("http://intranet/allowed").read().decode()
def build_wheel(directory, config_settings=None, metadata_directory=None):
    name = "internal_src-1.0-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(directory, name), "w") as file:
        info = "internal_src-1.0.dist-info"
        file.writestr("internal_src.py", f"SEEN = {SEEN!r}")
        head = "Metadata-Version: 2.1\\n"
        file.writestr(f"{info}/METADATA", head + "Name: internal-src\\nVersion: 1.0\\n")
        head = "Wheel-Version: 1.0\\n"
        file.writestr(f"{info}/WHEEL", head + "Root-Is-Purelib: true\\nTag: py3-none-any\\n")
        file.writestr(f"{info}/RECORD", "")
    return name
"""


def source_archive() -> bytes:
    """Return a source archive whose backend comes from an index."""
    body = io.BytesIO()
    files = {
        "PKG-INFO": "Metadata-Version: 2.1\nName: internal-src\nVersion: 1.0\n",
        "pyproject.toml": '[project]\nname = "internal-src"\nversion = "1.0"\n'
        '[build-system]\nrequires = ["tiny-backend"]\nbuild-backend = "tiny_backend"\n',
    }
    with tarfile.open(fileobj=body, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(f"internal_src-1.0/{name}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return body.getvalue()
