# SPDX-License-Identifier: Apache-2.0
"""Serve Tryton for every database of the cluster, also for those made while it runs.

The server's own command loads several databases in threads that share one loop variable, and a
login to a database that is not loaded yet ends in a KeyError (seen with 8.2.1). So this
starts the same application, loads the databases it is given one after the other, and any
other one before the first request that names it.

    tryton_serve.py --config trytond.conf --listen HOST:PORT DATABASE...
"""
import argparse
import logging
import threading


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument('--config', required=True)
    ap.add_argument('--listen', required=True)
    ap.add_argument('databases', nargs='+')
    args = ap.parse_args()
    logging.basicConfig(
        level=logging.INFO, format='%(asctime)s %(levelname)s %(name)s %(message)s')

    from trytond import config
    config.update_etc(args.config)
    import psycopg
    from trytond.pool import Pool
    from trytond.wsgi import app
    from werkzeug.serving import run_simple

    loaded, lock = set(), threading.Lock()
    cluster = config.get('database', 'uri').rstrip('/') + '/postgres'

    def exists(name):
        with psycopg.connect(cluster) as connection:
            return connection.execute(
                'SELECT 1 FROM pg_database WHERE datname = %s AND datallowconn',
                (name,)).fetchone() is not None

    def load(name):
        if name in loaded:
            return
        with lock:
            if name not in loaded and exists(name):
                Pool(name).init()
                loaded.add(name)

    def serve(environ, start_response):
        first, _, rest = environ.get('PATH_INFO', '').lstrip('/').partition('/')
        if rest:    # /rpc/ without a database has no rest
            load(first)
        return app(environ, start_response)

    Pool.start()
    for name in args.databases:
        load(name)
    host, _, port = args.listen.rpartition(':')
    run_simple(host, int(port), serve, threaded=True)


if __name__ == '__main__':
    main()
