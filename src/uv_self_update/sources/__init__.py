"""Where uv's releases come from: one module for each kind of source.

Every source implements `interface`. A new kind is one module here and one row in `registry`.
`detection` finds the kind of a URL, `formats` parses what servers send.
"""

__all__ = ("authentication", "detection", "formats", "interface", "opened", "order", "packages")
