"""Pages for people, made on the server: lists of what a catalog holds, one file, SQL, plots.

``selection`` is what is looked at, and a link to it. From there: ``conditions`` makes SQL of it, ``facets`` counts what
it can be narrowed by, ``listing`` has pages of its rows, ``search`` has both from one pass, ``plots`` draws it.
``record`` is one file, ``images`` the thumbnails, ``sql_page`` queries in people's own words. ``pages`` turns values
into HTML, ``routes`` says which address shows what.

Every text from a file or from a client is a bound value of SQL and escaped text of HTML.
"""
