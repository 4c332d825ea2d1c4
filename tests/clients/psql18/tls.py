"""TLS from the first byte (sslnegotiation=direct) by libpq 18, with and without the checks of a certificate.

PostgreSQL has it since 17. Usage: psql18/tls.py INFLOWAVE_URL AUTHORITY
"""

import sys

import psycopg

url, authority = sys.argv[1:3]
assert psycopg.pq.version() >= 180000, psycopg.pq.version()

VERIFIED = f"sslmode=verify-full&sslrootcert={authority}"
for how in ("sslmode=require", VERIFIED):
    for protocol, number in (("", 30000), ("&min_protocol_version=3.2", 30002)):
        with psycopg.connect(f"{url}?{how}&sslnegotiation=direct{protocol}") as connection:
            assert connection.pgconn.ssl_in_use
            assert connection.pgconn.full_protocol_version == number
            assert connection.execute("select 1").fetchone() == (1,)
            connection.cancel_safe(timeout=10)
            assert connection.execute("select 2").fetchone() == (2,)
# libpq itself refuses what would be no encryption at all.
try:
    psycopg.connect(f"{url}?sslmode=prefer&sslnegotiation=direct")
except psycopg.OperationalError as error:
    assert "sslnegotiation" in str(error), error
else:
    raise AssertionError("no error")
print("4 ways of direct TLS work")
