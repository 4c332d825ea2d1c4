"""Presses Tab twice behind each of these beginnings, in a psql on a terminal of its own."""

import os
import pty
import select
import sys
import time

BEGINNINGS = """
SELECT * FROM 
SELECT * FROM cu
SELECT * FROM public.
SELECT * FROM sales.o
TABLE 
INSERT INTO 
UPDATE 
UPDATE customers SET 
DELETE FROM 
TRUNCATE 
ALTER TABLE 
ALTER TABLE customers ALTER COLUMN 
ALTER TABLE customers DROP CONSTRAINT 
ALTER TABLE customers RENAME 
ALTER TABLE measurements DETACH PARTITION 
ALTER INDEX 
ALTER VIEW 
ALTER MATERIALIZED VIEW 
ALTER SEQUENCE 
ALTER TYPE 
ALTER DOMAIN 
ALTER FUNCTION 
ALTER FUNCTION add_tax(
ALTER ROLE 
ALTER SCHEMA 
ALTER DATABASE 
ALTER EXTENSION 
ALTER POLICY 
ALTER TRIGGER 
ALTER PUBLICATION 
ALTER SUBSCRIPTION 
ALTER SERVER 
ALTER FOREIGN DATA WRAPPER 
ALTER AGGREGATE 
ALTER COLLATION 
ALTER STATISTICS 
ALTER TEXT SEARCH CONFIGURATION 
ALTER EVENT TRIGGER 
ALTER SYSTEM SET 
COMMENT ON COLUMN 
COMMENT ON CONSTRAINT 
CREATE INDEX ON 
CREATE INDEX ON customers (
CREATE INDEX ON customers USING 
CREATE TRIGGER x BEFORE UPDATE ON 
CREATE EXTENSION 
CREATE TABLE x OF 
DROP TABLE 
DROP VIEW 
DROP INDEX 
DROP TYPE 
DROP FUNCTION 
DROP SCHEMA 
DROP TRIGGER customers_touch ON 
DROP POLICY products_cheap ON 
GRANT SELECT ON 
GRANT SELECT ON customers TO 
REVOKE ALL ON SCHEMA 
LOCK TABLE 
VACUUM 
ANALYZE 
CLUSTER 
REINDEX TABLE 
REINDEX SCHEMA 
REFRESH MATERIALIZED VIEW 
COPY 
SET 
SET search_path TO 
SET timezone TO 
SET ROLE 
SET time
SHOW 
RESET 
EXPLAIN SELECT * FROM 
SELECT cust
SELECT id FROM customers WHERE na
CALL 
LISTEN 
DEALLOCATE 
EXECUTE 
FETCH 
CLOSE 
\\c 
\\d 
\\d cu
\\d sales.
\\da 
\\dA 
\\dAc btree 
\\db 
\\dconfig 
\\dD 
\\des 
\\det 
\\deu 
\\dew 
\\df 
\\df ma
\\di 
\\dm 
\\dn 
\\dp 
\\dPi 
\\ds 
\\dt 
\\dT 
\\du 
\\dv 
\\dX 
\\dx 
\\dy 
\\dF 
\\ef 
\\ev 
\\sf 
\\sv 
\\h 
\\encoding 
"""


def main():
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="dumb", INPUTRC="/dev/null", PSQL_PAGER="cat", PSQL_HISTORY="/dev/null")
        os.execvp("psql", ["psql", "-X"])

    def until_quiet(seconds):
        text, end = b"", time.monotonic() + seconds
        while time.monotonic() < end:
            ready, _, _ = select.select([terminal], [], [], 0.06)
            if ready:
                try:
                    text += os.read(terminal, 65536)
                except OSError:
                    # psql has ended.
                    break
            elif text:
                break
        return text

    until_quiet(5)
    for beginning in BEGINNINGS.strip("\n").split("\n"):
        os.write(terminal, beginning.encode() + b"\t\t")
        shown = until_quiet(2)
        # A long list is asked about, or paged.
        for _ in range(30):
            if shown.rstrip().endswith((b"(y or n)", b"--More--")):
                os.write(terminal, b"n" if b"(y or n)" in shown else b"q")
                shown = until_quiet(0.5)
            else:
                break
        # End of line, kill it.
        os.write(terminal, b"\x05\x15")
        until_quiet(0.2)
    os.write(terminal, b"\x03\n\\q\n")
    until_quiet(1)
    _, status = os.waitpid(pid, 0)
    sys.exit(os.waitstatus_to_exitcode(status))


main()
