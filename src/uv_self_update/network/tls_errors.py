"""The causes of TLS failures, and what to do about each."""

from __future__ import annotations

import re
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from uv_self_update.errors import TlsError
from uv_self_update.redaction import redact_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


_INSECURE = "As a last resort, `--allow-insecure-host {host}` disables the verification."
_AUTHORITY = (
    "If it is your company's, set `network.ca-bundle` or SSL_CERT_FILE to a PEM file with its "
    f"certificate. {_INSECURE}"
)
_CLOCK = "Check the clock of this machine."
_RENEW = "Ask the administrator of {host} for a new certificate."
_TOO_OLD = "Ask the administrator of {host} for TLS 1.2 or newer, with current ciphers and keys."

_MOST_NAMED = 3
"""Expired authorities in a message; the bundle of a system may have a dozen."""

_CLOSED = (
    ssl.SSLEOFError,
    ssl.SSLZeroReturnError,
    ssl.SSLSyscallError,
    ssl.SSLWantReadError,
    ssl.SSLWantWriteError,
)
_GARBLED = "bad record mac"
"""Data was damaged in transit; a retry may succeed."""


_Fault = tuple[str, str]
"""A cause, and what to do about it; `{host}` is a placeholder in both texts."""

_UNKNOWN = "its certificate is issued by an untrusted authority", _AUTHORITY
_SELF_SIGNED = (
    "its certificate is self-signed",
    f"If you trust it, set `network.ca-bundle` or SSL_CERT_FILE to a PEM file with it. {_INSECURE}",
)
_EXPIRED = "its certificate has expired", f"{_RENEW} {_CLOCK} {_INSECURE}"
_NOT_YET = "its certificate is not valid yet", f"{_CLOCK} {_INSECURE}"
_OUT_OF_TIME = "its certificate has expired or is not valid yet", f"{_RENEW} {_CLOCK} {_INSECURE}"
_OTHER_NAME = (
    "its certificate is for another host than {host}",
    f"Use the host name in the certificate. {_INSECURE}",
)
_REVOKED = "its certificate has been revoked", _RENEW
_PURPOSE = "its certificate is not for a server", _RENEW
_WEAK = "its certificate is too weak for the security policy of this machine", _RENEW

_BY_CODE: Mapping[int, _Fault] = {
    # OpenSSL: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
    **dict.fromkeys((2, 19, 20, 21, 27), _UNKNOWN),
    18: _SELF_SIGNED,
    9: _NOT_YET,
    10: _EXPIRED,
    **dict.fromkeys((62, 64), _OTHER_NAME),
    23: _REVOKED,
    26: _PURPOSE,
    **dict.fromkeys((66, 67, 68), _WEAK),
    # Windows, with messages in the user's language: "COM Error Codes (Security and Setup)".
    **dict.fromkeys((0x800B0109, 0x800B010A, 0x800B0112), _UNKNOWN),
    0x800B0101: _OUT_OF_TIME,
    0x800B010F: _OTHER_NAME,
    **dict.fromkeys((0x800B010C, 0x80092010), _REVOKED),
    0x800B0110: _PURPOSE,
    # macOS, the same: "Security Framework Result Codes".
    **dict.fromkeys((-67843, -25318), _UNKNOWN),
    -67818: _EXPIRED,
    -67819: _NOT_YET,
    -67602: _OTHER_NAME,
    -67820: _REVOKED,
    -67609: _PURPOSE,
}
"""Error code of the operating system or of OpenSSL -> what is wrong with a certificate."""

_GIVEN = (
    "Set `network.client-cert` and `network.client-key` to your certificate and key for {host}."
)
_CONFIGURED = (
    "The client certificate is only presented to configured servers, and this one is the target of "
    "a redirect. If {host} is the right server, configure it as the source."
)
_MISSING = "it requires a client certificate", _GIVEN
_REJECTED = (
    "it does not accept the client certificate, or requires one",
    f"Check that it is the one for {{host}}, and still valid. {_GIVEN}",
)
_OLD = "its TLS is too old for the security policy of this machine", _TOO_OLD
_PLAIN = (
    "the server does not use TLS on this port",
    "Check the port, and whether the URL should start with `http://`.",
)

_BY_WORDS: Mapping[str, _Fault] = {
    # Alerts: https://www.rfc-editor.org/rfc/rfc8446#section-6.2
    "certificate required": _MISSING,
    "alert unknown ca": (
        "it does not trust the authority of the client certificate",
        f"Check that its file has the intermediate certificates, too. {_GIVEN}",
    ),
    "alert certificate expired": (
        "the client certificate has expired, according to the server",
        f"Request a new certificate. {_CLOCK}",
    ),
    "alert certificate revoked": (
        "the client certificate has been revoked, according to the server",
        "Request a new certificate.",
    ),
    "alert bad certificate": _REJECTED,
    "alert unsupported certificate": _REJECTED,
    "alert certificate unknown": _REJECTED,
    "alert access denied": _REJECTED,
    "alert handshake failure": (
        "no common TLS version or cipher, or it requires a client certificate",
        f"{_GIVEN} Otherwise, check that it supports TLS 1.2.",
    ),
    "unrecognized name": ("it does not know the name {host}", "Check the address."),
    "wrong version number": _PLAIN,
    "packet length too long": _PLAIN,
    "unknown protocol": _PLAIN,
    "unsupported protocol": _OLD,
    "alert protocol version": _OLD,
    "version too low": _OLD,
    "no protocols available": _OLD,
    "insufficient security": _OLD,
    "unsafe legacy renegotiation": _OLD,
    "key too small": _OLD,
    "md too weak": _OLD,
    "wrong signature type": _OLD,
}
"""Part of an error message of OpenSSL -> what is wrong."""


def _authority_expired(expired: Sequence[str]) -> _Fault:
    """Return the fault if authorities have expired as well, one of which may be the cause."""
    some = "; ".join(expired[:_MOST_NAMED])
    more = f"; and {len(expired) - _MOST_NAMED} more" if len(expired) > _MOST_NAMED else ""
    hint = (
        f"Expired authorities: {some}{more}. If it is one of them, install its new certificate. "
        f"Otherwise, {_RENEW[0].lower()}{_RENEW[1:]} {_CLOCK} {_INSECURE}"
    )
    return "its certificate, or that of its authority, has expired", hint


def explained(error: BaseException, url: str, *, identified: bool) -> TlsError | None:
    """Return the error for a TLS failure; None for other errors and closed connections.

    Args:
        error: An error of a connection; its causes are searched.
        url: The URL of the request.
        identified: Whether a configured client certificate is presented there.
    """
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            words = _words(cause)
            if isinstance(cause, _CLOSED) or _GARBLED in words:
                return None
            reason, hint = _fault(cause, words)
            hint = hint if identified else hint.replace(_GIVEN, _CONFIGURED)
            host = urlsplit(url).hostname or ""
            host = f"[{host}]" if ":" in host else host
            reason, hint = (text.replace("{host}", host) for text in (reason, hint))
            return TlsError(redact_url(url), reason, hint=hint)
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__


def _words(error: ssl.SSLError) -> str:
    """Return the message of OpenSSL or of the system, without a position in its source."""
    # The errors of truststore lack attributes that those of OpenSSL have.
    words = getattr(error, "verify_message", "") or getattr(error, "reason", "")
    words = words or str(error.args[-1] if error.args else "no reason given")
    return re.sub(r" ?\(_ssl\.c:\d+\)", "", words).replace("_", " ").lower()


def _fault(error: ssl.SSLError, words: str) -> _Fault:
    if isinstance(error, ssl.SSLCertVerificationError):
        other = f"its certificate is not accepted: {words}", _INSECURE
        fault = _BY_CODE.get(getattr(error, "verify_code", 0), other)
        expired = getattr(error, "expired", ())
        return _authority_expired(expired) if fault is _EXPIRED and expired else fault
    for part, (reason, hint) in _BY_WORDS.items():
        if part in words:
            return f"{reason} ({words})", hint
    hint = "Check the address and the port, and whether a proxy intercepts TLS."
    return f"TLS error: {words}", hint
