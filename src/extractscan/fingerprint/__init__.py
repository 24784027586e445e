"""Stage 2: prompts to fingerprints; after this stage no text is left."""
