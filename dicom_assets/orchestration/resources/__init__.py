"""Dagster resources: the archive (source files), the lake (Delta tables), Spark (the engine), and the IO manager.

Belongs here: configuration, and the object that it describes. Secrets are kept from Dagster
(:mod:`dicom_assets.orchestration.resources.secrets`).
"""
