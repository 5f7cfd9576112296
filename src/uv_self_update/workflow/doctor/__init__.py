"""Why uv can or cannot be updated here: `uv-self-update doctor`.

Checks run side by side, each about one thing: the machine (`machine`), the user's variables and
files (`surroundings`), the sources (`reach`). Each returns findings, some with a repair that loses
nothing. `examine` runs them all. Nothing is changed otherwise.
"""

__all__ = ("examine", "finding")
