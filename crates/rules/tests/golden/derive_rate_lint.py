"""What is wrong with a rate card, worked out a second time by walking through its days one by one."""

import datetime
from decimal import Decimal
from itertools import combinations

from derive import day
from derive_rate_cards import beats, covers, last_recorded, parts, rank

ONE = datetime.timedelta(days=1)


def lawful(row):
    return not row["to"] or day(row["to"]) > day(row["from"])


def window(rows):
    dates = [day(r[name]) for r in rows for name in ("from", "to") if r[name]]
    first, end = min(dates), max(dates) + ONE
    while first <= end:
        yield first
        first += ONE


def share_a_day(one, other):
    return any(covers(one, d) and covers(other, d) for d in window([one, other]))


def single(row, case, found):
    rate = Decimal(row["rate"])
    if rate < 0:
        found.append(("RATE_NEGATIVE", "error", [row]))
    if (rate * 10000) % 1:
        found.append(("RATE_TOO_FINE", "error", [row]))
    if not lawful(row):
        found.append(("RATE_DATES", "error", [row]))
    key = parts(row["applies to"])
    if "task" in key and "project" not in key:
        found.append(("RATE_TASK_WITHOUT_PROJECT", "error", [row]))
    if case["today"] and row["recorded"] and day(row["recorded"]) > day(case["today"]):
        found.append(("RATE_RECORDED_LATER", "warning", [row]))


def contract_days(row, contract):
    """The days on which the row can serve the contract."""
    dated = {"from": contract["from"] or "2000-01-01", "to": contract["to"]}
    return [d for d in window([row, dated]) if covers(row, d) and covers(dated, d)]


def servable(key, contracts):
    out = []
    for c in contracts:
        ok = key.get("contract") in (None, c["contract"]) and key.get("customer") in (None, c["customer"])
        ok = ok and ("project" not in key or key["project"] in c["projects"].split(", "))
        if ok:
            out.append(c)
    return out


def against_contracts(row, case, contracts, masters, found):
    key = parts(row["applies to"])
    by_id = {c["contract"]: c for c in contracts}
    unknown = [n for n, v in key.items() if n in masters and v not in masters[n]]
    if "contract" in key and key["contract"] not in by_id:
        unknown.append("contract")
    for _ in unknown:
        found.append(("RATE_UNKNOWN_CODE", "error", [row]))
    if key.get("contract") in by_id:
        c = by_id[key["contract"]]
        if key.get("customer") not in (None, c["customer"]) or (
            "project" in key and key["project"] not in c["projects"].split(", ")
        ):
            found.append(("RATE_KEY_CONTRADICTS", "error", [row]))
            return
        if lawful(row) and not contract_days(row, c):
            found.append(("RATE_OUTSIDE_CONTRACT", "warning", [row]))
    if case["rates"] == "bill" and any(n in key for n in ("contract", "project", "customer")):
        others = [c["currency"] != row["currency"] for c in servable(key, contracts)]
        if others and all(others):
            found.append(("RATE_CURRENCY", "error", [row]))
        elif any(others):
            found.append(("RATE_CURRENCY", "warning", [row]))


def is_shadowed(row, rows, contracts):
    """The rows that always win instead, or nothing."""
    key = parts(row["applies to"])
    if "project" in key or "task" in key or not lawful(row):
        return []
    places = []
    for c in servable(key, contracts):
        days = contract_days(row, c)
        if not days:
            continue
        if "contract" in key:
            places += [({"project": p}, ("customer", "contract"), c, days) for p in c["projects"].split(", ") if p]
        else:
            places.append(({"contract": c["contract"]}, ("customer",), c, days))
    if not places:
        return []
    winners = []
    for pinned, free, c, days in places:
        own = {"customer": c["customer"], "contract": c["contract"]}
        own = {n: v for n, v in own.items() if n in free}
        allowed = {**key, **own, **pinned}
        better = []
        for other in rows:
            k = parts(other["applies to"])
            fits = all(allowed.get(n) == v for n, v in k.items()) and all(k.get(n) == v for n, v in pinned.items())
            if other is not row and lawful(other) and fits and other["recorded"] <= row["recorded"]:
                better.append(other)
        if not all(any(covers(b, d) for b in better) for d in days):
            return []
        winners += [b for b in better if any(covers(b, d) for d in days)]
    return [row] + [r for r in rows if r in winners]


def jumps(old, new):
    if old["currency"] != new["currency"]:
        return False
    a, b = Decimal(old["rate"]), Decimal(new["rate"])
    return a != b and abs(b - a) / abs(a) > Decimal("0.5") if a else b != 0


def of_one_key(rows, found):
    rows = [r for r in rows if lawful(r)]
    overlapping = False
    for one, other in combinations(rows, 2):
        if one["recorded"] == other["recorded"] and share_a_day(one, other):
            found.append(("RATE_OVERLAP", "error", [one, other]))
            overlapping = True
    if not rows:
        return
    timeline = []
    for d in window(rows):
        here = [r for r in rows if covers(r, d)]
        timeline.append(last_recorded(here)[0] if here else None)
    before, hole, pairs = None, False, []
    for now in timeline:
        if now is None:
            hole = before is not None
            continue
        if before is not None and before is not now:
            if hole:
                found.append(("RATE_GAP", "warning", [before, now]))
            if jumps(before, now) and [now, before] not in pairs and [before, now] not in pairs:
                pairs.append([before, now])
        before, hole = now, False
    if overlapping:
        return
    for row in rows:
        if row not in timeline:
            over = [r for r in rows if r["recorded"] > row["recorded"] and share_a_day(r, row)]
            found.append(("RATE_REPLACED", "note", [row] + over))
        for d in window(rows):
            older = [r for r in rows if r["recorded"] < row["recorded"] and covers(r, d)]
            if covers(row, d) and older:
                old = last_recorded(older)[0]
                if jumps(old, row) and [row, old] not in pairs and [old, row] not in pairs:
                    pairs.append([old, row])
    found.extend(("RATE_JUMP", "warning", pair) for pair in pairs)


def ties(rows, found):
    for one, other in combinations([r for r in rows if lawful(r)], 2):
        a, b = parts(one["applies to"]), parts(other["applies to"])
        if a == b or rank(a) != rank(b) or beats(a, b) or beats(b, a) or not share_a_day(one, other):
            continue
        if any(n in b and b[n] != v for n, v in a.items()):
            continue
        both = {**a, **b}
        at = max(one["recorded"], other["recorded"])
        if any(parts(r["applies to"]) == both and r["recorded"] <= at and lawful(r) for r in rows):
            continue
        pair = ("RATE_TIE", "error", [one, other])
        seen = {(x["applies to"], y["applies to"]) for c, _, rs in found if c == "RATE_TIE" for x, y in [rs]}
        if (one["applies to"], other["applies to"]) not in seen and (other["applies to"], one["applies to"]) not in seen:
            found.append(pair)


def findings(case, tables):
    rows = [r for r in tables["Rows"] if r["case"] == case["case"]]
    contracts, masters = [], {}
    if case["masters"] == "given":
        contracts = tables["Contracts"]
        for m in tables["Masters"]:
            masters.setdefault(m["kind"], set()).add(m["code"])
    found = []
    for row in rows:
        single(row, case, found)
        if contracts:
            against_contracts(row, case, contracts, masters, found)
    for text in {r["applies to"] for r in rows}:
        of_one_key([r for r in rows if r["applies to"] == text], found)
    ties(rows, found)
    if contracts and case["rates"] == "bill":
        for row in rows:
            shadow = is_shadowed(row, rows, contracts)
            if shadow:
                found.append(("RATE_SHADOWED", "warning", shadow))
    order = {id(r): n for n, r in enumerate(rows)}
    # The row at fault leads a shadow or a replacement; elsewhere rows stand as in the file.
    lines = []
    for code, severity, about in found:
        at = [order[id(r)] for r in about]
        if code in ("RATE_OVERLAP", "RATE_TIE"):
            at.sort()
        lines.append((at, code, severity))
    lines.sort()
    words = [f"{severity} {code} {', '.join(rows[n]['row'] for n in at)}" for at, code, severity in lines]
    errors = sum(severity == "error" for _, _, severity in lines)
    return {
        "= findings": "; ".join(words) or "none",
        "working": f"{len(rows)} rows, {errors} errors of {len(lines)} findings",
    }


SUBJECTS = {("rate_lint.md", "Cases"): findings}
