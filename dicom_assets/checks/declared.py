"""The checks of a catalog, derived from its model: those of every table, and those of what a table holds."""

from collections.abc import Iterator, Sequence
from functools import partial

from dicom_assets.checks import parents, rollups, statements
from dicom_assets.checks.check import Check, Severity, Unit
from dicom_assets.checks.dangling import measure_dangling
from dicom_assets.checks.flat import measure_flat
from dicom_assets.checks.options import CheckOptions, CheckOptionsError
from dicom_assets.checks.recency import measure_newest
from dicom_assets.checks.stored import measure_schema
from dicom_assets.extract.extractor import ExtractedTable
from dicom_assets.extract.headers import DICOM_HEADERS
from dicom_assets.extract.model import CatalogModel
from dicom_assets.extract.rollups import STUDY_UID, RollupStatus, RollupTable
from dicom_assets.extract.status import ERROR, CatalogStatus
from dicom_assets.tables import FILE_INDEX, KEY, Table

OF_STUDY = ("PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "AccessionNumber")
"""Attributes of the Patient and the General Study Module (PS3.3 C.7.1.1, C.7.2.1): one value in a study."""
OF_SERIES = ("StudyInstanceUID", "Modality", "FrameOfReferenceUID")
"""What a series has one of (PS3.3 A.1.2). SOP Class UID is not among them: a series may hold several."""

SCHEMA = "schema_is_as_declared"


def checks_of(model: CatalogModel, options: CheckOptions | None = None) -> tuple[Check, ...]:
    """Return the checks of all tables, in the order data walks.

    Raises
    ------
    CheckOptionsError
        There are bounds of a table that is not an extracted table of the model.

    """
    chosen = options or CheckOptions()
    known = [table.name for table in model.extracted]
    for name in chosen.of_table:
        if name not in known:
            raise CheckOptionsError(f"there are bounds of {name!r}; tables that can have some are {', '.join(known)}")
    return tuple(check for table in model.tables for check in _of_table(table, model, chosen))


def _of_table(table: Table, model: CatalogModel, options: CheckOptions) -> Iterator[Check]:
    yield _unique(table)
    yield _schema(table)
    if table is FILE_INDEX:
        if options.newest_file is not None:
            yield _newest(options.newest_file.total_seconds() / 3600)
        return
    if isinstance(table, RollupTable):
        yield from _of_rollup(table, model, options)
        return
    yield _follows(table)
    if isinstance(table, ExtractedTable):
        yield from _states(table, options)
        if "thumbnail" in table.schema.names:
            yield _flat(table, options)
    else:
        yield _joined(table, model)
        yield from _identities(table)
        yield from (_references(table, part) for part in model.extracted if part.name == DICOM_HEADERS.name)


def _of_rollup(table: RollupTable, model: CatalogModel, options: CheckOptions) -> Iterator[Check]:
    yield Check(
        "equals_its_groups",
        table,
        f"Every {table.key} of `{model.catalog.name}` has a row in each of its prefixes, with as many files, instances "
        "and bytes, and no row is without files. A warning: another run may be between the two tables.",
        Severity.WARN,
        partial(rollups.unlike_groups, table, model),
        kind="what",
    )
    yield _few("few_errors", table, [RollupStatus.ERROR], options.bounds.errors)
    if table.key == STUDY_UID:
        yield Check(
            "patient_is_one",
            table,
            "Files of one study name one PatientID, or none, in all prefixes.",
            Severity.WARN,
            partial(rollups.of_several_patients, table),
            reaches=statements.REACHES,
        )


def _unique(table: Table) -> Check:
    return Check(
        "key_is_unique",
        table,
        "No path stands twice." if table.key == KEY else f"No {table.key} stands twice in a prefix.",
        Severity.ERROR,
        partial(statements.repeated_keys, table),
        blocking=True,
    )


def _schema(table: Table) -> Check:
    return Check(
        SCHEMA,
        table,
        "The table on storage has the declared columns, in the declared types.",
        Severity.ERROR,
        partial(statements.stored_columns, table),
        measure=partial(measure_schema, table),
    )


def _follows(table: Table) -> Check:
    return Check(
        "one_row_per_indexed_file",
        table,
        "Every file of the index has a row, and no row is without its file. A warning: another run may be between "
        "its index and its tables.",
        Severity.WARN,
        partial(statements.unpaired, table),
        kind="what",
    )


def _newest(hours: float) -> Check:
    return Check(
        "newest_file_is_recent",
        FILE_INDEX,
        "The newest file of the whole archive is not older than expected.",
        Severity.WARN,
        statements.newest_files,
        bound=hours,
        unit=Unit.HOURS,
        measure=measure_newest,
    )


def _states(table: ExtractedTable, options: CheckOptions) -> Iterator[Check]:
    bounds = options.of_table.get(table.name, options.bounds)
    damaged = [state for state, means in table.meanings.items() if means is CatalogStatus.DAMAGED and state != ERROR]
    yield _few("few_errors", table, [ERROR], bounds.errors)
    if damaged:
        yield _few("few_damaged", table, damaged, bounds.damaged)


def _few(name: str, table: Table, states: Sequence[str], bound: float) -> Check:
    return Check(
        name,
        table,
        f"Few rows have the status {' or '.join(f'`{state}`' for state in states)}.",
        Severity.WARN,
        partial(statements.of_status, table, states),
        bound=bound,
        unit=Unit.SHARE,
    )


def _flat(table: Table, options: CheckOptions) -> Check:
    return Check(
        "few_flat_thumbnails",
        table,
        f"Few thumbnails with the status `ok` are one grey level; up to {options.thumbnails_per_prefix} of a prefix "
        "are looked at.",
        Severity.WARN,
        partial(statements.flat_thumbnails, table, ()),
        bound=options.flat_thumbnails,
        unit=Unit.SHARE,
        measure=partial(measure_flat, table, options.thumbnails_per_prefix),
    )


def _joined(table: Table, model: CatalogModel) -> Check:
    return Check(
        "equals_its_parents",
        table,
        "Every row is what a join of the other tables gives now: version and statuses. A row that is behind is a "
        "warning, a row of the due version with another status an error.",
        Severity.ERROR,
        partial(parents.unlike_parents, model),
        kind="what",
        measure=parents.measure_parents,
    )


def _references(catalog: Table, table: ExtractedTable) -> Check:
    return Check(
        "references",
        catalog,
        "What segmentations, structure sets, reports and other derived objects refer to is in the catalog, whichever "
        "prefix it is in; counted is each reference to an instance that is not. A run over some prefixes of a catalog "
        "of more than 2,000 data files leaves open what is in none of these; `dicom-assets check` looks everywhere.",
        Severity.WARN,
        statements.dangling_references,
        kind="Modality",
        measure=partial(measure_dangling, table),
    )


def _identities(table: Table) -> Iterator[Check]:
    names = table.schema.names
    if "SOPInstanceUID" in names:
        yield Check(
            "instance_is_unique",
            table,
            "No two files share a SOP Instance UID; counted are the files that do, by what they have in common.",
            Severity.WARN,
            statements.repeated_instances,
            kind="likeness",
        )
        yield Check(
            "instance_is_one_image",
            table,
            "Files that share a SOP Instance UID hold the same image; seen where there are pixel hashes.",
            Severity.ERROR,
            statements.unlike_images,
        )
    for name, entity, attributes in (
        ("study_agrees", "StudyInstanceUID", OF_STUDY),
        ("series_agrees", "SeriesInstanceUID", OF_SERIES),
    ):
        present = [attribute for attribute in attributes if attribute in names]
        if entity in names and present:
            yield Check(
                name,
                table,
                f"Files of one {entity} have one value, or none, of {', '.join(present)}; counted is each attribute "
                "that has more.",
                Severity.WARN,
                partial(statements.disagreeing, table, entity, present),
                kind="attribute",
                reaches=statements.REACHES,
            )
