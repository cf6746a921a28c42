"""What archive and lake share: addresses, retries, the reasons why a store fails, temporary files.

Knows nothing of DICOM nor of tables.
"""
