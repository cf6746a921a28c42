"""The software-defined assets: Dagster only, and thin. What they do is in :mod:`dicom_assets.pipeline`."""
