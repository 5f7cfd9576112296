"""Finds out which kind of source serves a URL: clues, requests, advice."""

__all__ = ("clues", "detect")
