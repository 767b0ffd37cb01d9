# SPDX-License-Identifier: GPL-3.0-or-later
"""Counterfoil's key on the billing records of Tryton; key.py says what it guarantees."""
