//! Buckets that do not do what they should: small servers on loopback.
