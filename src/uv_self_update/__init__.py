"""Make `uv self update` work behind any firewall, from any mirror or package index."""

from __future__ import annotations

__version__ = "0.1.0"

__all__ = ("__version__",)
