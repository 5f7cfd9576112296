"""Real parts for the tests: uv binaries, homes, mirrors, an index, a proxy."""
