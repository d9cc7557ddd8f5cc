"""Predictions and how good they are: pure functions, arrays in and arrays out.

The Python models beside the SQL in models/intermediate read tables, call these and return the
result.
"""
