"""Rates that follow from another rate, worked out a second time."""

from decimal import Decimal

from derive import money, plain, to_digits


def decimals(row):
    return min(int(row["contract decimals"]), int(row["ERP decimals"]))


def exact(row):
    base, value = Decimal(row["base"]), Decimal(row["value"])
    if row["rule"] == "multiple":
        return base * value, f"{row['base']} x {row['value']}"
    return base * (100 + value) / 100, f"{row['base']} + {row['value']} %"


def derived(row, _):
    value, words = exact(row)
    digits = decimals(row)
    rate = to_digits(value, digits, "half_up")
    amount = money(Decimal(row["hours"]), rate, row["currency"], "half_up")
    return {
        "= rate": plain(rate),
        "= amount": amount,
        "working": f"{words} = {plain(value)}, to {digits} decimals {plain(rate)}; {row['hours']} h x {plain(rate)} = {plain(Decimal(row['hours']) * rate)}",
    }


def refused(row, _):
    base, value = Decimal(row["base"]), Decimal(row["value"])
    if int(row["contract decimals"]) > 6:
        why = "too many decimals"
    elif base < 0:
        why = "negative base"
    elif row["rule"] == "multiple" and value <= 0:
        why = "no multiple"
    elif row["rule"] == "cost plus" and value < 0:
        why = "negative percentage"
    elif to_digits(exact(row)[0], decimals(row), "half_up") * 10**6 >= 2**63:
        why = "too large"
    else:
        why = "none"
    return {"= refusal": why, "working": f"{row['rule']} {row['value']} of {row['base']}"}


SUBJECTS = {
    ("derived_rates.md", "Derived rates"): derived,
    ("derived_rates.md", "Refused"): refused,
}
