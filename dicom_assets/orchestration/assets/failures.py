"""Which failures Dagster should retry: those of the infrastructure, which time may heal.

Ours say so themselves (:class:`~dicom_assets.errors.InfrastructureError`); those of the libraries are listed here.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from dagster import Failure
from deltalake.exceptions import DeltaError
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from dicom_assets.errors import InfrastructureError, UserError

_INFRASTRUCTURE = (InfrastructureError, OSError, DeltaError, PySparkException, Py4JError)


@contextmanager
def only_infrastructure_is_retried() -> Iterator[None]:
    """Let faults of storage, Spark and concurrent writers be retried; fail at once on everything else."""
    try:
        yield
    except Exception as error:
        if isinstance(error, _INFRASTRUCTURE) and not isinstance(error, UserError):
            raise
        raise Failure(f"{type(error).__name__}: {error}", allow_retries=False) from error
