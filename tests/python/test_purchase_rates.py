"""Rates of orders, leaving and baskets: likelihoods by hand, simulated shops, known identities.

On CDNOW, the papers' data (2,357 customers, 39 weeks; not in this repository), the fits reach what
is published: r .2426, alpha 4.4135, a .7929, b 2.4258 at a log likelihood of -9582.43 (BG/NBD), and
p 6.249, q 3.745, gamma 15.448 on 946 customers (gamma-gamma).
"""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import betaln, hyp2f1
from scipy.stats import nbinom

from prediction.purchase_rates import (
    LEAST_REPEATERS,
    Abstained,
    BasketSizes,
    PurchaseRates,
    basket_likelihoods,
    customer_likelihoods,
    expected_basket,
    fit_baskets,
    fit_purchase_rates,
    likeliest,
    none_in,
    orders_in,
    still_here,
)

CDNOW = PurchaseRates(0.2426, 4.4136, 0.7929, 2.4259, -9582.43)
CDNOW_BASKETS = BasketSizes(6.25, 3.74, 15.44, 0.0)
# A shop in days.
SHOP = PurchaseRates(0.7, 50.0, 0.8, 2.5, 0.0)


def column(*values):
    return np.array(values, dtype="float64")


def simulate(rates, chances, tenure, ahead, rng):
    """Let customers order until they leave; count repeats until now, and orders after it."""
    repeats, orders = np.zeros(len(rates)), np.zeros(len(rates))
    span, time = np.zeros(len(rates)), np.zeros(len(rates))
    here = np.ones(len(rates), dtype=bool)
    while here.any():
        time = time + rng.exponential(1 / rates)
        here = here & (time <= tenure + ahead)
        before = here & (time <= tenure)
        repeats += before
        orders += here & ~before
        span = np.where(before, time, span)
        here = here & (rng.random(len(rates)) >= chances)
    return repeats, span, orders


def simulate_shop(size, seed=1, shop=SHOP, ahead=90):
    rng = np.random.default_rng(seed)
    tenure = rng.uniform(0, 365, size)
    rates = rng.gamma(shop.r, 1 / shop.alpha, size)
    chances = rng.beta(shop.a, shop.b, size)
    repeats, span, orders = simulate(rates, chances, tenure, ahead, rng)
    return repeats, span, tenure, orders


@pytest.fixture(scope="module")
def shop():
    return simulate_shop(10_000)


@pytest.fixture(scope="module")
def fitted(shop):
    return fit_purchase_rates(*shop[:3])


# ---------------------------------------------------------------------------------- likelihoods


def test_the_likelihood_of_customers_by_hand():
    values, _ = customer_likelihoods(
        1.0, 2.0, 1.0, 1.0, column(0, 1, 2), column(0, 1, 2), column(2, 2, 2)
    )
    # Nothing in 2 days; an order, and then here or gone; an order now, and one on the way to it.
    by_hand = [1 / 2, 2 * (1 / 2) * (1 / 4**2 + 1 / 3**2), 4 * (1 / 3) * (1 + 1 / 2) / 4**3]
    assert np.exp(values) == pytest.approx(by_hand)


def test_the_likelihood_of_baskets_by_hand():
    values, _ = basket_likelihoods(1.0, 2.0, 1.0, column(1, 2), column(1, 1))
    assert np.exp(values) == pytest.approx([1 / 4, 8 / 27])


def test_all_mean_baskets_together_have_a_probability_of_one():
    def density(amount):
        return np.exp(basket_likelihoods(6.25, 3.74, 15.44, column(3), column(amount))[0][0])

    assert quad(density, 0, np.inf)[0] == pytest.approx(1)


@pytest.mark.parametrize(
    ("likelihoods", "parameters", "data"),
    [
        (customer_likelihoods, [0.3, 4.0, 0.8, 2.5], (column(0, 1, 40), column(0, 3, 9))),
        (basket_likelihoods, [6.0, 3.7, 15.0], (column(1, 5, 40),)),
    ],
    ids=["rates", "baskets"],
)
def test_slopes_are_those_of_the_likelihood(likelihoods, parameters, data):
    data = (*data, column(0.5, 7, 30))
    _, slopes = likelihoods(*parameters, *data)
    for place, slope in enumerate(slopes):
        step = np.eye(len(parameters))[place] * 1e-5
        above, below = (likelihoods(*(parameters + way), *data)[0] for way in (step, -step))
        assert slope == pytest.approx((above - below) / 2e-5, rel=1e-6, abs=1e-8)


# ----------------------------------------------------------------------------------------- rates


def test_the_rates_of_a_simulated_shop_are_found(fitted):
    for name, tolerance in {"r": 0.05, "alpha": 0.07, "a": 0.15, "b": 0.2}.items():
        assert getattr(fitted, name) == pytest.approx(getattr(SHOP, name), rel=tolerance)


def test_nothing_is_likelier_than_the_rates_found(shop, fitted):
    found = np.array([fitted.r, fitted.alpha, fitted.a, fitted.b])
    best = customer_likelihoods(*found, *shop[:3])[0].sum()
    assert fitted.log_likelihood == pytest.approx(best)
    for place in range(4):
        for factor in (0.98, 1.02):
            other = np.where(np.arange(4) == place, found * factor, found)
            assert customer_likelihoods(*other, *shop[:3])[0].sum() < best


def test_the_unit_of_time_does_not_matter(shop, fitted):
    repeats, span, tenure, _ = shop
    hours = fit_purchase_rates(repeats, span * 24, tenure * 24)
    assert [hours.r, hours.alpha / 24, hours.a, hours.b] == pytest.approx(
        [fitted.r, fitted.alpha, fitted.a, fitted.b], rel=1e-6
    )
    # A density by the hour: as much less as there are orders.
    assert hours.log_likelihood == pytest.approx(fitted.log_likelihood - repeats.sum() * np.log(24))
    for predict in (none_in, orders_in):
        assert predict(hours, repeats, span * 24, tenure * 24, 90 * 24) == pytest.approx(
            predict(fitted, repeats, span, tenure, 90), rel=1e-5
        )


def test_the_same_customers_give_the_same_rates(shop, fitted):
    assert fit_purchase_rates(*shop[:3]) == fitted
    turned = fit_purchase_rates(*(values[::-1] for values in shop[:3]))
    assert turned.alpha == pytest.approx(fitted.alpha, rel=1e-6)


def test_customers_who_are_alike_are_predicted_too():
    rng = np.random.default_rng(1)
    tenure = rng.uniform(0, 365, 1_000)
    repeats, span, orders = simulate(np.full(1_000, 0.05), np.full(1_000, 0.1), tenure, 90, rng)
    rates = fit_purchase_rates(repeats, span, tenure)
    assert rates.r / rates.alpha == pytest.approx(0.05, rel=0.1)
    assert rates.a / (rates.a + rates.b) == pytest.approx(0.1, rel=0.2)
    assert orders_in(rates, repeats, span, tenure, 90).sum() == pytest.approx(orders.sum(), rel=0.1)


def test_a_shop_of_every_day_is_fitted():
    shop = PurchaseRates(2.0, 4.0, 0.3, 100.0, 0.0)
    repeats, span, tenure, orders = simulate_shop(2_000, shop=shop, ahead=365)
    assert repeats.max() > 400
    rates = fit_purchase_rates(repeats, span, tenure)
    assert rates.a / (rates.a + rates.b) == pytest.approx(0.003, rel=0.2)
    assert orders_in(rates, repeats, span, tenure, 365).sum() == pytest.approx(
        orders.sum(), rel=0.03
    )


def test_recency_in_the_place_of_tenure_stops():
    with pytest.raises(ValueError, match="span"):
        fit_purchase_rates(column(1), column(30), column(10))
    with pytest.raises(ValueError, match="span"):
        fit_purchase_rates(column(1), column(-1), column(10))


@pytest.mark.parametrize(
    ("chance", "reason"),
    [
        (0.0, "hardly any customer seems to have left"),
        (1.0, "who came again seems to be still here"),
    ],
)
def test_leaving_that_rests_on_nobody_is_not_estimated(chance, reason):
    rng = np.random.default_rng(1)
    tenure = rng.uniform(0, 365, 2_000)
    rates = rng.gamma(0.7, 1 / 50, 2_000)
    repeats, span, _ = simulate(rates, np.full(2_000, chance), tenure, 0, rng)
    fit = fit_purchase_rates(repeats, span, tenure)
    assert isinstance(fit, Abstained)
    assert reason in fit.reason


def test_few_who_came_again_are_too_few(shop):
    repeats, span, tenure, _ = shop
    again = np.flatnonzero(repeats > 0)[:LEAST_REPEATERS]
    once = np.flatnonzero(repeats == 0)[:500]
    enough = np.concatenate([once, again])
    assert isinstance(
        fit_purchase_rates(repeats[enough], span[enough], tenure[enough]), PurchaseRates
    )
    for kept in (enough[:-1], once, enough[:0]):
        fit = fit_purchase_rates(repeats[kept], span[kept], tenure[kept])
        assert fit == Abstained("fewer than 10 customers came again")


def test_orders_of_one_moment_say_nothing_of_time():
    nothing = np.zeros(20)
    fit = fit_purchase_rates(np.ones(20), nothing, nothing)
    assert fit == Abstained("no time has gone by since the first orders")


def test_a_search_that_ends_on_a_slope_has_found_nothing():
    assert likeliest(lambda one: (0.0, np.array([1.0])), {"one": (0.1, 10)})[0] is None
    # At a limit there may be a slope, where it leads beyond.
    found, value = likeliest(lambda one: (one, np.array([1.0])), {"one": (0.1, 10)})
    assert [*found, value] == pytest.approx([10, 10])


# ------------------------------------------------------------------------------------ predictions


def test_customers_of_cdnow_are_predicted_as_published():
    # Fader, Hardie and Lee, "Implementing the BG/NBD model in Excel", 2005: customer 0001.
    one = orders_in(CDNOW, column(2), column(30.43), column(38.86), 39)
    assert one == pytest.approx([1.226], abs=5e-4)
    # The model's mean of all that have repeats; customers 0001 and 0002.
    baskets = expected_basket(CDNOW_BASKETS, column(0, 2, 1), column(0, 22.35, 11.77))
    assert baskets == pytest.approx([35.2, 24.7, 18.9], abs=0.1)


def test_in_no_time_nothing_is_ordered_and_then_more_and_more():
    history = column(0, 1, 5, 500), column(0, 20, 200, 300), column(100, 200, 230, 310)
    assert none_in(SHOP, *history, 0).tolist() == [1, 1, 1, 1]
    assert orders_in(SHOP, *history, 0) == pytest.approx([0, 0, 0, 0])
    days = [0, 1, 10, 100, 1_000, 1e12]
    none = np.array([none_in(SHOP, *history, one) for one in days])
    assert (np.diff(none, axis=0) <= 0).all()
    assert (none[1] < 1).all()
    # In the end only those are silent who had left.
    assert none[-1] == pytest.approx(1 - still_here(SHOP, *history), abs=1e-6)
    orders = np.array([orders_in(SHOP, *history, one) for one in days[:-1]])
    assert (np.diff(orders, axis=0) > 0).all()
    # At least as many as there are customers who order anything.
    assert (orders >= 1 - none[:-1] - 1e-12).all()


def test_orders_begin_at_the_rate_of_those_still_here():
    repeats, span, tenure = (
        column(0, 1, 5, 500),
        column(0, 20, 200, 300),
        column(100, 200, 230, 310),
    )
    rate = (SHOP.r + repeats) / (SHOP.alpha + tenure) * still_here(SHOP, repeats, span, tenure)
    found = orders_in(SHOP, repeats, span, tenure, 1e-6) / 1e-6
    assert found == pytest.approx(rate, rel=1e-5)


def test_who_is_silent_for_long_has_left_and_sooner_the_more_regular():
    assert still_here(SHOP, column(0), column(0), column(1_000)) == [1]
    tenure = column(300, 400, 500, 600)
    here = still_here(SHOP, np.full(4, 10.0), np.full(4, 300.0), tenure)
    assert (np.diff(here) < 0).all()
    here = still_here(SHOP, column(2, 10, 50, 5_000), np.full(4, 300.0), np.full(4, 400.0))
    assert (np.diff(here) < 0).all()
    assert here[-1] == 0


def closed_form(rates, repeats, tenure, days):
    """Orders of who is still here: equation 10 of the paper, by Euler's transformation."""
    length = days / (rates.alpha + tenure)
    last = rates.a + rates.b + repeats - 1
    left = hyp2f1(last - rates.r - repeats, rates.a - 1, last, length / (1 + length))
    return last / (rates.a - 1) * (1 - (1 + length) ** (1 - rates.a) * left)


@pytest.mark.parametrize("a", [1e-3, 0.1, 0.8, 0.99, 1.01, 3, 20, 100])
@pytest.mark.parametrize("b", [1e-3, 0.5, 3, 50])
@pytest.mark.parametrize("days", [1, 90, 3650])
def test_orders_are_those_of_the_closed_form(a, b, days):
    rates = PurchaseRates(0.7, 50.0, a, b, 0.0)
    repeats, tenure = (values.ravel() for values in np.meshgrid([0, 1, 7, 500], [0, 10, 400]))
    known = closed_form(rates, repeats, tenure, days)
    span = tenure.astype("float64")
    found = orders_in(rates, repeats, span, tenure, days)
    assert found / still_here(rates, repeats, span, tenure) == pytest.approx(known, rel=1e-6)


def test_orders_have_no_gap_where_the_closed_form_has():
    history = column(0, 3, 500), column(0, 20, 300), column(100, 200, 310)
    below, at, above = (
        orders_in(PurchaseRates(0.7, 50.0, a, 2.0, 0.0), *history, 90)
        for a in (1 - 1e-3, 1.0, 1 + 1e-3)
    )
    assert at == pytest.approx((below + above) / 2, rel=1e-5)


def test_orders_of_new_regulars_are_a_number():
    cafe, new = PurchaseRates(0.1, 0.5, 0.3, 600.0, 0.0), column(0)
    assert not np.isfinite(closed_form(cafe, new, new, 365)).any()
    # There is one order more for each that would come from who never leaves and finds them here.
    orders = np.arange(40_000)
    would_come = nbinom.sf(orders, cafe.r, cafe.alpha / (cafe.alpha + 365))
    still = np.exp(betaln(cafe.a, cafe.b + orders) - betaln(cafe.a, cafe.b))
    assert orders_in(cafe, new, new, new, 365) == pytest.approx([would_come @ still], rel=1e-6)


@pytest.mark.parametrize(("repeats", "tenure"), [(0, 100), (4, 200), (60, 365)])
def test_drawn_customers_who_are_here_order_as_predicted(repeats, tenure):
    rng = np.random.default_rng(5)
    size = 40_000
    rates = rng.gamma(SHOP.r + repeats, 1 / (SHOP.alpha + tenure), size)
    chances = rng.beta(SHOP.a, SHOP.b + repeats, size)
    _, _, orders = simulate(rates, chances, np.zeros(size), 180, rng)
    history = column(repeats), column(tenure), column(tenure)
    here = still_here(SHOP, *history)
    error = 4 / np.sqrt(size)
    assert orders_in(SHOP, *history, 180) / here == pytest.approx(
        orders.mean(), abs=error * orders.std()
    )
    assert (1 - none_in(SHOP, *history, 180)) / here == pytest.approx(
        (orders > 0).mean(), abs=error
    )


def test_what_comes_is_what_was_predicted(shop, fitted):
    *history, orders = shop
    assert orders_in(fitted, *history, 90).sum() == pytest.approx(orders.sum(), rel=0.05)
    none = none_in(fitted, *history, 90)
    tenths = np.array_split(np.argsort(none), 10)
    for tenth in tenths:
        assert none[tenth].mean() == pytest.approx((orders[tenth] == 0).mean(), abs=0.05)


# ---------------------------------------------------------------------------------------- baskets


def simulate_baskets(size, p, q, gamma, seed=1):
    rng = np.random.default_rng(seed)
    repeats = 1.0 + rng.poisson(rng.gamma(0.6, 5, size))
    return repeats, rng.gamma(p * repeats) / (repeats * rng.gamma(q, 1 / gamma, size))


def test_the_baskets_of_a_simulated_shop_are_found():
    baskets = fit_baskets(*simulate_baskets(5_000, 4.0, 3.5, 30.0))
    assert [baskets.p, baskets.q, baskets.gamma] == pytest.approx([4.0, 3.5, 30.0], rel=0.1)
    assert baskets.p * baskets.gamma / (baskets.q - 1) == pytest.approx(48, rel=0.03)


def test_the_currency_does_not_matter():
    repeats, amounts = simulate_baskets(500, 4.0, 3.5, 30.0)
    cents, euros = fit_baskets(repeats, amounts * 100), fit_baskets(repeats, amounts)
    assert [cents.p, cents.q, cents.gamma / 100] == pytest.approx(
        [euros.p, euros.q, euros.gamma], rel=1e-6
    )
    for baskets, unit in ((cents, 100), (euros, 1)):
        values, _ = basket_likelihoods(baskets.p, baskets.q, baskets.gamma, repeats, amounts * unit)
        assert baskets.log_likelihood == pytest.approx(values.sum())


def test_customers_without_repeats_or_money_are_not_in_it():
    repeats, amounts = simulate_baskets(500, 4.0, 3.5, 30.0)
    more = np.concatenate([repeats, column(0, 0, 3, 3)])
    money = np.concatenate([amounts, column(np.nan, 50, 0, -20)])
    assert fit_baskets(more, money) == fit_baskets(repeats, amounts)


def test_a_basket_is_expected_between_everybodys_and_the_own():
    baskets = BasketSizes(2.0, 3.0, 40.0, 0.0)
    repeats = column(0, 0, 1, 10, 1e6)
    found = expected_basket(baskets, repeats, column(np.nan, 100, 100, 100, 100))
    assert found[:2].tolist() == [40, 40]
    assert (np.diff(found[1:]) > 0).all()
    assert found[2] == pytest.approx(2 * (40 + 100) / (2 + 2))
    assert found[-1] == pytest.approx(100, rel=1e-4)


def test_baskets_that_are_all_the_same_are_expected_again():
    repeats, amounts = column(*range(1, 31)), np.full(30, 20.0)
    baskets = fit_baskets(repeats, amounts)
    assert expected_basket(baskets, column(0, 3), column(0, 20)) == pytest.approx(
        [20, 20], rel=0.01
    )


@pytest.mark.parametrize(
    ("repeats", "amounts", "reason"),
    [
        (np.ones(9), np.full(9, 5.0), "fewer than 10 customers came again and spent money"),
        (np.ones(20), np.zeros(20), "fewer than 10 customers came again and spent money"),
        (*simulate_baskets(2_000, 2.0, 0.8, 20.0), "have no mean"),
        (*simulate_baskets(300, 2.0, 1.1, 20.0), "far from the one seen"),
    ],
    ids=["few", "no money", "no mean", "another mean"],
)
def test_baskets_that_cannot_be_estimated(repeats, amounts, reason):
    fit = fit_baskets(repeats, amounts)
    assert isinstance(fit, Abstained)
    assert reason in fit.reason
