"""Parses what servers send: JSON, listings, bucket pages, HTML."""
