"""Values that every driver must read as PostgreSQL gives them: a literal and its type."""

VALUES = [
    ("true", "bool"),
    ("-32768", "int2"),
    ("2147483647", "int4"),
    ("-9223372036854775808", "int8"),
    ("0.1", "float4"),
    ("-Infinity", "float8"),
    ("5e-324", "float8"),
    ("12345678901234567890.123456789", "numeric"),
    ("-0.00001", "numeric"),
    ("łąka 'x' \\", "text"),
    ("", "text"),
    ("\\x00ff27", "bytea"),
    ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "uuid"),
    ("2024-02-29", "date"),
    ("23:59:59.999999", "time"),
    ("2024-02-29 12:00:00.000001", "timestamp"),
    ("1969-12-31 23:59:59.5+00", "timestamptz"),
    ("3 days 04:05:06.7", "interval"),
]


def literal(text, type_name):
    return "'" + text.replace("'", "''") + "'::" + type_name


TABLE = (
    "(values (1, 'a', date '2024-01-01', 1.50::numeric(10,2)), "
    "(2, 'b', date '2024-01-02', 2.50), (3, null, null, null)) v(i, t, d, n)"
)
