"""What a section of the page is made of, and what its charts have in common."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import altair as alt

# Blues from nearly white to nearly black: light means little, in print too.
SHADES = ("#eaf2fb", "#08306b")
NEGATIVE, NEUTRAL, POSITIVE = "#8c3a00", "#f5f5f5", "#0b4a8f"
ACCENT = "#0072B2"
# Of one line of a label, in pixels.
LINE_HEIGHT = 13


@dataclass(frozen=True)
class Feature:
    """How a feature is shown.

    Attributes
    ----------
    name, unit : str
    number_format : str
        One of d3's that ``written`` understands too.
    is_skewed : bool
        Whether a few values are far larger than the rest.
    """

    name: str
    unit: str
    number_format: str
    is_skewed: bool


def read_features(rows):
    """Read rows of the analysis ``features_in_words``, by name of the feature."""
    return {
        row["feature"]: Feature(
            row["label"], row["unit"], row["number_format"], bool(row["is_skewed"])
        )
        for row in rows
    }


@dataclass(frozen=True)
class Segmentation:
    """A segmentation and its segments, in their order."""

    name: str
    segments: list

    @property
    def title(self):
        """Name for people."""
        return self.name.replace("_", " ").capitalize()

    @property
    def names(self):
        """Names of the segments, by code. Codes tell segments apart, names are only shown."""
        return {segment["segment_code"]: segment["segment_name"] for segment in self.segments}

    def colour(self, legend=True):
        """Give each segment its colour."""
        codes = list(self.names)
        return alt.Color(
            "segment_code:N",
            scale=alt.Scale(domain=codes, range=[segment["colour"] for segment in self.segments]),
            sort=codes,
            legend=legend_on_top(names=self.names) if legend else None,
        )

    def axis(self):
        """Give each segment a line, in their order."""
        return alt.Y(
            "segment_code:N",
            sort=list(self.names),
            title=None,
            axis=alt.Axis(**broken_labels(self.names)),
        )


def broken_labels(names, longest=16, upright=True):
    """Let an axis write long names in several lines, each label in the middle of its place.

    Parameters
    ----------
    names : dict of str to str
        By value of the axis.
    longest : int
        Letters in a line, where words allow it.
    upright : bool
        Whether the axis is, so that lines have to be moved up for their middle to be there.

    Returns
    -------
    dict
        Settings of an axis.
    """
    parts = {value: lines(name, longest) for value, name in names.items()}
    settings = {
        "labelExpr": f"({json.dumps(parts)})[datum.label]",
        "labelLineHeight": LINE_HEIGHT,
        "labelLimit": 180,
        "labelPadding": 8,
        "ticks": False,
        "domain": False,
    }
    if upright:
        several = sorted({len(part) for part in parts.values()} - {1})
        settings["labelOffset"] = {
            "condition": [
                {
                    "test": f"indexof({json.dumps([n for n in parts if len(parts[n]) == number])}"
                    ", datum.value) >= 0",
                    "value": -LINE_HEIGHT / 2 * (number - 1),
                }
                for number in several
            ],
            "value": 0,
        }
    return settings


def grouped_axis(groups, title=None):
    """Group the values of an upright axis under headings.

    Parameters
    ----------
    groups : dict of str to dict
        By heading: its values' keys, in order, and what to call them. An empty heading has no line.
    title : str, optional

    Returns
    -------
    Y
        Of the rows' column ``line``.
    """
    headings, labels = [], {}
    for heading, values in groups.items():
        if heading:
            headings.append(f"heading {heading}")
            labels[headings[-1]] = heading
        labels |= values
    is_heading = f"indexof({json.dumps(headings)}, datum.value) >= 0"
    return alt.Y(
        "line:N",
        title=title,
        scale=alt.Scale(domain=list(labels)),
        axis=alt.Axis(
            labelExpr=f"({json.dumps(labels)})[datum.label]",
            labelFontWeight={"condition": {"test": is_heading, "value": "bold"}, "value": "normal"},
            labelLimit=200,
            labelPadding=8,
            ticks=False,
            domain=False,
        ),
    )


@dataclass
class Figure:
    """One chart, with what people need to read it."""

    title: str
    how: str
    chart: alt.TopLevelMixin
    rows: list
    # Below this width, in pixels, the chart scrolls inside its figure.
    least_width: int = 0
    half: bool = False


@dataclass
class Table:
    """One table; columns map a row's keys to their headings."""

    title: str
    how: str
    columns: dict
    rows: list
    formats: dict = field(default_factory=dict)
    dense: bool = False


@dataclass(frozen=True)
class Section:
    """A heading of the page and what stands under it.

    Attributes
    ----------
    name : str
        Heading.
    draw : callable
        Gives figures and tables from the rows of the analyses.
    analyses : tuple of str
        Names of files in analyses/. Where one of them has no rows, the section is left out.
    per_segmentation : bool
        Whether it is drawn once for each segmentation, from that one's rows; the function's first
        argument is then the ``Segmentation``.
    """

    name: str
    draw: Callable
    analyses: tuple
    per_segmentation: bool = False


def slug(name):
    """Write a name of a section for addresses."""
    return "".join(c if c.isalnum() else "-" for c in name.lower()).strip("-")


def chart():
    """Begin a chart on the rows of its figure."""
    return alt.Chart(alt.Data(name="rows"))


def lines(name, longest=16):
    """Break a long name into lines for an axis; whole words only.

    Parameters
    ----------
    name : str
    longest : int
        Letters in a line, where words allow it.

    Returns
    -------
    list of str
    """
    broken = [""]
    for word in name.split(" "):
        if broken[-1] and len(broken[-1]) + 1 + len(word) > longest:
            broken.append(word)
        else:
            broken[-1] = f"{broken[-1]} {word}".strip()
    return broken


def legend_on_top(columns=2, columns_on_a_phone=1, names=None):
    """Names of colours, above the chart so that they don't take width on a phone.

    Parameters
    ----------
    columns, columns_on_a_phone : int
    names : dict of str to str, optional
        What to call each value, where it is not to be shown itself.

    Returns
    -------
    Legend
    """
    return alt.Legend(
        title=None,
        **({"labelExpr": f"({json.dumps(names)})[datum.label]"} if names else {}),
        orient="top",
        # By the container, since the chart's own width changes while it is laid out.
        columns=alt.ExprRef(f"containerSize()[0] < 450 ? {columns_on_a_phone} : {columns}"),
        labelLimit=300,
        symbolOpacity=1,
    )


def words(code):
    """Write a code as words."""
    return code.replace("_", " ").capitalize()


def large_numbers(**settings):
    """Write an axis with 0, 500, 1k, 2.5M, each in its own size."""
    return alt.Axis(labelExpr="format(datum.value, '~s')", **{"tickCount": 5} | settings)


def steps_that_multiply(smallest, largest):
    """1, 3, 10, 30 … between two values, for the lines of a logarithmic axis."""
    powers = range(math.floor(math.log10(smallest)), math.ceil(math.log10(largest)) + 1)
    return [factor * 10**power for power in powers for factor in (1, 3)]


def count(number):
    """Write a whole number."""
    return f"{number:,.0f}"


def written(number, form):
    """Write a number in a format of d3's that Python has too; ``~`` drops trailing zeros."""
    text = f"{number:{form.replace('~', '')}}"
    return text.rstrip("0").rstrip(".") if "~" in form else text


def money(number):
    """Write an amount for a headline: three digits that matter."""
    for size, letter in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if abs(number) >= size:
            return f"{number / size:#.3g}".rstrip(".") + f"\N{NO-BREAK SPACE}{letter}"
    return f"{number:,.2f}"


def percent(share):
    """Write a share; what is not nothing is never written as 0 %."""
    return (
        "< 1\N{NO-BREAK SPACE}%" if 0 < share < 0.005 else f"{share * 100:.0f}\N{NO-BREAK SPACE}%"
    )


def tooltip(name, title, format=None):
    """One line of what hovering shows."""
    name = name if ":" in name else f"{name}:N"
    return alt.Tooltip(name, title=title, **({"format": format} if format else {}))


def luminance(colour):
    """Relative luminance of #rrggbb, as WCAG defines it, 0 to 1."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """Contrast of two colours, as WCAG defines it, 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mix(light, dark, share):
    """Colour between two, as a linear scale makes it."""
    parts = [
        round(
            int(light[place : place + 2], 16) * (1 - share)
            + int(dark[place : place + 2], 16) * share
        )
        for place in (1, 3, 5)
    ]
    return "#{:02x}{:02x}{:02x}".format(*parts)


def turning_point(light, dark):
    """Share of the way from light to dark where white becomes easier to read than black."""
    shares = [step / 100 for step in range(101)]
    return next(
        share
        for share in shares
        if contrast(mix(light, dark, share), "#ffffff")
        >= contrast(mix(light, dark, share), "#000000")
    )


def shaded(name, largest, title=None):
    """Colour of a cell, from 0 to the largest value."""
    return alt.Color(
        name,
        scale=alt.Scale(domain=[0, largest], range=list(SHADES), clamp=True, interpolate="rgb"),
        legend=None,
        title=title,
    )


def ink(name, largest):
    """Colour of the number in such a cell."""
    limit = largest * turning_point(*SHADES)
    return alt.condition(f"datum['{name}'] >= {limit}", alt.value("#ffffff"), alt.value("#000000"))


def principal_components(points):
    """Look at points from where they are furthest apart.

    Parameters
    ----------
    points : (n_points, n_features) array

    Returns
    -------
    (n_points, 2) array
        Positions on the first two principal components (Pearson 1901); each component points to
        where its largest loading is positive.
    (2,) array
        Shares of the variance that they hold.
    """
    import numpy as np

    centred = points - points.mean(axis=0)
    _, singular, components = np.linalg.svd(centred, full_matrices=False)
    components = components[:2]
    largest = np.abs(components).argmax(axis=1)
    components = components * np.sign(components[np.arange(2), largest])[:, None]
    return centred @ components.T, singular[:2] ** 2 / (singular**2).sum()


def predicted_and_observed(base, observed, scale, ends, *, intervals=True):
    """Draw groups as points, with a dashed line where prediction and outcome are equal.

    Parameters
    ----------
    base : alt.Chart
        With what was predicted for each group on the x axis.
    observed : alt.Y
        The outcome.
    scale : alt.Scale
        Of both axes.
    ends : tuple of float
        Of the line.
    intervals : bool
        Whether groups have ``observed_low`` and ``observed_high``, drawn as upright lines.

    Returns
    -------
    alt.LayerChart
    """
    layers = (
        alt.Chart(alt.Data(values=[{"x": end} for end in ends]))
        .mark_line(strokeDash=[4, 4], strokeWidth=1, color="#808080")
        .encode(x=alt.X("x:Q", scale=scale), y=alt.Y("x:Q", scale=scale))
    )
    if intervals:
        layers += base.mark_rule(strokeWidth=2, color=ACCENT).encode(
            y=alt.Y("observed_low:Q", scale=scale), y2="observed_high:Q"
        )
    layers += base.mark_circle(size=70, opacity=1, color=ACCENT).encode(y=observed)
    return layers.properties(height=300)


def coloured(series):
    """Give each of a few series its colour, from pairs of name and colour."""
    names, colours = zip(*series.values(), strict=True)
    return alt.Color(
        "name:N",
        scale=alt.Scale(domain=list(names), range=list(colours)),
        legend=legend_on_top(3, 3),
    )
