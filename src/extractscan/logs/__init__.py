"""Stage 1: log files of any shape to canonical requests; what cannot be read goes to quarantine."""
