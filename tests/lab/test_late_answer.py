"""A call that is given up after two seconds and committed later: no duplicate, also when the
process is killed and asks again while the call still runs."""
import subprocess
import time
import unittest

import lab

LINES = 500


@unittest.skipUnless(lab.available(), "the lab is not running")
class LateAnswer(unittest.TestCase):
    def play(self, unique, kill, first_day, today):
        name = f"late{'key' if unique else 'plain'}{'kill' if kill else ''}"
        # Redmine is not told here: five hundred write-backs would take minutes and prove nothing.
        silent = "[source.redmine.fields]\nbilling_status = 0\nerp_reference = 0"
        firm = lab.Firm(name, first_day, today, unique=unique, write_timeout_ms=2000, source=silent,
                        longest_call_ms=20000, batch=LINES, patience_ms=120000)
        redmine = lab.Redmine()
        rows = redmine.add_many("ada.fox", redmine.issue("borealis-training", "Classroom"), first_day, LINES)
        try:
            if kill:
                # The call is on its way when the process is gone.
                running = subprocess.Popen(
                    [lab.BINARY, "--quiet", "sync", "--today", today], cwd=firm.folder,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                deadline = time.time() + 60
                while time.time() < deadline and not self.open_calls(firm):
                    time.sleep(0.05)
                running.kill()
                running.wait()
            result = firm.sync()
            while result["left"]:
                result = firm.sync()
            lost = result["answers_lost"]
            lines = firm.erp.lines()
            self.assertEqual(len(lines), LINES)
            self.assertEqual(len({line["description"] for line in lines}), LINES)
            again = firm.sync()
            self.assertEqual(again["posted"], 0)
            self.assertEqual(len(firm.erp.lines()), LINES)
            self.assertEqual(len(firm.erp.drafts()), 1)
            firm.verify()
            firm.ties_out()
            print(f"{name}: {LINES} lines once, {lost} answers lost")
            if not kill:
                self.assertGreater(lost, 0, "the call was answered in time: nothing was tested")
        finally:
            redmine.delete_many(rows)

    def open_calls(self, firm):
        done = firm.run("--output", "json", "status")
        return done.returncode == 0 and '"calls_open": 0' not in done.stdout

    def test_unique_key(self):
        self.play(True, False, "2025-06-01", "2025-06-30")

    def test_look_up(self):
        self.play(False, False, "2025-07-01", "2025-07-31")

    def test_unique_key_killed(self):
        self.play(True, True, "2025-08-01", "2025-08-31")

    def test_look_up_killed(self):
        self.play(False, True, "2025-09-01", "2025-09-30")


if __name__ == "__main__":
    unittest.main(verbosity=2)
