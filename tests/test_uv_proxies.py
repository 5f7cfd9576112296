"""uv's rules for proxy variables: our table of them, and real versions of uv."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from support.homes import base_environment
from support.stand import uv_of
from support.web import Web
from uv_self_update.uv.proxies import UvProxies, environment_through, plain_hosts

if TYPE_CHECKING:
    from pathlib import Path

NAME, ADDRESS = "h.test", "127.9.8.7"

ROWS: list[tuple[dict[str, str], str, str, str]] = [
    ({}, NAME, "", ""),
    ({"HTTP_PROXY": "A"}, NAME, "A", "A"),
    ({"http_proxy": "A"}, NAME, "A", "A"),
    ({"HTTP_PROXY": "A", "http_proxy": "B"}, NAME, "A", "A"),
    ({"HTTP_PROXY": "", "http_proxy": "B"}, NAME, "B", ""),
    ({"HTTP_PROXY": "no url", "http_proxy": "B"}, NAME, "B", ""),
    ({"HTTP_PROXY": "no url", "ALL_PROXY": "C"}, NAME, "C", "C"),
    ({"ALL_PROXY": "C"}, NAME, "C", "C"),
    ({"all_proxy": "C"}, NAME, "C", "C"),
    ({"ALL_PROXY": "", "all_proxy": "C"}, NAME, "C", ""),
    ({"HTTP_PROXY": "A", "ALL_PROXY": "C"}, NAME, "A", "A"),
    ({"HTTP_PROXY": "", "ALL_PROXY": "C"}, NAME, "C", "C"),
    ({"http_proxy": "A", "ALL_PROXY": "C"}, NAME, "A", "A"),
    ({"HTTPS_PROXY": "A"}, NAME, "", ""),
    ({"HTTP_PROXY": "A", "REQUEST_METHOD": "GET"}, NAME, "", ""),
    ({"http_proxy": "A", "REQUEST_METHOD": ""}, NAME, "", ""),
    ({"ALL_PROXY": "C", "REQUEST_METHOD": "GET"}, NAME, "C", ""),
    ({"HTTP_PROXY": "A", "NO_PROXY": "*"}, NAME, "", ""),
    ({"HTTP_PROXY": "A", "NO_PROXY": "*,x"}, NAME, "", ""),
    ({"HTTP_PROXY": "A", "NO_PROXY": "h.test"}, NAME, "", ""),
    ({"HTTP_PROXY": "A", "NO_PROXY": ".test"}, NAME, "", ""),
    ({"HTTP_PROXY": "A", "NO_PROXY": "test"}, NAME, "", ""),
    ({"HTTP_PROXY": "A", "NO_PROXY": "a, h.test"}, NAME, "", ""),
    ({"HTTP_PROXY": "A", "no_proxy": "h.test"}, NAME, "", ""),
    ({"HTTP_PROXY": "A", "NO_PROXY": "", "no_proxy": "h.test"}, NAME, "A", "A"),
    ({"HTTP_PROXY": "A", "NO_PROXY": "other", "no_proxy": "h.test"}, NAME, "A", "A"),
    ({"HTTP_PROXY": "A", "NO_PROXY": "est"}, NAME, "A", "A"),
    ({"HTTP_PROXY": "A", "NO_PROXY": "h.test:80"}, NAME, "A", "A"),
    ({"HTTP_PROXY": "A", "NO_PROXY": "*.test"}, NAME, "A", "A"),
    ({"HTTP_PROXY": "A", "NO_PROXY": "h.test."}, NAME, "A", "A"),
    ({"HTTP_PROXY": "A", "NO_PROXY": "..test"}, NAME, "A", "A"),
    ({"HTTP_PROXY": "A", "NO_PROXY": "a h.test"}, NAME, "A", "A"),
    ({"HTTP_PROXY": "A", "NO_PROXY": "*"}, ADDRESS, "A", "A"),
    ({"HTTP_PROXY": "A", "NO_PROXY": "127.9.8.7"}, ADDRESS, "", ""),
    ({"HTTP_PROXY": "A", "NO_PROXY": "127.9.0.0/16"}, ADDRESS, "", ""),
    ({"HTTP_PROXY": "A", "NO_PROXY": "127.9.7.0/24"}, ADDRESS, "A", "A"),
    ({"HTTP_PROXY": "A", "NO_PROXY": "127.9.8"}, ADDRESS, "A", "A"),
    ({"HTTP_PROXY": "A", "NO_PROXY": ".8.7"}, ADDRESS, "A", "A"),
    ({"HTTP_PROXY": "A", "NO_PROXY": "[::1]"}, "[::1]", "A", "A"),
    ({"HTTP_PROXY": "A", "NO_PROXY": "::1"}, "[::1]", "", ""),
]
"""Variables, host, the proxy that uv before 0.8.24 asks, and the one that it asks from then on."""


SECURE_ROWS: list[tuple[dict[str, str], str, str, str]] = [
    ({}, NAME, "", ""),
    ({"HTTPS_PROXY": "A"}, NAME, "A", "A"),
    ({"https_proxy": "A"}, NAME, "A", "A"),
    ({"HTTPS_PROXY": "A", "https_proxy": "B"}, NAME, "A", "A"),
    ({"HTTPS_PROXY": "", "https_proxy": "B"}, NAME, "B", ""),
    ({"HTTPS_PROXY": "no url", "ALL_PROXY": "C"}, NAME, "C", "C"),
    ({"HTTPS_PROXY": "", "ALL_PROXY": "C"}, NAME, "C", "C"),
    ({"all_proxy": "C"}, NAME, "C", "C"),
    ({"HTTP_PROXY": "A"}, NAME, "", ""),
    ({"HTTPS_PROXY": "A", "NO_PROXY": "*"}, NAME, "", ""),
    ({"HTTPS_PROXY": "A", "NO_PROXY": ".test"}, NAME, "", ""),
    ({"HTTPS_PROXY": "A", "NO_PROXY": "", "no_proxy": "h.test"}, NAME, "A", "A"),
    ({"HTTPS_PROXY": "A", "NO_PROXY": "127.9.8.7"}, ADDRESS, "", ""),
    ({"HTTPS_PROXY": "A", "NO_PROXY": "*"}, ADDRESS, "A", "A"),
]
"""The same for an https URL."""


def named(environ: dict[str, str], urls: dict[str, str]) -> dict[str, str]:
    """Return variables in which the letters are the URLs of proxies."""
    return {name: urls.get(value, value) for name, value in environ.items()}


@pytest.mark.parametrize(("environ", "host", "before", "since"), ROWS)
def test_rules(environ: dict[str, str], host: str, before: str, since: str) -> None:
    """Our table says what real versions of uv do."""
    urls = {letter: f"http://{letter}.example:3128" for letter in "ABC"}
    for numbers, expected in (((0, 8, 23), before), ((0, 8, 24), since), ((), since)):
        proxies = UvProxies.of(named(environ, urls), numbers=numbers)
        assert proxies.for_host(host) == urls.get(expected)


@pytest.mark.parametrize(("environ", "host", "before", "since"), SECURE_ROWS)
def test_rules_for_https(environ: dict[str, str], host: str, before: str, since: str) -> None:
    """Our table says what real versions of uv do with https URLs."""
    urls = {letter: f"http://{letter}.example:3128" for letter in "ABC"}
    for numbers, expected in (((0, 5, 0), before), ((0, 11, 13), since)):
        proxies = UvProxies.of(named(environ, urls), numbers=numbers)
        assert proxies.for_secure_host(host) == urls.get(expected)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "all_proxy"])
def test_https_in_a_cgi_script(name: str) -> None:
    """The user's proxy for https goes on to count where we remove what disables it."""
    proxies = UvProxies.of({name: "http://a.example:3128", "REQUEST_METHOD": "GET"})

    assert proxies.for_secure_host(NAME) == "http://a.example:3128"
    assert proxies.for_host(NAME) is None


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "rows"), [("http", ROWS), ("https", SECURE_ROWS)])
@pytest.mark.parametrize("version", ["0.5.0", "0.8.24", "0.11.13", "newest"])
def test_real_uv(
    version: str, scheme: str, rows: list[tuple[dict[str, str], str, str, str]], tmp_path: Path
) -> None:
    """A real uv asks the proxy of the table, for each row of it."""

    def asked(row: tuple[dict[str, str], str, str, str]) -> str:
        environ, host, _, _ = row
        with ExitStack() as stack:
            webs = {letter: stack.enter_context(Web()) for letter in "ABC"}
            urls = {letter: web.url for letter, web in webs.items()}
            common = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "UV_HTTP_RETRIES": "0"}
            index = f"{scheme}://{host}{':9' if host != NAME else ''}/simple/"
            subprocess.run(
                [uv_of(version), "pip", "compile", "-q", "--index-url", index, "-"],
                env={**base_environment(), **common, **named(environ, urls)},
                input=b"nothing",
                capture_output=True,
                timeout=60,
                check=False,
            )
            return "".join(letter for letter, web in webs.items() if web.asked)

    first, *rest = rows  # the first puts what uv has to know of Python into its cache
    found = [asked(first)]
    with ThreadPoolExecutor(len(rest)) as pool:  # uv 0.5.0 waits before it tries again
        found += pool.map(asked, rest)

    old = version == "0.5.0"
    assert found == [before if old else since for _, _, before, since in rows]


OURS = "github.com.uv-self-update.invalid"
GATE = "http://uv:x@127.0.0.1:1"


@pytest.mark.parametrize(
    ("environ", "changed"),
    [
        ({}, {}),
        ({"HTTPS_PROXY": "S", "NO_PROXY": "intranet"}, {}),
        ({"NO_PROXY": "", "no_proxy": "intranet"}, {}),
        ({"ALL_PROXY": "C", "HTTPS_PROXY": "S"}, {}),
        ({"REQUEST_METHOD": "GET"}, {"REQUEST_METHOD": None}),
        ({"NO_PROXY": "invalid,a"}, {"NO_PROXY": "a", "no_proxy": "a"}),
        ({"no_proxy": f"{OURS}, b"}, {"NO_PROXY": "b", "no_proxy": "b"}),
        ({"NO_PROXY": ".uv-self-update.invalid"}, {"NO_PROXY": None}),
        (
            {"NO_PROXY": "*", "HTTPS_PROXY": "S", "all_proxy": "C"},
            {"NO_PROXY": None, "HTTPS_PROXY": None, "all_proxy": None},
        ),
    ],
)
def test_environment(environ: dict[str, str], changed: dict[str, str | None]) -> None:
    """Plain http goes to our proxy, and what is not in its way stays as it was."""
    given = {**environ, "http_proxy": "http://old:1"}
    result = environment_through(given, GATE, [OURS])

    expected = {**given, "HTTP_PROXY": GATE, "http_proxy": GATE, **changed}
    assert result == {name: value for name, value in expected.items() if value is not None}
    assert UvProxies.of(result).for_host(OURS) == GATE


@pytest.mark.parametrize("exempt", ["", "*", "github.com", ".com,a", "intranet"])
def test_environment_for_https(exempt: str) -> None:
    """Both go to our proxy where both have to, whatever the user has set for https."""
    given = {"https_proxy": "http://old:1", "ALL_PROXY": "http://old:2", "NO_PROXY": exempt}
    result = environment_through(given, GATE, [OURS, "github.com"], https=True)

    proxies = UvProxies.of(result)
    assert proxies.for_host(OURS) == proxies.for_secure_host("github.com") == GATE
    assert result["https_proxy"] == GATE
    assert result.get("NO_PROXY", "") == {".com,a": "a", "intranet": "intranet"}.get(exempt, "")


def test_hosts_of_indexes() -> None:
    """The hosts of plain http among uv's variables are found, with names and several URLs."""
    environ = {
        "UV_INDEX": "mine=http://a.example/simple https://b.example/",
        "UV_DEFAULT_INDEX": "http://u:p@c.example:80/",
        "UV_FIND_LINKS": "http://d.example/x,/a/b",
        "UV_EXTRA_INDEX_URL": "http://[bad",
    }

    assert [*plain_hosts(environ)] == ["a.example", "c.example", "d.example"]
