"""MPEG-2, MPEG-4 AVC and HEVC (PS3.5 8.2.5 to 8.2.8): one frame near the middle, through PyAV where it is installed."""

import io
from typing import Any

from dicom_assets.dicom.pixels.decoded import Decoded, Request
from dicom_assets.dicom.pixels.errors import PixelError, UnsupportedPixelsError


def decode_video(data: bytes, request: Request) -> Decoded:
    """Decode the key frame at or before the middle of a video.

    Parameters
    ----------
    data
        The whole bit stream: PS3.5 allows no seeking by frames from outside.
    request
        What is known of its frames.

    Raises
    ------
    UnsupportedPixelsError
        When PyAV is not installed.
    PixelError
        When the stream holds no video.

    """
    try:
        import av
    except ImportError:
        raise UnsupportedPixelsError("video needs PyAV, the optional extra 'video'") from None
    with av.open(io.BytesIO(data)) as container:
        if not container.streams.video:
            raise PixelError("the stream holds no video")
        stream = container.streams.video[0]
        stream.thread_count = 1
        if container.duration and container.size:
            container.seek((container.start_time or 0) + container.duration // 2)
        for frame in container.decode(stream):
            number = _frame_index(frame, stream, request.layout.declared_frames)
            return Decoded(frame.to_ndarray(format="rgb24"), 8, rgb=True, index=number)
    raise PixelError("the video has no frame that can be decoded")


def _frame_index(frame: Any, stream: Any, frames: int) -> int:
    """Return which frame this is, from its time and the stream's rate."""
    if frame.time is None or not stream.average_rate:
        return 0
    start = float((stream.start_time or 0) * stream.time_base)
    index = round((frame.time - start) * float(stream.average_rate))
    return int(min(max(0, index), frames - 1))
