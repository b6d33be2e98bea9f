-- How environments are reached from outside, and the port at which the ingress answers on https.

ALTER TABLE environments ADD COLUMN routing TEXT NOT NULL DEFAULT '{}';

ALTER TABLE deployments ADD COLUMN hosts TEXT NOT NULL DEFAULT '[]';

ALTER TABLE clusters ADD COLUMN ingress_tls_port INTEGER;
