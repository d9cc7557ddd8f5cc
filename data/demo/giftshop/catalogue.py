"""What the shop sells: names, codes and prices of products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from giftshop.season import DAY_MINUTES, END_DAY, START_DAY

NEVER = 1_000_000  # a day no simulation reaches
STYLES = tuple(
    """ANTIQUE BLUE BRIGHT CHALK COPPER CORAL COUNTRY DUSKY EMERALD ENAMEL FADED FOLK GILDED GLAZED
    GOLDEN GREEN HAMMERED IVORY JOLLY LIME LITTLE MARBLED MELLOW MIDNIGHT MINT NAVY OAK OCHRE PEARL
    PINK PLUM QUILTED RED RUSTIC SAGE SEASIDE SILVER SLATE SMOKED SPECKLED STRIPED TARTAN TEAL
    VELVET WHITE WICKER WOVEN YELLOW""".split()
)
MOTIFS = tuple(
    """ACORN ANCHOR APPLE BADGER BEE BLUEBELL BRAMBLE CAMEL CLOVER COMET CRANE DAISY DRAGON FERN
    FINCH FOX GULL HARE HEDGEHOG HERON IRIS IVY KITE LARK LEMON LILAC MOLE MOON MOTH OLIVE OTTER
    PEAR PINE POPPY PUFFIN QUINCE RAVEN SNAIL SPARROW STAG STARFISH THISTLE TOAD TULIP TURTLE WHALE
    WILLOW WREN""".split()
)
ITEMS = (
    "APRON|BIRD FEEDER|BISCUIT TIN|BOOKEND|BOOKMARK|BOTTLE STOPPER|BREAD BIN|BUNTING|BUTTER DISH"
    "|CAKE STAND|CANDLE|CANDLE JAR|CARD HOLDER|CHOPPING BOARD|CLOCK|COASTER|COAT HOOK|COOKIE CUTTER"
    "|CUSHION|DOORMAT|DRAWER KNOB|EGG CUP|FRIDGE MAGNET|GARLAND|GIFT BAG|GIFT TAG|GLASS BAUBLE"
    "|HAND TOWEL|INCENSE|JEWEL BOX|JUG|KEY RING|LANTERN|LUNCH TIN|MATCHES|MIRROR|MUG|NAPKINS"
    "|NOTEBOOK|OVEN GLOVE|PAPER CHAIN|PARASOL|PENCIL CASE|PHOTO ALBUM|PLANT POT|PLATE|POSTCARD"
    "|PUZZLE|RIBBON REEL|SCARF|SHOPPER|SOAP DISH|SPOON REST|STICKERS|STORAGE BOX|TABLECLOTH"
    "|TEA CADDY|TEA COSY|TEA TOWEL|TEALIGHT|TOY CHEST|TRAY|UMBRELLA|VASE|WALL SIGN|WIND CHIME"
    "|WREATH|WRITING SET"
).split("|")
# Text that naive readers break on: commas, double quotes and letters outside ASCII.
NAME_FORMS = (
    '{item} 7" {style}',
    "{item}, {motif}",
    "CAFÉ {item} {style}",
    '{item} {style}, 12" x 8"',
    "FIANCÉE {motif} {item}",
)
# On stock corrections; most have no text at all.
NOTES = (*[None] * 18, *["check"] * 4, *["damaged"] * 2, "damages", "?", "??", "lost", "found")
NOTES += ("thrown away", "wrong code, see 22", 'box "B" wet', "counted twice")
VOUCHERS = {f"gift_0001_{pounds}": pounds for pounds in (10, 20, 30, 50)}
CHARGES = {
    "POST": "POSTAGE",
    "C2": "CARRIAGE",
    "M": "Manual",
    "D": "Discount",
    "S": "SAMPLES",
    "B": "Adjust bad debt",
    "DOT": "DOTCOM POSTAGE",
    "AMAZONFEE": "AMAZON FEE",
    "BANK CHARGES": "Bank Charges",
    # Goods, but with a word for a code, as charges have.
    "PADS": "SPARE FELT PADS",
} | {code: f"Gift Voucher £{pounds}.00" for code, pounds in VOUCHERS.items()}


@dataclass(frozen=True)
class Catalogue:
    """Products, charges and texts; lines refer to the two lists by position.

    Products come first in ``codes`` and ``descriptions``, at equal positions.

    Attributes
    ----------
    codes, descriptions : list of str
        All texts of the columns StockCode and Description.
    mils : ndarray of shape (n_products, 3)
        List prices in tenths of a penny, before and after up to two changes.
    changed_on : ndarray of shape (n_products, 2)
        First day of the second and of the third price.
    popularity : ndarray of shape (n_products,)
        Cumulated share of the lines of the products up to this one.
    bundles : ndarray of shape (n_bundles, 3)
        Products that go together.
    other_description, lower_code : ndarray of shape (n_products,)
        Position of another spelling; the product's own position where there is none.
    notes : ndarray of shape (n_notes,)
        Positions of the notes on stock corrections; -1 is no text.
    charges : dict of str to (int, int)
        Positions of code and description of what is no product, by code.
    """

    codes: list[str]
    descriptions: list[str]
    mils: np.ndarray
    changed_on: np.ndarray
    popularity: np.ndarray
    bundles: np.ndarray
    other_description: np.ndarray
    lower_code: np.ndarray
    notes: np.ndarray
    charges: dict[str, tuple[int, int]]

    @property
    def products(self) -> int:
        """Return the number of products."""
        return len(self.mils)

    def price(self, product: np.ndarray, minute: np.ndarray) -> np.ndarray:
        """Return the list price of each product at each minute, in mils."""
        changed = (minute // DAY_MINUTES)[:, None] >= self.changed_on[product]
        return self.mils[product, changed.sum(axis=1)]

    def charge(self, code: str) -> dict[str, int]:
        """Return the columns code and description of what is no product."""
        return dict(zip(("code", "description"), self.charges[code], strict=True))

    def popular(self, rng: np.random.Generator, shape: int | tuple[int, int]) -> np.ndarray:
        """Draw products by popularity."""
        return np.searchsorted(self.popularity, rng.random(shape) * (1 - 1e-9), side="right")


def _product_names(rng: np.random.Generator, products: int) -> list[str]:
    """Compose distinct names; one in eight has text that naive readers break on."""
    pairs = rng.permutation(len(STYLES) * len(MOTIFS))[:products]
    names = []
    for number, pair in enumerate(pairs.tolist()):
        words = {
            "style": STYLES[pair % len(STYLES)],
            "motif": MOTIFS[pair // len(STYLES)],
            "item": ITEMS[int(rng.integers(len(ITEMS)))],
        }
        form = "{style} {motif} {item}"
        if number % 8 == 3:
            form = NAME_FORMS[int(rng.integers(len(NAME_FORMS)))]
        elif number % 8 == 5:
            form = f"SET OF {2 + pair % 5} {{motif}} {{item}}"
        name = form.format(**words)
        names.append(name if name not in names else "{style} {motif} {item}".format(**words))
    return names


def _shop_pence(pence: np.ndarray) -> np.ndarray:
    """Move prices to such as a shop asks: 39p, 85p, 1.95, 4.20."""
    small = np.maximum(pence // 10, 1) * 10 + 9
    return np.where(pence < 90, small, np.rint(pence / 25) * 25 - 5).astype(int)


def draw_catalogue(rng: np.random.Generator, products: int) -> Catalogue:
    """Invent the products of the shop.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all draws.
    products : int
        From 100 to ``len(STYLES) * len(MOTIFS)``.

    Returns
    -------
    Catalogue
        Position 0 is the most popular product.
    """
    stems = rng.permutation(np.arange(20_100, 20_100 + 2 * products)).astype(str)[:products]
    suffix = rng.choice(["", "", "", "A", "B", "S"], products)
    codes = [stem + letter for stem, letter in zip(stems.tolist(), suffix.tolist(), strict=True)]
    descriptions = _product_names(rng, products)
    own = np.arange(products)

    lower_code = own.copy()
    for product in np.flatnonzero(suffix != "").tolist():
        lower_code[product] = len(codes)
        codes.append(codes[product].lower())
    other_description = own.copy()
    for product in range(7, products, 12):
        name = descriptions[product]
        other = (f"{name} ", f" {name}", name.replace(" ", "  ", 1), name.title())
        other_description[product] = len(descriptions)
        descriptions.append(other[product // 12 % len(other)])

    pence = np.exp(rng.normal(np.log(195), 0.75, products))
    factors = rng.choice([0.85, 1.05, 1.10, 1.20], (products, 2))
    levels = np.column_stack((pence, pence * factors[:, 0], pence * factors.prod(axis=1)))
    changed_on = np.sort(rng.integers(START_DAY + 30, END_DAY, (products, 2)), axis=1)
    changes = rng.choice(3, products, p=[0.6, 0.3, 0.1])
    changed_on[changes < 2, 1] = NEVER
    changed_on[changes < 1, 0] = NEVER

    weight = 1 / (own + 6.0) ** 0.75
    bundles = rng.permutation(products)[: 3 * max(8, products // 60)].reshape(-1, 3)

    notes = []
    for note in NOTES:
        notes.append(-1 if note is None else len(descriptions))
        if note is not None:
            descriptions.append(note)
    charges = {}
    for code, text in CHARGES.items():
        charges[code] = (len(codes), len(descriptions))
        codes.append(code)
        descriptions.append(text)
    return Catalogue(
        codes=codes,
        descriptions=descriptions,
        mils=_shop_pence(levels) * 10,
        changed_on=changed_on,
        popularity=np.cumsum(weight / weight.sum()),
        bundles=bundles,
        other_description=other_description,
        lower_code=lower_code,
        notes=np.array(notes),
        charges=charges,
    )
