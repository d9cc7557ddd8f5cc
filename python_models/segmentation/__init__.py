"""What SQL can't do: fit clusters, choose their number, and name them.

Everything here is arrays in, arrays out. The dbt Python models beside this package read tables,
call it, and return tables.
"""
