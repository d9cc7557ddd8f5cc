"""Reads invoice lines: from any file that a shop has to rows of text with their place.

The modules, in the order in which they work:

1. ``files`` finds the files and opens each by its kind: Parquet and relations itself, text with
   ``text`` (``encoding`` finds lines in bytes, ``records`` finds fields in lines), XLSX with
   ``workbook``.
2. ``known`` reads known exports as what they are: ``presets`` recognises them, ``preset_rows``
   writes the query of their rows, and ``presets.yml`` has all that is particular to one.
3. ``columns`` finds which column is which of ours.
4. ``formats`` finds how dates and numbers are written.
5. ``shop`` decides what holds for all lines: returns, guests, states, currencies, discounts.
6. ``lookups`` lands the small tables beside the lines: accounts of one person, rates.

``lines`` runs these steps for invoice lines and lands the result; ``campaign`` opens the customers
of a campaign by the first step alone. ``decisions`` has what the modules hand on: sources, columns,
and decisions with their evidence, which become the mart ``readings``.
"""
