"""An extractor that does harm, as the name of the file says."""

import os
import time
from typing import ClassVar

import pyarrow as pa

from dicom_assets.extract import ChildLimits, Column, ExtractedTable, Extractor


class Misbehaving(Extractor):
    """Raises on some files, hangs on one, eats memory on one, crashes on one, and answers the others."""

    version = "misbehaving-1"
    limits = ChildLimits(seconds=3, memory_bytes=512 << 20)
    table: ClassVar = ExtractedTable(
        "misbehaving", "What is left of harm.", (Column("first_bytes", pa.binary(), "The first four bytes."),)
    )

    def extract(self, file):
        match file.key.relative_path.rpartition("/")[2].partition("-")[0]:
            case "raises":
                raise ValueError(f"cannot take {file.text('PatientID')}")
            case "hangs":
                time.sleep(3600)
            case "eats":
                hoard = [bytearray(64 << 20) for _ in range(1000)]
                return {"first_bytes": hoard[0][:4]}
            case "crashes":
                os.abort()
            case "lies":
                return {"first_bytes": b"", "patient": "Doe^Jane"}
        return {"first_bytes": file.head[128:132]}
