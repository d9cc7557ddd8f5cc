"""Each customer's rate of orders, chance of having left and size of basket, by two known models."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, digamma, expit, gammaln

# Customers who came again, without whom nothing is estimated.
LEAST_REPEATERS = 10
# Customers who have left, and customers who came again and have not, each as an expected number.
LEAST_CUSTOMERS = 1
# The model's mean basket of everybody is at most this many times the one seen, and at least 1 / it.
MEAN_FACTOR = 2
# Parameters are looked for between these: rate is r / alpha, level is p * gamma / q. Beyond the
# limits customers are alike, or as unlike as can be, and predictions hardly change any more.
RATE_LIMITS = {"r": (1e-4, 1e3), "rate": (1e-6, 1e6), "a": (1e-4, 1e2), "b": (1e-4, 1e5)}
BASKET_LIMITS = {"p": (1e-3, 1e3), "q": (1e-3, 1e3), "level": (1e-6, 1e6)}
# The top of a mean log likelihood has at most this slope, in logarithms of parameters.
FLAT = 1e-3
# The means over chances of leaving are sums over steps of their log odds, which end here.
LOG_ODDS = (-38, 28)


@dataclass(frozen=True)
class Abstained:
    """A model that could not be estimated, and why.

    Attributes
    ----------
    reason : str
        A clause, to be read after "because".
    """

    reason: str


@dataclass(frozen=True)
class PurchaseRates:
    """The BG/NBD model of a shop's customers.

    Until they leave, customers order at random times, each at a rate of their own. These rates have
    a gamma distribution. After each order but the first a customer leaves with a chance of its own.
    These chances have a beta distribution.

    Attributes
    ----------
    r, alpha : float
        Shape, and inverse scale (in units of time), of the distribution of rates.
    a, b : float
        Of the distribution of chances. Their mean is a / (a + b).
    log_likelihood : float
        Of all customers together.

    References
    ----------
    .. [1] Fader, Hardie and Lee, "'Counting your customers' the easy way: an alternative to the
       Pareto/NBD model", Marketing Science 24(2), 2005.
    """

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float


@dataclass(frozen=True)
class BasketSizes:
    """The gamma-gamma model of what a shop's customers spend on an order.

    A customer's orders have a gamma distribution around a mean of its own. Means differ between
    customers, and are unrelated to how often they order.

    Attributes
    ----------
    p : float
        Shape of the distribution of a customer's orders.
    q, gamma : float
        Shape, and inverse scale (in money), of that of the inverse means of customers.
    log_likelihood : float
        Of all customers together.

    References
    ----------
    .. [1] Fader and Hardie, "The gamma-gamma model of monetary value", 2013.
    """

    p: float
    q: float
    gamma: float
    log_likelihood: float


def likeliest(likelihood, limits):
    """Find the parameters that make the data likeliest.

    Parameters
    ----------
    likelihood : callable
        From parameters to the mean log likelihood of a customer, and its slope in each of them.
    limits : dict of str to tuple
        By parameter, between which values to look. All begin at 1.

    Returns
    -------
    parameters : ndarray, float64, or None
        None where the search did not come to an end.
    value : float
        Their mean log likelihood.
    """

    def cost(logarithms):
        parameters = np.exp(logarithms)
        value, slopes = likelihood(*parameters)
        return -value, -slopes * parameters

    bounds = np.log(list(limits.values()))
    found = minimize(
        cost,
        np.zeros(len(limits)),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 500, "ftol": 1e-14, "gtol": 1e-6},
    )
    # Whether the top was reached is seen by the slope there. The search itself also calls it a
    # failure if its last steps are too small for the digits of a float.
    uphill = np.clip(found.x - found.jac, *bounds.T) - found.x
    return np.exp(found.x) if np.abs(uphill).max() <= FLAT else None, -found.fun


def fit_purchase_rates(repeats, span, tenure):
    """Fit the BG/NBD model by maximum likelihood.

    The search always begins at the same values, so that the same customers give the same model.

    Parameters
    ----------
    repeats : ndarray of shape (n,), float64
        Orders after the first: x in the paper.
    span : ndarray of shape (n,), float64
        Time from the first order to the last, in any unit: t_x, which the paper calls recency.
    tenure : ndarray of shape (n,), float64
        Time from the first order to the moment that is looked ahead from, in the same unit: T.

    Returns
    -------
    PurchaseRates or Abstained
        The latter where fewer than ``LEAST_REPEATERS`` came again, where the search does not end,
        and where by the model fewer than ``LEAST_CUSTOMERS`` have left, or fewer of those who came
        again have not: what is said of leaving would then rest on nobody.

    Raises
    ------
    ValueError
        If a last order is before the first one, or after the moment.
    """
    if (span < 0).any() or (span > tenure).any():
        raise ValueError("span must be from 0 to tenure")
    repeaters = (repeats > 0).sum()
    if repeaters < LEAST_REPEATERS:
        return Abstained(f"fewer than {LEAST_REPEATERS} customers came again")
    if not tenure.any():
        return Abstained("no time has gone by since the first orders")

    # In units of the mean time to a repeat order, so that all parameters are near 1 in any shop.
    orders, customers = repeats.sum(), len(repeats)
    unit = float(tenure.sum() / orders)

    def likelihood(r, rate, a, b):
        values, slopes = customer_likelihoods(
            r, r / rate, a, b, repeats, span / unit, tenure / unit
        )
        by_r, by_alpha, by_a, by_b = slopes.mean(axis=1)
        return values.mean(), np.array(
            [by_r + by_alpha / rate, -by_alpha * r / rate**2, by_a, by_b]
        )

    found, value = likeliest(likelihood, RATE_LIMITS)
    if found is None:
        return Abstained("the search for the likeliest rates did not end")
    r, rate, a, b = found.tolist()
    rates = PurchaseRates(
        r, r / rate * unit, a, b, float(value * customers - orders * np.log(unit))
    )
    here = still_here(rates, repeats, span, tenure)
    if (1 - here).sum() < LEAST_CUSTOMERS:
        return Abstained("hardly any customer seems to have left")
    if here[repeats > 0].sum() < LEAST_CUSTOMERS:
        return Abstained("hardly any customer who came again seems to be still here")
    return rates


def customer_likelihoods(r, alpha, a, b, repeats, span, tenure):
    """Take the log likelihood of each customer, and its slopes: equation 6 of the paper.

    Parameters
    ----------
    r, alpha, a, b : float
        As in `PurchaseRates`.
    repeats, span, tenure : ndarray of shape (n,), float64
        As for `fit_purchase_rates`.

    Returns
    -------
    values : ndarray of shape (n,), float64
    slopes : ndarray of shape (4, n), float64
        In r, alpha, a and b.
    """
    again = repeats > 0
    shape = r + repeats
    stays = b + repeats
    # Who has not come again can't have left.
    could_leave = np.where(again, stays - 1, 1)
    log_tenure, log_span = np.log1p(tenure / alpha), np.log1p(span / alpha)
    here = -shape * log_tenure
    gone = np.where(again, np.log(a / could_leave) - shape * log_span, -np.inf)
    either = np.logaddexp(here, gone)
    share_here, share_gone = np.exp(here - either), np.exp(gone - either)
    # The gamma functions of r + repeats and of r, as one: they are large where rates are alike.
    some = np.maximum(repeats, 1)
    in_a_row = np.where(again, gammaln(some) - betaln(r, some), 0) - repeats * np.log(alpha)
    values = in_a_row + betaln(a, stays) - betaln(a, b) + either
    by_both = digamma(a + b) - digamma(a + stays)
    return values, np.array(
        [
            digamma(shape) - digamma(r) - share_here * log_tenure - share_gone * log_span,
            r / alpha - shape * (share_here / (alpha + tenure) + share_gone / (alpha + span)),
            by_both + share_gone / a,
            by_both + digamma(stays) - digamma(b) - share_gone / could_leave,
        ]
    )


def still_here(rates, repeats, span, tenure):
    """Say how likely each customer is not to have left.

    Parameters
    ----------
    rates : PurchaseRates
    repeats, span, tenure : ndarray of shape (n,), float64
        As for `fit_purchase_rates`.

    Returns
    -------
    ndarray of shape (n,), float64
        Probabilities. Who never came again had no occasion to leave: 1.
    """
    again = repeats > 0
    could_leave = np.where(again, rates.b + repeats - 1, 1)
    log_odds = np.log(could_leave / rates.a) - (rates.r + repeats) * np.log1p(
        (tenure - span) / (rates.alpha + span)
    )
    return np.where(again, expit(log_odds), 1)


def none_in(rates, repeats, span, tenure, days):
    """Say how likely each customer is to order nothing in a time to come.

    Parameters
    ----------
    rates : PurchaseRates
    repeats, span, tenure : ndarray of shape (n,), float64
        As for `fit_purchase_rates`.
    days : float
        How long, in the same unit.

    Returns
    -------
    ndarray of shape (n,), float64
        Probabilities.
    """
    orders = -np.expm1(-(rates.r + repeats) * np.log1p(days / (rates.alpha + tenure)))
    return 1 - still_here(rates, repeats, span, tenure) * orders


def orders_in(rates, repeats, span, tenure, days):
    """Expect a number of orders of each customer in a time to come.

    With a chance to leave of p, who is still here is expected to order
    (1 - (1 + p days / (alpha + tenure)) ** -(r + repeats)) / p times, and p has a beta distribution
    with a and b + repeats. The paper's equation 10 has that mean in closed form, with a
    hypergeometric function that is 0 / 0 at a = 1 and can't be computed for many regular customers
    of a few days. Here the mean is a sum over p, to at least six digits.

    Parameters are those of `none_in`.

    Returns
    -------
    ndarray of shape (n,), float64
    """
    a, stays = rates.a, rates.b + repeats
    shape = rates.r + repeats
    length = days / (rates.alpha + tenure)
    # The straight line between the ends, at p = 0 and p = 1, has a known mean. What is left of the
    # orders vanishes at both ends, so that its sum may stop there.
    at_none, at_one = shape * length, -np.expm1(-shape * np.log1p(length))
    expected = (stays * at_none + a * at_one) / (a + stays)
    # The sum has the digits wanted if a step is well within the width of the distribution.
    step = 0.8 / np.sqrt(a + 3)
    scale = betaln(a, stays)
    for log_odds in np.arange(*LOG_ODDS, step):
        p, q = expit(log_odds), expit(-log_odds)
        density = np.exp(a * np.log(p) + stays * np.log(q) - scale)
        orders = -np.expm1(-shape * np.log1p(p * length)) / p
        expected += step * density * (orders - q * at_none - p * at_one)
    return still_here(rates, repeats, span, tenure) * expected


def fit_baskets(repeats, mean_amounts):
    """Fit the gamma-gamma model by maximum likelihood.

    Parameters
    ----------
    repeats : ndarray of shape (n,), float64
        Orders after the first.
    mean_amounts : ndarray of shape (n,), float64
        Mean money of these. Customers without such orders, and those with a mean that is not above
        0, are left out.

    Returns
    -------
    BasketSizes or Abstained
        The latter where fewer than ``LEAST_REPEATERS`` are in it, where the search does not end,
        where customers differ so much that they have no mean (q is at most 1), and where the
        model's mean is ``MEAN_FACTOR`` times as far up or down as the one seen: it would be what
        customers without repeat orders are expected to spend.
    """
    known = (repeats > 0) & (mean_amounts > 0)
    if known.sum() < LEAST_REPEATERS:
        return Abstained(f"fewer than {LEAST_REPEATERS} customers came again and spent money")
    orders, unit = repeats[known], float(mean_amounts[known].mean())
    amounts = mean_amounts[known] / unit

    def likelihood(p, q, level):
        values, slopes = basket_likelihoods(p, q, level * q / p, orders, amounts)
        by_p, by_q, by_gamma = slopes.mean(axis=1)
        return values.mean(), np.array(
            [by_p - by_gamma * level * q / p**2, by_q + by_gamma * level / p, by_gamma * q / p]
        )

    found, value = likeliest(likelihood, BASKET_LIMITS)
    if found is None:
        return Abstained("the search for the likeliest baskets did not end")
    p, q, level = found.tolist()
    gamma = level * q / p
    if q <= 1:
        return Abstained("baskets of customers differ so much that they have no mean")
    if not 1 / MEAN_FACTOR <= p * gamma / (q - 1) <= MEAN_FACTOR:
        return Abstained("the mean basket that follows from the model is far from the one seen")
    return BasketSizes(p, q, gamma * unit, float(len(orders) * (value - np.log(unit))))


def basket_likelihoods(p, q, gamma, repeats, amounts):
    """Take the log likelihood of each customer's mean basket, and its slopes.

    Parameters
    ----------
    p, q, gamma : float
        As in `BasketSizes`.
    repeats, amounts : ndarray of shape (n,), float64
        Above 0.

    Returns
    -------
    values : ndarray of shape (n,), float64
    slopes : ndarray of shape (3, n), float64
        In p, q and gamma.
    """
    shape = p * repeats
    total = gamma + repeats * amounts
    share = np.log(repeats * amounts / total)
    values = q * np.log(gamma / total) + shape * share - np.log(amounts) - betaln(shape, q)
    by_both = digamma(shape + q)
    return values, np.array(
        [
            repeats * (by_both - digamma(shape) + share),
            by_both - digamma(q) + np.log(gamma / total),
            q / gamma - (shape + q) / total,
        ]
    )


def expected_basket(baskets, repeats, mean_amounts):
    """Expect the money of each customer's next order.

    It is a mean of the customer's own and everybody's, nearer to the own the more orders there are.

    Parameters
    ----------
    baskets : BasketSizes
    repeats : ndarray of shape (n,), float64
    mean_amounts : ndarray of shape (n,), float64
        As for `fit_baskets`; not looked at where there are no repeat orders.

    Returns
    -------
    ndarray of shape (n,), float64
    """
    spent = repeats * np.where(repeats > 0, mean_amounts, 0)
    return baskets.p * (baskets.gamma + spent) / (baskets.p * repeats + baskets.q - 1)
