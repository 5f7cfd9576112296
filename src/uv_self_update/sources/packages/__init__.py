"""Packages on release pages: a repository's distributions, and their metadata.

A repository implements `interface`. A new kind is one module here.
"""

__all__ = ("computed", "detection", "interface", "metadata")
