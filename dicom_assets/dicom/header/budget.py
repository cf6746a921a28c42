"""How much of the limits of one header is used up."""

from dicom_assets.dicom.header.errors import LimitError
from dicom_assets.dicom.header.limits import HeaderLimits, inline_caps

SHORT = 64
"""Values up to this length are looked up among those decoded before, and do not count for what is inlined."""


class Budget:
    """What reading one header has cost so far.

    Parameters
    ----------
    limits
        What it may cost.

    Attributes
    ----------
    limits
        As given.
    skipped
        Bytes of values that were not inlined.

    """

    __slots__ = ("_caps", "_elements", "_inlined", "_passed", "limits", "skipped")

    def __init__(self, limits: HeaderLimits) -> None:
        self.limits = limits
        self.skipped = 0
        self._caps = inline_caps(limits)
        self._elements = 0
        self._inlined = 0
        self._passed = 0

    def count(self, elements: int) -> None:
        """Count elements and items of data sets that are done with.

        Raises
        ------
        LimitError
            When there are too many.

        """
        self._elements += elements
        if self._elements > self.limits.max_elements:
            raise LimitError(f"more than {self.limits.max_elements} elements")

    def check(self, elements: int) -> None:
        """Check that elements of a data set that is being read are not too many, with those that were counted.

        Raises
        ------
        LimitError
            When they are.

        """
        if self._elements + elements > self.limits.max_elements:
            raise LimitError(f"more than {self.limits.max_elements} elements")

    @property
    def passable(self) -> int:
        """How many more elements and items may be passed over on the way to the end of something."""
        return self.limits.max_skipped - self._passed

    def pass_over(self, elements: int) -> None:
        """Count elements and items that were passed over."""
        self._passed += elements

    def is_bulk(self, vr: str, length: int) -> bool:
        """Say whether a value is too long to be inlined, and count it when it is not."""
        if length <= SHORT:
            # These are bounded by the number of elements.
            return length > self._caps[vr]
        if length > self._caps[vr] or self._inlined + length > self.limits.inline_bytes:
            return True
        self._inlined += length
        return False
