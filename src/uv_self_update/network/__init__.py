"""All that leaves the machine: `upstream` is what the sources read from."""
