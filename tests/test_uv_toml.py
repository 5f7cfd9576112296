"""What uv's own configuration says about the network, and where it is looked for."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support import binaries
from uv_self_update.uv import configuration as uv_toml
from uv_self_update.uv.configuration import UvToml, read

SECRET = "s3cretpassw0rd"  # noqa: S105 # planted, to be looked for


@pytest.fixture(autouse=True)
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put an empty folder in the place of `/etc`."""
    monkeypatch.setattr(uv_toml, "_ETC", tmp_path / "etc")
    return tmp_path / "etc"


def write(folder: Path, text: str) -> str:
    """Write a `uv.toml` into a configuration folder, and return its path."""
    path = folder / "uv" / "uv.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return str(path)


def proxy_of(environ: dict[str, str], *, windows: bool = False) -> tuple[str | None, str | None]:
    """Return the proxy that is found, and where."""
    found = read(environ, windows=windows)
    return found.http_proxy, found.origins.get("http-proxy")


def test_every_key(tmp_path: Path) -> None:
    """Each key is read as it was written, and it is known where it stands."""
    path = write(
        tmp_path / ".config",
        'http-proxy = "http://a:1"\nhttps-proxy = "http://b:2"\nno-proxy = ["c", "d"]\n'
        'allow-insecure-host = ["e:3", "https://f"]\nkeyring-provider = "subprocess"\n'
        'index-url = "https://g"\n[pip]\nkeyring-provider = "disabled"\n',
    )

    keys = ("http-proxy", "https-proxy", "no-proxy", "allow-insecure-host", "keyring-provider")
    assert read({"HOME": str(tmp_path)}, windows=False) == UvToml(
        http_proxy="http://a:1",
        https_proxy="http://b:2",
        no_proxy=("c", "d"),
        insecure_hosts=("e:3", "https://f"),
        keyring_provider="subprocess",
        origins=dict.fromkeys(keys, path),
    )


def test_nothing_configured(caplog: pytest.LogCaptureFixture) -> None:
    """Without any file there is nothing to say, and nothing to warn of."""
    assert read({}, windows=False) == read({}, windows=True) == UvToml()
    assert not caplog.messages


def test_user_before_system(tmp_path: Path, etc: Path) -> None:
    """The user's strings replace the system's, and the user's arrays come before them."""
    system = write(
        etc, 'http-proxy = "http://s"\nhttps-proxy = "http://s"\nno-proxy = ["s", "both"]'
    )
    user = write(tmp_path / ".config", 'http-proxy = "http://u"\nno-proxy = ["u", "both"]')

    assert read({"HOME": str(tmp_path)}, windows=False) == UvToml(
        http_proxy="http://u",
        https_proxy="http://s",
        no_proxy=("u", "both", "s", "both"),
        origins={
            "http-proxy": user,
            "https-proxy": system,
            "no-proxy": f"{user} and {system}",
        },
    )


def test_folder_of_the_user(tmp_path: Path) -> None:
    """`XDG_CONFIG_HOME` stands for `~/.config` if it is absolute, even if nothing is there."""
    home = write(tmp_path / ".config", 'http-proxy = "http://home"')
    other = write(tmp_path / "other", 'http-proxy = "http://other"')
    environ = {"HOME": str(tmp_path)}

    assert proxy_of(environ) == ("http://home", home)
    for ignored in ("", "relative"):
        assert proxy_of({**environ, "XDG_CONFIG_HOME": ignored}) == ("http://home", home)
    assert proxy_of({"XDG_CONFIG_HOME": str(tmp_path / "other")}) == ("http://other", other)
    assert proxy_of({**environ, "XDG_CONFIG_HOME": str(tmp_path / "none")}) == (None, None)


def test_folders_of_the_system(tmp_path: Path, etc: Path) -> None:
    """Of the system's files only the first is read: `XDG_CONFIG_DIRS`, else /etc/xdg, then /etc."""
    places = {
        name: write(folder, f'http-proxy = "http://{name}"')
        for name, folder in {"b": tmp_path / "b", "c": tmp_path / "c", "etc": etc}.items()
    }
    named = f":{tmp_path / 'a'}::{tmp_path / 'b'}:{tmp_path / 'c'}"

    assert proxy_of({"XDG_CONFIG_DIRS": named}) == ("http://b", places["b"])
    assert proxy_of({"XDG_CONFIG_DIRS": str(tmp_path / "a")}) == ("http://etc", places["etc"])
    assert proxy_of({}) == ("http://etc", places["etc"])
    xdg = write(etc / "xdg", 'http-proxy = "http://xdg"')
    assert proxy_of({"XDG_CONFIG_DIRS": ""}) == ("http://xdg", xdg)
    assert proxy_of({"XDG_CONFIG_DIRS": str(tmp_path / "a")}) == ("http://etc", places["etc"])


def test_folders_on_windows(tmp_path: Path, etc: Path) -> None:
    """On Windows the folders are Windows' own, and those of other systems mean nothing."""
    write(etc, 'http-proxy = "http://etc"')
    write(tmp_path / ".config", 'http-proxy = "http://home"')
    data = write(tmp_path / "ProgramData", 'http-proxy = "http://data"')
    profile = write(tmp_path / "AppData" / "Roaming", 'http-proxy = "http://profile"')
    roaming = write(tmp_path / "roaming", 'http-proxy = "http://roaming"')
    environ = {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / ".config"),
        "PROGRAMDATA": str(tmp_path / "ProgramData"),
    }

    assert proxy_of(environ, windows=True) == ("http://data", data)
    environ["USERPROFILE"] = str(tmp_path)
    assert proxy_of(environ, windows=True) == ("http://profile", profile)
    environ["APPDATA"] = str(tmp_path / "roaming")
    assert proxy_of(environ, windows=True) == ("http://roaming", roaming)


@pytest.mark.parametrize("yes", ["1", "true", "TRUE", "t", "yes", "y", "on"])
def test_no_configuration(tmp_path: Path, etc: Path, yes: str) -> None:
    """With `UV_NO_CONFIG` nothing is looked for; what is no yes changes nothing."""
    write(etc, 'http-proxy = "http://etc"')
    home = write(tmp_path / ".config", 'http-proxy = "http://home"')
    environ = {"HOME": str(tmp_path)}

    assert proxy_of({**environ, "UV_NO_CONFIG": yes}) == (None, None)
    for no in ("", "0", "false", "whatever"):
        assert proxy_of({**environ, "UV_NO_CONFIG": no}) == ("http://home", home)


def test_no_configuration_of_the_system(tmp_path: Path, etc: Path) -> None:
    """With `UV_NO_SYSTEM_CONFIG` the system's file is not looked for, and the user's is."""
    write(etc, 'http-proxy = "http://etc"\nhttps-proxy = "http://etc"')
    home = write(tmp_path / ".config", 'http-proxy = "http://home"')
    environ = {"HOME": str(tmp_path)}

    assert read(environ, windows=False).https_proxy == "http://etc"
    assert read({**environ, "UV_NO_SYSTEM_CONFIG": "0"}, windows=False).https_proxy == "http://etc"
    told = {**environ, "UV_NO_SYSTEM_CONFIG": "True"}
    assert read(told, windows=False).https_proxy is None
    assert proxy_of(told) == ("http://home", home)


def test_named_file(tmp_path: Path, etc: Path) -> None:
    """The file that `UV_CONFIG_FILE` names is the only one, whatever UV_NO_CONFIG says."""
    write(etc, 'http-proxy = "http://etc"\nhttps-proxy = "http://etc"')
    write(tmp_path / ".config", 'http-proxy = "http://home"')
    named = tmp_path / "named.toml"
    named.write_text('http-proxy = "http://named"')
    environ = {"HOME": str(tmp_path), "UV_CONFIG_FILE": str(named)}

    assert read(environ, windows=False).https_proxy is None
    assert proxy_of(environ) == ("http://named", str(named))
    assert proxy_of({**environ, "UV_NO_CONFIG": "1"}) == ("http://named", str(named))
    assert proxy_of({**environ, "UV_CONFIG_FILE": ""})[0] == "http://home"


def test_project_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration of a project that one stands in decides nothing."""
    (tmp_path / "uv.toml").write_text('http-proxy = "http://project"')
    (tmp_path / "pyproject.toml").write_text('[tool.uv]\nhttp-proxy = "http://project"')
    monkeypatch.chdir(tmp_path)

    assert read({"HOME": str(tmp_path)}, windows=False) == UvToml()


def test_keyring_variable(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """`UV_KEYRING_PROVIDER` comes before the files, unless it is none of the words."""
    path = write(tmp_path / ".config", 'keyring-provider = "subprocess"')

    def provider(value: str, **more: str) -> tuple[str | None, str | None]:
        environ = {"HOME": str(tmp_path), "UV_KEYRING_PROVIDER": value, **more}
        found = read(environ, windows=False)
        return found.keyring_provider, found.origins.get("keyring-provider")

    assert provider("disabled") == ("disabled", "UV_KEYRING_PROVIDER")
    assert provider("subprocess", UV_NO_CONFIG="1") == ("subprocess", "UV_KEYRING_PROVIDER")
    assert provider("") == ("subprocess", path)
    assert not caplog.messages
    assert provider(SECRET) == ("subprocess", path)
    expected = "expected `disabled` or `subprocess`"
    assert caplog.messages == [f"UV_KEYRING_PROVIDER: ignoring `keyring-provider`: {expected}"]


@pytest.mark.parametrize(
    ("key", "value", "due"),
    [
        ("http-proxy", "3", "a string"),
        ("https-proxy", f'["http://me:{SECRET}@p"]', "a string"),
        ("no-proxy", f'"{SECRET}"', "an array of strings"),
        ("no-proxy", '["a", 3]', "an array of strings"),
        ("allow-insecure-host", '{ a = "b" }', "an array of strings"),
        ("keyring-provider", f'"{SECRET}"', "`disabled` or `subprocess`"),
        ("keyring-provider", "true", "`disabled` or `subprocess`"),
    ],
)
def test_wrong_type(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, key: str, value: str, due: str
) -> None:
    """A value of the wrong type is warned of, by file and key; everything else is used."""
    path = write(tmp_path / ".config", f"{key} = {value}")
    with Path(path).open("a") as file:
        file.write('\n"http-proxy" = "http://p"' if key != "http-proxy" else '\nno-proxy = ["h"]')

    found = read({"HOME": str(tmp_path)}, windows=False)

    assert caplog.messages == [f"{path}: ignoring `{key}`: expected {due}"]
    assert (found.http_proxy, found.no_proxy) == (
        ("http://p", ()) if key != "http-proxy" else (None, ("h",))
    )
    assert key not in found.origins


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"http-proxy = \xff", "it is not UTF-8"),
        (f"http-proxy = {SECRET}".encode(), "it is not TOML (at line 1, column 14)"),
        (f'"{SECRET}" = 1\n"{SECRET}" = 2'.encode(), "it is not TOML (at end of document)"),
        (b"a = " + b"[" * 100_000, "it is not TOML"),
    ],
)
def test_unusable_file(
    tmp_path: Path, etc: Path, caplog: pytest.LogCaptureFixture, content: bytes, reason: str
) -> None:
    """A file that is no TOML is warned of, without a word of what is in it; the others are used."""
    write(etc, 'http-proxy = "http://etc"')
    path = write(tmp_path / ".config", "")
    Path(path).write_bytes(content)

    assert proxy_of({"HOME": str(tmp_path)})[0] == "http://etc"
    assert caplog.messages == [f"ignoring uv's configuration {path}: {reason}"]


def test_byte_order_mark(tmp_path: Path) -> None:
    """A byte order mark, which editors on Windows write, does no harm."""
    path = write(tmp_path / ".config", '\ufeffhttp-proxy = "http://p"\r\n')

    assert proxy_of({"HOME": str(tmp_path)}) == ("http://p", path)


def test_unreadable_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that was named has to be there; another may be missing, or be a folder."""
    (tmp_path / ".config" / "uv" / "uv.toml").mkdir(parents=True)
    assert read({"HOME": str(tmp_path)}, windows=False) == UvToml()
    assert not caplog.messages

    assert read({"UV_CONFIG_FILE": str(tmp_path / "none.toml")}, windows=False) == UvToml()
    assert read({"UV_CONFIG_FILE": str(tmp_path)}, windows=False) == UvToml()
    ignored, reason = "ignoring uv's configuration", "it cannot be read"
    with pytest.raises(FileNotFoundError) as missing:
        (tmp_path / "none.toml").stat()
    directory = "Permission denied" if os.name == "nt" else "Is a directory"
    assert caplog.messages == [
        f"{ignored} {tmp_path / 'none.toml'}: {reason}: {missing.value.strerror}",
        f"{ignored} {tmp_path}: {reason}: {directory}",
    ]


def test_no_login_in_repr() -> None:
    """A proxy may hold a login, so it is not shown."""
    assert SECRET not in repr(UvToml(http_proxy=f"me:{SECRET}@p", https_proxy=SECRET))


VALUES = st.recursive(
    st.just(f'"http://me:{SECRET}@p"') | st.just(SECRET) | st.integers().map(str) | st.text(),
    lambda values: st.lists(values, max_size=3).map(lambda many: f"[{', '.join(many)}]"),
    max_leaves=5,
)
KEYS = st.sampled_from(
    ["http-proxy", "https-proxy", "no-proxy", "allow-insecure-host", "keyring-provider", "x", ""]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.tuples(KEYS, VALUES), max_size=4))
def test_any_file_can_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, lines: list[tuple[str, str]]
) -> None:
    """Whatever a file holds, reading it raises nothing, and no warning repeats a value."""
    caplog.clear()
    path = tmp_path / "uv.toml"
    path.write_text("\n".join(f"{key} = {value}" for key, value in lines), encoding="utf-8")

    found = read({"UV_CONFIG_FILE": str(path)}, windows=False)

    assert isinstance(found, UvToml)
    assert SECRET not in caplog.text


def test_real_uv_reads_the_same_files(
    tmp_path: Path, etc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real uv reads the same files in each environment, wherever it is started."""
    uv = binaries.executables(binaries.newest()) / "uv"
    home = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    write(tmp_path / ".config", 'http-proxy = "http://p"')
    write(tmp_path / "other", 'no-proxy = ["h"]')
    write(tmp_path / "system", 'keyring-provider = "disabled"')
    other, system = str(tmp_path / "other"), str(tmp_path / "system")
    named = {"UV_CONFIG_FILE": f"{other}/uv/uv.toml"}
    # So that neither looks into the machine's own /etc.
    shared = {"XDG_CONFIG_DIRS": f":{etc}::{system}:{other}"}
    monkeypatch.chdir(other)
    environs: list[dict[str, str]] = [
        {**home, **shared},
        {**home, **shared, "XDG_CONFIG_HOME": other},
        {**home, **shared, "XDG_CONFIG_HOME": "other"},
        {**home, **shared, "XDG_CONFIG_HOME": f"{other}/none"},
        {**home, **shared, "UV_NO_CONFIG": "yes"},
        {**home, **shared, "UV_NO_CONFIG": "0"},
        {**home, **shared, **named},
        {**home, **shared, **named, "UV_NO_CONFIG": "1"},
    ]

    for environ in environs:
        done = subprocess.run(
            [uv, "--verbose", "cache", "dir"],
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )
        read_by_uv = re.findall(
            r"(?:Found|Reading) \w+ configuration (?:in|from): (.*)", done.stderr
        )
        read_here = set(read(environ, windows=False).origins.values())
        assert set(read_by_uv) == read_here, environ
