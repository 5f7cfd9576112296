"""Put a release in place of the installed uv, whatever is killed.

`native` is our own installer, `release` runs the release's own. Both work in the `workspace` next
to uv: a release is staged, verified and tried there. A `journal` tells the next run what to finish.
"""

__all__ = ("archive", "holder", "native", "release", "replace", "stage", "workspace")
