"""Why TLS has failed, in words that a person can do something with."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from uv_self_update.errors import TlsError
from uv_self_update.redaction import redact_url

if TYPE_CHECKING:
    from collections.abc import Iterator


_INSECURE = "Only as the last resort: `--allow-insecure-host {host}` checks nothing there."
_AUTHORITY = (
    "If it is your company's, name a PEM file with its certificate in `network.ca-bundle` or "
    f"SSL_CERT_FILE. {_INSECURE}"
)
_CLOCK = "Is the clock of this machine right?"
_OWNER = "Ask whoever runs {host} for a new one."
_TOO_OLD = "Ask whoever runs {host} to offer TLS 1.2 or newer, with today's ciphers and keys."

_CLOSED = (
    ssl.SSLEOFError,
    ssl.SSLZeroReturnError,
    ssl.SSLSyscallError,
    ssl.SSLWantReadError,
    ssl.SSLWantWriteError,
)
_GARBLED = "bad record mac"
"""What was damaged on the way, and may arrive whole the next time."""


@dataclass(frozen=True, kw_only=True)
class _Fault:
    """One thing that can be wrong; `{host}` stands for the host in both texts."""

    reason: str
    hint: str


_UNKNOWN = _Fault(
    reason="its certificate comes from an authority that is not trusted here", hint=_AUTHORITY
)
_SELF_SIGNED = _Fault(
    reason="its certificate is vouched for by nobody but itself",
    hint="If it is the right one, name a PEM file with it in `network.ca-bundle` or "
    f"SSL_CERT_FILE. {_INSECURE}",
)
_EXPIRED = _Fault(reason="its certificate has expired", hint=f"{_OWNER} {_CLOCK} {_INSECURE}")
_NOT_YET = _Fault(reason="its certificate is not valid yet", hint=f"{_CLOCK} {_INSECURE}")
_OUT_OF_TIME = _Fault(
    reason="its certificate has expired, or is not valid yet",
    hint=f"{_OWNER} {_CLOCK} {_INSECURE}",
)
_OTHER_NAME = _Fault(
    reason="its certificate is for another host than {host}",
    hint=f"Use the name that the certificate is for, if {{host}} has another one. {_INSECURE}",
)
_REVOKED = _Fault(reason="its certificate has been revoked", hint=_OWNER)
_PURPOSE = _Fault(reason="its certificate is not meant for a server", hint=_OWNER)
_WEAK = _Fault(
    reason="its certificate is weaker than the security policy of this machine allows", hint=_OWNER
)

_BY_CODE = {
    # OpenSSL: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
    **dict.fromkeys((2, 19, 20, 21, 27), _UNKNOWN),
    18: _SELF_SIGNED,
    9: _NOT_YET,
    10: _EXPIRED,
    **dict.fromkeys((62, 64), _OTHER_NAME),
    23: _REVOKED,
    26: _PURPOSE,
    **dict.fromkeys((66, 67, 68), _WEAK),
    # Windows, whose words are in the user's language: "COM Error Codes (Security and Setup)".
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
"""What is wrong with a server's certificate, by the number that the system has for it."""

_GIVEN = "Set `network.client-cert`, and `network.client-key`, to what you were given for {host}."
_CONFIGURED = (
    "The client certificate is presented to the servers that you have configured, and not where "
    "they redirect to: is {host} the right place, and could it be a source itself?"
)
_MISSING = _Fault(reason="it wants a client certificate, and got none", hint=_GIVEN)
_REJECTED = _Fault(
    reason="it does not accept the client certificate, or got none",
    hint=f"Is it the one for {{host}}, and still valid? {_GIVEN}",
)
_OLD = _Fault(
    reason="its TLS is older than the security policy of this machine allows", hint=_TOO_OLD
)
_PLAIN = _Fault(
    reason="what answers there does not speak TLS",
    hint="Is it `http://`, or another port?",
)

_BY_WORDS = (
    # Alerts: https://www.rfc-editor.org/rfc/rfc8446#section-6.2
    ("certificate required", _MISSING),
    (
        "alert unknown ca",
        _Fault(
            reason="it does not know the authority that the client certificate comes from",
            hint=f"Is it the one for {{host}}, with the certificates in between? {_GIVEN}",
        ),
    ),
    (
        "alert certificate expired",
        _Fault(
            reason="it says that the client certificate has expired",
            hint=f"Ask for a new one. {_CLOCK}",
        ),
    ),
    (
        "alert certificate revoked",
        _Fault(
            reason="it says that the client certificate has been revoked",
            hint="Ask for a new one.",
        ),
    ),
    ("alert bad certificate", _REJECTED),
    ("alert unsupported certificate", _REJECTED),
    ("alert certificate unknown", _REJECTED),
    ("alert access denied", _REJECTED),
    (
        "alert handshake failure",
        _Fault(
            reason="it has nothing in common with us, or wants a client certificate",
            hint=f"{_GIVEN} If it wants none: is it older than TLS 1.2?",
        ),
    ),
    (
        "unrecognized name",
        _Fault(reason="it does not know the name {host}", hint="Check the address."),
    ),
    ("wrong version number", _PLAIN),
    ("packet length too long", _PLAIN),
    ("unknown protocol", _PLAIN),
    ("unsupported protocol", _OLD),
    ("alert protocol version", _OLD),
    ("version too low", _OLD),
    ("no protocols available", _OLD),
    ("insufficient security", _OLD),
    ("unsafe legacy renegotiation", _OLD),
    ("key too small", _OLD),
    ("md too weak", _OLD),
    ("wrong signature type", _OLD),
)
"""What is wrong otherwise, by what OpenSSL calls it."""


def explained(error: BaseException, url: str, *, identified: bool) -> TlsError | None:
    """Return what a failure of TLS means; None if an error is of another kind, or a mere end.

    Args:
        error: What came out of a connection; what it was caused by is looked through.
        url: Where it led to.
        identified: Whether a client certificate, if there was one, was to be presented there.
    """
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            words = _words(cause)
            if isinstance(cause, _CLOSED) or _GARBLED in words:
                return None
            fault = _fault(cause, words)
            hint = fault.hint if identified else fault.hint.replace(_GIVEN, _CONFIGURED)
            host = urlsplit(url).hostname or ""
            host = f"[{host}]" if ":" in host else host
            reason, hint = (text.replace("{host}", host) for text in (fault.reason, hint))
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
    """Return what OpenSSL, or the system, calls an error, without where in a program it was."""
    # Those that truststore makes lack what OpenSSL's have.
    words = getattr(error, "verify_message", "") or getattr(error, "reason", "")
    words = words or str(error.args[-1] if error.args else "it gives no reason")
    return re.sub(r" ?\(_ssl\.c:\d+\)", "", words).replace("_", " ").lower()


def _fault(error: ssl.SSLError, words: str) -> _Fault:
    if isinstance(error, ssl.SSLCertVerificationError):
        other = _Fault(reason=f"its certificate is not accepted: {words}", hint=_INSECURE)
        return _BY_CODE.get(getattr(error, "verify_code", 0), other)
    for part, fault in _BY_WORDS:
        if part in words:
            return _Fault(reason=f"{fault.reason} ({words})", hint=fault.hint)
    return _Fault(
        reason=f"TLS fails: {words}",
        hint="Check the address and the port, and whether something on the way takes part in TLS.",
    )
