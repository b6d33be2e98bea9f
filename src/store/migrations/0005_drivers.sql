-- What a driver is beside its texts, and what an environment says about its own ingress.

-- Files that are no UTF-8 text: archives of charts, pictures. `.chart.tgz` is the chart that was pulled when it was loaded.
CREATE TABLE driver_binaries (
    name    TEXT NOT NULL,
    version TEXT NOT NULL,
    path    TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (name, version, path),
    FOREIGN KEY (name, version) REFERENCES driver_versions (name, version) ON DELETE CASCADE
) STRICT;

-- Where that chart came from, its version and its digest (JSON); NULL when none was pulled.
ALTER TABLE driver_versions ADD COLUMN chart TEXT;

-- Addresses that may reach the environment (JSON, a list of CIDR blocks); empty: everybody.
ALTER TABLE environments ADD COLUMN ip_whitelist TEXT NOT NULL DEFAULT '[]';

-- The settings of an ingress controller of its own (JSON); NULL when it shares one.
ALTER TABLE environments ADD COLUMN dedicated_ingress TEXT;
