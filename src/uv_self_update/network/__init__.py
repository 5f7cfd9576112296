"""HTTP: every request to another machine goes through `client`.

`access` knows the way to each server, and begins the first connection. `exchange` sends a request,
`body` reads the response, `route` and `refusals` explain what fails, `connections` owns the
sockets. `download` resumes the download of a file, `kept` does so in the next run, and `progress`
is told of it. `forward` passes on requests of other programs, over `persistent` connections and
through `forward_proxies`. `proxies`, `redirects`, `ranges` and `retries` are pure decisions.
`passing` moves bytes between connections. `limits` has every limit, and `deferred` makes the client
when it is used first.
"""

__all__ = (
    "access",
    "client",
    "client_certificate",
    "deferred",
    "forward",
    "forward_proxies",
    "items",
    "kept",
    "limits",
    "local_files",
    "passing",
    "persistent",
    "progress",
    "proxies",
    "responses",
    "roots",
    "tls",
    "tunnels",
)
