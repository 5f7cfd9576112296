"""The package index, read by uv itself: `source` is the kind, `uv_pip` runs uv."""

__all__ = ("certificates", "uv_pip", "wheels")
