"""The source files: which prefixes an archive has, which files each prefix holds, and the bytes of a file.

Belongs here: folders and object stores as they are, and whether what is read is what was listed. Does not: what the
bytes mean (:mod:`dicom_assets.dicom`), what a listing changes in the tables (:mod:`dicom_assets.pipeline`). Nothing
here writes to an archive.
"""
