"""One data set while it is walked."""

from dataclasses import dataclass, field

from dicom_assets.dicom.charsets import NO_CHARSET, Charset
from dicom_assets.dicom.dialect import Dialect
from dicom_assets.dicom.header import JsonDataset


@dataclass(slots=True)
class Scope:
    """The data set of the file, or that of an item.

    Attributes
    ----------
    dialect, charset
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

    """

    dialect: Dialect
    charset: Charset = NO_CHARSET
    end: int | None = None
    delimited: bool = False
    depth: int = 0
    dataset: JsonDataset = field(default_factory=dict)
    finished: bool = False
