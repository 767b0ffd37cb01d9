# SPDX-License-Identifier: GPL-3.0-or-later
"""A key that another system chooses, held unique by the database.

Counterfoil derives the key of every posting before it calls Tryton. When a call ends without an
answer, the same call can be made again: either it creates the record, or the database refuses the
second one and the record is found by its key. Records that people make carry no key and are not
affected, since a unique constraint does not compare NULLs.
"""
from trytond.model import Unique, fields
from trytond.pool import PoolMeta


class KeyMixin:
    __slots__ = ()

    # strip=False: the stored key is byte for byte the one that was sent
    external_key = fields.Char(
        "External Key", strip=False,
        help="Set by the system that created the record, to recognise it again. "
        "At most one record of a kind has a given key.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        table = cls.__table__()
        cls._sql_constraints.append((
                'external_key_unique', Unique(table, table.external_key),
                'counterfoil_key.msg_external_key_taken'))

    @classmethod
    def preprocess_values(cls, mode, values):
        values = super().preprocess_values(mode, values)
        # Emptying the field in a form sends '', of which the database would allow only one.
        if values.get('external_key') == '':
            values['external_key'] = None
        return values

    @classmethod
    def copy(cls, records, default=None):
        # A copy is another business fact than the one the key names.
        default = dict(default) if default is not None else {}
        default.setdefault('external_key', None)
        return super().copy(records, default=default)


class Invoice(KeyMixin, metaclass=PoolMeta):
    __name__ = 'account.invoice'


class InvoiceLine(KeyMixin, metaclass=PoolMeta):
    __name__ = 'account.invoice.line'


class TimesheetLine(KeyMixin, metaclass=PoolMeta):
    __name__ = 'timesheet.line'
