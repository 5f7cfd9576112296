"""`mirror`: a directory of static files that uv, this package, pip and web servers can use.

`selection` is what a mirror is to have. `layout` decides names and documents, `record` says what
the directory holds, `store` writes it. `fill` adds releases, with `wheels` and `scripts` for what a
source lacks, and `verify` checks all.
"""

__all__ = ("fill", "selection", "store", "together", "verify")
