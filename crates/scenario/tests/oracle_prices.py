"""One entry before any account: who pays, which tier of the week, which billable time, which rate,
which printed quantity. Worked out from all entries at once, without the product."""

import calendar
from datetime import date, datetime, timedelta
from fractions import Fraction as F
from zoneinfo import ZoneInfo

from oracle_accounts import Printing, rounded
from oracle_conditions import says

TIERS = ["straight", "premium", "double"]
COINS = {"JPY": 0, "KWD": 3}


class Problem(Exception):
    """Why an entry has no price: the code of the exception."""


def coins(currency):
    return COINS.get(currency, 2)


def order(entry):
    """Day, then start (else approval), then id; numbers before words."""
    name = entry["id"]
    if name.isdigit():
        value = name.lstrip("0")
        source = (0, len(value), value, name)
    else:
        source = (1, 0, name, "")
    return (entry["date"], entry["moment"], source)


def step_round(seconds, rule):
    """Seconds by an increment in minutes."""
    if seconds == 0 or not rule:
        return seconds
    step = rule["step_minutes"] * 60
    number = rounded(F(seconds, step), 0, rule.get("rounding", "half_up"))
    return max(int(number) * step, rule.get("minimum_minutes", 0) * 60)


class Firm:
    """What the file says about the firm, as it is known at a moment."""

    def __init__(self, scenario):
        self.scenario = scenario
        self.contracts = {c["id"]: c for c in scenario.get("contract", [])}
        self.rates = [dict(r) for r in scenario.get("rate", [])]
        self.costs = scenario.get("cost_rate", [])
        self.workers = {w["code"]: w for w in scenario.get("worker", [])}
        self.projects = {p["code"]: p for p in scenario.get("project", [])}
        self.held = {c["code"] for c in scenario.get("customer", []) if c.get("on_hold")}
        self.periods = [dict(p) for p in scenario.get("period", [])]
        self.zone = ZoneInfo(scenario.get("entity", {}).get("zone", "UTC"))

    def outermost(self, contract):
        while "parent" in contract:
            contract = self.contracts[contract["parent"]]
        return contract

    def members(self, contract):
        """Everything that is part of the outermost contract: how it prints, its parent, its limits."""
        outermost = self.outermost(contract)
        return {
            c["id"]: (self.printing(c), c.get("parent"), c.get("limit", []))
            for c in self.contracts.values() if self.outermost(c) is outermost
        }

    def moment(self, day, clock="00:00"):
        hour, minute = clock.split(":")[:2]
        at = datetime.combine(date.fromisoformat(day), datetime.min.time(), self.zone)
        return int(at.replace(hour=int(hour), minute=int(minute)).timestamp())

    def printing(self, contract):
        return Printing(contract, coins(contract["currency"]))

    def posting(self, contract, day):
        if not self.periods:
            return day
        for period in self.periods:
            if period["first"] <= day <= period["last"] and period.get("open", True):
                return day
        later = [p["first"] for p in self.periods if p.get("open", True) and p["first"] > day]
        if contract.get("late_work") == "hold" or not later:
            raise Problem("PERIOD_CLOSED")
        return min(later)

    def resolve(self, entry):
        """The contract of an entry, or why it has none."""
        known = {p for c in self.contracts.values() for p in c["projects"]} | set(self.projects)
        if entry["project"] not in known:
            raise Problem("PROJECT_UNMAPPED")
        project = self.projects.get(entry["project"], {})
        if project.get("closed"):
            raise Problem("PROJECT_CLOSED")
        day = entry["date"]
        mine = [
            c
            for c in self.contracts.values()
            if entry["project"] in c["projects"]
            and (not c.get("from") or c["from"] <= day)
            and (not c.get("to") or day < c["to"])
        ]
        if any("when" in c.get("conditions", {}) for c in mine):
            worker = self.workers.get(entry["worker"])
            if not worker:
                raise Problem("WORKER_UNMAPPED")
            mine = [c for c in mine if says(c, "when", entry, worker) is not False]
        if len(mine) != 1:
            raise Problem("CONTRACT_AMBIGUOUS" if mine else "CONTRACT_MISSING")
        contract = mine[0]
        if contract.get("customer") in self.held:
            raise Problem("CUSTOMER_ON_HOLD")
        worker = self.workers.get(entry["worker"])
        if not worker:
            raise Problem("WORKER_UNMAPPED")
        if worker.get("from", "") > day or worker.get("until", "9999") < day:
            raise Problem("WORKER_TERMINATED")
        if project.get("tasks") and entry["task"] not in project["tasks"]:
            raise Problem("TASK_UNMAPPED")
        self.posting(contract, day)
        return contract

    def rate(self, rows, entry, contract, missing, tied):
        """The row of the most specific key; the last recorded of a key's rows that cover the day."""
        facts = {
            "task": entry["task"],
            "project": entry["project"],
            "contract": contract["id"],
            "customer": contract.get("customer", ""),
            "practice": self.workers[entry["worker"]].get("practice", ""),
            "worker": entry["worker"],
            "role": self.workers[entry["worker"]].get("role", ""),
            "service_item": entry["service_item"],
        }
        keys = {}
        for row in rows:
            key = {name: row[name] for name in facts if name in row}
            if all(facts[name] == value for name, value in key.items()):
                keys.setdefault(tuple(sorted(key.items())), []).append(row)
        if not keys:
            raise Problem(missing)
        scopes = ["practice", "customer", "contract", "project", "task"]

        def rank(key):
            names = [name for name, _ in key]
            scope = max((scopes.index(n) + 1 for n in names if n in scopes), default=0)
            person = 2 if "worker" in names else 1 if "role" in names else 0
            return (scope, person, int("service_item" in names))

        best = max(rank(key) for key in keys)
        level = [key for key in keys if rank(key) == best]
        level = [k for k in level if not any(set(k) < set(other) for other in level)]
        found = []
        for key in level:
            covering = [
                r
                for r in keys[key]
                if r["from"] <= entry["date"] and (not r.get("to") or entry["date"] < r["to"])
            ]
            last = max((r.get("recorded", "") for r in covering), default="")
            found += [r for r in covering if r.get("recorded", "") == last]
        if not found:
            raise Problem(missing)
        if len(found) > 1:
            raise Problem(tied)
        return found[0]


def tier_week(terms, entries, first, exempt):
    """The seconds of each tier of a week's entries, in the order of the clock."""
    rule = terms["rule"]
    form = rule["form"]
    daily = rule.get("daily_minutes", 480 if form == "california" else None)
    weekly = rule.get("weekly_minutes", 2400 if form in ("california", "flsa_weekly") else None)
    daily = daily * 60 if daily else None
    weekly = weekly * 60 if weekly else None
    last_day = (date.fromisoformat(first) + timedelta(days=6)).isoformat()
    seventh = form == "california" and len({e["date"] for e in entries}) == 7
    so_far, straight_so_far, tiers = {}, 0, {}
    for entry in entries:
        seconds, begin = entry["seconds"], so_far.get(entry["date"], 0)
        so_far[entry["date"]] = begin + seconds
        if exempt:
            tiers[entry["id"]] = [seconds, 0, 0]
            continue

        def under(limit, start=begin, length=seconds):
            return max(0, min(start + length, limit) - min(start, limit))

        if seventh and entry["date"] == last_day:
            premium = under(8 * 3600)
            tiers[entry["id"]] = [0, premium, seconds - premium]
            continue
        in_day = under(daily) if daily else seconds
        double = seconds - under(12 * 3600) if form == "california" else 0
        straight = in_day
        if weekly:
            straight = max(0, min(in_day, weekly - straight_so_far))
        straight_so_far += straight
        tiers[entry["id"]] = [straight, seconds - straight - double, double]
    return tiers


def pro_rata(entries, tiers, client):
    """Premium time shared among clients by their hours, in hundredths of an hour."""
    total = sum(t[1] for t in tiers.values())
    hours = {}
    for entry in entries:
        hours[client[entry["id"]]] = hours.get(client[entry["id"]], 0) + entry["seconds"]
    exact = {c: F(total * h, 36 * sum(hours.values())) for c, h in hours.items()}
    units = {c: int(x) for c, x in exact.items()}
    spare = total // 36 - sum(units.values())
    for c in sorted(exact, key=lambda c: (units[c] - exact[c], c))[:spare]:
        units[c] += 1
    left = {c: u * 36 for c, u in units.items()}
    shared = {}
    for entry in reversed(entries):
        own = client[entry["id"]]
        premium = min(entry["seconds"], left[own])
        left[own] -= premium
        shared[entry["id"]] = [entry["seconds"] - premium, premium, 0]
    return shared


def week_of(contract, day):
    names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    begins = names.index(contract["overtime"]["terms"].get("week_start", "monday"))
    on = date.fromisoformat(day)
    return (on - timedelta(days=(on.weekday() - begins) % 7)).isoformat()


def month_quantity(contract, entries, decimals):
    """Worked days of the basis by all of them, per person and month, by the running sum."""
    table = contract.get("months", {})
    names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    week = table.get("working_week", names[:5])

    def counts(day):
        if table.get("basis", "working_days") == "calendar_days":
            return True
        return names[day.weekday()] in week and day.isoformat() not in table.get("holidays", [])

    seen, given, out = {}, {}, {}
    for entry in entries:
        day = date.fromisoformat(entry["date"])
        whole = calendar.monthrange(day.year, day.month)[1]
        of = sum(counts(day.replace(day=n)) for n in range(1, whole + 1))
        key = (entry["worker"], day.year, day.month)
        if counts(day):
            seen.setdefault(key, set()).add(day)
        now = rounded(F(len(seen.get(key, ())), of), decimals) if of else F(0)
        out[entry["id"]] = now - given.get(key, F(0))
        given[key] = now
    return out


def day_quantity(contract, entries):
    table = contract.get("days", {})
    length, step = F(table.get("hours", "8")) * 3600, F(table.get("step", "0.25"))
    cap, seen, given, out = F(table.get("cap", "1")), {}, {}, {}
    for entry in entries:
        key = (entry["worker"], entry["date"])
        seen[key] = seen.get(key, 0) + entry["billable"]
        steps = rounded(F(seen[key]) / length / step, 0, contract.get("quantity_rounding", "half_up"))
        now = min(steps * step, cap)
        out[entry["id"]] = now - given.get(key, F(0))
        given[key] = now
    return out
