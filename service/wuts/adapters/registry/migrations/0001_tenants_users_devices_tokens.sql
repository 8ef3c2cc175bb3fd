-- Times are whole seconds since 1970, UTC.

CREATE TABLE tenants (
    name TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
    tenant TEXT NOT NULL REFERENCES tenants (name) ON DELETE CASCADE,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'manager', 'user')),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, name)
) STRICT;

CREATE TABLE devices (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    user TEXT NOT NULL,
    name TEXT,
    account TEXT, -- the PN JID it is linked to
    should_connect INTEGER NOT NULL DEFAULT 0 CHECK (should_connect IN (0, 1)),
    created_at INTEGER NOT NULL,
    UNIQUE (id, tenant, user),
    FOREIGN KEY (tenant, user) REFERENCES users (tenant, name) ON DELETE CASCADE
) STRICT;

CREATE INDEX devices_of_user ON devices (tenant, user);

-- The token itself is nowhere; id names it for the operator.
CREATE TABLE tokens (
    sha256 BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    user TEXT NOT NULL,
    device TEXT,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    FOREIGN KEY (tenant, user) REFERENCES users (tenant, name) ON DELETE CASCADE,
    -- A token can be bound to its own user's device only.
    FOREIGN KEY (device, tenant, user) REFERENCES devices (id, tenant, user) ON DELETE CASCADE
) STRICT;

CREATE INDEX tokens_of_user ON tokens (tenant, user);
CREATE INDEX tokens_of_device ON tokens (device);
