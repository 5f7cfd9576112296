"""What can go wrong on the way, and what becomes of the update then."""
