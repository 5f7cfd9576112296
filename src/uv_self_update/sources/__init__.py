"""The sources of uv releases: one module for each kind of server.

Every source implements `interface`. A new kind is one module here, see `context`.
`detection` determines the kind of a URL, `formats` parses the responses of servers.
"""

__all__ = (
    "addresses",
    "authentication",
    "detection",
    "formats",
    "index",
    "interface",
    "opened",
    "order",
    "packages",
)
