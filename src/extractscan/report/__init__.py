"""Stage 7: findings to a table, JSON, JSON lines, CSV or Parquet."""
