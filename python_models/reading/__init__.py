"""Reads invoice lines: from any file that a shop has to rows of text with their place.

The order of work is the order of the modules: text, workbook and presets open a file; columns finds
which column is which; formats finds how dates and numbers are written; lines lands all of it.
"""
