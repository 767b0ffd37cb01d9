# SPDX-License-Identifier: Apache-2.0
"""Fill an initialised Tryton database with the lab's professional-services firm.

Works on the server's own model classes inside one transaction: it either happens as a whole
or not at all, and needs no running server. Every date, code and amount is fixed: the tests name them.
What a test has to know (ids above all) goes to the JSON file named by --out.

    tryton_seed.py --config trytond.conf --database NAME --out FILE

The connector's password is read from the environment variable LAB_CONNECTOR_PASSWORD.
"""
import argparse
import datetime as dt
import json
import os
from decimal import Decimal as D

COMPANY = 'Kestrel Advisory'

# code: (name, digits, rounding, [(first day, units per EUR)])
CURRENCIES = {
    'EUR': ('Euro', 2, '0.01', [('2025-01-01', '1')]),
    'USD': ('US Dollar', 2, '0.01', [
        ('2025-01-01', '1.0350'), ('2026-01-01', '1.0850'), ('2026-10-01', '1.1025')]),
    'JPY': ('Japanese Yen', 0, '1', [
        ('2025-01-01', '162.50'), ('2026-01-01', '166.25'), ('2026-10-01', '171.40')]),
    }

# Our own postable accounts under the universal chart; the type comes from a chart account.
ACCOUNTS = {
    'bank': ('K-1110', 'Kestrel bank account', '1.1.1'),
    'revenue_consulting': ('K-4210', 'Consulting revenue', '4.2.0'),
    'revenue_training': ('K-4220', 'Training revenue', '4.2.0'),
    'revenue_travel': ('K-4230', 'Travel revenue', '4.2.0'),
    'revenue_fixed': ('K-4110', 'Fixed-fee revenue', '4.1.0'),
    'vat_19': ('K-2910', 'Output VAT 19 %', '2.3.0'),
    'vat_7': ('K-2920', 'Output VAT 7 %', '2.3.0'),
    'vat_reverse': ('K-2930', 'Reverse charge', '2.3.0'),
    }

TAXES = {
    'standard': ('VAT 19 %', '0.19', 'vat_19'),
    'reduced': ('VAT 7 %', '0.07', 'vat_7'),
    'reverse': ('Reverse charge 0 %', '0', 'vat_reverse'),
    }

CATEGORIES = {
    'consulting': ('Consulting services', 'revenue_consulting', 'standard'),
    'training': ('Training services', 'revenue_training', 'reduced'),
    'travel': ('Travel', 'revenue_travel', 'standard'),
    'fixed': ('Fixed-fee work', 'revenue_fixed', 'standard'),
    'unfinished': ('Not set up yet', None, None),     # bites: no revenue account, no tax
    }

PRODUCTS = {
    'CONS': ('Consulting', 'hour', '187.1234', 'consulting'),
    'DEV': ('Development', 'hour', '152.5000', 'consulting'),
    'TRAIN': ('Training', 'hour', '98.7500', 'training'),
    'TRAV': ('Travel time', 'hour', '93.5617', 'travel'),
    'FIX': ('Fixed-fee milestone', 'unit', '12500.0000', 'fixed'),
    'NOACC': ('Service without revenue account', 'hour', '99.0000', 'unfinished'),
    }

# code: (name, billing currency, reverse charge, active)
CUSTOMERS = {
    'C-ACME': ('Acme Manufacturing GmbH', 'EUR', False, True),
    'C-BORE': ('Borealis Books eG', 'EUR', False, True),
    'C-COBA': ('Cobalt Health B.V.', 'EUR', True, True),
    'C-DAIK': ('Daikoku Trading K.K.', 'JPY', True, True),
    'C-ELMW': ('Elmwood Legal LLP', 'USD', True, True),
    'C-FJOR': ('Fjord Shipping AS', 'EUR', True, True),
    'C-GONE': ('Gone Retail AG', 'EUR', False, False),   # bites: invisible to a plain search
    }

# code: (name, mail name, cost price 2025, cost price 2026, last day)
EMPLOYEES = {
    'E-FOX': ('Ada Fox', 'ada.fox', '71.2500', '74.1050', None),
    'E-OKAFOR': ('Ben Okafor', 'ben.okafor', '64.0000', '66.5000', None),
    'E-NERI': ('Chiara Neri', 'chiara.neri', '58.3333', '60.6667', None),
    'E-PATEL': ('Dev Patel', 'dev.patel', '55.0000', '57.2500', None),
    'E-STRAND': ('Emil Strand', 'emil.strand', '49.9900', '51.9900', None),
    'E-SATO': ('Fumi Sato', 'fumi.sato', '62.7500', '65.2500', None),
    'E-LIND': ('Grace Lind', 'grace.lind', '68.1250', '70.8750', None),
    'E-MARSH': ('Hugo Marsh', 'hugo.marsh', '52.0000', '54.0000', '2026-03-31'),
    }

# code: (name, customer, kind, [(task code, name, product, estimated hours, last bookable day)])
PROJECTS = {
    'P-ACME-TM': ('Acme plant rollout', 'C-ACME', 'time_and_materials', [
        ('T-ACME-ANALYSIS', 'Analysis', 'CONS', 120, None),
        ('T-ACME-BUILD', 'Build', 'DEV', 400, None),
        ('T-ACME-TRAVEL', 'Travel', 'TRAV', 60, None)]),
    'P-ACME-FX': ('Acme data migration', 'C-ACME', 'fixed_fee', [
        ('T-ACME-MIGRATE', 'Migration', 'FIX', 240, None),
        ('T-ACME-ACCEPT', 'Acceptance', 'FIX', 40, None)]),
    'P-BORE-TM': ('Borealis shop training', 'C-BORE', 'time_and_materials', [
        ('T-BORE-PHASE1', 'Phase one', 'CONS', 80, '2026-02-28'),
        ('T-BORE-TRAIN', 'Classroom training', 'TRAIN', 160, None)]),
    'P-COBA-TM': ('Cobalt records platform', 'C-COBA', 'time_and_materials', [
        ('T-COBA-ANALYSIS', 'Analysis', 'CONS', 100, None),
        ('T-COBA-BUILD', 'Build', 'DEV', 300, None)]),
    'P-DAIK-TM': ('Daikoku market entry', 'C-DAIK', 'time_and_materials', [
        ('T-DAIK-ADVISE', 'Advisory', 'CONS', 90, None),
        ('T-DAIK-BUILD', 'Build', 'DEV', 120, None)]),
    'P-ELMW-TM': ('Elmwood discovery review', 'C-ELMW', 'time_and_materials', [
        ('T-ELMW-ADVISE', 'Advisory', 'CONS', 75, None),
        ('T-ELMW-REVIEW', 'Review', 'DEV', 150, None)]),
    'P-FJOR-TM': ('Fjord port study', 'C-FJOR', 'time_and_materials', [
        ('T-FJOR-STUDY', 'Study', 'CONS', 50, None),
        ('T-FJOR-NOACC', 'Unpriced service', 'NOACC', 10, None)]),
    'P-INT': ('Internal', None, 'internal', [
        ('T-INT-LEARN', 'Learning', None, 100, None),
        ('T-INT-ADMIN', 'Administration', None, 100, None)]),
    }

YEARS = (2025, 2026)
CLOSED_UNTIL = dt.date(2026, 1, 31)
HIRED = dt.date(2024, 1, 1)
CONNECTOR_LOGIN = 'counterfoil'
# What a connector user may do; nothing that administers the system itself.
CONNECTOR_GROUPS = [
    ('account', 'group_account'), ('account', 'group_account_admin'),
    ('account_product', 'group_account_product_admin'),
    ('company', 'group_employee_admin'), ('currency', 'group_currency_admin'),
    ('party', 'group_party_admin'), ('product', 'group_product_admin'),
    ('project', 'group_project_admin'), ('project_invoice', 'group_project_invoice'),
    ('timesheet', 'group_timesheet_admin'),
    ]


def day(text):
    return dt.date.fromisoformat(text) if text else None


class Seed:
    """One firm in one transaction; `facts` collects what goes to the JSON file."""

    def __init__(self, pool):
        self.pool = pool
        self.facts = {}

    def get(self, name, **kw):
        return self.pool.get(name, **kw)

    def create(self, model, **values):
        record, = self.get(model).create([values])
        return record

    def xml_id(self, module, name):
        return self.get('ir.model.data').get_id(module, name)

    def everything(self, transaction):
        self.currencies()
        self.company_()
        with transaction.set_context(
                company=self.company, companies=[self.company], active_test=False):
            self.chart()
            self.years()
            self.taxes()
            self.products()
            self.customers()
            self.employees()
            self.projects()
            self.connector_user(os.environ['LAB_CONNECTOR_PASSWORD'])

    # -- money ---------------------------------------------------------------
    def currencies(self):
        Currency = self.get('currency.currency')
        self.currency = {}
        for code, (name, digits, rounding, rates) in CURRENCIES.items():
            found = Currency.search([('code', '=', code)])
            values = {'name': name, 'digits': digits, 'rounding': D(rounding)}
            if found:
                Currency.write(found, values)
                currency = found[0]
            else:
                currency = self.create('currency.currency', code=code, **values)
            for first, rate in rates:
                self.create('currency.currency.rate', currency=currency.id,
                            date=day(first), rate=D(rate))
            self.currency[code] = currency.id
        self.facts['currencies'] = {
            code: {'id': self.currency[code], 'digits': CURRENCIES[code][1],
                   'rates_per_eur': [{'from': f, 'rate': r} for f, r in CURRENCIES[code][3]]}
            for code in CURRENCIES}

    def company_(self):
        party = self.create('party.party', name=COMPANY, code='KESTREL')
        self.company = self.create(
            'company.company', party=party.id, currency=self.currency['EUR']).id
        User = self.get('res.user')
        admin = User.search([('login', '=', 'admin')])
        User.write(admin, {'companies': [('add', [self.company])], 'company': self.company})
        self.facts['company'] = {'id': self.company, 'party': party.id, 'name': COMPANY,
                                 'currency': 'EUR'}

    # -- books ---------------------------------------------------------------
    def chart(self):
        Chart = self.get('account.create_chart', type='wizard')
        session, _, _ = Chart.create()
        wizard = Chart(session)
        wizard.account.account_template = self.xml_id('account', 'account_template_root_en')
        wizard.account.company = self.company
        wizard.transition_create_account()
        Account = self.get('account.account')

        def usable(kind):
            found, = Account.search([
                ('type.' + kind, '=', True), ('company', '=', self.company),
                ('closed', '!=', True), ('party_required', '=', True)], limit=1)
            return found.id
        self.account = {'receivable': usable('receivable'), 'payable': usable('payable')}
        wizard.properties.company = self.company
        wizard.properties.account_receivable = self.account['receivable']
        wizard.properties.account_payable = self.account['payable']
        wizard.transition_create_properties()
        for key, (code, name, like) in ACCOUNTS.items():
            model, = Account.search([('code', '=', like), ('company', '=', self.company)])
            self.account[key] = self.create(
                'account.account', code=code, name=name, company=self.company,
                type=model.type.id, closed=False).id
        self.facts['accounts'] = self.account
        self.facts['account_codes'] = {key: code for key, (code, _, _) in ACCOUNTS.items()}
        # An invoice created over the API has no journal of its own, and cannot be posted without.
        journals = {j.code: j.id for j in self.get('account.journal').search([])}
        method = self.create(
            'account.invoice.payment.method', name='Bank transfer', company=self.company,
            journal=journals['CASH'], debit_account=self.account['bank'],
            credit_account=self.account['bank'])
        self.facts['journals'] = journals
        self.facts['payment_methods'] = {'bank': method.id}

    def years(self):
        Types = self.get('ir.sequence.type')

        def sequence(name, kind):
            type_, = Types.search([('name', '=', kind)])
            return self.create('ir.sequence.strict', name=name, sequence_type=type_.id,
                               company=self.company, prefix=name[:1] + name[-4:] + '-').id
        Year = self.get('account.fiscalyear')
        Period = self.get('account.period')
        for year in YEARS:
            invoices = sequence(f'Invoices {year}', 'Invoice')
            credits_ = sequence(f'Credit notes {year}', 'Invoice')
            record = self.create(
                'account.fiscalyear', name=str(year), company=self.company,
                start_date=dt.date(year, 1, 1), end_date=dt.date(year, 12, 31),
                move_sequence=sequence(f'Moves {year}', 'Account Move'),
                invoice_sequences=[('create', [{
                    'company': self.company,
                    'out_invoice_sequence': invoices, 'in_invoice_sequence': invoices,
                    'out_credit_note_sequence': credits_,
                    'in_credit_note_sequence': credits_}])])
            Year.create_period([record])
        closed = Period.search([('end_date', '<=', CLOSED_UNTIL), ('company', '=', self.company)])
        Period.close(closed)
        self.facts['fiscal_years'] = [
            {'id': y.id, 'name': y.name, 'state': y.state,
             'start': str(y.start_date), 'end': str(y.end_date)}
            for y in Year.search([], order=[('start_date', 'ASC')])]
        self.facts['periods'] = [
            {'id': p.id, 'name': p.name, 'state': p.state,
             'start': str(p.start_date), 'end': str(p.end_date)}
            for p in Period.search([], order=[('start_date', 'ASC')])]

    def taxes(self):
        self.tax = {}
        for key, (name, rate, account) in TAXES.items():
            self.tax[key] = self.create(
                'account.tax', name=name, description=name, company=self.company,
                type='percentage', rate=D(rate), invoice_account=self.account[account],
                credit_note_account=self.account[account]).id
        # The reverse-charge rule turns either domestic rate into the 0 % one.
        self.rule = self.create(
            'account.tax.rule', name='Reverse charge', kind='sale', company=self.company,
            lines=[('create', [
                {'origin_tax': self.tax[origin], 'tax': self.tax['reverse']}
                for origin in ('standard', 'reduced')])]).id
        self.facts['taxes'] = {
            k: {'id': self.tax[k], 'name': v[0], 'rate': v[1], 'account': self.account[v[2]]}
            for k, v in TAXES.items()}
        self.facts['tax_rules'] = {'reverse_charge': self.rule}

    # -- what is sold --------------------------------------------------------
    def products(self):
        Uom = self.get('product.uom')
        self.uom = {'hour': Uom.search([('name', '=', 'Hour')])[0].id,
                    'unit': Uom.search([('name', '=', 'Unit')])[0].id}
        category = {}
        for key, (name, account, tax) in CATEGORIES.items():
            values = {'name': name, 'accounting': True}
            if account:
                values['account_revenue'] = self.account[account]
            if tax:
                values['customer_taxes'] = [('add', [self.tax[tax]])]
            category[key] = self.create('product.category', **values).id
        self.product = {}
        facts = {}
        for code, (name, uom, price, cat) in PRODUCTS.items():
            template = self.create(
                'product.template', name=name, code=code, type='service',
                default_uom=self.uom[uom], list_price=D(price),
                account_category=category[cat], products=[('create', [{}])])
            self.product[code] = template.products[0].id
            account, tax = CATEGORIES[cat][1], CATEGORIES[cat][2]
            facts[code] = {
                'id': self.product[code], 'template': template.id, 'name': name,
                'unit': uom, 'unit_id': self.uom[uom], 'list_price': price,
                'category': category[cat],
                'revenue_account': self.account[account] if account else None,
                'tax': tax, 'tax_id': self.tax[tax] if tax else None}
        self.facts['units'] = self.uom
        self.facts['products'] = facts

    # -- who buys, who works -------------------------------------------------
    def customers(self):
        term = self.create(
            'account.invoice.payment_term', name='Net 30',
            lines=[('create', [{'type': 'remainder',
                                'relativedeltas': [('create', [{'days': 30}])]}])])
        self.facts['payment_terms'] = {'net_30': term.id}
        self.party = {}
        facts = {}
        for i, (code, (name, currency, reverse, active)) in enumerate(CUSTOMERS.items()):
            party = self.create(
                'party.party', name=name, code=code, active=active,
                customer_payment_term=term.id,
                customer_tax_rule=self.rule if reverse else None,
                addresses=[('create', [{'street': f'{i + 1} Harbour Street',
                                        'city': 'Kestrelton', 'invoice': True}])])
            self.party[code] = party.id
            facts[code] = {
                'id': party.id, 'name': name, 'address': party.addresses[0].id,
                'billing_currency': currency, 'active': active,
                'tax_rule': self.rule if reverse else None,
                'receivable_account': self.account['receivable']}
        self.facts['customers'] = facts

    def employees(self):
        facts = {}
        for code, (name, mail, old, new, last) in EMPLOYEES.items():
            mail += '@kestrel.example'
            party = self.create(
                'party.party', name=name, code=code,
                contact_mechanisms=[('create', [{'type': 'email', 'value': mail}])])
            employee = self.create(
                'company.employee', party=party.id, company=self.company,
                start_date=HIRED, end_date=day(last),
                cost_prices=[('create', [
                    {'date': HIRED, 'cost_price': D(old)},
                    {'date': dt.date(2026, 1, 1), 'cost_price': D(new)}])])
            facts[code] = {'id': employee.id, 'party': party.id, 'name': name, 'mail': mail,
                           'end_date': last,
                           'cost_prices': [{'from': str(HIRED), 'price': old},
                                           {'from': '2026-01-01', 'price': new}]}
        self.facts['employees'] = facts

    # -- the work ------------------------------------------------------------
    def work(self, last=None, **values):
        """A project or task, and the separate record that its hours are booked on."""
        record = self.create('project.work', company=self.company, **values)
        hours = self.create('timesheet.work', company=self.company,
                            origin=f'project.work,{record.id}', timesheet_end_date=day(last))
        return record.id, hours.id

    def projects(self):
        facts = {}
        for code, (name, customer, kind, tasks) in PROJECTS.items():
            method = 'timesheet' if kind == 'time_and_materials' else 'manual'
            values = {'type': 'project', 'number': code, 'name': name,
                      'project_invoice_method': method}
            if customer:
                values['party'] = self.party[customer]
            project, timesheet = self.work(**values)
            task_facts = {}
            for number, task_name, product, hours, last in tasks:
                values = {'type': 'task', 'number': number, 'name': task_name,
                          'effort_duration': dt.timedelta(hours=hours)}
                if product and PRODUCTS[product][1] == 'hour':
                    values['product'] = self.product[product]
                    # the form would fill the price in; the server's create does not
                    values['list_price'] = D(PRODUCTS[product][2])
                id_, task_timesheet = self.work(parent=project, last=last, **values)
                task_facts[number] = {
                    'id': id_, 'name': task_name, 'timesheet_work': task_timesheet,
                    'product': product, 'effort_hours': hours, 'timesheet_end_date': last}
            facts[code] = {
                'id': project, 'name': name, 'kind': kind, 'invoice_method': method,
                'customer': customer, 'party': self.party.get(customer),
                'timesheet_work': timesheet, 'tasks': task_facts}
        self.facts['projects'] = facts

    def connector_user(self, password):
        user = self.create(
            'res.user', name='Counterfoil connector', login=CONNECTOR_LOGIN, password=password,
            companies=[('add', [self.company])], company=self.company,
            groups=[('add', [self.xml_id(m, n) for m, n in CONNECTOR_GROUPS])])
        self.facts['users'] = {
            'connector': {'id': user.id, 'login': CONNECTOR_LOGIN},
            'admin': {'id': self.get('res.user').search([('login', '=', 'admin')])[0].id,
                      'login': 'admin'}}


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument('--config', required=True)
    ap.add_argument('--database', required=True)
    ap.add_argument('--out', required=True)
    args = ap.parse_args()

    from trytond import config
    config.update_etc(args.config)
    from trytond.pool import Pool
    from trytond.transaction import Transaction, TransactionError
    Pool.start()
    pool = Pool(args.database)
    pool.init()
    # A model that wants a table lock asks for it by an error: begin again with the lock taken.
    extras = {'context': {'language': 'en'}}
    while True:
        seed = Seed(pool)
        try:
            with Transaction().start(args.database, 0, **extras) as transaction:
                seed.everything(transaction)
            break
        except TransactionError as error:
            error.fix(extras)
    seed.facts['closed_until'] = str(CLOSED_UNTIL)
    with open(args.out + '.part', 'w') as handle:
        json.dump(seed.facts, handle, indent=1)
    os.replace(args.out + '.part', args.out)


if __name__ == '__main__':
    main()
