"""A queryable, versioned, incremental catalog of a DICOM archive, as Dagster assets on Spark and Delta Lake."""
