"""HTTP: everything that leaves the machine goes through `client`.

`exchange` sends one request, `connections` owns the sockets below it, `download` fetches one
file over as many connections as it takes. `proxies`, `redirects`, `ranges` and `retries` are pure
decisions.
"""

__all__ = ("client", "client_certificate", "forward", "local_files", "responses")
