"""Stage 4: streams, and how much of a space each one visits."""
