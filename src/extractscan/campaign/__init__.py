"""Stage 5: accounts that one operator runs."""
