"""Which credential goes to which origin, and where credentials come from."""

__all__ = ("credentials", "netrc", "programs", "variables")
