"""PEM files of certificate authorities, read block by block.

OpenSSL rejects a whole file if one block is damaged, or if two blocks have no line break between
them. Like uv, this module uses the valid blocks.
"""

from __future__ import annotations

import codecs
import datetime as dt
import re
from base64 import b64decode
from contextlib import suppress
from typing import TYPE_CHECKING

from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator


_BLOCK = re.compile(
    rb"-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----"
    rb"(.*?)(-----END [A-Z0-9 ]*-----|(?=-----BEGIN )|\Z)",
    re.DOTALL,
)
"""A certificate of RFC 7468, or in a format of OpenSSL; the last group is empty without an end."""

_OF_OPENSSL = b"TRUSTED "

_MARKS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
"""The byte order marks of files written by `>` in PowerShell."""

# DER: https://www.itu.int/rec/T-REC-X.690, and the fields of RFC 5280 section 4.1.
_SEQUENCE, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0x17, 0x18
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_VERSION_3 = bytes.fromhex("a003020102")
_ALTERNATIVE_NAME = bytes.fromhex("0603551d11")
"""The object identifier of `subjectAltName`, which certificates of servers have."""

_BASIC_CONSTRAINTS = bytes.fromhex("0603551d13")
_IS_AUTHORITY = bytes.fromhex("300f") + _BASIC_CONSTRAINTS + bytes.fromhex("0101ff040530030101ff")
"""The extension `basicConstraints`, critical, `CA:TRUE`."""

_LONG = 0x80


@frozen
class Block:
    """One block of a PEM file."""

    number: int
    """From 1."""

    line: int
    """The line of its start, from 1."""

    der: bytes = b""
    """The certificate; empty if the block is damaged."""

    reason: str = ""
    """The reason why it is unusable."""

    @property
    def label(self) -> str:
        """The name of the block in messages."""
        return f"block {self.number} (line {self.line})"

    @property
    def until(self) -> dt.datetime | None:
        """The end of its validity; None if that is unreadable."""
        try:
            return _until(self.der)
        except (IndexError, ValueError):
            return None

    @property
    def as_authority(self) -> bytes | None:
        """The certificate with `CA:TRUE` added; None if its extensions state its purpose.

        OpenSSL, and therefore curl and Python, requires this extension of an authority. By RFC 5280
        section 6.1.1 d, and in uv, a trust anchor is only a name and a key. The signature becomes
        invalid, but OpenSSL does not verify the signature of a trust anchor.
        """
        try:
            return _with_extension(self.der)
        except IndexError:
            return None


def blocks_in(content: bytes) -> Iterator[Block]:
    """Yield the certificates of a PEM file, including damaged ones."""
    text = _plain(content)
    line, before = 1, 0
    for number, found in enumerate(_BLOCK.finditer(text), start=1):
        kind, body, end = found.groups()
        line, before = line + text.count(b"\n", before, found.start()), found.start()
        yield _block(number, line, body, kind=kind or b"", ended=bool(end))


def state_their_purpose(content: bytes) -> bool:
    """Return whether no certificate of a PEM file needs `Block.as_authority`.

    It looks for the extensions' identifiers only: to parse the hundred certificates of a system
    takes ten times as long. A damaged block needs nothing.
    """
    for kind, body, _ in _BLOCK.findall(content):
        with suppress(ValueError):
            der = b64decode(body)
            stated = _BASIC_CONSTRAINTS in der or _ALTERNATIVE_NAME in der
            if not stated and kind != _OF_OPENSSL:
                return False
    return True


def _plain(content: bytes) -> bytes:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace").encode()
    return content


def _block(number: int, line: int, body: bytes, *, kind: bytes, ended: bool) -> Block:
    def damaged(reason: str) -> Block:
        return Block(number=number, line=line, reason=reason)

    if not ended:
        return damaged("`-----END CERTIFICATE-----` is missing")
    if kind == _OF_OPENSSL:
        # Its additional data may also reject the certificate.
        return damaged("unsupported format of OpenSSL (TRUSTED CERTIFICATE)")
    try:
        der = b64decode(b"".join(body.split()), validate=True)
    except ValueError:
        return damaged("invalid base64")
    try:
        _fields(der)
    except IndexError:
        return damaged("not a certificate")
    return Block(number=number, line=line, der=der)


@frozen
class _Element:
    """An element of DER: its tag, and the offsets of its content."""

    tag: int
    begin: int
    end: int


def _element(data: bytes, at: int) -> _Element:
    """Read the element at an offset; raises IndexError."""
    length, begin = data[at + 1], at + 2
    if length & _LONG:
        size = length ^ _LONG
        length, begin = int.from_bytes(data[begin : begin + size]), begin + size
    if begin + length > len(data):
        raise IndexError
    return _Element(tag=data[at], begin=begin, end=begin + length)


def _fields(der: bytes) -> tuple[_Element, list[_Element]]:
    """Return the signed part of a certificate, and its fields; raises IndexError."""
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
        # Years from 50 on are in the 20th century (RFC 5280 section 4.1.2.5.1).
        text = ("19" if text[:2] >= "50" else "20") + text
    elif end.tag != _GENERALIZED_TIME:
        raise ValueError
    return dt.datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=dt.UTC)


def _with_extension(der: bytes) -> bytes | None:
    """Add `CA:TRUE`; return None if the purpose is stated; raises IndexError."""
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
