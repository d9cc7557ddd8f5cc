"""How groups of customers buy, and how large a shop is drawn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Habit:
    """Latent manner of buying of a group of customers.

    Attributes
    ----------
    name : str
        Shown in the truth file.
    share : float
        Of all simulated customers, those before the file's span included.
    rate : float
        Mean orders per year of activity.
    rate_shape : float
        Shape of the gamma distribution of rates; large means alike.
    stay_days : float
        Mean of the exponential lifetime after arrival, in days.
    never_leaves : float
        Share of customers without an end.
    veterans : float
        Share of customers who arrived before the file begins.
    basket : float
        Basket lines relative to the shop's.
    quantity : float
        Mean quantity of a line at the reference price.
    loyalty : float
        Share of lines that are one of the customer's favourites.
    """

    name: str
    share: float
    rate: float
    rate_shape: float
    stay_days: float
    never_leaves: float
    veterans: float
    basket: float
    quantity: float
    loyalty: float


@dataclass(frozen=True)
class Size:
    """What differs between the demo and a load test.

    Attributes
    ----------
    lines : int
        Data lines of the file.
    products : int
        Products in the catalogue, at most ``len(STYLES) * len(MOTIFS)``.
    basket_lines : float
        Mean lines of an order of a customer whose habit has ``basket`` 1.
    favourites : int
        Most favourites a customer can have.
    """

    lines: int
    products: int
    basket_lines: float
    favourites: int

    @property
    def lines_per_customer(self) -> float:
        """Expected lines of a simulated customer; only sizes the blocks."""
        return 4.5 * self.basket_lines


def scaled(lines: int) -> Size:
    """Return the size of a load test of ``lines`` lines with the baskets of the real shop."""
    return Size(lines=lines, products=2_200, basket_lines=23.5, favourites=24)
