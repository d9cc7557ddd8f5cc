"""What SQL can't do: fit clusters, choose their number, and name them.

The functions take and return arrays; ``declarations``, ``customers``, ``stored_fit`` and
``fit_rows`` read tables into them and write rows. The Python models beside the SQL in
models/intermediate call both.
"""
