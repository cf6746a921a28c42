"""From pixel data to stored values.

What belongs here: where frames are, how their samples are laid out, which decoder reads them, what of a cut frame is
there. What does not: windows, colours for display and picture formats (:mod:`dicom_assets.dicom.render`), and processes
(:mod:`dicom_assets.isolation`).
"""
