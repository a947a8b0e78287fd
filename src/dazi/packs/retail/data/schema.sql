CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);

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
    item TEXT NOT NULL,
    amount NUMERIC(12, 2) NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('placed', 'packed', 'shipped', 'delivered', 'refunded')),
    ordered_on TEXT NOT NULL,
    expected_ship_date TEXT,
    shipped_on TEXT,
    delivered_on TEXT
);

CREATE TABLE IF NOT EXISTS refunds (
    key TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    amount NUMERIC(12, 2) NOT NULL,
    reason TEXT NOT NULL,
    created_on TEXT NOT NULL
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
