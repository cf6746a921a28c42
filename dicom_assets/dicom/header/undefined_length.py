"""Finding the end of what has no stated length, without looking at values."""

from dicom_assets.dicom.header.encoding import IMPLICIT_LITTLE, UNDEFINED, Encoding, Kind
from dicom_assets.dicom.header.errors import LimitError, StructureError, TruncatedError
from dicom_assets.dicom.read_ahead import ReadAheadBuffer

_ITEM, _ITEM_END, _SEQUENCE_END = "FFFEE000", "FFFEE00D", "FFFEE0DD"


def end_of_undefined(buffer: ReadAheadBuffer, position: int, encoding: Encoding, most: int) -> tuple[int, int]:
    """Find the end of a value of undefined length: a sequence, or fragments (PS3.5 7.5, A.4).

    Parameters
    ----------
    buffer
        The bytes; it moves forward.
    position
        Of an item of the value, or of its delimiter.
    encoding
        Encoding of what is in the items.
    most
        Elements and items that may be passed.

    Returns
    -------
    end, passed
        Position after the Sequence Delimitation Item, and how many elements and items were passed.

    Raises
    ------
    TruncatedError, LimitError, StructureError
        If the end is not found.

    """
    open_encodings = [encoding]
    for passed in range(1, most + 1):
        if not buffer.ensure(position, 12) and not buffer.ensure(position, 8):
            raise TruncatedError(f"the file ends inside a sequence, at byte {position}")
        current = open_encodings[-1]
        at = position - buffer.base
        tag, _, rule = current.entries[buffer.data[at : at + current.width]]
        if rule.kind is Kind.DELIMITER or rule.kind is Kind.NO_VR or not current.explicit:
            (length,) = current.length32(buffer.data, at + 4)
            header = 8
        elif rule.long:
            (length,) = current.length32(buffer.data.ljust(at + 12), at + 8)
            header = 12
        else:
            (length,) = current.length(buffer.data, at + 6)
            header = 8
        position += header
        if tag in (_ITEM_END, _SEQUENCE_END):
            open_encodings.pop()
            if not open_encodings:
                return position, passed
        elif length == UNDEFINED:
            # In UN of undefined length everything is implicit VR little endian (PS3.5 6.2.2).
            open_encodings.append(IMPLICIT_LITTLE if rule.kind is Kind.UNKNOWN else current)
        else:
            position += length
            if rule.kind is Kind.NO_VR and not any(buffer.data[at : at + 8]):
                raise StructureError(f"there is no element at byte {position - 8}")
    raise LimitError(f"more than {most} elements in what is not inlined")
