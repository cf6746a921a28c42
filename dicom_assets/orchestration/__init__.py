"""All of Dagster: assets, checks, sensors, jobs, partitions, resources, the IO manager, instance and runs.

Belongs here: whatever imports Dagster, or says in plain data which runs it is to make. Does not: what a run does to
tables and files, which is in :mod:`dicom_assets.pipeline` and knows nothing of Dagster. What is needed of Dagster's
private modules goes through :mod:`dicom_assets.orchestration.dagster_internals`. Import the modules directly: this
package has no names of its own, so that importing one module does not load all definitions.

For the Dagster concepts, see https://docs.dagster.io/getting-started/concepts
"""
