-- The tables as the code made them at commit a08a984.

CREATE TABLE audit_records (
    seq INTEGER NOT NULL,
    at FLOAT NOT NULL,
    kind VARCHAR(16) NOT NULL,
    "user" VARCHAR(200) NOT NULL,
    turn VARCHAR(40) NOT NULL,
    body TEXT NOT NULL,
    previous VARCHAR(64) NOT NULL,
    hash VARCHAR(64) NOT NULL,
    PRIMARY KEY (seq)
);
CREATE INDEX ix_audit_records_turn ON audit_records (turn);

CREATE TABLE intents (
    key VARCHAR(64) NOT NULL,
    at FLOAT NOT NULL,
    "user" VARCHAR(200) NOT NULL,
    turn VARCHAR(40) NOT NULL,
    tool VARCHAR(100) NOT NULL,
    arguments TEXT NOT NULL,
    state VARCHAR(20) NOT NULL,
    settled_at FLOAT,
    PRIMARY KEY (key)
);

CREATE TABLE thread_messages (
    thread VARCHAR(64) NOT NULL,
    seq INTEGER NOT NULL,
    at FLOAT NOT NULL,
    role VARCHAR(16) NOT NULL,
    content TEXT NOT NULL,
    calls TEXT NOT NULL,
    call VARCHAR(100) NOT NULL,
    tool VARCHAR(100) NOT NULL,
    result TEXT NOT NULL,
    PRIMARY KEY (thread, seq)
);

CREATE TABLE threads (
    id VARCHAR(64) NOT NULL,
    tenant VARCHAR(100) NOT NULL,
    "user" VARCHAR(200) NOT NULL,
    title VARCHAR(200) NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX ix_threads_user ON threads ("user");

CREATE TABLE tickets (
    id VARCHAR(40) NOT NULL,
    at FLOAT NOT NULL,
    expires FLOAT NOT NULL,
    "user" VARCHAR(200) NOT NULL,
    tenant VARCHAR(100) NOT NULL,
    thread VARCHAR(64) NOT NULL,
    turn VARCHAR(40) NOT NULL,
    call VARCHAR(40) NOT NULL,
    tool VARCHAR(100) NOT NULL,
    arguments TEXT NOT NULL,
    digest VARCHAR(64) NOT NULL,
    policy VARCHAR(64) NOT NULL,
    state VARCHAR(20) NOT NULL,
    decided_at FLOAT,
    PRIMARY KEY (id)
);
CREATE INDEX ix_tickets_user ON tickets ("user");
