"""Read what the user gives: where the invoices are, and the settings.

All of it is data. Nothing here is run, and what dbt would run is written so that it does not.
"""

import difflib
import json
import os
import re
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


def read_settings(invoices, variables):
    """Read INVOICES and VARS.

    Parameters
    ----------
    invoices : str or None
        A path, a folder or a glob, ``relation:schema.table``, or an address; None for the default.
    variables : str or None
        A YAML mapping of settings; None for the defaults.

    Returns
    -------
    dict of str to object
        Settings by name, as they were given; a path of invoices is absolute.

    Raises
    ------
    ValueError
        If something is given but empty, or not what it should be: one line for people.
    """
    settings = {} if variables is None else parse_variables(variables)
    known = read_defaults()
    for name in settings:
        if name not in known:
            raise ValueError(
                f"VARS: there is no setting {printable(name)}{did_you_mean(name, known)} "
                f"The settings are {', '.join(known)}"
            )
    if invoices is not None:
        if not invoices.strip():
            raise ValueError(
                "INVOICES is given but empty; is a variable unset? Give the path of your invoice "
                "lines, or leave INVOICES away to build the demo"
            )
        if "invoices" in settings:
            raise ValueError("give the invoices once: by INVOICES or in VARS, not by both")
        settings["invoices"] = absolute(invoices)
    for name in settings:
        if isinstance(settings[name], str) and not is_text(settings[name]):
            raise ValueError(f"{name}: {printable(settings[name])} holds bytes that are not UTF-8")
    return settings


def read_defaults():
    """Read the settings of dbt_project.yml."""
    import yaml

    return yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]


def parse_variables(text):
    """Read the YAML of VARS as a mapping of names."""
    import yaml

    example = "such as VARS='{as_of: 2011-12-01}'"
    if not text.strip():
        raise ValueError(
            f"VARS is given but empty; is a variable unset? It maps settings to values, {example}"
        )
    try:
        settings = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at character {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it can't be read"
        raise ValueError(
            f"VARS is not YAML: {printable(problem)}{place}. Write it {example}"
        ) from None
    except ValueError as error:
        # What looks like a date and is none.
        raise ValueError(f"VARS: {error}") from None
    if not isinstance(settings, dict) or not all(isinstance(name, str) for name in settings):
        raise ValueError(f"VARS must map settings to values, {example}, got {printable(text)}")
    return settings


def absolute(invoices):
    """Write a path so that it means the same in any directory; other places stay as they are."""
    if invoices.startswith("relation:") or re.match("[A-Za-z][A-Za-z0-9+.-]+://", invoices):
        return invoices
    return os.path.abspath(os.path.expanduser(invoices))


def as_dbt_vars(settings):
    """Write settings as dbt's ``--vars``, so that dbt takes each as data.

    Parameters
    ----------
    settings : dict of str to object

    Returns
    -------
    str
        YAML, in ASCII. dbt renders Jinja in a text when it reads the var, but not in texts inside
        a list or a mapping. A text with marks of Jinja becomes an expression that gives the text.
    """
    import yaml

    literal = {
        name: "{{ " + json.dumps(value, ensure_ascii=False) + " }}"
        if isinstance(value, str) and re.search(r"\{[{%#]|[#}%]\}", value)
        else value
        for name, value in settings.items()
    }
    # By way of JSON, dates become text.
    plain = json.loads(json.dumps(literal, default=str))
    return yaml.safe_dump(plain, sort_keys=False, width=sys.maxsize)


def did_you_mean(word, known):
    """Suggest the known word that is most like another, as the end of a sentence."""
    close = difflib.get_close_matches(word.lower().replace("-", "_"), known, n=1)
    return f". Did you mean {close[0]}?" if close else "."


def is_text(value):
    """Tell whether a text from the environment was UTF-8."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def printable(text):
    """Write a text so that a terminal shows it in one line and obeys none of it."""
    return "".join(
        character
        if character.isprintable()
        else character.encode("unicode_escape", "surrogatepass").decode("ascii")
        for character in text
    )
