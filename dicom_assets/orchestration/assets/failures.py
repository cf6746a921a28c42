"""How a step fails: which faults are retried, and what the event of a failure says.

Faults of the infrastructure are retried, which time may heal: ours say so themselves
(:class:`~dicom_assets.errors.InfrastructureError`), those of the libraries are listed here. Whatever fails is a
:class:`dagster.Failure` of our own, because Dagster puts *Exceeded max_retries of 2* where the cause should stand. What
the causes say is made plain in :mod:`dicom_assets.orchestration.assets.plain_errors`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from dagster import (
    AssetCheckExecutionContext,
    AssetExecutionContext,
    DagsterError,
    DagsterExecutionInterruptedError,
    Failure,
    OpExecutionContext,
)
from deltalake.exceptions import DeltaError
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from dicom_assets.errors import InfrastructureError, UserError
from dicom_assets.orchestration.assets.plain_errors import plain_text, plainly
from dicom_assets.orchestration.assets.specs import RETRIES
from dicom_assets.orchestration.dagster_internals import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

CAUSE, ADVICE, ERROR = "cause", "what to do", "error"
"""Metadata of a failed step: what went wrong, what to do about it, and the name of the error's class."""

_INFRASTRUCTURE = (InfrastructureError, OSError, DeltaError, PySparkException, Py4JError)
_AS_THEY_WERE = "The tables are as their last commit left them."
_WAIT = f"{_AS_THEY_WERE} When the cause is mended, execute the run again, or leave that to the archive sensor."
_MEND = "Mend what the message names, then execute the run again. Trying again before that changes nothing."
_REPORT = "This is an error of the program or of an extractor: report it with the stack below. No table was damaged."


class StepError(Failure):
    """A failed step."""

    # Dagster shows the full name of the class in front of the message, and of built-in ones the name alone.
    __module__ = "builtins"


class StepInterruptedError(DagsterError, DagsterExecutionInterruptedError):
    """A step that somebody ended: by Ctrl-C, by *Terminate* in the UI, or by the end of its machine.

    Both of Dagster's kinds: as one of its own errors it passes by the retry policy, by which Dagster would try again
    what it was told to end, and as an interruption it ends the run.
    """


@contextmanager
def only_infrastructure_is_retried(
    context: AssetExecutionContext | AssetCheckExecutionContext | OpExecutionContext,
) -> Iterator[None]:
    """Let faults of storage, Spark and concurrent writers be retried; fail at once on everything else.

    Parameters
    ----------
    context
        Of the step: what it is called, which prefixes it is for, and how often it was tried.

    Raises
    ------
    dagster.Failure
        In place of any error; its first line says what failed, where, and why.
    StepInterruptedError
        The step was told to end, which is not tried again.

    """
    step = context if isinstance(context, OpExecutionContext) else context.op_execution_context
    place = f"{step.op.name}{_over(step.run.tags)}"
    try:
        yield
    except (DagsterExecutionInterruptedError, KeyboardInterrupt) as interrupt:
        raise StepInterruptedError(f"{place} was interrupted. {_AS_THEY_WERE}") from interrupt
    except Exception as error:  # noqa: BLE001 - whatever it is, it fails the step, and says why
        healable = isinstance(error, _INFRASTRUCTURE) and not isinstance(error, UserError)
        left = RETRIES.max_retries - step.retry_number if healable else 0
        cause = plain_text(error)
        if left > 0:
            step.log.warning(f"{place}: {cause} - trying again, {left} more time{'s' if left > 1 else ''}")
        advice = _WAIT if healable else _MEND if isinstance(error, UserError) else _REPORT
        raise StepError(
            f"{place} failed: {cause.rstrip('.')}. {advice}",
            metadata={CAUSE: cause, ADVICE: advice, ERROR: type(error).__name__},
            allow_retries=left > 0,
        ) from plainly(error)


def _over(tags: Mapping[str, str]) -> str:
    """Return which prefixes a run with some tags is for, in words; none, no words."""
    if PARTITION_NAME_TAG in tags:
        return f" of prefix {tags[PARTITION_NAME_TAG]}"
    first, last = tags.get(ASSET_PARTITION_RANGE_START_TAG), tags.get(ASSET_PARTITION_RANGE_END_TAG)
    if first is None or last is None:
        return ""
    return f" of prefix {first}" if first == last else f" of prefixes {first} ... {last}"
