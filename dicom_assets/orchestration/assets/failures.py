"""Which failures Dagster should retry: those of the infrastructure, which time may heal."""

from collections.abc import Iterator
from contextlib import contextmanager

from dagster import Failure
from deltalake.exceptions import DeltaError
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from dicom_assets.delta.commit import CommitConflictError, CommitRefusedError

_INFRASTRUCTURE = (OSError, DeltaError, PySparkException, Py4JError, CommitConflictError, CommitRefusedError)


@contextmanager
def only_infrastructure_is_retried() -> Iterator[None]:
    """Let faults of storage, Spark and concurrent writers be retried; fail at once on everything else."""
    try:
        yield
    except _INFRASTRUCTURE:
        raise
    except Exception as error:
        raise Failure(f"{type(error).__name__}: {error}", allow_retries=False) from error
