CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS customers (
    customer_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    city TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS accounts (
    account_id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('current', 'savings')),
    balance NUMERIC(14, 2) NOT NULL,
    available NUMERIC(14, 2) NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'dormant', 'closed')),
    opened_on TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS cards (
    card_id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    last4 TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('debit', 'credit')),
    status TEXT NOT NULL CHECK (status IN ('active', 'frozen', 'expired')),
    expires TEXT NOT NULL,
    frozen_reason TEXT,
    frozen_by TEXT,
    frozen_on TEXT
);

CREATE TABLE IF NOT EXISTS loans (
    loan_id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    principal NUMERIC(14, 2) NOT NULL,
    yearly_rate NUMERIC(6, 4) NOT NULL,
    months INTEGER NOT NULL,
    begun_on TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS instalments (
    loan_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    due_on TEXT NOT NULL,
    principal NUMERIC(14, 2) NOT NULL,
    interest NUMERIC(14, 2) NOT NULL,
    paid_on TEXT,
    PRIMARY KEY (loan_id, number)
);

CREATE TABLE IF NOT EXISTS transactions (
    transaction_id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    at TEXT NOT NULL,
    amount NUMERIC(14, 2) NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
    channel TEXT NOT NULL,
    country TEXT NOT NULL,
    city TEXT NOT NULL,
    device TEXT,
    ip TEXT NOT NULL,
    counterparty TEXT NOT NULL,
    category TEXT NOT NULL,
    outcome TEXT CHECK (outcome IN ('fraud', 'genuine'))
);
CREATE INDEX IF NOT EXISTS transactions_of_account ON transactions (account_id, at);
