"""One base for all errors, and below it the kinds: the user's to mend, the infrastructure's, and what files hold."""

import importlib
import inspect
import pkgutil

import pytest

import dicom_assets
from dicom_assets.cli.errors import clear_errors
from dicom_assets.errors import DataError, DicomAssetsError, InfrastructureError, UserError, causes

KINDS = (UserError, InfrastructureError, DataError)
SIGNALS = {
    "dicom_assets.isolation.messages.ConnectionEndedError": "the parent turns it into how the child ended",
    "dicom_assets.cli.shell.errors.LeaveShell": "`.quit`, which the shell ends at",
    "dicom_assets.cli.shell.interruption.InterruptedQueryError": "Ctrl-C, after which the shell prompts again",
    "dicom_assets.orchestration.assets.failures.StepInterruptedError": "Dagster ends a run at it",
}
"""Exceptions that never leave the room that raises them, by qualified name, each with its reason."""

RUNS_WHEN_IMPORTED = frozenset({"dicom_assets.definitions"})
"""Reads the environment; defines nothing but Dagster's entry point."""


def modules():
    for found in pkgutil.walk_packages(dicom_assets.__path__, "dicom_assets."):
        if found.name not in RUNS_WHEN_IMPORTED:
            yield importlib.import_module(found.name)


def own_exceptions():
    return {
        f"{kind.__module__}.{kind.__qualname__}": kind
        for module in modules()
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, BaseException) and kind.__module__ == module.__name__
        # Warnings are told, not raised.
        if not issubclass(kind, Warning)
    }


def test_every_exception_is_of_one_kind():
    found = own_exceptions()
    assert len(found) > 20
    base = {f"{kind.__module__}.{kind.__qualname__}" for kind in (DicomAssetsError, *KINDS)}
    wrong = {
        name: [kind.__name__ for kind in KINDS if issubclass(error, kind)]
        for name, error in found.items()
        if name not in base and name not in SIGNALS and sum(issubclass(error, kind) for kind in KINDS) != 1
    }
    assert not wrong


def test_every_signal_is_there():
    assert SIGNALS.keys() <= own_exceptions().keys()


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_line_shows_either_kind_in_one_line(kind, capsys):
    from typer import Exit

    with pytest.raises(Exit) as caught, clear_errors():
        raise kind("the lake is on fire")
    assert caught.value.exit_code == 2
    assert capsys.readouterr().err == "Error: the lake is on fire\n"


def test_a_fault_of_the_program_keeps_its_traceback():
    with pytest.raises(KeyError), clear_errors():
        raise KeyError("x")


def test_causes_that_are_a_ring_come_to_an_end():
    first, second, third = OSError("first"), KeyError("second"), ValueError("third")
    first.__cause__, second.__context__, third.__cause__ = second, third, first
    assert list(causes(first)) == [first, second, third]
    second.__context__ = None
    assert list(causes(first)) == [first, second]
