-- The tables as the code made them at commit 4415895.

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE access_attempts (
    subject VARCHAR(64) NOT NULL,
    failures INTEGER NOT NULL,
    locks INTEGER NOT NULL,
    until FLOAT NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (subject)
);

CREATE INDEX ix_access_attempts_at ON access_attempts (at);

CREATE TABLE access_version (
    id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE accounts (
    tenant VARCHAR(100) NOT NULL,
    "user" VARCHAR(64) NOT NULL,
    version INTEGER NOT NULL,
    name_zh VARCHAR(200) NOT NULL,
    name_en VARCHAR(200) NOT NULL,
    roles TEXT NOT NULL,
    department VARCHAR(200) NOT NULL,
    attributes TEXT NOT NULL,
    kind VARCHAR(10) NOT NULL,
    disabled BOOLEAN NOT NULL,
    created FLOAT NOT NULL,
    source VARCHAR(60) NOT NULL,
    subject VARCHAR(300),
    deleted_at FLOAT,
    PRIMARY KEY (tenant, "user"),
    UNIQUE (tenant, source, subject)
);

CREATE INDEX ix_accounts_version ON accounts (version);

CREATE TABLE alert_acks (
    fingerprint VARCHAR(16) NOT NULL,
    fired FLOAT NOT NULL,
    "user" VARCHAR(200) NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (fingerprint)
);

CREATE TABLE alert_lease (
    name VARCHAR(20) NOT NULL,
    process VARCHAR(16) NOT NULL,
    until FLOAT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE alert_past (
    fingerprint VARCHAR(16) NOT NULL,
    fired FLOAT NOT NULL,
    ended FLOAT NOT NULL,
    rule VARCHAR(64) NOT NULL,
    severity VARCHAR(10) NOT NULL,
    labels TEXT NOT NULL,
    worst FLOAT,
    acked_by VARCHAR(200) NOT NULL,
    PRIMARY KEY (fingerprint, fired)
);

CREATE INDEX ix_alert_past_ended ON alert_past (ended);

CREATE TABLE alert_seen (
    process VARCHAR(16) NOT NULL,
    fingerprint VARCHAR(16) NOT NULL,
    rule VARCHAR(64) NOT NULL,
    labels TEXT NOT NULL,
    value FLOAT,
    bad FLOAT NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (process, fingerprint)
);

CREATE TABLE alert_silences (
    id VARCHAR(16) NOT NULL,
    rule VARCHAR(200) NOT NULL,
    labels TEXT NOT NULL,
    until FLOAT NOT NULL,
    "user" VARCHAR(200) NOT NULL,
    why TEXT NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE alerts (
    fingerprint VARCHAR(16) NOT NULL,
    rule VARCHAR(64) NOT NULL,
    state VARCHAR(10) NOT NULL,
    body TEXT NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (fingerprint)
);

CREATE TABLE api_keys (
    id VARCHAR(16) NOT NULL,
    version INTEGER NOT NULL,
    tenant VARCHAR(100) NOT NULL,
    "user" VARCHAR(64) NOT NULL,
    made_by VARCHAR(64) NOT NULL,
    name VARCHAR(100) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    scope TEXT NOT NULL,
    created FLOAT NOT NULL,
    expires FLOAT NOT NULL,
    last_used FLOAT,
    revoked_at FLOAT,
    revoked_by VARCHAR(64),
    PRIMARY KEY (id)
);

CREATE INDEX ix_api_keys_version ON api_keys (version);

CREATE TABLE audit_checkpoints (
    seq INTEGER NOT NULL,
    hash VARCHAR(64) NOT NULL,
    at FLOAT NOT NULL,
    "key" VARCHAR(16) NOT NULL,
    signature VARCHAR(128) NOT NULL,
    PRIMARY KEY (seq)
);

CREATE TABLE audit_gaps (
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    "before" VARCHAR(64) NOT NULL,
    hash VARCHAR(64) NOT NULL,
    at FLOAT NOT NULL,
    "key" VARCHAR(16) NOT NULL,
    signature VARCHAR(128) NOT NULL,
    PRIMARY KEY (first, last)
);

CREATE TABLE audit_holds (
    id VARCHAR(20) NOT NULL,
    at FLOAT NOT NULL,
    "by" VARCHAR(200) NOT NULL,
    reason TEXT NOT NULL,
    "user" VARCHAR(200),
    turn VARCHAR(40),
    since FLOAT,
    until FLOAT,
    released_at FLOAT,
    released_by VARCHAR(200),
    PRIMARY KEY (id)
);

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

CREATE TABLE channel_bindings (
    channel VARCHAR(40) NOT NULL,
    person VARCHAR(64) NOT NULL,
    tenant VARCHAR(100) NOT NULL,
    "user" VARCHAR(200) NOT NULL,
    name TEXT NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (channel, person)
);

CREATE INDEX ix_channel_bindings_user ON channel_bindings ("user");

CREATE TABLE channel_codes (
    hash VARCHAR(64) NOT NULL,
    tenant VARCHAR(100) NOT NULL,
    "user" VARCHAR(200) NOT NULL,
    expires FLOAT NOT NULL,
    PRIMARY KEY (hash)
);

CREATE INDEX ix_channel_codes_user ON channel_codes ("user");

CREATE TABLE channel_messages (
    channel VARCHAR(40) NOT NULL,
    id VARCHAR(64) NOT NULL,
    person VARCHAR(64) NOT NULL,
    "user" VARCHAR(200) NOT NULL,
    created FLOAT NOT NULL,
    received FLOAT NOT NULL,
    due FLOAT NOT NULL,
    began FLOAT,
    state VARCHAR(10) NOT NULL,
    worker VARCHAR(32) NOT NULL,
    lease FLOAT NOT NULL,
    attempts INTEGER NOT NULL,
    content TEXT NOT NULL,
    parts TEXT NOT NULL,
    sent INTEGER NOT NULL,
    sending INTEGER NOT NULL,
    ended FLOAT,
    PRIMARY KEY (channel, id)
);

CREATE INDEX ix_channel_messages_open ON channel_messages (state, due);

CREATE INDEX ix_channel_messages_person ON channel_messages (channel, person, state);

CREATE INDEX ix_channel_messages_user ON channel_messages ("user");

CREATE TABLE channel_threads (
    channel VARCHAR(40) NOT NULL,
    tenant VARCHAR(100) NOT NULL,
    "user" VARCHAR(200) NOT NULL,
    thread VARCHAR(64) NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (channel, tenant, "user")
);

CREATE TABLE contract_shown (
    tenant VARCHAR(100) NOT NULL,
    "user" VARCHAR(200) NOT NULL,
    document VARCHAR(64) NOT NULL,
    rule VARCHAR(100) NOT NULL,
    count INTEGER NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (tenant, "user", document, rule)
);

CREATE TABLE contract_verdicts (
    id VARCHAR(16) NOT NULL,
    tenant VARCHAR(100) NOT NULL,
    "user" VARCHAR(200) NOT NULL,
    document VARCHAR(64) NOT NULL,
    item VARCHAR(64) NOT NULL,
    rule VARCHAR(100) NOT NULL,
    verdict VARCHAR(10) NOT NULL,
    content TEXT NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_contract_verdicts_item UNIQUE (tenant, "user", document, item)
);

CREATE INDEX ix_contract_verdicts_user ON contract_verdicts ("user");

CREATE TABLE desk_events (
    ticket VARCHAR(16) NOT NULL,
    seq INTEGER NOT NULL,
    at FLOAT NOT NULL,
    "by" VARCHAR(200) NOT NULL,
    actor VARCHAR(12) NOT NULL,
    act VARCHAR(20) NOT NULL,
    about VARCHAR(200) NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (ticket, seq)
);

CREATE TABLE desk_tickets (
    id VARCHAR(16) NOT NULL,
    number INTEGER NOT NULL,
    tenant VARCHAR(100) NOT NULL,
    "user" VARCHAR(200) NOT NULL,
    thread VARCHAR(64) NOT NULL,
    channel VARCHAR(40) NOT NULL,
    title TEXT NOT NULL,
    "key" VARCHAR(100),
    events INTEGER NOT NULL,
    state VARCHAR(20) NOT NULL,
    category VARCHAR(40) NOT NULL,
    priority VARCHAR(10) NOT NULL,
    assignee VARCHAR(200) NOT NULL,
    assigned FLOAT NOT NULL,
    holder VARCHAR(10) NOT NULL,
    created FLOAT NOT NULL,
    updated FLOAT NOT NULL,
    resolved FLOAT,
    due FLOAT,
    warn FLOAT,
    PRIMARY KEY (id),
    CONSTRAINT uq_desk_tickets_number UNIQUE (number),
    CONSTRAINT uq_desk_tickets_key UNIQUE (tenant, "user", "key")
);

CREATE INDEX ix_desk_tickets_state ON desk_tickets (state);

CREATE INDEX ix_desk_tickets_thread ON desk_tickets (thread);

CREATE INDEX ix_desk_tickets_user ON desk_tickets ("user");

CREATE TABLE experiment_events (
    experiment VARCHAR(40) NOT NULL,
    seq INTEGER NOT NULL,
    at FLOAT NOT NULL,
    author VARCHAR(200) NOT NULL,
    act VARCHAR(20) NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (experiment, seq)
);

CREATE TABLE experiment_subjects (
    experiment VARCHAR(40) NOT NULL,
    subject VARCHAR(64) NOT NULL,
    tenant VARCHAR(100) NOT NULL,
    "user" VARCHAR(200) NOT NULL,
    arm VARCHAR(40) NOT NULL,
    stage INTEGER NOT NULL,
    at FLOAT NOT NULL,
    turns INTEGER NOT NULL,
    first TEXT NOT NULL,
    sums TEXT NOT NULL,
    PRIMARY KEY (experiment, subject)
);

CREATE INDEX ix_experiment_subjects_user ON experiment_subjects ("user");

CREATE TABLE experiments (
    name VARCHAR(40) NOT NULL,
    state VARCHAR(10) NOT NULL,
    created FLOAT NOT NULL,
    revision INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE intents (
    "key" VARCHAR(64) NOT NULL,
    at FLOAT NOT NULL,
    "user" VARCHAR(200) NOT NULL,
    turn VARCHAR(40) NOT NULL,
    tool VARCHAR(100) NOT NULL,
    arguments TEXT NOT NULL,
    state VARCHAR(20) NOT NULL,
    settled_at FLOAT,
    result TEXT,
    settled_by VARCHAR(200),
    note TEXT,
    PRIMARY KEY ("key")
);

CREATE TABLE job_files (
    job VARCHAR(32) NOT NULL,
    name VARCHAR(200) NOT NULL,
    type VARCHAR(100) NOT NULL,
    size INTEGER NOT NULL,
    content TEXT NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (job, name)
);

CREATE TABLE job_schedules (
    id VARCHAR(32) NOT NULL,
    tenant VARCHAR(100) NOT NULL,
    "user" VARCHAR(200) NOT NULL,
    channel VARCHAR(40) NOT NULL,
    kind VARCHAR(40) NOT NULL,
    title TEXT NOT NULL,
    arguments TEXT NOT NULL,
    cron VARCHAR(100) NOT NULL,
    due FLOAT NOT NULL,
    enabled BOOLEAN NOT NULL,
    last VARCHAR(32) NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX ix_job_schedules_user ON job_schedules ("user");

CREATE TABLE job_steps (
    job VARCHAR(32) NOT NULL,
    name VARCHAR(200) NOT NULL,
    content TEXT NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (job, name)
);

CREATE TABLE jobs (
    id VARCHAR(32) NOT NULL,
    tenant VARCHAR(100) NOT NULL,
    "user" VARCHAR(200) NOT NULL,
    channel VARCHAR(40) NOT NULL,
    kind VARCHAR(40) NOT NULL,
    title TEXT NOT NULL,
    arguments TEXT NOT NULL,
    "key" VARCHAR(100),
    batch VARCHAR(40) NOT NULL,
    state VARCHAR(10) NOT NULL,
    due FLOAT NOT NULL,
    created FLOAT NOT NULL,
    started FLOAT,
    ended FLOAT,
    attempts INTEGER NOT NULL,
    step_zh VARCHAR(200) NOT NULL,
    step_en VARCHAR(200) NOT NULL,
    fraction FLOAT NOT NULL,
    error TEXT NOT NULL,
    result TEXT NOT NULL,
    worker VARCHAR(32) NOT NULL,
    lease FLOAT NOT NULL,
    stop BOOLEAN NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_jobs_key UNIQUE (tenant, "user", kind, "key")
);

CREATE INDEX ix_jobs_batch ON jobs (batch);

CREATE INDEX ix_jobs_state ON jobs (state);

CREATE INDEX ix_jobs_user ON jobs ("user");

CREATE TABLE knowledge_documents (
    id VARCHAR(64) NOT NULL,
    tenant VARCHAR(100) NOT NULL,
    source VARCHAR(64) NOT NULL,
    place TEXT NOT NULL,
    title TEXT NOT NULL,
    own_title INTEGER NOT NULL,
    readers TEXT NOT NULL,
    own_readers INTEGER NOT NULL,
    state VARCHAR(16) NOT NULL,
    size BIGINT NOT NULL,
    changed FLOAT NOT NULL,
    digest VARCHAR(64) NOT NULL,
    revision INTEGER NOT NULL,
    chunks INTEGER NOT NULL,
    pages INTEGER NOT NULL,
    scanned INTEGER NOT NULL,
    progress TEXT NOT NULL,
    error_zh TEXT NOT NULL,
    error_en TEXT NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX ix_knowledge_documents_source ON knowledge_documents (source);

CREATE INDEX ix_knowledge_documents_state ON knowledge_documents (state);

CREATE INDEX ix_knowledge_documents_tenant ON knowledge_documents (tenant);

CREATE TABLE knowledge_sources (
    id VARCHAR(64) NOT NULL,
    tenant VARCHAR(100) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    place TEXT NOT NULL,
    readers TEXT NOT NULL,
    declared INTEGER NOT NULL,
    "by" VARCHAR(200) NOT NULL,
    at FLOAT NOT NULL,
    error_zh TEXT NOT NULL,
    error_en TEXT NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE limit_totals (
    "key" VARCHAR(300) NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY ("key")
);

CREATE TABLE memory_facts (
    id VARCHAR(16) NOT NULL,
    tenant VARCHAR(100) NOT NULL,
    "user" VARCHAR(200) NOT NULL,
    content TEXT NOT NULL,
    thread VARCHAR(64) NOT NULL,
    at FLOAT NOT NULL,
    state VARCHAR(10) NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX ix_memory_facts_user ON memory_facts ("user");

CREATE TABLE oidc_states (
    hash VARCHAR(64) NOT NULL,
    kept VARCHAR(64) NOT NULL,
    provider VARCHAR(60) NOT NULL,
    nonce VARCHAR(64) NOT NULL,
    verifier VARCHAR(128) NOT NULL,
    redirect TEXT NOT NULL,
    expires FLOAT NOT NULL,
    PRIMARY KEY (hash)
);

CREATE INDEX ix_oidc_states_expires ON oidc_states (expires);

CREATE TABLE passwords (
    tenant VARCHAR(100) NOT NULL,
    "user" VARCHAR(64) NOT NULL,
    hash VARCHAR(200) NOT NULL,
    at FLOAT NOT NULL,
    initial BOOLEAN NOT NULL,
    used_at FLOAT,
    previous TEXT NOT NULL,
    PRIMARY KEY (tenant, "user")
);

CREATE TABLE prompt_activations (
    seq INTEGER NOT NULL,
    number INTEGER NOT NULL,
    at FLOAT NOT NULL,
    author VARCHAR(200) NOT NULL,
    PRIMARY KEY (seq)
);

CREATE TABLE prompt_versions (
    number INTEGER NOT NULL,
    at FLOAT NOT NULL,
    author VARCHAR(200) NOT NULL,
    note TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (number)
);

CREATE TABLE recovery_codes (
    tenant VARCHAR(100) NOT NULL,
    "user" VARCHAR(64) NOT NULL,
    hash VARCHAR(64) NOT NULL,
    PRIMARY KEY (tenant, "user", hash)
);

CREATE TABLE risk_decisions (
    id VARCHAR(16) NOT NULL,
    tenant VARCHAR(100) NOT NULL,
    "user" VARCHAR(200) NOT NULL,
    "transaction" VARCHAR(200) NOT NULL,
    outcome VARCHAR(10) NOT NULL,
    score FLOAT NOT NULL,
    model VARCHAR(64) NOT NULL,
    note TEXT NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX ix_risk_decisions_transaction ON risk_decisions ("transaction");

CREATE INDEX ix_risk_decisions_user ON risk_decisions ("user");

CREATE TABLE risk_queue (
    tenant VARCHAR(100) NOT NULL,
    "transaction" VARCHAR(200) NOT NULL,
    day VARCHAR(10) NOT NULL,
    score FLOAT NOT NULL,
    action VARCHAR(10) NOT NULL,
    codes TEXT NOT NULL,
    model VARCHAR(64) NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (tenant, "transaction")
);

CREATE INDEX ix_risk_queue_day ON risk_queue (day);

CREATE TABLE role_requests (
    id VARCHAR(24) NOT NULL,
    tenant VARCHAR(100) NOT NULL,
    "user" VARCHAR(64) NOT NULL,
    give BOOLEAN NOT NULL,
    roles TEXT NOT NULL,
    requester VARCHAR(64) NOT NULL,
    at FLOAT NOT NULL,
    expires FLOAT NOT NULL,
    state VARCHAR(12) NOT NULL,
    decided_by VARCHAR(64),
    decided_at FLOAT,
    PRIMARY KEY (id)
);

CREATE TABLE second_factors (
    tenant VARCHAR(100) NOT NULL,
    "user" VARCHAR(64) NOT NULL,
    secret BLOB NOT NULL,
    confirmed BOOLEAN NOT NULL,
    last_step BIGINT NOT NULL,
    PRIMARY KEY (tenant, "user")
);

CREATE TABLE sessions (
    hash VARCHAR(64) NOT NULL,
    id VARCHAR(16) NOT NULL,
    tenant VARCHAR(100) NOT NULL,
    "user" VARCHAR(64) NOT NULL,
    began FLOAT NOT NULL,
    seen FLOAT NOT NULL,
    until FLOAT NOT NULL,
    channel VARCHAR(40) NOT NULL,
    address VARCHAR(64) NOT NULL,
    remaining VARCHAR(60) NOT NULL,
    PRIMARY KEY (hash),
    UNIQUE (id)
);

CREATE INDEX ix_sessions_until ON sessions (until);

CREATE TABLE site_visitors (
    "user" VARCHAR(200) NOT NULL,
    tenant VARCHAR(100) NOT NULL,
    content TEXT NOT NULL,
    seen FLOAT NOT NULL,
    PRIMARY KEY ("user")
);

CREATE INDEX ix_site_visitors_seen ON site_visitors (seen);

CREATE TABLE thread_digests (
    thread VARCHAR(64) NOT NULL,
    through INTEGER NOT NULL,
    content TEXT NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (thread)
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
    title TEXT NOT NULL,
    at FLOAT NOT NULL,
    archived FLOAT,
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
    sources TEXT,
    approver VARCHAR(100),
    channel VARCHAR(40),
    decided_by VARCHAR(200),
    approved_by TEXT,
    reason TEXT,
    lease FLOAT,
    finished_at FLOAT,
    PRIMARY KEY (id)
);

CREATE INDEX ix_tickets_user ON tickets ("user");

INSERT INTO alembic_version (version_num) VALUES ('0014');
