"""The order of elements: tags ascend in a data set, and none occurs twice (PS3.5 7.1)."""

from dicom_assets.dicom.header.budget import Budget
from dicom_assets.dicom.header.issues import IssueCode, IssueLog
from dicom_assets.dicom.header.model import JsonDataset


class TagOrder:
    """Watches over elements whose tag does not ascend.

    Parameters
    ----------
    budget
        What such elements count for.
    log
        Where they are listed.

    """

    __slots__ = ("_budget", "_last_misplaced", "_log", "_unordered")

    def __init__(self, budget: Budget, log: IssueLog) -> None:
        self._budget = budget
        self._log = log
        self._unordered: list[JsonDataset] = []
        self._last_misplaced: tuple[JsonDataset | None, str, str] = (None, "", "")

    def is_duplicate(self, dataset: JsonDataset, tag: str, last: str) -> bool:
        """Say whether an element that does not ascend is a duplicate; list it when it is only out of order.

        Parameters
        ----------
        dataset
            The data set it is in.
        tag
            Its tag, not higher than `last`.
        last
            The highest tag before it.

        """
        self._budget.count(1)
        if tag == last or tag in dataset:
            return True
        where, highest, before = self._last_misplaced
        # A run of elements that ascend among themselves is one issue.
        if where is not dataset or highest != last or tag < before:
            self._log.report(tag, "", IssueCode.TAG_ORDER)
        self._last_misplaced = dataset, last, tag
        if not self._unordered or self._unordered[-1] is not dataset:
            self._unordered.append(dataset)
        return False

    def sort(self) -> None:
        """Put the elements of all data sets in order that were not."""
        for dataset in self._unordered:
            elements = sorted(dataset.items())
            dataset.clear()
            dataset.update(elements)
