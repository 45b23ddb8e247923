"""Measurements of speed: against the machine's limit and against other tools, in one run."""
