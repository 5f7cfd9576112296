"""The script that uv runs to be replaced; staging, replacing, rolling back."""
