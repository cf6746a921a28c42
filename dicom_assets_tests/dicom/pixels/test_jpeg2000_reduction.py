"""A codestream cut out of another decodes to what the larger one shows, by an independent decoder (OpenJPEG)."""

import io

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dicom_assets.dicom.pixels.decoded import Request
from dicom_assets.dicom.pixels.decoders import decode_frame
from dicom_assets.dicom.pixels.jpeg2000_reduction import reduce_codestream
from dicom_assets.dicom.pixels.layout import PixelLayout

JPEG2000 = "1.2.840.10008.1.2.4.90"
HTJ2K = "1.2.840.10008.1.2.4.201"
MANY_STEPS = 12
"""No coefficient is off by more than a step, and so many of them overlap in a pixel at most."""


def scene(rows: int, columns: int, bits: int, seed: int = 0) -> np.ndarray:
    """Return an image with slopes, edges and noise."""
    down, across = np.mgrid[0:rows, 0:columns]
    slopes = (down / rows + across / columns) / 2
    squares = (down // 9 + across // 13) % 2
    noise = np.random.default_rng(seed).random((rows, columns))
    return ((0.6 * slopes + 0.3 * squares + 0.1 * noise) * ((1 << bits) - 1)).astype(np.uint16)


def encoded(array: np.ndarray, **options) -> bytes:
    out = io.BytesIO()
    Image.fromarray(array).save(out, "JPEG2000", no_jp2=True, **options)
    return out.getvalue()


def decoded(stream: bytes) -> np.ndarray:
    return imagecodecs.jpeg2k_decode(stream).astype(int)


def reduced(stream: bytes, reduce: int) -> np.ndarray:
    """Return what Pillow decodes at a lower resolution, of an image whose sides can be halved so often."""
    picture = Image.open(io.BytesIO(stream))
    picture.reduce = reduce
    return np.array(picture).astype(int)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(5, 40),
    columns=st.integers(5, 40),
    levels=st.integers(1, 4),
    reduce=st.integers(1, 3),
    step=st.sampled_from([3, 40, 600]),
    options=st.fixed_dictionaries(
        {
            "irreversible": st.booleans(),
            "progression": st.sampled_from(["LRCP", "RLCP", "RPCL", "PCRL", "CPRL"]),
            "codeblock_size": st.sampled_from([(4, 4), (64, 64), (8, 32), (32, 16)]),
        },
        optional={"precinct_size": st.sampled_from([(128, 128), (64, 256), (32, 32)]), "plt": st.just(True)},
    ),
)
def test_it_shows_what_the_decoder_shows_at_that_resolution(rows, columns, levels, reduce, step, options):
    # Multiples of eight, since Pillow rounds other sizes otherwise than OpenJPEG.
    array = scene(rows * 8, columns * 8, 16)
    stream = encoded(array, num_resolutions=levels + 1, **options)
    reduce = min(reduce, levels)
    smaller = reduce_codestream(stream, reduce, step)
    if smaller is None:
        assert step == 3 or ("precinct_size" in options and options["progression"] in {"PCRL", "CPRL"})
        return
    assert len(smaller) < len(stream)
    expected, shown = reduced(stream, reduce), decoded(smaller)
    assert shown.shape == expected.shape
    assert np.abs(shown - expected).max() <= MANY_STEPS * step
    assert np.sqrt(((shown - expected) ** 2).mean()) <= 2 * step


@pytest.mark.parametrize("shape", [(131, 201), (97, 64), (65, 127), (9, 300), (300, 8)])
@pytest.mark.parametrize("reduce", [1, 2])
def test_odd_sizes_are_rounded_up(shape, reduce):
    array = scene(*shape, 12)
    shown = decoded(reduce_codestream(encoded(array, num_resolutions=4), reduce, 16))
    assert shown.shape == (-(-shape[0] >> reduce), -(-shape[1] >> reduce))


def test_the_finer_the_step_the_closer_it_comes():
    stream = encoded(scene(256, 256, 16), irreversible=True)
    expected = reduced(stream, 1)
    steps = [4096, 512, 64, 8]
    errors = [np.abs(decoded(reduce_codestream(stream, 1, step)) - expected).mean() for step in steps]
    assert errors == sorted(errors, reverse=True)
    assert all(error < step for error, step in zip(errors, steps, strict=True))


def test_most_of_the_bytes_stay_behind():
    stream = encoded(scene(512, 512, 16), num_resolutions=6)
    assert len(reduce_codestream(stream, 3, 256)) < len(stream) / 32


def test_there_is_nothing_to_leave_out_where_every_bit_shows():
    assert reduce_codestream(encoded(scene(64, 64, 16), num_resolutions=4), 1, 0.2) is None
    assert reduce_codestream(encoded(scene(64, 64, 16), num_resolutions=4), 1, 0.0) is None


OTHER_KINDS = {
    "tiles": encoded(scene(128, 128, 16), tile_size=(64, 64)),
    "quality layers": encoded(scene(128, 128, 16), quality_layers=[40, 10, 1]),
    "colour": encoded(np.zeros((64, 64, 3), np.uint8)),
    "high throughput": imagecodecs.htj2k_encode(scene(128, 128, 16), reversible=True),
    "away from the origin": encoded(scene(128, 128, 16), offset=(4, 4), tile_size=(256, 256)),
}


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_other_kinds_are_left_to_the_decoder(kind):
    assert reduce_codestream(OTHER_KINDS[kind], 1, 256) is None


STREAM = encoded(scene(96, 96, 12), num_resolutions=4, codeblock_size=(16, 16))
END_OF_SECOND_LEVEL = len(reduce_codestream(STREAM, 2, 2)) - 200


@pytest.mark.parametrize("length", [0, 2, 60, 100, END_OF_SECOND_LEVEL])
def test_a_codestream_that_ends_early_is_left_to_the_decoder(length):
    assert reduce_codestream(STREAM[:length], 1, 8) is None


@settings(max_examples=400, deadline=1000)
@given(st.lists(st.tuples(st.integers(2, 160), st.integers(0, 255)), min_size=1, max_size=4))
def test_damage_never_does_more_than_that(damage):
    stream = bytearray(STREAM)
    for position, value in damage:
        stream[position] = value
    smaller = reduce_codestream(bytes(stream), 1, 8)
    assert smaller is None or smaller.startswith(b"\xff\x4f\xff\x51")


def request_for(array: np.ndarray, step: float) -> Request:
    layout = PixelLayout(*array.shape, bits_allocated=16, bits_stored=12, high_bit=11)
    return Request(layout, enough=(array.shape[0] / 4, array.shape[1] / 4), step=step)


@pytest.mark.parametrize("syntax", [JPEG2000, HTJ2K], ids=["its own syntax", "that of high throughput"])
def test_a_frame_is_decoded_as_roughly_as_was_asked_for(syntax):
    array = scene(128, 96, 12)
    exact = decode_frame(encoded(array), syntax, request_for(array, 0))
    rough = decode_frame(encoded(array), syntax, request_for(array, 16))
    assert (exact.rough, rough.rough) == (False, True)
    assert exact.extent == rough.extent
    difference = np.abs(exact.samples.astype(int) - rough.samples)
    assert 0 < difference.max() <= MANY_STEPS * 16
