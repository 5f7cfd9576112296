"""The command line: one module a command, the terminal, exit codes.

Only this room prints or exits. An update is all that most calls want, and the sooner uv starts the
better: `main` reads argv without click, which the other commands need.
"""

__all__ = ("main",)
