"""The process that Spark forks its Python workers from, with what they need already imported.

A worker that imports numpy, pyarrow and pydicom itself takes seconds before its first row; forked from here it takes
none. Spark starts this module when ``spark.python.daemon.module`` names it.
"""

import pandas  # noqa: F401, ICN001 - PySpark's Arrow functions import it
from pyspark.daemon import manager

import dicom_assets.delta.spark
import dicom_assets.extract.assemble
import dicom_assets.extract.extractors  # noqa: F401

if __name__ == "__main__":
    manager()
