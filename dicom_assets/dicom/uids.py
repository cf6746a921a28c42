"""Unique Identifiers of the standard (PS3.6 Annex A) that the package knows by name, as plain strings.

The names are those of :mod:`pydicom.uid`. They are not its objects: a header's UIDs are plain strings, which hash and
compare faster, and go into JSON, Arrow and pickles as they are.
"""

from pydicom import uid

ImplicitVRLittleEndian = str(uid.ImplicitVRLittleEndian)
ExplicitVRLittleEndian = str(uid.ExplicitVRLittleEndian)
ExplicitVRBigEndian = str(uid.ExplicitVRBigEndian)
DeflatedExplicitVRLittleEndian = str(uid.DeflatedExplicitVRLittleEndian)
EncapsulatedUncompressedExplicitVRLittleEndian = "1.2.840.10008.1.2.1.98"
PrivateGEImplicitVRBigEndian = "1.2.840.113619.5.2"
"""Data sets in implicit VR little endian with native pixel data in big endian, private to GE."""

JPIPReferencedDeflate = "1.2.840.10008.1.2.4.95"
JPIPHTJ2KReferencedDeflate = "1.2.840.10008.1.2.4.205"

JPEGBaseline8Bit = str(uid.JPEGBaseline8Bit)
JPEGExtended12Bit = str(uid.JPEGExtended12Bit)
JPEGLossless = str(uid.JPEGLossless)
JPEGLosslessSV1 = str(uid.JPEGLosslessSV1)
JPEGLSLossless = str(uid.JPEGLSLossless)
JPEGLSNearLossless = str(uid.JPEGLSNearLossless)
JPEG2000Lossless = str(uid.JPEG2000Lossless)
JPEG2000 = str(uid.JPEG2000)
JPEGXLLossless = "1.2.840.10008.1.2.4.110"
JPEGXLJPEGRecompression = "1.2.840.10008.1.2.4.111"
JPEGXL = "1.2.840.10008.1.2.4.112"
HTJ2KLossless = str(uid.HTJ2KLossless)
HTJ2KLosslessRPCL = str(uid.HTJ2KLosslessRPCL)
HTJ2K = str(uid.HTJ2K)
RLELossless = str(uid.RLELossless)
DeflatedImageFrameCompression = "1.2.840.10008.1.2.8.1"

MediaStorageDirectoryStorage = str(uid.MediaStorageDirectoryStorage)
EnhancedUSVolumeStorage = str(uid.EnhancedUSVolumeStorage)
ParametricMapStorage = str(uid.ParametricMapStorage)
SegmentationStorage = str(uid.SegmentationStorage)
LabelMapSegmentationStorage = "1.2.840.10008.5.1.4.1.1.66.7"
VLWholeSlideMicroscopyImageStorage = str(uid.VLWholeSlideMicroscopyImageStorage)
