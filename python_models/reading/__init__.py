"""Reads invoice lines: from any file that a shop has to rows of text with their place.

The modules, in the order in which they work:

1. ``files`` finds the files and opens each by its kind: Parquet and relations itself, text with
   ``text``, XLSX with ``workbook``.

   - Of text: ``file_bytes`` opens and unpacks a file, and counts its bytes; ``other_formats``
     refuses what is no text; ``encoding`` finds the encoding, with ``central_european`` for CP1250
     and CP1252. ``text_layout`` finds the delimiter and the names of the columns, with
     ``text_header`` for the line that is the header; ``records`` splits lines into fields.
     ``text_fast`` reads a file with DuckDB's own reader and proves that it read right; for any
     other file, ``text_landed`` writes a copy line by line.
   - Of workbooks: ``workbook_parts`` opens the archive, ``sheet_xml`` finds what each cell is,
     ``cell_text`` reads it as text, ``sheet_table`` finds the header.

2. ``preset_sources`` reads known exports as what they are: ``presets`` recognises them,
   ``preset_rows`` writes the query of their rows, ``presets.yml`` has all that is particular to
   one, and ``preset_file`` loads and checks it.
3. ``columns`` finds which column is which of ours.
4. ``formats`` finds how dates and numbers are written, ``amounts`` what the money of a line is.
5. ``shop`` decides what holds for all lines: guests, states, currencies; ``signs`` what marks
   returns and money off an order.
6. ``lookups`` lands the small tables beside the lines, ``lines`` all of it.

``campaign`` lands the customers of a marketing campaign. ``decisions`` has what is handed on, and
``sql`` how names, texts and paths are written in SQL.
"""
