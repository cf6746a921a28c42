"""The process that Spark forks its Python workers from, with what they need already imported.

A worker that imports numpy, pyarrow and pydicom itself takes seconds before its first row; forked from here it takes
none. Spark starts this module when ``spark.python.daemon.module`` names it.

What libraries warn of goes to the terminal of the driver, over its progress bar, and may quote paths and values: it is
left out. What is wrong with a file is in its row.
"""

import gc

import pandas  # noqa: F401, ICN001 - PySpark's Arrow functions import it
import pyspark.worker  # noqa: F401
from pyspark.daemon import manager

import dicom_assets.pipeline.extraction
import dicom_assets.pipeline.join
import dicom_assets.spark.datasource  # noqa: F401
from dicom_assets.spark.code import code_digest
from dicom_assets.spark.quiet import silence_libraries

if __name__ == "__main__":
    silence_libraries()
    code_digest()  # workers are asked for it, and inherit it
    # A worker collects garbage after every task, which takes longer than many a task does if it has to go through all
    # that was imported here: 50 ms and more. What is frozen is left out.
    gc.collect()
    gc.freeze()
    manager()
