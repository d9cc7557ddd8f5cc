"""What SQL can't do: fit clusters, choose their number, and name them.

The functions take and return arrays; ``tables`` alone reads DuckDB's relations into them. The dbt
Python models call both and return tables.
"""
