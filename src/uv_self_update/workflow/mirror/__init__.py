"""`mirror`: a directory of static files that uv, this package, pip and web servers can use.

`record` says what a mirror is to have, and what the directory holds. `layout` decides names and
documents, `store` writes them. `fill` adds releases, with `wheels` and `scripts` for what a source
lacks, and `verify` checks all.
"""

__all__ = ("fill", "record", "store", "together", "verify")
