"""What archive and lake share: addresses, back-off, the reasons why a store fails, temporary files.

Belongs here: what concerns any file or object, whatever is in it. Does not: how an archive is listed
(:mod:`dicom_assets.archive`), what a table is (:mod:`dicom_assets.delta`), anything of DICOM.
"""
