"""Spark by the book: ``binaryFile``, and in ``mapInPandas`` what the script does to each file; Parquet out.

Its settings are what it takes to get through: few rows at a time, for a row is a whole file, and a driver that in local
mode holds the rows of all cores.

    python -m benchmarks.archive.by_spark FOLDER TARGET
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as f

from benchmarks.archive.script import make
from dicom_assets.spark.java import ensure_java

_SETTINGS = {
    "spark.driver.memory": "4g",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "16",
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


def _rows(parts: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for part in parts:
        made = [make(bytes(content)) for content in part["content"]]
        yield pd.DataFrame(
            {
                "path": part["path"],
                "header": [one.header for one in made],
                "thumbnail": [one.thumbnail for one in made],
            }
        )


def main() -> None:
    """Make all, and print how many."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("target")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    ensure_java()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master(f"local[{arguments.cores}]")
    for name, value in _SETTINGS.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    files = session.read.format("binaryFile").option("recursiveFileLookup", value=True).load(arguments.folder)
    rows = files.select("path", "content").mapInPandas(_rows, "path string, header string, thumbnail binary")
    rows.write.parquet(arguments.target)
    written = session.read.parquet(arguments.target)
    counts = written.select(
        f.count("*").alias("files"), f.count("header").alias("headers"), f.count("thumbnail").alias("thumbnails")
    ).first()
    session.stop()
    print(json.dumps(counts.asDict()))


if __name__ == "__main__":
    main()
