# Tasks of a developer's day. `just` lists them.

default:
    @just --list

# The cockpit on the embedded sandbox, debug build
run *arguments:
    cargo run -- --sandbox {{arguments}}

# What CI runs
ci:
    bash .ci/run

test *arguments:
    cargo test {{arguments}}

lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps

# Accept changed frame snapshots after looking at them
snapshots:
    INSTA_UPDATE=always cargo test --test frames

# The smallest and fastest binary, slow to build
dist:
    cargo build --profile dist
