"""The server on loopback that uv talks to: it speaks GitHub's release API.

It runs as long as one command. `address` listens, `connections` accepts, `loopback` and `proxy`
exchange HTTP, `routes` parses requests, `service` answers them. `scripts` writes the scripts that
uv runs as its installer.
"""

__all__ = ("address", "loopback", "package_index", "proxy", "script_policy", "scripts", "service")
