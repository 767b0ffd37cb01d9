"""Yesterday's backup restored, then `sync`: the ERP is unchanged."""
import unittest

import lab


@unittest.skipUnless(lab.available(), "the lab is not running")
class Restore(unittest.TestCase):
    def play(self, unique, first_day, day, today):
        firm = lab.Firm(f"restore{'key' if unique else 'plain'}", first_day, today, unique=unique)
        redmine = lab.Redmine()
        issue = redmine.issue("acme-rollout", "Analysis")
        fixed = redmine.issue("acme-migration", "Acceptance")
        entries = [redmine.add("ada.fox", issue, day, "1.50"), redmine.add("ben.okafor", fixed, day, "2.00")]
        try:
            firm.sync()
            done = firm.run("backup", "yesterday.sqlite")
            self.assertEqual(done.returncode, 0, done.stderr)
            # Work the backup does not know: new entries, an edit of a posted one, a deletion.
            entries.append(redmine.add("chiara.neri", issue, day, "3.25"))
            entries.append(redmine.add("ben.okafor", fixed, day, "4.00"))
            firm.sync()
            redmine.edit(entries[0], hours="2.25")
            firm.sync()
            before = self.state(firm)
            self.assertEqual(len(before[0]), 2)
            self.assertEqual(len(before[1]), 2)
            refused = firm.run("restore", "yesterday.sqlite")
            self.assertNotEqual(refused.returncode, 0, "a ledger was replaced without being asked")
            done = firm.run("restore", "yesterday.sqlite", "--replace")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("restored", firm.run("--output", "json", "status").stdout)
            result = firm.sync()
            self.assertEqual(self.state(firm), before, "the ERP changed after a restore")
            self.assertEqual(result["exceptions"], {})
            firm.verify()
            firm.ties_out()
            # And posting is on again.
            entries.append(redmine.add("ada.fox", issue, day, "1.00"))
            self.assertEqual(firm.sync()["posted"], 1)
        finally:
            for entry in entries:
                redmine.delete(entry)

    def state(self, firm):
        lines = sorted((l["id"], str(l["quantity"]), str(l["amount"])) for l in firm.erp.lines())
        times = sorted((t["id"], t["duration"]) for t in firm.erp.times())
        drafts = sorted((d["id"], d["state"], str(d["untaxed_amount"])) for d in firm.erp.drafts())
        return lines, times, drafts

    def test_with_the_unique_key(self):
        self.play(True, "2025-03-01", "2025-03-10", "2025-03-31")

    def test_by_look_up(self):
        self.play(False, "2025-04-01", "2025-04-10", "2025-04-30")


if __name__ == "__main__":
    unittest.main(verbosity=2)
