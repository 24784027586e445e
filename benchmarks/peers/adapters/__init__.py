"""One module a tool: ``PACKAGE``, ``SHINGLES``, ``prepare`` (not measured) and ``run`` (measured).

``prepare(texts, folder, threads)`` puts the texts into the form that the tool takes from its users: a list of strings, a column, a file in
``folder``. ``run(prepared, threads)`` does the rest and returns an ``Outcome``.
"""
