"""The catalog over HTTP, read-only: pages for people, DICOMweb for programs, a viewer.

Here belongs what turns a request into an answer. ``site`` says what is served and within which bounds, ``app`` puts the
parts together, ``security`` and its neighbours stand before all of them, ``follow`` keeps up with the tables, and
``service`` runs what answers: a plain function of a request, on a thread, with one version of all tables. The parts are
sub-packages with a ``routes`` module each: ``dicomweb``, ``browser``, ``viewer``.

What reads tables, headers or files belongs in ``query`` and ``dicom``. Neither Dagster nor Spark is imported.
"""
