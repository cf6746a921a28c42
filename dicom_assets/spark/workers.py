"""Whether workers have this package, in this version, and what else a function needs.

What travels to a worker is a function that needs Python alone. It looks for the package before it does anything, so
that a worker which lacks it, or has another one, says so in one line instead of making other rows.
"""

import re
from collections.abc import Callable, Iterator

import pyarrow as pa
from pyspark.cloudpickle import dumps

from dicom_assets.delta.location import LakeNotHereError
from dicom_assets.errors import UserError
from dicom_assets.spark.code import code_digest, package_version
from dicom_assets.spark.work import Function

OnBatches = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]

_SAID = re.compile(r"dicom-assets on worker ([^:\s]+): (.+)")
_LAKE = re.compile(r"\bLakeNotHereError: (.+)")
_PYTHON = re.compile(r"PYTHON_VERSION_MISMATCH\]\s*(.+?\.)(?:\s|$)")
_ADVICE = "Install there what is installed here, or ship it with spark.submit.pyFiles (docs/cluster.md, Workers)."


class WorkerError(UserError, RuntimeError):
    """Workers cannot do the work: they lack this package or what it needs, or have another version of it."""


def on_batches(function: Function) -> OnBatches:
    """Return a function that makes each piece in the batches of a task to its results.

    It is pickled by value, all that it needs of this package as bytes, and unpickled by workers that lack the package.
    """
    payload, digest, version = dumps(function), code_digest(), package_version()  # type: ignore[no-untyped-call]

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pickle
        import platform

        import pyarrow as pa

        where = f"dicom-assets on worker {platform.node()}"
        try:
            from dicom_assets.spark.code import code_digest as digest_of_worker
            from dicom_assets.spark.code import package_version as version_of_worker
        except ImportError as error:
            # An older version has the package, but not these functions.
            there = "it has another version of" if error.name != "dicom_assets" else "it lacks"
            raise RuntimeError(f"{where}: {there} the package dicom_assets") from None
        if digest_of_worker() != digest:
            versions = f"{version_of_worker()} there, {version} here"
            raise RuntimeError(f"{where}: it has other code of the package dicom_assets ({versions})")
        try:
            from dicom_assets.spark.quiet import quiet_libraries

            call = pickle.loads(payload)  # noqa: S301 - our own
        except (ImportError, AttributeError) as error:
            raise RuntimeError(f"{where}: it lacks what the work needs, {error}") from None
        with quiet_libraries():
            for batch in batches:
                for piece in batch.column(0).to_pylist():
                    made = [result for result in call(piece) if isinstance(result, bytes)]
                    results = pa.array(made, pa.binary())
                    yield pa.RecordBatch.from_arrays([results], names=["result"])

    return run


def worker_error(text: str) -> WorkerError | LakeNotHereError | None:
    """Return what workers say of themselves in a message of Spark; ``None`` where it is about something else."""
    if said := _LAKE.search(text):
        return LakeNotHereError(said[1].strip())
    if said := _SAID.search(text):
        return WorkerError(f"the Spark worker {said[1]} cannot do the work: {said[2].rstrip('. ')}. {_ADVICE}")
    if said := _PYTHON.search(text):
        return WorkerError(
            f"the Spark workers cannot do the work: {said[1]} Name a Python by spark.pyspark.python, or run this one."
        )
    return None
