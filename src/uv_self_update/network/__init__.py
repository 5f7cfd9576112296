"""HTTP: every request to another machine goes through `client`.

`access` knows the way to each server, and begins the first connection. `exchange` sends a request,
`connections` owns the sockets, and `download` resumes the download of a file. `forward` passes on
requests of other programs, over `persistent` connections and through `forward_proxies`. `proxies`,
`redirects`, `ranges` and `retries` are pure decisions. `passing` moves bytes between
connections. `limits` has every limit, and `deferred`
makes the client when it is used first.
"""

__all__ = (
    "access",
    "client",
    "client_certificate",
    "deferred",
    "forward",
    "forward_proxies",
    "items",
    "limits",
    "local_files",
    "passing",
    "persistent",
    "proxies",
    "responses",
    "roots",
    "tls",
    "tunnels",
    "url",
)
