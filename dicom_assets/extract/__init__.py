"""The extractors, one small class each, and the Spark side that runs them over files. No Dagster."""
