"""`python -m uv_self_update`."""

from __future__ import annotations

from uv_self_update.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
