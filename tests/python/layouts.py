"""Small files in the true layouts of known exports, with the totals that must come out.

Header lines are those of the exports themselves. Orders are made up, the same ones every time. The
totals are added up here, from the orders and not from the files.
"""

import csv
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """A file or folder in the layout of a known export.

    Attributes
    ----------
    preset : str
    path : Path
        What to give as INVOICES.
    files : dict of str to Path
        Role to file, of a preset that joins several; otherwise one file under its preset's name.
    rows : int
        Rows below the header of the file that has the lines.
    left_out : int
        Of these, rows that are no lines or no sales, such as those of cancelled orders.
    pieces_gone : int
        Of the others, rows all pieces of which came back, so that nothing is left to count.
    guests : int
        Of the rows that count, those without a customer.
    orders, customers : int
        Different ones in the rows that count; guests are nobody.
    revenue : Decimal
        What the rows that count are worth, after discounts and refunds, guests included.
    revenue_of_customers : Decimal
        The same without guests.
    refunded : Decimal
        What was given back of it, as a positive number.
    delimiter : str
    lines_before_header : int
    """

    preset: str
    path: Path
    files: dict
    rows: int
    orders: int
    customers: int
    revenue: Decimal
    revenue_of_customers: Decimal
    left_out: int = 0
    pieces_gone: int = 0
    guests: int = 0
    refunded: Decimal = Decimal("0.00")
    delimiter: str = ","
    lines_before_header: int = 0


@dataclass
class Line:
    sku: str
    name: str
    category: str
    quantity: int
    price: Decimal
    discount: Decimal = Decimal("0.00")
    back: int = 0

    @property
    def gross(self):
        return self.price * self.quantity


@dataclass
class Order:
    number: int
    moment: datetime
    customer: int | None
    lines: list
    discount: Decimal = Decimal("0.00")
    refund: Decimal = Decimal("0.00")
    lost: bool = False

    @property
    def gross(self):
        return sum((line.gross for line in self.lines), Decimal("0.00"))

    @property
    def goods(self):
        """What the goods cost after all discounts."""
        return self.gross - self.discount - sum(line.discount for line in self.lines)


PRODUCTS = [
    (f"SKU-{n:02d}", f'{kind} "{size}", no. {n}', kind, Decimal(cents) / 100)
    for n, (kind, size, cents) in enumerate(
        (
            (kind, size, 395 + 1117 * i + 310 * j)
            for i, kind in enumerate(["Mug", "Lamp", "Scarf", "Clock"])
            for j, size in enumerate(["small", "large", "XL"])
        ),
        1,
    )
]


def cents(amount):
    return Decimal(amount).quantize(Decimal("0.01"), ROUND_HALF_UP)


def orders(
    count=48, *, guests=True, order_discounts=False, line_discounts=False, refunds=False, lost=True
):
    """Make up the orders of 17 customers over a year, the same ones every time."""
    draw = random.Random(20230105)
    made = []
    moment = datetime(2023, 1, 5, 9, 12, 30)
    for n in range(count):
        moment += timedelta(hours=draw.randint(60, 280), minutes=draw.randint(0, 59))
        lines = []
        for sku, name, kind, price in draw.sample(PRODUCTS, draw.randint(1, 4)):
            lines.append(Line(sku, name, kind, draw.randint(1, 4), price))
        order = Order(1001 + n, moment, draw.randint(1, 17), lines)
        if guests and n % 9 == 4:
            order.customer = None
        if line_discounts and n % 3 == 1:
            for line in lines[::2]:
                line.discount = cents(line.gross * draw.choice([5, 10, 15]) / 100)
        if order_discounts and n % 4 == 1:
            # 3.33 never divides evenly among lines.
            order.discount = min(Decimal("3.33") + n // 10, order.gross)
        if lost and n % 11 == 7:
            order.lost = True
        elif refunds and n % 7 == 3:
            order.refund = min(Decimal("7.01"), order.goods)
        made.append(order)
    return made


def totals(made, *, worth=None):
    """Add up orders that count: the totals of a Layout that do not depend on the layout.

    Parameters
    ----------
    made : list of Order
    worth : callable, optional
        Order to what it is worth; the goods less the refund by default.
    """
    worth = worth or (lambda order: order.goods - order.refund)
    kept = [order for order in made if not order.lost]
    return {
        "orders": len(kept),
        "customers": len({order.customer for order in kept} - {None}),
        "revenue": cents(sum(worth(order) for order in kept)),
        "revenue_of_customers": cents(sum(worth(order) for order in kept if order.customer)),
        "refunded": cents(sum(order.refund for order in kept)),
        "guests": sum(len(order.lines) for order in kept if order.customer is None),
    }


def rows_of(made):
    return sum(len(order.lines) for order in made)


def lost_rows(made):
    return sum(len(order.lines) for order in made if order.lost)


def write(path, header, rows, *, delimiter=",", quoting=csv.QUOTE_MINIMAL, before=(), after=()):
    """Write rows, given as mappings from header to value, with all columns of a header line."""
    if isinstance(header, str):
        header = header.split(delimiter)
    unknown = {name for row in rows for name in row} - set(header)
    assert not unknown, unknown
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in before)
        options = {"quotechar": None} if quoting == csv.QUOTE_NONE else {}
        out = csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator="\n", **options)
        out.writerow(header)
        out.writerows([row.get(name, "") for name in header] for row in rows)
        file.writelines(f"{line}\n" for line in after)
    return path


def email(customer):
    return f"buyer{customer:03d}@example.com" if customer else ""


SHOPIFY = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,"
    "Currency,Subtotal,Shipping,Taxes,Total,Discount Code,Discount Amount,Shipping Method,"
    "Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem compare at price,"
    "Lineitem sku,Lineitem requires shipping,Lineitem taxable,Lineitem fulfillment status,"
    "Billing Name,Billing Street,Billing Address1,Billing Address2,Billing Company,Billing City,"
    "Billing Zip,Billing Province,Billing Country,Billing Phone,Shipping Name,Shipping Street,"
    "Shipping Address1,Shipping Address2,Shipping Company,Shipping City,Shipping Zip,"
    "Shipping Province,Shipping Country,Shipping Phone,Notes,Note Attributes,Cancelled at,"
    "Payment Method,Payment Reference,Refunded Amount,Vendor,Outstanding Balance,Employee,"
    "Location,Device ID,Id,Tags,Risk Level,Source,Lineitem discount,Tax 1 Name,Tax 1 Value,"
    "Tax 2 Name,Tax 2 Value,Tax 3 Name,Tax 3 Value,Tax 4 Name,Tax 4 Value,Tax 5 Name,"
    "Tax 5 Value,Phone,Receipt Number,Duties,Billing Province Name,Shipping Province Name,"
    "Payment ID,Payment Terms Name,Next Payment Due At,Payment References"
)


def shopify(folder):
    """Order data on the first line of an order only; a discount and refunds of whole orders."""
    made = orders(order_discounts=True, refunds=True)
    rows = []
    for n, order in enumerate(made):
        moment = f"{order.moment:%Y-%m-%d %H:%M:%S} +0000"
        status = ("paid", "voided", "refunded")[order.lost * (1 + n % 2)]
        if order.refund:
            status = "partially_refunded"
        cancelled = order.lost and n % 3 == 0
        for i, line in enumerate(order.lines):
            row = {
                # The e-mail address stands on all lines of an order, its other data on the first.
                "Name": f"#{order.number}",
                "Email": email(order.customer),
                "Lineitem quantity": line.quantity,
                "Lineitem name": line.name,
                "Lineitem price": line.price,
                "Lineitem sku": line.sku,
                "Lineitem requires shipping": "true",
                "Lineitem taxable": "true",
                "Lineitem fulfillment status": "fulfilled",
                "Vendor": f"Maker of {line.category}s",
                "Lineitem discount": "0.00",
            }
            if i == 0:
                row |= {
                    "Financial Status": "paid" if cancelled else status,
                    "Paid at": moment,
                    "Fulfillment Status": "fulfilled",
                    "Accepts Marketing": "no",
                    "Currency": "EUR",
                    "Subtotal": order.goods,
                    "Shipping": "4.90",
                    "Taxes": "0.00",
                    "Total": order.goods + Decimal("4.90"),
                    "Discount Code": "WELCOME" if order.discount else "",
                    "Discount Amount": order.discount,
                    "Created at": moment,
                    "Billing Country": "DE",
                    "Shipping Country": "DE",
                    "Cancelled at": moment if cancelled else "",
                    "Refunded Amount": order.goods + Decimal("4.90")
                    if order.lost
                    else order.refund,
                    "Id": 5_000_000_000 + order.number,
                    "Source": "web",
                }
            rows.append(row)
    path = write(Path(folder) / "orders_export.csv", SHOPIFY, rows)
    return Layout(
        "shopify", path, {"shopify": path}, rows_of(made), left_out=lost_rows(made), **totals(made)
    )


WOOCOMMERCE = (
    "order_id,order_number,order_number_formatted,date,status,shipping_total,shipping_tax_total,"
    "fee_total,fee_tax_total,tax_total,discount_total,order_total,refunded_total,order_currency,"
    "payment_method,shipping_method,customer_id,billing_first_name,billing_last_name,"
    "billing_full_name,billing_company,billing_email,billing_phone,billing_address_1,"
    "billing_address_2,billing_postcode,billing_city,billing_state,billing_state_code,"
    "billing_country,shipping_first_name,shipping_last_name,shipping_full_name,"
    "shipping_address_1,shipping_address_2,shipping_postcode,shipping_city,shipping_state,"
    "shipping_state_code,shipping_country,shipping_company,customer_note,item_id,"
    "item_product_id,item_name,item_sku,item_quantity,item_subtotal,item_subtotal_tax,"
    "item_total,item_total_tax,item_refunded,item_refunded_qty,item_meta,shipping_items,"
    "fee_items,tax_items,coupon_items,refunds,order_notes,download_permissions"
)


def woocommerce(folder):
    """Guests have the customer number 0, some of them an address; refunds stand on their line."""
    made = orders(line_discounts=True, refunds=True)
    known_guests = [order for order in made if order.customer is None][::2]
    for n, order in enumerate(known_guests):
        # The same person with an account elsewhere: one customer.
        order.customer = n + 1
    rows = []
    for order in made:
        # A refund of a line is at most what the line cost.
        order.refund = min(order.refund, order.lines[0].gross - order.lines[0].discount)
        for i, line in enumerate(order.lines):
            account = order.customer if order.customer and order not in known_guests else 0
            back = order.refund if i == 0 else Decimal("0.00")
            rows.append(
                {
                    "order_id": order.number,
                    "order_number": order.number,
                    "order_number_formatted": order.number,
                    "date": f"{order.moment:%Y-%m-%d %H:%M:%S}",
                    "status": "failed" if order.lost else "completed",
                    "shipping_total": "4.90",
                    "order_total": order.goods + Decimal("4.90"),
                    "refunded_total": order.refund,
                    "order_currency": "EUR",
                    "customer_id": account,
                    "billing_email": email(order.customer),
                    "billing_country": "DE",
                    "item_id": order.number * 10 + i,
                    "item_product_id": int(line.sku[-2:]) + 200,
                    "item_name": line.name,
                    "item_sku": line.sku,
                    "item_quantity": line.quantity,
                    "item_subtotal": line.gross,
                    "item_total": line.gross - line.discount,
                    "item_refunded": back,
                    "item_refunded_qty": "'-1" if back else 0,
                }
            )
    path = write(Path(folder) / "orders-export.csv", WOOCOMMERCE, rows)
    return Layout(
        "woocommerce",
        path,
        {"woocommerce": path},
        rows_of(made),
        left_out=lost_rows(made),
        **totals(made),
    )


WOOCOMMERCE_ADVANCED = (
    "Order Number,Order Status,Order Date,Customer Note,First Name (Billing),Last Name (Billing),"
    "Company (Billing),Address 1&2 (Billing),City (Billing),State Code (Billing),"
    "Postcode (Billing),Country Code (Billing),Email (Billing),Phone (Billing),"
    "Payment Method Title,Cart Discount Amount,Order Subtotal Amount,Shipping Method Title,"
    "Order Shipping Amount,Order Refund Amount,Order Total Amount,Order Total Tax Amount,"
    "SKU,Item #,Item Name,Quantity (- Refund),Item Cost,Coupon Code,Discount Amount,"
    "Discount Amount Tax"
)


def woocommerce_advanced(folder):
    """Quantities are after refunds, so a line can have none."""
    made = orders()
    gone = 0
    for n, order in enumerate(made):
        if n % 8 == 2:
            order.lines[0].back = order.lines[0].quantity
            order.refund = order.lines[0].gross
            gone += not order.lost
    rows = [
        {
            "Order Number": order.number,
            "Order Status": "Cancelled" if order.lost else "Completed",
            "Order Date": f"{order.moment:%Y-%m-%d %H:%M}",
            "Country Code (Billing)": "DE",
            "Email (Billing)": email(order.customer),
            "Order Refund Amount": order.refund,
            "Order Total Amount": order.goods,
            "SKU": line.sku,
            "Item #": i,
            "Item Name": line.name,
            "Quantity (- Refund)": line.quantity - line.back,
            "Item Cost": line.price,
        }
        for order in made
        for i, line in enumerate(order.lines, 1)
    ]
    path = write(Path(folder) / "orders-advanced.csv", WOOCOMMERCE_ADVANCED, rows)
    sums = totals(made)
    sums["refunded"] = Decimal("0.00")
    return Layout(
        "woocommerce_advanced",
        path,
        {"woocommerce_advanced": path},
        rows_of(made),
        left_out=lost_rows(made),
        pieces_gone=gone,
        **sums,
    )


SQUARE = (
    "Date,Time,Time Zone,Category,Item,Qty,Price Point Name,SKU,Modifiers Applied,Gross Sales,"
    "Discounts,Net Sales,Tax,Transaction ID,Payment ID,Device Name,Notes,Details,Event Type,"
    "Location,Dining Option,Customer ID,Customer Name,Customer Reference ID,Unit,Count,"
    "Itemization Type,Fulfillment Note,Channel,Token"
)


def dollars(amount):
    return f"-${-amount:,.2f}" if amount < 0 else f"${amount:,.2f}"


def square(folder):
    """Money with its sign, date and time apart, refunds as rows of their own days later."""
    made = orders(line_discounts=True, lost=False)
    rows, refunded, refunded_guests = [], Decimal("0.00"), Decimal("0.00")
    returned = 0

    def row(order, i, line, moment, sign, event):
        return {
            "Date": f"{moment:%Y-%m-%d}",
            "Time": f"{moment:%H:%M:%S}",
            "Time Zone": "Eastern Time (US & Canada)",
            "Category": line.category,
            "Item": line.name,
            "Qty": f"{sign * line.quantity}.0",
            "Price Point Name": "Regular",
            "SKU": line.sku if i % 2 else "",
            "Gross Sales": dollars(sign * line.gross),
            "Discounts": dollars(-sign * line.discount) if line.discount else "$0.00",
            "Net Sales": dollars(sign * (line.gross - line.discount)),
            "Tax": "$0.00",
            "Transaction ID": f"tx{order.number}" if sign > 0 else f"rf{order.number}",
            "Payment ID": f"pay{order.number}",
            "Event Type": event,
            "Location": "Main",
            "Customer ID": f"CUST{order.customer:03d}" if order.customer else "",
            "Count": sign * line.quantity,
            "Itemization Type": "Physical Good",
        }

    for n, order in enumerate(made):
        for i, line in enumerate(order.lines):
            rows.append(row(order, i, line, order.moment, 1, "Payment"))
        if n % 6 == 2:
            back = order.lines[0]
            rows.append(row(order, 0, back, order.moment + timedelta(days=3), -1, "Refund"))
            worth = back.gross - back.discount
            refunded += worth
            refunded_guests += 0 if order.customer else worth
            returned += 1
    path = write(Path(folder) / "items.csv", SQUARE, rows)
    sums = totals(made)
    sums["revenue"] -= refunded
    sums["revenue_of_customers"] -= refunded - refunded_guests
    sums["refunded"] = refunded
    sums["orders"] += returned
    sums["guests"] += sum(
        1 for n, order in enumerate(made) if n % 6 == 2 and order.customer is None
    )
    return Layout("square", path, {"square": path}, len(rows), **sums)


STRIPE_PAYMENTS = (
    "id,Description,Seller Message,Created (UTC),Amount,Amount Refunded,Currency,"
    "Converted Amount,Converted Amount Refunded,Fee,Tax,Converted Currency,Mode,Status,"
    "Statement Descriptor,Customer ID,Customer Description,Customer Email,Captured,Card ID,"
    "Card Last4,Card Brand,Card Funding,Card Exp Month,Card Exp Year,Card Name,"
    "Card Address Line1,Card Address Line2,Card Address City,Card Address State,"
    "Card Address Country,Card Address Zip,Card Issue Country,Card Fingerprint,Card CVC Status,"
    "Card AVS Zip Status,Card AVS Line1 Status,Card Tokenization Method,Disputed Amount,"
    "Dispute Status,Dispute Reason,Dispute Date (UTC),Dispute Evidence Due (UTC),Invoice ID,"
    "Payment Source Type,Destination,Transfer,Interchange Costs,Merchant Service Charge,"
    "Transfer Group,PaymentIntent ID"
)


def stripe_payments(folder):
    """One row for each payment; failed ones are there too."""
    made = orders(refunds=True)
    rows = [
        {
            "id": f"ch_{order.number}",
            "Description": f"Order {order.number}",
            "Created (UTC)": f"{order.moment:%Y-%m-%d %H:%M}",
            "Amount": order.gross,
            "Amount Refunded": order.refund,
            "Currency": "usd",
            "Converted Amount": order.gross,
            "Converted Amount Refunded": order.refund,
            "Mode": "Live",
            "Status": "Failed" if order.lost else "Paid",
            "Customer ID": f"cus_{order.customer:03d}" if order.customer else "",
            "Captured": "false" if order.lost else "true",
            "Card Issue Country": "US",
        }
        for order in made
    ]
    path = write(Path(folder) / "payments.csv", STRIPE_PAYMENTS, rows)
    sums = totals(made)
    sums["guests"] = sum(1 for order in made if order.customer is None and not order.lost)
    return Layout(
        "stripe_payments",
        path,
        {"stripe_payments": path},
        len(rows),
        left_out=sum(order.lost for order in made),
        **sums,
    )


AMAZON_ORDERS = (
    "order-id order-item-id purchase-date payments-date buyer-email buyer-name "
    "buyer-phone-number sku product-name quantity-purchased currency item-price item-tax "
    "shipping-price shipping-tax ship-service-level recipient-name ship-address-1 "
    "ship-address-2 ship-address-3 ship-city ship-state ship-postal-code ship-country "
    "ship-phone-number item-promotion-discount item-promotion-id ship-promotion-discount "
    "ship-promotion-id delivery-start-date delivery-end-date delivery-time-zone "
    "delivery-Instructions sales-channel"
)
AMAZON_SHIPMENTS = (
    "amazon-order-id merchant-order-id shipment-id shipment-item-id amazon-order-item-id "
    "merchant-order-item-id purchase-date payments-date shipment-date reporting-date "
    "buyer-email buyer-name buyer-phone-number sku product-name quantity-shipped currency "
    "item-price item-tax shipping-price shipping-tax gift-wrap-price gift-wrap-tax "
    "ship-service-level recipient-name ship-address-1 ship-address-2 ship-address-3 ship-city "
    "ship-state ship-postal-code ship-country ship-phone-number bill-address-1 bill-address-2 "
    "bill-address-3 bill-city bill-state bill-postal-code bill-country item-promotion-discount "
    "ship-promotion-discount carrier tracking-number estimated-arrival-date "
    "fulfillment-center-id fulfillment-channel sales-channel points-granted"
)
AMAZON_ALL_ORDERS = (
    "amazon-order-id merchant-order-id purchase-date last-updated-date order-status "
    "fulfillment-channel sales-channel order-channel url ship-service-level product-name sku "
    "asin item-status quantity currency item-price item-tax shipping-price shipping-tax "
    "gift-wrap-price gift-wrap-tax item-promotion-discount ship-promotion-discount ship-city "
    "ship-state ship-postal-code ship-country promotion-ids is-business-order "
    "purchase-order-number price-designation"
)


def _amazon(folder, preset, header, name, *, lost, sign=1):
    made = orders(guests=False, line_discounts=True, lost=lost)
    header = header.split(" ")
    rows = []
    for order in made:
        number = f"112-{order.number:07d}-0000001"
        for i, line in enumerate(order.lines):
            row = {
                "order-id": number,
                "amazon-order-id": number,
                "order-item-id": f"{order.number}{i}",
                "amazon-order-item-id": f"{order.number}{i}",
                "shipment-id": f"D{order.number}",
                "purchase-date": f"{order.moment:%Y-%m-%dT%H:%M:%S}-07:00",
                "buyer-email": email(order.customer).replace("example", "marketplace.amazon"),
                "sku": line.sku,
                "product-name": line.name,
                "quantity-purchased": line.quantity,
                "quantity-shipped": line.quantity,
                "quantity": line.quantity,
                "currency": "USD",
                "item-price": line.gross,
                "item-promotion-discount": sign * line.discount if line.discount else "",
                "order-status": "Cancelled" if order.lost else "Shipped",
                "item-status": "Cancelled" if order.lost else "Shipped",
                "ship-country": "US",
                "sales-channel": "Amazon.com",
            }
            rows.append({key: value for key, value in row.items() if key in header})
    # Quotes are characters in these reports, not marks around a field.
    path = write(Path(folder) / name, header, rows, delimiter="\t", quoting=csv.QUOTE_NONE)
    return Layout(
        preset,
        path,
        {preset: path},
        len(rows),
        left_out=lost_rows(made),
        delimiter="\t",
        **totals(made),
    )


def amazon_orders(folder):
    """Tab text with quotes in names; the price is for all pieces of a line."""
    return _amazon(folder, "amazon_orders", AMAZON_ORDERS, "orders.txt", lost=False)


def amazon_shipments(folder):
    """Promotions are negative here."""
    return _amazon(
        folder, "amazon_shipments", AMAZON_SHIPMENTS, "shipments.txt", lost=False, sign=-1
    )


def amazon_all_orders(folder):
    """Nobody is named: this file can't be segmented."""
    layout = _amazon(folder, "amazon_all_orders", AMAZON_ALL_ORDERS, "all_orders.txt", lost=True)
    nobody = {"customers": 0, "revenue_of_customers": Decimal("0.00")}
    return Layout(**{**vars(layout), **nobody, "guests": layout.rows - layout.left_out})


ETSY = (
    "Sale Date,Item Name,Buyer,Quantity,Price,Coupon Code,Coupon Details,Discount Amount,"
    "Shipping Discount,Order Shipping,Order Sales Tax,Item Total,Currency,Transaction ID,"
    "Listing ID,Date Paid,Date Shipped,Ship Name,Ship Address1,Ship Address2,Ship City,"
    "Ship State,Ship Zipcode,Ship Country,Order ID,Variations,Order Type,Listings Type,"
    "Payment Type,InPerson Discount,InPerson Location,VAT Paid by Buyer,SKU"
)


def etsy(folder):
    """The discount stands beside the amount, and days are month/day/year with two digits."""
    made = orders(line_discounts=True, lost=False)
    rows = [
        {
            "Sale Date": f"{order.moment:%m/%d/%y}",
            "Item Name": line.name,
            "Buyer": f"buyer{order.customer}" if order.customer else "",
            "Quantity": line.quantity,
            "Price": line.price,
            "Coupon Code": "AUTUMN" if line.discount else "",
            "Discount Amount": line.discount,
            "Order Shipping": "4.90",
            "Item Total": line.gross,
            "Currency": "USD",
            "Transaction ID": f"{order.number}{i}",
            "Listing ID": 900 + int(line.sku[-2:]),
            "Date Paid": f"{order.moment:%m/%d/%Y}",
            "Ship Country": "United States",
            "Order ID": order.number,
            "Order Type": "online",
            "Payment Type": "online_cc",
            "SKU": line.sku,
        }
        for order in made
        for i, line in enumerate(order.lines)
    ]
    path = write(Path(folder) / "EtsySoldOrderItems2023.csv", ETSY, rows)
    return Layout("etsy", path, {"etsy": path}, len(rows), **totals(made))


EBAY = (
    "Sales Record Number,Order Number,Buyer Username,Buyer Name,Buyer Email,Buyer Note,"
    "Buyer Address 1,Buyer Address 2,Buyer City,Buyer State,Buyer Zip,Buyer Country,"
    "Ship To Name,Ship To Phone,Ship To Address 1,Ship To Address 2,Ship To City,Ship To State,"
    "Ship To Zip,Ship To Country,Item Number,Item Title,Custom Label,Sold Via Promoted Listings,"
    "Quantity,Sold For,Shipping And Handling,Seller Collected Tax,eBay Collected Tax,"
    "Total Price,eBay Collected Tax Included in Total,Payment Method,Sale Date,Paid On Date,"
    "Ship By Date,Minimum Estimated Delivery Date,Maximum Estimated Delivery Date,"
    "Shipped On Date,Feedback Left,Feedback Received,My Item Note,PayPal Transaction ID,"
    "Shipping Service,Tracking Number,Transaction ID,Variation Details,Global Shipping Program,"
    "Global Shipping Reference ID,Click And Collect,Click And Collect Reference Number,eBay Plus"
)


def ebay(folder):
    """A blank line first, rows for orders of several items, and a count at the end."""
    made = orders(guests=False, lost=False)
    rows, summaries = [{}], 1
    for order in made:
        common = {
            "Sales Record Number": order.number,
            "Order Number": f"24-{order.number:05d}-88735",
            "Buyer Username": f"buyer_{order.customer}",
        }
        day = f"{order.moment:%b-%d-%y}"
        dated = {"Buyer Country": "United States", "Sale Date": day, "Paid On Date": day}
        if len(order.lines) > 1:
            summaries += 1
            rows.append(
                common
                | dated
                | {
                    "Quantity": sum(line.quantity for line in order.lines),
                    "Sold For": dollars(order.gross),
                    "Total Price": dollars(order.gross),
                }
            )
            dated = {}
        for line in order.lines:
            rows.append(
                common
                | dated
                | {
                    "Item Number": 335001234500 + int(line.sku[-2:]),
                    "Item Title": line.name,
                    "Custom Label": line.sku,
                    "Quantity": line.quantity,
                    "Sold For": dollars(line.price),
                    "Shipping And Handling": "$5.00",
                    "Total Price": dollars(line.gross + 5),
                    "Transaction ID": f"{order.number}{line.sku[-2:]}",
                }
            )
    path = write(
        Path(folder) / "eBay-OrdersReport.csv",
        EBAY,
        rows,
        before=[""],
        after=["", f"{len(rows) - 1},record(s) downloaded,,", "Seller ID : gift-shop"],
    )
    return Layout(
        "ebay",
        path,
        {"ebay": path},
        len(rows),
        left_out=summaries,
        lines_before_header=1,
        **totals(made),
    )


SUPERSTORE = (
    "Row ID,Order ID,Order Date,Ship Date,Ship Mode,Customer ID,Customer Name,Segment,Country,"
    "City,State,Postal Code,Region,Product ID,Category,Sub-Category,Product Name,Sales,Quantity,"
    "Discount,Profit"
)


def superstore(folder):
    """Order numbers that begin with CA, and a discount that is off already."""
    made = orders(guests=False, line_discounts=True, lost=False)
    rows, n = [], 0
    for order in made:
        for line in order.lines:
            n += 1
            rows.append(
                {
                    "Row ID": n,
                    "Order ID": f"{'US' if order.number % 3 == 0 else 'CA'}-2023-{order.number}",
                    "Order Date": f"{order.moment.month}/{order.moment.day}/{order.moment.year}",
                    "Ship Date": f"{order.moment.month}/{order.moment.day}/{order.moment.year}",
                    "Ship Mode": "Second Class",
                    "Customer ID": f"CG-{order.customer:05d}",
                    "Customer Name": f"Customer {order.customer}",
                    "Segment": "Consumer",
                    "Country": "United States",
                    "Product ID": f"FUR-{line.sku}",
                    "Category": line.category,
                    "Product Name": line.name,
                    "Sales": line.gross - line.discount,
                    "Quantity": line.quantity,
                    "Discount": "0.1" if line.discount else "0",
                    "Profit": "1.00",
                }
            )
    path = write(Path(folder) / "Sample - Superstore.csv", SUPERSTORE, rows)
    return Layout("superstore", path, {"superstore": path}, len(rows), **totals(made))


LINE_ITEM_ENHANCED = (
    "header_id,line_item_id,line_item_index,record_type,created_at,currency,header_status,"
    "product_id,product_name,transaction_type,billing_type,product_type,quantity,unit_amount,"
    "discount_amount,tax_amount,total_amount,payment_id,payment_method_id,payment_method,"
    "payment_at,fee_amount,refund_amount,subscription_id,subscription_plan,"
    "subscription_period_started_at,subscription_period_ended_at,subscription_status,"
    "customer_id,customer_created_at,customer_level,customer_name,customer_company,"
    "customer_email,customer_city,customer_country,source_relation"
)


def line_item_enhanced(folder):
    """Header rows between the lines, with the discount and refund of the whole order."""
    made = orders(order_discounts=True, refunds=True)
    rows = []
    for order in made:
        common = {
            "header_id": order.number,
            "created_at": f"{order.moment:%Y-%m-%d %H:%M:%S}",
            "currency": "EUR",
            "header_status": "void" if order.lost else "fulfilled",
            "transaction_type": "capture",
            "customer_id": 7000 + order.customer if order.customer else "",
            "customer_country": "Germany",
        }
        for i, line in enumerate(order.lines, 1):
            rows.append(
                common
                | {
                    "line_item_id": f"{order.number}{i}",
                    "line_item_index": i,
                    "record_type": "line_item",
                    "product_id": line.sku,
                    "product_name": line.name,
                    "product_type": line.category,
                    "quantity": line.quantity,
                    "unit_amount": line.price,
                    "total_amount": line.gross,
                }
            )
        rows.append(
            common
            | {
                "line_item_index": 0,
                "record_type": "header",
                "discount_amount": order.discount,
                "tax_amount": "0.00",
                "refund_amount": order.refund or "",
            }
        )
    path = write(Path(folder) / "line_item_enhanced.csv", LINE_ITEM_ENHANCED, rows)
    return Layout(
        "line_item_enhanced",
        path,
        {"line_item_enhanced": path},
        len(rows),
        left_out=len(made) + lost_rows(made),
        **totals(made),
    )


MAGENTO_ITEMS = (
    "item_id,order_id,parent_item_id,quote_item_id,store_id,created_at,updated_at,product_id,"
    "product_type,is_virtual,sku,name,description,is_qty_decimal,no_discount,qty_backordered,"
    "qty_canceled,qty_invoiced,qty_ordered,qty_refunded,qty_shipped,base_cost,price,base_price,"
    "original_price,base_original_price,tax_percent,tax_amount,base_tax_amount,discount_percent,"
    "discount_amount,base_discount_amount,amount_refunded,base_amount_refunded,row_total,"
    "base_row_total"
)
MAGENTO_ORDERS = (
    "entity_id,state,status,coupon_code,protect_code,shipping_description,is_virtual,store_id,"
    "customer_id,base_discount_amount,base_grand_total,base_subtotal,discount_amount,"
    "grand_total,subtotal,total_refunded,customer_is_guest,increment_id,base_currency_code,"
    "customer_email,order_currency_code,remote_ip,shipping_method,store_name,created_at,"
    "updated_at"
)


def magento(folder):
    """Two tables; the parts of a configured product are rows of their own, worth nothing."""
    made = orders(guests=False, line_discounts=True)
    items, heads, parts, gone = [], [], 0, 0
    for n, order in enumerate(made):
        heads.append(
            {
                "entity_id": order.number,
                "status": "canceled" if order.lost else "complete",
                "customer_id": order.customer if n % 2 else "",
                "customer_is_guest": 0 if n % 2 else 1,
                "increment_id": f"{order.number:09d}",
                "customer_email": email(order.customer),
                "order_currency_code": "EUR",
                "store_name": "Main",
                "created_at": f"{order.moment:%Y-%m-%d %H:%M:%S}",
            }
        )
        for i, line in enumerate(order.lines):
            if n % 5 == 1 and i == 0:
                line.back = 1
                net = line.gross - line.discount
                left = cents(net * (line.quantity - 1) / line.quantity)
                order.refund = net - left
                gone += line.quantity == 1 and not order.lost
            row = {
                "item_id": order.number * 10 + 2 * i,
                "order_id": order.number,
                "product_id": int(line.sku[-2:]),
                "product_type": "configurable",
                "sku": line.sku,
                "name": line.name,
                "qty_canceled": "0.0000",
                "qty_ordered": f"{line.quantity}.0000",
                "qty_refunded": f"{line.back}.0000",
                "price": f"{line.price}00",
                "discount_amount": f"{line.discount}00",
                "row_total": f"{line.gross}00",
            }
            items.append(row)
            if i % 2:
                parts += 1
                part = {
                    "item_id": row["item_id"] + 1,
                    "parent_item_id": row["item_id"],
                    "price": "0.0000",
                }
                part |= {
                    "product_type": "simple",
                    "discount_amount": "0.0000",
                    "row_total": "0.0000",
                }
                items.append(row | part)
    folder = Path(folder) / "magento"
    files = {
        "items": write(folder / "sales_order_item.csv", MAGENTO_ITEMS, items),
        "orders": write(folder / "sales_order.csv", MAGENTO_ORDERS, heads),
    }
    return Layout(
        "magento",
        folder,
        files,
        len(items),
        left_out=parts + lost_rows(made),
        pieces_gone=gone,
        **totals(made),
    )


def olist(folder):
    """Each piece is a row, and a customer has another number in each order."""
    made = orders(guests=False)
    items, heads, people = [], [], []
    for order in made:
        number = f"{order.number:032x}"
        heads.append(
            {
                "order_id": number,
                "customer_id": f"c{order.number:031x}",
                "order_status": "canceled" if order.lost else "delivered",
                "order_purchase_timestamp": f"{order.moment:%Y-%m-%d %H:%M:%S}",
            }
        )
        people.append(
            {
                "customer_id": f"c{order.number:031x}",
                "customer_unique_id": f"{order.customer:032x}",
                "customer_zip_code_prefix": "01409",
                "customer_city": "sao paulo",
                "customer_state": "SP",
            }
        )
        piece = 0
        for line in order.lines:
            for _ in range(line.quantity):
                piece += 1
                items.append(
                    {
                        "order_id": number,
                        "order_item_id": piece,
                        "product_id": f"{line.sku}".lower(),
                        "seller_id": "s1",
                        "shipping_limit_date": f"{order.moment:%Y-%m-%d %H:%M:%S}",
                        "price": line.price,
                        "freight_value": "9.90",
                    }
                )
    products = [
        {"product_id": sku.lower(), "product_category_name": kind.lower(), "product_weight_g": 300}
        for sku, _, kind, _ in PRODUCTS
    ]
    folder = Path(folder) / "olist"
    quoted = {"quoting": csv.QUOTE_NONNUMERIC}
    files = {
        "items": write(
            folder / "olist_order_items_dataset.csv",
            "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value",
            items,
            **quoted,
        ),
        "orders": write(
            folder / "olist_orders_dataset.csv",
            "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,"
            "order_delivered_carrier_date,order_delivered_customer_date,"
            "order_estimated_delivery_date",
            heads,
            **quoted,
        ),
        "customers": write(
            folder / "olist_customers_dataset.csv",
            "customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state",
            people,
            **quoted,
        ),
        "products": write(
            folder / "olist_products_dataset.csv",
            "product_id,product_category_name,product_name_lenght,product_description_lenght,"
            "product_photos_qty,product_weight_g,product_length_cm,product_height_cm,"
            "product_width_cm",
            products,
            **quoted,
        ),
    }
    # A file of the same folder that no role needs.
    write(
        folder / "olist_order_payments_dataset.csv",
        "order_id,payment_sequential,payment_type,payment_installments,payment_value",
        [
            {"order_id": head["order_id"], "payment_sequential": 1, "payment_value": 1}
            for head in heads
        ],
        **quoted,
    )
    pieces = {order.number: sum(line.quantity for line in order.lines) for order in made}
    return Layout(
        "olist",
        folder,
        files,
        len(items),
        left_out=sum(pieces[order.number] for order in made if order.lost),
        **totals(made),
    )


def northwind(folder):
    """The discount is a share of 1, and the products can be left out."""
    made = orders(guests=False, lost=False)
    details, heads = [], []
    for n, order in enumerate(made):
        heads.append(
            {
                "orderID": order.number,
                "customerID": f"CUST{order.customer}",
                "employeeID": 1,
                "orderDate": f"{order.moment:%Y-%m-%d}",
                "requiredDate": f"{order.moment + timedelta(days=28):%Y-%m-%d}",
                "shipVia": 1,
                "freight": "32.38",
            }
        )
        for i, line in enumerate(order.lines):
            share = Decimal(("0", "0.05", "0.15", "0.25")[(n + i) % 4])
            line.discount = cents(line.gross) - cents(line.gross * (1 - share))
            details.append(
                {
                    "orderID": order.number,
                    "productID": int(line.sku[-2:]),
                    "unitPrice": line.price,
                    "quantity": line.quantity,
                    "discount": share,
                }
            )
    folder = Path(folder) / "northwind"
    files = {
        "details": write(
            folder / "order_details.csv", "orderID,productID,unitPrice,quantity,discount", details
        ),
        "orders": write(
            folder / "orders.csv",
            "orderID,customerID,employeeID,orderDate,requiredDate,shippedDate,shipVia,freight",
            heads,
        ),
    }
    return Layout("northwind", folder, files, len(details), **totals(made))


def adventureworks(folder):
    """Details and headers, with the names of products beside them."""
    made = orders(guests=False, line_discounts=True)
    details, heads = [], []
    for order in made:
        heads.append(
            {
                "SalesOrderID": order.number,
                "RevisionNumber": 8,
                "OrderDate": f"{order.moment:%Y-%m-%d} 00:00:00",
                "Status": 6 if order.lost else 5,
                "OnlineOrderFlag": 0,
                "SalesOrderNumber": f"SO{order.number}",
                "CustomerID": 29000 + order.customer,
                "SubTotal": order.goods,
                "TotalDue": order.goods,
            }
        )
        for i, line in enumerate(order.lines):
            details.append(
                {
                    "SalesOrderID": order.number,
                    "SalesOrderDetailID": order.number * 10 + i,
                    "OrderQty": line.quantity,
                    "ProductID": 700 + int(line.sku[-2:]),
                    "SpecialOfferID": 1,
                    "UnitPrice": line.price,
                    "UnitPriceDiscount": "0.00",
                    "LineTotal": f"{line.gross - line.discount}0000",
                }
            )
    products = [
        {
            "ProductID": 700 + int(sku[-2:]),
            "Name": name,
            "ProductNumber": sku,
            "StandardCost": cents(price / 2),
        }
        for sku, name, _, price in PRODUCTS
    ]
    folder = Path(folder) / "adventureworks"
    files = {
        "details": write(
            folder / "SalesOrderDetail.csv",
            "SalesOrderID,SalesOrderDetailID,CarrierTrackingNumber,OrderQty,ProductID,"
            "SpecialOfferID,UnitPrice,UnitPriceDiscount,LineTotal,rowguid,ModifiedDate",
            details,
        ),
        "headers": write(
            folder / "SalesOrderHeader.csv",
            "SalesOrderID,RevisionNumber,OrderDate,DueDate,ShipDate,Status,OnlineOrderFlag,"
            "SalesOrderNumber,PurchaseOrderNumber,AccountNumber,CustomerID,SalesPersonID,"
            "TerritoryID,BillToAddressID,ShipToAddressID,ShipMethodID,CreditCardID,"
            "CreditCardApprovalCode,CurrencyRateID,SubTotal,TaxAmt,Freight,TotalDue,Comment,"
            "rowguid,ModifiedDate",
            heads,
        ),
        "products": write(
            folder / "Product.csv",
            "ProductID,Name,ProductNumber,MakeFlag,FinishedGoodsFlag,Color,SafetyStockLevel,"
            "ReorderPoint,StandardCost,ListPrice",
            products,
        ),
    }
    return Layout(
        "adventureworks", folder, files, len(details), left_out=lost_rows(made), **totals(made)
    )


def dlt_shopify(folder):
    """Tables of a warehouse, as files: two keys of dlt's own, and what is left after refunds."""
    made = orders(order_discounts=True)
    items, heads, gone = [], [], 0
    for n, order in enumerate(made):
        if n % 6 == 1 and len(order.lines) > 1:
            # All pieces of the first line were taken back, and the discount stays.
            order.lines[0].back = order.lines[0].quantity
            left = order.gross - order.lines[0].gross
            order.discount = min(order.discount, left)
            order.refund = order.lines[0].gross
            gone += not order.lost
        heads.append(
            {
                "id": 5_000_000_000 + order.number,
                "name": f"#{order.number}",
                "created_at": f"{order.moment:%Y-%m-%d %H:%M:%S}+00:00",
                "currency": "EUR",
                "financial_status": "voided" if order.lost else "paid",
                "email": email(order.customer),
                "customer__id": 7000 + order.customer if order.customer else "",
                "subtotal_price": order.goods,
                "current_subtotal_price": order.goods - order.refund,
                "total_discounts": order.discount,
                "test": "False",
                "_dlt_id": f"d{order.number}",
            }
        )
        for i, line in enumerate(order.lines):
            items.append(
                {
                    "id": order.number * 10 + i,
                    "product_id": int(line.sku[-2:]),
                    "sku": line.sku,
                    "title": line.name,
                    "name": line.name,
                    "vendor": "Maker",
                    "quantity": line.quantity,
                    "current_quantity": line.quantity - line.back,
                    "price": line.price,
                    "total_discount": "0.00",
                    "_dlt_parent_id": f"d{order.number}",
                    "_dlt_list_idx": i,
                    "_dlt_id": f"i{order.number}{i}",
                }
            )
    folder = Path(folder) / "dlt_shopify"
    files = {
        "items": write(
            folder / "orders__line_items.csv",
            "id,product_id,variant_id,sku,title,name,vendor,quantity,current_quantity,price,"
            "total_discount,_dlt_parent_id,_dlt_list_idx,_dlt_id",
            items,
        ),
        "orders": write(
            folder / "orders.csv",
            "id,name,created_at,updated_at,cancelled_at,processed_at,currency,financial_status,"
            "fulfillment_status,email,customer__id,subtotal_price,current_subtotal_price,"
            "total_price,total_discounts,source_name,test,_dlt_load_id,_dlt_id",
            heads,
        ),
    }
    sums = totals(made)
    sums["refunded"] = Decimal("0.00")
    return Layout(
        "dlt_shopify",
        folder,
        files,
        len(items),
        left_out=lost_rows(made),
        pieces_gone=gone,
        **sums,
    )


LAYOUTS = {
    layout.__name__: layout
    for layout in (
        shopify,
        woocommerce,
        woocommerce_advanced,
        square,
        stripe_payments,
        amazon_orders,
        amazon_shipments,
        amazon_all_orders,
        etsy,
        ebay,
        superstore,
        line_item_enhanced,
        magento,
        olist,
        northwind,
        adventureworks,
        dlt_shopify,
    )
}
