"""Say in plain SQL who is in a segment."""

import re
from dataclasses import dataclass
from itertools import product

import numpy as np
from sklearn.tree import DecisionTreeClassifier

from segmentation.scaling import round_significant

# A rule that people can keep in mind asks four questions at most.
LEVELS = 4
# Share of customers that the tree does not see, and that its fidelity is measured on.
HELD_OUT = 0.3
# More customers than these move a threshold by next to nothing.
RULE_SAMPLE = 50_000
# The most decimals a feature has.
DECIMALS = 6
# The name of a feature over a trailing window: its column of customer_windows, and days.
WINDOWED = re.compile(r"(\w+)_([1-9]\d{0,3})d")


@dataclass(frozen=True)
class Leaf:
    """A box of feature values, and the segment of most customers in it.

    Attributes
    ----------
    lows, highs : tuple of float, one for each feature
        Values are above the low and at most the high; infinite where they are not bounded.
    segment : str
    """

    lows: tuple
    highs: tuple
    segment: str


def fit_rules(features, segments, names, fit, *, seed):
    """Fit a shallow tree that says which segment a customer is in, and measure it.

    Groups of outliers have their fences for a rule; the tree parts the others.

    Parameters
    ----------
    features : ndarray of shape (n_customers, n_features), float64
        In their own units, finite; rows in a fixed order.
    segments : ndarray of shape (n_customers,), object
        Segment code of each customer.
    names : sequence of str
        Columns of the features.
    fit : StoredFit
        What assigned them.
    seed : int
        Of the sample and of what is held out.

    Returns
    -------
    list of dict
        For each segment, by code: segment_code, rule_sql, fidelity (share of held-out customers
        that the rules put in their own segment), baseline_fidelity (the same where everybody is put
        in the largest segment), precision and recall of the segment, tested_customers. Figures are
        nan where there is nobody to measure them on.

    References
    ----------
    .. [1] Craven and Shavlik, "Extracting tree-structured representations of trained networks",
       NIPS 1995.
    """
    if len(segments) == 0:
        return []
    rows = np.random.default_rng(seed).permutation(len(segments))[:RULE_SAMPLE]
    held_out = int(len(rows) * HELD_OUT)
    tested, seen = rows[:held_out], np.sort(rows[held_out:])
    inside, leaves = fence_leaves(features, fit)
    within = seen[((features[seen] > inside.lows) & (features[seen] <= inside.highs)).all(axis=1)]
    if len(within):
        leaves = leaves + [
            Leaf(
                tuple(np.maximum(leaf.lows, inside.lows)),
                tuple(np.minimum(leaf.highs, inside.highs)),
                leaf.segment,
            )
            for leaf in grow_leaves(features[within], segments[within], seed)
        ]
    said, true = apply_leaves(leaves, features[tested]), segments[tested]
    codes, counts = np.unique(segments[seen], return_counts=True)
    largest = codes[np.argmax(counts)]
    return [
        {
            "segment_code": code,
            "rule_sql": write_sql([leaf for leaf in leaves if leaf.segment == code], names),
            "fidelity": _share(said == true),
            "baseline_fidelity": _share(true == largest),
            "precision": _share(true[said == code] == code),
            "recall": _share(said[true == code] == code),
            "tested_customers": len(tested),
        }
        for code in np.unique(segments)
    ]


def fence_leaves(features, fit):
    """Boxes of the groups of outliers, and the box of everybody else.

    Parameters
    ----------
    features : ndarray of shape (n_customers, n_features), float64
        Where no customer lies beyond a fence, rules need not speak of it.
    fit : StoredFit

    Returns
    -------
    inside : Leaf
        Its segment is empty.
    leaves : list of Leaf
    """
    unit = 10.0**DECIMALS
    # A box is open below, and values beneath a fence are those up to the last decimal before it.
    # Fences have 12 digits, so what their product has beyond is an error that would move them.
    lows = (np.ceil(round_significant(fit.preparation.fence_lows * unit)) - 1) / unit
    highs = np.floor(round_significant(fit.preparation.fence_highs * unit)) / unit
    lows = np.where((features <= lows).any(axis=0), lows, -np.inf)
    highs = np.where((features > highs).any(axis=0), highs, np.inf)
    leaves = []
    codes = fit.codes[len(fit.centers) :]
    for pattern, code in zip(fit.outliers, codes, strict=True):
        sides = [((-np.inf, low), (high, np.inf)) for low, high in zip(lows, highs, strict=True)]
        choices = [
            [side for side in sides[column] if side[0] < side[1]]
            if beyond
            else [(lows[column], highs[column])]
            for column, beyond in enumerate(pattern)
        ]
        for box in product(*choices):
            leaves.append(Leaf(tuple(low for low, _ in box), tuple(high for _, high in box), code))
    return Leaf(tuple(lows), tuple(highs), ""), leaves


def grow_leaves(features, segments, seed):
    """Grow a tree and return its leaves; neighbours of one segment are one leaf.

    Parameters
    ----------
    features : ndarray of shape (n_customers, n_features), float64
    segments : ndarray of shape (n_customers,), object
    seed : int

    Returns
    -------
    list of Leaf
        Every customer, seen or not, is in exactly one.
    """
    smallest = max(1, len(segments) // 200)
    fitted = DecisionTreeClassifier(
        max_depth=LEVELS, min_samples_leaf=smallest, random_state=seed
    ).fit(features, segments)
    tree = fitted.tree_

    def leaves_below(node, lows, highs):
        if tree.children_left[node] == -1:
            return [Leaf(lows, highs, str(fitted.classes_[np.argmax(tree.value[node])]))]
        column = tree.feature[node]
        threshold = shorten(features[:, column], tree.threshold[node])
        inner, outer = list(highs), list(lows)
        inner[column], outer[column] = threshold, threshold
        left = leaves_below(tree.children_left[node], lows, tuple(inner))
        right = leaves_below(tree.children_right[node], tuple(outer), highs)
        if len(left) == len(right) == 1 and left[0].segment == right[0].segment:
            return [Leaf(lows, highs, left[0].segment)]
        return left + right

    n_features = features.shape[1]
    return leaves_below(0, (-np.inf,) * n_features, (np.inf,) * n_features)


def shorten(values, threshold):
    """Find the shortest decimal that parts values where a threshold does.

    Parameters
    ----------
    values : ndarray of shape (n_customers,), float64
        Of at most 6 decimals.
    threshold : float

    Returns
    -------
    float
        At least the largest value that is at most the threshold, and less than the next.
    """
    below, above = values[values <= threshold], values[values > threshold]
    if len(below) == 0 or len(above) == 0:
        return round(float(threshold), DECIMALS)
    low, high = below.max(), above.min()
    for decimals in range(-6, DECIMALS + 1):
        short = round(float(low + high) / 2, decimals)
        if low <= short < high:
            return short
    return float(low)


def apply_leaves(leaves, features):
    """Segment that the leaves put each customer in.

    Parameters
    ----------
    leaves : list of Leaf
    features : ndarray of shape (n_customers, n_features), float64

    Returns
    -------
    ndarray of shape (n_customers,), object
    """
    said = np.full(len(features), None, dtype=object)
    for leaf in leaves:
        said[((features > leaf.lows) & (features <= leaf.highs)).all(axis=1)] = leaf.segment
    return said


def write_sql(leaves, names):
    """Write leaves as a condition over the columns of ``customers``.

    Parameters
    ----------
    leaves : list of Leaf
    names : sequence of str
        Features. One over a trailing window, such as monetary_365d, is no column of ``customers``;
        the condition looks it up in ``customer_windows``.

    Returns
    -------
    str
        ``false`` where there is no leaf: the tree is too shallow to single the segment out.
    """
    boxes = [_write_box(leaf, names) for leaf in leaves]
    if len(boxes) == 1:
        return boxes[0]
    return " or ".join(f"({box})" for box in boxes) or "false"


def _write_box(leaf, names):
    conditions, of_windows = [], {}
    for name, low, high in zip(names, leaf.lows, leaf.highs, strict=True):
        window = WINDOWED.fullmatch(name)
        column, place = name, conditions
        if window:
            column, place = window[1], of_windows.setdefault(int(window[2]), [])
        place += [
            f"{column} {sign} {_literal(bound)}"
            for sign, bound in ((">", low), ("<=", high))
            if np.isfinite(bound)
        ]
    conditions += [
        "customer_id in (select customer_id from marts.customer_windows where "
        + " and ".join([f"window_days = {days}", *bounds])
        + ")"
        for days, bounds in of_windows.items()
        if bounds
    ]
    return " and ".join(conditions) or "true"


def _literal(number):
    return f"{number:.{DECIMALS}f}".rstrip("0").rstrip(".")


def _share(hits):
    return float(np.mean(hits)) if len(hits) else np.nan
