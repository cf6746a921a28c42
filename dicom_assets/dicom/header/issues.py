"""The closed set of rules that a value can break, and how the offending bytes are written down."""

from enum import StrEnum

from dicom_assets.dicom.header.model import Issue

RAW_CAP = 64
"""Bytes of an offending value that an issue keeps."""


class IssueCode(StrEnum):
    """What is wrong with a value. The sections are those of the DICOM standard."""

    BAD_DATE = "bad_date"
    """A DA that is no date of the calendar (PS3.5 table 6.2-1)."""
    BAD_TIME = "bad_time"
    """A TM that is no time of day."""
    BAD_DATETIME = "bad_datetime"
    """A DT that is no moment."""
    BAD_AGE = "bad_age"
    """An AS that is not three digits and one of D, W, M, Y."""
    BAD_NUMBER = "bad_number"
    """A DS or IS that is no number, or an IS beyond 32 bits."""
    BAD_UID = "bad_uid"
    """A UI that is no UID (PS3.5 9.1)."""
    BAD_CODE = "bad_code"
    """A CS with characters other than capitals, digits, space and underscore."""
    BAD_NAME = "bad_name"
    """A PN of more than three component groups, or a group of more than five components (PS3.5 6.2.1)."""
    BAD_URI = "bad_uri"
    """A UR that begins with a space or has characters that no URI has."""
    BAD_CHARACTER = "bad_character"
    """A control character, or one outside the default repertoire in a VR that has no other."""
    TOO_LONG = "too_long"
    """More characters than the VR allows. The value is kept in full."""
    BAD_LENGTH = "bad_length"
    """A value whose length is no multiple of the size of its numbers."""
    ODD_LENGTH = "odd_length"
    """A value of odd length (PS3.5 7.1.1). The value itself is used."""
    UNDECODABLE_TEXT = "undecodable_text"
    """Bytes that the Specific Character Set does not define; they are read as ISO 8859-1."""
    UNDECLARED_TEXT = "undeclared_text"
    """Bytes beyond ASCII where no character set is stated; they are read as ISO 8859-1."""
    BAD_CHARSET = "bad_charset"
    """A Specific Character Set that is no Defined Term (PS3.3 C.12.1.1.2)."""
    UNKNOWN_VR = "unknown_vr"
    """Two capitals that are no Value Representation. The value has the VR of the dictionary where the length is written
    as that VR would have it, else it is kept as UN."""
    BAD_VR = "bad_vr"
    """Two bytes that are no capitals where a VR is due. The value has the VR of the dictionary, or is kept as UN."""
    MISSING_VR = "missing_vr"
    """An element encoded as implicit VR where explicit VR was due."""
    LENGTH_BEYOND_ITEM = "length_beyond_item"
    """A value, sequence or item that claims more bytes than what it is in."""
    WRONG_LENGTH = "wrong_length"
    """A length that leads beyond the end, or into nothing, over elements: the value ends where they begin."""
    BAD_ITEM_TAG = "bad_item_tag"
    """The tag of an item or of a delimiter but for one byte; it was taken for it."""
    SKIPPED_BYTES = "skipped_bytes"
    """Bytes that no element could be made of, passed over up to the next that makes sense. The issue says how many from
    which byte on, and holds the first of them."""
    STRAY_DELIMITER = "stray_delimiter"
    """A delimitation item where nothing is open."""
    STRAY_BYTES = "stray_bytes"
    """Bytes that are no element, at the end of an item or of the data set."""
    STRUCTURE = "structure"
    """The structure could not be followed: in an item the rest of it was passed over, in the data set of the file
    pydicom read the header."""
    TAG_ORDER = "tag_order"
    """An element whose tag is lower than that of the element before it (PS3.5 7.1)."""
    DUPLICATE_TAG = "duplicate_tag"
    """A tag that occurs twice in one data set or file meta group: the first value counts, an issue holds the beginning
    of each of the others, as in the file."""
    TRANSFER_SYNTAX = "transfer_syntax"
    """A data set that is not encoded as its Transfer Syntax UID says, or has none in its file meta group."""
    NO_PIXEL_DATA = "no_pixel_data"
    """An image SOP Class without pixel data."""
    PIXEL_DATA_CUT = "pixel_data_cut"
    """Pixel data that goes beyond the end of the file: by its length, its items, an offset table or the number of
    frames."""
    MISSING_DELIMITER = "missing_delimiter"
    """Encapsulated pixel data without the Sequence Delimitation Item that ends it (PS3.5 A.4). Its items are whole."""
    NOT_CONVERTIBLE = "not_convertible"
    """A value that its typed column cannot take without loss, whatever the VR; the column is null."""
    TOO_MANY_VALUES = "too_many_values"
    """More values of an attribute with a typed column than its Value Multiplicity allows (PS3.6); the issue holds the
    first that is too many."""
    NOT_ALL_LISTED = "not_all_listed"
    """A sequence of which not everything is in the columns `references`, `segments` and `rois`: there is more than they
    list, or its items cannot be read to the end."""
    BAD_GZIP = "bad_gzip"
    """The gzip file that holds the object is damaged or ends too early, by its checksum or before."""
    TRAILING_ELEMENTS = "trailing_elements"
    """A limit was reached after the pixel data: there may be more elements than were read."""
    MORE_ISSUES = "more_issues"
    """There are more issues than are listed."""


def escaped(raw: bytes) -> str:
    """Return a value as printable ASCII, capped; what is not printable is escaped as in Python."""
    text = raw[:RAW_CAP].decode("latin-1").encode("unicode_escape").decode("ascii")
    return text if len(raw) <= RAW_CAP else f"{text}..."


class IssueLog:
    """The issues of one header, as many as a limit allows.

    Parameters
    ----------
    most
        Issues that are listed; the last of them says that there were more.

    Attributes
    ----------
    issues
        Those that are listed.
    trail
        Tag and item number of each sequence around the data set that is being read.

    """

    __slots__ = ("_most", "issues", "trail")

    def __init__(self, most: int) -> None:
        self._most = most
        self.issues: list[Issue] = []
        self.trail: list[tuple[str, int]] = []

    def path(self, tag: str) -> str:
        """Return the path of an element of the data set that is being read."""
        return "".join([f"{outer}[{number}]." for outer, number in self.trail]) + tag

    def report(self, tag: str, vr: str, code: IssueCode, raw: bytes = b"") -> None:
        """List an issue of an element of the data set that is being read."""
        self.add(self.path(tag), vr, code, raw)

    def add(self, path: str, vr: str, code: IssueCode, raw: bytes = b"") -> None:
        """List an issue."""
        listed = len(self.issues)
        if listed < self._most - 1:
            self.issues.append(Issue(path, vr, code.value, escaped(raw)))
        elif listed < self._most:
            self.issues.append(Issue("", "", IssueCode.MORE_ISSUES.value, ""))
