"""Texts in CSV that a spreadsheet would execute as formulas. A header value may be one."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

_BEGINNING = "^[=+\\-@\\t\\r\\n\uff1d\uff0b\uff0d\uff20]"
"""Of formulas: the signs, their full-width forms, and white space that is skipped before them."""
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


@dataclass
class Spreadsheet:
    """Counts the formulas in what is written, and defuses them if asked to.

    Attributes
    ----------
    safe
        Put an apostrophe before each, which makes it text to a spreadsheet.
    formulas
        How many were found so far.

    """

    safe: bool = False
    formulas: int = 0

    def column(self, column: pa.Array) -> pa.Array:
        """Return a column in the form to write. Numbers, and texts that are numbers, stay as they are."""
        if not pa.types.is_string(column.type):
            return column
        number = pc.match_substring_regex(column, _NUMBER)
        found = pc.and_not(pc.match_substring_regex(column, _BEGINNING), number)
        count = found.true_count
        self.formulas += count
        if not (self.safe and count):
            return column
        return pc.if_else(found, pc.binary_join_element_wise("'", column, ""), column)
