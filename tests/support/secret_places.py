"""Every place that a secret may come from, in the home of somebody who uses all of them at once."""

from __future__ import annotations

import shlex
import ssl
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support.certificates import identity_file
from support.gossip import Gossip
from support.secrets_planted import toml

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from pathlib import Path

    import trustme

    from support.homes import Home
    from support.secrets_planted import Planted

KINDS = {
    "artifactory": "/artifactory/uv/",
    "astral": "/astral/",
    "auto": "/uv/",
    "github": "/owner/uv",
    "gitlab": "/group/uv",
    "gitea": "/owner/uv",
    "index": "/simple/",
    "listing": "/files/uv/",
    "nexus": "/repository/uv/",
    "s3": "/bucket/uv/",
    "urls": "/files/{tag}/{asset}",
}
"""Kind -> the path that its URL needs."""

_TOKENS = (
    *("CI_JOB_TOKEN", "GH_ENTERPRISE_TOKEN", "GH_TOKEN", "GITHUB_ENTERPRISE_TOKEN"),
    *("GITHUB_TOKEN", "UV_GITHUB_TOKEN", "UV_SELF_UPDATE_CLIENT_KEY_PASSPHRASE"),
)
_PROXY_MANNERS = ("403", "407", "500", "bad header", "bad status", "no HTTP", "no answer")


@dataclass(kw_only=True)
class Scene:
    """One home, and the servers that its sources are at."""

    home: Home
    planted: Planted
    stack: ExitStack
    authority: trustme.CA
    sources: list[str] = field(default_factory=list)
    """Tables of TOML."""

    netrc: list[str] = field(default_factory=list)
    servers: list[Gossip] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)
    given: set[Path] = field(default_factory=set)
    """The files that secrets were put into."""

    def serve(self, manner: str, *, encrypted: bool = False) -> Gossip:
        """Start a server at an address of its own, which nobody else has a login for."""
        context = None
        host = f"127.0.0.{len(self.servers) + 10}"
        if encrypted:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.authority.issue_cert(host).configure_cert(context)
        server = self.stack.enter_context(Gossip(self.planted, manner, host=host, context=context))
        self.servers.append(server)
        return server

    def write(self, path: Path, text: str, mode: int = 0o600) -> None:
        """Write a file with secrets in it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        self.given.add(path)

    def variable(self, secret: str) -> str:
        """Put a secret into a new variable, and return its name."""
        name = f"SECRET_{len(self.environ)}"
        self.environ[name] = secret
        return name

    def told(self) -> list[str]:
        """Return all that the servers were told."""
        return [request for server in self.servers for request in server.told]

    def add(self, kind: str, manner: str, place: str, *, encrypted: bool | None = None) -> str:
        """Configure a source whose login comes from a place, and return its URL.

        Args:
            kind: The kind of source.
            manner: How its server answers.
            place: Where its login comes from.
            encrypted: Whether by TLS; None for sometimes.
        """
        if encrypted is None:
            # uv keeps no login for an open line.
            encrypted = place == "store" or self.planted.random.random() < 0.3
        server = self.serve(manner, encrypted=encrypted)
        url = f"{server.url}{KINDS[kind]}"
        keys = {} if kind == "index" and "URL" not in place else PLACES[place](self, kind, url)
        url = keys.pop("url", url).strip('"')
        if kind == "urls":
            part = server.url.partition("://")[2]
            base = url.partition(part)[0] + part
            keys |= {"latest": toml(f"{base}/latest.json"), "release": toml(f"{base}/{{tag}}.json")}
        keys |= {"kind": toml(kind), ("download" if kind == "urls" else "url"): toml(url)}
        self.sources.append("\n".join(f"{key} = {value}" for key, value in keys.items()))
        return url

    def surround(self) -> None:
        """Put secrets wherever there may be some, and somebody may look at any time."""
        planted, home = self.planted, self.home
        for name in _TOKENS:
            self.environ.setdefault(name, planted.token())
        programs = {"keyring": (planted.word(), planted.password()), "gh": (planted.token(),)}
        for name, words in programs.items():
            quoted = " ".join(map(shlex.quote, words))
            end = planted.random.choice(("", " >&2; exit 1"))
            self.write(home.bin / name, f"#!/bin/sh\nprintf '%s\\n' {quoted}{end}\n", 0o755)
        self.environ["UV_KEYRING_PROVIDER"] = "subprocess"
        self.netrc += [
            f"machine h{n}.test login {planted.word()} password {planted.word()}" for n in range(3)
        ]
        self.netrc.append(f"default login {planted.word()} password {planted.word()}")
        self.netrc += planted.random.choice(([], [f"password {planted.word()} {planted.word()}"]))
        self.write(home.path / ".netrc", "\n".join([*self.netrc, ""]))
        self.environ["UV_DEFAULT_INDEX"] = f"http://{planted.login()}@127.0.0.9:9/simple/"
        self.environ["UV_INDEX_URL"] = f"http://{planted.login()}@127.0.0.9:9/simple/"

    def through_proxies(self) -> None:
        """Let somebody be between here and half of the servers, or nobody who can be reached."""
        planted, known = self.planted, self.servers[::2]
        proxy = self.serve(planted.random.choice(_PROXY_MANNERS))
        values = [
            f"http://{planted.login()}@{proxy.netloc}",
            f"http://{planted.login()}@{proxy.netloc}",
            f"{planted.login()}@{proxy.netloc}",
            f"socks5://{planted.login()}@{proxy.netloc}",
            f"socks4://{planted.login()}@{proxy.netloc}",
            f"http://u:{planted.word()}/{planted.word()}@{proxy.netloc}",
            f"http://{planted.word()} {planted.word()}@{proxy.netloc}",
            f"http://{planted.login()}@{proxy.netloc}x",
            f"https://{planted.login()}@{proxy.netloc}",
        ]
        one, other, third = planted.random.sample(values, 3)
        if planted.random.random() < 0.3:
            text = f"http-proxy = {toml(one)}\nhttps-proxy = {toml(other)}\n"
            self.write(self.home.path / ".config" / "uv" / "uv.toml", text)
        else:
            self.environ |= {"HTTP_PROXY": one, "https_proxy": other, "ALL_PROXY": third}
        direct = [server.netloc.partition(":")[0] for server in known]
        self.environ["NO_PROXY"] = ",".join(["127.0.0.1", *direct])

    def present_identity(self) -> None:
        """Have a client certificate whose key is encrypted; the passphrase may be wrong."""
        passphrase, wrong = self.planted.password(), self.planted.password()
        path = self.home.path / "me.pem"
        identity_file(self.authority.issue_cert("me.test"), path, passphrase=passphrase)
        self.given.add(path)
        named = self.planted.random.choice((passphrase, wrong))
        self.environ["UV_SELF_UPDATE_CLIENT_CERT"] = str(path)
        self.environ["UV_SELF_UPDATE_CLIENT_KEY_PASSPHRASE"] = named

    def configure(self) -> None:
        """Write the configuration, which others may sometimes read."""
        text = "\n".join(f"[[source]]\n{table}\n" for table in self.sources)
        self.write(self.home.config, text, self.planted.random.choice((0o600, 0o644)))


def _in_url(scene: Scene, _kind: str, url: str) -> dict[str, str]:
    scheme, _, rest = url.partition("://")
    return {"url": f"{scheme}://{scene.planted.login()}@{rest}"}


def _in_query(scene: Scene, kind: str, url: str) -> dict[str, str]:
    return {"url": url if kind == "index" else f"{url}?{scene.planted.query()}"}


def _in_both(scene: Scene, kind: str, url: str) -> dict[str, str]:
    return _in_query(scene, kind, _in_url(scene, kind, url)["url"])


def _in_token_variable(scene: Scene, _kind: str, _url: str) -> dict[str, str]:
    secret = scene.planted.random.choice((scene.planted.token, scene.planted.password))()
    return {"token-env": toml(scene.variable(secret))}


def _in_password_variable(scene: Scene, _kind: str, _url: str) -> dict[str, str]:
    name = scene.variable(scene.planted.password())
    return {"username": toml("robot"), "password-env": toml(name)}


def _in_header_variables(scene: Scene, _kind: str, _url: str) -> dict[str, str]:
    names = ("X-JFrog-Art-Api", "PRIVATE-TOKEN", "Cookie")
    pairs = [f"{name} = {toml(scene.variable(scene.planted.token()))}" for name in names]
    return {"header-env": f"{{ {', '.join(pairs)} }}"}


def _in_netrc(scene: Scene, _kind: str, _url: str) -> dict[str, str]:
    host = scene.servers[-1].netloc.partition(":")[0]
    login = f"login {scene.planted.word()} password {scene.planted.word()}"
    scene.netrc.append(f"machine {host} {login}")
    return {}


def _in_store(scene: Scene, _kind: str, url: str) -> dict[str, str]:
    folder = url.partition("{")[0]
    user, password = scene.planted.plain(), scene.planted.password()
    subprocess.run(
        [scene.home.uv, "auth", "login", folder, "--username", user, "--password", "-"],
        input=password,
        env=scene.home.full_environ(),
        capture_output=True,
        check=True,
        text=True,
    )
    scene.given.update((scene.home.path / ".local" / "share" / "uv").rglob("*"))
    return {}


def _nowhere(_scene: Scene, _kind: str, _url: str) -> dict[str, str]:
    """Leave it to the variables of each product, to programs, and to netrc's default."""
    return {}


def _of_the_product(scene: Scene, _kind: str, _url: str) -> dict[str, str]:
    server = scene.servers[-1]
    scene.environ |= {"GH_HOST": server.netloc, "CI_SERVER_URL": server.url}
    return {}


PLACES: dict[str, Callable[[Scene, str, str], dict[str, str]]] = {
    "URL": _in_url,
    "query": _in_query,
    "URL and query": _in_both,
    "token-env": _in_token_variable,
    "password-env": _in_password_variable,
    "header-env": _in_header_variables,
    "netrc": _in_netrc,
    "store": _in_store,
    "product": _of_the_product,
    "nowhere": _nowhere,
}
"""Each puts a login somewhere for a kind at a URL; returns keys of its `[[source]]`, in TOML."""


def misspelt(planted: Planted) -> list[str]:
    """Return URLs with a login or a signature in them, right ones and wrong ones."""
    place = "127.0.0.1:9/repository/uv/"
    return [
        f"https://{planted.login()}@{place}",
        f"https://{place}?{planted.signature()}",
        f"nexus+https://{planted.login()}@{place}",
        f"nexos+https://{planted.login()}@{place}",
        f"ftp://{planted.login()}@{place}",
        f"https://:{planted.in_url()}@{place}",
        f"https://{planted.login()}@127.0.0.1:x/repository/uv/",
        f"https://{planted.login()}@[127.0.0.1/repository/uv/",
        f"https://{planted.login()}@{place}{{file}}",
        f"https://{planted.login()}@",
        f"{planted.word()}:{planted.word()}@{place}",
        *(f"https://u:{planted.plain()}{sign}{planted.plain()}@{place}" for sign in "/#? \\\"'<["),
    ]
