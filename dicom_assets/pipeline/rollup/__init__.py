"""``series`` and ``studies`` follow ``object_catalog``: which rows are due, and how a row is made of its members.

A *member* of an entity is a row of ``object_catalog`` that has its UID and whose file is there. Belongs here: grouping,
agreement, counts, and what the frames of a series look like in space. Does not: the geometry itself
(:mod:`dicom_assets.dicom.geometry`), the tables (:mod:`dicom_assets.extract.rollups`), what is seen over all prefixes
(:mod:`dicom_assets.query`).
"""
