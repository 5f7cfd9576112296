"""Files, variables and the command line become one frozen `Settings`, and a file again."""

__all__ = (
    "document",
    "edit",
    "exposure",
    "installers",
    "kinds",
    "load",
    "releases",
    "settings",
    "template",
)
