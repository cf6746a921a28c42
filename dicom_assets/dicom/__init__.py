"""DICOM, as pure functions on bytes: headers, pixel data, pictures.

* :mod:`~dicom_assets.dicom.files`: headers and thumbnails of a path, bytes or a file object; begin here.
* :mod:`~dicom_assets.dicom.header`: all of a file but its pixel data.
* :mod:`~dicom_assets.dicom.pixels`: frames and their decoders.
* :mod:`~dicom_assets.dicom.geometry`: where frames are in the patient, and whether they make a volume.
* :mod:`~dicom_assets.dicom.render`: from frames to pictures.

Directly in this package is what several of these need (sources of bytes, inflating, reading ahead, UIDs, the statuses
of the tables) and what combines them (functional groups of frames, thumbnails, contact sheets). A file is a
:class:`~dicom_assets.dicom.source.ByteSource`. What does not belong here: Dagster, Spark, tables, networks.
"""
