"""Publish marts: a dbt-duckdb plugin that gives SQL the function ``publish_file``."""

from publishing.plugin import Plugin

__all__ = ["Plugin"]
