#!/bin/sh
# Playwright's executablePath: its DevTools pipe (descriptors 3 and 4) survives `ip netns exec`.
exec ip netns exec "$BENCH_NETNS" "$BENCH_CHROMIUM" "$@"
