# SPDX-License-Identifier: GPL-3.0-or-later
"""What the README of counterfoil_key promises, seen through the server's API.

Needs a running lab: COUNTERFOIL_LAB_JSON names its facts. Works on a database of its own.
"""
import base64
import json
import os
import subprocess
import threading
import unittest
import urllib.request


class Api:
    """The connector's user in one database."""

    def __init__(self, tryton, database):
        self.url = f"{tryton['url']}/{database}/rpc/"
        self.context = {'company': tryton['seed']['company']['id'], 'language': 'en'}
        self.headers = {'Content-Type': 'application/json'}
        login = tryton['logins']['connector']
        user, token, *_ = self.call(
            'common.db.login', login['login'], {'password': login['password']}, 'en')
        session = base64.b64encode(f"{login['login']}:{user}:{token}".encode()).decode()
        self.headers['Authorization'] = 'Session ' + session

    def call(self, method, *params):
        body = json.dumps({'id': 1, 'method': method, 'params': params}).encode()
        request = urllib.request.Request(self.url, body, self.headers)
        with urllib.request.urlopen(request, timeout=60) as reply:
            answer = json.load(reply)
        if answer.get('error'):
            raise Refused(answer['error'])
        return answer['result']

    def model(self, model, method, *params):
        return self.call(f'model.{model}.{method}', *params, self.context)


class Refused(Exception):
    def __init__(self, error):
        super().__init__(str(error)[:300])
        self.kind = error[0]
        self.text = error[1][0] if isinstance(error[1], list) else str(error[1])


class KeyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(os.environ['COUNTERFOIL_LAB_JSON']) as handle:
            lab = json.load(handle)
        database = f'cf_key_test_{os.getpid()}'
        subprocess.run([*lab['clone_tryton_command'], database], check=True, capture_output=True)
        cls.seed = lab['tryton']['seed']
        cls.api = Api(lab['tryton'], database)

    def invoice(self, key, line_key):
        seed = self.seed
        customer, product = seed['customers']['C-ACME'], seed['products']['CONS']
        company, currency = seed['company']['id'], seed['currencies']['EUR']['id']
        line = {'type': 'line', 'company': company, 'currency': currency,
                'product': product['id'], 'unit': product['unit_id'], 'quantity': 1.33,
                'unit_price': {'__class__': 'Decimal', 'decimal': '187.1234'},
                'account': product['revenue_account'], 'description': 'Analysis',
                'taxes': [['add', [product['tax_id']]]], 'external_key': line_key}
        values = {'type': 'out', 'company': company, 'currency': currency,
                  'party': customer['id'], 'invoice_address': customer['address'],
                  'account': customer['receivable_account'],
                  'journal': seed['journals']['REV'], 'invoice_date': '2026-11-20',
                  'external_key': key, 'lines': [['create', [line]]]}
        return self.api.model('account.invoice', 'create', [values])[0]

    def hours(self, *keys):
        work = self.seed['projects']['P-ACME-TM']['tasks']['T-ACME-ANALYSIS']
        return self.api.model('timesheet.line', 'create', [
            {'employee': self.seed['employees']['E-FOX']['id'],
             'company': self.seed['company']['id'], 'work': work['timesheet_work'],
             'date': '2026-11-10', 'duration': {'__class__': 'timedelta', 'seconds': 4800},
             'external_key': key} for key in keys])

    def count(self, model, *keys):
        return self.api.model(model, 'search_count', [['external_key', 'in', keys]], 0, None)

    def refused(self, work, *args):
        with self.assertRaises(Refused) as caught:
            work(*args)
        self.assertEqual(caught.exception.kind, 'UserError')
        self.assertTrue(caught.exception.text.startswith('EXTERNAL_KEY_DUPLICATE'),
                        caught.exception.text)

    def test_a_repeated_call_creates_nothing(self):
        self.invoice('doc-1', 'doc-1/1')
        self.refused(self.invoice, 'doc-1', 'doc-1/2')
        self.assertEqual(self.count('account.invoice', 'doc-1'), 1)
        self.assertEqual(self.count('account.invoice.line', 'doc-1/1', 'doc-1/2'), 1)

    def test_a_known_line_refuses_the_whole_document(self):
        self.invoice('doc-2', 'doc-2/1')
        self.refused(self.invoice, 'doc-3', 'doc-2/1')
        self.assertEqual(self.count('account.invoice', 'doc-3'), 0)

    def test_of_parallel_calls_one_creates(self):
        results = []

        def create():
            try:
                results.append(self.invoice('doc-4', 'doc-4/1'))
            except Refused as refused:
                results.append(refused.text.split(':')[0])
        threads = [threading.Thread(target=create) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results.count('EXTERNAL_KEY_DUPLICATE'), 5, results)
        self.assertEqual(self.count('account.invoice', 'doc-4'), 1)

    def test_records_without_a_key_are_left_alone(self):
        self.assertEqual(len(self.hours(None, None, '', '')), 4)

    def test_a_list_with_one_known_key_is_refused_whole(self):
        self.hours('h-1')
        self.refused(self.hours, 'h-2', 'h-1')
        self.assertEqual(self.count('timesheet.line', 'h-1', 'h-2'), 1)

    def test_the_key_can_be_set_later(self):
        record, = self.hours(None)
        self.api.model('timesheet.line', 'write', [record], {'external_key': 'h-3'})
        self.assertEqual(self.count('timesheet.line', 'h-3'), 1)

    def test_a_copy_has_no_key(self):
        copy, = self.api.model('account.invoice', 'copy', [self.invoice('doc-5', 'doc-5/1')], {})
        found, = self.api.model('account.invoice', 'read', [copy], ['external_key'])
        self.assertIsNone(found['external_key'])
        self.assertEqual(self.count('account.invoice.line', 'doc-5/1'), 1)

    def test_a_posted_document_keeps_its_key(self):
        invoice = self.invoice('doc-6', 'doc-6/1')
        self.api.model('account.invoice', 'post', [invoice])
        with self.assertRaises(Refused):
            self.api.model('account.invoice', 'write', [invoice], {'external_key': 'other'})


if __name__ == '__main__':
    unittest.main()
