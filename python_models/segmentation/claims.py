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
# What a number can be a multiple of: a key of the figures of all customers, and its words.
OF_SHOP = {
    "shop_mean": ("mean", "the mean of all customers"),
    "shop_median": ("median", "the median of all customers"),
    "shop_gap": ("gap", "the shop's median days between purchases"),
}


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
    times : {"shop_mean", "shop_median", "shop_gap"} or None
        What the number is a multiple of: that figure of all customers of the segmentation, or the
        shop's median days between two purchases of a customer.
    """

    feature: str
    column: int | None
    statistic: str
    comparison: str
    number: float
    times: str | None = None

    def bound(self, shop):
        """Compute what the statistic is compared with; nan where the shop has no such figure."""
        return self.number * (shop[OF_SHOP[self.times][0]][self.column] if self.times else 1)

    def is_met(self, group, shop):
        """Whether the claim is true.

        Parameters
        ----------
        group, shop : dict of str to ndarray of shape (n_features,), float64
            As from `figures` and `figures_of_shop`: of the customers who would have the name, and
            of all.

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
        if np.isnan(bound):
            return f"nobody knows {OF_SHOP[self.times][1]}, which the name needs"
        of = ""
        if self.times:
            factor = "" if self.number == 1 else f"{self.number:g} times "
            of = f"{factor}{OF_SHOP[self.times][1]}, "
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


def figures_of_shop(customers):
    """Take the figures of all customers that claims compare with.

    Parameters
    ----------
    customers : Customers

    Returns
    -------
    dict of str to ndarray of shape (n_features,), float64
        As from `figures`, and ``gap``, which is the same for each feature: days; nan where no
        customer has bought on two days.
    """
    gap = np.nan if customers.median_gap_days is None else customers.median_gap_days
    return figures(customers.raw) | {"gap": np.full(customers.raw.shape[1], gap, dtype="float64")}


def first_unmet(claims, group, shop):
    """Find the first of some claims that is not true; None where all are."""
    return next((claim for claim in claims if not claim.is_met(group, shop)), None)
