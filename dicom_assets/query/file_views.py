"""Views of files: what is wrong with them, and their headers in the long form."""

from collections.abc import Mapping
from string import Template

from dicom_assets.dicom.header.issues import IssueCode
from dicom_assets.extract.status import CatalogStatus
from dicom_assets.query.dictionary import DICTIONARY
from dicom_assets.query.documented import documented
from dicom_assets.query.json_values import joined
from dicom_assets.query.sql_text import literal
from dicom_assets.query.view import View

FINE = (CatalogStatus.OK, CatalogStatus.NO_IMAGE)
"""States of files that are as they should be."""


def _in_words(column: str, meanings: Mapping[str, str]) -> str:
    """Return SQL for what the states or codes in a column mean; those that are unknown here stand for themselves."""
    cases = " ".join(f"WHEN {literal(code)} THEN {literal(text)}" for code, text in meanings.items())
    return f"CASE {column} {cases} ELSE {column} END"


_ISSUES = Template("""
SELECT files.prefix, files.path, files.SOPInstanceUID, files.element, files.tag, known.keyword, files.vr, files.code,
       $meaning AS meaning, files.raw
FROM (
  SELECT prefix, path, SOPInstanceUID, nullif(issue.path, '') AS element, nullif(right(issue.path, 8), '') AS tag,
         nullif(issue.vr, '') AS vr, issue.code AS code, issue.raw AS raw
  FROM (SELECT prefix, path, SOPInstanceUID, unnest(issues) AS issue FROM dicom_headers)
) AS files
LEFT JOIN $dictionary AS known ON known.tag = files.tag
""").substitute(meaning=_in_words("files.code", documented(IssueCode)), dictionary=DICTIONARY)

_PROBLEMS = Template("""
SELECT prefix, path, relative_path, size, modified_at, status, coalesce(error, $meaning) AS reason,
       SOPInstanceUID
FROM object_catalog
WHERE status NOT IN ($fine)
""").substitute(
    meaning=_in_words("status", documented(CatalogStatus)),
    fine=", ".join(literal(status) for status in FINE),
)

_ELEMENTS = Template(r"""
SELECT nodes.prefix, nodes.path, nodes.SOPInstanceUID,
       replace(regexp_replace(replace(nodes.fullkey, '"', ''), '^\$$\.(dataset|fileMeta)\.', ''), '.Value[', '[')
         AS element,
       nodes.tag, known.keyword, json_extract_string(nodes.node, '$$.vr') AS vr,
       $value AS value
FROM (
  SELECT files.prefix, files.path, files.SOPInstanceUID, tree.fullkey AS fullkey, tree.key AS tag, tree.value AS node
  FROM dicom_headers AS files, json_tree(files.header) AS tree
  WHERE tree.type = 'OBJECT' AND regexp_full_match(tree.key, '[0-9A-F]{8}')
) AS nodes
LEFT JOIN $dictionary AS known ON known.tag = nodes.tag
""").substitute(dictionary=DICTIONARY, value=joined("json_extract(nodes.node, '$.Value[*]')"))

FILE_VIEWS = (
    View(
        "issues",
        "One row a value that breaks a rule: where it is, which rule, and the value as it stands.",
        _ISSUES,
        ("dicom_headers", DICTIONARY),
    ),
    View(
        "problems",
        "The files whose status is neither `ok` nor `no_image`, with the reason in words.",
        _PROBLEMS,
        ("object_catalog",),
    ),
    View(
        "elements",
        "Headers in the long form: one row an element, those in sequences too, with its value as text.",
        _ELEMENTS,
        ("dicom_headers", DICTIONARY),
    ),
)
