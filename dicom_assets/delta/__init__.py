"""Delta Lake over delta-rs: data files with statistics, snapshots, one atomic commit, maintenance. No Java.

Belongs here: how rows become a version of a table, and how they are read back. Does not: what the rows mean (a table is
known by its schema, its partition column ``prefix`` and its key), when they are written
(:mod:`dicom_assets.pipeline`), Spark's data source (:mod:`dicom_assets.spark`).
"""
