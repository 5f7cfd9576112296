"""Files, variables and the command line become one frozen `Settings`, and a file again."""
