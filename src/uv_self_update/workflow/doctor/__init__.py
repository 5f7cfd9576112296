"""Why uv can or cannot be updated here: `uv-self-update doctor`.

Checks run side by side, each about one thing: the machine (`machine`), the user's variables and
files (`surroundings`), the sources (`reach`). Each returns findings. `examine` runs them all, and
`repairs` knows which findings can be put right without a loss. Nothing is changed otherwise.
"""

__all__ = ("examine", "finding")
