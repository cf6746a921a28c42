"""Spark: its session and its Java, work mapped over tasks, the data source of users' data frames.

What belongs here starts Spark or runs on it. What the tasks do is in :mod:`dicom_assets.pipeline`.
"""
