"""Benign archetypes: people, and automated use that looks like extraction and is not."""
