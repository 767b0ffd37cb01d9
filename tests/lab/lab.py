"""What the tests against the running Redmine and Tryton share: the lab's facts, a configuration,
the product's binary, and plain clients for both systems.

A test plays the firm's people through the systems' own APIs and judges by what Tryton and Redmine
hold, never by the product's database.
"""
import atexit
import base64
import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import urllib.error
import urllib.request
from decimal import Decimal

LAB_JSON = os.environ.get("COUNTERFOIL_LAB_JSON")


def available():
    return bool(LAB_JSON and os.path.exists(LAB_JSON))


def binary():
    """The debug build, since only that one has crash points."""
    if "COUNTERFOIL_BINARY" in os.environ:
        return os.environ["COUNTERFOIL_BINARY"]
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    subprocess.run(["cargo", "build", "--quiet", "--package", "counterfoil"], cwd=root, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(root, "target"))
    return os.path.join(target, "debug", "counterfoil")


LAB = json.load(open(LAB_JSON)) if available() else None
BINARY = binary() if available() else None


class Redmine:
    """Redmine's REST API as one of its users."""

    def __init__(self, key=None):
        self.base = LAB["redmine"]["url"]
        self.key = key or LAB["redmine"]["seed"]["admin"]["key"]
        self.fields = LAB["redmine"]["seed"]["custom_fields"]

    def call(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(
            self.base + path, data=data, method=method,
            headers={"X-Redmine-API-Key": self.key, "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as reply:
            text = reply.read()
        return json.loads(text) if text.strip() else None

    def add(self, user, issue, day, hours, approved=True, billable=True, comment="work"):
        own = self.fields["time_entry"]
        entry = {
            "issue_id": issue, "spent_on": day, "hours": hours, "comments": comment,
            "user_id": LAB["redmine"]["seed"]["users"][user]["id"],
            "activity_id": LAB["redmine"]["seed"]["activities"]["Consulting"],
            "custom_field_values": {
                str(own["approval"]): "Approved" if approved else "Submitted",
                str(own["billable"]): "1" if billable else "0"}}
        return self.call("POST", "/time_entries.json", {"time_entry": entry})["time_entry"]["id"]

    def add_many(self, user, issue, first_day, count):
        """Hundreds of approved entries, put straight into Redmine's database: its API takes a
        minute for what a test needs in a second. Every day of the month gets its share, and no two
        look alike."""
        seed = LAB["redmine"]["seed"]
        path = os.path.join(LAB["directory"], "redmine", "redmine.sqlite")
        project = next(p["id"] for p in seed["projects"].values()
                       if issue in (i["id"] for i in p["issues"].values()))
        own = self.fields["time_entry"]
        person = seed["users"][user]["id"]
        rows = []
        with contextlib.closing(sqlite3.connect(path, timeout=30)) as db, db:
            start = db.execute("select max(id) from time_entries").fetchone()[0] + 1
            for number in range(count):
                day = f"{first_day[:8]}{1 + number % 28:02}"
                hours = 0.5 + 0.25 * (number // 28)
                db.execute(
                    "insert into time_entries values (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                    (start + number, project, person, issue, hours, f"many {number}",
                     seed["activities"]["Consulting"], day, int(day[:4]), int(day[5:7]), 1,
                     "2026-01-01 08:00:00", "2026-01-01 08:00:00", person))
                for field, value in ((own["approval"], "Approved"), (own["billable"], "1"),
                                     (own["billing_status"], "Unbilled"), (own["erp_reference"], None)):
                    db.execute("insert into custom_values (customized_type, customized_id, "
                               "custom_field_id, value) values ('TimeEntry', ?, ?, ?)",
                               (start + number, field, value))
                rows.append(start + number)
        return rows

    def delete_many(self, rows):
        path = os.path.join(LAB["directory"], "redmine", "redmine.sqlite")
        with contextlib.closing(sqlite3.connect(path, timeout=30)) as db, db:
            for row in rows:
                db.execute("delete from time_entries where id = ?", (row,))
                db.execute("delete from custom_values where customized_type = 'TimeEntry' "
                           "and customized_id = ?", (row,))

    def edit(self, entry, **fields):
        self.call("PUT", f"/time_entries/{entry}.json", {"time_entry": fields})

    def set_field(self, entry, name, value):
        own = self.fields["time_entry"][name]
        self.edit(entry, custom_fields=[{"id": own, "value": value}])

    def delete(self, entry):
        self.call("DELETE", f"/time_entries/{entry}.json")

    def shown(self, entry):
        """Billing status and ERP reference as people see them."""
        found = self.call("GET", f"/time_entries/{entry}.json")["time_entry"]
        values = {field["name"]: field["value"] for field in found["custom_fields"]}
        return values.get("Billing status"), values.get("ERP reference")

    def issue(self, project, subject):
        return LAB["redmine"]["seed"]["projects"][project]["issues"][subject]["id"]


class Tryton:
    """Tryton's JSON-RPC as its administrator: a person at the ERP."""

    def __init__(self, database):
        self.url = f"{LAB['tryton']['url']}/{database}/rpc/"
        login = LAB["tryton"]["logins"]["admin"]
        user, token = self._call("common.db.login", [login["login"], {"password": login["password"]}, "en"])[:2]
        text = f"{login['login']}:{user}:{token}".encode()
        self.session = "Session " + base64.b64encode(text).decode()
        self.context = {"company": LAB["tryton"]["seed"]["company"]["id"], "language": "en"}

    def _call(self, method, params):
        headers = {"Content-Type": "application/json"}
        if hasattr(self, "session"):
            headers["Authorization"] = self.session
        body = json.dumps({"id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, data=body, headers=headers)
        with urllib.request.urlopen(request, timeout=120) as reply:
            answer = json.loads(reply.read(), object_hook=_plain)
        if "error" in answer:
            raise RuntimeError(str(answer["error"])[:300])
        return answer["result"]

    def call(self, model, method, *params):
        return self._call(f"model.{model}.{method}", [*params, self.context])

    def read(self, model, domain, fields):
        return self.call(model, "search_read", domain, 0, None, None, fields)

    def lines(self):
        """Invoice lines of customer invoices, whatever document they stand on."""
        return self.read("account.invoice.line", [["invoice.type", "=", "out"], ["type", "=", "line"]],
                         ["quantity", "unit_price", "amount", "invoice", "description", "note",
                          "invoice.state", "invoice.number", "invoice.currency.code"])

    def times(self):
        return self.read("timesheet.line", [],
                         ["duration", "work", "date", "description", "employee", "invoice_line"])

    def drafts(self):
        return self.read("account.invoice", [["type", "=", "out"]],
                         ["state", "number", "untaxed_amount", "total_amount", "currency.code", "lines"])


def _plain(value):
    kind = value.get("__class__")
    if kind == "Decimal":
        return Decimal(value["decimal"])
    if kind == "timedelta":
        return value.get("seconds", 0) + 86400 * value.get("days", 0)
    if kind == "date":
        return f"{value['year']:04}-{value['month']:02}-{value['day']:02}"
    return value


CONTRACTS = (
    # id, customer, project, kind, currency, rate, more
    ("ACME-TM", "C-ACME", "P-ACME-TM", "time_and_materials", "EUR", "187.1234",
     'increment = { step_minutes = 15, rounding = "up" }'),
    ("ACME-FX", "C-ACME", "P-ACME-FX", "fixed_fee", "EUR", None, ""),
    ("BORE", "C-BORE", "P-BORE-TM", "time_and_materials", "EUR", "98.75", ""),
    ("COBA", "C-COBA", "P-COBA-TM", "time_and_materials", "EUR", "152.5", ""),
    ("DAIK", "C-DAIK", "P-DAIK-TM", "time_and_materials", "JPY", "24000", ""),
    ("ELMW", "C-ELMW", "P-ELMW-TM", "time_and_materials", "USD", "215.505", 'shape = "timesheet"'),
    ("INT", None, "P-INT", "internal", "EUR", None, ""),
)


class Firm:
    """A ledger of its own, a Tryton database of its own, and the days it looks at."""

    def __init__(self, name, first_day, today, unique=True, longest_call_ms=6000,
                 billed_before=None, look_back=30, source="", write_timeout_ms=6000, batch=200, patience_ms=60000):
        self.folder = tempfile.mkdtemp(prefix="counterfoil-lab-")
        atexit.register(shutil.rmtree, self.folder, True)
        self.today = today
        self.database = f"t_{name}_{os.getpid()}"
        command = LAB["clone_tryton_command"] + [self.database] + ([] if unique else ["--plain"])
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        atexit.register(self.close)
        self.secrets = {
            "source.key": LAB["redmine"]["seed"]["connector"]["key"],
            "target.password": LAB["tryton"]["logins"]["connector"]["password"],
            "seal.key": "00112233445566778899aabbccddeeff" * 2}
        for file, text in self.secrets.items():
            self.write(file, text, 0o600)
        self.settings = {
            "first_day": first_day, "billed_before": billed_before or first_day,
            "look_back_days": look_back, "look_ahead_days": 0, "settle_ms": 500,
            "send_within_ms": 3000,
            "patience_ms": patience_ms}
        self.target = {
            "uniqueness": "module" if unique else "look_up", "longest_call_ms": longest_call_ms,
            "write_timeout_ms": write_timeout_ms, "batch_lines_max": batch}
        self.contracts = [list(contract) for contract in CONTRACTS]
        self.more = ""
        self.source = source
        self.configure()
        self.erp = Tryton(self.database)

    def close(self):
        subprocess.run(LAB["drop_tryton_command"] + [self.database], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def write(self, file, text, mode=0o644):
        path = os.path.join(self.folder, file)
        with open(path, "w") as out:
            out.write(text)
        os.chmod(path, mode)

    def configure(self):
        seed = LAB["redmine"]["seed"]
        workers = "\n".join(f'"{u["id"]}" = "{u["employee"]}"'
                            for u in seed["users"].values() if u["employee"])
        flow = "\n".join(f"{k} = {v if isinstance(v, int) else json.dumps(v)}"
                         for k, v in self.settings.items())
        target = "\n".join(f"{k} = {json.dumps(v)}" for k, v in self.target.items())
        contracts = ""
        for number, customer, project, kind, currency, rate, more in self.contracts:
            customer = f'customer = "{customer}"' if customer else ""
            contracts += f"""
[[contract]]
id = "{number}"
{customer}
projects = ["{project}"]
kind = "{kind}"
currency = "{currency}"
amount_rounding = "half_even"
{more}
"""
            if rate:
                contracts += f"""
[[rate]]
contract = "{number}"
rate = "{rate}"
currency = "{currency}"
from = "2025-01-01"
"""
        self.write("counterfoil.toml", f"""
ledger = "ledger-of-{self.database}"
{self.more}
[entity]
code = "KESTREL"
business_unit = "Consulting"
zone = "Europe/Berlin"
[flow]
{flow}
[secrets]
source = {{ file = "source.key" }}
target = {{ file = "target.password" }}
seal_key = {{ file = "seal.key" }}
[source.redmine]
base_url = "{LAB['redmine']['url']}"
{self.source}
[target.tryton]
url = "{LAB['tryton']['url']}"
database = "{self.database}"
user = "counterfoil"
company = "Kestrel Advisory"
{target}
[crosswalk.workers]
{workers}
[crosswalk.service_items]
Consulting = "CONS"
Development = "DEV"
Travel = "TRAV"
Internal = "CONS"
{contracts}""")

    def run(self, *args, crash=None, timeout=300):
        """Run the binary; its output, checked for secrets, and its exit code."""
        environment = {k: v for k, v in os.environ.items() if k != "COUNTERFOIL_CRASH_AT"}
        if crash:
            environment["COUNTERFOIL_CRASH_AT"] = crash
        done = subprocess.run([BINARY, "--quiet", *args], cwd=self.folder, env=environment,
                              capture_output=True, text=True, timeout=timeout)
        for text in (done.stdout, done.stderr):
            for secret in self.secrets.values():
                assert secret not in text, f"a secret in the output of {args}"
            assert "panicked" not in text, text
        return done

    def json(self, *args, crash=None):
        done = self.run("--output", "json", *args, crash=crash)
        if not done.stdout.strip():
            raise AssertionError(f"{args} said nothing: {done.stderr}")
        return json.loads(done.stdout)

    def sync(self, crash=None):
        return self.json("sync", "--today", self.today, crash=crash)

    def reconcile(self):
        return self.json("reconcile", "--from", self.settings["first_day"], "--to", self.today)

    def ties_out(self):
        report = self.reconcile()
        assert report["unexplained"] == 0, report["classes"]
        for total in report["money"]:
            assert total["unexplained_minor"] == 0, total
        return report

    def verify(self):
        report = self.json("audit", "verify")
        assert report["problems"] == [], report["problems"][:3]
