"""Prefixes and their keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_assets.archive.prefixes import PrefixError, decode_prefix, encode_prefix

names = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1).filter(
    lambda name: name not in (".", "..")
)


@given(st.lists(names, min_size=1, max_size=3).map(tuple))
def test_directories_come_back(directories):
    assert decode_prefix(encode_prefix(directories), len(directories)) == directories


@given(st.lists(names, max_size=2).map(tuple), st.lists(names, max_size=2).map(tuple))
def test_different_directories_have_different_keys(one, other):
    assert (encode_prefix(one) == encode_prefix(other)) == (one == other)


@given(st.lists(names, min_size=1, max_size=3).map(tuple))
def test_keys_hold_nothing_that_means_something_to_dagster(directories):
    key = encode_prefix(directories)
    assert "..." not in key
    assert not set(key) & set('",*[]\n\r\t\0')


def test_names_that_are_no_utf8_survive():
    odd = b"caf\xe9".decode("utf-8", "surrogateescape")
    key = encode_prefix((odd,))
    assert key == "caf%E9"
    assert decode_prefix(key, 1) == (odd,)


@pytest.mark.parametrize("key", ["a/b", "", "..", "a,b", "%41", "a/"])
def test_keys_that_no_prefix_has_are_refused(key):
    with pytest.raises(PrefixError):
        decode_prefix(key, 1)
