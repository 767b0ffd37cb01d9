"""What the scenarios of docs/scenarios come to, worked out without the product.

    python3 oracle.py            compares docs/scenarios/expected with what is worked out here
    python3 oracle.py --write    writes it anew; read the working before you commit it

Money and time are exact fractions. It prices every entry anew after every event and looks at what
changed, which is slow, simple, and not how the product does it."""

import json
import sys
import tomllib
from datetime import date, timedelta
from fractions import Fraction as F
from pathlib import Path

from oracle_accounts import HourBank, Limits, Milestones, Retainer, Slice
from oracle_conditions import says
from oracle_documents import Documents
from oracle_prices import (
    TIERS, Firm, Problem, coins, day_quantity, month_quantity, order, pro_rata, rounded,
    step_round, tier_week, week_of,
)

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "scenarios"
OUTCOMES = ["billed", "drawn", "allowance", "overage", "held", "written off"]
WORDS = {
    "billed": "billed", "drawn": "drawn from the retainer", "allowance": "inside the allowance",
    "overage": "billed as overage", "held": "held", "written off": "written off",
}
DISPOSITIONS = {
    "billed": "bill", "overage": "bill", "drawn": "drawn", "allowance": "allowance",
    "held": "held", "written off": "written_off",
}


def plain(value, digits=None):
    """A fraction as a decimal."""
    if digits is None:
        digits = 6
        text = plain(value, 6)
        return text.rstrip("0").rstrip(".") if "." in text else text
    whole = F(value) * 10**digits
    assert whole.denominator == 1, value
    sign, text = ("-" if whole < 0 else ""), str(abs(int(whole))).rjust(digits + 1, "0")
    return f"{sign}{text[:-digits]}.{text[-digits:]}" if digits else sign + text


def money(value, currency):
    return f"{currency} {plain(value, coins(currency))}"


class Accounts:
    """Hour bank, then limits, then retainer. The limits of a contract that is part of another one
    are in the account of the outermost one."""

    def __init__(self, firm, contract, outer=None):
        printing = firm.printing(contract)
        self.bank = self.limits = self.retainer = self.milestones = None
        if "hour_bank" in contract:
            self.bank = HourBank(printing, contract["hour_bank"])
        members = firm.members(contract)
        if outer:
            self.limits = outer.limits
        elif any(limits for _, _, limits in members.values()):
            self.limits = Limits(members)
        if "retainer" in contract:
            self.retainer = Retainer(printing, contract["retainer"])
        if "milestones" in contract:
            self.milestones = Milestones(printing, contract["milestones"])

    def counts(self):
        return self.bank or self.limits or self.retainer

    def pass_on(self, name, ask):
        """What the bank leaves over goes to the limits, what they bill to the retainer."""
        if self.bank:
            over = [s for s in self.bank.slices(name) if s.outcome == "overage"]
            ask = {**ask, "quantity": over[0].quantity, "rate": over[0].rate} if over else None
        if self.limits:
            self.limits.ask(name, ask) if ask else self.limits.withdraw(name)
            self.draw(name)
        elif self.retainer:
            self.retainer.ask(name, ask) if ask else self.retainer.withdraw(name)

    def draw(self, name):
        if not self.retainer:
            return
        record = self.limits.items.get(name)
        billed = [s for s in record["slices"] if s.outcome == "billed"] if record else []
        if billed:
            quantity = sum((s.quantity for s in billed), F(0))
            self.retainer.ask(name, {"quantity": quantity, "rate": billed[0].rate})
        else:
            self.retainer.withdraw(name)

    def ask(self, name, ask):
        if self.bank:
            self.bank.ask(name, ask)
        self.pass_on(name, ask)

    def withdraw(self, name):
        for account in (self.bank, self.limits, self.retainer):
            if account:
                account.withdraw(name)

    def slices(self, name):
        parts = self.bank.slices(name) if self.bank else []
        replaced = "overage"
        for account in (self.limits, self.retainer):
            record = account.items.get(name) if account else None
            if record and record["slices"]:
                parts = [p for p in parts if p.outcome != replaced] + record["slices"]
            if any(p.outcome == "billed" for p in parts):
                replaced = "billed"
        joined = {}
        for part in parts:
            key = (OUTCOMES.index(part.outcome), part.rate)
            if key in joined:
                one = joined[key]
                joined[key] = Slice(
                    part.outcome, one.quantity + part.quantity, part.rate,
                    one.amount + part.amount, one.allowance + part.allowance,
                )
            else:
                joined[key] = part
        return [joined[key] for key in sorted(joined) if joined[key].quantity]


class Play:
    def __init__(self, scenario):
        self.firm = Firm(scenario)
        self.entries, self.gross, self.problems, self.booked = {}, {}, {}, {}
        self.accounts, self.history, self.looked_at = {}, [], set()
        self.documents, self.fees_until, self.fixed_amounts = Documents(), {}, []
        self.day, self.number = None, 0
        for self.number, event in enumerate(scenario.get("event", []), 1):
            self.day = event.get("on", self.day)
            kind = next(k for k in event if k != "on")
            getattr(self, "on_" + kind)(event[kind])

    def account(self, contract):
        name = contract["id"]
        if name not in self.accounts:
            outermost = self.firm.outermost(contract)
            outer = self.account(outermost) if outermost is not contract else None
            self.accounts[name] = Accounts(self.firm, contract, outer)
        return self.accounts[name]

    # Entries

    def on_entry(self, said):
        self.put({
            "task": "WORK", "service_item": "WORK", "billable": True, "approved": True, **said,
            "approved_on": self.day,
        })

    def on_edit(self, said):
        entry = dict(self.entries[said["id"]])
        for key in ("hours", "minutes"):
            if key in said:
                entry.pop("hours", None), entry.pop("minutes", None)
        if said.get("approved") and not entry["approved"]:
            entry["approved_on"] = self.day
        self.looked_at.discard(said["id"])
        self.put({**entry, **said})

    def on_confirm(self, said):
        assert self.problems[said["id"]] == "CONDITION_HOLDS", said
        self.looked_at.add(said["id"])
        self.price({said["id"]})

    def put(self, entry):
        entry["seconds"] = int(F(entry["hours"]) * 3600) if "hours" in entry else entry["minutes"] * 60
        clock = entry.get("start")
        entry["moment"] = (
            self.firm.moment(entry["date"], clock) if clock else self.firm.moment(entry["approved_on"])
        )
        self.entries[entry["id"]] = entry
        if not entry["approved"] and self.stands_issued(entry["id"]):
            self.problems[entry["id"]] = "APPROVAL_WITHDRAWN"
            return
        self.price({entry["id"]})

    def on_delete(self, said):
        self.problems.pop(said["id"], None)
        del self.entries[said["id"]]
        self.price({said["id"]})

    def on_rate(self, row):
        self.firm.rates.append(row)
        self.price(set(self.entries))

    def on_period(self, said):
        next(p for p in self.firm.periods if p["name"] == said["name"])["open"] = said["open"]
        self.price(set(self.problems))

    def on_contract(self, contract):
        old = self.firm.contracts[contract["id"]]
        self.firm.contracts[contract["id"]] = contract
        account = self.accounts.get(contract["id"])
        outermost = self.firm.outermost(contract)
        if account and outermost is contract:
            fresh = Accounts(self.firm, contract)
            for name in ("bank", "limits", "retainer", "milestones"):
                if not (getattr(account, name) and getattr(fresh, name)):
                    setattr(account, name, getattr(fresh, name))
        if outermost["id"] in self.accounts and self.account(outermost).limits:
            self.account(outermost).limits.change(self.firm.members(outermost))
        if account:
            if account.milestones:
                account.milestones.terms = contract["milestones"]
                self.milestones(contract, account.milestones.settle())
        assert old["currency"] == contract["currency"]
        self.price(set(self.entries))

    # Pricing

    def stands_issued(self, name):
        return any(self.documents.is_issued(f"{name} {part}") for part in self.booked.get(name, {}))

    def price(self, changed):
        """Price everything; book what differs."""
        live = sorted((e for e in self.entries.values() if e["approved"]), key=order)
        contracts, waiting = {}, {}
        for entry in live:
            try:
                contracts[entry["id"]] = self.firm.resolve(entry)
            except Problem as problem:
                waiting[entry["id"]] = str(problem)
        passing = [e for e in live if e["id"] in contracts]
        tiers = self.tiers(passing, contracts)
        billable = self.billable(passing, contracts, tiers)
        fresh = {}
        for entry in passing:
            try:
                one = self.gross_of(entry, contracts[entry["id"]], tiers, billable)
                fresh[entry["id"]] = one
            except Problem as problem:
                waiting[entry["id"]] = str(problem)
        # What is not looked at again keeps its posting day, and so does what is priced as before.
        for name, one in fresh.items():
            before = self.gross.get(name)
            if before and before["signature"] == one["signature"]:
                one["posting"], one["home"] = before["posting"], before["home"]
        gone = {n: g for n, g in self.gross.items() if n not in self.entries}
        gone |= {n: g for n, g in self.gross.items()
                 if n in self.entries and not self.entries[n]["approved"]
                 and not self.stands_issued(n)}
        self.look(fresh, waiting)
        self.settle(fresh, gone)
        for name in changed | set(fresh) | set(waiting):
            if name in waiting:
                self.problems[name] = waiting[name]
            elif name in fresh or name in gone:
                self.problems.pop(name, None)

    def look(self, fresh, waiting):
        """Print quantities, and leave out what a person has to look at before it is billed."""
        while True:
            self.print_quantities(fresh)
            held = [name for name, one in fresh.items() if self.holds(name, one)]
            for name in held:
                waiting[name] = "CONDITION_HOLDS"
                del fresh[name]
            if not held:
                break
        self.looked_at |= set(fresh)

    def holds(self, name, one):
        entry, contract = self.entries[name], one["contract"]
        if not one["pays"] or name in self.looked_at:
            return False
        price = self.firm.printing(contract)
        amount = sum((price.amount(p[5], p[4]) for p in one["parts"] if p[3]), F(0))
        return says(contract, "hold_when", entry, self.firm.workers[entry["worker"]], amount)

    def pays(self, entry, contract):
        if contract["kind"] != "time_and_materials" or not entry["billable"]:
            return False
        worker = self.firm.workers[entry["worker"]]
        return says(contract, "billable_when", entry, worker) is not False

    def tiers(self, passing, contracts):
        tiers = {e["id"]: [e["seconds"], 0, 0] for e in passing}
        for contract in self.firm.contracts.values():
            if "overtime" not in contract:
                continue
            weeks = {
                (e["worker"], week_of(contract, e["date"])) for e in passing
                if contracts[e["id"]] is contract and self.pays(e, contract)
            }
            for worker, first in weeks:
                week = [e for e in passing
                        if e["worker"] == worker and week_of(contract, e["date"]) == first]
                exempt = all(
                    any(x["worker"] == worker and x["from"] <= e["date"]
                        and (not x.get("to") or e["date"] < x["to"])
                        for x in self.firm.scenario.get("overtime_exemption", []))
                    for e in week
                )
                cut = tier_week(contract["overtime"]["terms"], week, first, exempt)
                if contract["overtime"].get("bearing") == "pro_rata":
                    client = {e["id"]: contracts[e["id"]].get("customer", "") for e in week}
                    cut = pro_rata(week, cut, client)
                for entry in week:
                    if contracts[entry["id"]] is contract and self.pays(entry, contract):
                        tiers[entry["id"]] = cut[entry["id"]]
        return tiers

    def billable(self, passing, contracts, tiers):
        """The increment over its scope, by the running sum, tier after tier."""
        sums, out = {}, {}
        for entry in passing:
            contract, name = contracts[entry["id"]], entry["id"]
            rule = contract.get("increment") if self.pays(entry, contract) else None
            scope = {
                "entry": (name,),
                "worker_day_task": (entry["worker"], entry["date"], entry["project"], entry["task"]),
                "worker_day_customer": (entry["worker"], entry["date"]),
                "line": self.home(entry, contract, self.firm.posting(contract, entry["date"])),
            }[contract.get("increment_scope", "entry")]
            key, parts = (contract["id"], *scope), []
            for seconds in tiers[name]:
                recorded, given = sums.get(key, (0, 0))
                now = step_round(recorded + seconds, rule)
                parts.append(now - given)
                sums[key] = (recorded + seconds, now)
            out[name] = parts
        return out

    def home(self, entry, contract, posting):
        by = contract.get("grouping", "contract")
        group = {
            "contract": contract["id"], "customer": contract.get("customer", ""),
            "project": entry["project"],
        }[by]
        text = says(contract, "group_by", entry, self.firm.workers[entry["worker"]])
        if text is not None:
            by, group = "text", text
        return (contract.get("customer", ""), contract["currency"], by, group, posting[:7])

    def gross_of(self, entry, contract, tiers, billable):
        firm, name, pays = self.firm, entry["id"], self.pays(entry, contract)
        cost_rate, cost_currency = F(0), contract["currency"]
        if firm.costs:
            row = firm.rate(firm.costs, entry, contract, "COST_RATE_MISSING", "COST_RATE_MISSING")
            cost_rate, cost_currency = F(row["rate"]), row["currency"]
        parts, overtime = [], contract.get("overtime")
        if pays:
            row = firm.rate(firm.rates, entry, contract, "RATE_MISSING", "RATE_AMBIGUOUS")
            if row["currency"] != contract["currency"]:
                raise Problem("CURRENCY_MISMATCH")
        for tier, seconds, bill in zip(TIERS, tiers[name], billable[name]):
            if seconds or (tier == "straight" and not (pays and overtime)):
                rate, billed = F(0), False
                if pays:
                    rate, billed = self.tier_rate(entry, overtime, tier, F(row["rate"]), cost_rate)
                    if not bill:
                        rate, billed = (F(row["rate"]), True) if overtime else (rate, billed)
                parts.append([tier, seconds, bill, billed, rate, F(0)])
        posting = firm.posting(contract, entry["date"])
        home = self.home(entry, contract, posting)
        return {
            "contract": contract, "pays": pays, "parts": parts, "date": entry["date"],
            "posting": posting, "home": home, "cost_rate": cost_rate,
            "cost_currency": cost_currency, "unit": contract.get("unit", "hour") if pays else "hour",
            "signature": json.dumps([
                contract["id"], pays, home[:4], entry["date"], entry["task"],
                [[str(v) for v in p[:5]] for p in parts], str(cost_rate), cost_currency,
            ]),
        }

    def tier_rate(self, entry, overtime, tier, rate, cost_rate):
        if tier == "straight" or not overtime:
            return rate, True
        authorised = overtime.get("authorisation", "not_needed")
        if not entry.get("preauthorised") and authorised == "else_straight":
            return rate, True
        if not entry.get("preauthorised") and authorised == "else_nothing":
            return F(0), False
        terms = overtime["terms"]
        multiple = F(terms.get("premium_multiple", "1.5") if tier == "premium"
                     else terms.get("double_multiple", "2"))
        digits, form = overtime.get("rate_decimals", 4), overtime.get("form", "straight")
        if form == "full_multiplier":
            return rounded(rate * multiple, digits), True
        if form == "premium_at_cost":
            return rate + rounded(cost_rate * (multiple - 1), digits), True
        return rate, True

    def print_quantities(self, fresh):
        by_contract = {}
        for name, one in fresh.items():
            by_contract.setdefault(one["contract"]["id"], []).append(name)
        for names in by_contract.values():
            contract = fresh[names[0]]["contract"]
            printing = self.firm.printing(contract)
            paid = [n for n in names if fresh[n]["pays"]]
            for name in names:
                if name not in paid:
                    for part in fresh[name]["parts"]:
                        part[5] = printing.hours(part[1])
            unit = contract.get("unit", "hour")
            if unit in ("hour", "minute"):
                per = 3600 if unit == "hour" else 60
                if contract.get("residual") == "carry":
                    self.carry(contract, paid, fresh, printing, per)
                    continue
                for name in paid:
                    for part in fresh[name]["parts"]:
                        part[5] = rounded(F(part[2], per), printing.decimals, printing.quantity_mode)
                continue
            entries = sorted((
                {**self.entries[n], "billable": sum(p[2] for p in fresh[n]["parts"])} for n in paid
            ), key=order)
            given = (month_quantity(contract, entries, printing.decimals) if unit == "month"
                     else day_quantity(contract, entries))
            for name in paid:
                fresh[name]["parts"][0][5] = given[name]

    def carry(self, contract, paid, fresh, printing, per):
        """Per document and rate the printed quantities add up to the rounded sum. What is printed
        stays; what a leaver leaves goes to the one furthest off that no client has."""
        step = F(1, 10**printing.decimals)
        groups = {}
        for name in sorted(paid, key=lambda n: order(self.entries[n])):
            for number, part in enumerate(fresh[name]["parts"]):
                groups.setdefault((fresh[name]["home"], part[4]), []).append((name, number, part))
        for (home, rate), members in groups.items():
            kept, new = [], []
            for name, number, part in members:
                before = self.gross.get(name)
                was = before["parts"][number] if before and number < len(before["parts"]) else None
                same = was and before["home"] == home and was[4] == rate and was[2] == part[2]
                if same:
                    part[5] = was[5]
                (kept if same else new).append((name, part))
            total = sum((F(p[2], per) for _, p in kept), F(0))
            printed = sum((p[5] for _, p in kept), F(0))
            for _, part in new:
                exact = F(part[2], per)
                total += exact
                missing = rounded(total, printing.decimals, printing.quantity_mode) - printed
                least = max(F(0), -((-(exact - 2 * step)) // step) * step)
                most = (exact + 2 * step) // step * step
                part[5] = min(max(missing, least), most) if exact else F(0)
                printed += part[5]
            left = rounded(total, printing.decimals, printing.quantity_mode) - printed
            while left:
                sign = 1 if left > 0 else -1
                heirs = [p for n, p in kept if not self.stands_issued(n) and p[2]
                         and abs(F(p[2], per) - (p[5] + sign * step)) <= 2 * step]
                if not heirs:
                    break
                off = [sign * (F(p[2], per) - p[5]) for p in heirs]
                heir = max(i for i, o in enumerate(off) if o == max(off))
                heirs[heir][5] += sign * step
                left -= sign * step

    # Accounts and charges

    def settle(self, fresh, gone):
        ids = sorted({g["contract"]["id"] for g in [*fresh.values(), *gone.values()]}
                     | {self.gross[n]["contract"]["id"] for n in fresh if n in self.gross})
        outcome = {name: {} for name in gone}
        for contract_id in ids:
            contract = self.firm.contracts[contract_id]
            account, lost, asks = self.account(contract), [], []
            for name, one in gone.items():
                if one["contract"]["id"] == contract_id:
                    lost += [f"{name}/{p[0]}" for p in one["parts"]]
            goes = []
            for name, one in fresh.items():
                before = self.gross.get(name)
                now = {}
                if one["contract"]["id"] == contract_id and one["pays"]:
                    now = {f"{name}/{p[0]}": p for p in one["parts"] if p[3] and p[5]}
                if before and before["contract"]["id"] == contract_id:
                    out = [f"{name}/{p[0]}" for p in before["parts"]
                           if f"{name}/{p[0]}" not in now]
                    # What goes to another part of the whole keeps what the limits granted it.
                    stays = one["contract"]["id"] != contract_id and self.firm.outermost(
                        one["contract"]) is self.firm.outermost(contract)
                    (goes if stays else lost).extend(out)
                entry = self.entries[name]
                for ask, part in now.items():
                    asks.append(((one["date"], self.firm.moment(entry["approved_on"]), name,
                                  TIERS.index(part[0])), ask, {
                        "quantity": part[5], "rate": part[4], "date": one["date"],
                        "task": entry["task"], "contract": contract_id,
                    }))
            if account.counts():
                for ask in sorted(lost):
                    account.withdraw(ask)
                for ask in goes:
                    for one in (account.bank, account.retainer):
                        one.withdraw(ask) if one else None
                asks.sort(key=lambda a: a[0])
                # One account after the other: the bank hears of everything before the limits do.
                if account.bank:
                    for _, name, ask in asks:
                        account.bank.ask(name, ask)
                for _, name, ask in asks:
                    account.pass_on(name, ask)
                    if account.retainer:
                        self.top_up(contract)
        for name in gone:
            del self.gross[name]
        self.gross.update(fresh)
        self.book(outcome)

    def book(self, outcome=None):
        """Compare what everything comes to with what is booked."""
        desired = dict(outcome or {})
        for name, one in self.gross.items():
            desired[name] = self.parts(name, one)
        for name in sorted(desired):
            old, new = self.booked.get(name, {}), desired[name]
            for part in sorted(set(old) | set(new)):
                was, now = old.get(part), new.get(part)
                effect = lambda c: c and {k: v for k, v in c.items() if k not in ("posting", "home")}
                if effect(was) != effect(now):
                    self.log("reverse", name, was) if was else None
                    self.log("book", name, now) if now else None
            self.booked[name] = new
            for part in sorted(set(old) | set(new)):
                self.documents.want(f"{name} {part}", self.line(name, new.get(part)))
            if not new:
                del self.booked[name]

    def log(self, act, name, charge):
        sign = -1 if act == "reverse" else 1
        self.history.append(
            f"{self.number} {act} {name}, {charge['part']}: {plain(sign * charge['quantity'])} "
            f"{charge['unit']} at {plain(charge['rate'])}, "
            f"{money(sign * charge['amount'], charge['currency'])}"
        )

    def parts(self, name, one):
        contract, out, seconds_so_far, cost_so_far = one["contract"], {}, 0, F(0)
        account, printing = self.account(contract), self.firm.printing(contract)
        for tier, seconds, _, billed, rate, quantity in one["parts"]:
            asked = billed and one["pays"] and account.counts()
            if asked:
                slices = account.slices(f"{name}/{tier}") or [Slice("billed", F(0), rate, F(0))]
            else:
                slices = [Slice("billed", quantity, rate, printing.amount(quantity, rate))]
            total, running, given = sum((s.quantity for s in slices), F(0)), F(0), 0
            for piece in slices:
                running += piece.quantity
                upto = int(seconds * running / total) if total else seconds
                own, given = upto - given, upto
                seconds_so_far += own
                cost = rounded(F(seconds_so_far, 3600) * one["cost_rate"], coins(one["cost_currency"]))
                kind = DISPOSITIONS[piece.outcome] if one["pays"] and billed else "cost"
                out[f"{tier} {piece.outcome}"] = {
                    "part": f"{tier} time, {WORDS[piece.outcome]}", "disposition": kind,
                    "contract": contract["id"], "currency": contract["currency"],
                    "quantity": piece.quantity, "unit": one["unit"],
                    "rate": F(0) if kind == "cost" else piece.rate,
                    "amount": piece.net if kind == "bill" else F(0),
                    "value": F(0) if kind == "cost" else piece.net,
                    "cost_rate": one["cost_rate"], "cost": cost - cost_so_far,
                    "cost_currency": one["cost_currency"], "date": one["date"],
                    "group": one["home"][:4], "posting": one["posting"], "home": one["home"],
                }
                cost_so_far = cost
        return out

    def line(self, name, charge):
        if not charge or charge["disposition"] != "bill" or not charge["quantity"]:
            return None
        entry = self.entries.get(name, {})
        return {
            "home": charge["home"], "quantity": charge["quantity"], "rate": charge["rate"],
            "amount": charge["amount"],
            "what": [charge["date"], charge["part"].split()[0], entry.get("worker"),
                     entry.get("project"), entry.get("task"), entry.get("service_item")],
            "by": self.by(self.firm.contracts[charge["contract"]]),
        }

    def by(self, contract):
        """How amounts are rounded, where differences are billed."""
        if contract.get("corrections") != "delta" or "together" in contract.get("lines", {}):
            return None
        return coins(contract["currency"]), contract.get("amount_rounding", "half_up")

    # What was agreed

    def on_credit(self, said):
        name, rest = said["id"], F(said["quantity"])
        contract = self.gross[name]["contract"]
        account = self.account(contract)
        for tier in reversed(TIERS):
            there = sum((c["quantity"] for c in self.booked[name].values()
                         if c["part"].startswith(tier)
                         and c["disposition"] in ("bill", "drawn", "allowance")), F(0))
            taken = min(rest, there)
            rest -= taken
            if not taken:
                continue
            if said.get("rebill"):
                for part in self.booked[name]:
                    if part.startswith(tier):
                        self.documents.rebill(f"{name} {part}")
                continue
            ask = f"{name}/{tier}"
            for one in (account.limits, account.retainer):
                if one and ask in one.items:
                    one.credit(ask, taken)
        assert not rest, said
        self.book()

    def on_release_held(self, said):
        account = self.account(self.firm.contracts[said["contract"]])
        while True:
            held = lambda: [[(s.outcome, s.quantity) for s in r["slices"]]
                            for _, r in sorted(account.limits.items.items())]
            before = held()
            for name in account.limits.release():
                contract = account.limits.items[name]["ask"]["contract"]
                self.account(self.firm.contracts[contract]).draw(name)
            if held() == before:
                break
        self.book()

    def fixed(self, contract, item, amount, day):
        name, posting = f"{contract['id']} {item}", self.firm.posting(contract, day)
        by = "customer" if contract.get("grouping") == "customer" else "contract"
        group = contract.get("customer", "") if by == "customer" else contract["id"]
        charge = {
            "part": "fixed amount", "disposition": "bill", "contract": contract["id"],
            "currency": contract["currency"], "quantity": F(1), "unit": "one", "rate": amount,
            "amount": amount, "value": amount, "cost": F(0), "cost_currency": contract["currency"],
            "date": day, "posting": posting,
        }
        self.log("book", name, charge)
        self.fixed_amounts.append((name, charge))
        home = (contract.get("customer", ""), contract["currency"], by, group, posting[:7])
        line = {"home": home, "quantity": F(1), "rate": amount, "amount": amount, "what": [name],
                "by": self.by(contract)}
        self.documents.want(f"{name} #{len(self.fixed_amounts)}", line)

    def milestones(self, contract, due):
        for item, amount in due:
            self.fixed(contract, item, amount, self.day)

    def on_accept(self, said):
        contract = self.firm.contracts[said["contract"]]
        account = self.account(contract).milestones
        due = account.accept(said["milestone"], said.get("revision", 1), said.get("amount"))
        self.milestones(contract, due)

    def on_release_retention(self, said):
        contract = self.firm.contracts[said["contract"]]
        self.milestones(contract, self.account(contract).milestones.release())

    def on_fund(self, said):
        contract = self.firm.contracts[said["contract"]]
        retainer = self.account(contract).retainer
        retainer.fundings.setdefault(said["id"], {})[said["stage"]] = F(said["amount"])
        self.top_up(contract)

    def top_up(self, contract):
        retainer = self.account(contract).retainer
        for name, amount in retainer.fill_up():
            self.fixed(contract, name, amount, self.day)

    def on_bank(self, said):
        contract = self.firm.contracts[said["contract"]]
        bank = self.account(contract).bank
        if said["open"]:
            fee = bank.open(said["first"])
            self.book()
            self.fixed(contract, f"{contract['hour_bank']['id']}/{said['first']}", fee, said["first"])
        else:
            bank.close(said["first"])
            self.book()

    def on_fees_due(self, said):
        contract = self.firm.contracts[said["contract"]]
        begin = self.fees_until.get(said["contract"], contract.get("from", "2000-01-01"))
        due, terms = [], contract["schedule"]
        for one in terms.get("instalments", []):
            due.append((one["date"], one["id"], F(one["amount"])))
        for fee in terms.get("monthly_fees", []):
            due += self.monthly(contract, fee)
        for day, item, amount in sorted(due):
            if begin <= day <= self.day:
                self.fixed(contract, item, amount, day)
        self.fees_until[said["contract"]] = (
            date.fromisoformat(self.day) + timedelta(days=1)).isoformat()

    def monthly(self, contract, fee):
        """Each month that the fee covers, up to today's."""
        first = date.fromisoformat(fee["from"]).replace(day=1)
        while first.isoformat() <= self.day:
            following = (first + timedelta(days=32)).replace(day=1)
            last = following - timedelta(days=1)
            begins = max(date.fromisoformat(fee["from"]), first)
            ends = last
            if "to" in fee:
                ends = min(last, date.fromisoformat(fee["to"]) - timedelta(days=1))
            if ends < begins:
                return
            day = first.replace(day=min(fee.get("day", 1), last.day))
            amount = F(fee["amount"])
            if fee.get("partial_months") == "by_days":
                amount = rounded(amount * ((ends - begins).days + 1) / last.day,
                                 coins(contract["currency"]), contract.get("amount_rounding", "half_up"))
            yield min(max(day, begins), ends).isoformat(), f"{fee['id']}/{first:%Y-%m}", amount
            first = following

    def on_issue(self, said):
        self.documents.move(said["document"], "issued")

    def on_pay(self, said):
        self.documents.move(said["document"], "paid")

    # The outcome

    def standing(self):
        rows = [(name, charge) for name, parts in self.booked.items() for charge in parts.values()]
        out = []
        for name, c in [*rows, *self.fixed_amounts]:
            worth = "" if c["amount"] == c["value"] else f", worth {money(c['value'], c['currency'])}"
            out.append({
                "item": name, "part": c["part"], "disposition": c["disposition"],
                "contract": c["contract"], "quantity": plain(c["quantity"]), "unit": c["unit"],
                "rate": plain(c["rate"]), "amount": money(c["amount"], c["currency"]),
                "value": money(c["value"], c["currency"]),
                "cost": money(c["cost"], c["cost_currency"]),
                "work_date": c["date"], "posting_date": c["posting"],
                "working": f"{plain(c['quantity'])} x {plain(c['rate'])}: "
                           f"{c['disposition']} {money(c['amount'], c['currency'])}{worth}",
            })
        return sorted(out, key=lambda c: (c["item"], c["part"]))

    def figures(self):
        out = []
        for name, contract in self.firm.contracts.items():
            account, currency = self.accounts.get(name), contract["currency"]
            outermost = self.firm.outermost(contract)
            outer = self.accounts.get(outermost["id"])
            if outer and outer.limits:
                limits = outer.limits
                for term in (t for t in limits.terms if t["owner"] == name):
                    out.append([name, term["id"], "used", money(limits.used(term), currency)])
                    out.append([name, term["id"], "left", money(limits.left(term), currency)])
                held = sum((s.net for r in limits.items.values() for s in r["slices"]
                            if s.outcome == "held"
                            and (outermost is contract or r["ask"]["contract"] == name)), F(0))
                out.append([name, "all limits", "held", money(held, currency)])
            if not account:
                continue
            if account.retainer:
                balance = money(account.retainer.balance(), currency)
                out.append([name, contract["retainer"]["id"], "balance", balance])
            if account.milestones:
                for item, amount in sorted(account.milestones.billed.items()):
                    out.append([name, "milestones", "billed", f"{item}: {money(amount, currency)}"])
                withheld = money(account.milestones.withheld, currency)
                out.append([name, "milestones", "withheld", withheld])
            if account.bank:
                names = ["rolled in", "used", "overage", "rolled out", "expired"]
                for first, *values in account.bank.worked_out()[0]:
                    for figure, value in zip(names, values):
                        out.append([name, f"{contract['hour_bank']['id']} {first}", figure, plain(value)])
        return out

    def outcome(self):
        documents = []
        for document in self.documents.with_lines():
            amounts = [line["amount"] for line in document["lines"].values()]
            currency = document["home"][1]
            documents.append({
                "name": document["name"], "bill_to": document["home"][0],
                "state": document["state"], "lines": len(amounts),
                "total": money(sum(amounts, F(0)), currency),
                "working": " + ".join(plain(a, coins(currency)) for a in sorted(amounts, reverse=True)),
            })
        return {
            "history": sorted(self.history, key=lambda h: (int(h.split()[0]), h)),
            "charges": self.standing(), "documents": documents,
            "accounts": self.figures(),
            "exceptions": [{"item": i, "code": c} for i, c in sorted(self.problems.items())],
        }


def main():
    wrong = 0
    for path in sorted(FOLDER.glob("*.toml")):
        outcome = Play(tomllib.loads(path.read_text())).outcome()
        text = json.dumps(outcome, indent=1, ensure_ascii=False) + "\n"
        expected = FOLDER / "expected" / f"{path.stem}.json"
        if "--write" in sys.argv:
            expected.write_text(text)
        elif not expected.exists() or expected.read_text() != text:
            print(f"{path.stem}: {expected} differs from what is worked out here")
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
