"""Which credential goes to which origin, and where credentials come from."""
