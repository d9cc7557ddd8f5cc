"""What must be true of customers before they are called by a segment's name."""

import operator
from dataclasses import dataclass

import numpy as np

STATISTICS = {"mean": np.mean, "median": np.median}
# Equal sums in another order differ in their last digits.
TOLERANCE = 1e-9
COMPARISONS = {
    ">=": (operator.ge, -TOLERANCE, "at least"),
    ">": (operator.gt, TOLERANCE, "more than"),
    "<=": (operator.le, TOLERANCE, "at most"),
    "<": (operator.lt, -TOLERANCE, "less than"),
}
OF_SHOP = {"shop_mean": "mean", "shop_median": "median"}


@dataclass(frozen=True)
class Claim:
    """What a name says of the customers who have it.

    Attributes
    ----------
    feature : str
    column : int or None
        Of the feature among those of the segmentation; None where it has no such feature, so that
        nobody knows whether the claim is true.
    statistic : {"mean", "median"}
        Of the customers who would have the name.
    comparison : {">=", ">", "<=", "<"}
    number : float
        What the statistic is compared with, in the unit of the feature.
    times : {"shop_mean", "shop_median"} or None
        What the number is a multiple of: that figure of all customers of the segmentation.
    """

    feature: str
    column: int | None
    statistic: str
    comparison: str
    number: float
    times: str | None = None

    def bound(self, shop):
        """Compute what the statistic is compared with, from the figures of all customers."""
        return self.number * (shop[OF_SHOP[self.times]][self.column] if self.times else 1)

    def is_met(self, group, shop):
        """Whether the claim is true.

        Parameters
        ----------
        group, shop : dict of str to ndarray of shape (n_features,), float64
            As from `figures`: of the customers who would have the name, and of all.

        Returns
        -------
        bool
        """
        if self.column is None:
            return False
        compare, tolerance, _ = COMPARISONS[self.comparison]
        bound = self.bound(shop)
        return bool(
            compare(group[self.statistic][self.column], bound + tolerance * max(1, abs(bound)))
        )

    def told(self, group, shop):
        """Say, for people, why the claim is not true of a group."""
        feature = self.feature.replace("_", " ")
        if self.column is None:
            return f"the name needs {feature}, which is not among the features"
        figure, bound = group[self.statistic][self.column], self.bound(shop)
        of = ""
        if self.times:
            factor = "" if self.number == 1 else f"{self.number:g} times "
            of = f"{factor}the {OF_SHOP[self.times]} of all customers, "
        return (
            f"their {self.statistic} {feature} is {round(figure, 2):,g}, and the name needs "
            f"{COMPARISONS[self.comparison][2]} {of}{round(bound, 2):,g}"
        )


def figures(raw):
    """Take the figures that claims are about.

    Parameters
    ----------
    raw : ndarray of shape (n_customers, n_features), float64
        Features in their own units.

    Returns
    -------
    dict of str to ndarray of shape (n_features,), float64
        By statistic.
    """
    return {name: statistic(raw, axis=0) for name, statistic in STATISTICS.items()}


def first_unmet(claims, group, shop):
    """Find the first of some claims that is not true; None where all are."""
    return next((claim for claim in claims if not claim.is_met(group, shop)), None)
