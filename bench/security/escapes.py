"""SELECTs that want more than they may: other tables, writes, functions, settings, files.

Each is put to the connector on a real database. What is refused is fine; what passes may neither
change anything nor show the secret. Then each goes to the read-only connection as it stands, with
nothing in between: that may change nothing either.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import create_engine, text

from bench.postgres import create, driver
from dazi.connectors.context import ConnectorContext
from dazi.connectors.database import open_database, within
from dazi.connectors.sql import SqlConnector
from dazi.core.errors import ConnectorError
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.core.tools import Binding, Invocation, Parameter, Tool

SECRET = "S3CRET"
VIEWS = {
    "orders": "SELECT id, customer, amount FROM all_orders WHERE customer = :customer",
    "products": "SELECT id, name, price FROM items",
}
TOOL = Tool(
    "ask_data",
    Text("数据", "data"),
    Text("", ""),
    (Parameter("query", "string", Text("", ""), required=True, max_length=20_000),),
    frozenset({"staff"}),
    "read",
    "x",
    {"views": VIEWS},
    bind={"customer": Binding("customer")},
)
WHO = Principal("li", frozenset({"staff"}), MappingProxyType({"customer": "C1"}))
SETUP = (
    "CREATE TABLE all_orders (id INTEGER, customer VARCHAR(9), amount INTEGER)",
    "CREATE TABLE items (id INTEGER, name VARCHAR(20), price INTEGER)",
    "CREATE TABLE secrets (word VARCHAR(20))",
    "INSERT INTO all_orders VALUES (1, 'C1', 5), (2, 'C1', 7), (3, 'C2', 9)",
    "INSERT INTO items VALUES (1, 'cup', 3)",
    f"INSERT INTO secrets VALUES ('{SECRET}')",
)
HARMLESS = (
    "SELECT * FROM orders",
    "select customer, sum(amount) as total from orders group by customer order by total desc",
    "SELECT o.id, p.name FROM orders o JOIN products p ON p.id = o.id WHERE o.amount > 3",
    "WITH big AS (SELECT * FROM orders WHERE amount > 5) SELECT COUNT(*) AS n FROM big",
    "SELECT id FROM orders UNION SELECT id FROM products",
    "SELECT CASE WHEN amount > 5 THEN 'a:b' ELSE 'c' END AS k, ROUND(AVG(amount), 1) AS m "
    "FROM orders GROUP BY 1",
    "SELECT id, ROW_NUMBER() OVER (ORDER BY amount) AS place FROM orders;",
    "SELECT MAX(amount) - MIN(amount) AS span FROM orders WHERE customer = 'C1' -- all of them",
)

_WRITES = (
    "INSERT INTO all_orders VALUES (9, 'C1', 1)",
    "UPDATE all_orders SET amount = 0",
    "DELETE FROM all_orders",
    "DROP TABLE all_orders",
    "CREATE TABLE evil (a INTEGER)",
    "ALTER TABLE items ADD COLUMN x INTEGER",
    "TRUNCATE all_orders",
    "CREATE VIEW v AS SELECT 1",
    "CREATE INDEX i ON items (id)",
    "REPLACE INTO items VALUES (1,'x',1)",
    "MERGE INTO items USING secrets ON true WHEN MATCHED THEN DELETE",
    "GRANT ALL ON secrets TO PUBLIC",
    "CREATE ROLE evil SUPERUSER",
    "DO $$ BEGIN DELETE FROM all_orders; END $$",
    "CALL evil()",
    "VACUUM",
    "REINDEX TABLE items",
    "COMMENT ON TABLE items IS 'x'",
    "LOCK TABLE items",
    "REFRESH MATERIALIZED VIEW v",
    "CREATE EXTENSION dblink",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1'",
    "CREATE TRIGGER t AFTER INSERT ON items BEGIN SELECT 1; END",
)
_COMMANDS = (
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION dazi",
    "SET default_transaction_read_only = off",
    "RESET ALL",
    "SET TRANSACTION READ WRITE",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT a",
    "PRAGMA query_only = 0",
    "PRAGMA writable_schema = 1",
    "PRAGMA table_info(secrets)",
    "ATTACH DATABASE 'evil.sqlite' AS evil",
    "DETACH DATABASE main",
    "VACUUM INTO 'evil.sqlite'",
    "COPY secrets TO 'evil.out'",
    "COPY items FROM '/etc/passwd'",
    "COPY items FROM PROGRAM 'id'",
    "COPY (SELECT * FROM secrets) TO STDOUT",
    "LISTEN a",
    "NOTIFY a",
    "EXPLAIN ANALYZE DELETE FROM all_orders",
    "EXPLAIN SELECT * FROM secrets",
    "ANALYZE",
    "SHOW all",
    "TABLE secrets",
    "VALUES ((SELECT word FROM secrets))",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "DEALLOCATE ALL",
    "DECLARE c CURSOR FOR SELECT 1",
    "FETCH ALL FROM c",
    "LOAD 'evil'",
    "DISCARD ALL",
    "CHECKPOINT",
    "SECURITY LABEL ON TABLE items IS 'x'",
)
_FUNCTIONS = (
    "pg_read_file('/etc/passwd')",
    "pg_ls_dir('/')",
    "pg_read_binary_file('/etc/passwd')",
    "lo_import('/etc/passwd')",
    "lo_export(1,'evil.out')",
    "lo_create(0)",
    "lo_from_bytea(0, 'x')",
    "pg_sleep(30)",
    "pg_terminate_backend(1)",
    "pg_cancel_backend(1)",
    "pg_reload_conf()",
    "set_config('role','x',false)",
    "current_setting('data_directory')",
    "dblink('x','y')",
    "query_to_xml('select * from secrets',true,true,'')",
    "database_to_xml(true,true,'')",
    "table_to_xml('secrets',true,true,'')",
    "schema_to_xml('public',true,true,'')",
    "cursor_to_xml('c',1,true,true,'')",
    "pg_stat_file('/')",
    "pg_file_write('evil.out','x',false)",
    "nextval('s')",
    "setval('s',1)",
    "pg_advisory_lock(1)",
    "pg_advisory_xact_lock(1)",
    "pg_notify('a','b')",
    "txid_current()",
    "pg_logical_emit_message(true,'a','b')",
    "pg_create_restore_point('x')",
    "pg_switch_wal()",
    "pg_start_backup('x')",
    "inet_server_addr()",
    "version()",
    "current_user",
    "session_user",
    "load_extension('evil')",
    "readfile('/etc/passwd')",
    "writefile('evil.out','x')",
    "edit('x')",
    "fts3_tokenizer('x')",
    "randomblob(1000000000)",
    "zeroblob(1000000000)",
    "sqlite_version()",
    "sqlite_compileoption_get(1)",
    "pragma_table_info('secrets')",
    "json_each('[1]')",
    "generate_series(1,1000000000)",
    "repeat('a',1000000000)",
    "printf('%1000000000d',1)",
    "format('%1000000000s','a')",
    "xpath('/','<a/>')",
    "xmlparse(document '<a/>')",
    "convert_from('x','utf8')",
    "encode('x','hex')",
    "ts_stat('select * from secrets')",
    "pg_get_viewdef('v')",
    "obj_description(1)",
    "has_table_privilege('secrets','select')",
    "to_regclass('secrets')",
    "regexp_replace('a','b','c')",
    "random()",
    "now()",
)
_TABLES = (
    "secrets",
    "SECRETS",
    '"secrets"',
    "main.secrets",
    "public.secrets",
    "[secrets]",
    "`secrets`",
    "sqlite_master",
    "sqlite_schema",
    "sqlite_temp_master",
    "pg_catalog.pg_class",
    "pg_class",
    "pg_shadow",
    "pg_authid",
    "pg_stat_activity",
    "information_schema.tables",
    "information_schema.columns",
    "all_orders",
    "items",
    "pragma_table_info('secrets')",
    "pragma_database_list",
    "dbstat",
    "json_each('[1]')",
    "generate_series(1,9)",
    "temp.secrets",
    "yunshan.public.secrets",
    "sec\u200brets",
    "ｓｅｃｒｅｔｓ",
    "only secrets",
    "lateral (select * from secrets) l",
    "(values (1)) v",
    "rows from (generate_series(1,9)) r",
    "xmltable('/' passing '<a/>' columns a text)",
)
_FRAMES = (
    "SELECT * FROM {t}",
    "SELECT * FROM orders, {t}",
    "SELECT * FROM orders JOIN {t} ON 1=1",
    "SELECT (SELECT word FROM {t}) FROM orders",
    "SELECT * FROM orders WHERE EXISTS (SELECT 1 FROM {t})",
    "SELECT id FROM orders UNION ALL SELECT word FROM {t}",
    "WITH a AS (SELECT * FROM {t}) SELECT * FROM a",
    "SELECT * FROM (SELECT * FROM {t}) x",
    "SELECT id FROM orders ORDER BY (SELECT 1 FROM {t})",
)
_ODD = (
    "",
    ";",
    "--",
    "/*",
    "SELECT",
    "SELECT * FROM orders; SELECT * FROM secrets",
    "SELECT 1) AS a; DROP TABLE items; --",
    "SELECT 1) AS answer LIMIT 1 --",
    "SELECT * FROM orders) AS answer UNION SELECT word, 1, 1 FROM secrets --",
    "SELECT * FROM orders /*! UNION SELECT word FROM secrets */",
    "SELECT * FROM orders -- \n; DELETE FROM items",
    "SELECT ':customer', :customer",
    "SELECT ? FROM orders",
    "SELECT $1",
    "SELECT %s, %(x)s",
    "SELECT E'\\'; DROP TABLE items; --'",
    "SELECT $$a$$; DROP TABLE items",
    "SELECT U&'\\0053'",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT * FROM n",
    "WITH orders AS (SELECT * FROM secrets) SELECT * FROM orders",
    "WITH x AS (DELETE FROM items RETURNING *) SELECT * FROM x",
    "WITH x AS (INSERT INTO items VALUES (1,'a',1) RETURNING *) SELECT * FROM x",
    "WITH x AS (UPDATE items SET price=0 RETURNING *) SELECT * FROM x",
    "SELECT * INTO evil FROM orders",
    "SELECT * INTO OUTFILE 'evil.out' FROM orders",
    "SELECT * FROM orders FOR UPDATE",
    "SELECT * FROM orders FOR SHARE",
    "SELECT 'secrets'::regclass",
    "SELECT CAST('secrets' AS regclass)",
    "SELECT ROW(o) FROM orders o",
    "SELECT o FROM orders o",
    "SELECT o.tableoid FROM orders o",
    "SELECT @@version",
    "SELECT @a := 1",
    "SELECT ARRAY(SELECT word FROM secrets)",
    "SELECT xmlagg(x) FROM secrets x",
    "SELECT secrets.word FROM orders",
    "SELECT main.secrets.word FROM orders",
    "SELECT * FROM orders o, o.id",
    "select/**/word/**/from/**/secrets",
    "SELECT word FROM\tsecrets",
    "SELECT\x0bword\x0cFROM secrets",
    "SELECT word FROM secrets\x00",
    "ＳＥＬＥＣＴ word FROM secrets",
    "SELECT word FROM/**/secrets WHERE 'a' = 'a' OR 1=1",
    "(SELECT word FROM secrets)",
    "((SELECT 1)) UNION (SELECT word FROM secrets)",
    "SELECT * FROM orders TABLESAMPLE BERNOULLI (1)",
    "SELECT 1 FROM orders GROUP BY ROLLUP(id)",
    "SELECT " + "(" * 300 + "1" + ")" * 300,
    "SELECT " + "+".join(["1"] * 900),
    "SELECT * FROM orders WHERE id IN (" + ",".join(map(str, range(3000))) + ")",
    "SELECT COUNT(*) FROM orders a, orders b, orders c, orders d, orders e",
)


@dataclass(slots=True)
class Report:
    tried: int = 0
    refused: int = 0
    harmless: int = 0
    seconds: float = 0.0
    found: Counter[str] = field(default_factory=Counter)


def escapes() -> Iterator[str]:
    for text_ in (*_WRITES, *_COMMANDS):
        yield text_
        yield f"SELECT * FROM orders; {text_}"
        yield f"{text_}; SELECT * FROM orders"
        yield f"WITH x AS ({text_}) SELECT * FROM x"
    for call in _FUNCTIONS:
        yield f"SELECT {call}"
        yield f"SELECT * FROM {call}"
        yield f"SELECT id FROM orders WHERE {call} IS NOT NULL"
    for table in _TABLES:
        for frame in _FRAMES:
            yield frame.format(t=table)
    yield from _ODD


def prepare(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in SETUP:
            connection.execute(text(statement))
    engine.dispose()


def state(url: str) -> Any:
    """All that could have been changed: every table, its columns and rows."""
    engine = create_engine(url)
    lite = engine.dialect.name == "sqlite"
    names = (
        "SELECT name FROM sqlite_master"
        if lite
        else "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
        "UNION SELECT rolname FROM pg_roles UNION SELECT extname FROM pg_extension"
    )
    with engine.connect() as connection:
        out = [sorted(connection.execute(text(names)).scalars())]
        for table in sorted({"all_orders", "items", "secrets"} & set(out[0])):
            rows = connection.execute(text(f"SELECT * FROM {table}"))
            out.append([list(rows.keys()), sorted(map(tuple, rows))])
    engine.dispose()
    return out


async def attack(url: str, plain: str, data: Path, every: int = 1) -> Report:
    """``url`` as in a company's settings, ``plain`` for a driver without asyncio; ``every``: one
    of so many is tried."""
    report = Report()
    began = time.perf_counter()
    database = open_database("x", url, ConnectorContext(data, data))
    connector = SqlConnector(database)
    connector.check(TOOL)
    before = state(plain)
    for query in HARMLESS:
        rows = await connector.execute(_invocation(query))
        report.harmless += 1
        if "C2" in str(rows) or not rows:
            report.found["a harmless SELECT does not work, or shows another's rows"] += 1
    for query in islice(escapes(), 0, None, every):
        report.tried += 1
        try:
            rows = await connector.execute(_invocation(query))
            if SECRET in str(rows):
                report.found[f"shows the secret: {query[:80]}"] += 1
            if "C2" in str(rows):
                report.found[f"shows another's rows: {query[:80]}"] += 1
        except ConnectorError:
            report.refused += 1
        await _as_it_stands(database.reader, query)
    if state(plain) != before:
        report.found["something was changed"] += 1
    await connector.close()
    report.seconds = time.perf_counter() - began
    return report


async def _as_it_stands(reader: Any, query: str) -> None:
    async def work(connection: Any) -> None:
        await connection.exec_driver_sql(query)
        await connection.commit()

    try:
        await within(reader, 0.2, work)
    except Exception:  # whatever the database thinks of it
        return


def _invocation(query: str) -> Invocation:
    return Invocation(TOOL, {"query": query}, {"customer": "C1"}, WHO, "key-1", 1.0, "2025-04-03")


def run_sqlite(data: Path, every: int = 1) -> Report:
    plain = f"sqlite:///{data}/books.sqlite"
    prepare(plain)
    return asyncio.run(attack(plain, plain, data, every))


def run_postgres(data: Path, url: str) -> Report:
    """``url`` of a server, without a database's name."""
    create(url, "escapes")
    plain = f"{driver(url)}/escapes"
    prepare(plain)
    return asyncio.run(attack(f"{url}/escapes", plain, data))
