"""Random secrets, and how each place writes them; and whether a text gives one of them away."""

from __future__ import annotations

import json
import random
import re
import string
from base64 import b64decode
from urllib.parse import quote, unquote

_LETTERS = string.ascii_letters + string.digits
_CORE = 16
_SIGNS = "@:/%#'\"<>\\$&;+=?!~|^`*(),"
_NO_SIGNS_OF_URLS = "@:/%$&;+=!~*"
_FOREIGN = "äßé€文😀"
_RAW = "!$&'()*+,;=:@\"<>`|^\\"
"""What people leave as it is in the login of a URL, and clients put up with."""

_RUN = re.compile(rf"[a-z0-9]{{{_CORE},}}")
"""What may contain a word: quicker than to look for each of them."""

_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{20,}")


def toml(text: str) -> str:
    """Write text as a basic string of TOML (https://toml.io/en/v1.0.0#string)."""
    return json.dumps(text, ensure_ascii=False)


class Planted:
    """Every secret of one run; the same for the same seed.

    Each has two random words in it with signs before, between and after them, so that half of it
    is found as well.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 # it has to come out the same again
        self.count = 0
        """How many there are."""

        self._words: dict[str, str] = {}
        """Each in lower case -> as it is."""

    def token(self) -> str:
        """Return one that a header can carry as it is (RFC 9110 section 5.5)."""
        return self._secret(_SIGNS + " ").strip()

    def password(self) -> str:
        """Return one of any signs that a line can hold."""
        return self._secret(_SIGNS + _FOREIGN + " ")

    def word(self) -> str:
        """Return one without white space, quotes and backslashes, as netrc can hold it."""
        return self._secret(_NO_SIGNS_OF_URLS)

    def plain(self) -> str:
        """Return one of letters and digits, as most servers make them."""
        return self._secret("")

    def in_url(self) -> str:
        """Return one as it stands in the login of a URL, encoded as much as it has to be."""
        safe = self.random.choice(("", _RAW))
        return quote(self._secret(_SIGNS + _FOREIGN + " "), safe=safe)

    def login(self) -> str:
        """Return what stands before the `@` of a URL: a user and a password, or a token alone."""
        alone = self.random.random() < 0.3
        return quote(self.plain()) if alone else f"{quote(self.word(), safe='')}:{self.in_url()}"

    def query(self) -> str:
        """Return a query that opens what it leads to, whatever it is called."""
        name = self.random.choice(("Policy", "k", "x-id"))
        return f"{name}={quote(self.password(), safe='/:@+')}&{self.signature()}"

    def signature(self) -> str:
        """Return the query of a signed URL."""
        name = self.random.choice(("X-Amz-Signature", "sig", "access_token"))
        return f"{name}={quote(self.password(), safe=self.random.choice(('', '/:@+')))}&se=1"

    def found_in(self, *texts: str) -> set[str]:
        """Return the words of secrets that somebody could read out of texts.

        They are looked for as they are, percent-encoded, and in whatever is base64.
        """
        return {word for text in texts for form in _forms(text) for word in self._in(form)}

    def _in(self, text: str) -> set[str]:
        pieces = (
            run[start : start + _CORE]
            for run in _RUN.findall(text.lower())
            for start in range(len(run) - _CORE + 1)
        )
        return {self._words[piece] for piece in pieces if piece in self._words}

    def _secret(self, signs: str) -> str:
        self.count += 1
        words = self._word(), self._word()
        before, between, after = (
            "".join(self.random.choices(signs, k=self.random.randint(0, 3))) if signs else ""
            for _ in range(3)
        )
        return f"{before}{words[0]}{between}{words[1]}{after}"

    def _word(self) -> str:
        # A letter and a digit are in each, as in what a server makes.
        word = "".join(self.random.choices(_LETTERS, k=_CORE - 2))
        word += self.random.choice(string.ascii_letters) + self.random.choice(string.digits)
        self._words[word.lower()] = word
        return word


def _forms(text: str) -> list[str]:
    forms = [text, unquote(text)]
    for run in _ENCODED.findall(forms[1]):
        standard = run.replace("-", "+").replace("_", "/")
        for offset in range(4):
            piece = standard[offset:]
            piece = piece[: len(piece) // 4 * 4]
            forms.append(b64decode(piece).decode(errors="replace"))
            # The last group may be short of its padding.
            rest = standard[offset + len(piece) :]
            if len(rest) > 1:
                end = piece + rest + "=" * (4 - len(rest))
                forms.append(b64decode(end).decode(errors="replace"))
    return forms
