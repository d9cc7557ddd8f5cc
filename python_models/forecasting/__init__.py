"""Forecasts of how customers move between segments: numbers in, numbers out.

Nothing here reads the warehouse, so everything can be tested without dbt.
"""
