"""Series, studies and patients over all prefixes: what the rollups of single prefixes come to together.

Files of one series may stand below several prefixes, and no run looks at them together. These views do.
"""

from string import Template

from dicom_assets.extract.rollups import GEOMETRY, SERIES, STUDIES, RollupStatus, RollupTable
from dicom_assets.query.sql_text import literal
from dicom_assets.query.view import View

SPREAD = "spread"
"""`not_volume_reason` of a series that stands in several prefixes: its slices were not looked at together."""

_SUMS = ("instances", "files", "frames", "bytes")
_STATES = f"[{', '.join(literal(status) for status in RollupStatus)}]"
_RANK = f"max(list_position({_STATES}, status))"


def _agreeing(name: str) -> str:
    """Return the value that all parts have, null where they differ or one of them found several."""
    several = f"bool_or(list_contains(disagreements, {literal(name)}))"
    return f"CASE WHEN min({name}) = max({name}) AND NOT {several} THEN min({name}) END AS {name}"


def _disagreements(table: RollupTable) -> str:
    between = ", ".join(f"CASE WHEN min({name}) <> max({name}) THEN {literal(name)} END" for name in table.attributes)
    return (
        "list_sort(list_distinct(list_filter("
        f"list_concat(flatten(list(disagreements)), [{between}]), lambda name: name IS NOT NULL))) AS disagreements"
    )


def _sums() -> str:
    return ", ".join(f"sum({name})::BIGINT AS {name}" for name in _SUMS)


def _gathered(column: str) -> str:
    """Return the lists of all parts in one."""
    return f"flatten(list({column})) AS {column}"


def _added(column: str) -> str:
    """Return gathered counts by value, added up."""
    files = f"list_sum(list_transform(list_filter({column}, lambda o: o.value = v), lambda o: o.files))::BIGINT"
    return (
        f"list_transform(list_sort(list_distinct(list_transform({column}, lambda o: o.value))), "
        f"lambda v: {{'value': v, 'files': {files}}}) AS {column}"
    )


def _of_one(column: str) -> str:
    """Return what the only part says, null where there are several."""
    return f"CASE WHEN count(*) = 1 THEN any_value({column}) END AS {column}"


def _status(table: RollupTable) -> str:
    """Return the worst status of the parts, and its reason; parts that differ are worth a look, too."""
    told = [name for name in table.attributes if name not in table.may_differ]
    differ = " OR ".join(f"coalesce(min({name}) <> max({name}), false)" for name in told)
    least = f"CASE WHEN {differ} THEN 2 ELSE 1 END"
    return (
        f"{_STATES}[greatest({_RANK}, {least})] AS status, "
        f"coalesce(first(error ORDER BY list_position({_STATES}, status) DESC, prefix) "
        "FILTER (WHERE error IS NOT NULL), "
        f"CASE WHEN {differ} THEN 'the files of its prefixes disagree' END) AS error"
    )


def _common(table: RollupTable) -> str:
    """Return what both views have: the entity, where it is, its attributes and counts."""
    return ",\n  ".join(
        [
            table.key,
            "list_sort(list(prefix)) AS prefixes",
            *(_agreeing(name) for name in table.attributes),
            _disagreements(table),
            _sums(),
            _gathered("statuses"),
            _status(table),
        ]
    )


# Of parts of equal size the first prefix: copies in several must not show another picture in each query.
_THUMBNAIL = (
    "first({'path': thumbnail_path, 'frame': thumbnail_frame} ORDER BY instances DESC, prefix) "
    "FILTER (WHERE thumbnail_path IS NOT NULL)"
)
_GEOMETRY = [column.name for column in GEOMETRY if column.name not in ("is_volume", "not_volume_reason")]

_ALL_SERIES = Template("""
SELECT * REPLACE ($added) FROM (
SELECT
  $common,
  $syntaxes,
  min(first_instance_number) AS first_instance_number,
  max(last_instance_number) AS last_instance_number,
  $missing,
  $thumbnail.path AS thumbnail_path,
  $thumbnail.frame AS thumbnail_frame,
  $geometry,
  CASE WHEN count(*) = 1 THEN any_value(is_volume) ELSE false END AS is_volume,
  CASE WHEN count(*) = 1 THEN any_value(not_volume_reason) ELSE $spread END AS not_volume_reason
FROM series
GROUP BY SeriesInstanceUID
)
""").substitute(
    added=", ".join(map(_added, ("statuses", "transfer_syntaxes"))),
    common=_common(SERIES),
    syntaxes=_gathered("transfer_syntaxes"),
    missing=_of_one("missing_instance_numbers"),
    thumbnail=f"({_THUMBNAIL})",
    geometry=",\n  ".join(_of_one(name) for name in _GEOMETRY),
    spread=literal(SPREAD),
)

_ALL_STUDIES = Template("""
SELECT * REPLACE ($added) FROM (
SELECT
  $common,
  CASE WHEN count(*) = 1 THEN any_value(studies.series) ELSE coalesce(any_value(spread.series), 0) END AS series,
  list_sort(list_distinct(flatten(list(modalities)))) AS modalities
FROM studies
LEFT JOIN (
  SELECT StudyInstanceUID, count(DISTINCT SeriesInstanceUID) AS series FROM series GROUP BY StudyInstanceUID
) AS spread USING (StudyInstanceUID)
GROUP BY StudyInstanceUID
)
""").substitute(added=_added("statuses"), common=_common(STUDIES))

_PATIENTS = """
SELECT
  PatientID,
  coalesce(list_sort(list(DISTINCT PatientName) FILTER (WHERE PatientName IS NOT NULL)), []) AS names,
  CASE WHEN min(PatientSex) = max(PatientSex) THEN min(PatientSex) END AS PatientSex,
  CASE WHEN min(PatientBirthDate) = max(PatientBirthDate) THEN min(PatientBirthDate) END AS PatientBirthDate,
  list_filter(
    [CASE WHEN min(PatientName) <> max(PatientName) THEN 'PatientName' END,
     CASE WHEN min(PatientSex) <> max(PatientSex) THEN 'PatientSex' END,
     CASE WHEN min(PatientBirthDate) <> max(PatientBirthDate) THEN 'PatientBirthDate' END],
    lambda name: name IS NOT NULL
  ) AS disagreements,
  count(*) AS studies,
  sum(series)::BIGINT AS series,
  sum(instances)::BIGINT AS instances,
  sum(files)::BIGINT AS files,
  sum(bytes)::BIGINT AS bytes,
  list_sort(list_distinct(flatten(list(modalities)))) AS modalities,
  min(StudyDate) AS first_study_date,
  max(StudyDate) AS last_study_date,
  list_sort(list_distinct(flatten(list(prefixes)))) AS prefixes
FROM all_studies
WHERE PatientID IS NOT NULL
GROUP BY PatientID
"""

ROLLUP_VIEWS = (
    View(
        "all_series",
        "Every series once, whatever prefixes its files stand below; the geometry of one that is in several is null.",
        _ALL_SERIES,
        ("series",),
    ),
    View(
        "all_studies",
        "Every study once, whatever prefixes its files stand below.",
        _ALL_STUDIES,
        ("studies", "series"),
    ),
    View(
        "patients",
        "Every Patient ID, with its studies; of a study whose files disagree about it, it is unknown.",
        _PATIENTS,
        ("all_studies",),
    ),
)
