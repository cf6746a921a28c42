"""How much a container may make of itself. Strangers write containers, and the smallest can promise the most.

How many times its length something may unpack to is told by :func:`~dicom_assets.dicom.inflate.is_bomb`.
"""

MOST_MEMBERS = 2_000_000
"""Members of one container, those of nested ones included. Their rows are in memory together while a prefix is listed,
at some 400 bytes each; archives of a million slices in one file exist."""

MOST_DIRECTORY_BYTES = 1 << 30
"""Length of a ZIP's central directory: 46 bytes and a name for each member, which rarely come to 500."""

MOST_UNPACKED_BYTES = 1 << 40
"""What a compressed TAR may unpack to: an hour of reading. Larger ones are better kept as a plain TAR or a ZIP."""

MOST_HEADER_BYTES = 1 << 24
"""The extended headers of one member of a TAR, which are read into memory: names and times need a few hundred bytes."""

MOST_NAME_BYTES = 4096
"""Length of a member's name in a ZIP that is taken for one; what the system takes of a path (PATH_MAX)."""
