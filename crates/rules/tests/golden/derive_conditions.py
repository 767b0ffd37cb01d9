"""Works out conditions.md: the answers by Python's own rules for the same signs, and the columns of
mistakes by looking the wrong part up in the text."""

import datetime
import re
from decimal import Decimal

WORK = {
    "worker": "W1",
    "role": "senior",
    "practice": "",
    "project": "P1",
    "task": "T-ÄUSSERES",
    "service_item": "AUDIT",
    "customer": "C1",
    "contract": "K1",
    "date": "2026-03-07",
    "minutes": 90,
    "billable": True,
}
WORK["weekday"] = datetime.date.fromisoformat(WORK["date"]).isoweekday()
SIGNS = [
    (r"&&", " and "),
    (r"!(?!=)", " not "),
    (r"\btrue\b", "True"),
    (r"\bfalse\b", "False"),
    (r"\.startsWith\(", ".startswith("),
    (r"\.endsWith\(", ".endswith("),
    (r"\.contains\(", ".__contains__("),
    (r"\.size\(\)", ".__len__()"),
    (r"\bstring\(", "str("),
    (r" / ", " // "),
]


class Money:
    def __init__(self, text):
        amount, self.currency = text.split(" ")
        self.amount = Decimal(amount)

    def more_than(self, other):
        assert self.currency == other.currency
        return self.amount > other.amount

    def at_least(self, other):
        assert self.currency == other.currency
        return self.amount >= other.amount


def evaluated(condition, amount):
    choice = re.fullmatch(r"(.*) \? (.*) : (.*)", condition)
    if choice:
        yes = evaluated(choice[1], amount)
        return evaluated(choice[2] if yes else choice[3], amount)
    # Texts are left alone: no sign of the list stands in one here.
    for sign, python in SIGNS:
        condition = re.sub(sign, python, condition)
    names = dict(WORK, money=Money, str=str)
    if amount:
        names["amount"] = Money(amount)
    return eval(condition.strip(), {"__builtins__": {}}, names)


def answer(row, _):
    value = evaluated(row["condition"], row["amount"])
    return {"= answer": value if isinstance(value, str) else "yes" if value else "no"}


def mistake(row, _):
    column = len(row["condition"]) + 1 if row["part"] == "the end" else row["condition"].index(row["part"]) + 1
    return {"= column": str(column)}


SUBJECTS = {
    ("conditions.md", "Answers"): answer,
    ("conditions.md", "Mistakes"): mistake,
}
