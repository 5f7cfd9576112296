"""HTTP: every request to another machine goes through `client`.

`access` knows the way to each server, and begins the first connection. `exchange` sends a request,
`connections` owns the sockets, and `download` resumes the download of a file. `proxies`,
`redirects`, `ranges` and `retries` are pure decisions. `limits` has every limit.
"""

__all__ = (
    "access",
    "client",
    "client_certificate",
    "forward",
    "items",
    "limits",
    "local_files",
    "responses",
)
