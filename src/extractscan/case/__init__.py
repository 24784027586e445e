"""The folder that a run leaves: written whole, hashed, and opened again without the logs."""
