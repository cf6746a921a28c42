"""How much a container may make of itself. Strangers write containers, and the smallest can promise the most."""

MOST_MEMBERS = 2_000_000
"""Members of one container, those of nested ones included. Their rows are in memory together while a prefix is listed,
at some 400 bytes each; archives of a million slices in one file exist."""

MOST_DIRECTORY_BYTES = 1 << 30
"""Length of a ZIP's central directory: 46 bytes and a name for each member, which rarely come to 500."""

MOST_RATIO = 200
"""What is packed may unpack to so many times its length. Deflate reaches 1,032 for zeros alone; images reach 10, masks
and blank images 100 and more, which are small."""
ANY_RATIO_BYTES = 1 << 28
"""What unpacks to less than this may do so at any ratio: it costs a second."""

MOST_UNPACKED_BYTES = 1 << 40
"""What a compressed TAR may unpack to: an hour of reading. Larger ones are better kept as a plain TAR or a ZIP."""

MOST_HEADER_BYTES = 1 << 24
"""The extended headers of one member of a TAR, which are read into memory: names and times need a few hundred bytes."""

MOST_NAME_BYTES = 4096
"""Length of a member's name in a ZIP that is taken for one; what the system takes of a path (PATH_MAX)."""


def is_bomb(unpacked: int, packed: int) -> bool:
    """Return whether a length is out of proportion to what it is unpacked from, both in bytes."""
    return unpacked > ANY_RATIO_BYTES and unpacked > MOST_RATIO * packed
