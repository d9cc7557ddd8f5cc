"""The customers of the other shop, which ran campaigns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class CampaignHabit:
    """Latent manner of buying of a group of campaign customers.

    Attributes
    ----------
    name : str
        Not in the file.
    share : float
        Of all customers.
    income, income_spread : float
        Mean and standard deviation of yearly household income.
    spend, spend_spread : float
        Median of money spent in two years, and standard deviation of its logarithm.
    categories : tuple of float
        Mean shares of wine, fruit, meat, fish, sweets and gold.
    channels : tuple of float
        Mean purchases by web, catalogue and store.
    deals, visits : float
        Mean purchases at a discount, and mean web visits in the last month.
    kids, teens : float
        Chance of each of two places for a small child and of two for a teenager.
    age : float
        Mean age in years.
    accepts : tuple of float
        Chance to accept each of the first five campaigns.
    """

    name: str
    share: float
    income: float
    income_spread: float
    spend: float
    spend_spread: float
    categories: tuple[float, ...]
    channels: tuple[float, ...]
    deals: float
    visits: float
    kids: float
    teens: float
    age: float
    accepts: tuple[float, ...]


CAMPAIGN_HABITS = (
    CampaignHabit(
        "well_off", 0.31, 74_500, 9_500, 1_220, 0.34, (0.46, 0.06, 0.31, 0.07, 0.05, 0.05),
        (5.1, 5.7, 8.5), 1.3, 2.9, 0.02, 0.16, 47, (0.17, 0.03, 0.08, 0.11, 0.20),
    ),
    CampaignHabit(
        "careful", 0.45, 34_300, 10_500, 75, 0.70, (0.40, 0.05, 0.26, 0.07, 0.05, 0.17),
        (2.0, 0.6, 3.2), 1.9, 6.4, 0.38, 0.23, 43, (0.00, 0.00, 0.08, 0.01, 0.00),
    ),
    CampaignHabit(
        "online", 0.24, 54_600, 8_500, 650, 0.38, (0.58, 0.03, 0.21, 0.04, 0.03, 0.11),
        (6.7, 2.7, 7.3), 4.4, 6.5, 0.19, 0.43, 48, (0.04, 0.02, 0.07, 0.14, 0.02),
    ),
)  # fmt: skip
CAMPAIGN_CUSTOMERS = 1_995  # and COPIED of them twice
CAMPAIGN_FIRST, CAMPAIGN_LAST = np.datetime64("2023-07-30"), np.datetime64("2025-06-29")
CAMPAIGN_COLUMNS = (
    "ID Year_Birth Education Marital_Status Income Kidhome Teenhome Dt_Customer Recency MntWines"
    " MntFruits MntMeatProducts MntFishProducts MntSweetProducts MntGoldProds NumDealsPurchases"
    " NumWebPurchases NumCatalogPurchases NumStorePurchases NumWebVisitsMonth AcceptedCmp3"
    " AcceptedCmp4 AcceptedCmp5 AcceptedCmp1 AcceptedCmp2 Complain Z_CostContact Z_Revenue"
    " Response"
).split()
CONTACT_COST, RESPONSE_REVENUE = 3, 11
EDUCATIONS = {"Graduation": 0.50, "PhD": 0.22, "Master": 0.16, "2n Cycle": 0.09, "Basic": 0.03}
MARITAL_STATES = {
    "Married": 0.385,
    "Together": 0.26,
    "Single": 0.215,
    "Divorced": 0.105,
    "Widow": 0.035,
}
# Dirt: customers without an income, with a typing error in it, born too early or not at all, in
# states that are none, and whose line stands twice.
MISSING_INCOMES, TYPING_ERROR, COPIED = 22, 666_666, 5
ABSURD_BIRTH_YEARS = (1893, 1899, 1900, 2094)
ODD_STATES = ("Absurd", "Absurd", "YOLO", "YOLO", "Alone", "Alone", "Alone")


def draw_campaign(rng: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the habit of each campaign customer and the columns of the file, without dirt."""
    size = CAMPAIGN_CUSTOMERS
    habit = rng.choice(len(CAMPAIGN_HABITS), size, p=[one.share for one in CAMPAIGN_HABITS])

    def latent(name: str) -> np.ndarray:
        return np.array([getattr(one, name) for one in CAMPAIGN_HABITS])[habit]

    income = rng.normal(latent("income"), latent("income_spread")).round().clip(4_000, 120_000)
    # Of two customers with one habit, the richer one spends more.
    wealth = (income - latent("income")) / latent("income_spread")
    noise = rng.normal(0, 1, size) * 0.8 + wealth * 0.6
    spend = (latent("spend") * np.exp(latent("spend_spread") * noise)).clip(6, 2_500)
    shares = rng.gamma(latent("categories") * 12, 1.0)
    money = (spend[:, None] * shares / shares.sum(axis=1, keepdims=True)).round().astype(int)
    purchases = rng.poisson(latent("channels"))
    age = rng.normal(latent("age"), 11.5).round().clip(18, 78).astype(int)
    days = rng.integers(0, int((CAMPAIGN_LAST - CAMPAIGN_FIRST).astype(int)) + 1, size)
    recency = rng.integers(0, 100, size)
    accepted = rng.random((size, 5)) < latent("accepts")
    state = rng.choice(list(MARITAL_STATES), size, p=list(MARITAL_STATES.values()))
    teens = rng.binomial(2, latent("teens"))
    # Who accepted before, bought just now or has been here long says yes more often.
    logit = (
        -2.0
        + 1.25 * accepted.sum(axis=1)
        - 0.028 * (recency - 50)
        - 0.0032 * (days - 350)
        - 0.9 * np.isin(state, ["Married", "Together"])
        - 0.6 * teens
    )
    response = rng.random(size) < 1 / (1 + np.exp(-logit))
    columns = {
        "ID": rng.permutation(11_192)[:size],
        "Year_Birth": int(str(CAMPAIGN_LAST)[:4]) - age,
        "Education": rng.choice(list(EDUCATIONS), size, p=list(EDUCATIONS.values())),
        "Marital_Status": state,
        "Income": income.astype(int),
        "Kidhome": rng.binomial(2, latent("kids")),
        "Teenhome": teens,
        "Dt_Customer": CAMPAIGN_FIRST + days,
        "Recency": recency,
        **dict(zip(CAMPAIGN_COLUMNS[9:15], money.T, strict=True)),
        "NumDealsPurchases": rng.poisson(latent("deals")),
        "NumWebPurchases": purchases[:, 0],
        "NumCatalogPurchases": purchases[:, 1],
        "NumStorePurchases": purchases[:, 2],
        "NumWebVisitsMonth": rng.poisson(latent("visits")),
        **{f"AcceptedCmp{number + 1}": accepted[:, number] for number in range(5)},
        "Complain": rng.random(size) < 0.01,
        "Z_CostContact": np.full(size, CONTACT_COST),
        "Z_Revenue": np.full(size, RESPONSE_REVENUE),
        "Response": response,
    }
    return habit, columns


def campaign_rows(rng: np.random.Generator) -> list[list[object]]:
    """Return the rows of the campaign file, dirt included, in the order of CAMPAIGN_COLUMNS."""
    _, columns = draw_campaign(rng)
    texts = {name: columns[name].astype(object) for name in CAMPAIGN_COLUMNS}
    texts["Dt_Customer"] = np.array(
        [day.item().strftime("%d-%m-%Y") for day in columns["Dt_Customer"]], object
    )
    for name in CAMPAIGN_COLUMNS:
        if columns[name].dtype == bool:
            texts[name] = columns[name].astype(int).astype(object)
    dirty = iter(rng.permutation(CAMPAIGN_CUSTOMERS).tolist())
    for _ in range(MISSING_INCOMES):
        texts["Income"][next(dirty)] = ""
    texts["Income"][next(dirty)] = TYPING_ERROR
    for year in ABSURD_BIRTH_YEARS:
        texts["Year_Birth"][next(dirty)] = year
    for state in ODD_STATES:
        texts["Marital_Status"][next(dirty)] = state
    rows = [list(row) for row in zip(*(texts[name] for name in CAMPAIGN_COLUMNS), strict=True)]
    for _ in range(COPIED):
        rows.insert(int(rng.integers(len(rows))), rows[next(dirty)])
    return rows
