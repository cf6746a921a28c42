"""A renderer with a decoder that does, for real, what hostile data makes decoders do; and files that make it do so.

It is at the top of a module, so that decoder processes find it by name wherever they are started from; a Spark run
takes it as ``ThumbnailOptions(renderer=render_hostile)``.
"""

import ctypes
import os
import time
from collections.abc import Sequence

import numpy as np

from dicom_assets.dicom.render.execute import execute_plan
from dicom_assets.dicom.render.plan import Rendered, RenderPlan
from dicom_assets_tests.support.dicom.images import encapsulated, file_bytes, image

RLE_LOSSLESS = "1.2.840.10008.1.2.5"

SEGFAULT = b"please segfault!"
ABORT = b"please abort now"
HANG = b"please hang here"
ALLOCATE = b"please allocate "
EXIT = b"please exit here"


def render_hostile(plan: RenderPlan, frames: Sequence[bytes]) -> Rendered:
    """Render as always, except for frames that ask for harm."""
    wish = bytes(frames[0][:16])
    if wish == SEGFAULT:
        ctypes.string_at(0)
    if wish == ABORT:
        os.abort()
    if wish == EXIT:
        os._exit(3)
    if wish == HANG:
        # Native code that does not return: signal handlers of Python would not run.
        ctypes.PyDLL(None).sleep(3600)
    if wish == ALLOCATE:
        np.ones(64 << 30, np.uint8)
    return execute_plan(plan, frames)


def hostile_file(wish: bytes) -> bytes:
    """Return a DICOM file whose only frame asks for harm."""
    dataset = image(np.zeros((64, 64), np.uint8), SOPInstanceUID=f"1.2.3.{int(time.monotonic_ns())}")
    return file_bytes(encapsulated(dataset, [wish], RLE_LOSSLESS))
