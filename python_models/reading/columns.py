"""Find which column of a source is which of ours."""

import re
from collections import Counter
from dataclasses import dataclass

from reading.decisions import Decision, UnreadableFile

# Our columns and the names, folded, under which they are known: first those that leave no doubt,
# then those that are taken where none of the first is there.
NAMES = {
    "invoice_id": (
        "invoiceid invoiceno invoice invoicenumber orderid",
        "orderno ordernumber ordernr order salesordernumber salesorderid transactionid receiptid "
        "receiptno receiptnumber basketid billno ticketid documentno documentnumber saleid",
    ),
    "product_id": (
        "productid stockcode sku itemid",
        "productcode itemcode itemnumber itemno productsku articleid articlenumber articleno "
        "materialnumber material variantid variantsku barcode ean upc asin productkey product item",
    ),
    "customer_id": (
        "customerid customer",
        "customernumber customerno customercode customerkey clientid client clientcode buyerid "
        "buyer userid user memberid accountid householdkey householdid customeremail buyeremail "
        "email emailaddress billingemail",
    ),
    "description": (
        "description productdescription productname",
        "itemname itemdescription itemtitle articlename producttitle lineitemname",
    ),
    "country": (
        "country",
        "shippingcountry billingcountry shipcountry customercountry countrycode countryregion",
    ),
    "quantity": (
        "quantity qty",
        "units orderqty orderquantity qtyordered quantityordered pieces unitssold quantitysold "
        "itemquantity lineitemquantity quantitypurchased pcs stueck menge",
    ),
    "unit_price": (
        "unitprice price",
        "itemprice priceeach sellingprice saleprice salesprice productprice lineitemprice "
        "priceperunit unitsellingprice",
    ),
    "line_amount": (
        "lineamount",
        "linetotal totalprice extendedprice salesamount salesvalue netsales sales amount "
        "lineitemtotal itemtotal rowtotal",
    ),
    "invoiced_at": (
        "invoicedat invoicedate orderdate timestamp",
        "date datetime createdat purchasedate purchasedat orderedat orderdatetime transactiondate "
        "saledate salesdate orderpurchasetimestamp datecreated documentdate billingdate paidat day "
        "transactiontimestamp transactiontime transactiondatetime ordertimestamp orderedon",
    ),
    "discount": (
        "discount discountamount",
        "discountrate discountpercent discountpct linediscount lineitemdiscount discounts rebate "
        "itempromotiondiscount unitpricediscount",
    ),
    "currency": ("currency currencycode", "currencyiso paymentcurrency"),
    "order_status": ("orderstatus status", "orderstate financialstatus paymentstatus salestatus"),
    "document_type": (
        "documenttype doctype",
        "transactiontype trantype recordtype linetype eventtype saletype invoicetype ordertype",
    ),
    "category": ("category productcategory", "itemcategory productcategoryname categoryname"),
    "brand": ("brand", "vendor manufacturer brandname"),
    "unit_cost": ("unitcost", "costprice purchaseprice costperitem cost"),
    "channel": ("channel saleschannel", "sourcename salessource"),
}

# Ours that an older or simpler file does without.
OPTIONAL = (
    *("discount", "currency", "order_status", "document_type"),
    *("category", "brand", "unit_cost", "channel"),
)

# What a name of a column that isn't read can hold, and that changes what the figures mean.
TELLING = {
    "disc": "a discount",
    "rebate": "a discount",
    "coupon": "a discount",
    "voucher": "a discount",
    "tax": "a tax",
    "vat": "a tax",
    "shipping": "shipping",
    "freight": "shipping",
    "currency": "a currency",
    "status": "a status",
    "refund": "a refund",
    "cancel": "a cancellation",
    "return": "a return",
    "type": "a type of document",
    "units": "a quantity",
    "qty": "a quantity",
    "quantity": "a quantity",
}
# Characters of names of columns that a message lists.
MOST_LISTED = 1_500


@dataclass(frozen=True)
class Matched:
    """Which column is which.

    Attributes
    ----------
    columns : dict of str to reading.decisions.Column
        Columns of the source by our names; only those that were found.
    others : list of reading.decisions.Column
        Columns that are not read, in the order of the source.
    decisions : list of Decision
    """

    columns: dict
    others: list
    decisions: list


def fold(name):
    """Write a name without anything that people vary: case, spaces, marks, a unit in brackets."""
    bare = re.sub(r"\([^)]*\)|\[[^]]*\]", "", name)
    return re.sub("[^a-z0-9]", "", (bare if bare.strip() else name).lower())


def list_columns(columns):
    """List names of columns for a message; of very many those at the beginning."""
    names = [column.name for column in columns if column.name]
    shown = names
    while len(", ".join(shown)) > MOST_LISTED:
        shown = shown[:-1]
    more = f" and {len(names) - len(shown):,} more" if len(shown) < len(names) else ""
    return ", ".join(shown) + more


def match_columns(source, stated, passed_through=()):
    """Find our columns among those of a source.

    Parameters
    ----------
    source : reading.decisions.Source
    stated : dict of str to str
        The source's names by ours, as far as the user says; None for one that is not to be read.
    passed_through : sequence of str
        Names of further columns that are kept as they are.

    Returns
    -------
    Matched

    Raises
    ------
    UnreadableFile
        If a needed column is not there, or several could be one of ours.
    """
    refused = {ours for ours, theirs in stated.items() if theirs is None}
    stated = {ours: theirs for ours, theirs in stated.items() if theirs is not None}
    listed = list_columns(source.columns)
    hint = (
        f"It has: {listed}. Say which is which: VARS='{{invoice_columns: {{our name: your name}}}}'"
    )
    times = Counter(column.name for column in source.columns)
    found, decisions = {}, []
    for ours, tiers in NAMES.items():
        if ours in refused:
            continue
        column, decision = find_column(source, ours, tiers, stated, hint, times)
        if column is not None:
            found[ours] = column
            decisions.append(decision)
    missing = [ours for ours in ("invoiced_at", "customer_id") if ours not in found]
    if "unit_price" not in found and "line_amount" not in found:
        missing.append("unit_price (or line_amount)")
    if missing:
        raise UnreadableFile(f"{source.name} has no column for {', '.join(missing)}. {hint}")
    decisions += say_what_is_missing(found)
    names = {column.name for column in source.columns}
    for name in passed_through:
        if name in names and times[name] > 1:
            raise UnreadableFile(
                f"{source.name} has the column {name} twice, so it can't be passed through"
            )
    taken = {column.sql for column in found.values()}
    others = [column for column in source.columns if column.sql not in taken]
    if source.preset is None:
        decisions += say_what_is_not_read(others, passed_through)
    return Matched(found, others, decisions)


def find_column(source, ours, tiers, stated, hint, times):
    """Find one of our columns; it and the decision, or None twice."""
    if ours in stated:
        named = [column for column in source.columns if column.name == stated[ours]]
        if not named:
            if ours in OPTIONAL:
                return None, None
            raise UnreadableFile(f"{source.name} has no column {stated[ours]} for {ours}. {hint}")
        if len(named) > 1:
            raise UnreadableFile(f"{source.name} has the column {stated[ours]} twice. {hint}")
        return named[0], Decision(f"column for {ours}", named[0].name, "declared")
    free = [
        column for column in source.columns if column.name and column.name not in stated.values()
    ]
    for tier in tiers:
        names = tier.split()
        candidates = [column for column in free if fold(column.name) in names]
        if ours in OPTIONAL:
            candidates.sort(key=lambda column: names.index(fold(column.name)))
        elif len(candidates) > 1:
            repeated = [column.name for column in candidates if times[column.name] > 1]
            if repeated:
                raise UnreadableFile(f"{source.name} has the column {repeated[0]} twice. {hint}")
            told = ", ".join(column.name for column in candidates)
            raise UnreadableFile(
                f"{source.name} has several columns that could be {ours}: {told}. {hint}"
            )
        if candidates:
            runner_up = candidates[1].name if len(candidates) > 1 else None
            return candidates[0], Decision(
                f"column for {ours}",
                candidates[0].name,
                "recognised",
                evidence="by its name",
                runner_up=runner_up,
                setting=f"{{invoice_columns: {{{ours}: your name}}}}",
            )
    return None, None


def say_what_is_missing(found):
    """Say what stands in for columns that a source lacks."""
    stand_ins = {
        "invoice_id": "customer and moment make an invoice",
        "quantity": "every line is one piece",
    }
    return [
        Decision(
            f"column for {ours}",
            f"none: {stand_in}",
            "default",
            evidence="no column has a known name",
            setting=f"{{invoice_columns: {{{ours}: your name}}}}",
            # A log of amounts has its money whole, whatever the number of pieces.
            matters=ours == "quantity" and "line_amount" not in found,
        )
        for ours, stand_in in stand_ins.items()
        if ours not in found
    ]


def say_what_is_not_read(others, passed_through):
    """Name the columns that nothing is made of, and those among them that may matter."""
    unread = [c.name or "(no name)" for c in others if c.name not in passed_through]
    if not unread:
        return []
    decisions = [
        Decision(
            "columns not read",
            ", ".join(unread),
            "default",
            evidence="used only to tell copies of a line apart",
            setting="{pass_through: [name]}",
        )
    ]
    for name in unread:
        folded = fold(name)
        meaning = next((said for word, said in TELLING.items() if word in folded), None)
        if meaning:
            decisions.append(
                Decision(
                    f"column {name}",
                    "not read",
                    "default",
                    evidence=f"its name speaks of {meaning}",
                    setting="{invoice_columns: {our name: " + name + "}}",
                    matters=True,
                )
            )
    return decisions


def compare_files(matches):
    """Say which known columns some sources have and others lack.

    Parameters
    ----------
    matches : dict of str to Matched
        By name of the source.

    Returns
    -------
    dict of str to list of Decision
        For the sources that lack one.
    """
    everywhere = Counter(ours for matched in matches.values() for ours in matched.columns)
    told = {}
    for name, matched in matches.items():
        for ours, times in everywhere.items():
            if ours not in matched.columns:
                told.setdefault(name, []).append(
                    Decision(
                        f"column for {ours}",
                        "missing here",
                        "default",
                        evidence=f"{times} of {len(matches)} files have it",
                        matters=True,
                    )
                )
    return told
