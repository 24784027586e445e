"""Who harvested a data set that surfaced elsewhere."""
