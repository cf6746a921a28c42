"""Where the frames of a series are in the patient, and whether they make a volume.

* :mod:`~dicom_assets.dicom.geometry.frames`: the positions of many frames as columns, from headers.
* :mod:`~dicom_assets.dicom.geometry.groups`: the same for each frame of a multi-frame file, as a table keeps it.
* :mod:`~dicom_assets.dicom.geometry.volume`: what such frames are: slices, spacing, gaps, stacks, one verdict.
* :mod:`~dicom_assets.dicom.geometry.affine`: from voxels to millimetres.

Everything is a pure function on values and knows neither files nor tables, but for the functional groups, which are
read from the file. What does not belong here: pixels, and which files make up a series.
"""

from dicom_assets.dicom.geometry.affine import NoVolumeError, affine
from dicom_assets.dicom.geometry.attributes import DISCRIMINATORS
from dicom_assets.dicom.geometry.frames import Frames, concatenate, frames_of
from dicom_assets.dicom.geometry.groups import frame_structs
from dicom_assets.dicom.geometry.plane import Orientation
from dicom_assets.dicom.geometry.spacing import Gap
from dicom_assets.dicom.geometry.verdict import NotVolume
from dicom_assets.dicom.geometry.volume import VolumeGeometry, describe_volume

__all__ = [
    "DISCRIMINATORS",
    "Frames",
    "Gap",
    "NoVolumeError",
    "NotVolume",
    "Orientation",
    "VolumeGeometry",
    "affine",
    "concatenate",
    "describe_volume",
    "frame_structs",
    "frames_of",
]
