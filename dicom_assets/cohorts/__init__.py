"""Cohorts: the files that a query chose, kept as a table of their own that can be cited, checked and handed on.

Belongs here: what is asked for (``recipe``), which files that is (``selection``), who stands in which split
(``grouping``), the tables (``members``, ``record``, ``store``), making one (``create``), what has become of its files
(``verify``, ``compare``), and the files themselves in folders (``names``, ``copying``, ``export``, ``manifest``).

Does not: options of commands (:mod:`dicom_assets.cli`), the Dagster asset (:mod:`dicom_assets.orchestration`), what a
training job reads (:mod:`dicom_assets.torch`). Neither Dagster nor Spark is imported.
"""
