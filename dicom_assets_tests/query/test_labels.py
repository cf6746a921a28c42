"""Labels for people in place of UIDs and byte counts."""

import warnings

import pytest

from dicom_assets.query.labels import file_size, transfer_syntax_name


@pytest.mark.parametrize(
    ("uid", "name"),
    [
        ("1.2.840.10008.1.2.4.90", "JPEG 2000 Image Compression (Lossless Only)"),
        ("1.2.3", "1.2.3"),
        ("Doe^Jane\x01", "Doe^Jane\x01"),
        (None, None),
    ],
)
def test_a_transfer_syntax_has_a_name_and_what_is_none_raises_no_voice(uid, name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert transfer_syntax_name(uid) == name


@pytest.mark.parametrize(("length", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (38_400, "38 kB")])
def test_sizes_are_in_decimal_units(length, text):
    assert file_size(length) == text
