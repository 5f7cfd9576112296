"""The credentials of each origin, and the providers of credentials."""

__all__ = ("aws", "credentials", "netrc", "programs", "variables")
