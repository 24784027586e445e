"""Stage 6: evidence in bits, gates, severity, findings."""
