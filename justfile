# `just` lists the recipes.
_default:
    @just --list --unsorted

# Formatting, clippy, licences and all tests: exactly what CI runs.
check:
    tests/run

# Only the tests, or only those whose names contain a word.
test *names='':
    tests/run test {{ names }}

# Half an hour: 200 services within AWS's rates, 200 lives in random weather, 100 000 runs.
soak *names='':
    tests/run soak {{ names }}

# Calls, time and memory against the test AWS server; `just bench --services 10,50 --latency 50`.
bench *arguments='':
    tests/run bench {{ arguments }}

# The whole story on the simulator.
demo:
    cargo run --quiet -- demo
