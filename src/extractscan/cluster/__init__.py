"""Stage 3: distinct prompts to near-duplicate clusters."""
