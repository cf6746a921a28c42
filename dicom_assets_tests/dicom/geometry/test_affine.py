"""The map from voxels to millimetres; that it meets every frame is in ``test_properties``."""

import numpy as np
import pytest

from dicom_assets.dicom.geometry import NoVolumeError, affine, describe_volume
from dicom_assets_tests.dicom.geometry.made import Made, repeated


def test_an_axial_volume():
    frames = repeated(Made(), 2, EchoTime=["1"] * 10 + ["2"] * 10)
    expected = [[0.75, 0, 0, -120], [0, 0.5, 0, -110], [0, 0, 2.5, 40], [0, 0, 0, 1]]
    assert np.allclose(affine(describe_volume(frames), frames), expected)


@pytest.mark.parametrize("places", [[], [0.0], [0, 1, 1, 2], [0, 1, 2, 4]])
def test_no_volume_has_none(places):
    frames = Made(places=places).frames()
    found = describe_volume(frames)
    with pytest.raises(NoVolumeError, match=str(found.reason)):
        affine(found, frames)
