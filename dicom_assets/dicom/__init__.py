"""DICOM, as pure functions on bytes: parse, header model, pixels, rendering.

Nothing here knows Dagster, Spark, tables or a network; a file is a :class:`~dicom_assets.dicom.source.ByteSource`.
"""
