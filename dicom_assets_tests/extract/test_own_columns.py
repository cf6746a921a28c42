"""Columns of one's own: what their texts mean, what they hold, and that a stored header is as good as a file."""

import datetime as dt
import pickle

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_assets.dicom.header import Header, header_json, read_header
from dicom_assets.dicom.header.attribute_path import AttributePathError
from dicom_assets.dicom.source import BytesSource
from dicom_assets.dicom.status import HeaderStatus
from dicom_assets.extract.extractor import ExtractedTable, Extractor
from dicom_assets.extract.headers import DICOM_HEADERS, VERSION, HeaderExtractor, with_columns, with_more_columns
from dicom_assets.extract.model import DEFAULT_EXTRACTORS, CatalogModel
from dicom_assets.extract.own_columns import (
    ColumnError,
    ColumnType,
    OwnColumns,
    PromotedColumn,
    columns_of,
    columns_of_text,
    from_json,
    to_json,
)
from dicom_assets.extract.rows import to_batch
from dicom_assets.extract.source_file import FileKey, SourceFile
from dicom_assets.extract.validation import ExtractorError
from dicom_assets.tables import Column
from dicom_assets_tests.support.corpus import pydicom_files
from dicom_assets_tests.support.dicom import encoding as e

GEMS = '(0009,"GEMS_IDEN_01",01)'
SPACING = "SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing"


def value(column, dataset, **meta):
    """Return what a column holds of a data set in JSON."""
    column = PromotedColumn.parse(column)
    header = Header(HeaderStatus.OK, dataset=dataset, file_meta=meta)
    (found,) = OwnColumns([column]).values(header).values()
    pa.array([found], column.column().type)
    return found


@pytest.mark.parametrize(
    ("text", "name", "attribute", "kind"),
    [
        ("PatientWeight", "PatientWeight", "PatientWeight", "number"),
        ("00101030", "PatientWeight", "PatientWeight", "number"),
        ("(0010,1030):text", "PatientWeight", "PatientWeight", "text"),
        ("Weight=PatientWeight:number", "Weight", "PatientWeight", "number"),
        (" Weight = PatientWeight : integer ", "Weight", "PatientWeight", "integer"),
        ("ImageType", "ImageType", "ImageType", "text[]"),
        ("third=ImageType[2]", "third", "ImageType[2]", "text"),
        ("types=ImageType:list", "types", "ImageType", "text[]"),
        ("PatientBirthDate", "PatientBirthDate", "PatientBirthDate", "date"),
        ("ContentTime", "ContentTime", "ContentTime", "time"),
        ("FrameReferenceDateTime", "FrameReferenceDateTime", "FrameReferenceDateTime", "datetime"),
        (f"spacing={SPACING}", "spacing", SPACING, "number[]"),
        (SPACING, "PixelSpacing", SPACING, "number[]"),
        (
            "series=ReferencedSeriesSequence[*].SeriesInstanceUID",
            "series",
            "ReferencedSeriesSequence[*].SeriesInstanceUID",
            "text[]",
        ),
        (f"product={GEMS}", "product", GEMS, "text"),
        ('a=(0029,"http://a.b/c:d",10):number', "a", '(0029,"http://a.b/c:d",10)', "number"),
        ('a=(0029,"a:text",10)', "a", '(0029,"a:text",10)', "text"),
    ],
)
def test_a_column_by_its_text(text, name, attribute, kind):
    column = PromotedColumn.parse(text)
    assert (column.name, column.attribute, column.type) == (name, attribute, kind)
    assert PromotedColumn.parse(str(column)) == column
    assert from_json(to_json([column])) == (column,)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("PatientWieght", AttributePathError, "PatientWeight"),
        ("x=PatientWieght:number", AttributePathError, "PatientWeight"),
        ("PatientWeight:float", ColumnError, "no type; there are text, number"),
        (GEMS, ColumnError, "needs a name"),
        ("x=ReferencedSeriesSequence", AttributePathError, "is a sequence"),
        ("x=PixelData", AttributePathError, "no part of the header"),
        ("x=PatientWeight[0].PatientID", AttributePathError, "no sequence"),
        ("", AttributePathError, "no attribute"),
        ("x=", AttributePathError, "no attribute"),
        ("'; DROP TABLE x; --=PatientWeight", AttributePathError, "no attribute"),
        ("<script>=PatientWeight", AttributePathError, "no attribute"),
    ],
)
def test_what_says_no_column_is_told_in_one_line(text, error, message):
    with pytest.raises(error, match=message) as told:
        PromotedColumn.parse(text)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", ["a b", 'a"b', "1a", "", "_a", "<b>", "a;b", "ä", "a" * 128, "a.b", "a\n"])
def test_names_that_are_none_are_refused(name):
    with pytest.raises(ColumnError, match="no name of a column"):
        PromotedColumn(name, "PatientWeight")


@pytest.mark.parametrize("name", ["PatientID", "patientid", "path", "STATUS", "header", "size", "thumbnail", "sha256"])
def test_names_of_other_columns_are_refused_whatever_their_case(name):
    with pytest.raises(ExtractorError, match=f"(?i)column {name} "):
        CatalogModel(with_columns(DEFAULT_EXTRACTORS, [f"{name}=PatientWeight"]))


def test_columns_that_share_a_name_are_refused_and_equal_ones_are_one():
    with pytest.raises(ColumnError, match="two columns are named"):
        columns_of(["w=PatientWeight", "W=PatientSize"])
    assert len(columns_of(["w=PatientWeight", "w=PatientWeight:number"])) == 1
    with pytest.raises(ColumnError, match="give a list"):
        columns_of("PatientWeight")


def test_several_columns_in_one_text():
    assert [one.name for one in columns_of_text(" PatientWeight; a=PatientSize:text\n\nb=ImageType:list ;")] == [
        "PatientWeight",
        "a",
        "b",
    ]
    assert columns_of_text("") == ()


def test_without_the_header_extractor_there_are_no_columns():
    with pytest.raises(ColumnError, match="HeaderExtractor"):
        with_columns(DEFAULT_EXTRACTORS[:1], ["PatientWeight"])
    assert with_columns(DEFAULT_EXTRACTORS[:1], []) == DEFAULT_EXTRACTORS[:1]


@pytest.mark.parametrize(
    ("column", "element", "expected"),
    [
        ("PatientWeight", {"vr": "DS", "Value": [70.5]}, 70.5),
        ("PatientWeight", {"vr": "LO", "Value": ["70.5"]}, 70.5),
        ("PatientWeight", {"vr": "DS", "Value": ["seventy"]}, None),
        ("PatientWeight:text", {"vr": "DS", "Value": [70.0]}, "70"),
        ("PatientWeight:integer", {"vr": "DS", "Value": [70.0]}, 70),
        ("PatientWeight:integer", {"vr": "DS", "Value": [70.5]}, None),
        ("PatientWeight:integer", {"vr": "SV", "Value": ["9223372036854775807"]}, 2**63 - 1),
        ("PatientWeight:integer", {"vr": "UV", "Value": ["9223372036854775808"]}, None),
        ("PatientWeight:number[]", {"vr": "DS", "Value": [1.0, None, "x"]}, [1.0, None, None]),
        ("PatientWeight:date", {"vr": "DA", "Value": ["20240131"]}, dt.date(2024, 1, 31)),
        ("PatientWeight:date", {"vr": "DA", "Value": ["20240231"]}, None),
        ("PatientWeight:time", {"vr": "TM", "Value": ["1230"]}, "12:30:00"),
        ("PatientWeight:datetime", {"vr": "DT", "Value": ["20240131123000+0100"]}, "2024-01-31T12:30:00+01:00"),
        ("PatientWeight:text", {"vr": "PN", "Value": [{"Alphabetic": "Doe^Jane"}]}, "Doe^Jane"),
        ("PatientWeight", {"vr": "DS"}, None),
        ("PatientWeight", {"vr": "DS", "Value": [None, 2.0]}, None),
        ("PatientWeight:text", {"vr": "UT", "BulkData": {"offset": 1, "length": 99999}}, None),
        ("PatientWeight:list", {"vr": "UT", "BulkData": {"offset": 1, "length": 99999}}, None),
        ("PatientWeight:text", {"vr": "UN", "InlineBinary": "NzAuNQ=="}, "70.5"),
        ("PatientWeight:text", {"vr": "SQ", "Value": [{}]}, None),
    ],
)
def test_values_have_the_type_of_their_column_or_are_null(column, element, expected):
    assert value(column, {"00101030": element}) == expected


def test_paths_into_sequences():
    def item(*numbers):
        return {"00280030": {"vr": "DS", "Value": list(numbers)}}

    dataset = {"52009229": {"vr": "SQ", "Value": [{"00289110": {"vr": "SQ", "Value": [item(0.5, 0.25), item(1.0)]}}]}}
    assert value(f"s={SPACING}", dataset) == [0.5, 0.25]
    assert value(f"s={SPACING}".replace("[0]", ""), dataset) == [0.5, 0.25]
    assert value(f"s={SPACING}[1]", dataset) == 0.25
    every = "s=SharedFunctionalGroupsSequence.PixelMeasuresSequence[*].PixelSpacing"
    assert value(every, dataset) == [0.5, 0.25, 1.0]
    assert value(f"{every}:number", dataset) == 0.5
    assert value(every.replace("[*]", "[7]"), dataset) is None
    assert value(every, {}) is None
    assert value(every, {"52009229": {"vr": "SQ", "Value": [None, 3, "x"]}}) is None


def test_private_elements_are_found_by_their_creator_in_whichever_block():
    def dataset(block, creator="GEMS_IDEN_01"):
        return {
            f"000900{block}": {"vr": "LO", "Value": [creator]},
            f"0009{block}01": {"vr": "LO", "Value": [f"GE in {block}"]},
        }

    assert value(f"p={GEMS}", dataset("10")) == "GE in 10"
    assert value(f"p={GEMS}", dataset("C3")) == "GE in C3"
    assert value(f"p={GEMS}", dataset("10", "OTHER")) is None
    two_blocks = {"00090010": {"vr": "LO", "Value": ["GEMS_IDEN_01"]}, **dataset("11")}
    assert value(f"p={GEMS}", two_blocks) == "GE in 11"
    assert value(f"p={GEMS}", {"00090010": {"vr": "LO", "Value": [None]}}) is None


def test_file_meta_information_is_a_header_too():
    meta = {"00020013": {"vr": "SH", "Value": ["WRITER"]}}
    assert value("ImplementationVersionName", {}, **meta) == "WRITER"


def test_the_version_names_the_set_of_columns_and_not_their_order():
    assert HeaderExtractor().version == VERSION
    assert HeaderExtractor().table is DICOM_HEADERS
    one, other = HeaderExtractor(("PatientWeight", "PatientSize")), HeaderExtractor(("PatientSize", "PatientWeight"))
    assert one.version == other.version != HeaderExtractor(("PatientWeight",)).version
    assert one.version.startswith(VERSION)
    assert HeaderExtractor(("PatientWeight:text",)).version != HeaderExtractor(("PatientWeight",)).version
    assert " " not in one.version
    assert pickle.loads(pickle.dumps(one)) == one
    assert pickle.loads(pickle.dumps(one)).table.schema == one.table.schema


def test_rows_of_which_versions_are_made_anew_from_themselves():
    plain, wide = HeaderExtractor(), HeaderExtractor(("PatientWeight",))
    assert plain.refilled(wide.version) == plain.version
    assert wide.refilled(plain.version) == wide.version
    assert wide.refilled(wide.version) is None
    assert wide.refilled("headers-1") is None
    assert wide.refilled("headers-1+columns.1234") is None


def test_more_columns_stay_beside_those_that_are_there():
    once = with_more_columns(DEFAULT_EXTRACTORS, ["PatientWeight"])
    twice = with_more_columns(once, ["PatientSize"])
    model = CatalogModel(twice)
    assert {"PatientWeight", "PatientSize"} <= set(model.table("dicom_headers").schema.names)
    assert {"PatientWeight", "PatientSize"} <= set(model.catalog.schema.names)
    assert model.catalog["PatientWeight"].statistics


class Weight(Extractor):
    """Another extractor that has a column of the name."""

    table = ExtractedTable("weights", "Weights.", (Column("weight", pa.float64(), "A weight."),))
    version = "1"

    def extract(self, file):
        return {}


def test_a_column_of_another_extractor_is_refused():
    with pytest.raises(ExtractorError, match="weight"):
        CatalogModel(with_columns((*DEFAULT_EXTRACTORS, Weight()), ["Weight=PatientWeight"]))


COLUMNS = (
    "PatientWeight",
    "PatientWeightText=PatientWeight:text",
    "Exposure",
    "Types=ImageType:list",
    "Uids=ReferencedSeriesSequence[*].SeriesInstanceUID",
    "Physician=ReferringPhysicianName",
    "ContentDate",
    "ContentTime",
    "FirstComponent=ImageType[0]",
    f"Spacing={SPACING}",
    f"Product={GEMS}",
    "Writer=ImplementationVersionName",
    "Comments=ImageComments",
    "Red=RedPaletteColorLookupTableDescriptor",
)


def both_ways(source):
    """Return the rows of a file: extracted with columns, and made of those that were extracted without."""
    plain, wide = HeaderExtractor(), HeaderExtractor(COLUMNS)
    key = FileKey("p", "x", "x", "1")

    def batch(extractor, table):
        row = {"prefix": "p", "path": "x", "fingerprint": "1", "extractor_version": "v"}
        return to_batch([{**row, **extractor.extract(SourceFile(key, source))}], table)

    return batch(wide, wide.table), wide.refill(batch(plain, wide.table))


def test_a_stored_header_is_as_good_as_a_file():
    found = dict.fromkeys(PromotedColumn.parse(one).name for one in COLUMNS)
    files = pydicom_files()
    for path in files:
        extracted, refilled = both_ways(BytesSource(path.read_bytes()))
        assert extracted.equals(refilled), path
        found |= {name: True for name in found if extracted[name][0].as_py() is not None}
    assert len(files) > 100
    assert [name for name, seen in found.items() if not seen] == [], "else nothing was compared"


@given(
    st.sampled_from(["DS", "FD", "FL", "IS", "UN", "LO", "UT", "UL", "SV", "DA", "TM", "DT", "PN", "OB"]),
    st.binary(max_size=40),
)
def test_so_it_is_for_whatever_bytes(vr, raw):
    raw += b"\0" * (len(raw) % 2)
    elements = [e.explicit(0x00101030, vr, raw), e.explicit(0x00204000, vr, raw)]
    extracted, refilled = both_ways(BytesSource(e.dicom_file(*elements)))
    assert extracted.equals(refilled)


def test_a_value_that_is_not_inlined_is_null_both_ways():
    long = e.explicit(0x00204000, "UT", b"x" * 70_000)
    source = BytesSource(e.dicom_file(long))
    assert b'"BulkData"' in header_json(read_header(source))
    extracted, refilled = both_ways(source)
    assert extracted["Comments"][0].as_py() is None
    assert extracted.equals(refilled)


def test_own_columns_are_no_issues_of_the_file():
    row = HeaderExtractor(("PatientWeight:integer",)).extract(
        SourceFile(FileKey("p", "x", "x", "1"), BytesSource(e.dicom_file(e.explicit(0x00101030, "DS", b"70.5"))))
    )
    assert (row["status"], row["issues"], row["PatientWeight"]) == ("ok", [], None)


def test_the_types_are_documented():
    assert set(ColumnType) == {"text", "number", "integer", "date", "time", "datetime"}
