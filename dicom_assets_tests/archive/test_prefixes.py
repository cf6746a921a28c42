"""Prefixes and their keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_assets.archive.prefixes import (
    ROOT_PREFIX,
    Place,
    PrefixCut,
    PrefixError,
    decode_prefix,
    encode_prefix,
    moved_prefix,
)

names = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1).filter(
    lambda name: name not in (".", "..")
)

paths = st.lists(names, max_size=4).map(tuple)
cuts = st.builds(PrefixCut, st.integers(1, 3), st.integers(0, 3)) | st.just(PrefixCut(0))


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


@given(paths, cuts)
def test_a_prefix_says_where_its_files_stand(directories, cut):
    key = cut.key(directories)
    if key == ROOT_PREFIX:
        assert cut.depth == 0 or len(directories) < cut.depth
        return
    place = cut.place(key)
    if place.start is None:
        assert place.directories == directories[: cut.depth]
    else:
        *above, name = directories[: cut.depth]
        assert (place.directories, place.start) == (tuple(above), name[: cut.chars])


@given(paths, paths, cuts)
def test_folders_are_one_prefix_where_they_begin_alike(one, other, cut):
    def begins(directories):
        if len(directories) < cut.depth or not cut.depth:
            return ()
        *above, name = directories[: cut.depth]
        return (*above, name[: cut.chars] if cut.chars else name)

    assert (cut.key(one) == cut.key(other)) == (begins(one) == begins(other))


@given(paths, cuts)
def test_a_cut_key_holds_one_asterisk_at_its_end_and_else_what_others_do(directories, cut):
    key = cut.key(directories)
    assert "..." not in key
    assert not set(key.removesuffix("*")) & set('",*[]\n\r\t\0')


@given(paths, cuts, cuts)
def test_where_all_files_of_a_prefix_go_is_known_without_looking_at_them_or_not_at_all(directories, old, new):
    known = moved_prefix(old.key(directories), old, new)
    assert known in {None, new.key(directories)}


@pytest.mark.parametrize(
    ("old", "new", "known"),
    [
        (PrefixCut(1), PrefixCut(1, 3), "abc*"),
        (PrefixCut(2), PrefixCut(1), "abcd"),
        (PrefixCut(2), PrefixCut(1, 2), "ab*"),
        (PrefixCut(1, 3), PrefixCut(1, 2), "ab*"),
        (PrefixCut(2, 1), PrefixCut(1, 4), "abcd*"),
        (PrefixCut(2), PrefixCut(0), "."),
        (PrefixCut(1, 3), PrefixCut(1), None),
        (PrefixCut(1), PrefixCut(2), None),
    ],
)
def test_a_coarser_cut_moves_whole_prefixes(old, new, known):
    assert moved_prefix(old.key(("abcd", "x")), old, new) == known


@pytest.mark.parametrize(
    ("directories", "chars", "key"),
    [
        (("abcdef",), 3, "abc*"),
        (("abc",), 3, "abc*"),
        (("ab",), 3, "ab"),
        (("ab*",), 2, "ab*"),
        (("ab*",), 3, "ab%2A*"),
        (("ab*",), 4, "ab%2A"),
        ((".hidden",), 1, "%2E*"),
        (("...x",), 3, "%2E..*"),
        (("e\u0301t\u00e9",), 1, "e*"),
        (("\u00e9t\u00e9",), 1, "\u00e9*"),
        (("\U0001f9e0\U0001f9e0",), 1, "\U0001f9e0*"),
    ],
)
def test_characters_are_code_points_and_a_folder_is_never_taken_for_a_cut(directories, chars, key):
    assert PrefixCut(1, chars).key(directories) == key
    assert (PrefixCut(1).key(directories) == key) == (not key.endswith("*")), "a folder that is whole is what it was"


def test_a_byte_that_is_no_utf8_is_one_character():
    odd = b"\xe9\xe8x".decode("utf-8", "surrogateescape")
    assert PrefixCut(1, 1).key((odd,)) == "%E9*"
    assert PrefixCut(1, 1).place("%E9*") == Place((), odd[:1])


@pytest.mark.parametrize("key", ["abc", "ab*", "abcd*", "a/abc*", "*", "%61bc*", "a**", "ab%00*", "/abc*"])
def test_keys_that_a_cut_does_not_make_are_refused(key):
    with pytest.raises(PrefixError):
        PrefixCut(1, 3).place(key)


def test_a_cut_tells_people_and_the_command_line_what_it_is():
    assert (str(PrefixCut(2)), PrefixCut(2).options) == ("depth 2", "--prefix-depth 2")
    assert str(PrefixCut(1, 1)) == "depth 1, names cut after 1 character"
    assert PrefixCut(1, 3).options == "--prefix-depth 1 --prefix-chars 3"
