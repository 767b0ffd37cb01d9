"""What the conditions of a contract say of an entry, worked out without the product. The files of
docs/scenarios use a part of the language that reads the same here once its signs are replaced."""

import re
from datetime import date
from fractions import Fraction as F


class Amount:
    """Money that is compared by name."""

    def __init__(self, value, currency):
        self.value, self.currency = F(value), currency

    def more_than(self, other):
        assert self.currency == other.currency
        return self.value > other.value

    def at_least(self, other):
        assert self.currency == other.currency
        return self.value >= other.value


def says(contract, term, entry, worker, amount=None):
    """What a term says of an entry; nothing where the contract does not have it."""
    source = contract.get("conditions", {}).get(term)
    if source is None:
        return None
    assert "'" not in source and "?" not in source, "write it in the part that reads the same"
    text = source.replace("&&", " and ").replace("||", " or ")
    text = re.sub(r"!(?!=)", " not ", text)
    text = text.replace(".startsWith(", ".startswith(").replace(".endsWith(", ".endswith(")
    names = {
        "worker": entry["worker"], "role": worker.get("role", ""),
        "practice": worker.get("practice", ""), "project": entry["project"],
        "task": entry["task"], "service_item": entry["service_item"],
        "customer": contract.get("customer", ""), "contract": contract["id"],
        "date": entry["date"], "weekday": date.fromisoformat(entry["date"]).isoweekday(),
        "minutes": entry["seconds"] // 60, "billable": entry["billable"],
        "true": True, "false": False,
        "money": lambda written: Amount(*written.split(" ")), "string": str,
    }
    if amount is not None:
        names["amount"] = Amount(amount, contract["currency"])
    return eval(text.strip(), {"__builtins__": {}}, names)
