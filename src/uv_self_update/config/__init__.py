"""Files, variables and the command line become one frozen `Settings`, and a file again."""

__all__ = ("document", "edit", "exposure", "kinds", "load", "policy_keys", "releases", "settings")
