"""The server on loopback that uv talks to: it speaks GitHub's release API.

It runs as long as one command. `address` listens, `connections` accepts, `loopback` and `proxy`
exchange HTTP, `routes` parses requests, `service` answers them. `scripts` writes the scripts that
uv runs as its installer. For `exec`, `package_index` and `direct_urls` answer, and `tunnels` takes
what is https, with certificates of `authority`.
"""

__all__ = (
    "address",
    "announcement",
    "authority",
    "direct_urls",
    "loopback",
    "package_index",
    "proxy",
    "script_policy",
    "scripts",
    "service",
    "tunnels",
)
