"""Puts a release in place of the installed uv, whatever is killed meanwhile.

`native` is our own installer, `release` guards the release's own. Both work in the `workspace`
next to uv: a release is staged, checked and tried there. A `journal` tells the next run what
was begun.
"""

__all__ = ("native", "release", "replace", "stage", "workspace")
