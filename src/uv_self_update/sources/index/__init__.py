"""The package index, asked through uv itself: `source` is the kind, `uv_pip` runs uv."""

__all__ = ("certificates", "wheels")
