"""HTTP: every request to another machine goes through `client`.

`exchange` sends one request, `connections` owns the sockets, and `download` resumes the download of
a file, which `progress` is told of. `forward` passes on requests of other programs, over
`persistent` connections. `proxies`, `redirects`, `ranges` and `retries` are pure decisions.
`limits` has every limit, and `deferred` makes the client when it is used first.
"""

__all__ = (
    "client",
    "client_certificate",
    "deferred",
    "forward",
    "items",
    "limits",
    "local_files",
    "persistent",
    "progress",
    "proxies",
    "responses",
    "url",
)
