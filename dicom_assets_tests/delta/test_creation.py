"""Tables that several runs create at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pyarrow as pa

from dicom_assets.delta.evolution import ensure_table
from dicom_assets.delta.location import TableLocation
from dicom_assets.tables import FILE_INDEX

RUNS = 4


def test_runs_that_create_a_table_at_once_do_not_fail_each_other(tmp_path):
    for number in range(25):
        location, start = TableLocation(str(tmp_path / str(number))), Barrier(RUNS)

        def create(_, location=location, start=start):
            start.wait()
            ensure_table(location, FILE_INDEX)

        with ThreadPoolExecutor(RUNS) as pool:
            list(pool.map(create, range(RUNS)))
        assert pa.schema(location.open().schema().to_arrow()).names == FILE_INDEX.schema.names
