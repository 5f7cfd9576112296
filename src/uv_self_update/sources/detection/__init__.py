"""Detection of the kind of server at a URL: clues, requests, advice."""

__all__ = ("clues", "detect")
