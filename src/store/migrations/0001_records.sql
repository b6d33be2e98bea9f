-- The records of the first light. Never edited: a change is a new file.

CREATE TABLE settings (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE clusters (
    name          TEXT PRIMARY KEY,
    kind          TEXT NOT NULL CHECK (kind IN ('sandbox', 'kubeconfig')),
    fqdn_suffix   TEXT,
    storage_class TEXT,
    ingress_port  INTEGER CHECK (ingress_port BETWEEN 1 AND 65535)
) STRICT;

CREATE TABLE environments (
    id            INTEGER PRIMARY KEY,
    cluster       TEXT NOT NULL REFERENCES clusters (name),
    name          TEXT NOT NULL,
    namespace     TEXT NOT NULL,
    ingress_class TEXT,
    fqdn_suffix   TEXT,
    production    INTEGER NOT NULL CHECK (production IN (0, 1)),
    UNIQUE (cluster, name),
    UNIQUE (cluster, namespace)
) STRICT;

CREATE TABLE driver_versions (
    name      TEXT NOT NULL,
    version   TEXT NOT NULL,
    source    TEXT NOT NULL,
    digest    TEXT NOT NULL,
    spec      TEXT NOT NULL,
    loaded_at TEXT NOT NULL,
    PRIMARY KEY (name, version)
) STRICT;

CREATE TABLE driver_files (
    name    TEXT NOT NULL,
    version TEXT NOT NULL,
    path    TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (name, version, path),
    FOREIGN KEY (name, version) REFERENCES driver_versions (name, version) ON DELETE CASCADE
) STRICT;

-- AUTOINCREMENT: a deleted deployment's number is never given to another one.
CREATE TABLE deployments (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    uid                 TEXT NOT NULL UNIQUE,
    environment         INTEGER NOT NULL REFERENCES environments (id),
    name                TEXT NOT NULL,
    driver              TEXT NOT NULL,
    driver_version      TEXT NOT NULL,
    application_version TEXT NOT NULL,
    parameters          TEXT NOT NULL,
    phase               TEXT NOT NULL CHECK (phase IN ('Running', 'Stopped', 'Deleting')),
    revision            INTEGER NOT NULL CHECK (revision >= 1),
    created_at          TEXT NOT NULL,
    UNIQUE (environment, name),
    FOREIGN KEY (driver, driver_version) REFERENCES driver_versions (name, version)
) STRICT;

CREATE TABLE instances (
    deployment          INTEGER NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    number              INTEGER NOT NULL CHECK (number >= 1),
    state               TEXT NOT NULL CHECK (state IN ('Planned', 'Applying', 'Active', 'Superseded', 'Failed')),
    driver              TEXT NOT NULL,
    driver_version      TEXT NOT NULL,
    application_version TEXT NOT NULL,
    context             TEXT NOT NULL,
    digest              TEXT NOT NULL,
    created_at          TEXT NOT NULL,
    message             TEXT,
    PRIMARY KEY (deployment, number)
) STRICT;

-- One live baseline per deployment, whatever the code does.
CREATE UNIQUE INDEX one_active_instance ON instances (deployment) WHERE state = 'Active';

-- An instance is frozen: only its state and its message move.
CREATE TRIGGER instances_are_frozen
BEFORE UPDATE OF deployment, number, driver, driver_version, application_version, context, digest, created_at ON instances
BEGIN
    SELECT RAISE(ABORT, 'an instance is frozen');
END;
