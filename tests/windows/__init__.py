"""A real uv.exe and a real Python for Windows: `uv run pytest -m wine`.

On Linux, Wine runs them: `parts` fetches them, `prefix` makes Wine's C: of them, and `shims/`
contains what Wine 8.0 lacks, and a stand-in for PowerShell. On Windows, the same tests run as they
are, with the real PowerShell. `machine` is a home on either.
"""
