"""Everything that can go wrong, in one tree.

Each leaf holds the facts and builds its own sentence: what happened and where. `hint` is what
to try. `exit_code` is what the command ends with when the failure is ours to report; once uv has
run, uv's own code is handed on instead. (11 is no failure, and stands in `check.UPDATE_DUE`.)
The branches stand in modules of their own; all of them are imported from here.

```text
UvSelfUpdateError
├── UsageError                2   the command line cannot be understood
│   ├── InvalidTarget
│   └── InvalidSource
├── ConfigurationError        3   a configuration file, or a variable, cannot be used
│   ├── InvalidConfiguration      every problem of the files, at once
│   ├── ConfigurationNotKept      a change that cannot be written, or not without loss
│   ├── NoHomeDirectory           the user has no file of their own
│   ├── InvalidRequirement        what uv's own configuration says of its version
│   └── NothingRequired           it says nothing of it
├── UvError                   4   there is no uv that could be updated
│   ├── UvNotFound
│   ├── UvNotRunnable
│   ├── UvTooOld
│   └── StartedThroughUvx         on Windows, where that holds what is to be replaced
├── GatewayError              5   no server on loopback
├── SourceError               6   a source cannot be used
│   ├── UpstreamError             one request to a source failed
│   │   ├── Unreachable
│   │   ├── StatusRefused             401, 403, 404, 5xx and so on
│   │   │   ├── Hidden                    404: not there, or not to be seen
│   │   │   └── RateLimited
│   │   ├── Distrusted                the certificate, or TLS itself
│   │   ├── ProxyRefused              the proxy, rather than the server, says no
│   │   ├── RedirectRefused           a server elsewhere redirects to this machine
│   │   ├── Interrupted               the body broke off
│   │   ├── Overdue                   lists that keep coming, for too long
│   │   └── TooLarge
│   ├── Unreadable                a folder of this machine, or a share
│   ├── UnexpectedBody            status 200, but not what was asked for
│   ├── WheelsOnly                wheels of uv where its archives are expected
│   ├── NoInstaller               a release has no installer, and ours was ruled out
│   ├── NoLatest                  only an exact version can be asked for
│   ├── NotDetected               nobody knows what kind of source a URL is
│   ├── IndexFailed               uv could not use its package index
│   │   └── IndexRefused              401, 403 or 404
│   ├── NoSourceAnswered          several sources, and each has failed
│   ├── ListUnusable              the list of approved versions
│   └── NoSuchVersion         7   the source is fine, but does not hold that version
│       ├── NoArchive                 it holds it, but not for this machine
│       ├── NotListed                 an index answered, and lists no uv
│       ├── HiddenByCutoff            uv's own `exclude-newer` hides it
│       └── HiddenByPolicy            it may hold it, but a rule hides it
├── InstallError              8   the new version could not be put in place; the old one stays
│   ├── Halted
│   ├── HalfInstalled
│   ├── ChangedMeanwhile
│   ├── ScriptsBarred             Windows does not let PowerShell run it
│   ├── ReceiptError
│   ├── NotStandalone
│   ├── Owned                     a package manager has installed it
│   ├── DigestMismatch
│   ├── NoDigest
│   │   ├── NoWheelDigest             the index gives none, or a weak one
│   │   └── NotPinned                 other files of the version are pinned, and this is not
│   ├── UnusableArchive
│   ├── NothingInstalled          a release's own installer has done nothing
│   ├── ReleaseInstallerFailed
│   ├── StagedUvBroken
│   ├── NotReplaced
│   ├── NotRestored
│   └── UpdateUnderWay
├── RehearsalError            9   the rehearsal could not be held, or has failed
└── Unforeseen                10  a mistake in this package
```
"""

from __future__ import annotations

from uv_self_update.errors.base import (
    RehearsalError,
    Unforeseen,
    UvSelfUpdateError,
)
from uv_self_update.errors.beginning import (
    ConfigurationError,
    ConfigurationNotKept,
    GatewayError,
    InvalidConfiguration,
    InvalidRequirement,
    InvalidSource,
    InvalidTarget,
    NoHomeDirectory,
    NothingRequired,
    Problem,
    SharedFile,
    StartedThroughUvx,
    UsageError,
    UvError,
    UvNotFound,
    UvNotRunnable,
    UvTooOld,
)
from uv_self_update.errors.installing import (
    ChangedMeanwhile,
    DigestMismatch,
    HalfInstalled,
    Halted,
    InstallError,
    NoDigest,
    NothingInstalled,
    NotPinned,
    NotReplaced,
    NotRestored,
    NotStandalone,
    NoWheelDigest,
    Owned,
    ReceiptError,
    ReleaseInstallerFailed,
    ScriptsBarred,
    StagedUvBroken,
    UnusableArchive,
    UpdateUnderWay,
    update_with,
)
from uv_self_update.errors.sources import (
    HiddenByCutoff,
    HiddenByPolicy,
    IndexFailed,
    IndexRefused,
    ListUnusable,
    NoArchive,
    NoInstaller,
    NoLatest,
    NoSourceAnswered,
    NoSuchVersion,
    NotDetected,
    NotListed,
    SourceError,
    UnexpectedBody,
    Unreadable,
    WheelsOnly,
)
from uv_self_update.errors.upstream import (
    GONE,
    PASSING,
    Distrusted,
    Hidden,
    Interrupted,
    Overdue,
    ProxyRefused,
    RateLimited,
    RedirectRefused,
    StatusRefused,
    TooLarge,
    Unreachable,
    UpstreamError,
    phrase_of,
)

__all__ = (
    "GONE",
    "PASSING",
    "ChangedMeanwhile",
    "ConfigurationError",
    "ConfigurationNotKept",
    "DigestMismatch",
    "Distrusted",
    "GatewayError",
    "HalfInstalled",
    "Halted",
    "Hidden",
    "HiddenByCutoff",
    "HiddenByPolicy",
    "IndexFailed",
    "IndexRefused",
    "InstallError",
    "Interrupted",
    "InvalidConfiguration",
    "InvalidRequirement",
    "InvalidSource",
    "InvalidTarget",
    "ListUnusable",
    "NoArchive",
    "NoDigest",
    "NoHomeDirectory",
    "NoInstaller",
    "NoLatest",
    "NoSourceAnswered",
    "NoSuchVersion",
    "NoWheelDigest",
    "NotDetected",
    "NotListed",
    "NotPinned",
    "NotReplaced",
    "NotRestored",
    "NotStandalone",
    "NothingInstalled",
    "NothingRequired",
    "Overdue",
    "Owned",
    "Problem",
    "ProxyRefused",
    "RateLimited",
    "ReceiptError",
    "RedirectRefused",
    "RehearsalError",
    "ReleaseInstallerFailed",
    "ScriptsBarred",
    "SharedFile",
    "SourceError",
    "StagedUvBroken",
    "StartedThroughUvx",
    "StatusRefused",
    "TooLarge",
    "UnexpectedBody",
    "Unforeseen",
    "Unreachable",
    "Unreadable",
    "UnusableArchive",
    "UpdateUnderWay",
    "UpstreamError",
    "UsageError",
    "UvError",
    "UvNotFound",
    "UvNotRunnable",
    "UvSelfUpdateError",
    "UvTooOld",
    "WheelsOnly",
    "phrase_of",
    "update_with",
)
