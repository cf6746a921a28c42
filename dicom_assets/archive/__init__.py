"""The source files: which prefixes there are, which files stand below one, and the bytes of a file."""
