"""The credentials of each origin, and the providers of credentials."""

__all__ = ("credentials", "netrc", "programs", "variables")
