#!/usr/bin/env bash
# libCacheSim, develop at aa0fc409: the last field of a request in an oracleGeneral trace, next_access_vtime, is the number of the
# next request of the same object, counted from 1: in the trace that comes with it 19 in the request at place 6 (from 0) means
# place 18. Its FAQ calls it "the logical time (# requests) between current and the next request", which would be a distance.
# One would guess: a distance, or a number from 0 as everywhere else in the file's own terms. Fails if that changes. Needs curl,
# python3 and the network (2.7 MB).
set -euo pipefail
commit=aa0fc40914b2b786f4b9f4dafb099f8f332b216a
base=https://raw.githubusercontent.com/1a1a11a/libCacheSim/$commit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
curl -fsSL "$base/data/cloudPhysicsIO.oracleGeneral.bin" -o "$work/trace.bin"
python3 - "$work/trace.bin" <<'PYTHON'
import struct
import sys

with open(sys.argv[1], "rb") as file:
    requests = [struct.unpack("<IQIq", request) for request in iter(lambda: file.read(24), b"")]
named = [(place, key, following) for place, (_, key, _, following) in enumerate(requests) if following != -1]


def right(target):
    places = [(target(place, following), key) for place, key, following in named]
    return sum(0 <= at < len(requests) and requests[at][1] == key for at, key in places)


counts = {
    "a number from 1": right(lambda place, following: following - 1),
    "a number from 0": right(lambda place, following: following),
    "a distance": right(lambda place, following: place + following),
}
for what, count in counts.items():
    print(f"{what}: the same object in {count:,} of {len(named):,}")
assert counts["a number from 1"] == len(named) > 10 * max(counts["a number from 0"], counts["a distance"])
PYTHON
