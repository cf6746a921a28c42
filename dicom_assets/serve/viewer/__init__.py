"""A viewer for studies, served from this origin: OHIF, below ``/viewer``.

``package`` says which build is meant, ``registry`` where it comes from, ``install`` fetches it once, and ``unpacking``
lays it out in the user's cache folder. What is served is that folder, or one that the user built: ``rewriting`` moves
it below ``/viewer``, ``content`` compresses it, ``configuration`` points it at our DICOMweb, ``policy`` says what a
browser may let it do, ``routes`` answers.
"""
