"""Elements in implicit VR for which PS3.6 leaves a choice of VR that other elements of the header decide."""

from dataclasses import dataclass

from dicom_assets.dicom.header.charsets import NO_CHARSET
from dicom_assets.dicom.header.encoding import Encoding
from dicom_assets.dicom.header.model import JsonDataset, first_value
from dicom_assets.dicom.header.text_values import Problems

_PIXEL_REPRESENTATION = "00280103"
_LUT_DESCRIPTOR = "00283002"


@dataclass(frozen=True, slots=True)
class AmbiguousElement:
    """One such element.

    Attributes
    ----------
    dataset, tag
        Where it stands.
    vr
        The choice, in the words of PS3.6.
    raw
        Its value.
    encoding
        How it is encoded.
    path
        Its tag path.

    """

    dataset: JsonDataset
    tag: str
    vr: str
    raw: bytes
    encoding: Encoding
    path: str

    def resolve(self, root: JsonDataset) -> tuple[str, Problems]:
        """Put the element into its data set, and return its VR and the rules it breaks.

        Parameters
        ----------
        root
            The data set of the file, which decides where the element's own does not.

        """
        vr = resolved_vr(self.vr, self.dataset, root)
        element, problems = self.encoding.value_rule(vr).decode(self.raw, NO_CHARSET)
        self.dataset[self.tag] = element
        return vr, problems


def resolved_vr(choice: str, dataset: JsonDataset, root: JsonDataset) -> str:
    """Return the VR of an element whose VR is a choice (PS3.5 A.1, PS3.3 C.11.1.1.1)."""
    if "OW" in choice:
        # LUT Data: a LUT of one entry is a number, any other is words.
        return "US" if first_value(dataset, _LUT_DESCRIPTOR) == 1 else "OW"
    signed = first_value(dataset, _PIXEL_REPRESENTATION)
    if signed is None:
        signed = first_value(root, _PIXEL_REPRESENTATION)
    return "SS" if signed == 1 else "US"
