"""The command line: one module for each command, the terminal, exit codes.

Only this room prints or exits. `options` declares the options. Most calls are updates, and the
sooner uv starts the better: `main` and `update` do without click, which the other commands need.
"""

__all__ = ("main",)
