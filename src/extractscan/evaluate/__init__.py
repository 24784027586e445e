"""How good a ranking is, measured against labels."""
