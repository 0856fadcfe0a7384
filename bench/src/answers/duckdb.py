"""The peak of every product by DuckDB's window form, from a store of its own.

duckdb.py load STORE ROWS                 makes the store of a CSV file
duckdb.py peaks STORE THREADS ROUNDS      prints the peaks, the fastest round and the memory as JSON
"""

import json
import sys
import time

import duckdb

# At one instant ends come first, then beginnings, then the ends of sessions of no length.
PEAKS = """
SELECT product, max(level) FROM (
    SELECT product, sum(change) OVER (
        PARTITION BY product ORDER BY place ROWS UNBOUNDED PRECEDING
    ) AS level FROM (
        SELECT product, started_ms * 4 + 1 AS place, 1 AS change FROM sessions
        UNION ALL
        SELECT product,
            ended_ms * 4 + CASE WHEN ended_ms = started_ms THEN 2 ELSE 0 END AS place,
            -1 AS change
        FROM sessions
    )
) GROUP BY product
"""


def load(store, rows):
    with duckdb.connect(store) as connection:
        connection.execute(
            "CREATE TABLE sessions (product INTEGER, person INTEGER, computer INTEGER, "
            "started_ms BIGINT, ended_ms BIGINT)"
        )
        quoted = rows.replace("'", "''")
        connection.execute(f"COPY sessions FROM '{quoted}' (FORMAT csv, HEADER false)")
        connection.execute("CHECKPOINT")


def peaks(store, threads, rounds):
    with duckdb.connect(store, read_only=True) as connection:
        connection.execute(f"SET threads = {int(threads)}")
        fastest, found = float("inf"), []
        for _ in range(int(rounds)):
            began = time.perf_counter()
            found = connection.execute(PEAKS).fetchall()
            fastest = min(fastest, time.perf_counter() - began)
    by_product = {str(product): int(level) for product, level in found}
    answer = {"seconds": fastest, "memory_bytes": most_bytes(), "peaks": by_product}
    print(json.dumps(answer))


def most_bytes():
    # What getrusage says may be the memory of the process that started this one.
    with open("/proc/self/status", encoding="utf-8") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    raise SystemExit("the system does not say how much memory this process had")


if __name__ == "__main__":
    {"load": load, "peaks": peaks}[sys.argv[1]](*sys.argv[2:])
