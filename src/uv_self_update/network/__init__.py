"""HTTP: every request to another machine goes through `client`.

`exchange` sends one request, and `connections` owns the sockets. `download` resumes the download of
a file, `kept` does so in the next run, and `progress` is told of it. `forward` passes on requests
of other programs, over `persistent` connections. `proxies`, `redirects`, `ranges` and `retries` are
pure decisions. `limits` has every limit, and `deferred` makes the client when it is used first.
"""

__all__ = (
    "client",
    "client_certificate",
    "deferred",
    "forward",
    "items",
    "kept",
    "limits",
    "local_files",
    "persistent",
    "progress",
    "proxies",
    "responses",
    "url",
)
