"""Works out overtime.md. Weeks by the formulas of the rules over days; who bears the overtime second by
second in the order of the clock. Nothing here walks as the Rust code does."""

import datetime
from decimal import Decimal
from fractions import Fraction

from derive import COIN, day, increment, plain, to_digits
from derive_quantities import WEEK, about, id_order, number

HOUR = 3600


def hours_text(seconds):
    return number(Fraction(seconds, HOUR))


def daily(hours, limit):
    return sum(max(Fraction(0), h - limit) for h in hours)


def daily_and_weekly(hours, by_day, by_week):
    return daily(hours, by_day), max(Fraction(0), sum(min(by_day, h) for h in hours) - by_week)


def california(hours):
    """Straight, one and a half, double."""
    seven = all(h > 0 for h in hours)
    counted = hours[:6] if seven else hours
    half, double = Fraction(0), Fraction(0)
    for h in counted:
        half += min(max(h - 8, Fraction(0)), Fraction(4))
        double += max(h - 12, Fraction(0))
    week = max(Fraction(0), sum(min(h, Fraction(8)) for h in counted) - 40)
    half += week
    if seven:
        half += min(hours[6], Fraction(8))
        double += max(hours[6] - 8, Fraction(0))
    return sum(hours) - half - double, half, double


def weeks(row, _):
    hours = [Fraction(row[f"h{n}"]) for n in range(1, 8)]
    by_day, by_week = daily_and_weekly(hours, 8, 40)
    straight, half, double = california(hours)
    total = sum(hours)
    return {
        "= FLSA": number(max(Fraction(0), total - 40)),
        "= over 8 a day": number(daily(hours, 8)),
        "= over 35 a week": number(max(Fraction(0), total - 35)),
        "= 8/40 daily": number(by_day),
        "= 8/40 weekly": number(by_week),
        "= CA straight": number(straight),
        "= CA 1.5x": number(half),
        "= CA 2x": number(double),
        "= CA pay hours": number(straight + half * Fraction(3, 2) + double * 2),
        "working": f"{number(total)} h, within 8 a day {number(sum(min(h, Fraction(8)) for h in hours))} h",
    }


def clock(entry):
    return entry["day"], (1, "") if not entry["start"] else (0, entry["start"]), id_order(entry["id"])


def label(rule, per_day):
    """The tier of each second of a week: day by day, each a list."""
    words = rule.split()
    limit = {words[n]: int(Fraction(words[n + 1]) * HOUR) for n in range(0, len(words) - 1, 2)}
    if rule == "flsa":
        limit = {"weekly": 40 * HOUR}
    if rule == "california":
        limit = {"daily": 8 * HOUR, "weekly": 40 * HOUR, "double": 12 * HOUR}
    seventh = rule == "california" and len(per_day) == 7
    straight, out = 0, []
    for number_of_day, seconds in enumerate(per_day):
        tiers = []
        for second in range(seconds):
            if seventh and number_of_day == 6:
                tier = "premium" if second < 8 * HOUR else "double"
            elif "double" in limit and second >= limit["double"]:
                tier = "double"
            elif "daily" in limit and second >= limit["daily"]:
                tier = "premium"
            elif "weekly" in limit and straight >= limit["weekly"]:
                tier = "premium"
            else:
                tier, straight = "straight", straight + 1
            tiers.append(tier)
        out.append(tiers)
    return out


def by_clients(total, hours, room):
    """Hundredths of an hour by largest remainder; ties to the first name; nobody beyond the room."""
    whole = sum(hours.values())
    exact = {c: Fraction(total * h, whole) for c, h in hours.items()}
    got = {c: min(int(exact[c] // 36) * 36, room[c]) for c in hours}
    left = total - sum(got.values())
    while left:
        for client in sorted(hours, key=lambda c: (-(exact[c] - exact[c] // 36 * 36), c)):
            more = min(36, left, room[client] - got[client])
            got[client] += more
            left -= more
    return got


def tiers(rule, bearing, entries):
    """Id to [straight, premium, double] in seconds."""
    ordered = sorted(entries, key=clock)
    days = sorted({e["day"] for e in ordered})
    seconds = {e["id"]: int(e["minutes"]) * 60 for e in ordered}
    per_day = [sum(seconds[e["id"]] for e in ordered if e["day"] == d) for d in days]
    out = {e["id"]: {"straight": 0, "premium": 0, "double": 0} for e in ordered}
    for date, labels in zip(days, label(rule, per_day)):
        owners = [e["id"] for e in ordered if e["day"] == date for _ in range(seconds[e["id"]])]
        for owner, tier in zip(owners, labels, strict=True):
            out[owner][tier] += 1
    if bearing == "pro_rata":
        clients = {}
        for e in ordered:
            clients[e["client"]] = clients.get(e["client"], 0) + seconds[e["id"]]
        total = {t: sum(o[t] for o in out.values()) for t in ("premium", "double")}
        double = by_clients(total["double"], clients, clients)
        premium = by_clients(total["premium"], clients, {c: clients[c] - double[c] for c in clients})
        for e in reversed(ordered):
            have, mine = seconds[e["id"]], {}
            for tier, left in (("double", double), ("premium", premium)):
                mine[tier] = min(have, left[e["client"]])
                left[e["client"]] -= mine[tier]
                have -= mine[tier]
            out[e["id"]] = {"straight": have, **mine}
    return out


def borne(row, tables):
    case = next(c for c in tables["Clients: cases"] if c["case"] == row["case"])
    mine = [e for e in tables["Clients: entries"] if e["case"] == row["case"]]
    all_tiers = tiers(case["rule"], case["bearing"], mine)
    own = all_tiers[row["id"]]
    ours = [all_tiers[e["id"]] for e in mine if e["client"] == row["client"]]
    beyond = lambda entries: about(Fraction(sum(e["premium"] + e["double"] for e in entries), HOUR))
    hours = about(Fraction(sum(sum(e.values()) for e in ours), HOUR))
    return {
        **{f"= {tier}": number(Fraction(own[tier], 60)) for tier in own},
        "working": f"{row['client']} has {hours} h and bears {beyond(ours)} of {beyond(all_tiers.values())} h",
    }


def late(row, tables):
    mine = [e for e in tables["Late entries"] if e["case"] == row["case"]]
    after = tiers(row["rule"], "last_hours", mine)[row["id"]]
    before = tiers(row["rule"], "last_hours", [e for e in mine if e["late"] == "no"])
    was = before.get(row["id"], {"premium": 0, "straight": 0})
    return {
        "= premium before": hours_text(was["premium"]),
        "= premium after": hours_text(after["premium"]),
        "= post straight": hours_text(after["straight"] - was["straight"]),
        "= post premium": hours_text(after["premium"] - was["premium"]),
        "working": f"{hours_text(sum(int(e['minutes']) * 60 for e in mine))} h with the late entry",
    }


def rounded_parts(row, _):
    total, paid, out = 0, 0, []
    for name in ("straight", "premium", "double"):
        total += int(row[name])
        now = increment(total * 60, int(row["step"]), int(row["minimum"]), row["direction"]) // 60
        out.append(now - paid)
        paid = now
    return {"= parts": ", ".join(map(str, out)), "= whole": str(paid), "working": f"{total} min in all give {paid}"}


def mean_of(cell):
    """A rate, or the mean of hours at rates."""
    if " at " not in cell:
        return Fraction(cell)
    work = [tuple(map(Fraction, part.split(" at "))) for part in cell.split(", ")]
    return sum(h * rate for h, rate in work) / sum(h for h, _ in work)


def billed(row, _):
    rate, cost = Decimal(row["rate"]), mean_of(row["pay rate"])
    digits, out = int(row["rate decimals"]), []
    for tier, factor in (("straight", "1"), ("premium", row["premium x"]), ("double", row["double x"])):
        minutes = int(row[tier])
        if not minutes:
            continue
        factor = Decimal(factor)
        allowed = tier == "straight" or row["authorised"] == "yes" or row["authorisation"] == "not_needed"
        if not allowed and row["authorisation"] == "else_nothing":
            out.append(f"{tier} {minutes} min not billed")
        elif tier == "straight" or not allowed or row["form"] == "straight":
            out.append(f"{tier} {minutes} min at {plain(rate)}")
        elif row["form"] == "full_multiplier":
            out.append(f"{tier} {minutes} min at {plain(to_digits(rate * factor, digits, 'half_up'))}")
        else:
            exact = cost * (Fraction(factor) - 1) * 10**digits
            below = exact.numerator // exact.denominator
            share = Decimal(below + (exact - below >= Fraction(1, 2))).scaleb(-digits)
            out.append(f"{tier} {minutes} min at {plain(rate)}")
            out.append(f"{tier} {minutes} min at cost {plain(share)}")
    return {"= lines": "; ".join(out), "working": f"{row['rate']} x {row['premium x']} = {plain(rate * Decimal(row['premium x']))}"}


def paid(row, _):
    work = [tuple(map(Fraction, part.split(" at "))) for part in row["hours at rates"].split(", ")]
    total = sum(h for h, _ in work)
    earned = sum(h * rate for h, rate in work)
    mean = earned / total
    extra = Fraction(row["premium hours"]) * (Fraction(row["premium x"]) - 1)
    extra += Fraction(row["double hours"]) * (Fraction(row["double x"]) - 1)
    coin = COIN[row["currency"]]

    def money(value):
        scaled = value * 10**coin
        below = scaled.numerator // scaled.denominator
        return Decimal(below + (1 if scaled - below >= Fraction(1, 2) else 0)).scaleb(-coin)

    straight, premium = money(earned), money(extra * mean)
    shown = to_digits(Decimal(mean.numerator) / Decimal(mean.denominator), 6, "half_up")
    return {
        "= regular rate": plain(shown),
        "= straight pay": format(straight, "f"),
        "= premium pay": format(premium, "f"),
        "= week pay": format(straight + premium, "f"),
        "working": f"{number(earned)} / {number(total)}; {number(extra)} h x mean",
    }


def exempt(row, _):
    first, end = day(row["exempt from"]), day(row["exempt until"]) if row["exempt until"] else None
    days = [day(text) for text in row["days worked"].split()]
    inside = [first <= d and (end is None or d < end) for d in days]
    answer = "yes" if days and all(inside) else "no"
    return {"= exempt": answer, "working": f"{sum(inside)} of {len(days)} days"}


def first_day(row, _):
    date = day(row["day"])
    while WEEK[date.weekday()] != row["week start"]:
        date -= datetime.timedelta(days=1)
    return {"= first day": str(date), "working": f"{row['day']} is a {WEEK[day(row['day']).weekday()]}"}


def rules_refused(row, _):
    by_day, by_week = int(row["daily minutes"]), int(row["weekly minutes"])
    half, double = Decimal(row["premium x"]), Decimal(row["double x"])
    zone = row["zone"]
    tests = [
        (by_day < 1 or by_day > 1440, "daily", f"{by_day} min of 1440"),
        (by_week < 1 or by_week > 10080, "weekly", f"{by_week} min of 10080"),
        (half < 1, "premium", f"{half} is less than straight time"),
        (double < half, "double", f"{double} is less than {half}"),
        (int(row["rate decimals"]) > 6, "too fine", "6 decimals are kept"),
        (int(row["rate decimals"]) > int(row["erp decimals"]), "finer than the ERP", f"{row['rate decimals']} against {row['erp decimals']} decimals"),
        (not zone or " " in zone, "zone", "days belong to a zone"),
    ]
    for wrong, name, why in tests:
        if wrong:
            return {"= refusal": name, "working": why}
    return {"= refusal": "none", "working": "lawful terms"}


SUBJECTS = {
    ("overtime.md", "Weeks"): weeks,
    ("overtime.md", "Clients: entries"): borne,
    ("overtime.md", "Late entries"): late,
    ("overtime.md", "Rounded parts"): rounded_parts,
    ("overtime.md", "Billed"): billed,
    ("overtime.md", "Paid"): paid,
    ("overtime.md", "Exempt"): exempt,
    ("overtime.md", "Work weeks"): first_day,
    ("overtime.md", "Terms without meaning"): rules_refused,
}
