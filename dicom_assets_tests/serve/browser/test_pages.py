"""The pages over a catalog of real files, and over one whose every text is hostile."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dicom_assets.delta.lake import Lake
from dicom_assets.extract.model import CATALOG_NAME, OBJECT_CATALOG
from dicom_assets.tables import Table
from dicom_assets_tests.query.conftest import ROWS, append
from dicom_assets_tests.serve.browser.conftest import HOSTILE, SERIES_FILES, client_of
from dicom_assets_tests.serve.browser.html import Html

LEVELS = ("patients", "studies", "series", "files", "problems")


def page(served, address, /, status=200, **query):
    answer = served.client.get(f"{address}?{urlencode(query, doseq=True)}" if query else address)
    assert answer.status_code == status, answer.text[:500]
    html = Html(answer.text)
    assert html.violations == []
    return html


def first_cells(served, **query):
    html = page(served, "/", view="table", **query)
    cells = re.findall(r"<th scope=\"row\".*?<bdi>(.*?)</bdi>", html.source, re.DOTALL)
    return [cell.strip() for cell in cells], html


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_has_rows_facets_and_a_way_down(served, level):
    html = page(served, "/", level=level)
    assert html.all("a", **{"aria-current": "page"})[0]["href"].endswith(
        "/" if level == "studies" else f"level={level}"
    )
    assert any("modality=" in link for link in html.links)
    deeper = {"patients": "patient=", "studies": "study=", "series": "series=", "files": "/file?", "problems": "/file?"}
    assert any(deeper[level] in link for link in html.links)


def test_a_selection_narrows_and_counts_stay_of_the_whole(served):
    paths, html = first_cells(served, level="files", modality="MR")
    assert sorted(paths) == ["mr/MR_small.dcm", "mr/MR_small_bigendian.dcm", "mr/MR_truncated.dcm"]
    ((others,),) = served.catalog.sql("SELECT count(*) FROM object_catalog WHERE Modality = 'CT'").fetchall()
    assert re.search(rf"\bCT\s*{others}\b", html.text), "other values can be added"
    both, _ = first_cells(served, level="files", modality=["MR", "CT"])
    assert len(both) > len(paths)


def test_a_study_leads_to_its_series_and_these_to_their_files_in_order(served):
    html = page(served, "/", study="1.2.9.1", level="series")
    assert any("series=1.2.9.2" in link for link in html.links)
    paths, _ = first_cells(served, series="1.2.9.2", level="files")
    assert paths == [f"series/{number}.dcm" for number in range(SERIES_FILES)]
    upside_down, _ = first_cells(served, series="1.2.9.2", level="files", sort="-InstanceNumber")
    assert upside_down == paths[::-1]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("scout", SERIES_FILES),
        ("SCOUT 100%", SERIES_FILES),
        ("100_", 0),
        ("1.2.9.2", SERIES_FILES),
        ("9.2", SERIES_FILES),
        ("series/3", 1),
        ("s1 series/", SERIES_FILES),
        ("' OR true --", 0),
    ],
)
def test_words_are_looked_for_in_names_descriptions_uids_and_paths(served, text, found):
    paths, _ = first_cells(served, level="files", q=text)
    assert len([path for path in paths if path.startswith("series/")]) == found


def test_facets_and_conditions_are_values_and_links_lead_back(served):
    paths, html = first_cells(served, level="files", month="2024-02", where="Rows = 8")
    assert len(paths) == SERIES_FILES
    assert any(link == "/?level=files&month=2024-02&view=table" for link in html.links), "without the condition"
    nothing, html = first_cells(served, level="files", modality="' OR true --")
    assert nothing == []
    assert "Nothing matches" in html.text


def test_a_condition_may_hold_what_looks_like_a_parameter(served):
    where = "PatientID <> '$1' AND PatientID <> '$9'"
    paths, html = first_cells(served, level="files", modality="OT", month="2024-02", where=where)
    assert len(paths) == SERIES_FILES
    (link,) = [link for link in html.links if link.startswith("/sql?")]
    (query,) = parse_qs(urlsplit(link).query)["query"]
    assert where in query
    assert "Modality IN ('OT')" in query
    assert ">= DATE '2024-02-01'" in query
    assert all(path in served.client.get(link).text for path in paths)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"where": "Modalty = 'CT'"}, "Modality"),
        ({"where": "true); DROP TABLE object_catalog; SELECT (true"}, ""),
        ({"where": "path = $path"}, ""),
        ({"where": "path IN (SELECT content FROM read_text('/etc/passwd'))"}, ""),
        ({"where": "SeriesDescription::INTEGER = 1"}, "Scout"),
        ({"sort": "secret"}, "cannot be sorted"),
        ({"month": "2024-13"}, "written as 2024-01"),
        ({"month": "0000-01"}, "written as 2024-01"),
        ({"nothing": "x"}, "no filter of this name"),
        ({"q": " ".join("abcdefghi")}, "more than 8 words"),
    ],
)
def test_what_cannot_be_shown_is_told_on_a_page(served, query, reason):
    html = page(served, "/", 400, level="files", **query)
    assert reason in html.text
    assert "root:" not in html.text


def test_a_page_that_is_not_there_leads_back(served):
    html = page(served, "/", level="files", page="40")
    assert "There is no page 40" in html.text


def test_the_cards_of_a_page_come_alone(served):
    answer = served.client.get("/cards?level=files&series=1.2.9.2")
    html = Html(answer.text)
    assert (answer.status_code, len(html.all("li", **{"class": "card"}))) == (200, SERIES_FILES)
    assert not html.all("html")


def test_a_file_is_shown_with_all_that_is_known_of_it(served):
    ((path,),) = served.catalog.sql("SELECT path FROM object_catalog WHERE path LIKE '%/ct/CT_small.dcm'").fetchall()
    html = page(served, "/file", path=path)
    assert path in html.text
    assert "(0010,0010)" in html.text
    assert "CompressedSamples^CT1" in html.text
    assert any("copy%2Fagain.dcm" in link for link in html.links), "the copy of it"
    assert any(link.startswith("/viewer/viewer?StudyInstanceUIDs=1.3.6.1") for link in html.links)
    assert any(link.startswith("/dicom-web/studies/1.3.6.1") and link.endswith("/rendered") for link in html.links)
    assert "update-" in html.text, "the run that made its rows"
    assert not any("dagster.example" in link for link in html.links), "Dagster does not know that run"
    found = page(served, "/file", path=path, find="patientname")
    assert "(0010,0010)" in found.text
    assert "(0008,0060)" not in found.text


def test_a_series_is_a_strip_around_the_file(served):
    paths = [
        row[0]
        for row in served.catalog.sql(
            "SELECT path FROM object_catalog WHERE SeriesInstanceUID = '1.2.9.2' ORDER BY InstanceNumber"
        ).fetchall()
    ]
    html = page(served, "/file", path=paths[3], prefix="series")
    strip = [link for link in html.all("a") if "data-place" in link]
    assert [link["data-place"] for link in strip] == [str(number + 1) for number in range(SERIES_FILES)]
    assert [number for number, link in enumerate(strip) if "aria-current" in link] == [3]
    assert f"4 of {SERIES_FILES}" in html.text


def test_issues_show_the_values_as_they_stand(served):
    ((path, raw),) = served.catalog.sql(
        "SELECT path, raw FROM issues WHERE path LIKE '%/ct/badVR.dcm' AND raw <> '' LIMIT 1"
    ).fetchall()
    html = page(served, "/file", path=path)
    assert raw[:20] in html.text


@pytest.mark.parametrize("query", [{"path": "/etc/passwd"}, {"path": "../../etc/passwd", "prefix": ".."}, {}])
def test_only_files_of_the_catalog_are_shown(served, query):
    assert "no such file" in page(served, "/file", 404, **query).text


def test_plots_have_pictures_and_their_numbers(served):
    html = page(served, "/plots", modality="CT")
    assert len(html.all("svg", role="img")) >= 2
    assert "Files by" in html.text
    assert page(served, "/plots", modality="none of them")


def test_a_catalog_without_series_and_studies_shows_its_files(tmp_path):
    lake = Lake(str(tmp_path))
    lake.ensure([OBJECT_CATALOG])
    append(lake, OBJECT_CATALOG, ROWS)
    client = client_of(lake)
    refused = client.get("/")
    assert refused.status_code == 404
    assert "no tables of series and studies" in refused.text
    assert client.get("/?level=files").status_code == 200
    assert client.get("/plots").status_code == 200


def test_a_catalog_that_lacks_columns_shows_what_it_has(tmp_path):
    lacking = {"thumbnail", "thumbnail_status", "StudyDescription", "Manufacturer", "removed_at", "issues", "error"}
    table = Table(CATALOG_NAME, "Older.", tuple(column for column in OBJECT_CATALOG if column.name not in lacking))
    lake = Lake(str(tmp_path))
    lake.ensure([table])
    append(lake, table, [{name: row[name] for name in row if name not in lacking} for row in ROWS[:2]])
    client = client_of(lake)
    assert "not stated" not in client.get("/?level=files&view=table").text
    for address in ("/?level=files", "/?level=files&q=a", "/plots", f"/file?{urlencode({'path': ROWS[0]['path']})}"):
        assert client.get(address).status_code == 200, address


def test_a_new_version_is_shown_without_a_restart(tmp_path):
    lake = Lake(str(tmp_path))
    lake.ensure([OBJECT_CATALOG])
    client = client_of(lake)
    assert "The catalog has no files yet" in client.get("/?level=files").text
    append(lake, OBJECT_CATALOG, ROWS[:2])
    client.app.state.service.follower.newest()
    assert "2 files" in " ".join(client.get("/?level=files").text.split())


def test_script_and_styles_come_from_here_and_are_named_by_their_content(served):
    html = page(served, "/")
    (script,), sheets = html.all("script"), html.all("link", rel="stylesheet")
    for address in (script["src"], sheets[0]["href"]):
        answer = served.client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert "innerHTML" not in answer.text
        assert "http" not in answer.text
    assert served.client.get("/static/..%2froutes.py").status_code == 404


# ---- texts that would do harm


@pytest.mark.parametrize(
    "path",
    [*(f"/?level={level}" for level in LEVELS), "/?level=files&view=table", "/?level=series&view=table", "/plots"],
)
def test_text_from_files_is_text_in_lists(hostile, path):
    check_is_text(hostile.client.get(path), path != "/plots")


def test_text_from_files_is_text_on_the_page_of_a_file_and_of_answers(hostile):
    (row,) = hostile.catalog.sql("SELECT path, prefix FROM object_catalog LIMIT 1").fetchall()
    check_is_text(hostile.client.get(f"/file?{urlencode({'path': row[0], 'prefix': row[1]})}"))
    query = 'SELECT path, PatientName, header, issues, PatientID AS "<b>\'" FROM object_catalog'
    check_is_text(hostile.client.get(f"/sql?{urlencode({'query': query})}"))


def test_text_from_a_link_is_text(hostile):
    everything = {"q": HOSTILE[:80], "modality": HOSTILE, "patient": HOSTILE, "status": "damaged"}
    check_is_text(hostile.client.get(f"/?{urlencode(everything)}"))
    check_is_text(hostile.client.get(f"/?{urlencode({'where': HOSTILE})}"), shows=False, status=400)
    check_is_text(hostile.client.get(f"/sql?{urlencode({'query': HOSTILE})}"), status=400)


def check_is_text(answer, shows=True, status=200):
    """Check that nothing of a hostile text is anything but text, and that it is there."""
    assert answer.status_code == status, answer.text[:300]
    html = Html(answer.text)
    assert html.violations == []
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    assert "{49}" not in answer.text
    assert ">49<" not in answer.text
    assert not {"\u202e", "\u2066", "\x00", "\x1b"} & set(answer.text)
    assert not shows or "alert(1)" in html.text


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["/", "/cards", "/plots", "/file", "/image", "/sql", "/answer.csv", "/answer.zip", "/static/x"]),
    st.lists(
        st.tuples(
            st.sampled_from(["level", "modality", "month", "q", "where", "sort", "page", "view", "path", "query", "v"]),
            st.one_of(st.text(max_size=20), st.sampled_from(["files", "CT", "2024-01", "1", "table", "-size", "\x00"])),
        ),
        max_size=4,
    ),
)
def test_no_request_fails_the_server(served, path, pairs):
    pairs = [(name, value.encode(errors="ignore").decode()) for name, value in pairs]
    answer = served.client.get(f"{path}?{urlencode(pairs)}")
    assert answer.status_code in {200, 304, 400, 404}, (path, pairs, answer.text[:300])
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("path", ["/", "/plots"])
def test_a_wrong_condition_leaves_all_else_chosen(served, path):
    query = {"level": "files", "modality": "OT", "series": "1.2.9.2", "q": "scout", "sort": "-size"}
    html = page(served, path, 400, where="Modalty = 'CT'", **query)
    assert "The condition was not applied" in html.text
    assert f"{SERIES_FILES} files" in html.text
    if path == "/":
        again = served.client.get(path, params={"where": "Modalty = 'CT'", **query})
        assert "Modalty = &#39;CT&#39;</textarea>" in again.text  # to be mended
    kept = [parse_qs(urlsplit(link).query) for link in html.links if link.startswith("/?level=files")]
    assert any(found.get("modality") == ["OT"] and found.get("q") == ["scout"] for found in kept)
    assert not any("where" in found for found in kept)


def test_pages_name_the_archive_that_they_show(served):
    root = str(Path(served.lake.root).parent / "dicom")
    for path in ("/", "/sql", "/plots", "/?level=problems", "/file?path=none"):
        assert f"<bdi>{root}</bdi>" in served.client.get(path).text


def test_a_catalog_that_does_not_say_of_which_archive_it_is_has_pages(hostile):
    assert "<small" not in hostile.client.get("/").text.split("</header>")[0]


def test_there_is_a_column_of_links_where_there_are_links(served, hostile):
    assert 'class="links"' in served.client.get("/").text
    assert "Links</span>" not in hostile.client.get("/").text
    assert 'class="links"' not in hostile.client.get("/").text


def test_files_that_name_no_patient_are_counted_and_can_be_looked_at(served):
    html = page(served, "/", level="patients")
    (link,) = [link for link in html.links if "PatientID+IS+NULL" in link]
    shown = served.catalog.ask("SELECT count(*) AS n FROM object_catalog WHERE PatientID IS NULL")["n"][0].as_py()
    assert shown > 0
    assert f"{shown} file" in html.text
    assert f"{shown} file" in served.client.get(link).text
    narrowed = page(served, "/", level="patients", where="status = 'ok'")
    assert not [link for link in narrowed.links if "IS+NULL" in link and "status" not in link]
    assert "PatientID+IS+NULL" not in page(served, "/", level="patients", patient="S1").text
