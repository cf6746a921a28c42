"""The words by which people name attributes."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.datadict import keyword_dict

from dicom_assets.dicom.header.attribute_path import (
    ALL,
    AttributePathError,
    PrivateElement,
    Step,
    nearest_keywords,
    parse_attribute_path,
)


@pytest.mark.parametrize(
    ("word", "steps"),
    [
        ("PatientWeight", [Step("00101030")]),
        ("00101030", [Step("00101030")]),
        ("0020000d", [Step("0020000D")]),
        ("(0010,1030)", [Step("00101030")]),
        ("( 0020 , 000d )", [Step("0020000D")]),
        ("TransferSyntaxUID", [Step("00020010")]),
        ("00111001", [Step("00111001")]),
        ("OverlayRows", [Step("60000010")]),
        ('(0009,"GEMS_IDEN_01",01)', [Step(PrivateElement("0009", "GEMS_IDEN_01", "01"))]),
        ('(2005, "Philips MR, (DD) 001.[x]", 0x0f)', [Step(PrivateElement("2005", "Philips MR, (DD) 001.[x]", "0F"))]),
        ("ImageType[2]", [Step("00080008", 2)]),
        ("ImageType[*]", [Step("00080008", ALL)]),
        (
            "SharedFunctionalGroupsSequence[0].PixelMeasuresSequence.PixelSpacing",
            [Step("52009229", 0), Step("00289110"), Step("00280030")],
        ),
        (
            '(2005,"Philips MR Imaging DD 005",0F)[*].(0010,1030)',
            [Step(PrivateElement("2005", "Philips MR Imaging DD 005", "0F"), ALL), Step("00101030")],
        ),
    ],
)
def test_a_word_is_read_as_its_steps(word, steps):
    assert parse_attribute_path(word) == tuple(steps)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("PatientWieght", "there is no attribute 'PatientWieght'; did you mean PatientWeight"),
        ("patientweight", "did you mean PatientWeight?"),
        ("Patient's Weight", "did you mean .*PatientWeight"),
        ("FlipAngel", "FlipAngle"),
        ("RequestAttributesSequence[0].StudyDscription", "did you mean StudyDescription"),
        ("", "give a keyword"),
        ("'; DROP TABLE x; --", "there is no attribute"),
        ("Größe", r"there is no attribute 'Gr\\xf6\\xdfe'"),
        ("PatientWeight.", "there is no attribute"),
        ("PatientWeight[-1]", "there is no attribute"),
        ("ImageType[0][1]", "there is no attribute"),
        ("0010103", "there is no attribute"),
        ("(0010,1030", "there is no attribute"),
        ("PatientID.StudyID", "PatientID is no sequence"),
        ("RequestAttributesSequence.TransferSyntaxUID", "file meta information are in no sequence"),
        ('(0008,"X",01)', "0008 is even"),
    ],
)
def test_what_names_no_attribute_is_one_clear_line(word, message):
    with pytest.raises(AttributePathError, match=message) as caught:
        parse_attribute_path(word)
    assert "\n" not in str(caught.value)


def test_every_keyword_of_the_standard_is_a_word():
    for keyword, tag in keyword_dict.items():
        if keyword:
            assert parse_attribute_path(keyword) == (Step(f"{tag:08X}"),)


@given(st.text())
def test_any_text_is_read_or_refused(word):
    try:
        steps = parse_attribute_path(word)
    except AttributePathError:
        return
    assert all(re.fullmatch("[0-9A-F]{8}", step.element) for step in steps if isinstance(step.element, str))


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([keyword for keyword in sorted(keyword_dict) if 8 < len(keyword) < 24]), st.data())
def test_a_letter_left_out_is_no_hindrance(keyword, data):
    place = data.draw(st.integers(1, len(keyword) - 2))
    slipped = keyword[:place] + keyword[place + 1 :]
    if slipped not in keyword_dict:
        near = nearest_keywords(slipped)
        assert keyword in near or len(near) == 3, "three may be nearer"
