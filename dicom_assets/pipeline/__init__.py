"""What each asset does, without Dagster: plan the difference, stage the rows, commit once."""
