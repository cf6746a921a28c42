"""A condition that somebody wrote is tried alone, once for a version of the table."""

from types import SimpleNamespace

import pytest

from dicom_assets.extract.model import CATALOG_NAME
from dicom_assets.query.errors import QueryError
from dicom_assets.serve.browser.conditions import ConditionError, check_where


class _Table:
    """Stands for one version of a table: what is remembered of it goes with it."""


def _catalog(table, tried):
    def sql(query):
        tried.append(query)
        if "wrong" in query:
            raise QueryError("there is no column wrong")

    return SimpleNamespace(fixed={CATALOG_NAME: table}, sql=sql)


def test_a_condition_that_held_is_not_tried_again_on_the_same_version():
    tried, table = [], _Table()
    for _ in range(4):
        check_where(_catalog(table, tried), "Modality = 'CT'")
    assert len(tried) == 1
    check_where(_catalog(_Table(), tried), "Modality = 'CT'")
    assert len(tried) == 2


def test_a_wrong_condition_is_refused_each_time():
    tried, table = [], _Table()
    for _ in range(2):
        with pytest.raises(ConditionError, match="no column wrong"):
            check_where(_catalog(table, tried), "wrong = 1")
    assert len(tried) == 2


def test_what_is_remembered_of_a_version_has_a_bound():
    tried, table = [], _Table()
    for number in [*range(250), 0]:
        check_where(_catalog(table, tried), f"Rows = {number}")
    assert len(tried) == 251
