"""Write what the page carries in few bytes."""

import base64
import gzip
import json
import math
from datetime import date, datetime


def zipped(text):
    """Compress a text for a script element; ``unzipped`` in page.js is its opposite.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        Base64 of gzip, the same for the same text whenever it is made.
    """
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=9, mtime=0)).decode()


def as_json(value):
    """Write a value as JSON, dates as text."""
    return json.dumps(value, default=plain, separators=(",", ":"), ensure_ascii=False)


def packed(rows):
    """Write rows as columns, so that names stand once; repeated texts too.

    Parameters
    ----------
    rows : list of dict

    Returns
    -------
    dict
        By column: a list of values, or ``{"texts": distinct values, "at": place of each row's}``.
    """
    columns = {}
    for name in dict.fromkeys(key for row in rows for key in row):
        values = [plain(row.get(name)) for row in rows]
        texts = list(dict.fromkeys(values))
        if len(texts) < len(values) / 2 and any(isinstance(text, str) for text in texts):
            place = {text: number for number, text in enumerate(texts)}
            columns[name] = {"texts": texts, "at": [place[value] for value in values]}
        else:
            columns[name] = values
    return columns


def plain(value):
    """Turn a value into what JSON can say."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
