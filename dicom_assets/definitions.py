"""What Dagster loads (``workspace.yaml`` and ``-m dicom_assets.definitions``), configured by the environment.

The variables are described in :mod:`dicom_assets.orchestration.definitions`.
"""

from dicom_assets.orchestration.definitions import build_definitions, definitions_from_environment

__all__ = ["build_definitions", "defs"]

defs = definitions_from_environment()
