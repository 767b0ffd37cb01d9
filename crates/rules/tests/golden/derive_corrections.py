"""Works out corrections.md: what is left open of each entry, and what a change of booked work asks for.
Plans are found by asking, for each entry, what its stage allows, and adding up what is put where."""

from decimal import Decimal

from derive import COIN, plain

ZERO = Decimal(0)


def steps_until(row, tables):
    """The steps of an entry up to a row, the row among them."""
    found = []
    for step in tables["Open quantities"]:
        if step["scenario"] == row["scenario"] and step["entry"] == row["entry"]:
            found.append(step)
        if step is row:
            return found
    raise AssertionError("the row is not in its own table")


def opened(row, tables):
    billable = invoiced = credited = ZERO
    outcome, why = "", ""
    for step in steps_until(row, tables):
        quantity = Decimal(step["quantity"])
        standing = invoiced - credited
        free = max(billable - standing, ZERO)
        outcome = "done"
        if quantity < 0:
            outcome = "below zero"
        elif step["event"] == "worked":
            billable = quantity
        elif step["event"] == "invoice":
            if quantity > free:
                outcome = "not open"
            else:
                invoiced += quantity
        elif step["event"] == "credit":
            if quantity > standing:
                outcome = "more than invoiced"
            else:
                credited += quantity
    standing = invoiced - credited
    planned = max(standing - billable, ZERO)
    why = f"{plain(billable)} - ({plain(invoiced)} - {plain(credited)}"
    why += f" - {plain(planned)} planned)" if planned else ")"
    return {
        "= outcome": outcome,
        "= invoiced": plain(invoiced),
        "= credited": plain(credited),
        "= planned credit": plain(planned),
        "= open": plain(billable - (invoiced - credited - planned)),
        "working": why,
    }


def of_plan(case, tables):
    return [change for change in tables["Changes"] if change["case"] == case]


def policy(case, tables):
    return next(plan["issued"] for plan in tables["Plans"] if plan["case"] == case)


def no_period(change):
    return change["period"] == "closed" and not change["next open"]


def act(change, tables):
    """The act, the credit, the new bill and what was found on the way."""
    booked, desired = Decimal(change["booked"]), Decimal(change["desired"])
    money = change["booked currency"] == change["desired currency"] and booked == desired
    moved = change["booked home"] != change["home"] or change["booked currency"] != change["desired currency"]
    supply = change["booked supply"] != change["supply"]
    if money and not moved and not supply:
        return "nothing", None, None
    held = no_period(change) and change["stage"] != "unposted"
    for other in of_plan(change["case"], tables):
        held = held or (change["pair"] and other["pair"] == change["pair"] and no_period(other) and act_alone(other))
    if held:
        return "hold", None, None
    if change["stage"] == "unposted":
        return "reprice", None, None
    if change["stage"] == "unbilled":
        return "reverse and repost", None, None
    if change["stage"] == "draft":
        if moved:
            return "take off the draft", None, desired if desired else None
        return "refresh the draft", None, desired
    if policy(change["case"], tables) == "delta" and not moved and not supply:
        return "delta", None, desired - booked
    return "credit and rebill", -booked if booked else None, desired if desired else None


def act_alone(change):
    same = all(change["booked" + a] == change[b] for a, b in ((" home", "home"), (" supply", "supply")))
    same = same and change["booked currency"] == change["desired currency"]
    return change["stage"] != "unposted" and not (same and Decimal(change["booked"]) == Decimal(change["desired"]))


def coins(value, currency):
    return format(value.quantize(Decimal(1).scaleb(-COIN[currency])), "f")


def change(row, tables):
    what, credit, bill = act(row, tables)
    issued = row["stage"].startswith("issued")
    out = {
        "= act": what,
        "= credit": coins(credit, row["booked currency"]) if credit is not None else "none",
        "= new line": coins(bill, row["desired currency"]) if bill is not None else "none",
        "= on account": "yes" if row["stage"] == "issued, paid" and credit is not None else "no",
        "= day": "as booked",
        "= credit tax": "none",
        "= new tax": "none",
    }
    if what in ("nothing", "reprice", "hold"):
        out["= day"] = "none"
    elif row["period"] == "closed":
        out["= day"] = row["next open"]
    if issued and what in ("credit and rebill", "delta"):
        was = f"{row['tax']} {row['tax rate']} % {row['booked supply']}"
        if credit is not None:
            out["= credit tax"] = was
        if bill is not None:
            # Another place means another customer, currency or contract: not the same supply.
            same = row["booked supply"] == row["supply"] and row["booked home"] == row["home"]
            same = same and row["booked currency"] == row["desired currency"]
            out["= new tax"] = was if same else f"anew {row['supply']}"
    if row["booked currency"] == row["desired currency"]:
        difference = Decimal(row["desired"]) - Decimal(row["booked"])
        out["working"] = f"{row['desired']} - {row['booked']} = {coins(difference, row['booked currency'])}"
    else:
        out["working"] = f"{row['booked currency']} {row['booked']} goes, {row['desired currency']} {row['desired']} comes"
    return out


STAGES = {
    "unposted": "not posted",
    "unbilled": "posted, not billed",
    "draft": "on a draft",
    "issued": "issued",
    "issued, paid": "issued and paid",
}


def plan(row, tables):
    documents, differences, totals = {}, {}, {}

    def put(document, amount, currency):
        lines, total = documents.get((document, currency), (0, ZERO))
        documents[document, currency] = lines + 1, total + amount

    for one in of_plan(row["case"], tables):
        what, credit, bill = act(one, tables)
        if what == "take off the draft":
            put(f"draft {one['document']}", ZERO, one["booked currency"])
        if what == "refresh the draft":
            put(f"draft {one['document']}", bill, one["desired currency"])
        elif bill is not None:
            put(f"next of {one['home']}", bill, one["desired currency"])
        if credit is not None:
            put(f"credit of {one['document']}", credit, one["booked currency"])
        if what in ("nothing", "hold"):
            continue
        for currency, amount in (
            (one["desired currency"], Decimal(one["desired"])),
            (one["booked currency"], -Decimal(one["booked"])),
        ):
            key = STAGES[one["stage"]], currency
            differences[key] = differences.get(key, ZERO) + amount
            totals[currency] = totals.get(currency, ZERO) + amount
    shown = [
        f"{name}: {lines} {'line' if lines == 1 else 'lines'}, {currency} {coins(total, currency)}"
        for (name, currency), (lines, total) in documents.items()
    ]
    differ = [f"{stage} {currency} {coins(a, currency)}" for (stage, currency), a in differences.items()]
    return {
        "= documents": "; ".join(sorted(shown)) or "none",
        "= difference": "; ".join(sorted(differ)) or "none",
        "= total": "; ".join(f"{c} {coins(t, c)}" for c, t in sorted(totals.items())) or "none",
    }


SUBJECTS = {
    ("corrections.md", "Open quantities"): opened,
    ("corrections.md", "Changes"): change,
    ("corrections.md", "Plans"): plan,
}
