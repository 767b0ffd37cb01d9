"""Which row of a rate card applies, worked out a second time: rows are knocked out pair by pair, and
what stands between two rows is asked day by day."""

from derive import day, plain
from decimal import Decimal

SCOPE = ["practice", "customer", "contract", "project", "task"]


def parts(text):
    """'project P1; role senior' -> {'project': 'P1', 'role': 'senior'}"""
    if text == "everything":
        return {}
    return dict(piece.strip().rsplit(" ", 1) for piece in text.split(";"))


def rank(key):
    scope = max([0] + [n + 1 for n, name in enumerate(SCOPE) if name in key])
    person = 2 if "worker" in key else 1 if "role" in key else 0
    return scope, person, int("item" in key)


def beats(one, other):
    """A higher rank beats; in one rank, the key that says all the other says and more."""
    if rank(one) != rank(other):
        return rank(one) > rank(other)
    return one != other and all(one.get(name) == value for name, value in other.items())


def covers(row, asked):
    return day(row["from"]) <= asked and (not row["to"] or asked < day(row["to"]))


def known(row, at):
    return not row["recorded"] or not at or day(row["recorded"]) <= day(at)


def last_recorded(rows):
    """The rows of the latest version; a row without a date was always there."""
    latest = max(row["recorded"] for row in rows)
    return [row for row in rows if row["recorded"] == latest]


def of_one_source(fits, asked, gap):
    """The outcome, the winning rows, the rows that covered the day."""
    here = [row for row in fits if covers(row, asked)]
    left = list(fits)
    if not left:
        return "no row", [], here
    while left:
        top = [r for r in left if not any(beats(parts(o["applies to"]), parts(r["applies to"])) for o in left)]
        winners = []
        for text in sorted({row["applies to"] for row in top}):
            mine = [row for row in top if row["applies to"] == text and covers(row, asked)]
            if mine:
                winners += last_recorded(mine)
        if len(winners) == 1:
            return plain(Decimal(winners[0]["rate"])), winners, here
        if winners:
            return "tie", winners, here
        if gap == "refuse":
            return "gap", [], here
        left = [row for row in left if row not in top]
    return "gap", [], here


def choose(row, tables):
    card = [r for r in tables["Rows"] if r["card"] == row["card"]]
    work = parts(next(w for w in tables["Pieces of work"] if w["work"] == row["work"])["is"])
    fits = [
        r
        for r in card
        if known(r, row["known at"]) and all(work.get(n) == v for n, v in parts(r["applies to"]).items())
    ]
    source = row["owner"]
    mine = [r for r in fits if r["origin"] == source]
    if not mine and row["second"]:
        source = row["second"]
        mine = [r for r in fits if r["origin"] == source]
    outcome, winners, here = of_one_source(mine, day(row["day"]), row["gap"])
    names = [w["row"] for w in winners]
    order = [r["row"] for r in card]
    names.sort(key=order.index)
    beaten = [r["row"] for r in here if r["row"] not in names]
    if outcome not in ("no row", "gap", "tie") and row["contract in"] and winners[0]["currency"] != row["contract in"]:
        outcome = "currency"
    lost = ", ".join(beaten) if winners else "-"
    return {
        "= outcome": outcome,
        "= row": ", ".join(names) or "-",
        "= beat": lost or "-",
        "= source": source if mine else "-",
        "working": f"{len(card)} rows, {len(fits)} fit and are known, {len(mine)} of them of the {source}, {len(here)} cover the day",
    }


SUBJECTS = {("rate_cards.md", "Work"): choose}
