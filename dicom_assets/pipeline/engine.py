"""What the steps need of Spark; the resource gives it, lazily."""

from collections.abc import Sequence
from typing import Protocol

from deltalake.transaction import AddAction
from pyspark.sql import SparkSession

from dicom_assets.delta.rewrite import FileRewrite


class Engine(Protocol):
    """Spark, started at the first use."""

    @property
    def spark_session(self) -> SparkSession:
        """Return the session, started when it is not."""
        ...

    def run_rewrites(self, rewrites: Sequence[FileRewrite]) -> list[AddAction]:
        """Rewrite data files, here or on the workers."""
        ...
