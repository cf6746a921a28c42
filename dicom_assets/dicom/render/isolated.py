"""Plans carried out in a decoder process: one for each process that renders, started when first needed."""

import atexit
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cache
from pickle import PickleBuffer

from dicom_assets.dicom.pixels.errors import ERRORS_BY_STATUS, PixelError, TooLargeError
from dicom_assets.dicom.render.execute import execute_plan
from dicom_assets.dicom.render.options import Limits, Renderer
from dicom_assets.dicom.render.plan import Rendered, RenderPlan
from dicom_assets.isolation import (
    Answer,
    CallError,
    ChildDiedError,
    ChildKilledError,
    ChildLimits,
    DeadlineError,
    FunctionError,
    IsolatedFunction,
    MemoryLimitError,
)


@cache
def decoder_process(limits: Limits) -> IsolatedFunction:
    """Return this process's decoder process for given limits; it starts with its first frame.

    Parameters
    ----------
    limits
        What one file may cost; equal limits share a process.

    """
    process = IsolatedFunction(render_in_child, ChildLimits(limits.seconds, limits.memory_bytes))
    atexit.register(process.close)
    return process


def execute_isolated(plan: RenderPlan, frames: Sequence[bytes], renderer: Renderer, limits: Limits) -> Rendered:
    """Carry out a plan in the decoder process.

    Parameters
    ----------
    plan, frames
        See :func:`~dicom_assets.dicom.render.execute.execute_plan`.
    renderer
        What carries it out there.
    limits
        What it may cost.

    Raises
    ------
    PixelError
        What the renderer raised, or how the process died, ran out of time or of memory.
    IsolationError
        When no process can be started.

    """
    # Out of band: encoded frames are not copied into the pickle.
    buffers = [PickleBuffer(frame) for frame in frames]
    answer = answer_of(decoder_process(limits), renderer, plan, buffers)
    return Rendered(data=answer.data, **answer.fields)


def answer_of(process: IsolatedFunction, *arguments: object) -> Answer:
    """Return what a decoder process answers where it could do what it was asked for.

    Parameters
    ----------
    process
        Of a function that answers with :func:`refusal` where it could not.
    arguments
        Of that function.

    Raises
    ------
    PixelError
        What it raised there, or how the process died, ran out of time or of memory.
    IsolationError
        When no process can be started.

    """
    try:
        answer = process(*arguments)
    except CallError as error:
        raise as_pixel_error(error) from None
    if "status" in answer.fields:
        raised = ERRORS_BY_STATUS.get(str(answer.fields["status"]), PixelError)
        raise raised(str(answer.fields.get("error")))
    return answer


def refusal(error: PixelError) -> Answer:
    """Return the answer of a decoder process that could not do what it was asked for."""
    return Answer({"status": str(error.status), "error": str(error)})


def as_pixel_error(error: CallError) -> PixelError:
    """Return what a failed call of the decoder process means for the file whose frames it had."""
    match error:
        case DeadlineError():
            return PixelError(f"decoding took longer than {error.seconds:g} seconds")
        case MemoryLimitError():
            return TooLargeError("decoding asked for more memory than the limit")
        case ChildKilledError():
            return TooLargeError(f"the decoder process {error.how}")
        case ChildDiedError():
            return PixelError(f"the decoder process {error.how}")
        case FunctionError():
            return PixelError(f"rendering failed: {error.kind}")
        case _:
            return PixelError(f"rendering failed: {type(error).__name__}")


def execute_here(plan: RenderPlan, frames: Sequence[bytes]) -> Rendered:
    """Carry out a plan for native frames, which numpy reads without a decoder, in this process.

    Raises
    ------
    PixelError
        When the frame cannot be rendered.

    """
    try:
        return execute_plan(plan, frames)
    except MemoryError:
        raise TooLargeError("rendering asked for more memory than there is") from None
    except OSError as error:
        # Of the picture's encoder: no storage is involved any more, and callers take OSError for its failure.
        raise PixelError(f"encoding the thumbnail failed: {type(error).__name__}") from error


def render_in_child(renderer: Renderer, plan: RenderPlan, frames: Sequence[bytes]) -> Answer:
    """Carry out a plan; runs in the decoder process. What the renderer raises is part of the answer."""
    try:
        rendered = renderer(plan, frames)
    except PixelError as error:
        return refusal(error)
    fields = asdict(replace(rendered, data=b""))
    del fields["data"]
    return Answer(fields, rendered.data)
