"""While a command loads, the collector waits; afterwards it works again, past what was loaded."""

import gc

import pytest

from dicom_assets.cli.loading import loading


@pytest.fixture(autouse=True)
def collector():
    yield
    gc.enable()
    gc.unfreeze()


def test_the_collector_waits_and_leaves_alone_what_was_loaded():
    with loading():
        assert not gc.isenabled()
        kept = [[] for _ in range(1_000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= len(kept)


def test_it_works_again_where_nothing_could_be_loaded():
    with pytest.raises(ImportError), loading():
        raise ImportError
    assert gc.isenabled()
