"""The server on loopback that uv talks to: it speaks GitHub's release API.

It lives as long as one command. `address` listens, `loopback` owns the sockets, `routes` parses
requests, `service` answers them. `scripts` holds what uv is given to run as its installer.
"""

__all__ = ("address", "loopback", "package_index", "proxy", "script_policy", "service")
