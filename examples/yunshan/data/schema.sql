CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS customers (
    customer_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    city TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS products (
    sku TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    name_en TEXT NOT NULL,
    aliases TEXT NOT NULL,
    category TEXT NOT NULL,
    category_en TEXT NOT NULL,
    price NUMERIC(12, 2) NOT NULL,
    rating NUMERIC(2, 1) NOT NULL,
    review TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS orders (
    order_id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    sku TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    amount NUMERIC(12, 2) NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('placed', 'packed', 'shipped', 'delivered', 'refunded')),
    ordered_on TEXT NOT NULL,
    expected_ship_date TEXT,
    shipped_on TEXT,
    carrier TEXT,
    tracking_no TEXT,
    delivered_on TEXT,
    note TEXT
);
CREATE INDEX IF NOT EXISTS orders_of_customer ON orders (customer_id, ordered_on);

CREATE TABLE IF NOT EXISTS refunds (
    refund_id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    cents INTEGER NOT NULL CHECK (cents > 0),
    reason TEXT NOT NULL,
    created_on TEXT NOT NULL,
    key TEXT UNIQUE
);

CREATE TABLE IF NOT EXISTS inventory (
    sku TEXT PRIMARY KEY,
    quantity INTEGER NOT NULL,
    warehouse TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS sales (
    month TEXT NOT NULL,
    region TEXT NOT NULL,
    sku TEXT NOT NULL,
    amount NUMERIC(14, 2) NOT NULL,
    PRIMARY KEY (month, region, sku)
);

CREATE TABLE IF NOT EXISTS budgets (
    dept TEXT NOT NULL,
    quarter TEXT NOT NULL,
    budget NUMERIC(14, 2) NOT NULL,
    spent NUMERIC(14, 2) NOT NULL,
    PRIMARY KEY (dept, quarter)
);

CREATE TABLE IF NOT EXISTS budget_lines (
    dept TEXT NOT NULL,
    quarter TEXT NOT NULL,
    category TEXT NOT NULL,
    spent NUMERIC(14, 2) NOT NULL,
    PRIMARY KEY (dept, quarter, category)
);

CREATE TABLE IF NOT EXISTS employees (
    employee_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    name_en TEXT NOT NULL,
    department TEXT NOT NULL,
    city TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS leave_balances (
    employee_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    days NUMERIC(4, 1) NOT NULL,
    PRIMARY KEY (employee_id, kind)
);

CREATE TABLE IF NOT EXISTS rooms (
    room TEXT PRIMARY KEY,
    city TEXT NOT NULL,
    city_en TEXT NOT NULL,
    floor INTEGER NOT NULL,
    capacity INTEGER NOT NULL,
    features TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS bookings (
    booking_id TEXT PRIMARY KEY,
    room TEXT NOT NULL,
    date TEXT NOT NULL,
    start TEXT NOT NULL,
    "end" TEXT NOT NULL,
    employee_id TEXT NOT NULL,
    key TEXT UNIQUE
);
CREATE INDEX IF NOT EXISTS bookings_of_room ON bookings (room, date);

CREATE TABLE IF NOT EXISTS tickets (
    ticket_id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    priority TEXT NOT NULL,
    status TEXT NOT NULL,
    opened_by TEXT NOT NULL,
    opened_on TEXT NOT NULL,
    key TEXT UNIQUE
);

CREATE TABLE IF NOT EXISTS transactions (
    transaction_id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    amount NUMERIC(14, 2) NOT NULL,
    at TEXT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
    channel TEXT NOT NULL,
    country TEXT NOT NULL,
    city TEXT NOT NULL,
    latitude NUMERIC(7, 4) NOT NULL,
    longitude NUMERIC(7, 4) NOT NULL,
    device TEXT,
    ip TEXT NOT NULL,
    counterparty TEXT NOT NULL,
    category TEXT NOT NULL,
    outcome TEXT CHECK (outcome IN ('fraud', 'genuine'))
);
CREATE INDEX IF NOT EXISTS transactions_of_account ON transactions (account_id, at);
