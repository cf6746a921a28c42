"""From pixel data to stored values: where a frame stands, how it is laid out, which decoder reads it.

Nothing here knows windows, colours for display or picture formats; that is :mod:`dicom_assets.dicom.render`.
"""
