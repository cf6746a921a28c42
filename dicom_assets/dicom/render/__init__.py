"""From stored values to a small picture, as a viewer would show it (PS3.3 C.7.6.3, C.7.6.16, C.8.12, C.11).

What belongs here: which frame is shown, what its header says of windows, palettes and colour, plans of what to render
and their execution, here or in a decoder process. What does not: decoding (:mod:`dicom_assets.dicom.pixels`).
"""
