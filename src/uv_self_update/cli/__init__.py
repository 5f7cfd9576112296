"""The command line: one module for each command, the terminal, exit codes.

Only this room prints or exits. `options` declares the options. Most calls are updates, and the
sooner uv starts the better: `main` and `update` do without click, which the other commands need.
`about` answers a line that only asks for help, for which even `main` is too slow to import.
"""

__all__ = ("about", "main")
