"""`mirror`: a directory of static files that uv, this package, pip and web servers can use.

`layout` decides names and documents, `record` says what the directory holds, `store` writes it.
`fill` adds releases, with `wheels` and `scripts` for what a source lacks, and `verify` checks all.
"""

__all__ = ("fill", "store", "together", "verify")
