"""HTTP: every request to another machine goes through `client`.

`exchange` sends one request, `connections` owns the sockets, and `download` resumes the download of
a file. `proxies`, `redirects`, `ranges` and `retries` are pure decisions. `limits` has every limit.
"""

__all__ = (
    "client",
    "client_certificate",
    "forward",
    "items",
    "limits",
    "local_files",
    "responses",
    "roots",
    "tls",
    "tunnels",
)
