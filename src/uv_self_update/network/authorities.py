"""PEM files of certificate authorities: what can be read of them, and what is wrong with the rest.

OpenSSL trusts nothing in a file in which one block is damaged, or in which two blocks have no line
break between them. uv uses the blocks that it can read, and so does this.
"""

from __future__ import annotations

import codecs
import datetime as dt
import re
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


_BLOCK = re.compile(
    rb"-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----"
    rb"(.*?)(-----END [A-Z0-9 ]*-----|(?=-----BEGIN )|\Z)",
    re.DOTALL,
)
"""A certificate of RFC 7468, or of OpenSSL's own kinds; the last group is empty without an end."""

_MARKS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
"""Byte order marks of what PowerShell's `>` writes. That of UTF-8 is no part of any block."""

# DER: https://www.itu.int/rec/T-REC-X.690, and the fields of RFC 5280 section 4.1.
_SEQUENCE, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0x17, 0x18
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_VERSION_3 = bytes.fromhex("a003020102")
_ALTERNATIVE_NAME = bytes.fromhex("0603551d11")
"""The object identifier of `subjectAltName`: it is a server's own certificate."""

_BASIC_CONSTRAINTS = bytes.fromhex("0603551d13")
_IS_AUTHORITY = bytes.fromhex("300f") + _BASIC_CONSTRAINTS + bytes.fromhex("0101ff040530030101ff")
"""The extension `basicConstraints`, critical, `CA:TRUE`."""

_LONG = 0x80


@dataclass(frozen=True, kw_only=True)
class Block:
    """One block of a PEM file."""

    number: int
    """From 1."""

    line: int
    """Where it begins, from 1."""

    der: bytes = b""
    """The certificate; empty if it cannot be read."""

    reason: str = ""
    """Why it cannot be read."""

    @property
    def place(self) -> str:
        """The block as a message names it, after the file."""
        return f"block {self.number} (line {self.line})"

    @property
    def until(self) -> dt.datetime | None:
        """The end of its validity; None where that cannot be read."""
        try:
            return _until(self.der)
        except (IndexError, ValueError):
            return None

    @property
    def as_authority(self) -> bytes | None:
        """The certificate as one that may issue others; None if it says itself what it is for.

        OpenSSL, and with it curl and Python, demands an extension that says so. A trust anchor is
        no more than a name and a key (RFC 5280 section 6.1.1 d), and so it is for uv. The signature
        does not fit the changed certificate: OpenSSL does not check that of a trust anchor.
        """
        try:
            return _with_extension(self.der)
        except IndexError:
            return None


def blocks_in(content: bytes) -> Iterator[Block]:
    """Yield the certificates of a PEM file, damaged ones too."""
    text = _plain(content)
    line, before = 1, 0
    for number, found in enumerate(_BLOCK.finditer(text), start=1):
        kind, body, end = found.groups()
        line, before = line + text.count(b"\n", before, found.start()), found.start()
        yield _block(number, line, body, kind=kind or b"", ended=bool(end))


def _plain(content: bytes) -> bytes:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace").encode()
    return content


def _block(number: int, line: int, body: bytes, *, kind: bytes, ended: bool) -> Block:
    def damaged(reason: str) -> Block:
        return Block(number=number, line=line, reason=reason)

    if not ended:
        return damaged("it has no `-----END CERTIFICATE-----`")
    if kind == b"TRUSTED ":
        # What OpenSSL adds may also say that it is not trusted.
        return damaged("it is in OpenSSL's own format (TRUSTED CERTIFICATE)")
    try:
        der = b64decode(b"".join(body.split()), validate=True)
    except ValueError:
        return damaged("it is not base64")
    try:
        _fields(der)
    except IndexError:
        return damaged("it is not a certificate")
    return Block(number=number, line=line, der=der)


@dataclass(frozen=True, kw_only=True)
class _Element:
    """A piece of DER: its tag, and where its content begins and ends."""

    tag: int
    begin: int
    end: int


def _element(data: bytes, at: int) -> _Element:
    """Read the element that begins at a place; raises IndexError."""
    length, begin = data[at + 1], at + 2
    if length & _LONG:
        size = length ^ _LONG
        length, begin = int.from_bytes(data[begin : begin + size]), begin + size
    if begin + length > len(data):
        raise IndexError
    return _Element(tag=data[at], begin=begin, end=begin + length)


def _fields(der: bytes) -> tuple[_Element, list[_Element]]:
    """Return the signed part of a certificate, and the fields of that; raises IndexError."""
    certificate = _element(der, 0)
    signed = _element(der, certificate.begin)
    if {certificate.tag, signed.tag} != {_SEQUENCE}:
        raise IndexError
    found, at = [], signed.begin
    while at < signed.end:
        found.append(_element(der, at))
        at = found[-1].end
    return signed, found


def _until(der: bytes) -> dt.datetime:
    """Return the end of a certificate's validity; raises IndexError or ValueError."""
    _, fields = _fields(der)
    validity = fields[3 + (fields[0].tag == _VERSION)]
    end = _element(der, _element(der, validity.begin).end)
    text = der[end.begin : end.end].decode("ascii")
    if end.tag == _UTC_TIME:
        # RFC 5280 section 4.1.2.5.1: years from 50 on are of the last century.
        text = ("19" if text[:2] >= "50" else "20") + text
    elif end.tag != _GENERALIZED_TIME:
        raise ValueError
    return dt.datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=dt.UTC)


def _with_extension(der: bytes) -> bytes | None:
    """Return a certificate with `CA:TRUE`; None if it says itself what it is; raises IndexError."""
    signed, fields = _fields(der)
    end, extensions = signed.end, b""
    if fields[-1].tag == _EXTENSIONS:
        end = fields[-2].end
        within = _element(der, fields[-1].begin)
        extensions = der[within.begin : within.end]
    if _BASIC_CONSTRAINTS in extensions or _ALTERNATIVE_NAME in extensions:
        return None
    begin = fields[0].end if fields[0].tag == _VERSION else signed.begin
    added = _encoded(_EXTENSIONS, _encoded(_SEQUENCE, extensions + _IS_AUTHORITY))
    content = _encoded(_SEQUENCE, _VERSION_3 + der[begin:end] + added)
    return _encoded(_SEQUENCE, content + der[signed.end : _element(der, 0).end])


def _encoded(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < _LONG:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, _LONG | len(length)]) + length + content
