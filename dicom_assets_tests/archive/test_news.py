"""What others tell of an archive, as prefixes that are worth a look."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_assets.archive.news import News, NewsError, names_in, prefixes_told
from dicom_assets.archive.prefixes import PrefixCut

BUCKET = "s3://imaging/dicom"


@pytest.mark.parametrize(
    ("told", "source", "prefixes"),
    [
        ("2024/a/1.dcm", "/data", ("2024",)),
        ("/data/2024/a/1.dcm", "/data", ("2024",)),
        ("/data/2024/", "/data", ("2024",)),
        ("2024/", "/data", ("2024",)),
        ("top.dcm", "/data", (".",)),
        ("/database/2024/1.dcm", "/data", ()),
        ("/data/../etc/passwd", "/data", ()),
        ("a//b", "/data", ()),
        ("", "/data", ()),
        ("/", "/data", ()),
        ("s3://imaging/dicom/2024/1", "/data", ()),
        ("file:///data/%FF/1", "/data", ("%FF",)),
        ("s3://imaging/dicom/2024/1.dcm", BUCKET, ("2024",)),
        ("s3a://imaging/dicom/50%25 off/1.dcm", BUCKET, ("50%2525 off",)),
        ("s3://imaging/dicomweb/2024/1.dcm", BUCKET, ()),
        ("s3://other/dicom/2024/1.dcm", BUCKET, ()),
        ("2024/1.dcm", BUCKET, ("2024",)),
    ],
)
def test_names_lead_to_prefixes_and_what_is_elsewhere_to_none(told, source, prefixes):
    assert prefixes_told([told], source, PrefixCut()) == News(prefixes, int(not prefixes))


def test_prefixes_are_told_once_and_cut_as_the_catalog_is():
    told = ["abc/1", "abd/2", "ab/3", "xyz/4", "xyz/5"]
    assert prefixes_told(told, "/data", PrefixCut(1, 2)).prefixes == ("ab*", "xy*")
    assert prefixes_told(["2024/"], "/data", PrefixCut(2)) == News((), 1), "a folder above the prefixes is many"


RECORD = {"s3": {"bucket": {"name": "imaging"}, "object": {"key": "dicom/a+b/%C3%BC%2B.dcm", "size": 1}}}
URI = "s3://imaging/dicom/a b/ü+.dcm"
S3 = {"Records": [RECORD, RECORD]}


@pytest.mark.parametrize(
    ("event", "names"),
    [
        (S3, [URI, URI]),
        ({"Records": [{"Sns": {"Message": json.dumps(S3)}}]}, [URI, URI]),
        ({"Messages": [{"Body": json.dumps({"Message": json.dumps(S3)})}]}, [URI, URI]),
        ({"Records": [{"body": json.dumps(S3)}]}, [URI, URI]),
        ({"detail": {"bucket": {"name": "imaging"}, "object": {"key": "a+b.dcm"}}}, ["s3://imaging/a+b.dcm"]),
        ({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "imaging"}, []),
        ({"Records": [{"s3": {"bucket": {}, "object": {"key": 7}}}, {"s3": None}, None, 3]}, []),
        ([S3, {"Records": "none"}], [URI, URI]),
    ],
)
def test_events_of_s3_name_objects_in_whatever_they_are_wrapped(event, names):
    assert list(names_in(json.dumps(event))) == names


def test_events_may_come_one_after_the_other_and_paths_one_a_line():
    assert list(names_in(f"\n{json.dumps(S3)}\n{json.dumps(S3)}\n")) == [URI] * 4
    assert list(names_in("a/1\n\nb/2 \n")) == ["a/1", "b/2 "]
    assert list(names_in("")) == []


def test_what_begins_like_an_event_and_is_none_is_refused_without_being_shown():
    with pytest.raises(NewsError) as refused:
        list(names_in('{"Records": [{"s3": "Doe^John'))
    assert "Doe" not in str(refused.value)


def test_messages_in_messages_without_end_name_nothing():
    event = json.dumps(S3)
    for _ in range(8):
        event = json.dumps({"Message": event})
    assert list(names_in(event)) == []


values = st.recursive(
    st.none() | st.text() | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["Records", "s3", "Message", "bucket"]), inner),
)


@given(values)
def test_whatever_json_it_is_nothing_breaks(value):
    if isinstance(value, list | dict):
        assert all(name.startswith("s3://") for name in names_in(json.dumps(value)))


@given(st.lists(st.text()), st.sampled_from(["/data", BUCKET]))
def test_whatever_is_told_leads_to_prefixes_of_the_archive_or_to_none(told, source):
    cut = PrefixCut(1, 2)
    news = prefixes_told(told, source, cut)
    for prefix in news.prefixes:
        cut.place(prefix)
    assert news.strange <= len(told)
