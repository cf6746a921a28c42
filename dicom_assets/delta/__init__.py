"""Delta Lake over delta-rs: data files with statistics, one atomic commit, and Spark data sources. No JVM jars.

Tables here have one partition column (``prefix``) and one key (``path``); what the rows mean is of no concern.
"""
