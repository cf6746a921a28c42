"""One data set while it is walked."""

from dataclasses import dataclass, field

from dicom_assets.dicom.header.charsets import NO_CHARSET, Charset
from dicom_assets.dicom.header.encoding import Encoding
from dicom_assets.dicom.header.model import JsonDataset


@dataclass(slots=True)
class DatasetContext:
    """The data set of the file, or that of an item.

    Attributes
    ----------
    encoding, charset
        How it is encoded; the character set is inherited from the data set around it (PS3.3 C.12.1.1.2).
    end
        Position that it cannot go beyond, ``None`` when only the end of the file bounds it.
    delimited
        Whether a delimiter ends it.
    depth
        Sequences around it.
    dataset
        Its elements so far.
    finished
        Whether its end was met before that position.
    in_delimited_sequence
        Whether it is an item of a sequence that a delimiter ends.
    at, before
        Positions of the element that is being read, and of one before it with nothing but short elements between
        them, -1 for none. These and `last` are set by the walk, for what has to be known where it fails.
    last
        The highest tag so far.

    """

    encoding: Encoding
    charset: Charset = NO_CHARSET
    end: int | None = None
    delimited: bool = False
    depth: int = 0
    dataset: JsonDataset = field(default_factory=dict)
    finished: bool = False
    in_delimited_sequence: bool = False
    at: int = field(init=False)
    before: int = field(init=False)
    last: str = field(init=False)
