"""Dagster resources: the archive (source files), the lake (Delta tables), Spark (the engine)."""
