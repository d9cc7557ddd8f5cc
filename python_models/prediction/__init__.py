"""Predictions and how good they are: pure functions, arrays in and arrays out.

The dbt models in python_models/intermediate read tables, call these and return what comes back.
"""
