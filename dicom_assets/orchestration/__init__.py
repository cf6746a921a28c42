"""All of Dagster: assets, checks, sensors, jobs, partitions, resources, the IO manager, instance and runs.

What belongs here imports Dagster, or says in plain data what a run of it is to do. What a run does to tables and files
is in :mod:`dicom_assets.pipeline`, which knows nothing of Dagster.
"""
