"""The whole command beside what users would otherwise do: a script, processes, Spark by the book, Orthanc.

Here is what makes the archive (`files`, `kinds`), each of the others as a program of its own (`script`, `by_spark`,
`by_orthanc`), what runs them in turn (`__main__`), and what tells of it (`report`).
"""
