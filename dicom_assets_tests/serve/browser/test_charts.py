from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from dicom_assets.delta.history import Commit
from dicom_assets.serve.browser.charts import HEIGHT, WIDTH, Series, bars, points
from dicom_assets.serve.browser.plots import by_month, throughput
from dicom_assets_tests.serve.browser.conftest import HOSTILE

numbers = st.lists(st.floats(0, 1e12), min_size=1, max_size=20)


@given(numbers, numbers)
def test_bars_stand_on_each_other_within_the_picture(one, other):
    length = min(len(one), len(other))
    svg = ET.fromstring(bars("x", [str(n) for n in range(length)], [Series("a", one), Series("b", other)], "files"))
    for bar in svg.iter("rect"):
        x, y, width, height = (float(bar.get(name)) for name in ("x", "y", "width", "height"))
        assert x >= 0
        assert x + width <= WIDTH
        assert y >= 0
        assert y + height <= HEIGHT
    drawn = sum(1 for place in range(length) for height in (one[place], other[place]) if height > 0)
    assert len(list(svg.iter("rect"))) == drawn


def test_the_highest_bar_is_as_many_times_higher_as_its_number():
    svg = ET.fromstring(bars("x", ["a", "b"], [Series("", [10, 40])], "files"))
    low, high = (float(bar.get("height")) for bar in svg.iter("rect"))
    assert abs(high / low - 4) < 0.01


def test_texts_are_texts():
    for svg in (bars(HOSTILE, [HOSTILE], [Series(HOSTILE, [1])], HOSTILE), points(HOSTILE, [HOSTILE], [1], HOSTILE)):
        tags = {tag.tag for tag in ET.fromstring(svg).iter()}
        assert tags <= {"svg", "title", "line", "text", "rect", "polyline", "circle"}
        assert not {"\u202e", "\u2066", "\x00", "\x1b"} & set(svg)
        assert "style" not in svg


def test_nothing_is_a_picture_too():
    assert ET.fromstring(points("x", [], [], "files/s")).tag == "svg"
    assert by_month({}).picture is None


def test_months_without_files_are_there_and_many_months_are_years():
    plot = by_month({("2024-01", "CT"): 3, ("2024-04", "MR"): 5, ("", "CT"): 7})
    assert plot.legend == ["MR", "CT"]
    assert plot.rows == [("2024-01", "0", "3"), ("2024-04", "5", "0")]
    assert ">2024-02</text>" in plot.picture
    assert plot.note.startswith("7 files")
    years = by_month({("1990-01", "CT"): 3, ("1990-02", "CT"): 4, ("2024-04", ""): 5})
    assert years.rows == [("1990", "7", "0"), ("2024", "0", "5")]
    assert years.heads == ("Year", "CT", "not stated")


def test_modalities_beyond_the_colours_are_others():
    plot = by_month({("2024-01", f"M{number}"): 100 - number for number in range(12)})
    assert plot.legend[-1] == "others"
    assert plot.rows[0][-1] == str(sum(100 - number for number in range(7, 12)))


def test_the_throughput_of_a_run_is_from_its_beginning_to_its_commit():
    began = datetime(2024, 1, 1, tzinfo=UTC)
    commits = [
        Commit(0, began, "CREATE TABLE"),
        Commit(1, began + timedelta(seconds=10), "WRITE", "r", began, 500, 0),
        Commit(2, began, "WRITE", "r", began, 500, 0),
    ]
    assert [row[1:] for row in throughput(commits).rows] == [("500", "50.0")]
    assert throughput([]).picture is None
