from decimal import ROUND_HALF_UP, Decimal
from string import Template

INVOICE = Template("""\
INVOICE $number
To: $customer

$lines
${rule}
Subtotal ${subtotal}
VAT $rate% ${vat}
TOTAL    ${total}
""")

CENT = Decimal("0.01")
items = [
    ("Oak shelf, 80 cm", 3, Decimal("49.90")),
    ("Wall bracket", 6, Decimal("4.25")),
    ("Wood oil, 250 ml", 1, Decimal("12.49")),
    ("Delivery", 1, Decimal("9.99")),
]


def money(amount: Decimal) -> str:
    return f"{amount.quantize(CENT, ROUND_HALF_UP):>31,}"


def render(number: str, customer: str, items, rate: Decimal) -> str:
    lines = [f"{quantity:>3} x {name:<20}{price * quantity:>14,.2f}" for name, quantity, price in items]
    subtotal = sum(quantity * price for _, quantity, price in items)
    vat = (subtotal * rate / 100).quantize(CENT, ROUND_HALF_UP)
    return INVOICE.substitute(
        number=number, customer=customer, lines="\n".join(lines), rule="-" * 40,
        subtotal=money(subtotal), rate=rate, vat=money(vat)[2:], total=money(subtotal + vat),
    )


print(render("2025-0117", "Jo Miller", items, Decimal(19)))
try:
    INVOICE.substitute(number="x")
except KeyError as error:
    print("missing field:", error)
