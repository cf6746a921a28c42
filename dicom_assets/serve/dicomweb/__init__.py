"""DICOMweb (PS3.18), read-only: searches and retrieval from the tables, pixels from the archive.

``request`` and ``accept`` read what is asked, ``keys``, ``matching`` and ``searching`` answer searches (QIDO-RS, 10.6),
the other modules each a kind of retrieval (WADO-RS, 10.4). ``routes`` has the addresses.
"""
