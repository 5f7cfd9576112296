"""uv's receipt: where it lies, what it says, how it is rewritten."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from uv_self_update.errors import ReceiptError
from uv_self_update.files import write_atomically
from uv_self_update.uv.receipt import NAME, Receipt, locate, new_receipt, read


def receipt(folder: Path, **document: object) -> Receipt:
    """Return a receipt that lies somewhere."""
    return Receipt(path=folder / NAME, document=document)


@pytest.mark.parametrize(
    ("environ", "windows", "expected"),
    [
        ({"HOME": "/home/me"}, False, "/home/me/.config/uv"),
        ({"HOME": "/home/me", "XDG_CONFIG_HOME": "{folder}"}, False, "{folder}/uv"),
        ({"HOME": "/home/me", "XDG_CONFIG_HOME": "{folder}/no"}, False, "/home/me/.config/uv"),
        ({"HOME": "/home/me", "XDG_CONFIG_HOME": ""}, False, "/home/me/.config/uv"),
        ({"HOME": "/home/me", "LOCALAPPDATA": "/local"}, False, "/home/me/.config/uv"),
        ({"HOME": "/home/me", "AXOUPDATER_CONFIG_PATH": "/axo"}, False, "/axo"),
        ({"AXOUPDATER_CONFIG_PATH": "/axo", "XDG_CONFIG_HOME": "{folder}"}, False, "/axo"),
        ({"HOME": "/home/me", "AXOUPDATER_CONFIG_PATH": ""}, False, ""),
        ({"HOME": "", "LOCALAPPDATA": "/local"}, False, ".config/uv"),
        ({"AXOUPDATER_CONFIG_PATH": "/axo", "AXOUPDATER_CONFIG_WORKING_DIR": ""}, False, ""),
        ({"LOCALAPPDATA": "/local", "HOME": "/home/me"}, True, "/local/uv"),
        ({"LOCALAPPDATA": "/local", "XDG_CONFIG_HOME": "{folder}"}, True, "{folder}/uv"),
        ({"LOCALAPPDATA": "/local", "AXOUPDATER_CONFIG_PATH": "/axo"}, True, "/axo"),
    ],
)
def test_locate(environ: dict[str, str], expected: str, tmp_path: Path, *, windows: bool) -> None:
    """The receipt is looked for where uv looks for it."""
    (tmp_path / "uv").mkdir()
    filled = {name: value.format(folder=tmp_path) for name, value in environ.items()}
    assert locate(filled, windows=windows) == Path(expected.format(folder=tmp_path), NAME)


def test_locate_without_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With no home in the environment, the system's own idea of it counts."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert locate({}, windows=False) == tmp_path / ".config" / "uv" / NAME


def test_read(tmp_path: Path) -> None:
    """A receipt is read as a whole, with its bytes as they are."""
    raw = b'{"install_prefix": "/opt/uv", "version": "0.12.3", "future": [1]}'
    (tmp_path / NAME).write_bytes(raw)
    found = read(tmp_path / NAME)
    assert found.prefix == Path("/opt/uv")
    assert found.document["future"] == [1]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (None, "No such file or directory"),
        (b"", "it is not JSON: "),
        (b"{", "it is not JSON: "),
        (b"\xff", "it is not JSON: "),
        (b"[]", "it names no `install_prefix`"),
        (b"null", "it names no `install_prefix`"),
        (b"{}", "it names no `install_prefix`"),
        (b'{"install_prefix": null}', "it names no `install_prefix`"),
        (b"[" * 100_000, "it is not JSON"),
        (b'{"install_prefix": "/a\\u0000b"}', "its `install_prefix` leads nowhere"),
        (b'{"install_prefix": "/a\\ud800b"}', "its `install_prefix` leads nowhere"),
        (b'{"install_prefix": "{circle}/uv"}', "its `install_prefix` leads nowhere"),
        (b'{"install_prefix": "/a", "install_layout": ["x"]}', "its `install_layout` is not"),
        (b'{"install_prefix": "/a", "version": 1}', "its `version` is not"),
        (b'{"install_prefix": "/a", "binaries": {}}', "its `binaries` is not"),
        (b'{"install_prefix": "/a", "provider": "x"}', "its `provider` is not"),
    ],
)
def test_unusable(tmp_path: Path, raw: bytes | None, said: str) -> None:
    """A receipt that cannot be used is an error that names it and says why."""
    path = tmp_path / NAME
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    if raw is not None:
        path.write_bytes(raw.replace(b"{circle}", os.fsencode(circle)))
    with pytest.raises(ReceiptError) as caught:
        read(path)
    assert str(caught.value).startswith(f"uv's receipt {path} cannot be used: {said}")


@pytest.mark.parametrize(
    ("layout", "prefix", "files", "expected"),
    [
        ("flat", "p", [], "p"),
        ("flat", "p", ["p/bin/uv"], "p/bin"),
        ("flat", "p", ["p/uv", "p/bin/uv"], "p"),
        ("cargo-home", "p", ["p/uv"], "p"),
        ("cargo-home", "p", ["p/uv", "p/bin/uv"], "p/bin"),
        ("flat", "p/bin", [], "p/bin"),
        ("cargo-home", "p", [], "p/bin"),
        ("cargo-home", "p/bin", [], "p/bin"),
        ("hierarchical", "p", [], "p/bin"),
        ("hierarchical", "p/bin", ["p/bin/uv", "p/bin/bin/uv"], "p/bin"),
        (None, "p", [], "p"),
        (None, "p", ["p/uv"], "p"),
        (None, "p", ["p/bin/uv"], "p/bin"),
        (None, "p", ["p/uv", "p/bin/uv"], "p"),
        ("new", "p", ["p/bin/uv"], "p/bin"),
    ],
)
def test_folder(
    tmp_path: Path, layout: str | None, prefix: str, files: list[str], expected: str
) -> None:
    """The executables lie in the prefix, or in `bin` below it, as the layout has it."""
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    document: dict[str, object] = {"install_prefix": str(tmp_path / prefix)}
    if layout is not None:
        document["install_layout"] = layout
    assert receipt(tmp_path, **document).folder("uv") == tmp_path / expected


def test_updated() -> None:
    """A rewritten receipt names the new version, and keeps everything else, also what is new."""
    document = {"version": "0.5.0", "install_prefix": "/ü", "future": {"deep": [None, 1.5]}}
    text = receipt(Path("/x"), **document).updated("0.12.3")
    assert json.loads(text) == {**document, "version": "0.12.3"}
    assert text.endswith(b"}\n")
    assert document["version"] == "0.5.0"


def test_new() -> None:
    """A new receipt is that of a flat installation, and is read as one."""
    document = new_receipt(prefix=Path("/opt/uv"), version="0.12.3", executables=("uvx", "uv"))
    found = receipt(Path("/x"), **document)
    assert found.folder("uv") == Path("/opt/uv")
    assert document["version"] == "0.12.3"
    assert document["binaries"] == ["uvx", "uv"]
    assert document["source"]["owner"] == "astral-sh"


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o440])
def test_write_keeps_mode(tmp_path: Path, mode: int) -> None:
    """A file that is replaced keeps its mode, and nothing else is left in its folder."""
    path = tmp_path / NAME
    path.write_bytes(b"old")
    path.chmod(mode)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o7777 == mode
    assert list(tmp_path.iterdir()) == [path]


def test_write_new_file(tmp_path: Path) -> None:
    """A file that was not there can be read by everybody, as if it had been written at once."""
    write_atomically(tmp_path / NAME, b"new")
    assert (tmp_path / NAME).read_bytes() == b"new"
    assert (tmp_path / NAME).stat().st_mode & 0o7777 == 0o644


def test_write_replaces_rather_than_changes(tmp_path: Path) -> None:
    """Whoever has the old file open goes on to see the whole of it."""
    path = tmp_path / NAME
    path.write_bytes(b"old content")
    with path.open("rb") as reader:
        write_atomically(path, b"new")
        assert reader.read() == b"old content"


def test_write_keeps_link(tmp_path: Path) -> None:
    """A receipt that is a link to somewhere else stays one, and what it points to is replaced."""
    (tmp_path / "dotfiles").mkdir()
    real = tmp_path / "dotfiles" / "receipt.json"
    real.write_bytes(b"old")
    link = tmp_path / NAME
    link.symlink_to(real)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert list(real.parent.iterdir()) == [real]


@pytest.mark.parametrize("failing", ["fsync", "replace", "chmod"])
def test_write_that_fails(tmp_path: Path, failing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever fails, the old file is as it was, and nothing is left beside it."""
    path = tmp_path / NAME
    path.write_bytes(b"old")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os if failing == "fsync" else Path, failing, refuse)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_write_into_no_folder(tmp_path: Path) -> None:
    """A folder that is not there is an error, and is not made."""
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "gone" / NAME, b"new")
    assert list(tmp_path.iterdir()) == []
