"""Files in ZIP and TAR files, listed and read where they are: ``scans.zip!/dir/member.dcm``.

Belongs here: what a container holds, and where in it; containers themselves are files of an archive, whatever that is.
Does not: what becomes of a listing in the tables (:mod:`dicom_assets.pipeline`), gzip files of one DICOM object
(:mod:`dicom_assets.dicom.inflate`). Nothing is unpacked to disk.
"""
