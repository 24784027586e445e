"""Hostile archetypes: each function writes the requests of one account of a campaign."""
