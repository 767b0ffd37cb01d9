"""Works out documents.md: which charges share a document, which share a line, what a line prints, and
which words stand on it. Groups are formed by sorting and comparing, in exact decimals throughout."""

import datetime
from decimal import Decimal

from derive import COIN, day, plain, to_digits

CUT_AT = 500


def mine(tables, heading, case):
    return [row for row in tables[heading] if row["case"] == case]


def coins(value, currency):
    return format(to_digits(value, COIN[currency], "half_up"), "f")


def charge_amount(row, tables):
    terms = mine(tables, "Lines: contracts", row["case"])[0]
    exact = Decimal(row["quantity"]) * Decimal(row["rate"])
    amount = to_digits(exact, COIN[terms["currency"]], terms["rounding"])
    return {"= amount": format(amount, "f"), "working": f"{row['quantity']} x {row['rate']} = {plain(exact)}"}


def soft(name, charge):
    when = day(charge["day"])
    if name == "week":
        return str(when - datetime.timedelta(days=when.isoweekday() - 1))
    if name == "month":
        return charge["day"][:7]
    if name == "worker":
        # A person is who they are, not what they are called.
        return charge["worker"]
    return charge[name]


def gathered(case, tables):
    """The lines of a case: lists of charges, in the order of the document."""
    terms = mine(tables, "Lines: contracts", case)[0]
    lines = {}
    for charge in mine(tables, "Lines: charges", case):
        hard = (charge["item"], charge["sort"], charge["unit"], Decimal(charge["rate"]))
        if terms["together"] == "each alone":
            place = (charge["day"], charge["charge"])
        elif terms["together"] == "rate only":
            place = ()
        else:
            place = tuple(soft(name.strip(), charge) for name in terms["together"].split(","))
        lines.setdefault((place, hard), []).append(charge)
    return terms, [sorted(lines[key], key=lambda c: (c["day"], c["charge"])) for key in sorted(lines)]


def figures(charges, terms):
    quantity = sum(Decimal(c["quantity"]) for c in charges)
    exact = quantity * Decimal(charges[0]["rate"])
    printed = to_digits(exact, COIN[terms["currency"]], terms["rounding"])
    booked = sum(
        to_digits(Decimal(c["quantity"]) * Decimal(c["rate"]), COIN[terms["currency"]], terms["rounding"])
        for c in charges
    )
    return quantity, exact, printed, booked


def kept(case, tables):
    terms, lines = gathered(case, tables)
    out = []
    for charges in lines:
        quantity, _, printed, booked = figures(charges, terms)
        if quantity or printed or booked:
            out.append(charges)
    return terms, out


def line(row, tables):
    terms, lines = kept(row["case"], tables)
    charges = lines[int(row["line"]) - 1]
    quantity, exact, printed, booked = figures(charges, terms)
    return {
        "= charges": ", ".join(c["charge"] for c in charges),
        "= quantity": plain(quantity),
        "= rate": plain(Decimal(charges[0]["rate"])),
        "= amount": coins(printed, terms["currency"]),
        "= rounding charge": coins(printed - booked, terms["currency"]),
        "= printed": "yes" if quantity or printed else "no",
        "working": f"{plain(quantity)} x {plain(Decimal(charges[0]['rate']))} = {plain(exact)}; booked {coins(booked, terms['currency'])}",
    }


def lines_of(row, tables):
    terms, lines = kept(row["case"], tables)
    all_lines = gathered(row["case"], tables)[1]
    gone = [c["charge"] for charges in all_lines if charges not in lines for c in charges]
    total = sum(figures(charges, terms)[2] for charges in lines)
    return {
        "= lines": str(len(lines)),
        "= total": coins(Decimal(total), terms["currency"]),
        "= netted": ", ".join(sorted(gone)) or "none",
    }


HARD = ["entity", "bill to", "currency", "tax", "period"]


def group_of(charge):
    if charge["computed"]:
        return f"text:{charge['computed']}"
    return f"{charge['grouping']}:{charge[charge['grouping']]}"


def documents(row, tables):
    charges = mine(tables, "Documents: charges", row["case"])
    found = {}
    for charge in charges:
        found.setdefault(tuple(charge[name] for name in HARD) + (group_of(charge),), []).append(charge["charge"])
    parts = sorted("+".join(sorted(ids)) for ids in found.values())
    differ = [name for name in HARD if len({c[name] for c in charges}) > 1]
    if len({group_of(c) for c in charges}) > 1:
        differ.append("group")
    groups = ", ".join(dict.fromkeys(group_of(c) for c in charges))
    return {
        "= documents": "; ".join(parts),
        "working": f"{groups}; differ in {', '.join(differ) or 'nothing'}",
    }


def expand(text):
    """`long:600` stands for 600 letters, `dots:3` for a word of three full stops."""
    head, _, count = text.partition(":")
    if head == "long" and count.isdigit():
        return "x" * int(count)
    return text


def once(values):
    return list(dict.fromkeys(v.strip() for v in values if v.strip()))


def filled(template, values, words):
    """The few forms of a template that the table uses."""
    loop, end = "{% for words in narratives %}", "{% endfor %}"
    if loop in template:
        before, rest = template.split(loop)
        body, after = rest.split(end)
        template = before + "".join(body.replace("{{ words }}", "\0" + str(n)) for n in range(len(words))) + after
    for name, value in values.items():
        template = template.replace("{{ " + name + " }}", "\1" + name + "\2")
    for name, value in values.items():
        template = template.replace("\1" + name + "\2", value)
    for n in reversed(range(len(words))):
        template = template.replace("\0" + str(n), words[n])
    return template


def text(row, tables):
    charges = sorted(mine(tables, "Texts: charges", row["case"]), key=lambda c: (c["day"], c["charge"]))
    people = once(c["name"] for c in charges)
    tasks = once(c["task"] for c in charges)
    words = once(expand(c["words"]) for c in charges)
    first, last = charges[0]["day"], charges[-1]["day"]
    quantity = sum(Decimal(c["quantity"]) for c in charges)
    amount = to_digits(quantity * Decimal(charges[0]["rate"]), 2, "half_up")
    if row["template"]:
        made = filled(
            row["template"],
            {
                "worker": ", ".join(people),
                "role": ", ".join(once(c["role"] for c in charges)),
                "project": ", ".join(once(c["project"] for c in charges)),
                "task": ", ".join(tasks),
                "service_item": charges[0]["item"],
                "from": first,
                "to": last,
                "quantity": plain(quantity),
                "unit": "hour",
                "rate": plain(Decimal(charges[0]["rate"])),
                "amount": f"EUR {amount}",
                "purchase_order": row["purchase order"],
                "client_reference": row["client reference"],
                "contract": "K1",
            },
            words,
        )
    else:
        days = first if first == last else f"{first} to {last}"
        made = f"{days} {', '.join(people)}, {', '.join(tasks)}" + (": " + "; ".join(words) if words else "")
    made = " ".join(made.split())
    cut = len(made) > CUT_AT
    if cut:
        made = made[: CUT_AT - 1] + "…"
    return {
        "= text": made,
        "= cut": "yes" if cut else "no",
        "= original words": " / ".join(f"{c['charge']}: {c['words']}".strip() for c in charges),
    }



SUBJECTS = {
    ("documents.md", "Documents"): documents,
    ("documents.md", "Lines: charges"): charge_amount,
    ("documents.md", "Lines: contracts"): lines_of,
    ("documents.md", "Lines"): line,
    ("documents.md", "Texts"): text,
}
