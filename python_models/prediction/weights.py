"""What models have learnt, as rows that SQL scores customers by."""

from dataclasses import dataclass

from prediction.regressions import LOGARITHMS


@dataclass(frozen=True)
class Weight:
    """One number of a model, and for a feature what it stands on.

    Attributes
    ----------
    part : str
        The model, or the part of a model that is made of several.
    feature : str
        Of a regression a feature or the intercept; elsewhere the name of a number.
    coefficient : float
    lowest, highest : float or None
        The range of the feature.
    mean, scale : float or None
        What standardises the feature.
    """

    part: str
    feature: str
    coefficient: float
    lowest: float | None = None
    highest: float | None = None
    mean: float | None = None
    scale: float | None = None


def weigh_numbers(part, **numbers):
    """Write numbers by name, a row each."""
    return [Weight(part, name, float(number)) for name, number in numbers.items()]


def weigh_regression(part, regression):
    """Write a `Regression`, a row for each of ``LOGARITHMS`` and one for the intercept."""
    columns = (
        getattr(regression, name).tolist()
        for name in ("coefficients", "lowest", "highest", "mean", "scale")
    )
    rows = [
        Weight(part, feature, *values)
        for feature, *values in zip(LOGARITHMS, *columns, strict=True)
    ]
    return [*rows, Weight(part, "intercept", regression.intercept)]


def weigh_steps(part, name, borders, values):
    """Write a number for each of the ranges between borders.

    Parameters
    ----------
    part, name : str
        Ranges are called after the name, with numbers from 1.
    borders : sequence of float
        The lowest value of each range but the first, in order.
    values : sequence of float
        One more than borders.

    Returns
    -------
    list of Weight
    """
    ends = zip([None, *borders], [*borders, None], strict=True)
    return [
        Weight(part, f"{name}_{number}", float(value), low, high)
        for number, ((low, high), value) in enumerate(zip(ends, values, strict=True), 1)
    ]
