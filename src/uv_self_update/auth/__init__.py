"""Where logins come from, and to which origin they go."""
